"""Fields: widgets that show what is in hand.

A browser tells the values of all fields with each press. Where one was pressed before the last answers were all there, a field
that was given other values since tells one that it had, which nobody typed.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from rankzoo import saying
from rankzoo.errors import ZooError
from rankzoo.ui import component
from rankzoo.ui.words import escaped, say, translate

TURNED = ("undo", "redo")
"""Buttons that a key presses, as fast as a drawing."""
UNIT, UNCUT = 1.0, "%.0f"
"""Step and format of a field for a whole number: it shows one, and tells what was typed."""
SHOWN = "rz_shown"
"""Where it is remembered what each field shows, and what it had before."""
LAST = 30
"""Of how many answers a browser may be behind: more than a person presses while one is on its way."""


def synchronise(key: str, value: object) -> None:
    """Let a field show a value, before it is drawn; what it had is remembered."""
    memory, shown = st.session_state, st.session_state.setdefault(SHOWN, {})
    now, had = shown.get(key, (value, ()))
    told = memory.get(key, value)
    if key not in memory or told != value:
        memory[key] = value
    shown[key] = value, (*had, *(each for each in (now, told) if each != value))[-LAST:]


def counted(key: str) -> object:
    """What a field for a whole number tells: that, or the fraction that was typed, which the server refuses. A field that takes
    whole numbers alone would cut it off and say nothing."""
    value = st.session_state[key]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def asked(title: str, key: str, least: float, most: float, usual: float | None, *, called: str = "", whole: bool = True,
          step: float = UNIT, empty: str = "", linked: bool = False, width: int | Literal["stretch"] = "stretch") -> Any:
    """A number that is no setting of a model, as it is typed. Of what cannot be, a sentence says what is allowed, with a press
    for the nearest; what was asked for before stays.

    `called` is its name in that sentence, where the title says more; `empty` is what stands in a field that may be left without a
    number, which is None then; a linked one stands in the address by its key.
    """
    memory, held = st.session_state, f"{key}:held"
    start: Any = None if empty else "min"  # only without a key in memory may a widget name its own start
    if linked and key not in memory:
        start = float(usual)
    elif not linked:
        memory.setdefault(key, None if usual is None else float(usual))
    typed = st.number_input(title, value=start, key=key, step=step, format=UNCUT if whole else "%g", placeholder=empty or None,
                            width=width, bind="query-params" if linked else None)
    if (empty and typed is None) or told(called or title, key, typed, range_of(least, most, whole)):
        memory[held] = int(typed) if whole and typed is not None else typed
    before = memory.get(held, usual)
    return before if before is None or least <= before <= most else usual


def last(key: str) -> Any:
    """What a field was asked for last that can be; None where it was nothing."""
    return st.session_state.get(f"{key}:held")


def range_of(least: float, most: float | None = None, whole: bool = True) -> dict[str, Any]:
    """What a number may be, as a JSON schema."""
    bounds = {"minimum": least} if most is None else {"minimum": least, "maximum": most}
    return {"type": "integer" if whole else "number", "default": least, **bounds}


def stands(typed: float, allowed: dict[str, Any]) -> bool:
    """Whether a number is one that is allowed."""
    return saying.nearest(allowed, typed) == typed


def told(name: str, key: str, typed: float, allowed: dict[str, Any]) -> bool:
    """Whether a field's number is allowed; of another one a sentence says what is, with a press for the nearest."""
    if stands(typed, allowed):
        return True
    problem = ZooError("{at}: {allowed}.", "Found {found}.", at=name, allowed=saying.allowed(allowed), found=f"{typed:,.15g}")
    st.error(escaped(problem.text(translate)))
    near = saying.nearest(allowed, typed)
    if near is not None:
        st.button(say("Set {at} to {value}", at=escaped(name), value=f"{near:,}"), key=f"{key}:near", icon=":material/build:",
                  on_click=st.session_state.update, args=({key: near},))
    return False


def answered(key: str, change: Callable[..., None], *arguments: object) -> None:
    """Answer a field's change, unless it is late."""
    if not late(key):
        change(*arguments)


def late(key: str) -> bool:
    """Whether a field tells what it shows or had, together with something else that was pressed or typed: nobody does both at
    once."""
    memory = st.session_state
    told = component.spoke() or any(memory.get(each) for each in TURNED)
    return not _new(key) and (told or any(map(_new, memory.get(SHOWN, {}))))


def _new(key: str) -> bool:
    """Whether a field tells what it neither shows nor had."""
    memory = st.session_state
    if key not in memory or key not in memory.get(SHOWN, {}):
        return key in memory
    shown, had = memory[SHOWN][key]
    return memory[key] not in (shown, *had)
