"""The stepper: − and + of the selected part, drawn beside it above everything else."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rankzoo.figures.layout.types import Box, Layout
from rankzoo.figures.tree import Tree, el, g, path, rect, text, width_of
from rankzoo.figures.words import Say

ROW, PAD, SIGN, GAP, AWAY = 24.0, 8.0, 20.0, 6.0, 7.0


@dataclass(frozen=True)
class Stepped:
    """A line of the stepper: a title, the value, and which ways it goes. `gone`: one press takes something away."""

    title: str
    value: str
    less: bool
    more: bool
    gone: bool = False


def draw(lines: Sequence[Stepped], address: str, layout: Layout, say: Say) -> list[Tree]:
    """The lines in a box below the part, or above it where there is no room; nothing where the part is not drawn."""
    shown = layout.shown(address)
    if not lines or shown not in layout.boxes:
        return []
    titles = max(width_of(each.title) for each in lines)
    values = max(width_of(each.value) for each in lines)
    wide, high = titles + values + 2 * SIGN + 2 * PAD + 3 * GAP, ROW * len(lines) + PAD
    at = _place(layout.boxes[shown], wide, high, [box for name, box in layout.boxes.items() if name != shown], layout)
    parts = [rect(0, 0, wide, high, "stepper", 6)]
    for i, each in enumerate(lines):
        parts += _line(each, i, PAD / 2 + ROW * i, wide, values, say)
    return [g(parts, "steps", *at, more={"data-key": "stepper"})]


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
        sentence = each.title
        return [text(PAD, middle + 4, each.title, "t1"), _sign(f"{i}.less", right, middle, "M-4 -4l8 8M-4 4l8 -8", sentence)]
    left = right - values - 2 * GAP - SIGN
    found = [text(PAD, middle + 4, each.title, "t2"),
             text((left + SIGN + right) / 2, middle + 4, each.value, "t1 bold num", "middle")]
    if each.less:
        found.append(_sign(f"{i}.less", left, middle, "M-4 0h8", say("{title}: less than {value}").format(
            title=each.title, value=each.value)))
    if each.more:
        found.append(_sign(f"{i}.more", right, middle, "M-4 0h8M0 -4v8", say("{title}: more than {value}").format(
            title=each.title, value=each.value)))
    return found


def _sign(id: str, x: float, middle: float, d: str, sentence: str) -> Tree:
    """A round button that reports itself as a step."""
    more = {"data-step": id, "data-key": f"step.{id}", "role": "button", "tabindex": 0, "aria-label": sentence}
    return g([el("title", {}, sentence), rect(0, 0, SIGN, SIGN, "step", SIGN / 2),
              g([path(d, "sign")], "", SIGN / 2, SIGN / 2)], "pick-step", x, middle - SIGN / 2, more)
