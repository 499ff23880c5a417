"""Page: what all pages share: problems and notices, the figures' table twins, and the ways to write words."""
from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import streamlit as st

from rankzoo.data.files import csv_text
from rankzoo.facts import Source
from rankzoo.figures.theme import Theme, theme
from rankzoo.ui import classroom, navigation, offer, sooner, state, tour
from rankzoo.ui.words import escaped, say


def begin(name: str, linked: bool = True, patient: bool = False) -> Callable[[], None]:
    """First call of every page, which says its name: the address, then what must be said before anything else. `linked`: whether
    this page's address carries what is in hand; `patient`: whether the page ends with what is returned, which looks for what
    mends a refusal once everything else is drawn."""
    navigation.entered()
    state.begin(linked)
    tour.show(name)
    if classroom.on():
        classroom.way_out()
    with st.container():  # a place of its own, so that a browser need not build anew what stands below
        trouble = state.problem()
        last = offer.show(trouble) if trouble else _nothing
        if not patient:
            last()
        if notices := state.notices():
            st.info("  \n".join(escaped(notice) for notice in notices))
    if trouble:
        sooner.alone()
    return last


def _nothing() -> None:
    """Nothing was refused."""


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
