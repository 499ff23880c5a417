"""Page: what all pages share: problems and notices, the figures' table twins, and the ways to write words."""
from __future__ import annotations

import json
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import streamlit as st

from rankzoo.data.files import csv_text
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.facts import Source
from rankzoo.figures.theme import Theme, theme
from rankzoo.ui import broken, classroom, navigation, state, tour
from rankzoo.ui.words import escaped, say, translate

LONGEST = 60
"""Letters of a value that a button names."""


def begin(name: str, linked: bool = True) -> None:
    """First call of every page, which says its name: the address, then what must be said before anything else. `linked`: whether
    this page's address carries what is in hand."""
    navigation.entered()
    state.begin(linked)
    tour.show(name)
    if classroom.on():
        classroom.way_out()
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
