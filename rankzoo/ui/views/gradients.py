"""Gradients: whether what is learned beside the main task works for or against it: over the training where it was watched, else
batch by batch over rows that it was not trained on."""
from __future__ import annotations

import pandas as pd
import streamlit as st

from rankzoo.figures import gradients as figure
from rankzoo.figures.words import decimal, percent
from rankzoo.inspection.gradients import HELD, ITEMS, NOTE, arrows, combined, descent, gradients, said
from rankzoo.inspection.view import View
from rankzoo.ui import page, points, state
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.words import say, translate

NEVER = "The first task and the others reach no weight together here: there is nothing to compare."
FALLS = "**Read it:** to first order, the loss of {main} falls {share} as fast along the update as along its own gradient."
RISES = ("**Read it:** to first order, the loss of {main} rises along the update, {share} as fast as it falls along its own "
         "gradient.")
SHADE = "The line is the mean of the last {n} dots. Below 0, in the shade, they conflict."
SAID = {"training": ("**Read it:** {main} and {others} pulled apart in {share} of the training's steps; the mean cosine "
                     "is {mean}.", "A dot is the mean over the steps since the dot before, each at its own batch."),
        "validation": ("**Read it:** {main} and {others} pulled apart in {share} of the looks; the mean cosine is {mean}.",
                       "A dot is one look, at some validation rows, which move nothing.")}
"""By the rows at which the gradients of a training were compared: what it comes to, and what a dot is."""


def show(sight: Sight) -> None:
    """The cosines over the training, or of all batches, and the batch with the smallest one as vectors."""
    view: View = kept(sight.key, "gradients", "", lambda: gradients(sight.subject))
    known, run, tasks = view.table.dropna(subset=["cosine"]), state.trained(), sight.subject.model.blueprint.tasks
    met = points.meetings(points.series(run).frame, tasks)
    left, right = st.columns([58, 42], gap="medium")
    with left:
        if len(met):
            _course(met, tasks, points.span(run))
        else:
            _batches(view.table, known, tasks)
        st.caption(say(NOTE))
    with right:
        _plane(sight, known, tasks)
    items = view.tables["items"].set_index("fits")["cosine"]
    if sight.truth and len(items) == 2:
        title(say("Where both gradients meet in one item"))
        st.markdown(say("At an item's vector {main} and the item's own class pull alike with a cosine of {fits} where the item "
                        "fits what its reader did before, and of {others} where it does not.", main=page.escaped(tasks[0]),
                        fits=decimal(float(items[True])), others=decimal(float(items[False]))))
        st.caption(say(ITEMS))
    truth_line(sight, view.truth, "How alike they are tells the items that fit with an AUC of {value}", "gradients")
    page.twin(met if len(met) else view.table, "gradients")


def _others(tasks: tuple[str, ...]) -> str:
    """The tasks beside the first, in a sentence."""
    return page.escaped(tasks[1]) if len(tasks) == 2 else say("the other tasks")


def _course(met: pd.DataFrame, tasks: tuple[str, ...], epochs: float) -> None:
    """How the gradients met while the model was trained."""
    words, (read, dots) = say("Cosine of the main and the auxiliary gradient over the training"), SAID[met["of"].iloc[0]]
    title(words)
    scene(figure.course(met, epochs, translate), key="gradients:course", alt=words, width=590)
    cosine, conflicts = points.met(met)
    st.markdown(say(read, main=page.escaped(tasks[0]), others=_others(tasks), share=percent(conflicts), mean=decimal(cosine)))
    st.caption(say(dots) + " " + say(SHADE, n=points.running(met)))


def _batches(table: pd.DataFrame, known: pd.DataFrame, tasks: tuple[str, ...]) -> None:
    """How they meet at rows that the model was not trained on."""
    words = say("Cosine of the main and the auxiliary gradient by batch")
    title(words)
    scene(figure.cosines(table, translate), key="gradients:cosines", alt=words, width=590)
    if len(known):
        st.markdown(say("**Read it:** {main} and {others} pull apart in {share} of the batches; the mean cosine is "
                        "{mean}.", main=page.escaped(tasks[0]), others=_others(tasks),
                        share=percent(float(known["conflict"].mean())), mean=decimal(float(known["cosine"].mean()))))


def _plane(sight: Sight, known: pd.DataFrame, tasks: tuple[str, ...]) -> None:
    """The batch whose gradients conflict most, and what the training would make of it."""
    if not len(known):
        st.caption(say(NEVER))
        return
    worst, way = known.loc[known["cosine"].idxmin()], combined(sight.subject.model, state.document().settings.combine)
    drawn = arrows(float(worst["main"]), float(worst["auxiliary"]), float(worst["cosine"]), way)
    title(say("Batch {number} in the plane of its two gradients", number=int(worst["batch"])))
    scene(figure.plane(drawn, float(worst["cosine"]), tasks[0], tasks[1] if len(tasks) == 2 else say("all others"), translate),
          key="gradients:plane", alt=say("The gradients of one batch in their plane"), width=366)
    near = figure.start(drawn, translate)
    if near is not None:
        scene(near, key="gradients:start", alt=say("The start of the arrows, enlarged"), width=366)
    speed = descent(drawn)
    if speed is not None:
        st.markdown(say(FALLS if speed >= 0 else RISES, main=page.escaped(tasks[0]), share=percent(abs(speed))))
    st.caption(translate(said(way)))
    st.caption(say("Of {n} batches this is the one with the smallest cosine. All arrows are on one scale.", n=len(known))
               + " " + say(HELD))
    page.twin(drawn, "plane")
