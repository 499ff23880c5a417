"""Inside: what did it learn? One run, or the untrained model, seen from inside, each picture beside the planted truth."""
from dataclasses import replace

import streamlit as st

from rankzoo.errors import ZooError
from rankzoo.figures.words import whole
from rankzoo.ui import claims, head, inside, page, state
from rankzoo.ui.views import ROOMS, missing, switch
from rankzoo.ui.words import say, translate

page.begin("inside")
document = state.document()
with st.sidebar:
    part = inside.part_chosen()
try:
    with st.spinner(say("Running the model over its data"), show_time=False):
        sight = inside.sight(part)
except ZooError as problem:
    head.show(inside.status())
    st.error(page.escaped(problem.text(translate)))
    st.stop()

head.show(inside.status(), say("{rows} {part} rows", rows=whole(sight.subject.rows), part=say(part)))
view, lacks = switch(document)
inside.notice()
if lacks:
    missing(view, lacks)
else:
    with st.sidebar:
        row = inside.row_chosen(sight) if ROOMS[view].row else 0
        truth = st.toggle(say("Planted truth"), True, key="truth", bind="query-params")
    try:
        ROOMS[view].show(replace(sight, row=row, truth=truth))
    except ZooError as problem:
        st.error(page.escaped(problem.text(translate)))
claims.about(document.system)
