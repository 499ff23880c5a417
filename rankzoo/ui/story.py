"""Story: what a system's own file tells of it: its seven choices, what it reached, what is often said wrongly of it."""
from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from rankzoo.blueprint import SLOTS
from rankzoo.components.slot import Slot
from rankzoo.export.picture import HEADS
from rankzoo.facts import Fact
from rankzoo.system import System
from rankzoo.ui import page, provenance
from rankzoo.ui.page import escaped
from rankzoo.ui.words import ASSUMED, badge, say, translate

DASH = "–"


def slots(system: System) -> None:
    """The seven components as a table: what stands there, and why; an empty one says why it is empty."""
    head = f"| {say('Component')} | {say('Here')} | {say('What it does, and why')} |\n|:--|:--|:--|\n"
    st.markdown(head + "\n".join(_row(system, number, slot) for number, slot in enumerate(SLOTS, 1)))


def _row(system: System, number: int, slot: str) -> str:
    specs = _specs(system, slot)
    name = f"{number}\u00a0{say(HEADS[slot])}"
    why = system.lesson.why.get(slot, "")
    sure = how_sure(system, slot) if why else ""
    if not _used(system, slot):
        return f"| :gray[{name}] | :gray[{DASH}] | :gray[{escaped(say(why or 'Not used.'))}]{sure} |"
    text = escaped(say(why)) + sure if why else f":gray[{' '.join(escaped(say(spec.described())) for spec in specs)}]"
    held = " + ".join(translate(spec.called()) for spec in specs)
    return f"| **{name}** | {escaped(held)} | {text} |"


def how_sure(system: System, slot: str, surest: bool = True) -> str:
    """A badge of how sure what the lesson tells of a slot is; empty where nobody says, or, without `surest`, where it is not
    assumed."""
    tag = system.sure(slot) if slot else None
    return f" {badge(tag)}" if tag and (surest or tag in ASSUMED) else ""


def _specs(system: System, slot: str) -> tuple[Slot, ...]:
    if not system.blueprint.used(slot):
        return ()
    value = getattr(system.blueprint, slot)
    return value if isinstance(value, tuple) else (value,)


def _used(system: System, slot: str) -> bool:
    return bool(system.slots()[slot])


def measured(system: System) -> None:
    """What its source says that it reached, each with its tag; one sentence where nothing could be read."""
    lesson = system.lesson
    if not (lesson.measured or lesson.unmeasured):
        return
    st.markdown(f"**{say('What was measured')}**")
    for fact in facts(system, lesson.measured):
        st.markdown(fact)
    if lesson.unmeasured:
        st.markdown(f":gray[{escaped(say(lesson.unmeasured))}]")


def facts(system: System, names: Iterable[str]) -> list[str]:
    """Facts by name as lines of Markdown: what, value, where it stands, tag."""
    known = {fact.name: fact for fact in system.facts}
    return [_fact(known[name]) for name in names if name in known]


def _fact(fact: Fact) -> str:
    return (f"{escaped(say(fact.name))}: **{escaped(say(fact.value))}** :gray[{escaped(provenance.place(fact))}] "
            f"{badge(fact.tag)}")


def misreadings(system: System) -> None:
    """What is often said of it, and what is so."""
    st.markdown(f"**{say('Often said wrongly')}**")
    for said, so in system.lesson.misreadings.items():
        st.markdown(f":gray[“{escaped(say(said))}”]  \n{escaped(say(so))}")


def cited(system: System) -> str:
    """Name and source as the head of a page."""
    return f"**{escaped(system.title)}** :gray[{page.cited(system.source)}]"
