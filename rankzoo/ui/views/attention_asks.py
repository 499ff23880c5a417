"""Under the past items: what each vector of the query reads of every history, for models in which a query asks."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import asks as figure
from rankzoo.figures.words import fixed
from rankzoo.inspection.asks import asked, asks, zeros
from rankzoo.inspection.naming import name
from rankzoo.inspection.view import Table
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title
from rankzoo.ui.views.history import by_match, first
from rankzoo.ui.words import say, translate


def show(sight: Sight) -> None:
    """A map for each history of one example, the slot of zeros first; nothing where the candidate asks."""
    if not asked(sight.subject):
        return
    frame = asks(sight.subject, sight.row)
    frame = frame if sight.truth else frame.drop(columns="relevant", errors="ignore")
    title(say("What each vector of the query reads"), say("example {row}", row=sight.row + 1))
    scene(figure.maps(frame.assign(name=_names(sight, frame)), translate), key="attention:asks", width=1076,
          alt=say("What each vector of the query reads"))
    st.caption(say("The first column is the slot of zeros: weight on it says that nothing in this history fits the query. "
                   "Outlined: past items that match what is asked for. Where the items of a history read each other first, a "
                   "column is what was made of an item."))
    table, _ = kept(sight.key, "zeros", "", lambda: zeros(sight.subject))
    if sight.truth and len(table):
        st.markdown(" ".join(_reading(table)))
    page.twin(frame, "attention asks")


def _names(sight: Sight, frame: Table) -> list[str]:
    """What each past item is called, the slot of zeros by itself."""
    subject, found = sight.subject, []
    for history, place in zip(frame["history"], frame["place"], strict=True):
        field = subject.dataset.schema.history(history).fields[0]
        id = int(subject.batch.histories[history][sight.row, place, 0]) if place >= 0 else 0
        found.append(first(name(subject.dataset, f"{history}.{field.name}", id, field.table) or say("unknown")) if place >= 0
                     else say("nothing"))
    return found


def _reading(table: Table) -> list[str]:
    """A sentence for each history."""
    return [say("**{history}**: {without} on the slot of zeros where nothing matches, {within} where something does.",
                history=page.escaped(history), without=fixed(without), within=fixed(within))
            for history, without, within in by_match(table, "weight")]
