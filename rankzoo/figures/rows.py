"""What a model thinks its ids are worth, beside what was planted: one dot per id, and how that agreement moves with time."""
from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from rankzoo.figures.plot import around, axes, chart, colour, end_labels, label
from rankzoo.figures.theme import Theme
from rankzoo.figures.words import Say, fixed

HIGH = 380
SHADES, DASHES = (3, 9, 5, 8, 4, 7), ("dot", "solid", "dash", "dashdot")
"""Neighbouring lines differ by shade and by dash: of one colour they are, since their settings are steps of one amount."""


def worth(frame: pd.DataFrame, theme: Theme, title: str, say: Say = str) -> go.Figure:
    """Columns `name`, `count`, `sharing`, `learned`, `planted` (all missing where nothing is known: then over `count`). Open
    dots share their row with others; `title` is already in the reader's language."""
    known = frame["planted"].notna().any()
    x = "planted" if known else "count"
    figure, tips = chart(label(title), right=120), []
    for place, (shared, part) in enumerate(frame.groupby(frame["sharing"] > 0, sort=True)):
        part = part.sort_values(x)
        figure.add_scatter(x=part[x], y=part["learned"], mode="markers", customdata=part[["count", "sharing"]],
                           text=[label(name) for name in part["name"]], opacity=0.6,
                           marker={"size": 6, "symbol": "circle-open" if shared else "circle",
                                   "color": colour(theme, int(shared))},
                           hovertemplate="%{text}<br>%{customdata[0]:,} " + label(say("training rows")) + "<br>"
                                         + label(say("shares its row with")) + " %{customdata[1]:,}<extra></extra>")
        words = say("row shared") if shared else say("row of its own")
        sign = "○" if shared else "●"
        tips.append((float(frame[x].max()), float(frame["learned"].max()) - 0.3 * place,
                     f"<span style='color:{colour(theme, int(shared))}'>{sign}</span> {label(words)}"))
    axes(figure, say("planted, on the logit") if known else say("training rows"), y=say("learned, on the logit"),
         y_range=around(list(frame["learned"])))
    figure.update_layout(height=HIGH)
    return end_labels(figure, tips, theme)


def growth(frame: pd.DataFrame, theme: Theme, title: str, say: Say = str) -> go.Figure:
    """Ids that have a row over the rows of data, one line for each setting: columns `name` (in the reader's language), `own`,
    `time`, `rows`; the model's own setting is the thick line. Labels of lines that end together stand as the lines ran before."""
    figure, tips, height = chart(label(title), right=150), [], {}
    for place, ((name, own), part) in enumerate(frame.groupby(["name", "own"], sort=False)):
        shade = colour(theme, 0) if own else theme.sequential[SHADES[place % len(SHADES)]]
        line = {"color": shade, "width": 3 if own else 1.5, "dash": "solid" if own else DASHES[place % len(DASHES)]}
        figure.add_scatter(x=part["time"], y=part["rows"], mode="lines", line=line,
                           customdata=100 * part["found"], name=str(name),
                           hovertemplate=f"{label(name)}<br>%{{y:,}} {label(say('rows in use'))}<br>%{{customdata:.0f}} % "
                                         f"{label(say('of look-ups find one'))}<extra></extra>")
        tips.append((float(part["time"].iloc[-1]), float(part["rows"].iloc[-1]),
                     f"<span style='color:{shade}'>{'●' if own else '–'}</span> {label(name)}"))
        height[tips[-1]] = (tips[-1][1], float(part["rows"].mean()), -place)
    axes(figure, say("rows of data"), (0, float(frame["time"].max())), say("ids with a row"),
         (0, 1.06 * max(1.0, float(frame["rows"].max()))))
    return end_labels(figure, sorted(tips, key=height.get), theme)


def times(frame: pd.DataFrame, theme: Theme, say: Say = str) -> go.Figure:
    """Columns `block`, `agreement`: rank correlation of what was learned with what was planted at each time."""
    figure = chart(label(say("Which time the table knows best")), right=60)
    figure.add_scatter(x=frame["block"], y=frame["agreement"], mode="lines+markers",
                       line={"color": colour(theme, 0), "width": 2.5}, hovertemplate="%{x}: %{y:.3f}<extra></extra>")
    axes(figure, say("block of time"), y_range=around(list(frame["agreement"]), span=0.2))
    last = frame.iloc[-1]
    return end_labels(figure, [(float(last["block"]), float(last["agreement"]), fixed(float(last["agreement"]), 3))], theme)
