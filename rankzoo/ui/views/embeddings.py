"""Embeddings: the vectors of one feature's table as a map."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import scatter
from rankzoo.figures.words import number, whole
from rankzoo.inspection import embeddings
from rankzoo.inspection.naming import name
from rankzoo.ui import page
from rankzoo.ui.inside import Sight, kept, truth_line
from rankzoo.ui.words import say, translate


def show(sight: Sight) -> None:
    """One dot per value of the chosen feature."""
    names = embeddings.tables(sight.subject)
    default = embeddings.largest(sight.subject)
    with st.sidebar:
        chosen = st.selectbox(say("Feature"), names, index=names.index(default), key="feature", bind="query-params")
    feature = chosen if chosen in names else default
    view = kept(sight.key, "embeddings", feature, lambda: embeddings.embeddings(sight.subject, feature))
    frame = view.table.assign(name=[name(sight.subject.dataset, feature, i) or say("unknown") for i in view.table["id"]])
    title = say("The vectors of {feature}, seen along their two widest directions", feature=feature)
    st.plotly_chart(scatter.vectors(frame, page.colours(), title, translate), key="embeddings:map", alt=title,
                    config={"displayModeBar": False})
    rare, common = (frame[frame["count"] == 0], frame[frame["count"] > 0])
    st.markdown(say("**Read it:** {count} values; absent from these rows: {rare}. Vectors of the present ones are {long} long on "
                    "average, of the absent ones {short}.", count=whole(len(frame)), rare=whole(len(rare)),
                    long=number(common["norm"].mean(), 3), short=number(rare["norm"].mean(), 3)))
    st.caption(say("Near dots have like vectors; what the two directions mean is not given. A vector that was never trained "
                   "stays where it was drawn."))
    truth_line(sight, view.truth, "", "embeddings")
    page.twin(frame[["id", "name", "count", "norm", "x", "y"]], "embeddings")
