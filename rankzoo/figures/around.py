"""Around one item: its neighbours in a graph and theirs, on two circles; a line is as wide as its edge weighs."""
from __future__ import annotations

import math

import pandas as pd
import plotly.graph_objects as go

from rankzoo.figures.plot import chart, label
from rankzoo.figures.theme import Theme
from rankzoo.figures.words import Say, whole

HIGH, RADII, WIDEST = 420, (0.0, 1.0, 2.0), 6.0


def around(frame: pd.DataFrame, styles: dict[str, tuple[str, str]], theme: Theme, title: str, say: Say = str) -> go.Figure:
    """Columns `hop`, `of` and `to` (row numbers: a tree, whose first row is the item itself), `weight`, `name`, `group`;
    `title` is already in the reader's language."""
    figure, angles = chart(label(title), right=16), placed(frame)
    x = [RADII[hop] * math.cos(angle) for hop, angle in zip(frame["hop"], angles, strict=True)]
    y = [RADII[hop] * math.sin(angle) for hop, angle in zip(frame["hop"], angles, strict=True)]
    top = max(float(frame["weight"].max()), 1.0)
    for i, (of, weight) in enumerate(zip(frame["of"], frame["weight"], strict=True)):
        if of >= 0:
            figure.add_scatter(x=[x[of], x[i]], y=[y[of], y[i]], mode="lines", hoverinfo="skip", showlegend=False,
                               line={"width": max(0.75, WIDEST * weight / top), "color": theme.grey}, opacity=0.55)
    words = [f"{label(name)} · {label(group)}" + (f"<br>{label(say('edge weight'))} {whole(int(weight))}" if hop else "")
             for name, group, hop, weight in frame[["name", "group", "hop", "weight"]].itertuples(index=False)]
    figure.add_scatter(x=x, y=y, mode="markers", text=words, hovertemplate="%{text}<extra></extra>", showlegend=False,
                       marker={"size": [16 - 4 * hop for hop in frame["hop"]], "opacity": 1,
                               "color": [styles[group][0] for group in frame["group"]],
                               "symbol": [styles[group][1] for group in frame["group"]],
                               "line": {"width": 1, "color": theme.page}})
    figure.update_xaxes(visible=False, fixedrange=True, range=(-2.2, 2.2))
    figure.update_yaxes(visible=False, fixedrange=True, range=(-2.2, 2.2), scaleanchor="x", scaleratio=1)
    figure.update_layout(height=HIGH)
    return figure


def placed(frame: pd.DataFrame) -> list[float]:
    """The angle of each row: leaves evenly around, in the order of the tree, and who has some in their middle."""
    children: dict[int, list[int]] = {}
    for i, of in enumerate(frame["of"]):
        children.setdefault(of, []).append(i)
    leaves = [i for i in _depth_first(children, 0) if i not in children]
    angles = {leaf: 2 * math.pi * at / len(leaves) for at, leaf in enumerate(leaves)}
    for i in reversed(range(len(frame))):  # who is read stands behind who reads
        if i in children:
            angles[i] = sum(angles[child] for child in children[i]) / len(children[i])
    return [angles[i] for i in range(len(frame))]


def _depth_first(children: dict[int, list[int]], at: int) -> list[int]:
    return [at, *(below for child in children.get(at, ()) for below in _depth_first(children, child))]
