"""Marks that the matrices and bars share: text, cells on a ramp, truth outlines, task symbols, buttons.

Everything is in units of the drawing (1 unit = 1 px at full width). Colours are only names of classes; the scene's
stylesheet gives them a colour in the light and in the dark theme.
"""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rankzoo.figures.tree import Tree, circle, el, g, rect, svg
from rankzoo.figures.words import missing

MARGIN = 5
SYMBOLS = "●■▲◆▼★○□"
Places = Mapping[str, int]
"""Where each task stands among all of its data (`Schema.places`): a figure numbers no tasks of its own, for it may show some."""


def drawing(width: float, height: float, label: str, *parts: Tree) -> Tree:
    """The whole figure: a group with a name, and a margin in which rings and truth outlines have room."""
    return svg(round(width) + 2 * MARGIN, round(height) + 2 * MARGIN, label, [g(parts, "", MARGIN, MARGIN)], "chart")


def text(x: float, y: float, words: str, kind: str = "t1", anchor: str = "start", bold: bool = False) -> Tree:
    """Words on a baseline; `kind` is ink and size (`t2 small`), `anchor` start, middle or end."""
    return el("text", {"x": x, "y": y, "class": f"{kind} bold" if bold else kind,
                       "text-anchor": "" if anchor == "start" else anchor}, words)


def box(x: float, y: float, width: float, height: float, kind: str, round_by: float = 4) -> Tree:
    """A rounded rectangle of a class; never of negative size."""
    return rect(x, y, width, height, kind, round_by)


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "hair", dashed: bool = False) -> Tree:
    """A straight line."""
    return el("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "class": kind,
                       "stroke-dasharray": "3 3" if dashed else ""})


def truth(x: float, y: float, width: float, height: float) -> Tree:
    """The mark of what was planted: a dark rounded outline that leaves a gap around its cell."""
    return box(x - 3, y - 3, width + 6, height + 6, "truth", 5)


def ring(x: float, y: float, width: float, height: float) -> Tree:
    """The ring of what is selected, three units outside."""
    return box(x - 3, y - 3, width + 6, height + 6, "ring", 6)


def press(key: str, label: str, pressed: bool, *parts: Tree) -> Tree:
    """A node that can be clicked or entered by keyboard: its id, a sentence for a reader, its parts."""
    # unlike the diagram's nodes these have no relations (data-rel), so that hovering one dims nothing else
    return el("g", {"class": "pick", "data-id": key, "role": "button", "tabindex": 0, "aria-label": label,
                    "aria-pressed": "true" if pressed else "false"}, el("title", {}, label), *parts)


def hint(label: str, *parts: Tree) -> Tree:
    """Parts that show a sentence on hover but cannot be clicked."""
    return el("g", {}, el("title", {}, label), *parts)


def step(value: float, top: float) -> int:
    """Which of the ten steps of the sequential ramp a value between 0 and `top` takes; 0 where the ramp is empty."""
    return min(9, max(0, math.floor(10 * value / top + 1e-9))) if top > 0 else 0


def tint(value: float, top: float, signed: bool = False) -> tuple[str, str]:
    """The class of a cell and of its number's ink. With sign: ten diverging steps from −top to top, exact zero neutral."""
    if missing(value) or (signed and value == 0):
        return "neutral", "t1"
    if signed:
        share = value / top if top > 0 else 0.0
        level = min(9, max(0, math.floor(5 + 5 * share)))
        return f"div-{level}", "ink-flip" if level in (0, 1, 8, 9) else "t1"
    level = step(value, top)
    return f"seq-{level}", "ink-flip" if level >= 6 else "t1"


def cell(x: float, y: float, width: float, height: float, value: float, top: float, said: str = "",
         signed: bool = False, font: str = "small") -> list[Tree]:
    """A filled cell and its number in the middle; the number is left out where `said` is empty."""
    fill, ink = tint(value, top, signed)
    parts = [box(x, y, width, height, fill, min(4, height / 4))]
    if said:
        parts.append(text(x + width / 2, y + height / 2 + 4.5, said, f"num {ink} {font}".rstrip(), "middle"))
    return parts


def bar(x: float, y: float, width: float, height: float, share: float, kind: str) -> list[Tree]:
    """A bar of `share` (0 to 1) of its track; a missing share leaves the track empty."""
    filled = 0.0 if missing(share) else width * min(max(share, 0.0), 1.0)
    parts = [box(x, y, width, height, "track", 3)]
    if filled > 0:
        parts.append(box(x, y, max(filled, 1.5), height, kind, min(3, filled / 2)))
    return parts


def symbol(task: int, x: float, y: float, kind: str = "mark") -> Tree:
    """The shape of a task around a centre, in its colour: the same on every page. Tasks 7 and 8 are open shapes."""
    form = task % 8
    classes = f"task-{form} {kind}" + (" open" if form >= 6 else "")
    if form in (0, 6):
        return circle(x, y, 3.5, classes)
    return el("path", {"d": _path(form, x, y), "class": classes})


def _path(form: int, x: float, y: float) -> str:
    corners = {1: _polygon(4, 4.4, 45), 7: _polygon(4, 4.4, 45), 2: _polygon(3, 4.6, -90), 3: _polygon(4, 4.6, 0),
               4: _polygon(3, 4.6, 90), 5: _star(5.2, 2.2)}[form]
    return "M" + "L".join(f"{x + dx:.2f} {y + dy:.2f}" for dx, dy in corners) + "Z"


def _polygon(corners: int, radius: float, turn: float) -> list[tuple[float, float]]:
    angles = [math.radians(turn + 360 * i / corners) for i in range(corners)]
    return [(radius * math.cos(a), radius * math.sin(a)) for a in angles]


def _star(outer: float, inner: float) -> list[tuple[float, float]]:
    angles = [math.radians(-90 + 36 * i) for i in range(10)]
    return [((outer, inner)[i % 2] * math.cos(a), (outer, inner)[i % 2] * math.sin(a)) for i, a in enumerate(angles)]


def key(x: float, y: float, low: str, high: str, signed: bool = False) -> list[Tree]:
    """The ramp as a legend, 78 units of colour with the values at its ends; `x` is where the colour begins."""
    name = "div" if signed else "seq"
    steps = [rect(x + 7.8 * i, y, 7.8, 10, f"{name}-{i}") for i in range(10)]
    return [text(x - 6, y + 9, low, "t2 small num", "end"), *steps, text(x + 84, y + 9, high, "t2 small num")]


def ceiling(values: Sequence[float], room: float = 1.0, floor: float = 1e-9) -> float:
    """A round number at or above the largest absolute value times `room`: the end of a scale."""
    largest = max([abs(v) for v in values if not missing(v)], default=0.0) * room
    if largest <= floor:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(largest))
    return next(unit * m for m in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 6.5, 7, 8, 10) if unit * m >= largest - 1e-12)


def true(value: object) -> bool:
    """Whether a column says yes; a missing value says no."""
    return not missing(value) and bool(value)
