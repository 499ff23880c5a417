"""Tour: the strip on top of a page that leads through the app: where one is, what to see there, Back and Next."""
from __future__ import annotations

import streamlit as st

from rankzoo.teaching.tour import Stop, stops
from rankzoo.ui import classroom, state
from rankzoo.ui.component import to_top
from rankzoo.ui.words import badge, escaped, say

NAME, KEPT = "tour", "rz_tour"


def going_on() -> bool:
    """Whether this visit is on a tour."""
    return bool(_asked())


def go(at: int = 1) -> None:
    """To a stop, counted from 1."""
    stop = stops(state.document().system)[at - 1]
    st.session_state[KEPT] = str(at)
    st.session_state.pop("rz_sel", None)  # the part that an address names is taken up once
    st.switch_page(f"pages/{stop.page}.py", query_params={NAME: str(at), **stop.query})


def show(page: str) -> None:
    """The strip, on every page of a visit that is on a tour."""
    asked, every = _asked(), stops(state.document().system)
    at = int(asked) if asked.isdecimal() and len(asked) < 3 else 0
    if not 1 <= at <= len(every):
        return end()
    st.session_state[KEPT] = st.query_params[NAME] = str(at)
    stop, away = every[at - 1], page != every[at - 1].page
    with st.container(border=True, horizontal=True, wrap=False, vertical_alignment="center", gap="small", key="rz_tour"):
        if classroom.on() and not away:  # one line: who teaches tells the rest, and finds it at the mark
            st.markdown(_title(stop, at, len(every)), width="stretch", help=_told(stop))
        else:
            st.markdown(_words(stop, at, len(every), away), width="stretch")
        if away:
            to = at if st.button(say("Back to the tour"), key="tour_here", icon=":material/undo:", type="tertiary") else 0
        else:
            to = _moved(at, len(every))
        if st.button("", key="tour_end", icon=":material/close:", type="tertiary", help=say("End the tour"), on_click=end):
            st.rerun()
        to_top(f"{page} {at}", key="rz_top")
    if to > len(every):
        end()
        st.switch_page("pages/zoo.py")
    if to:
        go(to)


def end() -> None:
    """The tour is over, wherever one is."""
    st.session_state.pop(KEPT, None)
    st.query_params.pop(NAME, None)


def _moved(at: int, last: int) -> int:
    """Back and Next: the stop that one of them leads to, or 0."""
    back = at > 1 and st.button(say("Back"), key="tour_back", icon=":material/arrow_back:", type="tertiary")
    title = say("Next") if at < last else say("Finish")
    ahead = st.button(title, key="tour_next", icon=":material/arrow_forward:", icon_position="right")
    return at - 1 if back else at + 1 if ahead else 0


def _words(stop: Stop, at: int, last: int, away: bool) -> str:
    head = _title(stop, at, last)
    if away:
        return f"{head} :gray[{say('The tour goes on where you left it.')}]"
    return f"{head} {_told(stop)}"


def _title(stop: Stop, at: int, last: int) -> str:
    return f":gray[{say('{n} of {all}', n=at, all=last)}] **{say(stop.title)}**"


def _told(stop: Stop) -> str:
    return " ".join(filter(None, (escaped(say(stop.text)) if stop.text else "",
                                  badge(stop.sure) if stop.sure else "",
                                  f":gray[{escaped(say(stop.task))}]" if stop.task else "")))


def _asked() -> str:
    """The stop that the address asks for, or the one of the page before."""
    return st.query_params.get(NAME, st.session_state.get(KEPT, ""))
