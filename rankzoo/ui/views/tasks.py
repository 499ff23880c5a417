"""Tasks: how alike two tasks pull at their input, whether each is calibrated, and what one group costs the other."""
from __future__ import annotations

from dataclasses import replace

import streamlit as st

from rankzoo.figures import tasks as figure
from rankzoo.figures.words import decimal, fixed, missing
from rankzoo.inspection.tasks import APART, grouped, tasks, trade, weighed
from rankzoo.inspection.view import Table, View
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, truth_line
from rankzoo.ui.words import say, translate


def show(sight: Sight) -> None:
    """Of two groups the curve of their values, which is what they are for; observed over expected; the pairs of tasks."""
    view = kept(sight.key, "tasks", "", lambda: tasks(sight.subject))
    shown = view.table if sight.truth else view.table.assign(related=float("nan"))
    traded = view.tables.get("trade")
    if traded is not None:
        traded = _valued(sight, traded)
        left, right = st.columns([60, 40], gap="medium")
        traded = traded if sight.truth else traded.drop(columns=["true_passive", "true_active"])
        with left:
            _trade(traded)
        with right:
            _calibrated(sight, view.tables["calibration"])
            st.markdown(_reading(shown, view.tables["calibration"]))
        page.twin(traded, "tasks trade")
        _pairs(sight, view, shown)
    else:
        left, right = st.columns([66, 34], gap="medium")
        with left:
            _pairs(sight, view, shown)
        with right:
            _calibrated(sight, view.tables["calibration"])
            st.markdown(_reading(shown, view.tables["calibration"]))
    page.twin(shown, "tasks")


def _valued(sight: Sight, served: Table) -> Table:
    """The same curve where the visitor says what each response is worth, c_k; as served as long as nobody does."""
    subject, names = sight.subject, tuple(sight.subject.model.blueprint.tasks)
    utility = weighed(subject, grouped(subject))
    with st.popover(say("What a response is worth")):
        st.caption(say("c_k, by which a probability counts in the value of its group. Another value moves the curve; nothing is "
                       "trained again."))
        worth = {task: float(st.number_input(task, 0.0, 100.0, utility.worth.get(task, 1.0), 0.5, key=f"tasks:worth:{task}"))
                 for task in names}
    if all(value == utility.worth.get(task, 1.0) for task, value in worth.items()) or not any(worth.values()):
        return served
    return kept(sight.key, "trade", ":".join(map(str, worth.values())),
                lambda: trade(subject, replace(utility, worth=worth), names))


def _trade(frame: Table) -> None:
    """What α trades, and what twice the served one would."""
    scene(figure.trade(frame, translate), key="tasks:trade", alt=say("What more active responses cost"))
    served, twice = (frame.iloc[place] for place in (list(frame["served"]).index(True) + step for step in (0, 1)))
    more = {str(name): fixed(float(twice[name] - served[name]), 3) for name in frame if name not in ("alpha", "served")}
    said = say("The tenth of the rows that ranks highest by passive + α · active value. Twice the served α changes its active "
               "value by {active} a row, its passive value by {passive}.", active=more["active"], passive=more["passive"])
    if "true_active" in frame and not missing(served["true_active"]):
        said += " " + say("In truth {active} and {passive}.", active=more["true_active"], passive=more["true_passive"])
    st.caption(said + " " + say("The model stays as it is: only α changes, which is why probabilities must be calibrated."))


def _calibrated(sight: Sight, frame: Table) -> None:
    """Observed over expected."""
    if len(frame):
        scene(figure.calibration(frame, sight.subject.model.blueprint.tasks, translate), key="tasks:calibration",
              alt=say("Observed over expected"))


def _pairs(sight: Sight, view: View, shown: Table) -> None:
    """How alike tasks pull, and how far related ones more than others."""
    scene(figure.pairs(shown, translate), key="tasks:pairs", alt=say("How alike two tasks pull at their input"),
          width=800 if shown["related"].notna().any() else 400)
    apart = bool(view.table["cosine"].isna().any())
    truth_line(sight, view.truth, "Related tasks pull together by {value} more than unrelated ones, as a cosine", "tasks",
               "Related and unrelated tasks cannot be compared: these meet in no common input." if apart else "")
    if apart:
        st.caption(say(APART))


def _reading(frame, calibration) -> str:
    """The most and the least alike pair, and the task that lies furthest from calibrated."""
    meeting = frame.dropna(subset=["cosine"])
    said = say("**Read it:**")
    if len(meeting):
        most, least = meeting.loc[meeting["cosine"].idxmax()], meeting.loc[meeting["cosine"].idxmin()]
        said = say("**Read it:** {a} and {b} pull most alike ({high}), {c} and {d} least ({low}).", a=page.escaped(most["a"]),
                   b=page.escaped(most["b"]), high=decimal(float(most["cosine"])), c=page.escaped(least["a"]),
                   d=page.escaped(least["b"]), low=decimal(float(least["cosine"])))
    known = calibration.dropna(subset=["ratio"])
    if not len(known):
        return said if len(meeting) else ""
    worst = known.loc[(known["ratio"] - 1).abs().idxmax()]
    outside = not missing(worst["low"]) and not worst["low"] <= worst["ratio"] <= worst["high"]
    chance = say("more than chance explains") if outside else say("within what chance explains")
    return said + " " + say("Of {task} {ratio} times as many happened as expected, {chance}.", task=page.escaped(worst["task"]),
                            ratio=fixed(float(worst["ratio"]), 2), chance=chance)
