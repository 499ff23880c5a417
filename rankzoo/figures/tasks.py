"""Tasks as pictures: how alike they pull at their common input, observed over expected, and passive against active value.

A pair frame has one row per pair of tasks: `a`, `b`, `cosine` (of the gradients), `related` (planted; missing: nothing).
"""
from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from rankzoo.figures.marks import Places, box, ceiling, drawing, hint, line, symbol, text
from rankzoo.figures.square import square
from rankzoo.figures.tree import Tree, circle, g, path, width_of
from rankzoo.figures.words import Say, fit, fixed, missing, number

RELATED = 0.5
WIDE, LABEL = 360, 110


def pairs(frame: pd.DataFrame, places: Places, say: Say = str) -> Tree:
    """Two matrices of tasks: the cosine, and how related the tasks were made where that is known; related pairs are outlined."""
    tasks = list(dict.fromkeys([*frame["a"].astype(str), *frame["b"].astype(str)]))
    names = [frozenset((str(a), str(b))) for a, b in zip(frame["a"], frame["b"], strict=True)]
    outlined = {pair for pair, value in zip(names, frame["related"], strict=True) if value >= RELATED}
    shown = [("cosine", say("How alike two tasks pull at their input"), say("1 = the same way, −1 = the opposite way"))]
    if frame["related"].notna().any():
        shown.append(("related", say("How related they were made"), say("1 = same hidden cause, 0 = unrelated")))
    parts = []
    for i, (column, title, note) in enumerate(shown):
        values = dict(zip(names, frame[column].astype(float), strict=True))
        parts.append(g(square(tasks, places, values, outlined, 0, title, note, 1.0, True), "", 400 * i, 0))
    return drawing(400 * len(shown) - 10, 66 + 38 * max(len(tasks), 1), say("How alike two tasks pull at their input"), *parts)


def calibration(frame: pd.DataFrame, places: Places, say: Say = str) -> Tree:
    """Observed over expected by task around a line at 1: columns `task`, `observed`, `expected`, `ratio`, `low`, `high` (where
    chance alone leaves it)."""
    values = [abs(math.log(float(v))) for c in ("ratio", "low", "high") for v in frame[c] if not missing(v) and float(v) > 0]
    top = min(max([*values, 0.1]), math.log(10))
    length = WIDE - LABEL - 56

    def at(value: float) -> float:
        scaled = math.log(value) / top if value > 0 else -1.0
        return LABEL + length * (1 + max(-1.0, min(1.0, scaled))) / 2

    high = 34 + 30 * len(frame)
    parts: list[Tree] = [text(0, 14, say("Observed over expected"), "large bold"), line(at(1), 26, at(1), high)]
    for i, item in enumerate(frame.to_dict("records")):
        y, ratio, place = 34 + 30 * i, float(item["ratio"]), places[item["task"]]
        parts += [symbol(place, 5, y + 10), text(18, y + 14, fit(str(item["task"]), LABEL - 24, 13), "t1")]
        if missing(ratio):
            continue
        said = say("{task}: {observed} observed, {expected} expected; by chance {low} to {high}").format(
            task=item["task"], observed=number(float(item["observed"])), expected=number(round(float(item["expected"]), 1)),
            low=fixed(float(item["low"]), 2), high=fixed(float(item["high"]), 2))
        low, end = at(float(item["low"])), at(float(item["high"]))
        parts.append(hint(said, box(low, y + 6, max(end - low, 1), 8, "track", 4), circle(at(ratio), y + 10, 6, "family-6 mark")))
        parts.append(text(WIDE - 44, y + 14, fixed(ratio, 2), "t1 small num"))
    return drawing(WIDE, high + 4, say("Observed over expected by task, with what chance leaves around 1"), *parts)


def trade(frame: pd.DataFrame, say: Say = str) -> Tree:
    """Passive against active value of the rows that rank highest, a dot per α: columns `alpha`, `served` (ringed and named),
    `passive`, `active`; what was planted (`true_passive`, `true_active`) is outlined."""
    known = "true_passive" in frame and frame["true_passive"].notna().all()
    columns = ["passive", "true_passive"] if known else ["passive"], ["active", "true_active"] if known else ["active"]
    right, up = (ceiling([float(v) for c in names for v in frame[c]], 1.02) for names in columns)
    across, down = 520, 220

    def at(x: float, y: float) -> tuple[float, float]:
        return 44 + across * x / right, 34 + down * (1 - y / up)

    points = [at(float(x), float(y)) for x, y in zip(frame["passive"], frame["active"], strict=True)]
    floor = 34 + down
    parts: list[Tree] = [text(0, 14, say("What more active responses cost"), "large bold"), line(44, floor, 44 + across, floor),
                         line(44, 34, 44, floor), text(44 + across / 2, floor + 18, say("passive value"), "t2 small", "middle"),
                         text(52, 44, say("active value"), "t2 small"), text(44, floor + 18, "0", "t2 small num", "middle"),
                         text(38, 39, fixed(up, 2), "t2 small num", "end"),
                         text(44 + across, floor + 18, fixed(right, 2), "t2 small num", "middle"),
                         path("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points), "wire family-6")]
    if known:
        legend = say("what was planted")
        parts += [box(across - width_of(legend) + 24, 4, 12, 12, "truth", 5), text(44 + across, 14, legend, "t2 small", "end")]
    for item, (x, y) in zip(frame.to_dict("records"), points, strict=True):
        said = f"α {number(float(item['alpha']), 3)}: {fixed(float(item['passive']), 3)}, {fixed(float(item['active']), 3)}"
        parts.append(hint(said, circle(x, y, 5, "family-6 mark")))
        if known:
            tx, ty = at(float(item["true_passive"]), float(item["true_active"]))
            parts.append(hint(f"{say('planted')}, {said[:said.index(':')]}", box(tx - 6, ty - 6, 12, 12, "truth", 5)))
    return drawing(94 + across, floor + 24, say("Passive against active value as α grows"), *parts, *_alphas(frame, points, say))


def _alphas(frame: pd.DataFrame, points: Sequence[tuple[float, float]], say: Say) -> list[Tree]:
    """The ring around what is served, and the values of α beside their dots: it first, then the ends, then whatever has room."""
    served = [bool(value) for value in frame["served"]]
    order = sorted(range(len(points)), key=lambda i: (not served[i], 0 < i < len(points) - 1, i))
    parts: list[Tree] = [circle(*points[i], 9, "ring") for i in order if served[i]]
    taken: list[tuple[float, float]] = []
    for i in order:
        x, y = points[i]
        if any(abs(x - other) < 60 and abs(y - height) < 16 for other, height in taken):
            continue
        taken.append((x, y))
        said = say("α {alpha}, as served") if served[i] else "α {alpha}"
        said = said.format(alpha=number(float(frame["alpha"].iloc[i]), 3))
        parts.append(text(x - 14, y + 5, said, "t1 small bold", "end") if served[i] else text(x + 11, y - 6, said, "t2 small"))
    return parts
