"""What all charts with axes share: size, axes, task styles, and labels at the ends of lines instead of a legend."""
from __future__ import annotations

import html
import math
from collections.abc import Sequence

from plotly.graph_objects import Figure

from rankzoo.figures.marks import SYMBOLS
from rankzoo.figures.theme import Theme
from rankzoo.figures.words import fit, measure, missing

HEIGHT, TOP, BOTTOM, LINE = 292, 44, 50, 15
FINE = "4px,3px"


def chart(title: str, right: float = 96) -> Figure:
    """An empty chart with its title, which is markup (names in it go through `label`); `right` is the room for labels at
    line ends."""
    figure = Figure()
    figure.update_layout(height=HEIGHT, showlegend=False, margin={"l": 38, "r": right, "t": TOP, "b": BOTTOM},
                         title={"text": f"<b>{title}</b>", "font": {"size": 14}, "x": 0, "xanchor": "left", "y": 0.97,
                                "yanchor": "top", "pad": {"l": 4}}, hovermode="closest", dragmode=False)
    return figure


def axes(figure: Figure, x: str, x_range: tuple[float, float] | None = None, y: str = "",
         y_range: tuple[float, float] | None = None, x_step: float | None = None) -> None:
    """Axis titles in the small size, and ranges; only the horizontal grid is drawn."""
    figure.update_xaxes(title={"text": x, "standoff": 6, "font": {"size": 12}}, range=x_range, dtick=x_step, tick0=0,
                        showgrid=False, zeroline=False, fixedrange=True, tickfont={"size": 12}, automargin=False)
    figure.update_yaxes(title={"text": y, "standoff": 4, "font": {"size": 12}}, range=y_range, nticks=6, zeroline=False,
                        fixedrange=True, tickfont={"size": 12})


def epoch_axis(figure: Figure, title: str, epochs: float, y_range: tuple[float, float]) -> None:
    """The whole run from its start, so that curves grow into empty space; every epoch has a tick while there is room."""
    axes(figure, title, (0, epochs), y_range=y_range, x_step=1 if epochs <= 10 else None)


def short(name: object) -> str:
    """A name as it stands at the end of a line; the whole name is in the hover text."""
    return fit(str(name), 92, 13)


def room(names: Sequence[object], digits: int) -> float:
    """The right margin that labels at line ends need: symbol, name and a value of that many signs."""
    return max([72.0, *[measure(short(name), 13) + 6.5 * digits + 24 for name in names]])


def label(name: object) -> str:
    """A name as plotly shows it: `<b>` in it stays text."""
    return html.escape(str(name), quote=False)


def colour(theme: Theme, task: int) -> str:
    """The colour of a task by its place; tasks 7 and 8 take those of 1 and 2 and differ by an open symbol."""
    return theme.tasks[task % len(theme.tasks)]


def symbol(theme: Theme, task: int) -> str:
    """The symbol of a task in its colour, for a label in text ink."""
    return f"<span style='color:{colour(theme, task)}'>{SYMBOLS[task % 8]}</span>"


def spread(wanted: Sequence[float], gap: float, low: float = -math.inf, high: float = math.inf) -> list[float]:
    """Places for labels at least `gap` apart, in the given order of height, with the least squared displacement.

    Labels that collide form a block, which sits at the mean of where its members would like to be. All stay between
    `low` and `high`; where there is no room for that, they stand `gap` apart from `low` upwards.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[tuple[float, int]] = []
    for rank, i in enumerate(order):
        blocks.append((wanted[i] - gap * rank, 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (above, n), (below, m) = blocks[-2:]
            blocks[-2:] = [((above * n + below * m) / (n + m), n + m)]
    most = max(low, high - gap * (len(wanted) - 1))
    flat = [min(max(place, low), most) for place, n in blocks for _ in range(n)]
    placed = [0.0] * len(wanted)
    for rank, i in enumerate(order):
        placed[i] = flat[rank] + gap * rank
    return placed


def end_labels(figure: Figure, tips: Sequence[tuple[float, float, str]], theme: Theme) -> Figure:
    """Writes each (x, y, text) to the right of a line's end in text ink, pushed apart; the y axis must have its range."""
    low, high = figure.layout.yaxis.range
    line = LINE * (high - low) / (HEIGHT - TOP - BOTTOM)
    tips = [tip for tip in tips if not missing(tip[1])]
    # an annotation outside the axis's range is not drawn at all, hence the bounds
    places = spread([y for _, y, _ in tips], line, low + line / 4, high - line / 4)
    # from below: a label's ground covers a little of the next one, where that is higher by nothing but room above its letters
    for y, (x, _, words) in sorted(zip(places, tips, strict=True)):
        figure.add_annotation(x=x, y=y, text=words, showarrow=False, xanchor="left", yanchor="middle", xshift=8, borderpad=1,
                              align="left", font={"size": 13, "color": theme.ink}, bgcolor=theme.page)
    return figure


def around(values: Sequence[float], also: float | None = None, span: float = 0.05) -> tuple[float, float]:
    """A range that holds all values with a little room, and `also`; at least `span` high, so that noise stays small."""
    inside = [float(v) for v in values if not missing(v)] + ([] if also is None else [also])
    if not inside:
        return 0.0, 1.0
    low, high = min(inside), max(inside)
    room = max(0.06 * (high - low), (span - high + low) / 2)
    return low - room, high + room
