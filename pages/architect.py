"""Architect: what is it made of? The diagram, what it costs, and everything about the part that is selected."""
import streamlit as st

from rankzoo.document import Document
from rankzoo.export.picture import assumed_blocks, changed_blocks, counted
from rankzoo.figures import diagram
from rankzoo.ui import advised, architect, beside, caption, changed, counts, large, page, provenance, rung, state, take
from rankzoo.ui.component import scene
from rankzoo.ui.words import say, translate


@st.fragment
def picture(document: Document) -> None:
    """What a click on a part draws anew; an edit made in here concerns the whole page."""
    state.whole_page_after(document)
    schema, chosen = document.schema(), architect.selection()
    layout, inside = architect.layout_of(document.blueprint, schema), architect.learned()
    title = say("Architecture of {title}", title=document.system.title)
    scene(diagram.draw(layout, selected=chosen, weights=inside.gates, attention=inside.attention, metrics=inside.metrics,
                       label=title, say=translate,
                       changed=changed_blocks(document, layout), assumed=assumed_blocks(document, layout),
                       back=architect.standing_back(document, layout), steps=architect.lines()),
          key=architect.DIAGRAM, alt=title, on_step=architect.take_step)
    scaled = large.chosen(document)
    scene(counted(scaled.count, translate), key="readout", alt=say("Parameters by part"))
    large.show(document, scaled)
    advised.show(document)
    caption.show(chosen, layout, inside)
    provenance.show(document)
    changed.show(document)
    rung.show()
    beside.show(document)
    counts.show(document)
    large.all_sizes(document)
    take.show(document, inside)
    page.twin(architect.module_table, "modules")


page.begin()
with st.sidebar:
    architect.sidebar()
page.head(architect.detail(), sel=architect.selection())
picture(state.document())
