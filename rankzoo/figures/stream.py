"""What happens at an online joiner and behind it, as lines over a cache's size, a waiting time or a window."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from rankzoo.figures.plot import FINE, around, axes, chart, colour, end_labels, label
from rankzoo.figures.theme import Theme
from rankzoo.figures.words import fixed, missing, percent, whole

FEW, WIDE = 12, 0.02
"""Points that have a dot and a tick each; the width of a sign, in shares of the axis."""


def over(frame: pd.DataFrame, theme: Theme, title: str, x: str, y: str, levels: Mapping[str, float] | None = None,
         own: float | None = None, shares: bool = False) -> go.Figure:
    """Columns `label`, `x`, `y`, and `low`, `high` where intervals are known: a line for each label, with dots where points
    are few. levels: heights that are named and drawn dashed · own: where the setting stands, dotted · shares: of 0 to 1.
    All words are in the reader's language."""
    figure, tips, levels = chart(label(title), right=150), [], levels or {}
    written = percent if shares else lambda value: fixed(value, 3)
    for place, name in enumerate(dict.fromkeys(frame["label"])):
        part, shade = frame[frame["label"] == name], colour(theme, place)
        bars = {"type": "data", "symmetric": False, "array": part["high"] - part["y"], "arrayminus": part["y"] - part["low"],
                "thickness": 1, "width": 3} if "low" in part and not part["low"].isna().all() else None
        figure.add_scatter(x=part["x"], y=part["y"], mode="lines+markers" if len(part) < FEW else "lines", error_y=bars,
                           line={"color": shade, "width": 2.5}, customdata=[written(v) for v in part["y"]],
                           hovertemplate=f"{label(name)}<br>%{{x:,}} {label(x)}<br>%{{customdata}}<extra></extra>")
        last = part.iloc[-1]
        tips.append((float(frame["x"].max()), float(last["y"]), f"<span style='color:{shade}'>●</span> {label(name)} "
                     f"{written(float(last['y']))}"))
    for name, height in levels.items():
        figure.add_hline(y=height, line={"color": theme.ink, "width": 1, "dash": FINE})
        tips.append((float(frame["x"].max()), height, f"– {label(name)} {written(height)}"))
    if not missing(own):
        figure.add_vline(x=own, line={"color": theme.ink, "width": 1, "dash": "dot"}, opacity=0.5)
    heights = [*levels.values(), *(v for column in ("low", "y", "high") if column in frame for v in frame[column])]
    axes(figure, x, (0, 1.02 * max(1.0, float(frame["x"].max()))), y, (0, 1.04) if shares else around(heights, span=0.01))
    if shares:
        figure.update_yaxes(tickformat=".0%")
    if len(points := sorted(set(frame["x"]))) < FEW:
        figure.update_xaxes(tickvals=named(points))
    return end_labels(figure, tips, theme)


def named(points: Sequence[float]) -> list[float]:
    """Of rising places along an axis those that are named: none runs into the one before."""
    kept: list[float] = []
    for point in points:
        if not kept or (point - kept[-1]) / max(points) > WIDE * (len(whole(point)) + 1):
            kept.append(point)
    return kept
