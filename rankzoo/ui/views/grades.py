"""Grades: the ladder of one score, from items for which nothing holds to those that were bought."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import grades as figure
from rankzoo.figures.words import percent
from rankzoo.inspection.grades import grades
from rankzoo.inspection.retrieval import GOOD, OUT
from rankzoo.inspection.view import Table
from rankzoo.serving import Serving, Terms
from rankzoo.ui import claims, page, state
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.words import say, translate


def show(sight: Sight) -> None:
    """A ridge for each grade, how often neighbours stand in order, and how to read it."""
    view = kept(sight.key, "grades", "", lambda: grades(sight.subject))
    order = view.tables["order"] if sight.truth else view.tables["order"].assign(best=float("nan"))
    left, right = st.columns([64, 36], gap="medium")
    with left:
        title(say("The score by grade"))
        scene(figure.ladder(view.tables["density"], view.table, translate), key="grades:ladder", width=640,
              alt=say("The score by grade"))
        st.caption(say(view.note))
    with right:
        title(say("How often neighbouring grades stand in order"))
        scene(figure.orders(order, translate), key="grades:orders", width=330,
              alt=say("How often neighbouring grades stand in order"))
        st.markdown(_reading(order))
        st.markdown(_first(view.tables["retrieved"], sight.subject.serving))
        if sight.truth and order["best"].notna().any():
            st.caption(say("Outlined: the order by the true score. Who is clicked and what is bought is drawn by chance, so that "
                           "even that is not always right."))
        st.caption(say("Dashed: chance, the order by the sum of an item's grades in training, whoever asked."))
    truth_line(sight, view.truth, "Neighbouring grades stand in order in {value} of the pairs within a list", "grades")
    claims.beside(state.document().arch, "scatter")
    page.twin(view.table, "grades")


def _first(retrieved: Table, check: Serving | None) -> str:
    """What stands among the first twenty of all items, and what the check of terms leaves of them, where there is one."""
    told = retrieved.set_index("what")
    said = say("Of all items the right one is among the first twenty: {found}.", found=", ".join(
        f"{page.escaped(task)} {percent(value)}" for task, value in told["value"].items() if task not in (GOOD, OUT)))
    if GOOD not in told.index:
        return said
    said += " " + say("Of the twenty {share} are relevant (by lot {chance}).", share=percent(told.loc[GOOD, "value"]),
                      chance=percent(told.loc[GOOD, "chance"], 1))
    if not isinstance(check, Terms):
        return said
    found = ", ".join(f"{page.escaped(task)} {percent(value)}" for task, value in told["checked"].items()
                      if task not in (GOOD, OUT))
    return said + "\n\n" + say("After the search a title must hold {least} of the query's words, or all of a shorter query: that "
                              "takes out {out} of the twenty. Of the twenty that are left first {share} are relevant, and the "
                              "right one is among them: {found}.", least=check.least, out=percent(told.loc[OUT, "value"]),
                              share=percent(told.loc[GOOD, "checked"]), found=found)


def _reading(order: Table) -> str:
    """The two neighbours that are told apart best and worst."""
    if not len(order):
        return say("No list has two grades to compare.")
    best, worst = order.loc[order["order"].idxmax()], order.loc[order["order"].idxmin()]
    return say("**Read it:** {a} is told from {b} best ({high} in order), {c} from {d} worst ({low}).",
               a=page.escaped(best["upper"]), b=page.escaped(best["lower"]), high=percent(best["order"]),
               c=page.escaped(worst["upper"]), d=page.escaped(worst["lower"]), low=percent(worst["order"]))
