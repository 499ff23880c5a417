"""Architect: what is it made of? The diagram, what it costs, and everything about the part that is selected."""
import streamlit as st

from rankzoo.figures import diagram, readout
from rankzoo.ui import architect, page, state
from rankzoo.ui.component import scene, selected
from rankzoo.ui.words import say, translate

page.begin()
with st.sidebar:
    architect.sidebar()

document = state.document()
schema = document.schema()
page.head()
layout = architect.layout_of(document.blueprint, schema)
inside = architect.learned()
scene(diagram.draw(layout, selected=selected(architect.DIAGRAM), weights=inside.gates, metrics=inside.metrics,
                   changed=architect.changed_blocks(), assumed=architect.assumed_blocks(),
                   label=say("Architecture of {title}", title=document.system.title), say=translate),
      key=architect.DIAGRAM, alt=say("Architecture of {title}", title=document.system.title))
count = document.blueprint.count(schema)
scene(readout.draw(count.parameters, count.embedding, count.dense, architect.dense_parts(count), translate("Parameters"),
                   translate), key="readout", alt=say("Parameters by part"))
architect.caption(selected(architect.DIAGRAM), layout)
page.twin(architect.module_table(), "modules")
