"""A path of lessons: steps one above the other on a line, in the colour of the component that each is about."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rankzoo.figures.marks import box, drawing, line, press, ring, text
from rankzoo.figures.tree import Tree, circle
from rankzoo.figures.words import Say, fit

WIDTH, PITCH, X = 236, 37, 16


@dataclass(frozen=True)
class Stop:
    """A step of a path; `family` (1 to 7, 0 for none) gives its colour, `seen` fills its circle."""

    id: str
    title: str
    subtitle: str
    family: int
    seen: bool = False


def draw(stops: Sequence[Stop], selected: str = "", upwards: bool = False, label: str = "A path of lessons",
         say: Say = str) -> Tree:
    """The steps from top to bottom, or `upwards`, the first one at the bottom, as on a ladder."""
    order = list(reversed(stops)) if upwards else list(stops)
    middle = PITCH / 2
    rail = [line(X, middle, X, PITCH * len(order) - middle)] if len(order) > 1 else []
    return drawing(WIDTH, PITCH * max(len(order), 1), label, *rail,
                   *(_stop(stop, PITCH * i, stop.id == selected, say) for i, stop in enumerate(order)))


def _stop(stop: Stop, y: float, selected: bool, say: Say) -> Tree:
    family = f"family-{stop.family} " if stop.family else ""
    seen = say("read") if stop.seen else say("not read yet")
    dot = circle(X, y + PITCH / 2, 6, family + ("mark" if stop.seen or selected else "open"))
    words = [text(X + 17, y + 16, fit(stop.title, WIDTH - X - 24, 13), "t1", bold=True),
             text(X + 17, y + 31, fit(stop.subtitle, WIDTH - X - 24), "t2 small")]
    back = box(1, y + 1, WIDTH - 2, PITCH - 2, "hit chosen" if selected else "hit", 6)
    around = [ring(3, y + 3, WIDTH - 6, PITCH - 6)] if selected else []
    return press(stop.id, f"{stop.title}: {stop.subtitle}. {seen}.", selected, back, dot, *words, *around)
