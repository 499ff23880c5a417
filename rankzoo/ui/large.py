"""Large: the model in hand with longer tables, or as large as in industry. Counted by formula; nothing of that size is built."""
from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from rankzoo.document import Document
from rankzoo.figures.words import flops, memory, size, whole, work
from rankzoo.inspection.memory import memory as bytes_of
from rankzoo.inspection.scale import CARD, Grown, Scaled, costs, growing, industry
from rankzoo.ui import fields, page, provenance
from rankzoo.ui.words import say

KEY, CANDIDATES = "rz_scale", "rz_candidates"
MOST_CANDIDATES, USUAL_CANDIDATES = 1_000_000, 1_000
FACTORS = {"sample": 1, "× 10": 10, "× 100": 100}
TITLES = {"sample": "This app", "industry": "Industry"}
COSTS = {"parameters": "Parameters", "embedding": "In embedding tables", "dense": "Dense", "float32": "In float32",
         "bfloat16": "In bfloat16", "int8": "In int8", "training": "In training, with Adam (row-wise for tables)",
         "activations": "Of that, the activations of a batch",
         "cards": "Cards of 80 GB that hold the training", "flops_request": "FLOPs once a request",
         "flops_candidate": "FLOPs for each candidate", "flops_per_request": "FLOPs of a request",
         "flops_once": "FLOPs once, to encode the items"}
WORK = {key: "flops_once" if key == "flops_once" else "flops_per_request" for key in COSTS if key.startswith("flops")}
"""Rows that stand only where there is such work at all, by what tells it."""


def chosen(document: Document) -> Scaled:
    """The model at the size that the visitor looks at."""
    return _sized(document, st.session_state.get(KEY) or "sample")


def _sized(document: Document, name: str) -> Scaled:
    if name == "industry":
        return document.industry()
    factor = FACTORS[name]
    schema = document.schema()
    return Scaled(name, document.blueprint, industry(schema, factor) if factor > 1 else schema, factor)


def show(document: Document, scaled: Scaled) -> None:
    """The choice of a size, and what it comes to in a line."""
    with st.container(horizontal=True, vertical_alignment="center", key="rz_large"):
        st.segmented_control(say("Table sizes"), [*FACTORS, "industry"], key=KEY, default="sample", label_visibility="collapsed",
                             format_func=lambda name: say(TITLES[name]) if name in TITLES else name)
        found = bytes_of(scaled.count, document.settings.batch_size)
        line = say("{parameters} parameters, {serving} in serving, {training} in training, {flops} per example",
                   parameters=size(scaled.count.parameters), serving=memory(found["serving"]),
                   training=memory(found["training"]), flops=work(scaled.count, say))
        st.caption(f"{line}, {_note(document, scaled)}", width="stretch")


def _note(document: Document, scaled: Scaled) -> str:
    """What was enlarged: nothing, ids by name, or what a source tells."""
    if scaled.name == "sample":
        return say("as it is trained here")
    grown = _grown(document, scaled)
    if scaled.sizes:
        told = say("{n} sizes as in industry", n=len(scaled.sizes)) if len(scaled.sizes) > 1 else say("1 size as in industry")
    else:
        told = "" if grown.tables or grown.items else say("nothing grows: the model has no table of ids")
    factor, tables, items = whole(scaled.factor), _listed(grown.tables), _listed(grown.items)
    tables = tables and (say("table of {names} × {factor}", names=tables, factor=factor) if len(grown.tables) == 1 else
                         say("tables of {names} × {factor}", names=tables, factor=factor))
    items = items and say("items ({names}) × {factor}", names=items, factor=factor)
    return ", ".join(filter(None, (say("counted, not built"), told, tables, items))) + "; " + say(
        "the diagram is as it is trained here")


def _listed(names: Iterable[str]) -> str:
    return page.escaped(", ".join(names))


def _grown(document: Document, scaled: Scaled) -> Grown:
    """What there is more of because no source tells how much."""
    return growing(document.blueprint, document.schema(), {each.at for each in scaled.sizes if each.table})


def all_sizes(document: Document) -> None:
    """All sizes side by side, for who asks."""
    with st.expander(say("What each size takes"), on_change="rerun", key="rz_costs") as opened:
        if opened.open:
            _all(document)


def _all(document: Document) -> None:
    """Every size as a column of a table, then what the industry's sizes are and who says so."""
    candidates = fields.asked(say("Candidates of a request"), CANDIDATES, 1, MOST_CANDIDATES, USUAL_CANDIDATES)
    sizes, batch = [_sized(document, name) for name in (*FACTORS, "industry")], document.settings.batch_size
    found = [costs(each, batch, candidates) for each in sizes]
    words = {"parameters": size, "embedding": size, "dense": size, "cards": whole, "flops_request": flops,
             "flops_candidate": flops, "flops_per_request": flops, "flops_once": flops}
    idle = {key for key, of in WORK.items() if not any(cost[of] for cost in found)}
    told = [key for key in COSTS if key not in idle]
    table = pd.DataFrame({"": [say(COSTS[key]) for key in told]} | {
        say(TITLES.get(each.name, each.name)): [words.get(key, memory)(cost[key]) for key in told]
        for each, cost in zip(sizes, found, strict=True)})
    st.dataframe(table, hide_index=True, width="stretch", height="content", alt=say("What each size takes"))
    large = sizes[-1]
    for each in large.sizes:
        st.markdown(f"`{each.at}` {each.said} · {page.escaped(provenance.told(each.fact))} :gray-badge[{say(each.fact.tag)}]")
    grown = _grown(document, large)
    if grown.tables:
        st.caption(say("Tables of {names}: {factor} times as long, which is our choice; no source tells.",
                       names=_listed(grown.tables), factor=whole(large.factor)))
    if grown.items:
        st.caption(say("Items ({names}): {factor} times as many, which is our choice; no source tells. They have no table of "
                       "their own, and are scored or encoded one by one.", names=_listed(grown.items),
                       factor=whole(large.factor)))
    st.caption(say("Training keeps gradients, two states of Adam for every dense number, two numbers for a row of a table and "
                   "the activations of a batch of {batch}. A card holds {card}.", batch=whole(batch), card=memory(CARD))
               + " " + say("What reads the user and the histories alone is computed once a request; a column of the context "
                           "counts as the candidate's.")
               + (" " + say("Of the items, what encoding them keeps is among these.") if any(each["flops_once"] for each in found)
                  else ""))
