"""Interview: can I explain it? The walk through the questions, its settings, and what stands before it."""
from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from rankzoo.blueprint import SLOTS
from rankzoo.data.load import schema_of
from rankzoo.export.picture import HEADS
from rankzoo.figures import diagram
from rankzoo.figures.layout import Layout, arrange
from rankzoo.figures.words import number
from rankzoo.lesson import Question
from rankzoo.registry import systems
from rankzoo.system import System
from rankzoo.teaching.interview import SECONDS, Given, Walk, points, walk
from rankzoo.teaching.questions import questions
from rankzoo.teaching.screen import Screen
from rankzoo.ui import architect, state
from rankzoo.ui import head as model_line
from rankzoo.ui.component import scene
from rankzoo.ui.page import escaped
from rankzoo.ui.words import say, translate

WALK, EMPTY, GO = "rz_walk", "rz_walk_empty", "rz_walk_go"
LENGTHS, USUAL = {"5": 5, "10": 10, "all": 0}, "10"
BADGES: Mapping[str, str] = {"right": "green", "had it": "green", "close": "orange", "partly": "orange"}


def walking() -> Walk | None:
    """The walk of this visit, wherever it stands."""
    return st.session_state.get(WALK)


def put(changed: Walk | None) -> None:
    """Keep a walk."""
    st.session_state[WALK] = changed
    st.session_state.pop(EMPTY, None)


def screen() -> Screen:
    """The model in hand, with the gates of the run in hand where that is a run of it."""
    document = state.document()
    return Screen(document.blueprint, document.schema(), architect.learned().gates)


def asked_of(system: System) -> tuple[Question, ...]:
    """The questions about a system as it is."""
    return tuple(questions(system, Screen(system.blueprint, schema_of(system.dataset))))


def sidebar() -> None:
    """The model, the components asked about, how many questions, the clock; and how the walk stands."""
    if st.session_state.get("rz_asked_of") != state.document().arch:
        st.session_state["rz_asked_of"] = state.document().arch
    st.selectbox(say("Model"), list(systems()), key="rz_asked_of", format_func=lambda id: systems()[id].brand,
                 on_change=lambda: state.choose(st.session_state["rz_asked_of"]))
    st.pills(say("Components, all where none is chosen"), list(SLOTS), selection_mode="multi", key="rz_topics",
             format_func=lambda slot: say(HEADS[slot]), persist_state="session")
    st.segmented_control(say("Questions"), list(LENGTHS), default=USUAL, key="rz_length", required=True,
                         format_func=lambda name: say(name), persist_state="session")
    st.toggle(say("Clock, {n} seconds a question", n=SECONDS), True, key="rz_clock", persist_state="session")
    on = walking()
    if on and on.answers:
        st.markdown(" ".join(_mark(given) for given in on.answers))
        st.markdown(f":gray[{say('{points} of {n} points', points=number(sum(map(points, on.answers))), n=len(on.answers))}]")
    if on and not on.over:
        st.button(say("End and see the summary"), key="rz_end", width="stretch", on_click=lambda: put(walking().stop()))


def _mark(given: Given) -> str:
    """An answer as a badge: a sign and never a colour alone."""
    sign = "–" if given.outcome == "skipped" else {1.0: "✓", 0.5: "½"}.get(points(given), "✗")
    return f":{BADGES.get(given.outcome, 'gray')}-badge[{sign}]"


def clocked(seconds: float) -> str:
    """«1:05»."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def start() -> None:
    """Begin a walk through the model in hand with the settings of the sidebar."""
    memory, system = st.session_state, state.document().system
    put(walk(system.id, questions(system, screen()), LENGTHS[memory.get("rz_length") or USUAL], time.time(),
             memory.get("rz_topics") or ()))


def intro() -> None:
    """Before a walk: what will happen, and the button."""
    found = questions(state.document().system, screen())
    chosen = [q for q in found if not st.session_state.get("rz_topics") or q.slot in st.session_state["rz_topics"]]
    with st.container(border=True):
        st.markdown(f"**{say('Explain this model, component by component.')}**  \n" + say(
            "One question at a time. Say or predict first: the answer is hidden until yours is given. Numbers are computed from "
            "the model on screen, as it is now. At the end you see what to look at again."))
        counted = sum(bool(q.number) for q in chosen)
        asked = min(LENGTHS[st.session_state.get("rz_length") or USUAL] or len(chosen), len(chosen))
        line = say("{n} of {all} questions on these components; {m} of all have a number.", n=asked, all=len(chosen), m=counted)
        st.markdown(f":gray[{line}]")
        with st.container(key="cta_start"):
            st.button(say("Start"), type="primary", key="rz_start", icon=":material/arrow_forward:", on_click=start,
                      disabled=not chosen)
    system = state.document().system
    scene(diagram.excerpt(layout(hidden=True), SLOTS, say=translate), key=f"interview_model:{system.id}",
          alt=say("The architecture"))


def elsewhere(on: Walk) -> None:
    """The walk is about another model than the one in hand."""
    with st.container(border=True):
        st.markdown(say("A walk through {name} is going on, and {other} is in hand.", name=escaped(systems()[on.arch].brand),
                        other=escaped(state.document().system.brand)))
        with st.container(horizontal=True):
            st.button(say("Back to {name}", name=systems()[on.arch].brand), key="rz_back", on_click=state.choose, args=(on.arch,))
            st.button(say("Start with {name}", name=state.document().system.brand), key="rz_restart", on_click=start)


def layout(hidden: bool = False) -> Layout:
    """The model's diagram; `hidden` without the width of the joined vector, where that is the question."""
    document = state.document()
    blocks = diagram.worded(document.blueprint.blocks(document.schema()), translate)
    columns = architect.columns(document.blueprint, document.schema())
    if hidden:
        blocks = tuple(replace(block, detail="x") if block.form == "concat" else block for block in blocks)
        columns = tuple(replace(c, detail="") if c.slot == "concatenation" else c for c in columns)
    return arrange(blocks, columns)


def look(slot: str) -> None:
    """To the Architect, with this component selected; the walk waits."""
    st.session_state[GO], st.session_state[architect.DIAGRAM] = ("architect", {}), {"selected": slot}


def see(view: str) -> None:
    """To a view of the model's inside; the walk waits."""
    st.session_state[GO] = "inside", {"view": view}


def going() -> tuple[str, dict[str, str]] | None:
    """The page to which a button of the last run leads, with what its address asks for."""
    return st.session_state.pop(GO, None)


def head() -> None:
    """The model line of the page before and after a walk."""
    model_line.show(say("interview"))
