"""Under what the query reads: what the learned token makes of all answers, for models that fuse several histories."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import asks as figure
from rankzoo.figures.words import fixed
from rankzoo.inspection.reading import matched, reading
from rankzoo.inspection.view import Table
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title
from rankzoo.ui.views.history import by_match
from rankzoo.ui.words import say, translate


def show(sight: Sight) -> None:
    """A matrix for each head of one example and one for the mean; nothing where no token reads several histories."""
    frame = reading(sight.subject, sight.row)
    if not len(frame):
        return
    frame = frame if sight.truth else frame.drop(columns="matches", errors="ignore")
    title(say("What [CLS] reads for the user's vector"), say("example {row}", row=sight.row + 1))
    scene(figure.tokens(frame, translate), key="attention:reading", width=1056, alt=say("What the learned token reads"))
    st.caption(say("Each cell is one vector that it reads: the query in several ways, and what every history answered to each. "
                   "The cells of a head add to 1. Outlined: histories in which a past item matches what is asked for. Where "
                   "nothing does, a history answers with zeros, so that a weight alone does not say what arrives."))
    table, _ = kept(sight.key, "matched", "", lambda: matched(sight.subject))
    if sight.truth and len(table):
        st.markdown(" ".join(_reading(table)))
    page.twin(frame, "attention reading")


def _reading(table: Table) -> list[str]:
    """A sentence for each history."""
    return [say("**{history}** has {within} of the user's vector where a past item matches, {without} where none does.",
                history=page.escaped(history), without=fixed(without, 3), within=fixed(within, 3))
            for history, without, within in by_match(table, "share")]
