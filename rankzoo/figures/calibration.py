"""Calibration as pictures: where the probabilities stand to the events, by task and segment, before and after the layer."""
from __future__ import annotations

import math

import pandas as pd

from rankzoo.figures.marks import Places, bar, box, drawing, hint, line, symbol, text, truth
from rankzoo.figures.tree import Tree, circle, g
from rankzoo.figures.words import Say, fit, fixed, missing, percent

LABEL, TRACK, NUMBERS, ROW = 140.0, 120.0, 84.0, 19.0
WIDE = LABEL + TRACK + NUMBERS


def segments(frame: pd.DataFrame, places: Places, say: Say = str) -> Tree:
    """A panel for each task, two side by side, a row for each segment around a line at 1, on a logarithmic scale: columns `task`,
    `segment`, `label`, `before` (an open circle), `after` (a full one), `planted` (outlined; missing: not shown)."""
    logs = [abs(math.log(float(v))) for c in ("before", "after", "planted") for v in frame[c] if not missing(v) and float(v) > 0]
    top = min(max([*logs, 0.1]), math.log(10)) * 1.05
    parts, y, tallest = [], 0.0, 0.0
    for i, (task, rows) in enumerate(frame.groupby("task", sort=False)):
        panel, high = _panel(places[str(task)], str(task), rows, top, say)
        if i and i % 2 == 0:
            y, tallest = y + tallest + 16, 0.0
        parts.append(g(panel, "", (WIDE + 40) * (i % 2), y))
        tallest = max(tallest, high)
    return drawing(2 * WIDE + 40, y + tallest, say("Probabilities over events, by task and segment"), *parts)


def _panel(place: int, task: str, rows: pd.DataFrame, top: float, say: Say) -> tuple[list[Tree], float]:
    """One task's rows, and how high they are."""

    def at(value: float) -> float:
        scaled = math.log(value) / top if value > 0 else -1.0
        return LABEL + TRACK * (1 + max(-1.0, min(1.0, scaled))) / 2

    high = 24 + ROW * len(rows)
    parts: list[Tree] = [symbol(place, 5, 8), text(18, 12.5, fit(task, WIDE - 24, 13), "t1", bold=True),
                         line(at(1), 20, at(1), high, "hair")]
    for i, item in enumerate(rows.to_dict("records")):
        y, before, after = 24 + ROW * i, item["before"], item["after"]
        parts.append(text(0, y + 13, fit(str(item["label"]), LABEL - 8), "t1 small", bold=not i))
        if missing(before) or missing(after):
            continue
        said = say("{task}, {segment}: {before} before, {after} after").format(
            task=task, segment=item["label"], before=fixed(before, 2), after=fixed(after, 2))
        low, end = sorted((at(float(before)), at(float(after))))
        parts += [] if missing(item["planted"]) else [truth(at(float(item["planted"])) - 3.5, y + 5.5, 7, 7)]
        parts.append(hint(said, box(low, y + 7.5, end - low, 3, "track", 1.5),
                          circle(at(float(before)), y + 9, 4, f"task-{place % 8} mark open"),
                          circle(at(float(after)), y + 9, 4, f"task-{place % 8} mark")))
        parts.append(text(WIDE, y + 13, f"{fixed(before, 2)} → {fixed(after, 2)}", "t1 small num", "end"))
    return parts, high


def delays(frame: pd.DataFrame, say: Say = str) -> Tree:
    """The share of each goal that had come when the training rows were read: columns `what`, `value` (0 to 1)."""
    parts: list[Tree] = []
    for i, item in enumerate(frame.to_dict("records")):
        y, value, name = 28 * i + 4, float(item["value"]), str(item["what"])
        parts += [hint(f"{name}: {percent(value, 1)}", text(0, y + 13, fit(name, 180, 13), "t1"),
                       *bar(190, y, 170, 16, value, "family-6 bar")),
                  box(188, y - 2, 170 * value + 4, 20, "truth", 5), text(370, y + 13, percent(value), "t1 small num")]
    return drawing(420, 28 * max(len(frame), 1) + 2, say("Conversions that come late"), *parts)
