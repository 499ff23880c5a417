"""Sooner: what a person looks at is on the screen before the rest of the page.

A browser draws together what arrives while it is drawing, and a page takes longer to draw than to compute. So a picture and a
refusal leave alone.
"""
from __future__ import annotations

import time

import streamlit as st

from rankzoo.document import Document
from rankzoo.ui import state

PICTURED, CAPTIONED = "rz_pictured", "rz_captioned"
"""Where it is remembered of which document the picture was drawn last, and of which part the caption."""
ALONE = 0.08
"""Seconds in which what was sent reaches a browser, and it begins to draw."""


def alone() -> None:
    """Lets what was sent so far be drawn without what follows."""
    time.sleep(ALONE)


def whole_page_after_words() -> None:
    """First line of a fragment: run the whole page where something done in the fragment has to be said above it."""
    if st.session_state["rz_problem"] or st.session_state["rz_notices"]:
        st.rerun()


def clicked(document: Document, chosen: str) -> bool:
    """Whether all that was asked for since the last drawing is another part's caption."""
    last, st.session_state[CAPTIONED] = st.session_state.get(CAPTIONED, chosen), chosen
    return last != chosen and st.session_state.get(PICTURED) is document


def cleared(place: str, drawn: int) -> None:
    """Behind the last of what was drawn in a place: of what stood there before and is not drawn again, nothing is seen until the
    run ends, when a browser takes it away."""
    had, st.session_state[place] = st.session_state.get(place, 0), drawn
    for _ in range(drawn, had):
        st.empty()


def pictured(drawn: Document) -> None:
    """Behind a picture in a fragment that was drawn of `drawn`: an edit is shown at once, and what else the page says of it
    follows; the whole page does, where the edit was made in the fragment."""
    now = state.document()
    last, st.session_state[PICTURED] = st.session_state.get(PICTURED, now), now
    if last is not now:
        alone()
    if drawn is not now:
        st.rerun()
