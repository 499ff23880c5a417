"""Beside the past items: the prediction and what it rests on, all items as a strip, and averages over all rows."""
from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import streamlit as st

from rankzoo.data.world import worlds
from rankzoo.figures import attention as figure
from rankzoo.figures import bars
from rankzoo.figures.words import fixed, whole
from rankzoo.inspection.averages import together
from rankzoo.inspection.forecast import curves, forecast
from rankzoo.inspection.view import Table, View
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.views.history import in_minutes, named
from rankzoo.ui.words import say, translate

CATEGORIES = 6


def panel(sight: Sight, shown: Table, frame: Table, task: str, prediction: float, marked: Mapping[int, int]) -> None:
    """The prediction, how many items it rests on, the item that moves it most, what another model had predicted, and the truth of
    this example."""
    with st.container(border=True, key="attention:panel"):
        left, right = st.columns(2)
        called = say("p({task})") if sight.subject.probable(task) else say("logit of {task}")
        left.metric(called.format(task=page.escaped(task)), fixed(prediction, 3),
                    help=say("What the model predicts with the past items that are not dropped."))
        right.metric(say("Focus"), say("{count} items", count=fixed(focus(frame), 1)),
                     help=say("How many items the weights effectively use: exp(entropy) of their sizes."))
        moved = (prediction - shown["without"]).abs()
        if moved.notna().any():
            most = shown.loc[moved.idxmax()]
            st.markdown(say("**{name}** alone moves the prediction from {without} to {now}.",
                            name=page.escaped(most["name"]), without=fixed(most["without"], 3), now=fixed(prediction, 3)))
        dropped = frozenset(int(place) for place in frame["position"][frame["dropped"]])
        fitted = kept(sight.key, "forecast", "", lambda: curves(sight.subject))
        for each in forecast(sight.subject, sight.row, dropped, marked, fitted).to_dict("records"):
            st.markdown(say("p({task}): {by} **{before}**, this model **{now}**", task=page.escaped(each["task"]),
                            by=say(each["by"]), before=fixed(each["before"], 3), now=fixed(each["now"], 3)),
                        help=say("What was predicted before this model, and what it makes of it. The other score, one of its "
                                 "inputs, is turned into a probability by a curve fitted to the training rows."))
    if sight.truth:
        _planted(sight, frame)


def focus(frame: Table) -> float:
    """exp(−Σ q ln q) with q = |w| / Σ|w| over the items that are not dropped; NaN where no weight is left."""
    size = frame["weight"].abs().to_numpy()
    size = size[np.isfinite(size) & (size > 0)]
    if not len(size):
        return math.nan
    q = size / size.sum()
    return float(np.exp(-(q * np.log(q)).sum()))


def _planted(sight: Sight, frame: Table) -> None:
    """The rule in a sentence, and how much of this example's weight lies on what it counts."""
    if "relevant" not in frame:
        return
    title(say("Planted truth, outlined"))
    made = worlds().get(sight.subject.dataset.name)
    if made:
        st.caption(say(made.sentence))
    here = frame[~frame["dropped"]]
    positive = here["weight"].clip(lower=0)
    if not here["relevant"].any():
        st.markdown(say("No item that is present matters here, so no weight can lie right."))
    elif positive.sum() > 0:
        st.markdown(say("**{share} of the weight lies on outlined items** (equal weights: {uniform}).",
                        share=fixed(positive[here["relevant"]].sum() / positive.sum()),
                        uniform=fixed(here["relevant"].mean())))


def strip(frame: Table, readers: tuple[str, ...], of: str = "") -> None:
    """All items of the example in one line, or in one per head or way of reading where there are several. of: the history's
    name, where there are several."""
    title(say("All {count} past items", count=len(frame)), ", ".join(filter(None, (of, say("oldest on the left")))))
    # the data have the newest item first; the strip sorts by place
    placed = frame.assign(position=len(frame) - frame["position"].rank(method="first").astype(int) + 1)
    heads = [column for column in frame if str(column).startswith("head.")]
    if heads:
        placed = placed.drop(columns="weight")
        placed = placed.melt([column for column in placed if column not in heads], heads, "head", "weight")
        number = placed["head"].str.removeprefix("head.").astype(int)
        placed["head"] = number.map(lambda i: say(readers[i])) if readers else number
    else:
        placed = placed.assign(head=say("Weight"))
    scene(figure.strip(placed, translate), key="attention:strip", alt=say("The weights of all past items"))


def averages(sight: Sight, view: View, frame: Table) -> None:
    """What holds over all rows: the statistic, the weight by age and by what was planted, and this example's categories."""
    factors, ages = view.tables["factors"], view.tables["ages"]
    if not sight.truth:
        factors, ages = (each.drop(columns="planted", errors="ignore") for each in (factors, ages))
    here, everywhere = st.columns([29, 71], gap="small")
    with here:
        title(say("This example"))
        scene(bars.weights(_categories(sight, frame), "Weight by category", say=translate), key="attention:categories",
              alt=say("Weight by category"))
    with everywhere:
        title(say("Over all {rows} rows", rows=whole(sight.subject.rows)))
        truth_line(sight, view.truth, "{value} of the weight lies on relevant items", "attention")
        left, right = st.columns([44, 56], gap="small")
        if len(factors):
            with left:
                title(say("Mean weight by likeness and mark"))
                scene(figure.factors(factors, translate), key="attention:factors",
                      alt=say("Mean weight by likeness and mark"))
        axis = "age in minutes" if in_minutes(sight.subject) else "age in days"
        if len(ages):
            right.plotly_chart(figure.curve(ages, page.colours(), _law(sight), translate, axis), key="attention:ages",
                               config={"displayModeBar": False}, alt=say("Weight by age of the item"))
    if "planted" in factors and len(factors):
        st.caption(say("Outlines and the dashed line: the planted relevance of the same items, brought to the weights' "
                       "scale by one factor each. "
                       "Likeness and age are taken over items that count at all."))
    page.twin(together(factors, ages), "attention averages")


def _categories(sight: Sight, frame: Table) -> Table:
    """Summed weight of this example's items by category, the heaviest first."""
    summed = frame.assign(label=named(sight.subject, frame)["category"]).groupby("label")["weight"].sum()
    ordered = summed.reindex(summed.abs().sort_values(ascending=False).index).head(CATEGORIES)
    return ordered.rename("value").rename_axis("label").reset_index()


def _law(sight: Sight) -> str:
    """The planted law of age, by its knob."""
    made = worlds().get(sight.subject.dataset.name)
    fade = getattr(made, "fade", None)
    return f"exp(−age / {fade:g})" if fade else say("planted")
