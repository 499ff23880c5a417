"""A list that was built video by video: what each adds to its reward, as predicted, and in outline as it really is."""
from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from rankzoo.figures.marks import bar, box, ceiling, drawing, hint, line, text
from rankzoo.figures.tree import Tree, circle, path
from rankzoo.figures.words import Say, fit, fixed, missing, percent

WIDTH, LEFT, TRACK = 520, 132, 190
ADDS, REALLY, REACHED = 336, 386, 440


def built(frame: pd.DataFrame, title: str, top: float | None = None, say: Say = str) -> Tree:
    """Columns `slot`, `category`, `worth`, `reached` (share of viewers, 0 to 1), `reward` (so far), optionally the last three
    as `true_worth` …. A bar is what the slot adds: worth × reached. `top` ends the scale, so that two lists share one."""
    planted = "true_reward" in frame
    adds = [float(w) * float(r) for w, r in zip(frame["worth"], frame["reached"], strict=True)]
    real = [float(w) * float(r) for w, r in zip(frame["true_worth"], frame["true_reached"], strict=True)] if planted else []
    top = ceiling([*adds, *real]) if top is None else top
    parts: list[Tree] = [text(0, 14, say(title), "t1", bold=True), text(ADDS, 14, say("adds"), "t2 small"),
                         text(REACHED, 14, say("reached by"), "t2 small")]
    parts += [text(REALLY, 14, say("really"), "t2 small")] if planted else []
    for i, item in enumerate(frame.to_dict("records")):
        y = 30 + 28 * i
        label = say("slot {slot}, {category}: worth {worth}, reached by {reached}").format(
            slot=int(item["slot"]), category=item["category"], worth=fixed(item["worth"], 3), reached=percent(item["reached"]))
        parts += [text(0, y + 13, str(int(item["slot"])), "t2 num"), text(18, y + 13, fit(str(item["category"]), 108, 13), "t1"),
                  hint(label, *bar(LEFT, y, TRACK, 16, math.nan if missing(adds[i]) else adds[i] / top, "family-4 bar"))]
        if planted and not missing(real[i]):
            parts.append(box(LEFT - 2, y - 2, TRACK * min(real[i] / top, 1.0) + 4, 20, "truth", 5))
        parts += [text(ADDS, y + 13, fixed(adds[i], 2), "t1 small num"),
                  text(REACHED, y + 13, percent(item["reached"]), "t2 small num")]
        parts += [text(REALLY, y + 13, fixed(real[i], 2), "t2 small num")] if planted else []
    end = 34 + 28 * len(frame)
    parts += [line(0, end, WIDTH - 40, end)]
    if len(frame):
        last = frame.iloc[-1]
        parts += [text(0, end + 18, say("the whole list"), "t1"),
                  text(ADDS, end + 18, fixed(last["reward"], 2), "t1 num", bold=True)]
        parts += [text(REALLY, end + 18, fixed(last["true_reward"], 2), "t2 num")] if planted else []
    return drawing(WIDTH, end + 24, say(title), *parts)


def lift(frame: pd.DataFrame, names: Mapping[str, str], say: Say = str) -> Tree:
    """What each slot brings above lists in any order: columns `search`, `slot`, `lift` (0.2 is a fifth more), `low`, `high`.
    `names` says what a search is called; the first one's line is drawn through, others are dashed."""
    ends = [float(v) for column in ("lift", "low", "high") for v in frame[column]]
    top, bottom = ceiling([max([*ends, 0.0])]), -ceiling([min(ends)]) if min(ends) < 0 else 0.0
    slots = sorted(frame["slot"].unique())

    def at(slot: int, value: float, search: int = 0) -> tuple[float, float]:
        return 60 + 340 * (slots.index(slot) + 0.5) / len(slots) + 8 * search, 26 + 170 * (top - value) / (top - bottom)

    parts: list[Tree] = [text(0, 14, say("Lift by slot, against lists in any order"), "t1", bold=True),
                         line(60, 26, 60, 196), line(60, at(slots[0], 0)[1], 400, at(slots[0], 0)[1], dashed=True)]
    parts += [text(54, at(slots[0], value)[1] + 4, percent(value), "t2 small num", "end") for value in {top, 0.0, bottom}]
    parts += [text(at(slot, 0)[0], 214, say("slot {n}").format(n=slot), "t2 small", "middle") for slot in slots]
    for i, (search, each) in enumerate(frame.groupby("search", sort=False)):
        rows = each.sort_values("slot").to_dict("records")
        points = [at(row["slot"], float(row["lift"]), i) for row in rows]
        parts.append(path("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points), f"wire family-4{' dashed' if i else ''}"))
        for row, (x, y) in zip(rows, points, strict=True):
            said = say("{search}, slot {n}: {lift}, 95 % over requests of one training {low} to {high}").format(
                search=say(names[search]), n=row["slot"], lift=percent(row["lift"], 1), low=percent(row["low"], 1),
                high=percent(row["high"], 1))
            parts.append(hint(said, line(x, at(row["slot"], row["low"])[1], x, at(row["slot"], row["high"])[1], "sign"),
                              circle(x, y, 4.5, f"family-4 {'open' if i else 'mark'}")))
        parts.append(text(points[-1][0] + 12, points[-1][1] + 4, say(names[search]), "t1 small"))
    parts.append(text(60, 234, say("line: 95 % over requests of one training"), "t2 small"))
    return drawing(WIDTH, 240, say("Lift by slot, against lists in any order"), *parts)
