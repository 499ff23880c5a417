"""A beam search as a tree, step by step from left to right: what was kept, the best of what was dropped, and where it stopped.

Columns of a frame: `step`, `rank`, `beam` (0: dropped), `parent` (beam of the step before, 0: the start), `candidate`, `list`,
`gain`, `reward`, `kept`, `leads` (on the way to what is shown), `stability`, `stops`.
"""
from __future__ import annotations

import pandas as pd

from rankzoo.figures.marks import bar, box, drawing, hint, line, text
from rankzoo.figures.tree import Tree, circle, path
from rankzoo.figures.words import Say, fit, fixed

WIDTH, LEFT, LEAST, GAP = 1060, 26, 190, 44
TOP, PITCH, NODE, SMALLER = 66, 36, 28, 22
SHOWN = 3
"""How many of the dropped beginnings of a step are drawn, the best ones."""


def tree(frame: pd.DataFrame, threshold: float, say: Say = str) -> Tree:
    """Beams as boxes, the best on top, with what each adds and its reward so far; dropped ones as words below, at dashed lines.
    Behind the step that stops the search boxes are empty: a server that shows one video does not take those steps."""
    steps = sorted(frame["step"].unique())
    each = max(LEAST, (WIDTH - LEFT + GAP) / max(len(steps), 1))
    most = int(frame[frame["kept"]].groupby("step").size().max())
    stop = next((step for step in steps if frame.loc[frame["step"] == step, "stops"].any()), steps[-1])
    parts: list[Tree] = [circle(8, TOP + NODE / 2, 5, "family-4 mark")]
    nodes: list[Tree] = []
    for number, step in enumerate(steps):
        here, x = frame[frame["step"] == step].sort_values("rank"), LEFT + each * number
        parts += _head(here, x, each - GAP, step, threshold, stop, say)
        shown = [*here[here["kept"]].to_dict("records"), *here[~here["kept"]].head(SHOWN).to_dict("records")]
        for place, item in enumerate(shown):
            height = NODE if item["kept"] else SMALLER
            y = TOP + PITCH * place if item["kept"] else TOP + PITCH * most + 6 + SMALLER * (place - int(here["kept"].sum()))
            parts.append(_edge(item, x, y + height / 2, each, step <= stop))
            nodes.append(_node(item, x, y, each - GAP, step <= stop, say))
        rest = int((~here["kept"]).sum()) - SHOWN
        if rest > 0:
            nodes.append(text(x + 8, TOP + PITCH * most + 6 + SMALLER * SHOWN + 15, say("and {n} more dropped").format(n=rest),
                              "t2 small"))
    high = TOP + PITCH * most + 6 + SMALLER * (SHOWN + 1)
    if stop != steps[-1]:
        edge = LEFT + each * (steps.index(stop) + 1) - GAP / 2
        nodes.append(line(edge, 0, edge, high, dashed=True))
    return drawing(LEFT + each * len(steps) - GAP, high, say("The steps of the beam search"), *parts, *nodes)


def _head(here: pd.DataFrame, x: float, width: float, step: int, threshold: float, stop: int, say: Say) -> list[Tree]:
    """A step's number, and its stability as a bar with the threshold that it is held against."""
    stability = float(here["stability"].iloc[0])
    if step == stop and stability >= threshold:
        said = say("Step {n}: the search stops here")
    elif step == stop:
        said = say("Step {n}: the list is full")
    else:
        said = say("Step {n}") if step < stop else say("Step {n}, for whole lists only")
    at = x + width * min(threshold, 1.0)
    return [text(x, 14, said.format(n=step), "t1", bold=step == stop), *bar(x, 22, width, 8, stability, "family-4 bar"),
            line(at, 19, at, 33, "sign"), text(x, 52, say("stability {value}").format(value=fixed(stability, 3)), "t2 small num"),
            text(x + width - 50, 52, say("adds"), "t2 small", "end"),
            text(x + width - 8, 52, say("so far"), "t2 small", "end")]


def _edge(item: dict, x: float, y: float, each: float, taken: bool) -> Tree:
    """From the beam that a beginning goes on from to where it stands."""
    start = (13, TOP + NODE / 2) if item["parent"] == 0 else (x - GAP, TOP + PITCH * (item["parent"] - 1) + NODE / 2)
    middle = (start[0] + x) / 2
    kind = "thread" if not item["kept"] else "wire family-4" if taken else "hair"
    more = {"stroke-width": 4 if item["leads"] else 1.5} if kind.startswith("wire") else {}
    return path(f"M{start[0]:.1f} {start[1]:.1f}C{middle:.1f} {start[1]:.1f} {middle:.1f} {y:.1f} {x:.1f} {y:.1f}", kind, more)


def _node(item: dict, x: float, y: float, width: float, taken: bool, say: Say) -> Tree:
    """A beginning: its last video, what that adds, and the reward so far."""
    kept = bool(item["kept"])
    said = say("{list}: reward {reward}, of which {gain} by the last; kept as beam {beam}") if kept else say(
        "{list}: reward {reward}, of which {gain} by the last; dropped")
    label = said.format(list=item["list"], reward=fixed(item["reward"], 3), gain=fixed(item["gain"], 3), beam=item["beam"])
    line_at = y + (NODE if kept else SMALLER) / 2 + 4.5
    inside = [box(x, y, width, NODE, "family-4 node" if taken else "row", 6)] if kept else []
    ink = "t1" if kept else "t2 small"
    return hint(label, *inside, text(x + 8, line_at, fit(str(item["candidate"]), width - 104, 13), ink, bold=bool(item["leads"])),
                text(x + width - 50, line_at, f"+{fixed(item['gain'], 2)}", "t2 small num", "end"),
                text(x + width - 8, line_at, fixed(item["reward"], 2), f"{ink} num", "end", bold=bool(item["leads"])))
