"""Changed: what differs from the preset, each setting with a button that puts it back, and one for all of them."""
from __future__ import annotations

import streamlit as st

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.exchange import joined
from rankzoo.export.about import SHOWN, differences, differing
from rankzoo.inspection.changes import Change
from rankzoo.ui import architect, page, rung, state
from rankzoo.ui.words import say, translate


def show(document: Document) -> None:
    """One line with the first changes; behind it all of them, each with its way back. Nothing where nothing differs."""
    found = differing(document)
    if not found:
        return
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="rz_changed"):
        st.markdown(line(document), width="stretch")
        with st.popover(say("Put back"), icon=":material/undo:"):
            for each in found:
                with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
                    st.markdown(f"`{each.address}` {_from_to(each)}", width="stretch")
                    st.button(say("Put back"), key=f"back:{each.address}:{each.after is None}", on_click=_back, args=(each,),
                              help=page.escaped(say("Back to {value}", value=_before(each))))
            st.button(say("Put all back"), key="back:all", icon=":material/restart_alt:", on_click=all_back)


def line(document: Document) -> str:
    """The first changes in one line of Markdown; empty where nothing differs."""
    words = differences(document, translate, SHOWN)
    return f":orange[●] **{say('Changed from the preset:')}** {page.escaped(words)}" if words else ""


def _before(change: Change) -> str:
    return rung.valued(change.before, change.whole)


def _from_to(change: Change) -> str:
    return page.escaped(f"{_before(change)} → {rung.valued(change.after, change.whole)}")


def _back(change: Change) -> None:
    """Put one back; where that cannot be by itself, say why."""
    document = state.document()
    path, value = change.back(document.blueprint, document.unchanged().blueprint)
    if path in architect.BY_NAME:
        architect.BY_NAME[path](value)
        return
    names_its_fields = path.partition(".")[0] == "concatenation"  # to join others instead would not be the way back
    try:
        after = document.but([(path, value)])
        state.put(after) if names_its_fields else state.put_joined(*joined(document, after))
    except ZooError as problem:
        state.tell(say("{address} cannot be put back alone: {why}", address=change.address, why=problem.text(translate)))


def all_back() -> None:
    """Back to the preset's components and sizes; data, training settings and the run in hand stay."""
    document = state.document()
    state.attempt(lambda: state.put(document.model_copy(update={"blueprint": document.unchanged().blueprint})))
