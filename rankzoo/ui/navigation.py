"""Navigation: the list of pages, shared by the entry file and by a page that was opened before the entry file ever ran.

Until `st.navigation` has been called once in a server, Streamlit takes the folder `pages/` for its old page discovery and
runs a page file alone, without the entry file. The first visitor of a server who follows a link to a page would see it
bare; `entered` notices that, declares the pages and starts the run again, now through the entry file.
"""
from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from rankzoo.ui.words import say

ENTERED = "rz_entered"
PAGES = Path(__file__).parents[2] / "pages"


def pages() -> list[StreamlitPage]:
    """Every page, in the order of the menu."""
    return [
        st.Page(PAGES / "zoo.py", title=say("Zoo"), url_path="home", default=True),
        st.Page(PAGES / "architect.py", title=say("Architect"), url_path="architect"),
        st.Page(PAGES / "train.py", title=say("Train"), url_path="train"),
        st.Page(PAGES / "inside.py", title=say("Inside"), url_path="inside"),
        st.Page(PAGES / "claims.py", title=say("Claims"), url_path="claims"),
        st.Page(PAGES / "learn.py", title=say("Learn"), url_path="learn"),
        st.Page(PAGES / "interview.py", title=say("Interview"), url_path="interview"),
        st.Page(PAGES / "data.py", title=say("Data"), url_path="data"),
        st.Page(_root, title=say("Zoo"), url_path="zoo", visibility="hidden"),
    ]


def _root() -> None:
    """The first page's own name leads to it: Streamlit serves a default page at the root alone."""
    st.switch_page(PAGES / "zoo.py", query_params=dict(st.query_params))


def enter() -> StreamlitPage:
    """Declare the pages; returns the one that was asked for. Called by the entry file."""
    st.session_state[ENTERED] = True
    return st.navigation(pages(), position="top")


def entered() -> None:
    """Start again through the entry file where a page runs without it."""
    if not st.session_state.get(ENTERED):
        enter()
        st.rerun()
