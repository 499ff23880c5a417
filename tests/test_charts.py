"""Charts with axes: every curve spans its run, a task keeps its style, and labels at line ends never overlap."""
from __future__ import annotations

import itertools
import math

import pandas as pd
import pytest

from rankzoo.figures import attention, curves, plot
from rankzoo.figures.theme import Theme

NAN = math.nan
THEME = Theme("light", "#ffffff", "#f4f6f9", "#0f1722", "#d9dfe7", "#1d5fbf", "#566173",
              tuple(f"#00000{i}" for i in range(6)), tuple(f"#10000{i}" for i in range(7)),
              tuple(f"#20000{i}" for i in range(10)), tuple(f"#30000{i}" for i in range(10)))


def test_labels_pushed_apart_do_not_overlap_and_move_as_little_as_possible():
    wanted = [0.83, 0.81, 0.81, 0.10, 0.12, 0.5]
    placed = plot.spread(wanted, 0.1, 0.0, 1.0)
    gaps = [b - a for a, b in itertools.pairwise(sorted(placed))]
    assert min(gaps) >= 0.1 - 1e-12 and placed[5] == 0.5
    assert placed[1] == pytest.approx(0.7166667) and placed[0] == pytest.approx(0.9166667), "a block keeps its mean"
    assert min(placed) >= 0 and max(placed) <= 1
    assert plot.spread([0.0, 0.0], 0.2, 0.0, 1.0) == pytest.approx([0.0, 0.2])
    assert plot.spread([1.0, 1.0], 0.2, 0.0, 1.0) == pytest.approx([0.8, 1.0])
    assert plot.spread([], 1.0) == [] and plot.spread([3.0], 1.0) == [3.0]


LOSS = pd.DataFrame([{"task": t, "split": s, "epoch": e / 2, "value": v - e / 20}
                     for t, v in (("click", 1.0), ("<b>x</b>", 0.99)) for s in ("training", "validation") for e in range(4)])


def test_loss_curves_span_the_whole_run_and_name_their_ends():
    figure = curves.loss(LOSS, {"click": 0, "<b>x</b>": 1}, 5, THEME)
    assert tuple(figure.layout.xaxis.range) == (0, 5) and figure.layout.height == 292 and not figure.layout.showlegend
    lines = [t for t in figure.data if t.mode == "lines"]
    assert [(t.line.width, t.line.dash) for t in lines] == [(1, "solid"), (2.5, "solid"), (1, "solid"), (2.5, "dash")]
    assert list(lines[1].y) == pytest.approx([1.0, 0.95, 0.9, 0.85])
    said = [a.text for a in figure.layout.annotations]
    assert "<span style='color:#000000'>●</span> click 0.85" in said
    assert "<span style='color:#000001'>■</span> &lt;b&gt;x&lt;/b&gt; 0.84" in said, "a name stays text"
    low, high = figure.layout.yaxis.range
    ends = sorted(a.y for a in figure.layout.annotations if "span" in a.text)
    assert ends[1] - ends[0] >= plot.LINE * (high - low) / (plot.HEIGHT - plot.TOP - plot.BOTTOM) - 1e-9
    assert low <= ends[0] and ends[1] <= high and low <= 1.0 <= high


def test_auc_shows_chance_and_a_task_keeps_its_style():
    frame = LOSS[LOSS["split"] == "validation"]
    figure = curves.metric(frame, {"other": 0, "click": 1, "<b>x</b>": 2}, 5, THEME)
    low, high = figure.layout.yaxis.range
    assert low < 0.5 < high and any(a.text == "coin flip" for a in figure.layout.annotations)
    assert [t.line.color for t in figure.data if t.mode == "lines"][1] == THEME.tasks[1]
    assert not any(a.text == "coin flip" for a in curves.metric(frame, {"click": 0}, 5, THEME, chance=None).layout.annotations)


def test_other_runs_are_drawn_thin_in_the_colour_of_their_task_and_named():
    frame = LOSS[LOSS["split"] == "validation"]
    others = frame[frame["task"] == "click"].assign(run="<i>3</i>", value=1.2)
    figure = curves.loss(frame, {"<b>x</b>": 0, "click": 1}, 5, THEME, others)
    thin = figure.data[-1]
    assert (thin.line.width, thin.line.color, list(thin.y)) == (1.25, THEME.tasks[1], [1.2] * 4)
    said = [a.text for a in figure.layout.annotations]
    assert "<span style='color:#000001'>■</span> run &lt;i&gt;3&lt;/i&gt; 1.20" in said
    assert figure.layout.yaxis.range[1] > 1.2
    assert len(curves.metric(frame, {"click": 0}, 5, THEME, others=others.head(0)).data) == 2


def test_gate_shares_stack_to_their_sum_and_are_named_in_the_middle_of_their_band():
    frame = pd.DataFrame([{"expert": e, "epoch": t, "share": s} for e, s in ((0, 0.2), (1, 0.8)) for t in (0, 1)])
    figure = curves.shares(frame, 5, THEME)
    assert {a.text: a.y for a in figure.layout.annotations} == pytest.approx({"expert 1 · 20 %": 10, "expert 2 · 80 %": 60})
    assert all(t.stackgroup for t in figure.data)
    titled = curves.shares(frame, 5, THEME, "<b>x</b>", 2).layout.title.text
    assert titled == "<b>Gate of <span style='color:#000002'>▲</span> &lt;b&gt;x&lt;/b&gt;: its experts</b>"


def test_calibration_and_age_curve():
    frame = pd.DataFrame({"task": "click", "predicted": [0.1, 0.3], "observed": [0.12, 0.28], "rows": [50, 60]})
    figure = curves.calibration(frame, {"click": 0}, THEME)
    assert figure.layout.xaxis.range == figure.layout.yaxis.range, "equal scales"
    assert list(figure.data[1].y) == [0.12, 0.28]
    age = pd.DataFrame({"age": [0.0, 3.0], "learned": [1.0, 0.4], "planted": [1.0, math.exp(-1)]})
    curve = attention.curve(age, THEME)
    assert [t.name for t in curve.data] == ["learned", "exp(−age / 3)"]
    assert len(attention.curve(age[["age", "learned"]], THEME).data) == 1


EMPTY = LOSS[LOSS["epoch"] < 0]


@pytest.mark.parametrize("draw", [
    lambda: curves.loss(EMPTY, {"click": 0}, 5, THEME), lambda: curves.metric(EMPTY, {"click": 0}, 5, THEME),
    lambda: curves.loss(LOSS[LOSS["epoch"] == 0], {"click": 0}, 1, THEME),
    lambda: curves.loss(LOSS.assign(value=NAN), {"click": 0}, 5, THEME),
    lambda: curves.shares(pd.DataFrame(columns=["expert", "epoch", "share"]), 5, THEME),
    lambda: curves.calibration(pd.DataFrame(columns=["task", "predicted", "observed"]), {"click": 0}, THEME),
    lambda: curves.line(pd.DataFrame(columns=["series", "epoch", "value"]), 5, THEME, "Attention entropy")])
def test_a_run_without_points_has_axes_but_no_labels(draw):
    figure = draw()
    assert not any("nan" in (a.text or "") for a in figure.layout.annotations) and figure.layout.yaxis.range is not None
