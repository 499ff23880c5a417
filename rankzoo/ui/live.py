"""Live: the run on view while it trains: what can be done with it, how far it is, and its curves growing.

One fragment polls the store: twice a second until the first point, then once, and not at all where nothing can come. When
the run changes its state the whole page runs again, so that address, queue and table follow.
"""
from __future__ import annotations

import time

import streamlit as st

from rankzoo.errors import ZooError
from rankzoo.figures.words import number, whole
from rankzoo.runs.tables import Run
from rankzoo.ui import charts, page, points, service, state
from rankzoo.ui.page import escaped
from rankzoo.ui.words import say, translate

POLLED = ("queued", "running")
RESUMABLE = ("paused", "interrupted", "failed")
FIRST, LATER = 0.5, 1.0


def show() -> None:
    """The transport row and the charts of the run in hand."""
    run = state.run()
    every = None
    if run is not None and run.state in POLLED:
        every = LATER if _began(run) else FIRST
    st.fragment(_view, run_every=every)(_mark(run))
    if run is not None:
        page.twin(points.series(run).frame, "curves")


def _view(seen: tuple[str, str, bool]) -> None:
    run = state.run()
    if _mark(run) != seen:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _buttons(run)
        with st.container(key="rz_run", gap="xxsmall"):
            _status(run)
    charts.show(run)


def _mark(run: Run | None) -> tuple[str, str, bool]:
    """What the rest of the page depends on: which run, its state, whether it has begun."""
    return (run.id, run.state, _began(run)) if run else ("", "", False)


def _began(run: Run) -> bool:
    return points.series(run).step >= 0


def start() -> None:
    """Queue the model in hand as a run and take that run in hand."""
    state.attempt(_submit)


def _submit() -> None:
    state.select_run(service.dispatcher().submit(state.document(), service.owner()))


def _wish(id: str, what: str) -> None:
    state.attempt(lambda: service.dispatcher().wish(id, what, service.owner()))


def _buttons(run: Run | None) -> None:
    """Train is always there; the others only while they can act, for those who may."""
    with st.container(key="cta_train", width="content"):
        st.button(say("Train"), key="rz_train", type="primary", icon=":material/play_arrow:", on_click=start)
    if run is None or service.store().limits.shared and run.owner != service.owner():
        return
    if run.state in RESUMABLE:
        st.button(say("Resume"), key="rz_pause", icon=":material/resume:", on_click=_wish, args=(run.id, "resume"))
    elif run.state in POLLED:
        st.button(say("Pause"), key="rz_pause", icon=":material/pause:", on_click=_wish, args=(run.id, "pause"),
                  disabled=run.wish == "pause")
    if run.active:
        st.button(say("Stop"), key="rz_cancel", icon=":material/stop:", on_click=_wish, args=(run.id, "cancel"),
                  disabled=run.wish == "cancel")


def _status(run: Run | None) -> None:
    """Where the run stands; its id, its state and its message are always in the text."""
    if run is None:
        st.caption(say("Nothing is trained yet. Press Train: the curves grow into the empty charts below."))
        return
    try:
        text = _progress(run)
    except ZooError as problem:
        text = escaped(str(problem))
    if run.state == "done":
        st.markdown(text)
    else:
        st.progress(min(1.0, run.step / run.steps) if run.steps else 0.0, text=text)
    changed = "" if state.same(run, state.document()) else " · " + say("the model was changed after this run")
    st.caption(f"{say('run')} {run.id} · {say(run.state)}{changed}")
    if run.message:
        (st.error if run.state in ("failed", "interrupted") else st.caption)(escaped(translate(run.message)))
    if run.state in POLLED and not service.dispatcher().alive():
        st.error(say("The training service is not answering. Start RankZoo again; no run is lost.")
                 + " " + escaped(service.dispatcher().trouble()))


def _progress(run: Run) -> str:
    if run.state == "queued":
        place = service.dispatcher().place(run.id)
        if place is None:
            return say("Queued")
        return say("Queued · place {place} of {waiting} · starts in about {seconds} s", place=place.position,
                   waiting=place.waiting, seconds=whole(place.seconds))
    if run.state == "running":
        return _pace(run)
    if run.state == "done":
        result = run.outcome
        return say("Trained in {seconds} s · weights of step {best}, the best of {steps} · {examples} examples",
                   seconds=number(result.get("seconds"), 3), best=whole(result.get("best_step")), steps=whole(run.step),
                   examples=whole(result.get("examples")))
    said = say("Paused at step {step} of {steps}") if run.state == "paused" else say("Ended at step {step} of {steps}")
    return said.format(step=whole(run.step), steps=whole(run.steps) if run.steps else "–")


def _pace(run: Run) -> str:
    """«Epoch 4 of 5 · step 1,453 of 2,345 · 41,000 examples/s · 22 s left»"""
    if run.wish:
        return say("Stopping at the next step") if run.wish == "cancel" else say("Pausing at the next step")
    if not run.steps or not run.step:
        return say("Making the data and the model")
    text = say("Epoch {epoch} of {epochs} · step {step} of {steps}", epoch=max(run.epoch, 1), epochs=run.epochs,
               step=whole(run.step), steps=whole(run.steps))
    worked = run.spent + max(0.1, time.time() - run.began)
    rate = run.step * points.document_of(run.config).settings.batch_size / worked
    return text + " · " + say("{rate} examples/s · {left} s left", rate=whole(round(rate, -2) if rate > 1000 else rate),
                              left=whole((run.steps - run.step) * worked / run.step))
