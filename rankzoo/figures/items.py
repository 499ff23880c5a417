"""Items as a picture: how often the right one is found, by how often training had it."""
from __future__ import annotations

import pandas as pd

from rankzoo.figures.marks import bar, box, ceiling, drawing, hint, text, truth
from rankzoo.figures.tree import Tree
from rankzoo.figures.words import Say, fixed, missing, percent, whole


def recalls(frame: pd.DataFrame, say: Say = str) -> Tree:
    """A bar per bucket: columns `bucket`, `rows`, `recall` and `best` (what the planted weights reach, outlined; missing where it
    is not shown)."""
    top = ceiling([float(v) for c in ("recall", "best") for v in frame[c] if not missing(v)], 1.0)
    parts: list[Tree] = []
    for i, item in enumerate(frame.to_dict("records")):
        y, recall, best = 30 * i, float(item["recall"]), item["best"]
        name = say(str(item["bucket"]))
        parts += [text(0, y + 16, name, "t1", bold=not i),
                  hint(f"{name}: {percent(recall, 2)}", *bar(110, y + 4, 330, 16, recall / top, "family-6 mark")),
                  text(450, y + 16, percent(recall, 1), "t1 num", bold=True),
                  text(512, y + 16, say("of {rows}").format(rows=whole(int(item["rows"]))), "t2 small num")]
        parts += [] if missing(best) else [truth(110, y + 2, 330 * float(best) / top, 20)]
    return drawing(620, 30 * max(len(frame), 1), say("Found among the first twenty, by how often training had the item"), *parts)


def intent(frame: pd.DataFrame, say: Say = str) -> Tree:
    """What fitting an intent adds to the logarithm of an item's weight: columns `what`, `value`; a negative one is drawn by its
    size, its number has the sign."""
    top, parts = ceiling([abs(float(v)) for v in frame["value"]], 1.1), []
    for i, item in enumerate(frame.to_dict("records")):
        y, value, name = 28 * i + 4, float(item["value"]), say(str(item["what"]))
        parts += [hint(f"{name}: {fixed(value, 2)}", text(0, y + 13, name, "t1"),
                       *bar(190, y, 170, 16, abs(value) / top, "family-6 bar")),
                  box(188, y - 2, 170 * abs(value) / top + 4, 20, "truth", 5), text(370, y + 13, fixed(value, 2), "t1 small num")]
    return drawing(420, 28 * max(len(frame), 1) + 2, say("What a visitor is after"), *parts)
