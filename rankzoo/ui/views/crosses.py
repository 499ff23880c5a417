"""Crosses: which pairs of fields the model really crosses, beside the pairs that were planted."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import crosses as figure
from rankzoo.figures.words import fixed
from rankzoo.inspection.crosses import NOTHING, crosses, meaning
from rankzoo.inspection.view import Table
from rankzoo.ui import page
from rankzoo.ui.component import scene, selected
from rankzoo.ui.inside import Sight, choice, kept, title, truth_line
from rankzoo.ui.words import say, translate

MAP = "crosses:map"


def show(sight: Sight) -> None:
    """The triangle of all pairs, the strongest ones ranked, and how many of the planted ones were found."""
    tasks = sight.subject.model.blueprint.tasks
    with st.sidebar:
        task = st.selectbox(say("Task"), tasks, key="task", bind="query-params") if len(tasks) > 1 else tasks[0]
    task = task if task in tasks else tasks[0]
    view = kept(sight.key, "crosses", task, lambda: crosses(sight.subject, task))
    table = view.table
    few, sentence = meaning(sight.subject)
    with st.sidebar:
        by = _strength(few if table["block"].notna().any() else "")
    known = sight.truth and view.truth is not None
    largest = max(float(table[by].max()), NOTHING)
    top = max(largest, float(table["planted"].max())) if by == "value" else largest
    top = max(top, 0.01) if by == "value" else top  # a model that crosses nothing shall not look as if it did
    shown = table.assign(value=table[by] / top) if known else table.assign(value=table[by] / top).drop(columns="planted")
    heading = say("How strongly each pair of fields is crossed") if by == "value" else say("Each pair of fields: {what}",
                                                                                           what=say(few))
    title(heading, say("colour 1 stands for {top} logits of {task}", top=fixed(top), task=task) if by == "value" else
          say("colour 1 stands for the largest"))
    with st.container(horizontal=True, gap="medium", key="crosses:row"):
        scene(figure.triangle(shown, selected=selected(MAP), say=translate), key=MAP, width=704, alt=heading)
        with st.container(width=340, key="crosses:side"):
            if largest > NOTHING:
                scene(figure.ranked(shown, say=translate), key="crosses:ranked", alt=say("The strongest pairs of fields"))
            if known:
                _found(table, by, int(view.truth.values["k"]))
            _picked(table, known)
    _notes(sight, table, sentence if by == "block" else "", float(table["value"].max()))
    truth_line(sight, view.truth, "{value} of the planted pairs are among the strongest", "crosses")
    page.twin(table if known else table.drop(columns="planted"), "crosses")


def _strength(recorded: str) -> str:
    """How strength is measured; what the model records itself only where it records something."""
    options = {"value": say("on the prediction")} | ({"block": say(recorded)} if recorded else {})
    return choice("strength", say("Strength"), options, "value", menu=True)


def _found(table: Table, by: str, k: int) -> None:
    """How many of the k planted pairs lead the list, and where the first wrong one stands."""
    ordered = table.sort_values(by, ascending=False, kind="stable")
    right = ((ordered["planted"] > 0) & (ordered[by] > NOTHING)).to_numpy()
    left, middle = st.columns(2)
    left.metric(say("Found"), say("{found} of {all}", found=int(right[:k].sum()), all=k),
                help=say("How many of the {all} planted pairs are among the {all} strongest ones.", all=k))
    wrong = int((~right).argmax()) + 1
    middle.metric(say("First wrong"), say("place {place}", place=wrong),
                  help=say("Where the strongest pair stands that was not planted; {best} is the best possible.", best=k + 1))


def _picked(table: Table, known: bool) -> None:
    """The pair that was clicked, in full."""
    a, _, b = selected(MAP).partition("|")
    pair = table[[{a, b} == {row.a, row.b} for row in table.itertuples()]]
    if not len(pair):
        st.caption(say("Click a cell to read its numbers."))
        return
    row = pair.iloc[0]
    said = say("**{a} × {b}** moves the logit by {value} beyond what both do alone (sd over pairs of rows).",
               a=page.escaped(row["a"]), b=page.escaped(row["b"]), value=fixed(row["value"], 3))
    if known:
        said += " " + say("Planted: {planted}.", planted=fixed(row["planted"], 3))
    st.markdown(said)


def _notes(sight: Sight, table: Table, recorded: str, strongest: float) -> None:
    """What the numbers are (`recorded` says it of those that the model records itself), what is left out, and that a model of
    sums crosses nothing."""
    if strongest <= NOTHING:
        st.markdown(say("**Read it:** this model crosses nothing: it only adds up what each field does alone."))
    else:
        best = table.loc[table["value"].idxmax()]
        st.markdown(say("**Read it:** {a} × {b} is the strongest pair: what one of them does to the prediction depends most "
                        "on the other.",
                        a=page.escaped(best["a"]), b=page.escaped(best["b"])))
    said = [say("Strength is measured on the prediction: how far the logit is from what the two fields do one by one, when "
                "both are exchanged for those of another row.") if not recorded else say(recorded)]
    fields = len(set(table["a"]) | set(table["b"]))
    left_out = len(sight.subject.dataset.schema.inputs) - fields
    if sight.subject.dataset.schema.histories:
        said.append(say("The past items stay as they are."))
    if left_out:
        said.append(say("{count} fields with the smallest effect are left out.", count=left_out))
    st.caption(" ".join(said))
