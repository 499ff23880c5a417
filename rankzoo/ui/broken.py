"""Broken: a model that was asked for and cannot stand, drawn up to the part that fails. The one in hand stays as it was."""
from __future__ import annotations

import json

import pandas as pd
import streamlit as st
from pydantic import ValidationError

from rankzoo.blueprint import SLOTS
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.export import picture
from rankzoo.figures import diagram
from rankzoo.figures.layout import Layout
from rankzoo.ui.component import scene
from rankzoo.ui.words import say, translate

COLUMNS = ("column", "part", "address", "what it says", "read by")


def show(trouble: ZooError) -> None:
    """The way to the part that fails in one line, where settings that are allowed one by one do not fit each other; nothing else
    can be drawn. Part by part it is closed at first: the model in hand, which is still good, is what comes next."""
    tried = tried_by(trouble)
    line = picture.way_to_the_break(tried.blueprint, tried.schema(), translate) if tried else None
    if line:
        scene(line, key="way", alt=say("The model up to the part that fails, in one line"))
        _in_full(tried)


@st.fragment
def _in_full(tried: Document) -> None:
    """Opened in a run of its own, since the page's next run knows nothing of a refusal any more."""
    with st.expander(say("The same part by part"), on_change="rerun", key="rz_broken") as opened:
        if opened.open:
            _part_by_part(picture.up_to_the_break(tried.blueprint, tried.schema(), translate))


def _part_by_part(layout: Layout) -> None:
    scene(diagram.excerpt(layout, last_columns(layout), say=translate), key="broken",
          alt=say("The model up to the part that fails"))
    if behind := [say(picture.HEADS[slot]) for slot in SLOTS[SLOTS.index(layout.columns[-1].slot) + 1:]]:
        st.caption(say("Not reached: {parts}", parts=", ".join(behind)))
    st.dataframe(rows(layout), hide_index=True, width="stretch", alt=say("The same as a table"), key="rz_broken_rows",
                 column_config={name: say(name) for name in COLUMNS})
    st.caption(say("B: rows of a batch · L: past items · m: vectors · d: numbers of a vector · N: items · "
                   "n: any number · y: labels"))


def rows(layout: Layout) -> pd.DataFrame:
    """The picture as a table: every part that stands, in the order of the forward pass, and the one that cannot, with both
    shapes."""
    return pd.DataFrame([(say(picture.HEADS[block.slot]), block.title, block.address,
                          ", ".join(filter(None, (block.detail, *block.words))), ", ".join(flow.to for flow in block.flows))
                         for block in layout.blocks.values()], columns=list(COLUMNS))


def last_columns(layout: Layout) -> tuple[str, ...]:
    """The columns that a page has room for, down to the one that fails: those on the left go first, and type stays legible."""
    spans = layout.spans
    right = max(span.right for span in spans.values())
    return tuple(slot for slot in spans if right - spans[slot].x <= picture.BROKEN_WIDTH) or tuple(spans)[-1:]


def tried_by(trouble: ZooError) -> Document | None:
    """The document that was tried; None where it is none, or where its data are not there."""
    if trouble.tried is None:
        return None
    try:
        tried = Document.model_validate_json(json.dumps(trouble.tried))
        tried.schema()
    except (ValidationError, ValueError):  # a ZooError is one too
        return None
    return tried
