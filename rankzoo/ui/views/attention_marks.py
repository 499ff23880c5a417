"""Below the past items: how each was received, to be said otherwise, so that one sees weights and prediction move."""
from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from rankzoo.inspection.attention import UNMARKED, history_of, mark_of
from rankzoo.inspection.naming import name
from rankzoo.inspection.view import Table
from rankzoo.ui.inside import Sight
from rankzoo.ui.words import say

KEY, WHOSE = "attention:marks", "rz_marked"
PLAIN, MARKED = 1, 2
"""The ids of a field that says yes or no."""
LISTED = 10


def _said(sight: Sight) -> dict[int, int]:
    """The mark of each of the newest past items as the data have it, by position; nothing where marks do not say yes or no."""
    mark, history = mark_of(sight.subject), history_of(sight.subject)
    if mark is None or mark.vocabulary != MARKED + 1:
        return {}
    batch, place = sight.subject.batch, history.fields.index(mark)
    seen = batch.masks[history.name][sight.row].nonzero()[:, 0].tolist()[:LISTED]
    ids = {position: int(batch.histories[history.name][sight.row, position, place]) for position in seen}
    return {position: id for position, id in ids.items() if id in (PLAIN, MARKED)}


def now(sight: Sight) -> Mapping[int, int]:
    """The marks that are said otherwise now; another example starts as its data have it."""
    memory, of, said = st.session_state, (sight.key, sight.row), _said(sight)
    if not said:
        return UNMARKED
    if memory.get(WHOSE) != of or KEY not in memory:
        memory[WHOSE], memory[KEY] = of, [position for position, id in said.items() if id == MARKED]
    chosen = {position: MARKED if position in memory[KEY] else PLAIN for position in said}
    return {position: id for position, id in chosen.items() if id != said[position]}


def restore() -> None:
    """As the data have it."""
    st.session_state.pop(WHOSE, None)


def show(sight: Sight, items: Table) -> None:
    """One press for each item."""
    said = _said(sight)
    if not said:
        return
    mark = mark_of(sight.subject).name
    value = name(sight.subject.dataset, f"{history_of(sight.subject).name}.{mark}", MARKED)
    called = dict(zip(items["position"], items["name"], strict=True))
    st.pills(say("{field}: {value}", field=mark, value=value), list(said), selection_mode="multi", key=KEY,
             format_func=lambda position: f"{position + 1} {called[position]}",
             help=say("Press an item to say that it was received otherwise. 1 is the newest."))
