"""Agreement: what the nearest of an item have in common with it, kind by kind, for each of several models, beside chance.

A row of dots for each kind and sort of item, where a radar would give each model a polygon: along one scale shares can be
compared, while a polygon's area depends on which kinds happen to stand side by side.
"""
from __future__ import annotations

import pandas as pd

from rankzoo.figures.marks import ceiling, drawing, hint, line, symbol, text
from rankzoo.figures.tree import Tree
from rankzoo.figures.words import Say, fit, missing, percent

LEFT, LONG, PITCH, WIDTH = 250.0, 300.0, 24.0, 660.0


def agreement(frame: pd.DataFrame, title: str, say: Say = str) -> Tree:
    """Columns `what` (in the reader's words), `items` (known, new), `label` (the model), `share`, `chance`. A model keeps its
    symbol; a short line stands where chance would be; the shares stand behind in the order of the models."""
    labels = list(dict.fromkeys(frame["label"].astype(str)))
    top = ceiling([float(v) for column in ("share", "chance") for v in frame[column] if not missing(v)])
    parts: list[Tree] = [text(0, 14, title, "large bold")]
    y, before = 22.0, ""
    for (what, items), own in frame.groupby(["what", "items"], sort=False):
        y += PITCH + (8 if what != before else 0)
        parts += [text(0, y + 4, fit(str(what), 150, 13), "t1", bold=True)] if what != before else []
        before = what
        parts += [text(LEFT - 16, y + 4, say(str(items)), "t2 small", "end"), line(LEFT, y, LEFT + LONG, y, "hair")]
        chance = float(own["chance"].iloc[0])
        at = LEFT + LONG * chance / top
        parts.append(hint(f"{say('by lot')}: {percent(chance, 1)}", line(at, y - 8, at, y + 8, "sign")))
        for item in own.to_dict("records"):
            words = f"{item['label']}, {what}, {say(str(items))}: {percent(float(item['share']), 1)}"
            parts.append(hint(words, symbol(labels.index(str(item["label"])), LEFT + LONG * float(item["share"]) / top, y)))
        said = " · ".join(percent(float(share), 0) for share in own["share"])
        parts.append(text(LEFT + LONG + 14, y + 4, said, "t1 small num"))
    y += PITCH + 4
    x = LEFT
    for i, name in enumerate(labels):
        parts += [symbol(i, x + 5, y), text(x + 15, y + 4, fit(name, 120), "t2 small")]
        x += 145
    parts += [line(x + 2, y - 7, x + 2, y + 7, "sign"), text(x + 10, y + 4, say("by lot"), "t2 small")]
    return drawing(WIDTH, y + 12, title, *parts)
