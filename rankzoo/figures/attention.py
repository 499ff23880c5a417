"""Attention as pictures: one example's past items (`rows`), the whole history (`strip`), averages (`curve`, `factors`)."""
from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from rankzoo.figures.attention_rows import Candidate, rows
from rankzoo.figures.marks import bar, box, ceiling, cell, drawing, hint, key, text, true, truth
from rankzoo.figures.plot import FINE, axes, chart, end_labels, label
from rankzoo.figures.theme import Theme
from rankzoo.figures.tree import Tree
from rankzoo.figures.words import Say, fit, fixed, measure, missing, number, place

__all__ = ["Candidate", "curve", "factors", "reading", "rows", "strip"]


def strip(frame: pd.DataFrame, say: Say = str) -> Tree:
    """Every item of the history as a heat strip, oldest on the left, one line per head.

    Columns: `head` (index from 0, or a name), `position`, `weight` (missing for an empty place), optionally `relevant`
    and `dropped`.
    """
    heads = list(dict.fromkeys(frame["head"]))
    places = sorted(set(frame["position"]))
    left = max([54.0, *(measure(_head(h, say)) + 14 for h in heads)])
    each = min(40.0, (1076 - left) / max(len(places), 1))
    weights = [float(w) for w in frame["weight"]]
    signed, top = any(w < 0 for w in weights if not missing(w)), ceiling(weights)
    parts = [text(0, 15 + 26 * i, _head(h, say), "t2 small") for i, h in enumerate(heads)]
    marked: set[float] = set()
    for item in frame.to_dict("records"):
        x, y = left + each * places.index(item["position"]), 2 + 26 * heads.index(item["head"])
        weight = float(item["weight"])
        label = say("Item {position}: {weight}").format(position=item["position"], weight=fixed(weight, 4))
        gone = missing(weight) or true(item.get("dropped"))
        drawn = [box(x, y, each - 3, 23, "off", 2)] if gone else cell(x, y, each - 3, 23, weight, top, "", signed)
        parts.append(hint(label, *drawn))
        if true(item.get("relevant")):
            marked.add(x)
    high = 26 * len(heads)
    parts += [truth(x, 2, each - 3, high - 3) for x in sorted(marked)]
    high += 8
    parts += key(left + 8, high + 2, number(-top if signed else 0), number(top), signed)
    return drawing(1076, high + 16, say("All {count} past items, oldest on the left").format(count=len(places)), *parts)


def reading(frame: pd.DataFrame, names: Mapping[int, str], say: Say = str) -> Tree:
    """Which token reads which in one head: a row per query, a column per key, both in the order of `names` (place → name).

    Columns: `query`, `key`, `weight`. Columns carry the numbers of the rows, so that names need to stand but once.
    """
    order = list(names)
    each, left = min(26.0, 540 / max(len(order), 1)), 190.0
    top = ceiling([float(w) for w in frame["weight"]])
    parts = [text(left + each * (j + 0.5) - 1, 12, str(j + 1), "t2 small num", "middle") for j in range(len(order))]
    for i, place_of in enumerate(order):
        y = 20 + each * i
        parts += [text(22, y + each / 2 + 4, str(i + 1), "t2 small num", "end"),
                  text(30, y + each / 2 + 4, fit(names[place_of], left - 40), "t1 small")]
    for item in frame.to_dict("records"):
        i, j, weight = order.index(item["query"]), order.index(item["key"]), float(item["weight"])
        label = say("{query} reads {key}: {weight}").format(query=names[order[i]], key=names[order[j]], weight=fixed(weight, 3))
        parts.append(hint(label, *cell(left + each * j, 20 + each * i, each - 2, each - 2, weight, top)))
    end = 20 + each * len(order)
    parts += key(left + 14, end + 8, number(0), number(top))
    return drawing(left + each * len(order) + 4, end + 22, say("Which item reads which: rows read, columns are read"), *parts)


def _head(head: object, say: Say) -> str:
    return say("Head {number}").format(number=place(head)) if place(head).isdigit() else str(head)


def factors(frame: pd.DataFrame, say: Say = str) -> Tree:
    """Mean weight by what was planted: columns `factor` (topic, dwell), `level` (same, neighbour, other …), `weight`.

    With a column `planted` the true size, on the same scale, is a dark outline around each bar's end.
    """
    top = ceiling([float(w) for w in frame["weight"]], 1.05)
    planted = "planted" in frame
    top = max(top, ceiling([float(w) for w in frame["planted"]], 1.05)) if planted else top
    signed = any(w < 0 for w in frame["weight"] if not missing(w))
    parts: list[Tree] = []
    y, before = 0.0, None
    for item in frame.to_dict("records"):
        if item["factor"] != before:
            y, before = y + (12 if before is not None else 0) + 18, item["factor"]
            parts.append(text(0, y - 4, say(str(before)), "t1 small", bold=True))
        weight = float(item["weight"])
        share = abs(weight) / top if not missing(weight) else math.nan
        parts += [text(0, y + 15, fit(say(str(item["level"])), 96, 13), "t1"),
                  hint(f"{say(str(item['level']))}: {fixed(weight, 4)}", *bar(104, y + 3, 180, 16, share, "family-2 bar")),
                  text(292, y + 16, fixed(weight, 3), "t1 small num")]
        if planted and not missing(item["planted"]):
            parts.append(box(104 + 180 * abs(item["planted"]) / top - 4, y + 1, 8, 20, "truth", 3))
        y += 25
    if signed:
        parts.append(text(0, y + 14, say("bars show the size, numbers the sign"), "t2 small"))
    return drawing(336, y + (22 if signed else 2), say("Mean weight by topic and dwell"), *parts)


def curve(frame: pd.DataFrame, theme: Theme, law: str = "exp(−age / 3)", say: Say = str,
          axis: str = "age in days") -> go.Figure:
    """Weight against age: `age`, `learned`, and optionally `planted` on the same scale, named by `law`."""
    figure, tips = chart(say("Weight by age of the item"), right=110), []
    styles = {"learned": (say("learned"), theme.families[1], "solid", 2.5, "lines+markers"),
              "planted": (law, theme.ink, FINE, 1.5, "lines")}
    shown = [column for column in styles if column in frame]
    for column in shown:
        name, ink, dash, width, mode = styles[column]
        points = frame[["age", column]].dropna().sort_values("age")
        figure.add_scatter(x=points["age"], y=points[column], mode=mode, name=name, marker={"size": 7},
                           line={"color": ink, "dash": dash, "width": width},
                           hovertemplate="%{x:.2f}: %{y:.3f}<extra>" + label(name) + "</extra>")
        if len(points):
            tips.append((float(points["age"].iloc[-1]), float(points[column].iloc[-1]), label(name)))
    values = [float(v) for column in shown for v in frame[column]]
    axes(figure, say(axis), y_range=(min([0.0, *[v for v in values if v < 0]]), ceiling(values)))
    return end_labels(figure, tips, theme)
