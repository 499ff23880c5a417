"""Gradients as pictures: how the main task's meets that of the others, batch by batch, and one batch as vectors in a plane."""
from __future__ import annotations

import math

import pandas as pd

from rankzoo.figures.marks import box, drawing, hint, line, text
from rankzoo.figures.tree import Tree, circle
from rankzoo.figures.words import Say, fixed, missing

WIDTH, HIGH, LEFT = 560.0, 190.0, 44.0
PLANE, LONGEST = 340.0, 120.0


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
    """The two gradients of one batch in the plane that they span, what is left of the auxiliary one, and the step."""
    scale = LONGEST / max(main, auxiliary, 1e-30)
    a = (main * scale, 0.0)
    b = (auxiliary * scale * cosine, auxiliary * scale * math.sqrt(max(0.0, 1 - cosine**2)))
    left = b if cosine >= 0 else (0.0, b[1])
    step = (a[0] + left[0], a[1] + left[1])
    x, y = LONGEST + 20, LONGEST + 46.0
    named = [(a, say("main"), "family-1"), (b, say("auxiliary"), "family-5"), (step, say("step"), "family-4")]
    if cosine < 0:
        named.insert(2, (left, say("what is left"), "family-2"))
    parts: list[Tree] = [line(x, y, x + a[0], y), line(x, y, x + b[0], y - b[1]),
                         line(x, y, x + step[0], y - step[1], "hair", True)]
    if cosine < 0:
        parts += [line(x, y, x, y - left[1]), line(x + b[0], y - b[1], x, y - left[1], "hair", True)]
    for (dx, dy), name, family in named:
        parts += [circle(x + dx, y - dy, 4, f"{family} mark"),
                  text(x + dx + (8 if dx >= 0 else -8), y - dy - 6, name, "t1 small", "start" if dx >= 0 else "end")]
    return drawing(PLANE + 60, y + 16, say("The gradients of one batch in their plane"), *parts)
