"""Own: what the Data page says of a file of one's own, and lets one change: what is missing, and which whole numbers are ids."""
from __future__ import annotations

import pandas as pd
import streamlit as st

from rankzoo.data import uploads
from rankzoo.data.whole import WHY
from rankzoo.figures.words import percent
from rankzoo.inspection.card import Card
from rankzoo.ui import service, state, upload
from rankzoo.ui.page import escaped
from rankzoo.ui.words import say

MOST = 10
"""Columns that are named for one reason."""


def split(by: str) -> str:
    """How rows were split, in a sentence; `by` as `uploads.split_by` has it."""
    if by:
        return say("Rows are split by time ({column}): the earliest train, the latest test. No model reads that column.",
                   column=escaped(by))
    return say("Rows are split at random: no column is looked at as a time.")


def told(data: Card) -> None:
    """How real data were split, what their metrics are over, and what was noticed in a file."""
    if data.split is not None:
        st.caption(" ".join((split(data.split), say("AUC is over all test rows, not within a request."))))
    for notice in data.notices:
        st.caption(escaped(notice))


def gaps(data: Card) -> None:
    """What becomes of numbers that are missing."""
    numbers = data.fields[(data.fields["kind"] == "number") & (pd.to_numeric(data.fields["unknown"]) > 0)]
    if data.licence or numbers.empty:
        return
    names = [f"{escaped(row.field)} ({percent(float(row.unknown), 1)})" for row in numbers.itertuples()]
    st.caption(say("A network reads a missing number as the mean of the training rows: {names}.", names=_named(names)))


def whole_numbers(hash: str, data_key: str) -> None:
    """Which columns of whole numbers were taken as ids and which as amounts, and why; a press turns one into the other."""
    found = uploads.upload(hash).roles.whole if uploads.exists(hash) else ()
    if not found:
        return
    key, ids = f"rz_ids_{hash}", [each.column for each in found if each.ids]
    st.pills(say("Whole numbers read as ids; the others as amounts (press one to change it)"), [each.column for each in found],
             selection_mode="multi", default=ids, key=key, format_func=escaped, on_change=_turn, args=(hash, key, ids, data_key))
    groups: dict[tuple[bool, str], list[str]] = {}
    for each in sorted(found, key=lambda each: not each.ids):
        groups.setdefault((each.ids, each.why), []).append(escaped(each.column))
    st.caption(" · ".join(f"{_named(names)}: {say(WHY[why])}" for (_, why), names in groups.items()))


def _named(names: list[str]) -> str:
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (" " + say("and {n} more", n=more) if more > 0 else "")


def _turn(hash: str, key: str, ids: list[str], data_key: str) -> None:
    """Admit the file again with the columns that were pressed in the other role; a model on the file goes along."""
    memory = st.session_state
    turned = set(memory[key]) ^ set(ids)

    def change() -> None:
        made = uploads.corrected(hash, {name: "numeric" if name in ids else "categorical" for name in turned})
        service.store().add_dataset(made.hash, service.owner(), made.name, made.rows, made.columns)
        memory[data_key] = made.hash
        if state.document().data == hash:
            upload.use(made.hash)

    state.attempt(change)
    memory.pop(key, None)  # as the file has it, should one come back to it
