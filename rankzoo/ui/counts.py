"""Counted: what the model in hand takes, as a whole and component by component: numbers, work, memory, shapes."""
from __future__ import annotations

import pandas as pd
import streamlit as st

from rankzoo.document import Document
from rankzoo.figures.words import flops, memory, whole
from rankzoo.inspection import counts
from rankzoo.inspection.memory import held
from rankzoo.ui.words import say


def show(document: Document) -> None:
    """All counts of the components, for who asks; those of every module stand in the table below the page."""
    with st.expander(say("What each component takes, and its shapes"), on_change="rerun", key="rz_counted") as opened:
        if opened.open:
            _all(document)


def _all(document: Document) -> None:
    st.dataframe(table(document), hide_index=True, width="stretch", alt=say("What each component takes, and its shapes"))
    st.dataframe(memories(document), hide_index=True, width="stretch", alt=say("Memory, term by term"))
    st.caption(say("Memory in float32, with batches of {batch}: serving holds the weights, training all of it. Activations are "
                   "the numbers that layers hand on, kept for the way back; of items, of those that a batch encodes.",
                   batch=whole(document.settings.batch_size)))


def memories(document: Document) -> pd.DataFrame:
    """The memory in training of every component and of all together, a row for each term; the weights are what serving holds."""
    places, batch = document.blueprint.places(document.schema()), document.settings.batch_size
    each = [(place.address, place.spec.count(place.shape)) for place in places]
    each.append((say("all"), document.blueprint.count(document.schema())))
    return pd.DataFrame([{say("component"): address, say("memory"): say(term.what), say("bytes"): term.working,
                          say("in all"): memory(term.bytes)} for address, count in each for term in held(count, batch)])


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
