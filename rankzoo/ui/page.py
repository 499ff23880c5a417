"""Page: what all pages share: the model line with its link, problems and notices, and the figures' table twins."""
from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlencode

import pandas as pd
import pyarrow as pa
import streamlit as st

from rankzoo import link
from rankzoo.data.files import csv_text
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.facts import Source
from rankzoo.figures.theme import Theme, theme
from rankzoo.figures.words import flops, memory
from rankzoo.inspection.counts import memory as bytes_of
from rankzoo.ui import broken, navigation, state
from rankzoo.ui.words import say, translate

LONGEST = 60
"""Letters of a value that a button names."""
LINKED = ("run", "c", "lang", "view", "rows", "row", "with", "with_run", "category", "beta", "request", "feature")
"""What a shared address carries: what is in hand, and where one looked. A page takes none of it that is no choice of its own."""


def begin(linked: bool = True) -> None:
    """First call of every page: the address, then what must be said before anything else. `linked`: whether this page's
    address carries what is in hand."""
    navigation.entered()
    state.begin(linked)
    trouble = state.problem()
    if trouble:
        _said(trouble)
    if notices := state.notices():
        st.info("  \n".join(escaped(notice) for notice in notices))


def _said(trouble: ZooError) -> None:
    """What could not be in a sentence, with a button for the nearest thing that can, and how far the model stands."""
    place = broken.place(trouble)
    st.error((f"**{escaped(place)}:** " if place else "") + escaped(trouble.text(translate)))
    if trouble.cure and trouble.tried and _mends(trouble):
        path, value = trouble.cure
        st.button(_offer(path.removeprefix("blueprint."), value), key="rz_mend", icon=":material/build:", on_click=state.mend,
                  args=(trouble,))
    broken.show(trouble)


def _mends(trouble: ZooError) -> bool:
    """Whether the cure leads anywhere: to another model than the one in hand, or to what else is wrong."""
    try:
        return Document.mended(trouble.tried, trouble.cure) != state.document()
    except ZooError:
        return True


def _offer(path: str, value: object) -> str:
    """What a press would set: where that is long, its address alone."""
    said = _value(value)
    return say("Set {at} to {value}", at=escaped(path), value=escaped(said)) if path and len(said) <= LONGEST else say(
        "Mend {at}", at=escaped(path or say("the document")))


def _value(value: object) -> str:
    """A value as the sentences and `--set` write it: JSON's true, false and null; lists and groups by their members."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_value(each)}" for name, each in value.items()) or say("none")
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each["kind"]) if isinstance(each, dict) and "kind" in each else _value(each)
                         for each in value) or say("none")
    return value if isinstance(value, str) else json.dumps(value)


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


def escaped(text: str) -> str:
    """Text with everything escaped that Markdown would take for markup."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()#+-.!|<>~$:&" else sign for sign in text)
