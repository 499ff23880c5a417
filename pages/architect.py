"""Architect: what is it made of? The diagram, what it costs, and everything about the part that is selected."""
import streamlit as st

from rankzoo.document import Document
from rankzoo.export.picture import Learned, assumed_blocks, changed_blocks, counted
from rankzoo.figures import diagram
from rankzoo.ui import (
    advised,
    architect,
    beside,
    caption,
    changed,
    classroom,
    counts,
    head,
    large,
    page,
    provenance,
    rung,
    sooner,
    state,
)
from rankzoo.ui.component import presses, scene
from rankzoo.ui.words import say, translator


@st.fragment
def picture(drawn: Document, learned: Learned) -> None:
    """What a click on a part draws anew. An edit made in here concerns the whole page, which follows."""
    sooner.whole_page_after_words()
    document = state.document()
    inside = learned if document is drawn else architect.learned()
    schema, chosen, tongue = document.schema(), architect.selection(), translator()
    layout = architect.layout_of(document.blueprint, schema)
    title = say("Architecture of {title}", title=document.system.title)
    scene(diagram.draw(layout, selected=chosen, weights=inside.gates, attention=inside.attention, metrics=inside.metrics,
                       label=title, say=tongue,
                       changed=changed_blocks(document, layout), assumed=assumed_blocks(document, layout),
                       back=architect.standing_back(document, layout)),
          key=architect.DIAGRAM, alt=title, aspect=architect.aspect(layout), above=architect.signs())
    scaled = large.chosen(document)
    if not caption.in_class(chosen):
        scene(counted(scaled.count, tongue, flat=classroom.on()),
              key="readout", alt=say("Parameters by part"), aspect=architect.aspect(layout))
    warnings, below, sizes = st.container(), st.container(), st.container()
    with warnings:
        advised.show(document)
    with sizes:
        large.show(document, scaled)
    sooner.pictured(drawn)
    with below:
        caption.show(chosen, inside)


offer = page.begin("architect", patient=True)
head.show(architect.detail(), sel=architect.selection())
in_hand, learned = state.document(), architect.learned()
picture(in_hand, learned)
with st.sidebar:  # after the picture, so that the browser draws that while these are on their way
    architect.sidebar(changed.all_back)
page.twin(architect.module_table, "modules")
provenance.show(in_hand)
with st.container():  # a place for each that may be empty, so that what stands below keeps its own
    changed.show(in_hand)
with st.container():
    rung.show()
beside.show(in_hand)
counts.show(in_hand)
large.all_sizes(in_hand)
presses(architect.DIAGRAM, architect.take_step)
offer()
