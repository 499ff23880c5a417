"""Panels: several models by one statistic against each of a few others, a small picture for each, with one list of the models."""
from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from rankzoo.figures.marks import drawing, hint, line, symbol, text
from rankzoo.figures.tree import Tree, g
from rankzoo.figures.words import Say, fit, fixed, missing

SIDE, LEFT, HIGH, ACROSS = 190.0, 48.0, 150.0, 2
HEAD, GAP, BELOW = 26.0, 34.0, 58.0


def panels(frame: pd.DataFrame, x: str, others: Sequence[str], say: Say = str) -> Tree:
    """Columns `label`, `what` (one of `others`), `x`, `x_low`, `x_high`, `y`, `y_low`, `y_high`; `x` names what lies along every
    panel. A model keeps its symbol; axes are as long as the means ask for, and intervals end at the frame."""
    labels = list(dict.fromkeys(frame["label"].astype(str)))
    title = say("Vertical: see each title. Horizontal: {what}").format(what=say(x))
    parts: list[Tree] = [text(0, 14, title, "t2 small")]
    for i, what in enumerate(others):
        at = (LEFT + SIDE + GAP) * (i % ACROSS), HEAD + (HIGH + BELOW) * (i // ACROSS)
        parts.append(g(_panel(frame[frame["what"] == what], frame["x"], labels, say(what), say), "", *at))
    wide = (LEFT + SIDE + GAP) * min(ACROSS, max(len(others), 1))
    for i, name in enumerate(labels):
        y = HEAD + 30 + 26 * i
        parts += [symbol(i, wide + 5, y), text(wide + 18, y + 4, fit(name, 130), "t1")]
    high = HEAD + (HIGH + BELOW) * max(-(-len(others) // ACROSS), 1) - 10
    return drawing(wide + 150, max(high, HEAD + 30 + 26 * len(labels)), say("Models by one statistic against others"), *parts)


def _panel(frame: pd.DataFrame, along: pd.Series, labels: Sequence[str], title: str, say: Say) -> list[Tree]:
    """One of them, with the same scale along as the others."""
    ends = {"x": _ends(along), "y": _ends(frame["y"])}

    def across(value: float) -> float:
        return LEFT + SIDE * _share(float(value), *ends["x"])

    def down(value: float) -> float:
        return 26 + HIGH * (1 - _share(float(value), *ends["y"]))

    bottom = 26 + HIGH
    parts = [text(LEFT, 14, title, "t1", bold=True), line(LEFT, bottom, LEFT + SIDE, bottom), line(LEFT, 26, LEFT, bottom)]
    for end, anchor in zip(ends["x"], ("start", "end"), strict=True):
        parts.append(text(across(end), 42 + HIGH, fixed(end, 2), "t2 small num", anchor))
    parts += [text(LEFT - 6, down(end) + 4, fixed(end, 2), "t2 small num", "end") for end in ends["y"]]
    for item in frame.to_dict("records"):
        if missing(item["x"]) or missing(item["y"]):
            continue
        x, y, i = across(item["x"]), down(item["y"]), labels.index(str(item["label"]))
        cross = [] if missing(item["x_low"]) else [line(across(item["x_low"]), y, across(item["x_high"]), y)]
        cross += [] if missing(item["y_low"]) else [line(x, down(item["y_low"]), x, down(item["y_high"]))]
        parts.append(hint(f"{item['label']}: {fixed(item['x'], 3)}, {title} {fixed(item['y'], 3)}", *cross, symbol(i, x, y)))
    return parts


def _ends(values: pd.Series) -> tuple[float, float]:
    """A little below the least and above the largest mean."""
    known = [float(v) for v in values if not missing(v)] or [0.0, 1.0]
    room = 0.12 * (max(known) - min(known)) or 0.05
    return min(known) - room, max(known) + room


def _share(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
