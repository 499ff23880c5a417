"""Planted truth as small pictures for the Data page: what a model may find again, always in a dark outline."""
from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from rankzoo.figures.marks import Places, bar, box, ceiling, drawing, hint, line, text
from rankzoo.figures.plot import spread
from rankzoo.figures.square import square
from rankzoo.figures.tree import Tree, circle, path
from rankzoo.figures.words import Say, fit, fixed, missing, number

WIDTH = 420
RELATED = 0.5
At = Callable[[int, float], tuple[float, float]]


def pairs(frame: pd.DataFrame, say: Say = str) -> Tree:
    """The pairs of fields that really cross, and how strongly: columns `a`, `b`, `strength` (sd on the logit)."""
    top = ceiling([float(s) for s in frame["strength"]], 1.1)
    parts: list[Tree] = []
    for i, item in enumerate(frame.to_dict("records")):
        y, strength = 28 * i + 4, float(item["strength"])
        name = f"{item['a']} × {item['b']}"
        parts.append(hint(f"{name}: {number(strength)}", text(0, y + 13, fit(name, 160, 13), "t1"),
                          *bar(170, y, 190, 16, math.nan if missing(strength) else strength / top, "family-3 bar")))
        if not missing(strength) and strength > 0:
            parts.append(box(168, y - 2, 190 * strength / top + 4, 20, "truth", 5))
        parts.append(text(370, y + 13, fixed(strength, 2), "t1 small num"))
    return drawing(WIDTH, 28 * max(len(frame), 1) + 2, say("The planted pairs and their strength"), *parts)


def relatedness(frame: pd.DataFrame, places: Places, say: Say = str) -> Tree:
    """How related the tasks were made: columns `a`, `b`, `value` (cosine from −1 to 1); related pairs are outlined."""
    tasks = list(dict.fromkeys([*frame["a"].astype(str), *frame["b"].astype(str)]))
    values = {frozenset((str(a), str(b))): float(v) for a, b, v in zip(frame["a"], frame["b"], frame["value"], strict=True)}
    related = {pair for pair, value in values.items() if len(pair) == 2 and value >= RELATED}
    parts = square(tasks, places, values, related, 0, say("How related the tasks were made"),
                   say("cosine: 1 = same hidden cause, 0 = unrelated"), 1.0, True)
    return drawing(WIDTH, 64 + 38 * max(len(tasks), 1), say("Planted relatedness of the tasks"), *parts)


def kernel(frame: pd.DataFrame, say: Say = str) -> Tree:
    """What a past item is worth by rule: columns `factor` (topic, dwell, age), `level`, `value` (0 to 1)."""
    return _levels(frame, say("What a past item is worth by rule"), say)


def repeats(frame: pd.DataFrame, say: Say = str) -> Tree:
    """What a repeated category costs on the logit: columns `factor` (a task, as the data have it), `level`, `value`."""
    return _levels(frame, say("What repetition costs on the logit"), say)


def stalls(frame: pd.DataFrame, say: Say = str) -> Tree:
    """What a network costs a video with nothing loaded: columns `factor` (a task, as the data have it), `level`, `value`."""
    return _levels(frame, say("What the network costs on the logit"), say)


def lengths(frame: pd.DataFrame, say: Say = str) -> Tree:
    """What a video's duration costs: columns `factor` (a task, as the data have it), `level` (an interval), `value`."""
    return _levels(frame, say("What the duration costs on the logit"), say)


def _levels(frame: pd.DataFrame, title: str, say: Say) -> Tree:
    """A bar per level under its factor, outlined, for all of it is planted."""
    top = ceiling([float(v) for v in frame["value"]])
    parts: list[Tree] = []
    y, before = 0.0, None
    for item in frame.to_dict("records"):
        if item["factor"] != before:
            y, before = y + (12 if before is not None else 0) + 18, item["factor"]
            parts.append(text(0, y - 4, say(str(before)), "t1 small", bold=True))
        value = float(item["value"])
        parts.append(text(0, y + 15, fit(say(str(item["level"])), 120, 13), "t1"))
        parts += bar(130, y + 4, 190, 14, math.nan if missing(value) else value / top, "family-2 bar")
        if not missing(value) and value > 0:
            parts.append(box(128, y + 2, 190 * value / top + 4, 18, "truth", 5))
        parts.append(text(334, y + 15, number(value, 3), "t1 small num"))
        y += 26
    return drawing(WIDTH, y + 4, title, *parts)


def curve(frame: pd.DataFrame, say: Say = str) -> Tree:
    """The effect of the position on the logit, centred by the caller: columns `slot`, `planted`, `learned`, `naive`.

    Planted = dark outlined dots, learned = filled dots on a line, naive (the log-odds of the clicks counted by slot) =
    dashed line; a column that is absent or all missing is left out.
    """
    shown = [c for c in ("naive", "learned", "planted") if c in frame and frame[c].notna().any()]
    values = [float(v) for c in shown for v in frame[c].dropna()]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = (high - low) * 0.08 or 0.5
    low, high = low - room, high + room
    n = max(len(frame), 1)
    slots = [str(s) for s in frame["slot"]]

    def at(i: int, v: float) -> tuple[float, float]:
        return 44 + 290 * (i / max(n - 1, 1)), 8 + 150 * (high - v) / (high - low)

    parts = _frame(low, high, slots, at, say)
    for column in shown:
        parts += _drawn(column, [(at(i, float(v)), float(v)) for i, v in enumerate(frame[column]) if not missing(v)], say)
    return drawing(WIDTH, 204, say("What the position adds to the logit, by slot"), *parts, *_names(frame, shown, at, say))


def drift(frame: pd.DataFrame, say: Say = str) -> Tree:
    """What a few values add to the logit as time goes by: columns `name`, `block`, `value`; a line each, its ends outlined."""
    names, blocks = list(dict.fromkeys(frame["name"])), sorted(set(frame["block"]))
    values = [float(v) for v in frame["value"] if not missing(v)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = (high - low) * 0.08 or 0.5
    low, high = low - room, high + room

    def at(i: int, v: float) -> tuple[float, float]:
        return 44 + 276 * (i / max(len(blocks) - 1, 1)), 8 + 150 * (high - v) / (high - low)

    parts, ends = _frame(low, high, [str(block) for block in blocks], at, say, "block of time"), []
    for place, name in enumerate(names):
        mine = _of(frame, name)
        points = [at(blocks.index(block), v) for block, v in sorted(mine.items())]
        if points:
            parts.append(path("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points), f"wire task-{place % 6}"))
            first, last = min(mine), max(mine)
            for block in dict.fromkeys((first, last)):
                x, y = at(blocks.index(block), mine[block])
                parts.append(hint(f"{name}, {block}: {fixed(mine[block], 2)}", box(x - 5, y - 5, 10, 10, "truth", 4)))
            ends.append((name, points[-1][1]))
    heights = spread([y for _, y in ends], 16)
    parts += [text(332, y + 4, fit(name, WIDTH - 334), "t1 small") for (name, _), y in zip(ends, heights, strict=True)]
    return drawing(WIDTH, 204, say("What moves in time, by block"), *parts)


def _of(frame: pd.DataFrame, name: str) -> dict[int, float]:
    mine = frame[frame["name"] == name]
    return {int(block): float(v) for block, v in zip(mine["block"], mine["value"], strict=True) if not missing(v)}


def _frame(low: float, high: float, slots: list[str], at: At, say: Say, under: str = "slot") -> list[Tree]:
    """The zero line, the ends of the scale, the slots and what they are."""
    parts = [text(36, at(0, v)[1] + 4, fixed(v, 1), "t2 small num", "end")
             for v in (math.ceil(10 * low) / 10, math.floor(10 * high) / 10)]
    if low < 0 < high:
        parts += [line(44, at(0, 0)[1], 334, at(0, 0)[1]), text(36, at(0, 0)[1] + 4, "0", "t2 small num", "end")]
    every = max(1, math.ceil(len(slots) * 16 / 290))
    parts += [text(at(i, 0)[0], 176, s, "t2 small num", "middle") for i, s in enumerate(slots) if i % every == 0]
    return [*parts, text(44, 196, say(under), "t2 small")]


def _drawn(column: str, points: list[tuple[tuple[float, float], float]], say: Say) -> list[Tree]:
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for (x, y), _ in points)
    if column == "naive":
        return [path(d, "wire", {"stroke-dasharray": "4 3"})]
    if column == "learned":
        dots = [hint(f"{say('learned')}: {fixed(v, 3)}", circle(x, y, 4, "family-6 mark")) for (x, y), v in points]
        return [path(d, "wire family-6"), *dots]
    return [hint(f"{say('planted')}: {fixed(v, 3)}", box(x - 7, y - 7, 14, 14, "truth", 5)) for (x, y), v in points]


def _names(frame: pd.DataFrame, shown: list[str], at: At, say: Say) -> list[Tree]:
    """Names at the right ends, pushed apart."""
    ends = [(c, len(frame) - 1, float(frame[c].dropna().iloc[-1])) for c in shown]
    heights = spread([at(i, v)[1] for _, i, v in ends], 16)
    return [text(348, y + 4, fit(say(c), WIDTH - 350), "t1 small") for (c, _, _), y in zip(ends, heights, strict=True)]
