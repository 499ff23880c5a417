"""Head: the model line of every page about a model: what is in hand, what it costs, and its link and files to take along."""
from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from rankzoo import link
from rankzoo.figures.words import memory, work
from rankzoo.inspection.memory import memory as bytes_of
from rankzoo.ui import classroom, provenance, state, take
from rankzoo.ui.changed import differing
from rankzoo.ui.page import escaped
from rankzoo.ui.words import say

LINKED = ("run", "c", "lang", "class", "tour", "view", "rows", "row", "with", "with_run", "category", "beta", "request",
          "feature")
"""What a shared address carries: what is in hand, and where one looked. A page takes none of it that is no choice of its own."""


def show(detail: str = "", right: str = "", sel: str = "") -> None:
    """The model line, one line in every window: name, grey source or what else there is to say (cut where there is no room), what
    is changed and what is assumed; on the right what it costs, Share with the part in hand, and Export."""
    document = state.document()
    system, changed = document.system, differing(document)
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xsmall", key="rz_head"):
        line = f"**{escaped(system.title)}** :gray[{escaped(detail or system.source.brief)}]"
        if changed:
            line += f" :small[:orange[● {say('{n} changed', n=len(changed))}]]"
        with st.container(key="rz_model"):
            st.markdown(f"{line} {provenance.sizes(len(document.assumed))}")
        st.markdown(f":small[:gray[{right or cost()}]]", width="content")
        with st.popover(say("Share"), icon=":material/link:", type="tertiary", on_change="rerun", key="rz_share") as opened:
            if opened.open:  # only then is the address what one looks at now
                st.caption(say("This address opens the same model in another browser."))
                st.code(address(sel), language=None, wrap_lines=True)
        with st.popover(say("Export"), icon=":material/download:", type="tertiary", on_change="rerun", key="rz_take") as opened:
            if opened.open:
                take.show(document)
        classroom.in_line()


def cost() -> str:
    """«0.12 MFLOP per example · 77 MB» of the model in hand."""
    document = state.document()
    count = document.blueprint.count(document.schema())
    return say("{flops} per example · {memory}", flops=work(count, say),
               memory=memory(bytes_of(count, document.settings.batch_size)["serving"]))


def address(sel: str = "") -> str:
    """The address of what is in hand, as another browser needs it."""
    base = (st.context.url or "").split("?")[0]
    kept = {name: st.query_params[name] for name in LINKED if name in st.query_params}
    kept |= {"sel": sel} if sel else {}
    return f"{base}?{urlencode(kept or {'c': link.encode(state.document())})}"
