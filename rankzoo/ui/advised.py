"""Advised: what an expert would object to in the model in hand, each with the button that mends it."""
from __future__ import annotations

import streamlit as st

from rankzoo.document import Document
from rankzoo.inspection.advice import Advice, advice
from rankzoo.ui import page, state
from rankzoo.ui.words import say, translate

SHOWN = 3


def show(document: Document) -> None:
    """A line for each objection, the first ones of the forward pass; how many more there are."""
    found = advice(document.blueprint, document.schema())
    for i, each in enumerate(found[:SHOWN]):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"rz_advice:{i}:{each.at}"):
            st.markdown(f":orange[:material/warning:] **{page.escaped(each.filled(each.what, translate))}** "
                        f"{page.escaped(each.filled(each.why, translate))} :gray[`{each.at}`]", width="stretch")
            st.button(each.filled(each.label, translate), key=f"cure:{i}:{each.at}", icon=":material/build:",
                      on_click=_mend, args=(each,))
    if len(found) > SHOWN:
        st.caption(say("and {n} more", n=len(found) - SHOWN))


def _mend(each: Advice) -> None:
    state.attempt(lambda: state.put(state.document().but(each.cure)))
