"""Broken: a model that was asked for and cannot stand, drawn up to the part that fails. The one in hand stays as it was."""
from __future__ import annotations

import json

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


def show(trouble: ZooError) -> None:
    """The picture, where settings that are allowed one by one do not fit each other; nothing else can be drawn."""
    layout = layout_of(trouble)
    if layout:
        with st.expander(say("What was tried, up to the part that fails"), expanded=True, key="rz_broken"):
            scene(diagram.excerpt(layout, SLOTS, say=translate), key="broken", alt=say("The model up to the part that fails"))
            st.caption(say("B: rows of a batch · L: past items · m: vectors · d: numbers of a vector · N: items · "
                           "n: any number · y: labels"))


def layout_of(trouble: ZooError) -> Layout | None:
    """Where everything stands up to the break; None where what was tried is no document, or stands."""
    if trouble.tried is None:
        return None
    try:
        tried = Document.model_validate_json(json.dumps(trouble.tried))
        return picture.up_to_the_break(tried.blueprint, tried.schema(), translate)
    except (ValidationError, ValueError):  # a ZooError is one too: data or tasks that are not there
        return None
