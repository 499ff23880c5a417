"""Counted: what the model in hand takes, as a whole and component by component: numbers, work, memory, shapes."""
from __future__ import annotations

import pandas as pd
import streamlit as st

from rankzoo.document import Document
from rankzoo.figures.words import flops, memory, whole
from rankzoo.inspection import counts
from rankzoo.ui.words import say


def show(document: Document) -> None:
    """All counts of the components, for who asks; those of every module stand in the table below the page."""
    with st.expander(say("What each component takes, and its shapes"), on_change="rerun", key="rz_counted") as opened:
        if opened.open:
            _all(document)


def _all(document: Document) -> None:
    count, batch = document.blueprint.count(document.schema()), document.settings.batch_size
    bytes_of = counts.memory(count, batch)
    st.dataframe(table(document), hide_index=True, width="stretch", alt=say("What each component takes, and its shapes"))
    st.caption(say("{parameters} parameters × 4 bytes = {serving} in serving. Training adds a gradient and two states of Adam "
                   "for each of {dense} dense numbers, two numbers for each row of a table, and {activations} activations for "
                   "each of {batch} examples of a batch: {training}.", parameters=whole(count.parameters),
                   serving=memory(bytes_of["serving"]), dense=whole(count.dense), activations=whole(count.activations),
                   batch=whole(batch), training=memory(bytes_of["training"])))


def table(document: Document) -> pd.DataFrame:
    """A row for each component and one for all of them together."""
    rows = counts.components(document.blueprint, document.schema(), document.settings.batch_size)
    summed = ("parameters", "flops", "activations", "serving", "training")
    rows.append({"address": say("all"), "kind": "", "leaves": "", **{name: sum(row[name] for row in rows) for name in summed}})
    heads = {"address": say("component"), "kind": say("kind"), "parameters": say("parameters"), "flops": say("FLOPs per example"),
             "activations": say("activations"), "serving": say("in serving"), "training": say("in training"),
             "leaves": say("leaves as")}
    words = {"parameters": whole, "flops": flops, "activations": whole, "serving": memory, "training": memory}
    return pd.DataFrame([{heads[name]: words.get(name, str)(row[name]) for name in heads} for row in rows])
