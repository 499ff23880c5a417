"""A square of tasks: what each two have in common, as a matrix with their names on both sides."""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rankzoo.figures.marks import Places, box, cell, hint, symbol, text
from rankzoo.figures.tree import Tree
from rankzoo.figures.words import MISSING, fixed, halves


def square(tasks: Sequence[str], places: Places, values: Mapping[frozenset[str], float], outlined: set[frozenset[str]],
           left: float, title: str, note: str, top: float, signed: bool) -> list[Tree]:
    """A task × task matrix with its own names, a title and a note above; the diagonal stays neutral."""
    each = min(66.0, 280 / max(len(tasks), 1))
    parts = [text(left, 14, title, "large bold"), text(left, 32, note, "t2 small")]
    outlines: list[Tree] = []
    for i, a in enumerate(tasks):
        y = 62 + 38 * i
        parts += [text(left + 96 + each * i + (each - 4) / 2, 56 - 11 * up, said, "t2 small", "middle")
                  for up, said in enumerate(reversed(halves(a, each - 2)))]
        beside = halves(a, 76, 13)
        parts += [symbol(places[a], left + 5, y + 16), *(text(left + 16, y + 28 - 7 * len(beside) + 14 * down, said, "t1")
                                                 for down, said in enumerate(beside))]
        for j, b in enumerate(tasks):
            x, value = left + 96 + each * j, values.get(pair(a, b), math.nan) if i != j else math.nan
            said = fixed(value, 2) if i != j else ""
            fill = cell(x, y, each - 4, 33, value, top, said, signed)
            parts.append(hint(f"{a} × {b}: {fixed(value, 3) if i != j else MISSING}", *fill))
            if i != j and pair(a, b) in outlined:
                outlines.append(box(x - 2, y - 2, each, 37, "truth", 5))
    return parts + outlines


def pair(a: object, b: object) -> frozenset[str]:
    """The key of two tasks, whichever comes first."""
    return frozenset((str(a), str(b)))
