"""Crosses as pictures: how strongly each pair of fields is crossed (FM, DCN, CIN), beside the pairs that were planted.

A cross frame has one row per pair: `a`, `b`, `value` (strength from 0 up; the scale ends at 1, or above where a value is
larger) and, where a truth exists, `planted` (bool, or a strength: positive means planted). The order of a and b is free.
"""
from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from rankzoo.figures.marks import bar, box, ceiling, cell, drawing, hint, key, press, ring, text, true, truth
from rankzoo.figures.tree import Tree, path
from rankzoo.figures.words import Say, fit, fixed, missing, number

LABEL, WIDE, HIGH, GAP = 88, 51, 43, 3
FULL = 1076


def triangle(frame: pd.DataFrame, fields: Sequence[str] = (), selected: str = "", say: Say = str) -> Tree:
    """Lower triangle of all pairs with the field names on the diagonal; planted pairs are outlined.

    `fields` fixes the order (default: first appearance). A cell's id is `a|b` with the names in that order.
    """
    names, values, planted = _pairs(frame, fields)
    wide = min(WIDE, 600 / max(len(names), 1))
    high = min(HIGH, max(20, 480 / max(len(names), 1)))
    parts, outlines, top = [], [], _top(values.values())
    for i, name in enumerate(names):
        y = (high + GAP) * i
        parts.append(text(0, y + high / 2 + 5, fit(name, LABEL - 12, 13), "t1", bold=True))
        parts.append(text(LABEL + (wide + GAP) * i + 4, y + high / 2 + 4.5, name, "t2 small"))
        for j in range(i):
            x, pair = LABEL + (wide + GAP) * j, (names[j], name)
            name_, is_planted = "|".join(pair), frozenset(pair) in planted
            parts.append(_press(name_, pair, values.get(frozenset(pair), math.nan), is_planted, (x, y, wide, high),
                                top, name_ == selected, say))
            outlines += [truth(x, y, wide, high)] if is_planted else []
            outlines += [ring(x, y, wide, high)] if name_ == selected else []
    width = max(560.0, LABEL + (wide + GAP) * len(names) + 70)
    label = say("How strongly each of {count} pairs of fields is crossed").format(count=len(names) * (len(names) - 1) // 2)
    deep = max((high + GAP) * len(names), 64)
    return drawing(width, deep, label, *_legend(width, bool(planted), top, say), *parts, *outlines)


def _pairs(frame: pd.DataFrame, fields: Sequence[str]) -> tuple[list[str], dict[frozenset[str], float], set[frozenset[str]]]:
    names = list(fields) or list(dict.fromkeys(str(n) for pair in zip(frame["a"], frame["b"], strict=True) for n in pair))
    pairs = [frozenset((str(a), str(b))) for a, b in zip(frame["a"], frame["b"], strict=True)]
    planted = {p for p, t in zip(pairs, frame["planted"], strict=True) if _planted(t)} if "planted" in frame else set()
    return names, {p: float(v) for p, v in zip(pairs, frame["value"], strict=True)}, planted


def _top(values: Iterable[float]) -> float:
    """End of the scale: 1, so that figures can be compared, or a round number above where a value is larger."""
    return max(1.0, ceiling(list(values)))


def _planted(value: object) -> bool:
    return true(value) and float(value) > 0


def _legend(width: float, planted: bool, top: float, say: Say) -> list[Tree]:
    x = width - 150
    parts = [text(x + 39, 44, say("strength"), "t2 small", "middle"), *key(x, 50, "0", number(top))]
    if planted:
        parts += [box(x - 14, 4, 17, 17, "truth", 4), text(x + 10, 17, say("planted pair (the truth)"), "t1 small")]
    return parts


def _press(name: str, pair: tuple[str, str], value: float, planted: bool, place: tuple[float, float, float, float],
           top: float, chosen: bool, say: Say) -> Tree:
    said = fixed(value, 2) if place[2] >= 28 else ""
    label = f"{pair[0]} × {pair[1]}: {fixed(value, 4)}" + (say(", planted") if planted else "") + "."
    return press(name, label, chosen, *cell(*place, value, top, said))


def small(frames: Mapping[str, pd.DataFrame], notes: Mapping[str, str] | None = None, fields: Sequence[str] = (),
          say: Say = str) -> Tree:
    """Several ways to cross on the same data, as small triangles without numbers; `notes` stand beside their names."""
    wide, deep, parts = FULL / max(len(frames), 1), 0, []
    for n, (title, frame) in enumerate(frames.items()):
        names, values, planted = _pairs(frame, fields)
        left, each = wide * n, min(26.0, (wide - 40) / max(len(names) - 1, 1))
        deep, top = max(deep, len(names)), _top(values.values())
        parts += [text(left, 14, title, "t1 small", bold=True),
                  text(left + 62, 14, (notes or {}).get(title, ""), "t2 small")]
        cells, outlines = [], []
        for i in range(1, len(names)):
            for j in range(i):
                pair, x, y = frozenset((names[i], names[j])), left + each * j + 3, 26 + 14 * (i - 1)
                label = f"{names[j]} × {names[i]}: {fixed(values.get(pair, math.nan), 2)}"
                cells.append(hint(label, *cell(x, y, each - 1.5, 12.5, values.get(pair, math.nan), top)))
                outlines += [box(x - 2.5, y - 2.5, each + 3.5, 17.5, "truth", 3)] if pair in planted else []
        parts += cells + outlines
    label = say("The same data, crossed in {count} ways").format(count=len(frames))
    return drawing(FULL, 30 + 14 * max(deep - 1, 1), label, *parts)


def ranked(frame: pd.DataFrame, limit: int = 7, say: Say = str) -> Tree:
    """The strongest pairs first, each with a bar; ✓ in a truth outline where the pair was planted."""
    best = frame.sort_values("value", ascending=False, na_position="last", kind="stable").head(limit)
    parts: list[Tree] = [text(0, 14, say("Strongest pairs"), "large bold")]
    top = _top([float(v) for v in frame["value"]])
    for i, pair in enumerate(best.to_dict("records")):
        y, name, value = 28 + 28 * i, f"{pair['a']} × {pair['b']}", float(pair["value"])
        planted = _planted(pair.get("planted"))
        label = f"{name}: {fixed(value, 4)}" + (say(", planted") if planted else "")
        parts.append(hint(label, text(0, y + 13, fit(name, 142, 13), "t1"),
                          *bar(146, y, 154, 16, math.nan if missing(value) else value / top, "family-3 bar"),
                          text(308, y + 13, fixed(value, 2), "t1 small num")))
        if planted:
            parts += [box(339, y + 1, 15, 15, "truth", 4),
                      path(f"M342.5 {y + 8.5}l3 3.5l5 -7", "sign")]
    return drawing(360, 28 + 28 * max(len(best), 1), say("The strongest pairs of fields"), *parts)
