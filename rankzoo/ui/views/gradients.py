"""Gradients: whether what is learned beside the main task works for or against it, batch by batch."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import gradients as figure
from rankzoo.figures.words import decimal, percent
from rankzoo.inspection.gradients import ITEMS, NOTE, gradients
from rankzoo.inspection.view import View
from rankzoo.training.combine import METHODS
from rankzoo.ui import page, state
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.words import say, translate


def show(sight: Sight) -> None:
    """The cosines of all batches, and the batch with the smallest one as vectors."""
    view: View = kept(sight.key, "gradients", "", lambda: gradients(sight.subject))
    known = view.table.dropna(subset=["cosine"])
    left, right = st.columns([58, 42], gap="medium")
    words, tasks = say("Cosine of the main and the auxiliary gradient by batch"), sight.subject.model.blueprint.tasks
    with left:
        title(words)
        scene(figure.cosines(view.table, translate), key="gradients:cosines", alt=words, width=590)
        if len(known):
            st.markdown(say("**Read it:** {main} and the other tasks pull apart in {share} of the batches; the mean cosine is "
                            "{mean}.", main=page.escaped(tasks[0]), share=percent(float(known["conflict"].mean())),
                            mean=decimal(float(known["cosine"].mean()))))
        st.caption(say(NOTE))
    with right:
        if len(known):
            worst = known.loc[known["cosine"].idxmin()]
            title(say("Batch {number} in the plane of its two gradients", number=int(worst["batch"])))
            scene(figure.plane(float(worst["main"]), float(worst["auxiliary"]), float(worst["cosine"]), translate),
                  key="gradients:plane", alt=say("The gradients of one batch in their plane"), width=450)
        st.caption(translate(METHODS[state.document().settings.combine].conflict))  # a run in sight is the document's own
    items = view.tables["items"].set_index("fits")["cosine"]
    if sight.truth and len(items) == 2:
        title(say("Where both gradients meet in one item"))
        st.markdown(say("At an item's vector {main} and the item's own class pull alike with a cosine of {fits} where the item "
                        "fits what its reader did before, and of {others} where it does not.", main=page.escaped(tasks[0]),
                        fits=decimal(float(items[True])), others=decimal(float(items[False]))))
        st.caption(say(ITEMS))
    truth_line(sight, view.truth, "How alike they are tells the items that fit with an AUC of {value}", "gradients")
    page.twin(view.table, "gradients")
