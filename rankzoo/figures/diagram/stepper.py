"""The stepper: − and + of the selected part, in a row below the drawing, where they cover nothing."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rankzoo.figures.layout.types import Layout
from rankzoo.figures.tree import Tree, brief, el, g, path, rect, text, width_of
from rankzoo.figures.words import Say

ROW, PAD, SIGN, GAP, AWAY, APART = 26.0, 10.0, 20.0, 6.0, 4.0, 22.0
NAME = 150.0
"""The most that a part's own name takes."""
ROOM = "8,888"
"""A value that leaves − and + where they are while it is no longer than this."""
Corner = tuple[float, float]


@dataclass(frozen=True)
class Stepped:
    """A setting of the stepper: the key that a press names, a title, the value, and which ways it goes. `gone`: one press takes
    something away."""

    key: str
    title: str
    value: str
    less: bool
    more: bool
    gone: bool = False

    @property
    def room(self) -> float:
        """Units that it takes in a row, with room for a value that grows."""
        signs = SIGN if self.gone else 2 * SIGN + 2 * GAP + max(width_of(each) for each in (ROOM, self.value))
        return width_of(self.title) + GAP + signs


def draw(lines: Sequence[Stepped], address: str, layout: Layout, say: Say, held: Corner | None) -> tuple[list[Tree], float]:
    """The part's name and its settings in a box below the drawing, as far left as they are held; and how far down it reaches.
    Nothing where the part is not drawn."""
    at = corner(lines, address, layout)
    if at is None:
        return [], 0.0
    left, top = (held[0], max(held[1], at[1])) if held else at
    name = _name(address, layout)
    places, wide, high = _rows(lines, name, layout.width - left)
    parts = [rect(0, 0, wide, high, "stepper", 6), text(PAD, ROW / 2 + AWAY + 4.5, name, "t1 bold")]
    for i, (each, (x, y)) in enumerate(zip(lines, places, strict=True)):
        parts += _line(each, i, x, y, say)
    return [g(parts, "steps", left, top, more={"data-key": "stepper"})], top + high + 1


def corner(lines: Sequence[Stepped], address: str, layout: Layout) -> Corner | None:
    """The upper left corner of the box, below the part; None where there is none. It is held while the part stays selected, so
    that a second press at one place is the same press, however the diagram moves."""
    shown = layout.shown(address)
    if not lines or shown not in layout.boxes:
        return None
    _, wide, _ = _rows(lines, _name(address, layout), layout.width)
    return max(0.0, min(layout.boxes[shown].cx - wide / 2, layout.width - wide)), layout.height + AWAY


def _name(address: str, layout: Layout) -> str:
    return brief(layout.blocks[layout.shown(address)].title, NAME)


def _rows(lines: Sequence[Stepped], name: str, room: float) -> tuple[list[Corner], float, float]:
    """Where each setting begins, in as many rows as the room asks for, and the width and height of all."""
    first = PAD + width_of(name) + APART
    x, y, wide, places = first, AWAY, 0.0, []
    for each in lines:
        if x + each.room + PAD > room + 0.1 and x > first:
            x, y = first, y + ROW
        places.append((x, y))
        x += each.room + APART
        wide = max(wide, x - APART + PAD)
    return places, wide, y + ROW + AWAY


def _line(each: Stepped, i: int, x: float, y: float, say: Say) -> list[Tree]:
    middle, start = y + ROW / 2, x + width_of(each.title) + GAP
    title = text(x, middle + 4.5, each.title, "t1" if each.gone else "t2")
    if each.gone:
        return [title, _sign(each.key, "less", i, start, middle, "M-4 -4l8 8M-4 4l8 -8", each.title)]
    right = x + each.room - SIGN
    found = [title, text((start + SIGN + right) / 2, middle + 4.5, each.value, "t1 bold num", "middle")]
    if each.less:
        found.append(_sign(each.key, "less", i, start, middle, "M-4 0h8", say("{title}: less than {value}").format(
            title=each.title, value=each.value)))
    if each.more:
        found.append(_sign(each.key, "more", i, right, middle, "M-4 0h8M0 -4v8", say("{title}: more than {value}").format(
            title=each.title, value=each.value)))
    return found


def _sign(key: str, way: str, i: int, x: float, middle: float, d: str, sentence: str) -> Tree:
    """A round button that reports itself as a step; those of the first setting are what the keys + and − press."""
    id = f"{key}.{way}"
    more = {"data-step": id, "data-key": f"step.{id}", "role": "button", "tabindex": 0, "aria-label": sentence}
    more |= {} if i else {"data-first": way}
    return g([el("title", {}, sentence), rect(0, 0, SIGN, SIGN, "step", SIGN / 2),
              g([path(d, "sign")], "", SIGN / 2, SIGN / 2)], "pick-step", x, middle - SIGN / 2, more)
