"""The small marks of a node: glyphs, bars of a network, the share line, the dot of a change."""
from __future__ import annotations

import math
from collections.abc import Sequence

from rankzoo.figures.diagram.state import State
from rankzoo.figures.layout.sizes import shown_skips, shown_units
from rankzoo.figures.layout.types import Box
from rankzoo.figures.tree import Tree, circle, compact, path, rect, text, width_of
from rankzoo.shape import Block

LEFT_OUT = 15.0
"""Units that a dashed arrow takes in one line with the bars, in place of layers for which there is no room."""


def glyph(what: str, x: float, y: float) -> Tree:
    """A table for ids, a pill for numbers, three bars for a list."""
    if what == "list":
        return path(f"M{x} {y + 1}h15M{x} {y + 6}h15M{x} {y + 11}h15", "glyph")
    if what == "numbers":
        return rect(x, y + 2.5, 15, 7, "glyph", 3.5)
    return path(f"M{x} {y}h15v12h-15zM{x} {y + 4}h15M{x} {y + 8}h15M{x + 5} {y}v12", "glyph")


def underline(block: Block, box: Box, state: State) -> list[Tree]:
    """The share of the parameters as a line along the lower edge, at least a point where there are any."""
    share = state.shares.get(block.address, 0.0)
    return [rect(1, box.h - 2.5, max(1.5, (box.w - 2) * min(share, 1.0)), 2.5, "mark", 1)] if share > 0 else []


def corner(block: Block, box: Box, state: State, top: float = 0.0) -> list[Tree]:
    """An orange dot where the block differs from the preset."""
    return [circle(box.w - 1, top + 1, 4, "changed")] if state.has_changed(block) else []


def units_label(units: int) -> str:
    """How many units a layer has: in full up to four digits, for 1,024 is a size that people know by sight."""
    return str(units) if units < 10_000 else compact(units)


def bars(units: tuple[int, ...], box: Box, ways: tuple[tuple[int, int], ...] = ()) -> list[Tree]:
    """The layers of a small network as bars with arrows, heights by the square root of their widths, units below; `ways` past
    some of them above."""
    drawn = shown_units(units)
    if not drawn:
        return []
    box = Box(box.x, box.y + 7, box.w, box.h - 7) if ways else box
    tall = box.h - 16
    scale = tall / math.sqrt(max(drawn))
    pitch = box.w / len(drawn)
    middle, parts, found = box.y + tall / 2, [], []
    for i, unit in enumerate(drawn):
        x, h = box.x + (i + 0.5) * pitch, max(7.0, scale * math.sqrt(unit))
        found.append(Box(x - 5.5, middle - h / 2, 11, h))
        parts += [rect(x - 5.5, middle - h / 2, 11, h, "bar", 2),
                  text(x, middle + h / 2 + 12.5, units_label(unit), "t2 num size", "middle")]
        if i:
            parts.append(arrow(x - pitch + 9, x - 10, middle, len(units) > len(drawn) and i == 1))
    return [*parts, *skips(shown_skips(units, ways), found, 4)]


def skips(ways: Sequence[tuple[int, int]], found: Sequence[Box], r: float) -> list[Tree]:
    """The ways past layers, above all bars: from the top of one down to a ⊕ of radius `r` in front of another."""
    lane = min((bar.y for bar in found), default=0.0) - 1.2 * r
    parts = []
    for one, other in ways:
        start, x, y = found[one], found[other].x - r - 2, found[other].cy
        parts += [path(f"M{start.cx:.1f} {start.y:.1f}V{lane:.1f}H{x:.1f}V{y - r:.1f}", "wire", {"stroke-width": 1.5}),
                  circle(x, y, r, "badge"), path(f"M{x - r / 2:.1f} {y:.1f}h{r:g}M{x:.1f} {y - r / 2:.1f}v{r:g}", "sign")]
    return parts


def arrow(x0: float, x1: float, y: float, skips: bool = False) -> Tree:
    """A thin arrow; dashed where layers between are left out."""
    head = f"M{x1 - 4:.1f} {y - 2.5:.1f}L{x1:.1f} {y:.1f}L{x1 - 4:.1f} {y + 2.5:.1f}"
    return path(f"M{x0:.1f} {y:.1f}H{x1:.1f}{head}", "arrow dashed" if skips else "arrow")


def side_bars(units: tuple[int, ...], box: Box, ways: Sequence[tuple[int, int]] = ()) -> list[Tree]:
    """The same in one line: bars with their units beside them, for low boxes. Those of the last layers where there is no room for
    all, behind a dashed arrow; without its units where there is no room for a single one's. A way past layers runs above them,
    from the dashed arrow where it begins at one that is left out."""
    if not units:
        return []
    many = min(len(units), 2 if box.w < 110 else 3)
    while many > 1 and _side_by_side(units, many) > _room(units, many, box):
        many -= 1
    drawn, room = units[-many:], _room(units, many, box)
    left, middle = box.right - room, box.y + box.h / 2
    pitch, scale = room / many, box.h / math.sqrt(max(drawn))
    parts = [arrow(box.x, left - 2, middle, True)] if many < len(units) else []
    for i, unit in enumerate(drawn):
        h = max(5.0, min(box.h, scale * math.sqrt(unit)))
        x, said = left + i * pitch, units_label(unit)
        parts.append(rect(x, middle - h / 2, 8, h, "bar", 2))
        parts += [text(x + 11, middle + 4.5, said, "t2 num size")] if 11 + width_of(said) <= pitch + 2 else []
        for one in [a + many - len(units) for a, b in ways if b + many - len(units) == i]:
            start = left + one * pitch + 4 if one >= 0 else box.x + 2
            parts.append(path(f"M{start:.1f} {box.y:.1f}v-2H{x + 4:.1f}V{middle - h / 2:.1f}", "wire", {"stroke-width": 1.5}))
    return parts


def _side_by_side(units: Sequence[int], many: int) -> float:
    """Units that the last layers need, each as much as the widest."""
    return many * (11 + max(width_of(units_label(unit)) for unit in units[-many:]))


def _room(units: Sequence[int], many: int, box: Box) -> float:
    """What is left of a box for so many layers, behind the arrow that stands for the others."""
    return box.w - (LEFT_OUT if many < len(units) else 0.0)
