"""Fields: widgets that show what is in hand.

A browser tells the values of all fields with each press. Where one was pressed before the last answer was all there, a field that
was just given another value tells the one that it had, which nobody typed.
"""
from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from rankzoo.ui import component

TURNED = ("undo", "redo")
"""Buttons that a key presses, as fast as a drawing."""
SHOWN = "rz_shown"
"""Where it is remembered what each field shows, and what it had before."""


def synchronise(key: str, value: object) -> None:
    """Let a field show a value, before it is drawn; what it had is remembered."""
    memory, shown = st.session_state, st.session_state.setdefault(SHOWN, {})
    _, had = shown.get(key, (value, value))
    if memory.get(key) != value:
        had = memory.get(key, value)
        memory[key] = value
    shown[key] = value, had


def answered(key: str, change: Callable[..., None], *arguments: object) -> None:
    """Answer a field's change, unless it is late."""
    if not late(key):
        change(*arguments)


def late(key: str) -> bool:
    """Whether a field has told what it had before, together with something else that was pressed or typed: nobody does both at
    once."""
    memory = st.session_state
    return _old(key) and (component.spoke() or any(memory.get(each) for each in TURNED) or any(map(_new, memory.get(SHOWN, {}))))


def _old(key: str) -> bool:
    shown, had = st.session_state.get(SHOWN, {}).get(key, (None, None))
    return st.session_state[key] == had != shown


def _new(key: str) -> bool:
    """Whether a field tells what it neither shows nor had."""
    return key in st.session_state and st.session_state[key] not in st.session_state[SHOWN][key]
