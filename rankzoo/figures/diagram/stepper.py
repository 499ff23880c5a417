"""The stepper: − and + of the selected part, in a row of its own above the drawing.

However wide or high the drawing becomes by a press, the row stays where it is, and what a press adds stands behind what was
there: a second press at one place is the same press.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rankzoo.figures.tree import Tree, brief, el, g, path, rect, svg, text, width_of
from rankzoo.figures.words import Say

WIDTH, ROW, PAD, SIGN, GAP, AWAY, APART = 1080.0, 26.0, 10.0, 20.0, 6.0, 4.0, 22.0
NAME = 150.0
"""The most that a part's own name takes."""
ROOM = "88,888"
"""A value that leaves − and + where they are while it is no longer than this."""


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


def draw(lines: Sequence[Stepped], name: str, say: Say = str) -> Tree:
    """The selected part's name and its settings in a box as wide as they are; without settings where to find them, and without a
    part how to select one. Always a row at least, so that the drawing below stays where it is."""
    called, settings = brief(name, NAME), []
    places, wide, high = _rows(lines, called)
    for i, (each, (x, y)) in enumerate(zip(lines, places, strict=True)):
        settings += _line(each, i, x, y, say)
    start = PAD if lines else 0.0
    words = say("its settings stand below the drawing") if name else say(
        "Click a part of the diagram, or reach it with Tab and press Enter, to see what it is and to change it.")
    told = [] if lines else [text(start + (width_of(called) + GAP if name else 0.0), ROW / 2 + AWAY + 4.5, words, "t2")]
    head = [text(start, ROW / 2 + AWAY + 4.5, called, "t1 bold")] if name else []
    box = [rect(0, 0, wide, high, "stepper", 6)] if lines else []
    label = say("The selected part's settings") if lines else f"{name}: {words}" if name else words
    return svg(WIDTH, high + 1, label, [*box, *head, *told, *settings], "steps")


def _rows(lines: Sequence[Stepped], name: str) -> tuple[list[tuple[float, float]], float, float]:
    """Where each setting begins, in as many rows as they need, and the width and height of all."""
    first = PAD + width_of(name) + APART
    x, y, wide, places = first, AWAY, 0.0, []
    for each in lines:
        if x + each.room + PAD > WIDTH and x > first:
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
    less, more = (say(words).format(title=each.title, value=each.value)
                  for words in ("{title}: less than {value}", "{title}: more than {value}"))
    return [*found, _sign(each.key, "less", i, start, middle, "M-4 0h8", less, each.less),
            _sign(each.key, "more", i, right, middle, "M-4 0h8M0 -4v8", more, each.more)]


def _sign(key: str, way: str, i: int, x: float, middle: float, d: str, sentence: str, on: bool = True) -> Tree:
    """A round button that reports itself as a step; those of the first setting are what the keys + and − press. One that has come
    to its end stays and reports nothing, so that whoever pressed it by the keyboard still holds it."""
    id = f"{key}.{way}"
    more = {"data-key": f"step.{id}", "role": "button", "tabindex": 0, "aria-label": sentence}
    more |= {"data-step": id, **({} if i else {"data-first": way})} if on else {"aria-disabled": "true"}
    return g([el("title", {}, sentence), rect(0, 0, SIGN, SIGN, "step", SIGN / 2),
              g([path(d, "sign")], "", SIGN / 2, SIGN / 2)], "pick-step", x, middle - SIGN / 2, more)
