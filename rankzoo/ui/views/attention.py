"""Attention: how much each past item counts and who asks for it, what changes when it is dropped, and what really mattered."""
from __future__ import annotations

import numpy as np
import streamlit as st

from rankzoo.figures import attention as figure
from rankzoo.figures.words import fixed
from rankzoo.inspection.asks import readers
from rankzoo.inspection.attention import adds_up, aligned, attention, items, seen_by, spec_of, weighed
from rankzoo.inspection.maps import ALIKE, past
from rankzoo.inspection.view import Table, View
from rankzoo.schema import Schema
from rankzoo.training.metrics import sigmoid
from rankzoo.ui import page
from rankzoo.ui.component import picked
from rankzoo.ui.inside import Sight, choice, kept, title
from rankzoo.ui.views import attention_asks, attention_maps, attention_marks, attention_reading, titles
from rankzoo.ui.views.attention_side import averages, panel, strip
from rankzoo.ui.views.history import asker, named, received
from rankzoo.ui.words import say, translate

ROWS, LISTED = "attention:rows", 10
ORDERS = {"time": "by time", "weight": "by weight"}


def show(sight: Sight) -> None:
    """One example on top, then all its items as a strip, then averages over all rows beside the planted rule."""
    if not sight.subject.trace.of("attention"):
        return _read(sight)
    view: View = kept(sight.key, "attention", "", lambda: attention(sight.subject))
    history, entry = seen_by(sight.subject)
    sign = kept(sight.key, "sign", "", lambda: aligned(sight.subject, entry, history.name))
    task = _task(sight.subject.model.blueprint.tasks, sight.subject.dataset.schema)
    marked = attention_marks.now(sight)
    frame = items(sight.subject, sight.row, sign, _dropped(sight), task, marked)
    frame = frame if sight.truth else frame.drop(columns=["relevance", "own", "relevant"], errors="ignore")
    shares = adds_up(entry)
    _buttons(sight, frame, bool(marked))
    shown = _in_words(sight, frame, task)
    prediction = _now(sight, frame, task)
    if not len(frame):
        st.markdown(say("This example has no past items, so there is nothing to attend to. Choose another example."))
        return
    who = asker(sight.subject, sight.row, prediction)
    readers, of = _readers(sight, frame), _of(sight)
    title(say(who.title), ", ".join(filter(None, (say("example {row}", row=sight.row + 1), of))))
    left, right = st.columns([72, 28], gap="small")
    with left:
        _rows(sight, shown, shares, who, readers)
    with right:
        panel(sight, shown, frame, task, prediction, marked)
    strip(frame, readers, of)
    attention_marks.show(sight, shown)
    if marked or frame["dropped"].any():
        before = _now(sight, items(sight.subject, sight.row, sign, task=task), task)
        st.markdown(say("Prediction of {task}: {before} as it was, **{now}** now", task=page.escaped(task), before=fixed(before),
                        now=fixed(prediction)))
    _notes(sight, view, shares)
    page.twin(shown.assign(change=frame["change"]).rename(columns=dict(zip(_heads(shown), readers, strict=bool(readers)))),
              "attention")
    titles.show(sight, frame)
    attention_maps.show(sight, frame, _dropped_now(frame), marked)
    attention_asks.show(sight)
    attention_reading.show(sight)
    averages(sight, view, frame)


def _notes(sight: Sight, view: View, shares: bool) -> None:
    """How weights are to be read."""
    said = [say("Weights add to 1 over the items that are present.")] if shares else []
    said += [say("Weights and what {part} has add to 1.", part=say(_part(sight)))] if _part(sight) else []
    said.append(say("A weight is not a cause: the last column shows what really changes. Click an item to drop it."))
    said += [say("Feedback is the field {field}.", field=received(sight.subject))] if received(sight.subject) else []
    st.caption(page.escaped(" ".join([*said, *([say(view.note)] if view.note else [])])))


def _of(sight: Sight) -> str:
    """Which history is shown, where several are weighed."""
    histories = weighed(sight.subject)
    return say("{history}, 1 of {count} histories", history=histories[0], count=len(histories)) if len(histories) > 1 else ""


def _heads(frame: Table) -> list[str]:
    return [column for column in frame if str(column).startswith("head.")]


def _readers(sight: Sight, frame: Table) -> tuple[str, ...]:
    return readers(sight.subject, len(_heads(frame)))


def _read(sight: Sight) -> None:
    """Where nothing weighs past items: which of them reads which."""
    frame = past(sight.subject, sight.row)
    if len(frame):
        attention_maps.show(sight, frame, frozenset(), key="attention")
        st.caption(say(ALIKE))
    else:
        st.markdown(say("This example has no past items, so there is nothing to attend to. Choose another example."))
    if sight.truth:
        st.caption(say("Nothing is planted in these data about this."))


def _task(tasks: tuple[str, ...], schema: Schema) -> str:
    """Whose prediction the last column shows."""
    tasks = tuple(task for task in tasks if schema.task(task).kind != "tags")
    if len(tasks) == 1:
        return tasks[0]
    with st.sidebar:
        chosen = st.selectbox(say("Task"), tasks, key="task", bind="query-params")
    return chosen if chosen in tasks else tasks[0]


def _dropped(sight: Sight) -> frozenset[int]:
    """The positions that are dropped now; a row that was just clicked changes sides. Another example starts whole."""
    memory, of = st.session_state, (sight.key, sight.row)
    whose, positions = memory.get("rz_dropped", (of, frozenset()))
    positions = positions if whose == of else frozenset()
    clicked = str((memory.get(ROWS) or {}).get("picked") or "")
    if clicked.startswith("position."):
        positions = positions ^ {int(clicked.removeprefix("position."))}
    memory["rz_dropped"] = (of, positions)
    return positions


def _dropped_now(frame: Table) -> frozenset[int]:
    """The positions that are dropped in a table of items."""
    return frozenset(int(p) for p in frame["position"][frame["dropped"]])


def _drop(sight: Sight, positions: frozenset[int]) -> None:
    st.session_state["rz_dropped"] = ((sight.key, sight.row), positions)


def _restore(sight: Sight) -> None:
    _drop(sight, frozenset())
    attention_marks.restore()


def _buttons(sight: Sight, frame: Table, marked: bool) -> None:
    """Drop what is outlined, or put everything back."""
    now = _dropped_now(frame)
    with st.sidebar:
        if "relevant" in frame:
            relevant = now | frozenset(int(p) for p in frame["position"][frame["relevant"]])
            st.button(say("Drop the outlined items"), on_click=_drop, args=(sight, relevant), disabled=relevant == now,
                      key="attention:drop", width="stretch")
        st.button(say("Restore history"), on_click=_restore, args=(sight,), disabled=not (now or marked),
                  key="attention:restore", icon=":material/restart_alt:", width="stretch")


def _squash(sight: Sight, task: str, logits: np.ndarray) -> np.ndarray:
    """From logits to what the task predicts: a probability where they stand for one."""
    return sigmoid(logits) if sight.subject.probable(task) else logits


def _now(sight: Sight, frame: Table, task: str) -> float:
    """The prediction with the history as it now is."""
    return float(_squash(sight, task, frame["logit"].to_numpy()[:1])[0]) if len(frame) else float("nan")


def _in_words(sight: Sight, frame: Table, task: str) -> Table:
    """The items as the figure wants them: names, ages and marks in words, predictions instead of logits."""
    without = _squash(sight, task, (frame["logit"] - frame["change"].fillna(0)).to_numpy())
    without = np.where(frame["dropped"], np.nan, without)
    words = frame[["position", *_heads(frame)]].assign(weight=frame["weight"], without=without, dropped=frame["dropped"])
    for column, texts in named(sight.subject, frame).items():
        words[column] = texts
    return words.assign(relevant=frame["relevant"]) if "relevant" in frame else words


def _part(sight: Sight) -> str:
    """Who takes the rest, where the weights of past items do not add to 1 by themselves."""
    spec = spec_of(sight.subject)
    return spec.rest if spec.weighs() == "part" else ""


def _rows(sight: Sight, shown: Table, shares: bool, who: figure.Candidate, readers: tuple[str, ...]) -> None:
    """The past items, the newest at the bottom or the heaviest on top; a click drops one or puts it back."""
    with st.sidebar:
        order = choice("sort", say("Sort history"), {name: say(words) for name, words in ORDERS.items()}, "time")
        every = st.toggle(say("List all past items"), False, key="all", bind="query-params")
    ordered = shown if order == "time" else shown.sort_values("weight", ascending=False, na_position="last", kind="stable")
    listed = ordered if every else ordered.head(LISTED)
    listed = listed.iloc[::-1] if order == "time" else listed
    here = shown[~shown["dropped"]]
    tree = figure.rows(listed, who, total=len(shown),
                       uniform=1 / len(here) if shares and len(here) else None,
                       strength=None if shares else float(here["weight"].sum()), part=_part(sight), readers=readers,
                       say=translate)
    picked(tree, key=ROWS, alt=say(who.title))
