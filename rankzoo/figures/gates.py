"""Gates as pictures: how much of each expert every task takes (mixture of experts; Ma et al., KDD 2018).

A gate frame has one row per task and expert: `task`, `expert` (index from 0, or a name), `mean` (share from 0 to 1), `sd`.
An expert that a task cannot reach (PLE's other bands) has no row, or a missing mean, and is drawn as a dash. `apart` is what
stands for a gate that serves no task (PLE's shared one): drawn last, without a task's mark, and part of no sum.
"""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from rankzoo.figures.marks import Places, bar, ceiling, cell, drawing, hint, key, line, press, ring, symbol, text
from rankzoo.figures.square import pair, square
from rankzoo.figures.tree import Tree
from rankzoo.figures.words import Say, fit, fixed, halves, hundredths, measure, missing, place, portions, whole

ALARM = 0.1
"""Below this share of the largest entropy, ln n, a gate counts as collapsed: with 4 experts below 1.15 of them, with 8 1.23."""
IDLE = 0.3
WIDTH, LABEL, PITCH = 684, 100, 53
WIDEST = 146.0
"""A cell where there are few experts: four of them are as wide as the figure."""


def matrix(frame: pd.DataFrame, places: Places, selected: str = "", value: str = "mean", say: Say = str, apart: str = "") -> Tree:
    """Tasks × experts in whole per cent; below, what each expert gets over all tasks, with the idle ones named.

    `value` is `mean` or `sd` (how much the weight differs from row to row). A cell's id is `task|expert`, as shown.
    """
    table, experts, tasks = _table(frame, value)
    served = [task for task in tasks if task != apart]
    tasks = served + [task for task in tasks if task == apart]
    each = min(WIDEST, (WIDTH - LABEL) / max(len(experts), 1))
    top = _top(table)
    parts = _heads(experts, each, say)
    for i, task in enumerate(tasks):
        y = 24 + PITCH * i
        title = say("shared gate") if task == apart else task
        parts += [text(0, y + 30, fit(title, LABEL - 2, 13), "t2")] if task == apart else [
            symbol(places[task], 5, y + 25), *_named(title, 18, y + 30, LABEL - 20, bold=True)]
        shares = [table.get((task, name), math.nan) for name in experts]
        said = portions(shares) if value == "mean" else [hundredths(share) for share in shares]
        parts += [_press(f"{task}|{name}", title, name, shares[j], said[j], LABEL + each * j, y, each - 3, top, selected, say)
                  for j, name in enumerate(experts)]
    # last, so that no neighbour covers it
    parts += [ring(LABEL + each * j, 24 + PITCH * i, each - 3, 50) for i, task in enumerate(tasks)
              for j, name in enumerate(experts) if f"{task}|{name}" == selected]
    y = 24 + PITCH * len(tasks) + 8
    idle = _all_tasks(frame[frame["task"] != apart], experts, served, y, each, say) if value == "mean" and len(served) > 1 else []
    legend = y + (48 if idle else 0)
    right = LABEL + each * len(experts)
    parts += idle + key(max(right - 122, 20), legend, "0", hundredths(top) + " %")
    title = {"mean": say("Mean gate weight in per cent: one row per task, one column per expert")}.get(
        value, say("Spread of the gate weight over rows, in per cent"))
    return drawing(WIDTH, legend + 14, title, *parts)


def _named(task: str, x: float, y: float, room: float, bold: bool = False) -> list[Tree]:
    """A task's name in full about a line: in two of them where one is too narrow."""
    lines = halves(task, room, 13)
    return [text(x, y - 7 * (len(lines) - 1) + 14 * i, line, "t1", bold=bold) for i, line in enumerate(lines)]


def _table(frame: pd.DataFrame, value: str) -> tuple[dict[tuple[str, str], float], list[str], list[str]]:
    """Values by (task, expert), and the names in order of first appearance."""
    values = {(str(t), place(e)): float(v) for t, e, v in zip(frame["task"], frame["expert"], frame[value], strict=True)}
    return values, list(dict.fromkeys(e for _, e in values)), list(dict.fromkeys(t for t, _ in values))


def _top(table: Mapping[tuple[str, str], float]) -> float:
    """End of the ramp: the largest share, rounded up to the next 5 per cent."""
    largest = max([v for v in table.values() if not missing(v)], default=0.0)
    return max(0.05, math.ceil(20 * largest - 1e-9) / 20)


def _title(expert: str, say: Say) -> str:
    return say("Expert {name}").format(name=expert) if expert.isdigit() else expert


def _heads(experts: Sequence[str], each: float, say: Say) -> list[Tree]:
    """Column titles; where they would collide, only every n-th, and numbers without the word."""
    titles = [_title(e, say) for e in experts]
    if max(map(measure, titles), default=0) > each - 4:
        titles = [fit(e, max(each, 24)) for e in experts]
    every = max(1, math.ceil((max(map(measure, titles), default=0) + 4) / each)) if titles else 1
    return [text(LABEL + each * j + (each - 3) / 2, 14, title, "t2 small", "middle")
            for j, title in enumerate(titles) if j % every == 0]


def _press(name: str, task: str, expert: str, share: float, said: str, x: float, y: float, width: float, top: float,
           selected: str, say: Say) -> Tree:
    said = said if width >= 20 else ""
    label = say("{task}, {expert}: no connection.") if missing(share) else say("{task}, {expert}: {share} per cent.")
    label = label.format(task=task, expert=_title(expert, say), share=fixed(100 * share, 2))
    return press(name, label, name == selected, *cell(x, y, width, 50, share, top, said, font=""))


def _all_tasks(frame: pd.DataFrame, experts: Sequence[str], tasks: Sequence[str], y: float, each: float,
               say: Say) -> list[Tree]:
    shares, best = overall(frame), most(frame)
    parts = [text(0, y + 18, say("all tasks"), "t2 small")]
    for j, expert in enumerate(experts):
        x, share = LABEL + each * j, shares[expert]
        bars = bar(x, y, each - 3, 26, share, "family-5 bar")
        if each >= 30:
            bars.append(text(x + max((each - 3) * share + 6, 10), y + 18, hundredths(share), "t1 small num"))
        idle = best[expert] < IDLE
        label = say("{expert} over all {tasks} tasks: {share} per cent.").format(
            expert=_title(expert, say), tasks=len(tasks), share=fixed(100 * share, 2))
        parts.append(hint(label, *bars))
        if idle:
            note = say("nearly idle")
            parts.append(text(x + (each - 3) / 2, y + 41, note if measure(note) <= each else "▴", "t2 small", "middle"))
    return parts


def overall(frame: pd.DataFrame) -> dict[str, float]:
    """What each expert gets, averaged over the tasks; a task that cannot reach an expert gives it nothing."""
    table, experts, tasks = _table(frame, "mean")
    return {e: sum(v for t in tasks if not missing(v := table.get((t, e), 0.0))) / len(tasks) for e in experts}


def most(frame: pd.DataFrame) -> dict[str, float]:
    """What each expert gets from the tasks that reach it, in fair shares: 1 where they take as much of it as of their others."""
    table, experts, tasks = _table(frame, "mean")
    held = {t: [e for e in experts if not missing(table.get((t, e), math.nan))] for t in tasks}
    fair = {e: [len(held[t]) * table[t, e] for t in tasks if e in held[t]] for e in experts}
    return {e: sum(shares) / len(shares) if shares else 0.0 for e, shares in fair.items()}


def effective_experts(shares: Sequence[float]) -> float:
    """exp(entropy) of a gate: 1 for one expert only, n for n used equally; missing without any weight."""
    total = sum(s for s in shares if not missing(s))
    if total <= 0:
        return math.nan
    return math.exp(-sum(s / total * math.log(s / total) for s in shares if not missing(s) and s > 0))


def effective(frame: pd.DataFrame, places: Places, say: Say = str) -> Tree:
    """How many experts each task uses, exp(entropy) of its gate, with the collapse alarm.

    Takes a gate frame, or `task`, `effective`, `experts` with the numbers made already.
    """
    used_by, count = _used(frame)
    alarm = count ** ALARM  # exp(0.1 ln n)
    left, width = 90, 202
    parts = [text(0, 14, say("How many experts does each task use?"), "large bold"),
             text(0, 34, say("1 = one expert only, {count} = all equally").format(count=count), "t2 small")]
    for i, (task, used) in enumerate(used_by.items()):
        y = 48 + 40 * i
        parts += [symbol(places[task], 5, y + 9), *_named(task, 16, y + 13, left - 18),
                  hint(say("{task} uses {number} of {count} experts.").format(
                      task=task, number=fixed(used, 3), count=count),
                      *bar(left, y, width, 17, used / count, f"task-{places[task] % 8} mark")),
                  text(left + width + 8, y + 14, fixed(used, 1), "t1 num", bold=True)]
        if used < alarm and count > 1:
            parts.append(text(left, y + 31, say("collapsed onto one expert"), "t1 small", bold=True))
    end = 48 + 40 * len(used_by)
    at = left + width * min(alarm / max(count, 1), 1)
    if count > 1:
        parts += [line(at, 42, at, end, "hair", dashed=True),
                  text(at + 4, end + 10, say("collapse alarm ({number})").format(number=fixed(alarm, 2)), "t2 small")]
    return drawing(336, end + (14 if count > 1 else 0), say("How many experts does each task use?"), *parts)


def _used(frame: pd.DataFrame) -> tuple[dict[str, float], int]:
    """Effective experts by task, and how many experts there are."""
    if "effective" in frame:
        given = {str(t): float(v) for t, v in zip(frame["task"], frame["effective"], strict=True)}
        return given, int(frame["experts"].max()) if len(frame) else 0
    table, experts, tasks = _table(frame, "mean")
    return {t: effective_experts([table.get((t, e), math.nan) for e in experts]) for t in tasks}, len(experts)


def segments(frames: Mapping[str, pd.DataFrame], places: Places, rows: Mapping[str, int] | None = None, say: Say = str,
             across: int = 3) -> Tree:
    """The same gates for parts of the users, side by side on one ramp; `rows` says how many rows each part has."""
    top = _top({(name, *pair): v for name, frame in frames.items() for pair, v in _table(frame, "mean")[0].items()})
    deep = max([frame["task"].nunique() for frame in frames.values()], default=1)
    wide, high = 1076 / across, 34 + 24 * deep
    parts: list[Tree] = []
    for i, (name, frame) in enumerate(frames.items()):
        x, y = wide * (i % across), (high + 18) * (i // across)
        parts.append(text(x, y + 12, fit(name, wide - 110), "t1 small", bold=True))
        if rows and name in rows:
            parts.append(text(x + measure(fit(name, wide - 110)) * 1.1 + 18, y + 12,
                              say("{count} rows").format(count=whole(rows[name])), "t2 small num"))
        parts += _small(frame, places, x, y + 20, wide - 24, top, say)
    return drawing(1076, (high + 18) * max(1, -(-len(frames) // across)) - 18,
                   say("Mean gate weights in per cent, by segment"), *parts)


def _small(frame: pd.DataFrame, places: Places, x: float, y: float, width: float, top: float, say: Say) -> list[Tree]:
    table, experts, tasks = _table(frame, "mean")
    each = min(60.0, (width - 20) / max(len(experts), 1))
    parts: list[Tree] = []
    for i, task in enumerate(tasks):
        parts.append(symbol(places[task], x + 5, y + 24 * i + 11))
        for j, expert in enumerate(experts):
            share = table.get((task, expert), math.nan)
            label = f"{task}, {_title(expert, say)}: {hundredths(share)} %"
            parts.append(hint(label, *cell(x + 20 + each * j, y + 24 * i, each - 1.5, 22, share, top,
                                           hundredths(share) if each >= 20 else "")))
    return parts


def divergence(js: pd.DataFrame, places: Places, relatedness: pd.DataFrame | None = None, say: Say = str) -> Tree:
    """How differently two tasks mix the experts, beside how related they were made.

    js: `a`, `b`, `js` (bits, averaged over rows), optionally `related` (planted cosine, or yes and no; from 0.5 on the pair
    is outlined). relatedness: `a`, `b`, `value` (cosine from −1 to 1), by default the column `related`; without both only
    the left half is drawn.
    """
    if relatedness is None and "related" in js and js["related"].notna().any():
        relatedness = js.rename(columns={"related": "value"})
    tasks = list(dict.fromkeys([*js["a"].astype(str), *js["b"].astype(str)]))
    related = {pair(a, b) for a, b, r in zip(js["a"], js["b"], js["related"], strict=True)
               if not missing(r) and r >= 0.5} if "related" in js else set()
    measured = {pair(a, b): float(v) for a, b, v in zip(js["a"], js["b"], js["js"], strict=True)}
    parts = square(tasks, places, measured, related, 0, say("How differently two tasks mix the experts"),
                   say("0 = same mixture, 1 = no expert in common"), max(0.1, ceiling(list(measured.values()))), False)
    if relatedness is not None:
        planted = {pair(a, b): float(v) for a, b, v in
                   zip(relatedness["a"], relatedness["b"], relatedness["value"], strict=True)}
        parts += square(tasks, places, planted, related, 400, say("How related they were made"),
                        say("1 = same hidden cause, 0 = unrelated"), 1.0, True)
    return drawing(800 if relatedness is not None else 380, 76 + 38 * len(tasks),
                   say("Jensen–Shannon divergence between the tasks' gates, and the planted relatedness"), *parts)
