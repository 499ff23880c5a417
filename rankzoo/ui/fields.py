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


def synchronise(key: str, value: object) -> None:
    """Let a field show a value, before it is drawn; what it had is remembered."""
    memory = st.session_state
    if memory.get(key) != value:
        if key in memory:
            memory[f"{key}:had"] = memory[key]
        memory[key] = value


def answered(key: str, change: Callable[..., None], *arguments: object) -> None:
    """Answer a field's change, unless it is late."""
    if not late(key):
        change(*arguments)


def late(key: str) -> bool:
    """Whether a field has told what it had before, together with a press of something else: nobody does both at once."""
    memory = st.session_state
    had = f"{key}:had"
    pressed = component.spoke() or any(memory.get(each) for each in TURNED)
    return pressed and had in memory and memory[key] == memory[had]
