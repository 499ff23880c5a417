"""Example: one row with its real numbers, as recorded step by step, and the check that they are the model's own."""
from __future__ import annotations

import math

import streamlit as st

from rankzoo.blueprint import SLOTS
from rankzoo.figures.words import fixed, missing, number
from rankzoo.inspection.example import Check, checked, example, features
from rankzoo.inspection.view import Table
from rankzoo.ui import page
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.views import what_if
from rankzoo.ui.words import say

STEPS = dict(zip(SLOTS, ("1 Features", "2 Attention", "3 Interaction", "4 Concat", "5 Sharing", "6 Deep", "7 Loss"),
                 strict=True))
EQUAL = 1e-5


def show(sight: Sight) -> None:
    """Inputs on the left, what each step made of them on the right, the logits below with their check."""
    row = str(sight.row)
    steps = kept(sight.key, "example", row, lambda: example(sight.subject, sight.row)).table
    inputs = features(sight.subject, sight.row)
    checks = kept(sight.key, "checks", row, lambda: checked(sight.subject, sight.row))
    title(say("From its inputs to its logits"), say("example {row}", row=sight.row + 1))
    st.markdown("  \n".join(_checked(check, sight.truth) for check in checks))
    left, right = st.columns([36, 64], gap="medium")
    with left:
        title(say("Inputs"))
        st.dataframe(inputs.assign(id=inputs["id"].astype("string").fillna("–")), hide_index=True, height=420,
                     key="example:inputs", column_config={
            "feature": say("Feature"), "side": say("Describes"), "value": say("Value"), "id": say("Id")})
    with right:
        title(say("What every step recorded"))
        st.dataframe(_by_step(steps), hide_index=True, height=420, key="example:steps", column_config={
            "step": say("Step"), "address": say("Address"), "axes": say("Axes"), "shape": say("Shape"),
            "values": st.column_config.ListColumn(say("First values"), width="large")})
    said = [say("A number feature is given in standard deviations from its mean; id 0 is a value that the training "
                "rows lack.")]
    if sight.truth and sight.subject.dataset.truth and sight.subject.dataset.truth.curve:
        said.append(say("Logits and true logits leave out the position, as a server must."))
    st.caption(" ".join(said))
    what_if.show(sight)
    truth_line(sight, None, "", "example", "Nothing is planted in these data about the vectors between the steps; the true "
               "logit stands above where the labels were drawn from one.")
    page.twin(_by_step(steps).assign(values=[" ".join(f"{v:.4g}" for v in values) for values in steps["values"]]), "example")


def _by_step(steps: Table) -> Table:
    """The recorded tensors with the step that each belongs to."""
    named = [say(STEPS.get(address.split(".")[0], "1 Features" if address.startswith("input.") else "7 Loss"))
             for address in steps["address"]]
    return steps.assign(step=named)[["step", "address", "axes", "shape", "values"]]


def _checked(check: Check, truth: bool) -> str:
    """One task's line: its logit, that `model(x)` has the same, the label and the true logit."""
    task, logit = page.escaped(check.task), fixed(check.logit, 4)
    if check.difference == 0:
        said = say("**{task}**: logit {logit}, equals model(x) to the last digit ✓", task=task, logit=logit)
    elif check.difference <= EQUAL:
        said = say("**{task}**: logit {logit}, equals model(x) to {power} ✓", task=task, logit=logit,
                   power=_power(check.difference))
    else:
        said = say("**{task}**: logit {logit}, but model(x) differs by {difference}", task=task, logit=logit,
                   difference=number(check.difference))
    label = say("not observed") if check.label is None else say("label {label}", label=number(check.label))
    true = say("true logit {logit}", logit=fixed(check.true, 4)) if truth and not missing(check.true) else ""
    return " · ".join(part for part in (said, label, true) if part)


def _power(difference: float) -> str:
    """The power of ten that a positive difference stays below: 3e-8 → 1e−7."""
    return f"1e{math.floor(math.log10(difference)) + 1}".replace("-", "−")
