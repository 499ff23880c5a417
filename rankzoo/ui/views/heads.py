"""Heads: how well each task's predictions are calibrated, or why they cannot be, and how close they come to the true logits."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import curves
from rankzoo.figures.words import fixed, missing
from rankzoo.inspection.views import look
from rankzoo.training.metrics import notes
from rankzoo.ui import page
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.words import say, translate

COLUMNS = {"task": "Task", "predicted": "Predicted", "observed": "Observed", "calibration": "Calibration", "auc": "AUC",
           "gauc": "GAUC", "mrr": "MRR", "f1": "F1", "correlation": "True logit"}


def show(sight: Sight) -> None:
    """The reliability diagram of all tasks, the numbers of each, and the correlation with the truth."""
    view = kept(sight.key, "heads", "", lambda: look(sight.subject, "heads"))
    tasks, numbers, losses = sight.subject.model.blueprint.tasks, view.tables["heads"], sight.subject.model.blueprint.losses
    labels = [sight.subject.dataset.schema.task(task) for task in tasks]
    told = [task.name for task in labels if losses.calibrated(task)]
    left, right = st.columns([48, 52], gap="medium")
    with left:
        if told:
            bins = view.table[view.table["task"].isin(told)]
            st.plotly_chart(curves.calibration(bins, sight.places, page.colours(), translate), key="heads:calibration",
                            config={"displayModeBar": False}, alt=say("Mean prediction against the share observed, by task"))
        for sentence in notes(losses, labels, translate):
            st.markdown(page.escaped(sentence))
    with right:
        title(say("Each head in numbers"))
        known = sight.truth and view.truth is not None
        hidden = {"correlation": not known, **{name: not numbers[name].notna().any() for name in ("auc", "gauc", "mrr", "f1")},
                  "predicted": not told, "calibration": not told}
        columns = {name: say(words) for name, words in COLUMNS.items() if not hidden.get(name)}
        shown = numbers[list(columns)].rename(columns=columns)
        st.dataframe(shown.map(lambda value: value if isinstance(value, str) else fixed(value, 3)), hide_index=True,
                     key="heads:numbers")
        if told:
            st.markdown(_reading(numbers[numbers["task"].isin(told)]))
            st.caption(say("Calibration is the mean prediction over the observed rate: 1 is right, 1.1 promises a tenth too "
                           "much."))
        if "gauc" in columns:
            st.caption(say("GAUC: AUC within each request, averaged over the requests with their rows as weight."))
        if "mrr" in columns:
            first = [say("Such a head predicts how likely its first choice is right.")] if told else []
            st.caption(" ".join([say("MRR: the mean of one over the place of the right one among all."), *first]))
        if "f1" in columns:
            st.caption(say("F1: how many words of names are found with the right tag, and how many of those that are named so "
                           "are right, as one number."))
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
