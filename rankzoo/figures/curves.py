"""Curves of a training: loss, AUC and the model's own third picture, over the whole run from its first step on.

Frames are tidy: one row per point, `epoch` may be a fraction. Thin lines are the training rows, thick ones the validation
rows. `tasks` are those that are drawn, each with its place, which is its colour, dash and symbol. `theme` is the palette of the
reader's mode.
"""
from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from rankzoo.figures.marks import Places
from rankzoo.figures.plot import FINE, around, axes, chart, colour, end_labels, epoch_axis, label, room, short, symbol
from rankzoo.figures.theme import DASHES, Theme
from rankzoo.figures.theme import SYMBOLS as MARKERS
from rankzoo.figures.words import Say, fixed, missing, percent, place

MARKS = 4


def loss(frame: pd.DataFrame, tasks: Places, epochs: float, theme: Theme, others: pd.DataFrame | None = None,
         say: Say = str) -> go.Figure:
    """Loss over epochs relative to always guessing the mean of the training rows (1): columns `task`, `split` (training,
    validation), `epoch`, `value`. `others` holds validation points of runs to compare with, with a column `run`."""
    figure = chart(label(say("Loss: 1 is always guessing the training mean")), room(tasks, 4))
    for task, i in tasks.items():
        for split in ("training", "validation"):
            points = _points(frame[(frame["task"] == task) & (frame["split"] == split)])
            _line(figure, points, i, task, theme, thick=split == "validation")
    more = _others(figure, others, tasks, theme, 2, say)
    epoch_axis(figure, say("epoch"), epochs, around([*frame["value"], *_values(others)] or [0.0, 1.05], 1.0))
    figure.add_annotation(x=1, y=1, xref="paper", yref="paper", xanchor="right", yanchor="bottom", showarrow=False,
                          text=say("thin: training · thick: validation"), font={"size": 12})
    return end_labels(figure, _tips(frame, tasks, theme, 2) + more, theme)


def metric(frame: pd.DataFrame, tasks: Places, epochs: float, theme: Theme, chance: float | None = 0.5,
           title: str = "AUC on validation rows", others: pd.DataFrame | None = None, say: Say = str) -> go.Figure:
    """A metric on the validation rows over epochs, from chance up: columns `task`, `epoch`, `value`. `chance` is what a
    coin flip would score; None leaves its line out. `others` holds runs to compare with, with a column `run`."""
    figure = chart(label(say(title)), room(tasks, 5))
    for task, i in tasks.items():
        _line(figure, _points(frame[frame["task"] == task]), i, task, theme, thick=True)
    more = _others(figure, others, tasks, theme, 3, say)
    epoch_axis(figure, say("epoch"), epochs, around([*frame["value"], *_values(others)] or [0.5, 1.0], chance))
    if chance is not None:
        _level(figure, chance, say("coin flip"), epochs, theme)
    return end_labels(figure, _tips(frame, tasks, theme, 3) + more, theme)


def shares(frame: pd.DataFrame, epochs: float, theme: Theme, task: str = "", number: int = 0, say: Say = str) -> go.Figure:
    """A gate's shares over epochs, stacked to 100 %: columns `expert`, `epoch`, `share` (0 to 1). `task` and its
    `number`, its place, give the title its name and symbol."""
    title = label(say("Which expert the gate listens to")) if not task else label(
        say("Gate of {task}: its experts")).format(task=f"{symbol(theme, number)} {label(short(task))}")
    figure, tips, below = chart(title, right=100), [], 0.0
    experts = list(dict.fromkeys(frame["expert"]))
    for i, expert in enumerate(experts):
        points = _points(frame[frame["expert"] == expert], "share")
        shade = theme.sequential[min(9, 2 + round(6 * i / max(len(experts) - 1, 1)))]
        figure.add_scatter(x=points["epoch"], y=100 * points["share"], stackgroup="shares", mode="lines", name=place(expert),
                           fillcolor=shade, line={"width": 1, "color": theme.page},
                           hovertemplate="%{y:.1f} %<extra>" + label(place(expert)) + "</extra>")
        if len(points):
            last, shown = float(points["share"].iloc[-1]), place(expert)
            name = say("expert {name}").format(name=shown) if shown.isdigit() else label(shown)
            tips.append((float(points["epoch"].iloc[-1]), 100 * (below + last / 2), f"{name} · {percent(last)}"))
            below += last
    epoch_axis(figure, say("epoch"), epochs, (0, 100))
    figure.update_yaxes(ticksuffix=" %")
    return end_labels(figure, tips, theme)


def line(frame: pd.DataFrame, epochs: float, theme: Theme, title: str, places: int = 2, level: float | None = None,
         level_name: str = "", say: Say = str) -> go.Figure:
    """Any quantity over epochs, one line per `series`: columns `series`, `epoch`, `value`. Serves attention entropy and
    the strength of crosses; `level` draws a dashed line with its name."""
    series = {name: i for i, name in enumerate(dict.fromkeys(frame["series"]))}
    digits = max((len(fixed(value, places)) for value in frame["value"]), default=0)
    figure = chart(label(say(title)), room(series, max(2 + places, digits)))
    for name, i in series.items():
        _line(figure, _points(frame[frame["series"] == name]), i, name, theme, thick=True)
    epoch_axis(figure, say("epoch"), epochs, around(list(frame["value"]), level))
    if level is not None:
        _level(figure, level, level_name, epochs, theme)
    return end_labels(figure, _tips(frame.rename(columns={"series": "task"}), series, theme, places), theme)


def pulls(frame: pd.DataFrame, tasks: Places, epochs: float, theme: Theme, say: Say = str) -> go.Figure:
    """How alike pairs of tasks pull at what they share, a row for each pair (by their symbols) at each place and a column for
    each look: columns `place` (empty: one place alone), `a`, `b`, `epoch`, `value` (−1 to 1). The last stands behind a row."""
    figure = chart(label(say("Cosine of two tasks' gradients")), right=44)
    looks = sorted(frame["epoch"].unique())
    rows: list[tuple[str, list[float | None], str]] = []
    for place_, own in frame.groupby("place", sort=False):
        rows += [(f"<b>{label(place_)}</b>", [None] * len(looks), "")] if place_ else []
        for (a, b), pair in own.groupby(["a", "b"], sort=False):
            values = pair.set_index("epoch")["value"].reindex(looks)
            marks = " × ".join(symbol(theme, tasks[task]) for task in (a, b))
            rows.append((marks, [None if missing(v) else float(v) for v in values], label(f"{a} × {b}")))
    ramp = [[i / (len(theme.diverging) - 1), each] for i, each in enumerate(theme.diverging)]
    if rows:
        heights = list(range(len(rows)))
        figure.add_heatmap(x=looks, y=heights, z=[values for _, values, _ in rows], zmin=-1, zmax=1, colorscale=ramp,
                           showscale=False, xgap=1, ygap=1, text=[[name] * len(looks) for _, _, name in rows],
                           hovertemplate="%{text}<br>%{x:.2f}: %{z:.3f}<extra></extra>", hoverongaps=False)
        for height, (name, values, pair) in zip(heights, rows, strict=True):
            known = [value for value in values if value is not None]
            said, side = (fixed(known[-1], 2), 1) if pair and known else ("" if pair else name, 0)
            figure.add_annotation(x=side, xref="paper", y=height, text=said, showarrow=False, xanchor="left", xshift=6 * side,
                                  font={"size": 12, "color": theme.ink})
    axes(figure, say("epoch"), (-epochs / 40, epochs * 41 / 40), y_range=(len(rows) - 0.5, -0.5))
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=[name if pair else "" for name, _, pair in rows], ticks="",
                        showgrid=False)
    return figure


def course(frame: pd.DataFrame, theme: Theme, title: str, axis: str, say: Say = str) -> go.Figure:
    """A statistic along something, a line for each arm with the band of its interval: columns `arm`, `x`, `mean`, `low`, `high`
    (missing for a single seed)."""
    arms = list(dict.fromkeys(frame["arm"]))
    figure, tips = chart(label(say(title)), room(arms, 6)), []
    for i, arm in enumerate(arms):
        points = frame[frame["arm"] == arm].sort_values("x")
        known = points.dropna(subset=["low", "high"])
        if len(known):
            figure.add_scatter(x=[*known["x"], *known["x"][::-1]], y=[*known["high"], *known["low"][::-1]], fill="toself",
                               fillcolor=colour(theme, i), opacity=0.12, line={"width": 0}, hoverinfo="skip")
        figure.add_scatter(x=points["x"], y=points["mean"], mode="lines+markers", name=str(arm),
                           line={"color": colour(theme, i), "width": 2.5, "dash": DASHES[i % 8]},
                           marker={"symbol": MARKERS[i % 8], "size": 8, "color": colour(theme, i)}, cliponaxis=False,
                           hovertemplate="%{x}: %{y:.4f}<extra>" + label(arm) + "</extra>")
        if len(points):
            x, y = float(points["x"].iloc[-1]), float(points["mean"].iloc[-1])
            tips.append((x, y, f"{symbol(theme, i)} {label(short(arm))} {fixed(y, 3)}"))
    least, most = float(frame["mean"].min()), float(frame["mean"].max())
    beside = max(most - least, 0.02)  # a band of two seeds would leave the lines no height
    values = [least, most, *frame["low"].dropna().clip(lower=least - beside), *frame["high"].dropna().clip(upper=most + beside)]
    axes(figure, say(axis), (float(frame["x"].min()), float(frame["x"].max())), y_range=around(values))
    return end_labels(figure, tips, theme)


def calibration(frame: pd.DataFrame, tasks: Places, theme: Theme, say: Say = str) -> go.Figure:
    """Reliability diagram: columns `task`, `predicted` (mean prediction of a bin), `observed` (how often it happened),
    optionally `rows`. On the dashed diagonal a prediction of 0.2 happens in 20 % of the cases."""
    figure, top = chart(say("Predicted and observed"), room(tasks, 0)), 1.0
    values = [float(v) for c in ("predicted", "observed") for v in frame[c].dropna()]
    top = min(1.0, 1.1 * max(values)) if values and max(values) > 0 else top
    figure.add_scatter(x=[0, top], y=[0, top], mode="lines", hoverinfo="skip",
                       line={"dash": FINE, "width": 1, "color": theme.grey})
    tips = []
    for task, i in tasks.items():
        points = frame[frame["task"] == task].dropna(subset=["predicted", "observed"]).sort_values("predicted")
        rows = points["rows"] if "rows" in points else [float("nan")] * len(points)
        figure.add_scatter(x=points["predicted"], y=points["observed"], mode="lines+markers", name=str(task),
                           line={"color": colour(theme, i), "dash": DASHES[i % 8], "width": 2},
                           marker={"symbol": MARKERS[i % 8], "size": 8, "color": colour(theme, i)}, customdata=list(rows),
                           hovertemplate="%{x:.3f} → %{y:.3f}, %{customdata:,} " + say("rows")
                                         + "<extra>" + label(task) + "</extra>")
        if len(points):
            end = points.iloc[-1]
            tips.append((top, float(end["observed"]), f"{symbol(theme, i)} {label(short(task))}"))
    axes(figure, say("mean prediction"), (0, top), say("share observed"), (0, top))
    figure.add_annotation(x=top, y=top, text=say("perfect"), showarrow=False, xanchor="right", yanchor="bottom",
                          yshift=2, font={"size": 12})
    return end_labels(figure, tips, theme)


def _points(frame: pd.DataFrame, column: str = "value") -> pd.DataFrame:
    return frame[["epoch", column]].dropna().sort_values("epoch")


def _line(figure: go.Figure, points: pd.DataFrame, place: int, name: str, theme: Theme, thick: bool) -> None:
    """One curve; a thick one carries its dash, and its symbol at a few places, so that colour is never alone."""
    figure.add_scatter(x=points["epoch"], y=points["value"], mode="lines", opacity=1.0 if thick else 0.45, name=str(name),
                       line={"color": colour(theme, place), "width": 2.5 if thick else 1,
                             "dash": DASHES[place % 8] if thick else "solid"},
                       hovertemplate="%{x:.2f}: %{y:.4f}<extra>" + label(name) + "</extra>")
    if thick and len(points):
        every = max(1, len(points) // MARKS)
        some = points.iloc[every - 1::every] if len(points) > 1 else points
        figure.add_scatter(x=some["epoch"], y=some["value"], mode="markers", hoverinfo="skip", cliponaxis=False,
                           marker={"symbol": MARKERS[place % 8], "size": 8, "color": colour(theme, place)})


def _values(frame: pd.DataFrame | None) -> list[float]:
    return [] if frame is None else list(frame["value"])


def _others(figure: go.Figure, others: pd.DataFrame | None, tasks: Places, theme: Theme, places: int,
            say: Say) -> list[tuple[float, float, str]]:
    """Thin dotted lines of other runs in their task's colour; returns their labels."""
    tips: list[tuple[float, float, str]] = []
    for (run, task), mine in ([] if others is None else others.groupby(["run", "task"], sort=False)):
        points = _points(mine)
        if task in tasks and len(points):
            place, name = tasks[task], say("run {run}").format(run=run)
            figure.add_scatter(x=points["epoch"], y=points["value"], mode="lines", opacity=0.7, name=f"{name}, {task}",
                               line={"color": colour(theme, place), "width": 1.25, "dash": "2px,3px"},
                               hovertemplate="%{x:.2f}: %{y:.4f}<extra>" + label(f"{name}, {task}") + "</extra>")
            x, y = float(points["epoch"].iloc[-1]), float(points["value"].iloc[-1])
            tips.append((x, y, f"{symbol(theme, place)} {label(short(name))} {fixed(y, places)}"))
    return tips


def _tips(frame: pd.DataFrame, tasks: Places, theme: Theme, places: int) -> list[tuple[float, float, str]]:
    """The last validation point of each task, or training point where nothing is validated, with its symbol, name and value."""
    tips = []
    for task, i in tasks.items():
        mine = frame[frame["task"] == task]
        told = mine[mine["split"] == "validation"] if "split" in mine else mine
        points = _points(told if len(told) else mine)
        if len(points):
            x, y = float(points["epoch"].iloc[-1]), float(points["value"].iloc[-1])
            tips.append((x, y, f"{symbol(theme, i)} {label(short(task))} {fixed(y, places)}"))
    return tips


def _level(figure: go.Figure, y: float, name: str, epochs: float, theme: Theme) -> None:
    """A dashed line at a height that means something, with its name."""
    figure.add_hline(y=y, line={"dash": FINE, "width": 1, "color": theme.grey})
    figure.add_annotation(x=epochs, y=y, text=label(name), showarrow=False, xanchor="right", yanchor="bottom",
                          font={"size": 12})
