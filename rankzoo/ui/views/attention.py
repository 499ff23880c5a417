"""Attention: what each past item says about the candidate, what changes when it is dropped, and what really mattered."""
from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from rankzoo.figures import attention as figure
from rankzoo.figures import bars
from rankzoo.figures.words import fixed, missing, whole
from rankzoo.inspection.attention import adds_up, aligned, attention, items, relevance_of, seen_by
from rankzoo.inspection.view import View
from rankzoo.training.metrics import sigmoid
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.views.history import candidate, last, named
from rankzoo.ui.words import say, translate

ROWS, LISTED = "attention:rows", 10
ORDERS = {"time": "by time", "weight": "by weight"}


def show(sight: Sight) -> None:
    """One example on top, then all its items as a strip, then averages over all rows beside the planted rule."""
    view: View = kept(sight.key, "attention", "", lambda: attention(sight.subject))
    sign = kept(sight.key, "sign", "", lambda: _sign(sight))
    task = _task(sight.subject.model.blueprint.tasks)
    frame = items(sight.subject, sight.row, sign, _dropped(sight), task)
    shares = adds_up(seen_by(sight.subject)[1])
    _buttons(sight, frame)
    shown = _figure_frame(sight, frame, task)
    left, right = st.columns([71, 29], gap="small")
    with left:
        _rows(sight, shown, shares, frame)
    with right:
        _panel(sight, shown, frame, task)
    _strip(sight, frame)
    said = [say("Weights add to 1 over the items that are present.")] if shares else []
    said += [say("A weight is not a cause: the last column shows what really changes.")] + ([say(view.note)] if view.note else [])
    st.caption(" ".join(said))
    page.twin(shown.drop(columns=[] if sight.truth or "relevant" not in shown else ["relevant"]), "attention")
    _averages(sight, view, shown)


def _sign(sight: Sight) -> float:
    history, entry = seen_by(sight.subject)
    return aligned(sight.subject, entry, history.name)


def _task(tasks: tuple[str, ...]) -> str:
    """Whose prediction the last column shows."""
    if len(tasks) == 1:
        return tasks[0]
    with st.sidebar:
        chosen = st.selectbox(say("Task"), tasks, key="task", bind="query-params")
    return chosen if chosen in tasks else tasks[0]


def _dropped(sight: Sight) -> frozenset[int]:
    """The positions that are out of the history now; a row that was just clicked changes sides. Another example starts whole."""
    memory, of = st.session_state, (sight.key, sight.row)
    whose, positions = memory.get("rz_dropped", (of, frozenset()))
    positions = positions if whose == of else frozenset()
    picked = str((memory.get(ROWS) or {}).get("picked") or "")
    if picked.startswith("position."):
        positions = positions ^ {int(picked.removeprefix("position."))}
    memory["rz_dropped"] = (of, positions)
    return positions


def _drop(sight: Sight, positions: frozenset[int]) -> None:
    st.session_state["rz_dropped"] = ((sight.key, sight.row), positions)


def _buttons(sight: Sight, frame: pd.DataFrame) -> None:
    """Drop what is like the candidate, or put everything back."""
    now = frozenset(int(p) for p in frame["position"][frame["dropped"]])
    with st.sidebar:
        if "relevant" in frame and sight.truth:
            relevant = now | frozenset(int(p) for p in frame["position"][frame["relevant"]])
            st.button(say("Drop the outlined items"), on_click=_drop, args=(sight, relevant), disabled=relevant == now, key="attention:drop",
                      width="stretch")
        st.button(say("Restore history"), on_click=_drop, args=(sight, frozenset()), disabled=not now, key="attention:restore",
                  icon=":material/restart_alt:", width="stretch")


def _figure_frame(sight: Sight, frame: pd.DataFrame, task: str) -> pd.DataFrame:
    """The items as the figure wants them: names, ages and marks in words, predictions instead of logits."""
    squash = _predicted(sight, task)
    columns = {"position": frame["position"], **named(sight.subject, frame), "weight": frame["weight"],
               "without": squash(frame["logit"] - frame["change"]), "dropped": frame["dropped"]}
    if "relevant" in frame and sight.truth:
        columns["relevant"] = frame["relevant"]
    return pd.DataFrame(columns)


def _predicted(sight: Sight, task: str):
    """From a logit to what the task predicts."""
    return np.asarray if sight.subject.dataset.schema.task(task).kind == "regression" else sigmoid


def _rows(sight: Sight, shown: pd.DataFrame, shares: bool, frame: pd.DataFrame) -> None:
    with st.sidebar:
        order = st.segmented_control(say("Sort history"), list(ORDERS), default="time", key="sort", bind="query-params", required=True,
                                     format_func=lambda each: say(ORDERS[each])) or "time"
        every = st.toggle(say("List all past items"), False, key="all", bind="query-params")
    ordered = shown.sort_values("weight", ascending=False, na_position="last", kind="stable") if order == "weight" else shown
    listed = ordered if every else ordered.head(LISTED)
    listed = listed.iloc[::-1] if order == "time" else listed
    here = int((~frame["dropped"]).sum())
    tree = figure.rows(listed, candidate(sight.subject, sight.row, math.nan if not len(frame) else _now(sight, frame)), total=len(shown),
                       uniform=1 / here if shares and here else None, softmax=shares, say=translate)
    picked_rows(tree)


def picked_rows(tree) -> None:
    """The rows as a figure whose rows act when they are clicked."""
    from rankzoo.ui.component import picked

    picked(tree, key=ROWS, alt=say("What each past item says about the candidate"))


def _now(sight: Sight, frame: pd.DataFrame) -> float:
    return float(_predicted(sight, sight.subject.model.blueprint.tasks[0])(np.asarray(frame["logit"].iloc[0])))


def _panel(sight: Sight, shown: pd.DataFrame, frame: pd.DataFrame, task: str) -> None:
    """The prediction, how many items it rests on, the item that moves it most, and the truth of this example."""


def _strip(sight: Sight, frame: pd.DataFrame) -> None:
    """All items of the example in one line."""
