"""Thresholds as a picture: where trees split each number, planted or learned, along how its values rank among the rows."""
from __future__ import annotations

import pandas as pd

from rankzoo.figures.marks import box, drawing, hint, line, text
from rankzoo.figures.tree import Tree
from rankzoo.figures.words import Say, fit, fixed, percent

WIDTH, LABEL, LENGTH, PITCH = 420, 132, 236, 20


def thresholds(frame: pd.DataFrame, say: Say = str) -> Tree:
    """Where the planted trees split: columns `name`, `tree` (from 1), `depth` (0 = root), `quantile` (0 to 1), `threshold`.

    One line per number, most often asked first; a mark per split, with the number of its tree; a root's is larger.
    """
    order = frame["name"].value_counts(sort=True).index.tolist()
    parts: list[Tree] = [text(LABEL, 12, say("low"), "t2 small"), text(LABEL + LENGTH, 12, say("high"), "t2 small", "end")]
    for i, name in enumerate(order):
        y = 32 + PITCH * i
        parts += [text(0, y + 4, fit(name, LABEL - 12, 12), "t1 small"), line(LABEL, y, LABEL + LENGTH, y)]
        for item in frame[frame["name"] == name].sort_values("depth", ascending=False).to_dict("records"):
            x, size = LABEL + LENGTH * float(item["quantile"]), 16 - 3 * int(item["depth"])
            said = say("tree {tree}: {name} > {value}, which {share} of the rows are not").format(
                tree=item["tree"], name=name, value=fixed(float(item["threshold"]), 2),
                share=percent(float(item["quantile"])))
            parts.append(hint(said, box(x - size / 2, y - size / 2, size, size, f"task-{(int(item['tree']) - 1) % 8} bar", 3),
                              box(x - size / 2 - 2, y - size / 2 - 2, size + 4, size + 4, "truth", 4)))
    return drawing(WIDTH, 32 + PITCH * len(order), say("Where the planted trees split"), *parts)
