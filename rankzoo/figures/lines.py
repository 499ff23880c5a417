"""Lines: a few series over a number, each with its symbol, and a list of them beside the axes."""
from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from rankzoo.figures.marks import drawing, hint, line, symbol, text
from rankzoo.figures.tree import Tree, path
from rankzoo.figures.words import Say, fit, missing, number

WIDE, HIGH, LEFT, TOP, LIST = 330.0, 190.0, 62.0, 30.0, 420.0
TICKS = 4
LETTER, GAP = 6.5, 4.0
"""Of a small number: how wide a sign is, and what must stay free between two."""


def lines(frame: pd.DataFrame, title: str, x: str, y: str, say: Say = str, logarithmic: bool = False,
          written: Callable[[float], str] = number) -> Tree:
    """Columns `label`, `x`, `y`, and where intervals are known `low` and `high`; what the axes are is said in `x` and `y`, and
    how a height is `written`. Logarithmic: both axes. Axes are as long as the means ask for; intervals end at the frame."""
    labels, top = list(dict.fromkeys(frame["label"].astype(str))), TOP + 14
    across = _scale(frame["x"], LEFT, LEFT + WIDE, logarithmic, 0.0)
    down = _scale(frame["y"], top + HIGH, top, logarithmic, 0.08)
    parts = [text(0, 14, say(title), "large bold"), line(LEFT, top + HIGH, LEFT + WIDE, top + HIGH),
             line(LEFT, top, LEFT, top + HIGH), text(LEFT, top - 10, say(y), "t2 small"),
             text(LEFT + WIDE, top + HIGH + 34, say(x), "t2 small", "end")]
    parts += [text(at, top + HIGH + 17, said, "t2 small num", "middle") for at, said in _apart(frame["x"], across)]
    parts += [text(LEFT - 6, down(v) + 4, written(v), "t2 small num", "end") for v in _ticks(frame["y"], logarithmic)]
    for i, name in enumerate(labels):
        own = frame[frame["label"] == name].dropna(subset=["y"])
        points = [(across(float(a)), down(float(b))) for a, b in zip(own["x"], own["y"], strict=True)]
        parts += [symbol(i, LIST + 5, top + 8 + 38 * i), text(LIST + 18, top + 12 + 38 * i, fit(name, 190), "t1", bold=True)]
        if not points:
            continue
        parts += [text(LIST + 18, top + 28 + 38 * i, written(float(own["y"].iloc[-1])), "t2 small num"),
                  path("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points), f"wire task-{i % 8}")]
        for (a, b), item in zip(points, own.to_dict("records"), strict=True):
            known = not missing(item.get("low")) and not missing(item.get("high"))
            reach = [line(a, down(float(item["low"])), a, down(float(item["high"])))] if known else []
            told = f"{name}: {say(x)} {number(float(item['x']))}, {say(y)} {written(float(item['y']))}"
            parts.append(hint(told, *reach, symbol(i, a, b)))
    return drawing(620, max(top + HIGH + 40, top + 38 * len(labels)), say(title), *parts)


def _scale(values: pd.Series, start: float, end: float, logarithmic: bool, room: float) -> Callable[[float], float]:
    """Where a value stands between two ends, which it never leaves."""
    known = [float(v) for v in values if not missing(v)]
    least = min((v for v in known if v > 0), default=1.0)  # what has no logarithm stands at the axis' start
    told = (lambda v: math.log10(max(v, least))) if logarithmic else float
    known = [told(v) for v in known] or [0.0, 1.0]
    low, high = min(known), max(known)
    spread = (high - low) or abs(high) or 1.0
    low, high = low - room * spread, high + room * spread
    return lambda value: start + (end - start) * min(max((told(value) - low) / (high - low), 0.0), 1.0)


def _apart(values: pd.Series, across: Callable[[float], float]) -> list[tuple[float, str]]:
    """(where, what) of the values that are named along the axis: those that do not run into the one named before."""
    named: list[tuple[float, str]] = []
    for value in sorted({float(v) for v in values if not missing(v)}):
        at, said = across(value), number(value)
        if not named or at - named[-1][0] >= LETTER * (len(said) + len(named[-1][1])) / 2 + GAP:
            named.append((at, said))
    return named


def _ticks(values: pd.Series, logarithmic: bool) -> list[float]:
    """Round heights to be named: powers of ten, or steps of 1, 2 or 5."""
    known = [float(v) for v in values if not missing(v) and (v > 0 or not logarithmic)]
    if not known:
        return []
    low, high = min(known), max(known)
    if logarithmic:
        return [10.0 ** k for k in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)] or [low]
    rough = (high - low) / TICKS or abs(high) or 1.0
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough)
    return [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)] or [low]
