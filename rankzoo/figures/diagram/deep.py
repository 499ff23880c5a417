"""The nodes from the crosses to the heads: cross layers, joined bars, layers, experts, gates, towers, heads."""
from __future__ import annotations

from itertools import product

from rankzoo.figures.diagram.marks import bars, corner, side_bars, skips, underline, units_label
from rankzoo.figures.diagram.nodes import badge
from rankzoo.figures.diagram.state import State, stack_shares
from rankzoo.figures.layout.collapse import X0
from rankzoo.figures.layout.sizes import layer_bars
from rankzoo.figures.layout.types import Box
from rankzoo.figures.marks import symbol
from rankzoo.figures.theme import family
from rankzoo.figures.tree import Tree, brief, fit, path, rect, text, width_of
from rankzoo.shape import Block

GRID = 6


def cross(block: Block, box: Box, state: State) -> list[Tree]:
    """A cross layer: its operator and the grid of its weights, a stand-in until they are looked at on the Inside page."""
    times = state.layout.counts.get(block.address, 1)
    name = block.title.rstrip("0123456789 ") if times > 1 else block.title
    parts = [rect(0, 0, box.w, box.h, "node box", 6),
             text(box.w / 2, 38 if times > 1 else 20, fit(name, box.w - 8), "t1 bold", "middle")]
    left, top = (box.w - GRID * 8.4) / 2, 44.0 if times > 1 else 30.0
    low = len(block.units) > 1 and block.units[1] < block.units[0]
    cells: dict[str, str] = {}  # one path for all cells of a kind: a drawing is sent and held by its elements
    for i, j in product(range(GRID), repeat=2):
        kind = "grid faint" if low and min(i, j) >= 2 else "grid"
        cells[kind] = cells.get(kind, "") + f"M{left + j * 8.4:.1f} {top + i * 8.4:.1f}h7.4v7.4h-7.4z"
    parts += [path(d, kind) for kind, d in cells.items()]
    sizes = " × ".join(units_label(unit) for unit in block.units[:2])
    parts.append(text(box.w / 2, box.h - 9, fit(sizes, box.w - 6), "t2 num size", "middle"))
    return [*parts, *badge(times, box), *underline(block, box, state), *corner(block, box, state)]


def linear(block: Block, box: Box, state: State) -> list[Tree]:
    """The wide part: one weight per value, straight to the logit."""
    return [rect(0, 0, box.w, box.h, "node box", 6), text(box.w / 2, 18, fit(block.title, box.w - 8), "t1 bold", "middle"),
            text(box.w / 2, 34, block.detail if width_of(block.detail) <= box.w - 8 else "", "t2", "middle"),
            *underline(block, box, state), *corner(block, box, state)]


def concat(block: Block, box: Box, state: State) -> list[Tree]:
    """A bar of segments; each keeps its source's colour and is as high as its width says."""
    parts = [rect(0, 0, box.w, box.h, "join box", 4)]
    for source, upper, lower in state.layout.segments.get(block.address, ()):
        colour = f"family-{colour_of(state.layout.blocks[source])}"
        thin = 0.8 if lower - upper > 3 else 0.2
        parts.append(rect(2, upper - box.y + thin / 2, box.w - 4, lower - upper - thin, f"{colour} segment", 1.5))
    return [*parts, *corner(block, box, state)]


def colour_of(block: Block) -> int:
    """The family whose colour a block's numbers have: x₀ and the candidate are still features, wherever they stand."""
    return 1 if block.address == X0 or block.form == "candidate" else family(block.slot)


def layer(block: Block, box: Box, state: State) -> list[Tree]:
    """The layers of a network as bare bars, trapezoids between them: how the width narrows."""
    found = layer_bars(block, box, state.layout.scale)
    parts = []
    for one, other in zip(found, found[1:], strict=False):
        parts.append(path(trapezoid(one.right - box.x, one.y - box.y, one.bottom - box.y,
                                    other.x - box.x, other.y - box.y, other.bottom - box.y), "flow"))
    for unit, bar in zip(block.units, found, strict=True):
        parts += [rect(bar.x - box.x, bar.y - box.y, bar.w, bar.h, "bar edged", 3),
                  text(bar.cx - box.x, bar.bottom - box.y + 13.5, units_label(unit), "t2 num size", "middle")]
    parts += skips(block.skips, [Box(bar.x - box.x, bar.y - box.y, bar.w, bar.h) for bar in found], 7)
    if block.slot == "sharing":
        parts.append(text(box.w / 2, found[0].y - box.y - 5, fit(block.title, box.w + 16), "t2", "middle"))
    last = found[-1]
    return [*parts, *corner(block, Box(0, 0, last.right - box.x, 0), state, last.y - box.y)]


def trapezoid(x0: float, a0: float, b0: float, x1: float, a1: float, b1: float) -> str:
    """A ribbon between two upright stretches, its edges S-shaped."""
    m = (x0 + x1) / 2
    return (f"M{x0:.1f} {a0:.1f}C{m:.1f} {a0:.1f} {m:.1f} {a1:.1f} {x1:.1f} {a1:.1f}"
            f"L{x1:.1f} {b1:.1f}C{m:.1f} {b1:.1f} {m:.1f} {b0:.1f} {x0:.1f} {b0:.1f}Z")


def expert(block: Block, box: Box, state: State) -> list[Tree]:
    """An expert by the room there is: bars below the name, beside it, or the name alone."""
    parts = [rect(0, 0, box.w, box.h, "node box", 6 if box.h > 30 else 4)]
    if box.h >= 60:
        parts += [text(9, 16, brief(block.title, box.w - 12), "t1 bold"),
                  *bars(block.units, Box(6, 20, box.w - 12, box.h - 24))]
    elif box.h >= 34:
        room = box.w * 0.42
        if any(width_of(each.title) > room for each in state.layout.blocks.values() if each.form == "expert"):
            room = min(room, width_of(block.title) - 1)  # all are shortened where one must be
        name = brief(block.title, room)
        start = 12 + width_of(name)
        parts += [text(8, box.h / 2 + 4.5, name, "t1 bold"),
                  *side_bars(block.units, Box(start, 8, box.w - start - 2, box.h - 16))]
    else:
        parts.append(text(8, box.h / 2 + 4.5, brief(block.title, box.w - 12), "t1 bold"))
    return [*parts, *underline(block, box, state), *corner(block, box, state)]


def gate(block: Block, box: Box, state: State) -> list[Tree]:
    """◇ above a stack with one segment per expert, as high as the gate's mean weight for it."""
    experts = tuple(a for a, b in state.layout.blocks.items() if b.form == "expert")
    shares, learned = stack_shares(state, block.address, experts)
    x = box.w / 2
    parts = [rect(0, 0, box.w, box.h, "hit", 3), path(f"M{x:g} 1l6 6-6 6-6-6z", "gate diamond")]
    strongest = max(shares.values(), default=1.0) or 1.0
    y, room = 18.0, box.h - 18
    for share in shares.values():
        h = room * share
        strength = 0.45 + 0.55 * share / strongest if learned else 0.45
        parts.append(rect(2, y + 0.5, box.w - 4, max(h - 1, 0.4), "gate stack", 1.5, {"fill-opacity": strength}))
        y += h
    if not learned:
        parts.append(rect(1, 17.5, box.w - 2, room + 1, "untrained", 2))
    return [*parts, *corner(block, box, state)]


def tower(block: Block, box: Box, state: State) -> list[Tree]:
    """A task's own small network; the task alone names every tower where both words are too long for one of them."""
    towers = [each for each in state.layout.blocks.values() if each.form == "tower"]
    name = block.title if all(width_of(each.title) <= box.w - 12 for each in towers) else block.task or block.title
    parts = [rect(0, 0, box.w, box.h, "node box", 6), text(9, 15.5, fit(name, box.w - 12), "t1 bold")]
    if box.h >= 56:
        parts += [*bars(block.units, Box(6, 18, box.w - 12, box.h - 20), block.skips)]
    else:
        parts += [*side_bars(block.units, Box(10, 22, box.w - 16, 16), block.skips)]
    return [*parts, *underline(block, box, state), *corner(block, box, state)]


def bias_tower(block: Block, box: Box, state: State) -> list[Tree]:
    """The side tower: name and bars in one low box."""
    name = brief(block.title, 84)
    start = 22 + width_of(name)
    return [rect(0, 0, box.w, box.h, "node box", 6), text(10, box.h / 2 + 4.5, name, "t1 bold"),
            *side_bars(block.units, Box(start, 8, box.w - start - 4, box.h - 16)), *corner(block, box, state)]


def broken(block: Block, box: Box, state: State) -> list[Tree]:
    """A component that cannot stand where it is; the shapes that do not fit stand on the edges into it."""
    return [rect(0, 0, box.w, box.h, "broken", 6), text(box.w / 2, 31, fit(block.title, box.w - 12), "t1 bold", "middle"),
            text(box.w / 2, 50, fit(block.detail, box.w - 12), "t2", "middle")]


def _names_fit_beside(state: State) -> bool:
    """Whether every task's name has room beside its metric."""
    known = [(block.title, state.metrics[block.task].partition(" ")[0], state.layout.boxes[address].w)
             for address, block in state.layout.blocks.items() if block.form == "head" and block.task in state.metrics]
    return all(w >= 150 and width_of(name, 13) + width_of(value, 16) <= w - 44 for name, value, w in known)


def head(block: Block, box: Box, state: State) -> list[Tree]:
    """A card with the task's colour at its edge: symbol and name, loss, weight, and the metric once there is one: beside the
    name, or below it where one of the names would be cut for it."""
    number = state.task(block.task)
    value, _, unit = state.metrics.get(block.task, "").partition(" ")
    wide = _names_fit_beside(state)
    beside = width_of(value, 16) + 8 if value and wide else 0.0
    parts = [rect(0, 0, box.w, box.h, "row box", 4), rect(0, 0, 4, box.h, f"task-{number} mark", 1),
             symbol(number, 18, 15.5), text(28, 20, fit(block.title, box.w - 36 - beside, 13), "t1 bold", size=13)]
    lines = [block.detail, *block.words[:1]]
    if value and wide:
        parts += [text(box.w - 10, 21, value, "t1 bold num", "end", 16), text(box.w - 10, 36, unit, "t2", "end")]
    elif value:
        lines = [f"{value} {unit}".strip(), block.detail]
    rows = 2 if box.h >= 56 else 1
    for i, words in enumerate(lines[:rows]):
        room = box.w - 18 - (width_of(unit) + 10 if value and wide and i == 0 else 0.0)
        parts.append(text(14, 36 + 15 * i, fit(words, room), "t1 bold num" if value and not wide and i == 0 else "t2"))
    return [*parts, *corner(block, box, state)]
