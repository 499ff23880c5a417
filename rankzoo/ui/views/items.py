"""Items: whether products that training never saw are found, by how often it saw the others."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import items as figure
from rankzoo.figures.words import percent, whole
from rankzoo.inspection.items import NEVER
from rankzoo.inspection.views import look
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.words import say, translate


def show(sight: Sight) -> None:
    """A bar per bucket of how often training had the item, the best that is possible outlined, and how to read it."""
    view = kept(sight.key, "items", "", lambda: look(sight.subject, "items"))
    shown = view.table if sight.truth else view.table.assign(best=float("nan"))
    words = say("Found among the first twenty, by how often training had the item")
    left, right = st.columns([62, 38], gap="medium")
    with left:
        title(words)
        scene(figure.recalls(shown, translate), key="items:recall", width=620, alt=words)
    with right:
        title(say("Read it"))
        first, last = view.table.iloc[0], view.table.iloc[-1]
        if first["bucket"] == NEVER:
            st.markdown(say("Of {rows} rows whose right item is **{bucket}** in training, {share} have it among the first "
                            "twenty.", rows=whole(int(first["rows"])), bucket=say(NEVER),
                            share=percent(float(first["recall"]), 1)))
            st.markdown(say("Of those whose item was the right one there **{bucket}** times, {share}. What is rare in training "
                            "is mostly unpopular: a new item can be found more often than a rare one.",
                            bucket=say(last["bucket"]), share=percent(float(last["recall"]), 1)))
        else:
            st.markdown(say("Of {rows} rows whose item was the right one **{bucket}** times in training, {share} have it among "
                            "the first twenty. No item is new here.", rows=whole(int(last["rows"])), bucket=say(last["bucket"]),
                            share=percent(float(last["recall"]), 1)))
        if sight.truth and view.truth:
            st.caption(say("Outlined: an order by the weights from which the items were drawn. It knows what the visitor was "
                           "after, which a model can only guess from the past."))
    truth_line(sight, view.truth, "{value} of the rows with a new item have it among the first twenty of all", "items")
    page.twin(shown, "items")
