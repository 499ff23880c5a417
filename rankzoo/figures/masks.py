"""Masks as pictures: what two tasks have in common of one network (sparse sharing; Sun et al., AAAI 2020).

A pair frame has one row per pair of tasks: `a`, `b`, `overlap` (of the masks, 0 to 1), `conflict` (share of the common weights
that they pull in opposite directions), `cosine` of their gradients there, and `related`, what was planted (missing: nothing).
"""
from __future__ import annotations

import math

import pandas as pd

from rankzoo.figures.marks import Places, bar, box, drawing, hint, line, symbol, text
from rankzoo.figures.square import square
from rankzoo.figures.tree import Tree, g, path
from rankzoo.figures.words import Say, fit, hundredths, measure, percent, whole

RELATED = 0.5
OWNERS = ("none", "a", "b", "both", "conflict")
WORTHS, WORTHS_LEFT, DECADES = 260.0, 44.0, 4


def pairs(frame: pd.DataFrame, places: Places, say: Say = str) -> Tree:
    """Four matrices of tasks: overlap, conflicts, cosine, and how related the tasks were made; related pairs are outlined."""
    tasks = list(dict.fromkeys([*frame["a"].astype(str), *frame["b"].astype(str)]))
    names = [frozenset((str(a), str(b))) for a, b in zip(frame["a"], frame["b"], strict=True)]
    outlined = {pair for pair, value in zip(names, frame["related"], strict=True) if value >= RELATED}
    shown = [("overlap", say("How much of their weights two tasks share"), say("1 = the same weights, 0 = none"), 1.0, False),
             ("conflict", say("How often they pull a shared weight apart"), say("0.5 = as a coin falls, 0 = never"), 1.0, False),
             ("cosine", say("How alike they pull, as a cosine"), say("1 = the same way, −1 = the opposite way"), 1.0, True)]
    if frame["related"].notna().any():
        shown.append(("related", say("How related they were made"), say("1 = same hidden cause, 0 = unrelated"), 1.0, True))
    high, parts = 84 + 38 * max(len(tasks), 1), []
    for i, (column, title, note, top, signed) in enumerate(shown):
        values = dict(zip(names, frame[column].astype(float), strict=True))
        parts.append(g(square(tasks, places, values, outlined, 0, title, note, top, signed), "", 400 * (i % 2), high * (i // 2)))
    return drawing(790, high * -(-len(shown) // 2) - 18, say("What the masks of two tasks have in common"), *parts)


def owners(frame: pd.DataFrame, places: Places, a: str, b: str, say: Say = str) -> Tree:
    """Every weight of every layer as a cell, a row per unit: whose it is of two tasks, crossed where they pull it apart.

    frame: `layer`, `unit`, `input`, `owner` (none, a, b, both, conflict).
    """
    kinds = {"none": "track", "a": f"task-{places[a] % 8} bar", "b": f"task-{places[b] % 8} bar",
             "both": "family-5 mark", "conflict": "family-5 mark"}
    parts, left, high = _legend(frame, kinds, a, b, say), 0.0, 0.0
    for layer, part in frame.groupby("layer", sort=False):
        inputs, units = int(part["input"].max()) + 1, int(part["unit"].max()) + 1
        each = min(9.0, 380 / inputs, 320 / units)
        cells = [path(_cells(part[part["owner"] == owner], each), kind) for owner, kind in kinds.items()
                 if (part["owner"] == owner).any()]
        cells.append(path(_strokes(part[part["owner"] == "conflict"], each), "sign", {"stroke-width": 0.9}))
        title = say("layer {n}: {units} units × {inputs} inputs").format(n=layer, units=units, inputs=inputs)
        parts.append(hint(title, g([text(0, -8, title, "t2 small"), *cells], "", left, 66)))
        left, high = left + max(each * inputs, 190) + 32, max(high, each * units)
    return drawing(max(left - 32, 620), 66 + high, say("Whose weight is whose, of {a} and {b}").format(a=a, b=b), *parts)


def _legend(frame: pd.DataFrame, kinds: dict[str, str], a: str, b: str, say: Say) -> list[Tree]:
    words = {"none": say("neither"), "a": a, "b": b, "both": say("both"), "conflict": say("both, pulled apart")}
    counted, parts, x = frame["owner"].value_counts(), [], 0.0
    for owner in OWNERS:
        parts.append(box(x, 2, 14, 14, kinds[owner], 2))
        if owner == "conflict":
            parts.append(path(f"M{x + 2} 14L{x + 12} 4", "sign"))
        parts += [text(x + 20, 14, words[owner], "t1 small"),
                  text(x + 20, 30, whole(int(counted.get(owner, 0))), "t2 small num")]
        x += max(124.0, measure(words[owner]) + 34)
    return parts


def _cells(part: pd.DataFrame, each: float) -> str:
    side = f"{each - min(1.0, each / 5):.2f}"
    return "".join(f"M{x * each:.1f} {y * each:.1f}h{side}v{side}h-{side}z"
                   for x, y in zip(part["input"], part["unit"], strict=True))


def _strokes(part: pd.DataFrame, each: float) -> str:
    return "".join(f"M{x * each:.1f} {(y + 0.85) * each:.1f}l{0.85 * each:.1f} -{0.85 * each:.1f}"
                   for x, y in zip(part["input"], part["unit"], strict=True))


def worths(frame: pd.DataFrame, places: Places, a: str, b: str, say: Say = str) -> Tree:
    """Every weight of both tasks by how much each depends on it, logarithms both ways: above the diagonal `b` does more. frame:
    `owner`, `worth_a`, `worth_b`; weights on which one does not depend at all are left out, what is below four decades lies on
    the edge."""
    known = frame[frame["owner"].isin(("both", "conflict")) & (frame["worth_a"] > 0) & (frame["worth_b"] > 0)]
    logs = {owner: [(math.log10(x), math.log10(y)) for x, y in zip(part["worth_a"], part["worth_b"], strict=True)]
            for owner, part in known.groupby("owner")}
    every = [value for points in logs.values() for point in points for value in point] or [0.0]
    high = math.ceil(max(every))
    low = min(max(math.floor(min(every)), high - DECADES), high - 1)

    def at(value: float) -> float:
        return WORTHS * (max(value, low) - low) / (high - low)

    parts = [box(WORTHS_LEFT, 0, WORTHS, WORTHS, "track", 3), line(WORTHS_LEFT, WORTHS, WORTHS_LEFT + WORTHS, 0, "hair", True)]
    for tick in range(low, high + 1, max(1, (high - low) // 4)):
        parts += [text(WORTHS_LEFT + at(tick), WORTHS + 16, say("10^{n}").format(n=tick), "t2 small num", "middle"),
                  text(WORTHS_LEFT - 6, WORTHS - at(tick) + 4, say("10^{n}").format(n=tick), "t2 small num", "end")]
    for owner, kind in (("both", f"task-{places[a] % 8} mark"), ("conflict", "family-5 mark")):
        dots = "".join(f"M{WORTHS_LEFT + at(x) - 1:.1f} {WORTHS - at(y) - 1:.1f}h2v2h-2z" for x, y in logs.get(owner, ()))
        parts += [path(dots, kind)] if dots else []
    for i, (owner, words, kind) in enumerate((("both", say("pulled alike"), f"task-{places[a] % 8} mark"),
                                              ("conflict", say("pulled apart"), "family-5 mark"))):
        y = 14 + 44 * i
        parts += [box(WORTHS_LEFT + WORTHS + 20, y - 10, 12, 12, kind, 2),
                  text(WORTHS_LEFT + WORTHS + 38, y, words, "t1 small"),
                  text(WORTHS_LEFT + WORTHS + 38, y + 16, whole(len(logs.get(owner, ()))), "t2 small num")]
    parts += [text(WORTHS_LEFT + WORTHS, WORTHS + 34, say("{task} depends on it").format(task=a), "t2 small", "end"),
              text(WORTHS_LEFT + 6, 14, say("{task} depends on it").format(task=b), "t2 small")]
    return drawing(WORTHS_LEFT + WORTHS + 160, WORTHS + 40, say("Who depends more on each shared weight"), *parts)


def kept(frame: pd.DataFrame, places: Places, say: Say = str) -> Tree:
    """What each task keeps of each layer: columns `layer`, `task`, `kept` (share)."""
    parts, y = [text(0, 14, say("How much of the network each task keeps"), "large bold")], 24.0
    for layer, part in frame.groupby("layer", sort=False):
        parts.append(text(0, y + 16, say("all layers") if layer == "all" else say("layer {n}").format(n=layer), "t2 small"))
        for task, share in zip(part["task"].astype(str), part["kept"], strict=True):
            y += 22
            i = places[task]
            parts += [symbol(i, 5, y + 8), text(16, y + 12, fit(task, 76, 13), "t1"),
                      hint(f"{task}: {percent(float(share), 1)}", *bar(96, y, 180, 15, float(share), f"task-{i % 8} bar")),
                      text(284, y + 12, hundredths(float(share)) + " %", "t1 small num")]
        y += 28
    return drawing(336, y, say("How much of the network each task keeps"), *parts)
