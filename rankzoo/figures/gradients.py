"""Gradients as pictures: how the main task's meets that of the others, batch by batch, and one batch as vectors in a plane."""
from __future__ import annotations

import math

import pandas as pd

from rankzoo.figures.marks import box, drawing, hint, line, text
from rankzoo.figures.tree import Tree, circle
from rankzoo.figures.words import Say, fixed, missing

WIDTH, HIGH, LEFT = 560.0, 190.0, 44.0
PLANE, REACH = 440.0, 150.0


def cosines(frame: pd.DataFrame, say: Say = str) -> Tree:
    """A bar per batch, from 0 up where the gradients agree and down where they conflict: columns `batch`, `cosine`."""
    known = [float(v) for v in frame["cosine"] if not missing(v)]
    top = max(0.1, *(abs(v) for v in known)) * 1.05 if known else 1.0
    each, middle = (WIDTH - LEFT) / max(len(frame), 1), HIGH / 2
    parts = [text(LEFT - 8, 12, fixed(top, 2), "t2 small num", "end"), text(LEFT - 8, middle + 4, "0", "t2 small num", "end"),
             text(LEFT - 8, HIGH, fixed(-top, 2), "t2 small num", "end"),
             box(LEFT, middle, WIDTH - LEFT, middle, "track", 3), text(WIDTH, HIGH - 6, say("conflict"), "t2 small", "end")]
    for i, item in enumerate(frame.to_dict("records")):
        if missing(item["cosine"]):
            continue
        high, conflict = middle * abs(float(item["cosine"])) / top, float(item["cosine"]) < 0
        said = say("Batch {number}: {cosine}").format(number=item["batch"], cosine=fixed(item["cosine"], 3))
        parts.append(hint(said, box(LEFT + each * i + 1, middle if conflict else middle - high, each - 2, high,
                                    "family-5 bar" if conflict else "family-2 bar", 2)))
    parts.append(line(LEFT, middle, WIDTH, middle))
    return drawing(WIDTH, HIGH + 4, say("Cosine of the main and the auxiliary gradient by batch"), *parts)


def plane(main: float, auxiliary: float, cosine: float, say: Say = str) -> Tree:
    """The directions of the two gradients of one batch in the plane that they span, each of length 1, and what is left of the
    auxiliary one where they conflict; their real lengths are in the words."""
    across = math.sqrt(max(0.0, 1 - cosine**2))
    x, y = REACH + 90.0, REACH + 20.0
    arrows = [((1.0, 0.0), say("main, length {length}").format(length=fixed(main, 2)), "family-1"),
              ((cosine, across), say("auxiliary, length {length}").format(length=fixed(auxiliary, 2)), "family-5")]
    parts: list[Tree] = []
    if cosine < 0:
        arrows.append(((0.0, across), say("what is left"), "family-2"))
        parts.append(line(x + REACH * cosine, y - REACH * across, x, y - REACH * across, "hair", True))
    for (dx, dy), name, family in arrows:
        tip = (x + REACH * dx, y - REACH * dy)
        back, down = dx < 0 or dy == 0, 20 if dy == 0 else 4 if dx < 0 else -8
        parts += [line(x, y, *tip), circle(*tip, 4, f"{family} mark"),
                  text(tip[0] + (-8 if back else 8), tip[1] + down, name, "t1 small", "end" if back else "start")]
    return drawing(PLANE, y + 24, say("The gradients of one batch in their plane"), *parts)
