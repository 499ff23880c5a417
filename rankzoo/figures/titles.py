"""Titles as a picture: the words of some titles, each as dark as it counts, those that carry the topic outlined."""
from __future__ import annotations

import pandas as pd

from rankzoo.figures.marks import ceiling, cell, drawing, hint, key, text, tint, true, truth
from rankzoo.figures.tree import Tree, fit, width_of
from rankzoo.figures.words import Say, fixed, missing, number

WIDTH, NARROW, NAME, LINE, GAP = 1076.0, 420.0, 176.0, 30.0, 7.0


def titles(frame: pd.DataFrame, say: Say = str, width: float = WIDTH) -> Tree:
    """A line per title, its name beside or above: columns `title` (the name), `place`, `word`, `weight` (missing where none is
    drawn), optionally `carries`. A title that is longer than the line goes on below."""
    top, y, left = ceiling([float(w) for w in frame["weight"]]), 0.0, 4.0 if width == NARROW else NAME
    parts: list[Tree] = []
    for title, words in frame.groupby("title", sort=False):
        parts.append(text(0, y + 17, fit(str(title), NAME - 14 if left == NAME else width, 13), "t1"))
        x, y = left, y if left == NAME else y + LINE - 6
        for item in words.sort_values("place").to_dict("records"):
            wide = width_of(str(item["word"]), 13) + 10
            if x + wide > width:
                x, y = left, y + LINE
            weight = float(item["weight"])
            said = str(item["word"]) + ("" if missing(weight) else f": {fixed(weight, 3)}")
            parts.append(hint(said, *cell(x, y + 2, wide, 22, weight, top),
                              text(x + wide / 2, y + 17, str(item["word"]), tint(weight, top)[1], "middle")))
            parts += [truth(x, y + 2, wide, 22)] if true(item.get("carries")) else []
            x += wide + GAP
        y += LINE
    if frame["weight"].notna().any():
        parts += key(left + 14, y + 6, number(0), number(top))
        y += 20
    return drawing(width, y, say("Words of titles, those that carry the topic outlined"), *parts)


def narrow(frame: pd.DataFrame, say: Say = str) -> Tree:
    """The same in less width, a title's name above its words."""
    return titles(frame, say, NARROW)
