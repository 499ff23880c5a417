"""Architect: what is it made of? The diagram, what it costs, and everything about the part that is selected."""
import streamlit as st

from rankzoo.document import Document
from rankzoo.export.picture import Learned, assumed_blocks, changed_blocks, counted
from rankzoo.figures import diagram
from rankzoo.inspection.scale import Scaled
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
    """What a click on a part draws anew: its caption, then the drawing around it. An edit made in here concerns the whole page,
    which follows."""
    sooner.whole_page_after_words()
    document, chosen = state.document(), architect.selection()
    inside = learned if document is drawn else architect.learned()
    figure, warnings, below, sizes = st.container(), st.container(), st.container(), st.container()
    clicked = sooner.clicked(document, chosen)
    if clicked:
        with below:
            caption.show(chosen, inside)
        sooner.alone()
    scaled = large.chosen(document)
    with figure:
        drawing(document, chosen, inside, scaled)
    with warnings:
        advised.show(document)
    with sizes:
        large.show(document, scaled)
    sooner.pictured(drawn)
    if not clicked:
        with below:
            caption.show(chosen, inside)


def drawing(document: Document, chosen: str, inside: Learned, scaled: Scaled) -> None:
    """The diagram, and below it the bar of parameters or, in a class, a line of the part that is looked at."""
    layout, tongue = architect.layout_of(document.blueprint, document.schema()), translator()
    aspect, title = architect.aspect(layout), say("Architecture of {title}", title=document.system.title)
    scene(diagram.draw(layout, selected=chosen, weights=inside.gates, attention=inside.attention, metrics=inside.metrics,
                       label=title, say=tongue,
                       changed=changed_blocks(document, layout), assumed=assumed_blocks(document, layout),
                       back=architect.standing_back(document, layout)),
          key=architect.DIAGRAM, alt=title, aspect=aspect, above=architect.signs())
    if not caption.in_class(chosen):
        scene(counted(scaled.count, tongue, flat=classroom.on()), key="readout", alt=say("Parameters by part"), aspect=aspect)


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
