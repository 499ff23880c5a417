"""Classroom: the app on a projector (`?class=1`): no sidebar, type for the back row, the diagram as wide as the window.

The mode stays with the visit from page to page, and stands in the address of each, so that one link brings a class to it."""
from __future__ import annotations

import streamlit as st

from rankzoo.ui.words import say

NAME, KEPT = "class", "rz_class"
LARGE = """<style>html{font-size:18px!important} @media(min-width:1600px){html{font-size:21px!important}}
.stMainBlockContainer{padding-top:3.75rem!important} .stMainBlockContainer>.stVerticalBlock{gap:.4rem}
.st-key-architect_diagram,.st-key-readout{--rz-room:calc(100vh - %srem)} .st-key-readout,.st-key-rz_line{margin-top:-.6rem}
.st-key-rz_line p{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.st-key-rz_tour{padding:0 .75rem!important;margin-bottom:-.5rem} .st-key-rz_tour p{white-space:nowrap}
.st-key-rz_tour button{min-height:2rem;padding-block:0}
@media(max-height:800px){.stAppHeader{height:2.7rem!important;min-height:0!important}
.stMainBlockContainer{padding-top:3.2rem!important}
.stMainBlockContainer:has(.st-key-architect_diagram){padding-top:2.5rem!important}
:has(.st-key-architect_diagram) .st-key-rz_head{margin-block:-.25rem -.5rem} .st-key-rz_tour{margin-top:.4rem}
.st-key-architect_diagram,.st-key-readout{--rz-room:calc(100vh - %srem)}}</style>"""
BESIDE, STRIP = (6.9, 5.4), (1.9, 2.3)
"""Rem that diagram and readout have not, with the gaps: menu and model line, in a low window closer to each other; and the line
of a tour."""


def on() -> bool:
    """Whether this visit is a class: by the address, else as on the page before."""
    return st.query_params.get(NAME, "1" if st.session_state.get(KEPT) else "") == "1"


def keep() -> None:
    """Going to another page empties the address; the mode stays with the visit and is written there again."""
    chosen = st.session_state[KEPT] = on()
    if chosen:
        st.query_params[NAME] = "1"
    else:
        st.query_params.pop(NAME, None)


def enter() -> None:
    """Make the visit a class, from here on."""
    st.session_state[KEPT] = True
    st.query_params[NAME] = "1"


def leave() -> None:
    """Back to one person at a screen."""
    st.session_state[KEPT] = False
    st.query_params.pop(NAME, None)


def look(strip: bool) -> None:
    """The sizes of a class; `strip`: whether a tour tells on top of the page how it goes on."""
    st.html(LARGE % tuple(beside + line * strip for beside, line in zip(BESIDE, STRIP, strict=True)))


def in_line() -> None:
    """The small button that ends it, in the model line."""
    if on():
        st.button("", key="rz_class_out", icon=":material/close_fullscreen:", type="tertiary", help=say("Leave class mode"),
                  on_click=leave)


def way_out() -> None:
    """The button that ends it, in the sidebar of every page: some have no model line."""
    with st.sidebar:
        st.button(say("Leave class mode"), key="rz_class_leave", icon=":material/close_fullscreen:", width="stretch",
                  on_click=leave)
