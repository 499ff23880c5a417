"""Learn, one of the seven components: what it does, what it is in the model in hand, its kinds, and who uses it."""
from __future__ import annotations

import streamlit as st

from rankzoo.blueprint import kinds
from rankzoo.components.slot import Slot
from rankzoo.figures.words import flops, whole
from rankzoo.registry import systems
from rankzoo.teaching.components import COMPONENTS
from rankzoo.ui import page, state, story
from rankzoo.ui.page import escaped
from rankzoo.ui.words import say, translate

GO = "rz_learn_go"


def show(slot: str) -> None:
    """The lesson of one component, bound to the model in hand."""
    lesson = COMPONENTS[slot]
    left, middle, right = st.columns(3, gap="medium")
    for place, title, text in ((left, say("What it does"), lesson.does), (middle, say("Without it"), lesson.without),
                               (right, say("Try it"), lesson.try_it)):
        with place, st.container(border=True, height="stretch"):
            st.markdown(f":gray[{title}]  \n{escaped(say(text))}")
    _here(slot)
    st.markdown(f"**{say('What can stand here')}**")
    st.markdown(_kinds(slot))


def _here(slot: str) -> None:
    """What the model in hand has in this slot, and what it costs there."""
    document = state.document()
    value = getattr(document.blueprint, slot)
    specs = value if isinstance(value, tuple) else (value,)
    count = document.blueprint.count(document.schema()).within(slot)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="cta_component"):
        used = document.blueprint.used(slot)
        held = " + ".join(escaped(translate(spec.called())) for spec in specs if used) or say("nothing")
        line = say("**In the model in hand**, {name}: {held}.", name=escaped(document.system.brand), held=held)
        if used:
            line += " :gray[" + say("{parameters} parameters, {flops} per example", parameters=whole(count.parameters),
                                    flops=flops(count.flops)) + "]"
        why = document.system.lesson.why.get(slot, "")
        same = used == document.system.blueprint.used(slot)  # else the reason is of a model that is no longer this one
        told = f"  \n{escaped(say(why))}{story.how_sure(document.system, slot)}" if why and same else ""
        st.markdown(line + told, width="stretch")
        st.button(say("Look at it"), key="learn_component", type="primary", icon=":material/arrow_forward:", on_click=_look,
                  args=(slot,))


def _look(slot: str) -> None:
    st.session_state[GO], st.session_state["architect_diagram"] = "architect", {"selected": slot}


def _kinds(slot: str) -> str:
    """Every kind as a row: name, what it is, its paper, and the systems of the zoo that have it there."""
    head = f"| {say('Kind')} | {say('What it is')} | {say('Source')} | {say('In')} |\n|:--|:--|:--|:--|\n"
    return head + "\n".join(_kind(slot, kind, spec) for kind, spec in kinds(slot).items())


def _kind(slot: str, kind: str, spec: type[Slot]) -> str:
    users = [system.brand for system in systems().values() if kind in (system.slots()[slot] or "").split(" + ")]
    source = page.cited(spec.source) if spec.source else ""
    return f"| **{escaped(say(spec.title))}** | {escaped(say(spec.sentence))} | {source} | {escaped(', '.join(users))} |"
