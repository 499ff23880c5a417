"""Heads: how well each task's predictions are calibrated, and how close they come to the true logits."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import curves
from rankzoo.figures.words import fixed, missing
from rankzoo.inspection.views import look
from rankzoo.ui import page
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.words import say, translate

COLUMNS = {"task": "Task", "predicted": "Predicted", "observed": "Observed", "calibration": "Calibration", "auc": "AUC",
           "correlation": "True logit"}


def show(sight: Sight) -> None:
    """The reliability diagram of all tasks, the numbers of each, and the correlation with the truth."""
    view = kept(sight.key, "heads", "", lambda: look(sight.subject, "heads"))
    tasks, numbers = sight.subject.model.blueprint.tasks, view.tables["heads"]
    left, right = st.columns([48, 52], gap="medium")
    with left:
        st.plotly_chart(curves.calibration(view.table, tasks, page.colours(), translate), key="heads:calibration",
                        config={"displayModeBar": False}, alt=say("Mean prediction against the share observed, by task"))
    with right:
        title(say("Each head in numbers"))
        known = sight.truth and view.truth is not None
        columns = {name: say(words) for name, words in COLUMNS.items() if name != "correlation" or known}
        shown = numbers[list(columns)].rename(columns=columns)
        st.dataframe(shown.map(lambda value: value if isinstance(value, str) else fixed(value, 3)), hide_index=True,
                     key="heads:numbers")
        st.markdown(_reading(numbers))
        st.caption(say("Calibration is the mean prediction over the observed rate: 1 is right, 1.1 promises a tenth too "
                       "much."))
        if known:
            st.caption(say("True logit: rank correlation with the logit from which the label was drawn."))
    truth_line(sight, view.truth, "The first task's logit has a rank correlation of {value} with the true one", "heads")
    page.twin(view.table, "heads")


def _reading(numbers) -> str:
    """Which head is furthest from calibrated, in a sentence."""
    known = numbers.dropna(subset=["calibration"])
    if not len(known):
        return say("No task has an observed event in these rows.")
    worst = known.loc[(known["calibration"] - 1).abs().idxmax()]
    said = say("**Read it:** {task} is furthest from calibrated: it predicts {predicted} on average, {observed} was "
               "observed.",
               task=page.escaped(worst["task"]), predicted=fixed(worst["predicted"], 3),
               observed=fixed(worst["observed"], 3))
    if missing(worst["auc"]):
        return said
    return said + " " + say("Its AUC on these rows is {auc}.", auc=fixed(worst["auc"], 3))
