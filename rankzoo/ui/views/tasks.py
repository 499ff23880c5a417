"""Tasks: how alike two tasks pull at their input, whether each is calibrated, and what one group costs the other."""
from __future__ import annotations

from dataclasses import replace

import streamlit as st

from rankzoo.figures import tasks as figure
from rankzoo.figures.words import decimal, fixed, missing, number
from rankzoo.inspection.tasks import APART, grouped, tasks, trade, weighed
from rankzoo.inspection.view import Subject, Table, View
from rankzoo.serving.utility import Utility
from rankzoo.ui import fields, page, state
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, truth_line
from rankzoo.ui.words import say, translate


def show(sight: Sight) -> None:
    """Of two groups the curve of their values, which is what they are for; observed over expected; the pairs of tasks."""
    view = kept(sight.key, "tasks", "", lambda: tasks(sight.subject))
    shown = view.table if sight.truth else view.table.assign(related=float("nan"))
    traded = view.tables.get("trade")
    if traded is not None:
        utility, traded = _valued(sight, traded)
        left, right = st.columns([60, 40], gap="medium")
        traded = traded if sight.truth else traded[[name for name in traded if not name.startswith("true_")]]
        with left:
            _trade(sight, traded, utility)
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


def _valued(sight: Sight, table: Table) -> tuple[Utility, Table]:
    """The utility that the visitor asks for, and its curve; as served as long as nobody says anything."""
    subject, names = sight.subject, tuple(sight.subject.model.blueprint.tasks)
    served = weighed(subject, grouped(subject))
    utility = _worth(names, served)
    if utility == served:
        return served, table
    return utility, kept(sight.key, "trade", repr(utility), lambda: trade(subject, utility, names))


def _worth(names: tuple[str, ...], served: Utility) -> Utility:
    """What the visitor says that responses are worth: c_k, and λ where a task is neither passive nor active; c_k as served as
    long as nobody says anything, or that nothing is worth anything."""
    with st.popover(say("What a response is worth")):
        st.caption(say("c_k, by which a probability counts in the value of its group. Another value moves the curve; nothing is "
                       "trained again."))
        worth = {task: _factor(task, f"tasks:worth:{task}", served.worth.get(task, 1.0)) for task in names}
        lam = served.lam
        if served.other:
            lam = _factor(say("λ, of {tasks}", tasks=", ".join(served.other)), "tasks:lambda", served.lam)
    if not any(worth.values()) or all(value == served.worth.get(task, 1.0) for task, value in worth.items()):
        worth = served.worth
    return replace(served, worth=worth, lam=lam)


def _factor(title: str, key: str, served: float) -> float:
    """What a probability is multiplied by; as served until another one is asked for."""
    return float(fields.asked(title, key, 0, 100, served, whole=False, step=0.5))


def _trade(sight: Sight, frame: Table, utility: Utility) -> None:
    """What α trades, what twice the served one would, and λ, which stays."""
    scene(figure.trade(frame, translate), key="tasks:trade", alt=say("What more active responses cost"))
    served, twice = (frame.iloc[place] for place in (list(frame["served"]).index(True) + step for step in (0, 1)))
    more = {str(name): fixed(float(twice[name] - served[name]), 3) for name in frame if name not in ("alpha", "served")}
    score = say("passive + α · active + λ · other value") if "other" in frame else say("passive + α · active value")
    said = say("The tenth of the rows that ranks highest by {score}. Twice the served α changes its active value by {active} a "
               "row, its passive value by {passive}.", score=score, active=more["active"], passive=more["passive"])
    if "true_active" in frame and not missing(served["true_active"]):
        said += " " + say("In truth {active} and {passive}.", active=more["true_active"], passive=more["true_passive"])
    st.caption(said + " " + say("The model stays as it is: only α changes, which is why probabilities must be calibrated."))
    if "other" in frame:
        st.caption(say("Other value is that of {tasks}, with λ = {lam} at every α; it changes by {other}.",
                       lam=number(utility.lam), tasks=page.escaped(", ".join(utility.other)), other=more["other"]))
    else:
        _nothing_third(sight.subject)


def _nothing_third(subject: Subject) -> None:
    """That the score's third term has no task in this model, and a press that adds those that the data have."""
    served, known = subject.serving, [task.name for task in subject.dataset.schema.tasks]
    lacks = tuple(task for task in served.other if task in known) if isinstance(served, Utility) else ()
    if lacks:
        said = page.escaped(", ".join(lacks))
        st.caption(say("The score has a third term, λ times that of {tasks}. This model does not predict it, so that the term is "
                       "0 whatever λ is.", tasks=said))
        st.button(say("Predict {tasks} too", tasks=said), key="tasks:add", on_click=state.edit,
                  args=("tasks", [*subject.model.blueprint.tasks, *lacks]))


def _calibrated(sight: Sight, frame: Table) -> None:
    """Observed over expected."""
    if len(frame):
        scene(figure.calibration(frame, sight.places, translate), key="tasks:calibration",
              alt=say("Observed over expected"))


def _pairs(sight: Sight, view: View, shown: Table) -> None:
    """How alike tasks pull, and how far related ones more than others."""
    scene(figure.pairs(shown, sight.places, translate), key="tasks:pairs", alt=say("How alike two tasks pull at their input"),
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
