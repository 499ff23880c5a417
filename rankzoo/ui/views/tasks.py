"""Tasks: how alike two tasks pull at their input, whether each is calibrated, and what one group costs the other."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import tasks as figure
from rankzoo.figures.words import decimal, fixed, missing
from rankzoo.inspection.tasks import tasks
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, truth_line
from rankzoo.ui.words import say, translate


def show(sight: Sight) -> None:
    """The pairs of tasks in matrices, observed over expected, and the curve of two groups' values."""
    view = kept(sight.key, "tasks", "", lambda: tasks(sight.subject))
    shown = view.table if sight.truth else view.table.assign(related=float("nan"))
    left, right = st.columns([66, 34], gap="medium")
    with left:
        scene(figure.pairs(shown, translate), key="tasks:pairs", alt=say("How alike two tasks pull at their input"))
        truth_line(sight, view.truth, "Related tasks pull together by {value} more than unrelated ones, as a cosine", "tasks")
    with right:
        if len(view.tables["calibration"]):
            scene(figure.calibration(view.tables["calibration"], sight.subject.model.blueprint.tasks, translate),
                  key="tasks:calibration", alt=say("Observed over expected"))
        st.markdown(_reading(shown, view.tables["calibration"]))
        if "trade" in view.tables:
            trade = view.tables["trade"]
            trade = trade if sight.truth else trade.assign(true_passive=float("nan"), true_active=float("nan"))
            scene(figure.trade(trade, translate), key="tasks:trade", alt=say("What more active responses cost"))
            st.caption(say("The tenth of the rows that ranks highest by passive + α · active value. The model stays as it is: "
                           "only α changes, which is why probabilities must be calibrated."))
    page.twin(shown, "tasks")


def _reading(frame, calibration) -> str:
    """The most and the least alike pair, and the task that lies furthest from calibrated."""
    most, least = frame.loc[frame["cosine"].idxmax()], frame.loc[frame["cosine"].idxmin()]
    said = say("**Read it:** {a} and {b} pull most alike ({high}), {c} and {d} least ({low}).", a=page.escaped(most["a"]),
               b=page.escaped(most["b"]), high=decimal(float(most["cosine"])), c=page.escaped(least["a"]),
               d=page.escaped(least["b"]), low=decimal(float(least["cosine"])))
    known = calibration.dropna(subset=["ratio"])
    if not len(known):
        return said
    worst = known.loc[(known["ratio"] - 1).abs().idxmax()]
    outside = not missing(worst["low"]) and not worst["low"] <= worst["ratio"] <= worst["high"]
    chance = say("more than chance explains") if outside else say("within what chance explains")
    return said + " " + say("Of {task} {ratio} times as many happened as expected, {chance}.", task=page.escaped(worst["task"]),
                            ratio=fixed(float(worst["ratio"]), 2), chance=chance)
