"""Bars with their numbers beside them: base rates, shares, and the one statistic that stands under a picture."""
from __future__ import annotations

import math

import pandas as pd

from rankzoo.figures.marks import Places, bar, box, ceiling, drawing, hint, line, symbol, text
from rankzoo.figures.tree import Tree, circle
from rankzoo.figures.words import Say, bounds, decimal, fit, fixed, measure, missing, percent, whole


def rates(frame: pd.DataFrame, places: Places, say: Say = str) -> Tree:
    """How often each goal happens, a whole bar being always: columns `task`, `rate` (0 to 1), optionally `count`, `rows` and a
    `note`."""
    parts: list[Tree] = []
    for i, item in enumerate(frame.to_dict("records")):
        y, task, rate = 26 * i, str(item["task"]), float(item["rate"])
        parts += [symbol(places[task], 5, y + 10), text(18, y + 14.5, fit(task, 118, 13), "t1", bold=True),
                  hint(f"{task}: {percent(rate, 3)}", *bar(140, y + 2, 370, 16, rate, f"task-{places[task] % 8} mark")),
                  text(520, y + 15, percent(rate, 1), "t1 num", bold=True),
                  text(582, y + 15, _counted(item, say), "t2 small num")]
    return drawing(860, 26 * max(len(frame), 1), say("How often each goal happens"), *parts)


def _counted(item: dict, say: Say) -> str:
    """«9,960 of 120,000», or the note that the frame brings."""
    note, count, rows = item.get("note"), item.get("count"), item.get("rows")
    counted = "" if missing(count) else whole(count) if missing(rows) else say("{count} of {rows}").format(
        count=whole(count), rows=whole(rows))
    return " · ".join(part for part in (counted, "" if missing(note) else str(note)) if part)


def weights(frame: pd.DataFrame, title: str = "Weight by category", family: int = 2, say: Say = str) -> Tree:
    """Named amounts on one scale: columns `label`, `value`; a negative one is drawn by its size, its number has the sign."""
    top = ceiling([float(v) for v in frame["value"]], 1.0)
    parts: list[Tree] = [text(0, 14, say(title), "large bold")]
    for i, item in enumerate(frame.to_dict("records")):
        y, value = 28 + 23 * i, float(item["value"])
        share = math.nan if missing(value) else abs(value) / top
        parts += [text(0, y + 11.5, fit(str(item["label"]), 68, 13), "t1"),
                  hint(f"{item['label']}: {fixed(value, 4)}", *bar(72, y, 190, 14, share, f"family-{family} bar")),
                  text(270, y + 11.5, fixed(value, 2), "t1 small num")]
    return drawing(310, 28 + 23 * max(len(frame), 1), say(title), *parts)


def dots(frame: pd.DataFrame, title: str = "AUC on test rows", note: str = "dot: mean of the seeds · line: range",
         places: int = 3, zero: bool = False, say: Say = str) -> Tree:
    """A metric of several models as dots, never as bars from zero; with `zero` differences, whose 0 is drawn.

    Columns: `label`, `family` (1 to 7, gives the colour), `mean`, and the range over seeds, `low` and `high`.
    """
    values = [float(v) for c in ("low", "mean", "high") for v in frame[c] if not missing(v)] + [0.0] * zero
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    unit = 10.0 ** math.floor(math.log10(max(high - low, 1e-3)))
    ticks = [unit * k for k in range(math.floor(low / unit), math.ceil(high / unit) + 1)]
    decimals = max(0, -math.floor(math.log10(unit)))
    left, right = ticks[0], ticks[-1] if len(ticks) > 1 else ticks[0] + unit

    def at(value: float) -> float:
        return 150 + 390 * (value - left) / (right - left)

    end = 30 + 29 * len(frame)
    parts = [text(0, 14, say(title), "large bold"), text(612, 14, say(note), "t2 small", "end")]
    for tick in ticks[::max(1, len(ticks) // 6)]:
        parts += [line(at(tick), 30, at(tick), end),
                  text(at(tick), end + 16, fixed(tick, decimals), "t2 small num", "middle")]
    parts += [line(at(0.0), 30, at(0.0), end, "hair", dashed=True)] if zero else []
    for i, item in enumerate(frame.to_dict("records")):
        y = 46 + 29 * i
        parts.append(text(0, y + 4, fit(str(item["label"]), 140, 13), "t1"))
        if not missing(item["mean"]):
            span = (item["mean"] if missing(item[c]) else item[c] for c in ("low", "high"))
            first, last = map(at, span)
            parts.append(hint(f"{item['label']}: {fixed(item['mean'], 4)}",
                              box(first, y - 1.5, last - first, 3, f"family-{item['family']} mark", 1.5),
                              circle(at(item["mean"]), y, 5.5, f"family-{item['family']} mark")))
            last = max(last, at(item["mean"]) + 6)
            parts.append(text(last + 8, y + 4, fixed(item["mean"], places), "t1 small num"))
    return drawing(620, end + 20, say(title), *parts)


def grouped(frame: pd.DataFrame, title: str, say: Say = str) -> Tree:
    """A share of several models, group by group: columns `group`, `label` (the model), `mean`, and `low` and `high` where its
    interval is known. A model keeps its colour and symbol; a missing share leaves its track empty."""
    groups, labels = (list(dict.fromkeys(frame[column].astype(str))) for column in ("group", "label"))
    top = ceiling([float(v) for c in ("mean", "high") for v in frame[c] if not missing(v)], 1.0)
    parts: list[Tree] = [text(0, 14, say(title), "large bold")]
    for item in frame.to_dict("records"):
        group, mine = groups.index(str(item["group"])), labels.index(str(item["label"]))
        y, mean = 30 + (22 * len(labels) + 14) * group + 22 * mine, item["mean"]
        name = f"{say(str(item['group']))}, {item['label']}"
        parts += [text(0, y + 12, say(str(item["group"])), "t1", bold=True)] if not mine else []
        parts += [symbol(mine, 112, y + 8), text(124, y + 12, fit(str(item["label"]), 92, 12), "t2 small"),
                  hint(f"{name}: {percent(None if missing(mean) else float(mean), 2)}",
                       *bar(222, y, 290, 15, math.nan if missing(mean) else float(mean) / top, f"task-{mine % 8} bar"))]
        if not missing(item["low"]) and not missing(item["high"]):
            low, high = (222 + 290 * min(max(float(item[c]) / top, 0.0), 1.0) for c in ("low", "high"))
            parts.append(line(low, y + 7.5, high, y + 7.5, "sign"))
        parts.append(text(520, y + 12, percent(None if missing(mean) else float(mean), 1), "t1 small num"))
    return drawing(620, 30 + (22 * len(labels) + 14) * max(len(groups), 1), say(title), *parts)


def statistic(value: float, chance: float | None, ci95: tuple[float, float] | None, bar: float | None = None,
              words: str = "{value} of the weight lies on relevant items", say: Say = str, over: str = "rows") -> Tree:
    """One number in a sentence, and where it stands between chance and what is demanded.

    `words` holds the place of the number as {value}; a statistic's plain name is followed by it. The mark is the value,
    the thick line its 95 % interval over what of one training is in `over`, the dashed line what chance gives, the solid line
    the demand `bar`. None or not-a-number leaves a part out.
    """
    sentence = say(words)
    sentence = sentence if "{value}" in sentence else sentence[:1].upper() + sentence[1:] + ": {value}"
    said = sentence.replace("{value}", decimal(value))
    said += "" if missing(chance) else say(", chance {value}").format(value=decimal(chance))
    between = _interval(chance, ci95, over, say)
    known = [v for v in (value, chance, bar, *(ci95 or ())) if not missing(v)]
    low, high = min([0.0, *known]), max([0.0, *known])
    end, reach = 560.0, (high - low) * 1.1 or 1.0

    def at(v: float) -> float:
        return 4 + end * (v - low) / reach

    parts = [text(0, 14, said), box(4, 28, end, 4, "track", 2)]
    if ci95 and not any(map(missing, ci95)):
        parts.append(box(at(ci95[0]), 27, at(ci95[1]) - at(ci95[0]), 6, "family-2 bar", 3))
    marks = [(v, name, dashed) for v, name, dashed in ((chance, say("chance"), True), (bar, say("demanded"), False))
             if not missing(v)]
    free = -1e9
    for v, name, dashed in sorted(marks):
        words_x = max(at(v), free)
        parts += [line(at(v), 22, at(v), 38, "hair", dashed=dashed), text(words_x, 51, f"{name} {decimal(v)}", "t2 small")]
        free = words_x + measure(f"{name} {decimal(v)}") + 10
    if not missing(value):
        parts.append(circle(at(value), 30, 5, "family-2 mark"))
    parts += [text(0, 70, between, "t2 small")] if between else []
    whole = f"{said}. {between}" if between else said
    return drawing(640, 76 if between else 56, whole, hint(whole, *parts))


def _interval(chance: float | None, ci95: tuple[float, float] | None, over: str, say: Say) -> str:
    """What the thick line is, in words; empty where it has no length."""
    if not ci95 or any(map(missing, ci95)) or decimal(ci95[0]) == decimal(ci95[1]):
        return ""
    low, high = bounds(ci95, chance)
    return say("95 % interval {low} to {high}, over {what} of one training: another may differ by more").format(
        low=low, high=high, what=say(over))
