"""Address: the run and the document in hand, as the browser's address names them.

A browser tells its address with whatever is pressed. Until it has heard of those that were written since, what it tells is an old
one, which asks for nothing; once it has told the last one, an older one is a wish again, and so is its own way back.
"""
from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

NAMES = ("run", "c")
LINK, LEFT = "rz_link", "rz_left"
"""Where the address that was written or taken up last is remembered, and those before it of which the browser may be at one."""


def asked() -> tuple[str, str] | None:
    """The run and the document that the address asks for, where they were not taken up before; else None."""
    found, memory = tuple(st.query_params.get(name, "") for name in NAMES), st.session_state
    known = memory.get(LINK, ("", ""))
    if found == known or not any(found):
        memory[LEFT] = ()
        return None
    return None if found in memory.get(LEFT, ()) and not _turned_back() else found


def known() -> bool:
    """Whether an address named something: one that was taken up, or one that was written."""
    return any(st.session_state.get(LINK, ("", "")))


def heard(link: tuple[str, str]) -> None:
    """An address was taken up."""
    st.session_state[LINK] = link


def write(wanted: tuple[str, str]) -> None:
    """Let the address name this run and this document; an empty name is not in it."""
    memory, params = st.session_state, st.query_params
    for name, value in zip(NAMES, wanted, strict=True):
        if params.get(name, "") != value:
            params.update({name: value}) if value else params.pop(name)
    known = memory.get(LINK, ("", ""))
    if wanted != known:
        memory[LEFT] = (*memory.get(LEFT, ()), known)
    memory[LINK] = wanted


def _turned_back() -> bool:
    """Whether the browser's own way back or forward was taken."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation
