"""The stepper: − and + of the selected part, drawn beside it above everything else."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rankzoo.figures.layout.types import Box, Layout
from rankzoo.figures.tree import Tree, el, g, path, rect, text, width_of
from rankzoo.figures.words import Say

ROW, PAD, SIGN, GAP, AWAY = 24.0, 8.0, 20.0, 6.0, 7.0
ROOM = "8,888"
"""A value that leaves − and + where they are while it is no longer than this."""
Corner = tuple[float, float]


@dataclass(frozen=True)
class Stepped:
    """A line of the stepper: the key that a press names, a title, the value, and which ways it goes. `gone`: one press takes
    something away."""

    key: str
    title: str
    value: str
    less: bool
    more: bool
    gone: bool = False


def draw(lines: Sequence[Stepped], address: str, layout: Layout, say: Say, held: Corner | None) -> tuple[list[Tree], float]:
    """The lines in a box below the part, or above it where there is no room, or at the corner where they are held; and how far
    down it reaches. Nothing where the part is not drawn."""
    at = held or corner(lines, address, layout)
    if not lines or at is None or layout.shown(address) not in layout.boxes:
        return [], 0.0
    wide, high, values = _size(lines)
    right, top = min(max(at[0], wide), layout.width), at[1]
    parts = [rect(0, 0, wide, high, "stepper", 6)]
    for i, each in enumerate(lines):
        parts += _line(each, i, PAD / 2 + ROW * i, wide, values, say)
    return [g(parts, "steps", right - wide, top, more={"data-key": "stepper"})], top + high


def corner(lines: Sequence[Stepped], address: str, layout: Layout) -> Corner | None:
    """The upper right corner of the box by its part; None where there is none. It is held while the part stays selected, so that
    a second press at one place is the same press, however the diagram moves."""
    shown = layout.shown(address)
    if not lines or shown not in layout.boxes:
        return None
    wide, high, _ = _size(lines)
    x, y = _place(layout.boxes[shown], wide, high, [box for name, box in layout.boxes.items() if name != shown], layout)
    return x + wide, y


def _size(lines: Sequence[Stepped]) -> tuple[float, float, float]:
    """Width and height of the box, and the width of its values, with room for those that grow."""
    titles = max(width_of(each.title) for each in lines)
    values = max(width_of(text) for text in (ROOM, *(each.value for each in lines)))
    return titles + values + 2 * SIGN + 2 * PAD + 3 * GAP, ROW * len(lines) + PAD, values


def _place(box: Box, wide: float, high: float, others: Sequence[Box], layout: Layout) -> tuple[float, float]:
    """Beside the part, on the side where least of other parts is hidden; below it rather than elsewhere."""
    across = (box.cx - wide / 2, box.x, box.right - wide)
    down = (box.cy - high / 2, box.y, box.bottom - high)
    places = [(x, y) for y in (box.bottom + AWAY, box.y - AWAY - high) for x in across]
    places += [(x, y) for x in (box.right + AWAY, box.x - AWAY - wide) for y in down]
    inside = [(x, y) for x, y in places if x >= 0 and x + wide <= layout.width and y >= 0 and y + high <= layout.height]
    if not inside:
        return max(0.0, min(across[0], layout.width - wide)), max(0.0, min(box.bottom + AWAY, layout.height - high))
    return min(inside, key=lambda place: sum(_hidden(Box(*place, wide, high), other) for other in others))


def _hidden(one: Box, other: Box) -> float:
    """How much of a box another one covers."""
    across, down = min(one.right, other.right) - max(one.x, other.x), min(one.bottom, other.bottom) - max(one.y, other.y)
    return max(0.0, across) * max(0.0, down)


def _line(each: Stepped, i: int, y: float, wide: float, values: float, say: Say) -> list[Tree]:
    middle = y + ROW / 2
    right = wide - PAD - SIGN
    if each.gone:
        cross = _sign(each.key, "less", i, right, middle, "M-4 -4l8 8M-4 4l8 -8", each.title)
        return [text(PAD, middle + 4, each.title, "t1"), cross]
    left = right - values - 2 * GAP - SIGN
    found = [text(PAD, middle + 4, each.title, "t2"),
             text((left + SIGN + right) / 2, middle + 4, each.value, "t1 bold num", "middle")]
    if each.less:
        found.append(_sign(each.key, "less", i, left, middle, "M-4 0h8", say("{title}: less than {value}").format(
            title=each.title, value=each.value)))
    if each.more:
        found.append(_sign(each.key, "more", i, right, middle, "M-4 0h8M0 -4v8", say("{title}: more than {value}").format(
            title=each.title, value=each.value)))
    return found


def _sign(key: str, way: str, i: int, x: float, middle: float, d: str, sentence: str) -> Tree:
    """A round button that reports itself as a step; those of the first line are what the keys + and − press."""
    id = f"{key}.{way}"
    more = {"data-step": id, "data-key": f"step.{id}", "role": "button", "tabindex": 0, "aria-label": sentence}
    more |= {} if i else {"data-first": way}
    return g([el("title", {}, sentence), rect(0, 0, SIGN, SIGN, "step", SIGN / 2),
              g([path(d, "sign")], "", SIGN / 2, SIGN / 2)], "pick-step", x, middle - SIGN / 2, more)
