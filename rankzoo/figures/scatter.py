"""A table of embeddings as a map: one dot per value, the first two principal components; colour by how often it occurs, or colour
and symbol by a category."""
from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from rankzoo.figures.plot import axes, chart, colour, label
from rankzoo.figures.theme import SYMBOLS, Theme
from rankzoo.figures.words import Say

HIGH = 460
HOVER = "%{text}<br>%{customdata[0]:,} {rows}<br>{length} %{customdata[1]:.3f}<extra></extra>"


def vectors(frame: pd.DataFrame, theme: Theme, title: str, say: Say = str) -> go.Figure:
    """Columns `id`, `name`, `count`, `norm`, `x`, `y`, and where values are sorted `group`, empty for those that are not, and
    `new`, which has a ring; `title` is already in the reader's language. Both axes have one scale, for distances are what the map
    shows."""
    figure = chart(label(title), right=88)
    if "group" in frame:
        _grouped(figure, frame, theme, say)
    else:
        _counted(figure, frame, theme, say)
    axes(figure, say("first principal component"), y=say("second principal component"))
    figure.update_yaxes(scaleanchor="x", scaleratio=1)
    figure.update_layout(height=HIGH)
    return figure


def _hover(say: Say) -> str:
    return HOVER.replace("{rows}", label(say("rows"))).replace("{length}", label(say("length")))


def _grouped(figure: go.Figure, frame: pd.DataFrame, theme: Theme, say: Say) -> None:
    """A colour and a symbol for each group, with a legend; what has none is grey."""
    rings = frame[frame["new"]] if "new" in frame else frame[:0]
    if len(rings):  # under the dots, so that these are what a click meets
        figure.add_scatter(x=rings["x"], y=rings["y"], mode="markers", name=label(say("new: never seen in training")),
                           hoverinfo="skip",
                           marker={"size": 14, "symbol": "circle-open", "color": theme.ink, "line": {"width": 1.5}})
    for group, (paint, symbol) in styles(frame["group"], theme).items():
        own = frame[frame["group"] == group]
        if len(own):
            figure.add_scatter(x=own["x"], y=own["y"], mode="markers", customdata=own[["count", "norm", "id"]],
                               name=label(group or say("unknown")), text=[label(f"{name} · {group}") for name in own["name"]],
                               marker={"size": 8, "color": paint, "symbol": symbol, "opacity": 0.85}, hovertemplate=_hover(say))
    figure.update_layout(showlegend=True, legend={"font": {"size": 12, "color": theme.ink}, "itemsizing": "constant"},
                         margin={"r": 16})


def styles(groups: pd.Series, theme: Theme) -> dict[str, tuple[str, str]]:
    """The colour and the symbol of every group by name; of what has none, the empty name."""
    known = sorted(group for group in groups.unique() if group)
    return {group: (colour(theme, i), SYMBOLS[i % len(SYMBOLS)]) for i, group in enumerate(known)} | {"": (theme.grey, "x-open")}


def _counted(figure: go.Figure, frame: pd.DataFrame, theme: Theme, say: Say) -> None:
    """The colour of a value says how often it occurs."""
    # the palest steps of the ramp would vanish on the page
    ramp = theme.sequential[2:]
    scale = [[i / (len(ramp) - 1), colour] for i, colour in enumerate(ramp)]
    bar = {"title": {"text": label(say("rows")), "side": "top", "font": {"size": 12}}, "thickness": 10, "len": 0.6,
           "outlinewidth": 0, "tickfont": {"size": 12}}
    figure.add_scatter(x=frame["x"], y=frame["y"], mode="markers", customdata=frame[["count", "norm"]],
                       text=[label(name) for name in frame["name"]],
                       marker={"size": 9, "color": frame["count"], "colorscale": scale,
                               "cmin": 0, "line": {"width": 1, "color": theme.grey}, "colorbar": bar},
                       hovertemplate=_hover(say))
