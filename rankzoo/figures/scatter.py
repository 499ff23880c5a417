"""A table of embeddings as a map: one dot per value, the first two principal components, colour by how often it occurs."""
from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from rankzoo.figures.plot import axes, chart, label
from rankzoo.figures.theme import Theme
from rankzoo.figures.words import Say

HIGH = 460


def vectors(frame: pd.DataFrame, theme: Theme, title: str, say: Say = str) -> go.Figure:
    """Columns `name`, `count`, `norm`, `x`, `y`; `title` is already in the reader's language. Both axes have one scale, for
    distances are what the map shows."""
    figure = chart(label(title), right=88)
    # the palest steps of the ramp would vanish on the page
    ramp = theme.sequential[2:]
    scale = [[i / (len(ramp) - 1), colour] for i, colour in enumerate(ramp)]
    bar = {"title": {"text": label(say("rows")), "side": "top", "font": {"size": 12}}, "thickness": 10, "len": 0.6,
           "outlinewidth": 0, "tickfont": {"size": 12}}
    figure.add_scatter(x=frame["x"], y=frame["y"], mode="markers", customdata=frame[["count", "norm"]],
                       text=[label(name) for name in frame["name"]],
                       marker={"size": 9, "color": frame["count"], "colorscale": scale,
                               "cmin": 0, "line": {"width": 1, "color": theme.grey}, "colorbar": bar},
                       hovertemplate="%{text}<br>%{customdata[0]:,} " + label(say("rows")) + "<br>" + label(say("length"))
                                     + " %{customdata[1]:.3f}<extra></extra>")
    axes(figure, say("first principal component"), y=say("second principal component"))
    figure.update_yaxes(scaleanchor="x", scaleratio=1)
    figure.update_layout(height=HIGH)
    return figure
