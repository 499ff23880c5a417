"""The end of an interview: how it went component by component, what to look at again, and another walk."""
from __future__ import annotations

import time

import pandas as pd
import streamlit as st

from rankzoo.blueprint import SLOTS
from rankzoo.export.picture import HEADS
from rankzoo.figures.words import number, whole
from rankzoo.lesson import Question
from rankzoo.registry import systems
from rankzoo.teaching.interview import Given, Walk, again, points, summary, walk
from rankzoo.ui import interview, page
from rankzoo.ui.page import escaped
from rankzoo.ui.words import say


def show(done: Walk) -> None:
    """Points and time, a row for each component, the weak answers with what would have been right."""
    reached, seconds = sum(map(points, done.answers)), sum(given.seconds for given in done.answers)
    st.markdown(f"### {say('{points} of {n} points', points=number(reached), n=len(done.answers))} "
                f":gray[· {escaped(systems()[done.arch].title)} · {say('{time} minutes', time=interview.clocked(seconds))}]")
    weak = again(done)
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown(f"**{say('By component')}**")
        st.dataframe(_table(done), hide_index=True)
        _ways(done, weak)
    with right:
        st.markdown(f"**{say('Look at again')}**")
        if not weak:
            st.markdown(say("Nothing: every answer was good."))
        for place, (asked, given) in enumerate(weak):
            _again(place, asked, given)
    page.twin(lambda: _all(done), "interview")


def _name(slot: str) -> str:
    return f"{SLOTS.index(slot) + 1} {say(HEADS[slot])}" if slot else say("the whole")


def _table(done: Walk) -> pd.DataFrame:
    return pd.DataFrame([{say("Component"): _name(row.slot), say("Points"): f"{number(row.points)} / {row.asked}",
                          say("Seconds each"): whole(row.seconds)} for row in summary(done)])


def _ask(asked: Question) -> str:
    return say(asked.ask).replace("{of}", asked.of.rpartition(".")[2])


def _how(given: Given) -> str:
    """How an answer went, and that it had seemed certain."""
    sure = f", {say('and you were certain')}" if given.sure == "certain" and given.outcome != "skipped" else ""
    return say(given.outcome) + sure


def _again(place: int, asked: Question, given: Given) -> None:
    """A weak answer: how it went, the right one, and the way to its lesson."""
    with st.expander(f"{_name(asked.slot)} · {escaped(_ask(asked))} :gray[({_how(given)})]"):
        if given.said:
            st.markdown(f":gray[{say('You said')}]  \n{escaped(given.said)}")
        if given.number is not None:
            st.markdown(f"{say('You')}: {number(given.predicted)} · {say('the model')}: **{number(given.number.value, 12)}** "
                        f"{escaped(say(given.number.counted)) if given.number.unit else ''}")
        st.markdown(escaped(say(asked.answer)))
        if asked.slot:
            st.button(say("Read the lesson"), key=f"rz_again:{place}", type="tertiary", icon=":material/menu_book:",
                      on_click=_lesson, args=(asked.slot,))


def _lesson(slot: str) -> None:
    st.session_state[interview.GO] = ("learn", {"path": "components", "step": slot})


def _ways(done: Walk, weak: tuple[tuple[Question, Given], ...]) -> None:
    with st.container(horizontal=True):
        with st.container(key="cta_again", width="content"):
            st.button(say("Another walk"), type="primary", key="rz_start", icon=":material/replay:", on_click=interview.put,
                      args=(None,))
        if weak:
            st.button(say("Only what was weak"), key="rz_weak", on_click=_weak, args=(done.arch, [asked for asked, _ in weak]))


def _weak(arch: str, asked: list[Question]) -> None:
    interview.put(walk(arch, asked, 0, time.time()))


def _all(done: Walk) -> pd.DataFrame:
    """Every answer of the walk."""
    return pd.DataFrame([{
        "component": asked.slot, "question": _ask(asked), "outcome": given.outcome, "seconds": round(given.seconds),
        "answer": given.said if given.number is None else number(given.predicted, 12),
        "model": asked.answer if given.number is None else number(given.number.value, 12)}
        for asked, given in zip(done.questions, done.answers, strict=False)])
