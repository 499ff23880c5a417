"""Page: what all pages share: the model line with its link, problems and notices, and the figures' table twins."""
from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pandas as pd
import pyarrow as pa
import streamlit as st

from rankzoo import link
from rankzoo.data.files import csv_text
from rankzoo.facts import Source
from rankzoo.figures.theme import Theme, theme
from rankzoo.figures.words import flops, memory
from rankzoo.inspection.counts import memory as bytes_of
from rankzoo.ui import navigation, offer, state
from rankzoo.ui.words import escaped, say

LINKED = ("run", "c", "lang", "view", "rows", "row", "with", "with_run", "category", "beta", "request", "feature")
"""What a shared address carries: what is in hand, and where one looked. A page takes none of it that is no choice of its own."""


def begin(linked: bool = True) -> None:
    """First call of every page: the address, then what must be said before anything else. `linked`: whether this page's
    address carries what is in hand."""
    navigation.entered()
    state.begin(linked)
    trouble = state.problem()
    if trouble:
        offer.show(trouble)
    if notices := state.notices():
        st.info("  \n".join(escaped(notice) for notice in notices))


def head(detail: str = "", right: str = "", sel: str = "") -> None:
    """The model line: name, grey source, what is assumed; on the right what it costs, and Share, with the part in hand."""
    document = state.document()
    system = document.system
    changed = document.changed()
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="rz_head"):
        line = f"**{escaped(system.title)}** :gray[{escaped(detail or system.source.short)}]"
        if changed:
            line += f" :orange[●] {say('{n} changed', n=len(changed))}"
        if document.assumed:
            line += f" :orange-badge[{say('{n} values assumed', n=len(document.assumed))}]"
        st.markdown(line, width="stretch")
        st.markdown(f":gray[{right or cost()}]", width="content")
        with st.popover(say("Share"), icon=":material/link:", on_change="rerun", key="rz_share") as opened:
            if opened.open:  # only then is the address what one looks at now
                st.caption(say("This address opens the same model in another browser."))
                st.code(address(sel), language=None, wrap_lines=True)


def cost() -> str:
    """«0.12 MFLOP per example · 77 MB» of the model in hand."""
    document = state.document()
    count = document.blueprint.count(document.schema())
    return say("{flops} per example · {memory}", flops=flops(count.flops),
               memory=memory(bytes_of(count, document.settings.batch_size)["serving"]))


def address(sel: str = "") -> str:
    """The address of what is in hand, as another browser needs it."""
    base = (st.context.url or "").split("?")[0]
    kept = {name: st.query_params[name] for name in LINKED if name in st.query_params}
    kept |= {"sel": sel} if sel else {}
    return f"{base}?{urlencode(kept or {'c': link.encode(state.document())})}"


def twin(table: pd.DataFrame | Callable[[], pd.DataFrame], name: str) -> None:
    """The numbers behind a figure (or what makes them once they are asked for), for reading and for download."""
    with st.expander(say("The same as a table"), on_change="rerun", key=f"twin:{name}") as opened:
        if opened.open:
            table = table() if callable(table) else table
            st.dataframe(table, hide_index=True, column_config={name: _heading(name, table[name]) for name in table.columns})
            st.download_button(say("Download CSV"), lambda: csv_text(pa.Table.from_pandas(table, preserve_index=False)),
                               f"{name}.csv", "text/csv", key=f"csv:{name}")


def _heading(name: str, column: pd.Series) -> object:
    """A column's name in words; whole numbers with commas."""
    said = say(str(name).replace("_", " "))
    if pd.api.types.is_integer_dtype(column):
        return st.column_config.NumberColumn(said, format="localized" if name != "year" else "%d")
    return st.column_config.Column(said)


def colours() -> Theme:
    """The palette of the theme on screen, for figures that need explicit colours."""
    return theme("dark" if st.context.theme.type == "dark" else "light")


def cited(source: Source) -> str:
    """A source in a few words, as a link to the paper where it has a DOI."""
    return f"[{escaped(source.short)}]({source.url})" if source.url else escaped(source.short)
