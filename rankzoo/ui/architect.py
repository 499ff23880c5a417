"""The Architect's parts: sidebar, what the diagram shows, and the caption of the selected part with its settings."""
from __future__ import annotations

import pandas as pd
import streamlit as st

from rankzoo.blueprint import SLOTS, Blueprint
from rankzoo.export import picture
from rankzoo.export.picture import Learned
from rankzoo.figures.layout import Column, Layout
from rankzoo.inspection import counts
from rankzoo.registry import systems
from rankzoo.schema import Schema
from rankzoo.ui import forms, state
from rankzoo.ui.component import selected
from rankzoo.ui.words import say, translate

DIAGRAM = "architect_diagram"


def sidebar() -> None:
    """Model, tasks, main settings of every part, and the way back to the preset."""
    document = state.document()
    _set("arch", document.arch)
    st.selectbox(say("Architecture"), list(systems()), key="arch",
                 format_func=lambda id: f"{systems()[id].brand} ({systems()[id].source.year})",
                 on_change=lambda: state.choose(st.session_state["arch"]))
    names = [task.name for task in document.schema().tasks]
    _set("tasks", list(document.blueprint.tasks))
    st.pills(say("Tasks"), names, selection_mode="multi", key="tasks",
             on_change=lambda: state.with_tasks(tuple(st.session_state["tasks"])))
    for address, spec in document.blueprint.specs():
        forms.settings(address, spec, spec.main, "side") if spec.main else None
    back, forth, reset = st.columns([1, 1, 3])
    memory = st.session_state
    back.button("", icon=":material/undo:", key="undo", help=say("Undo"), disabled=not memory["rz_past"], on_click=state.undo)
    forth.button("", icon=":material/redo:", key="redo", help=say("Redo"), disabled=not memory["rz_future"], on_click=state.redo)
    reset.button(say("Reset"), icon=":material/restart_alt:", key="reset", width="stretch", disabled=not document.changed(),
                 help=say("Back to the preset of the source"), on_click=state.choose, args=(document.arch,))


def selection() -> str:
    """The selected part: the last one picked, or the one that an address brings (`sel`), once. Share writes it: to keep the
    browser's own address up with every click would cost each of them 40 ms."""
    memory, asked = st.session_state, st.query_params.get("sel", "")
    if asked and asked != memory.get("rz_sel") and asked.split(".")[0] in SLOTS:
        memory["rz_sel"], memory[DIAGRAM] = asked, {"selected": asked}
    return selected(DIAGRAM)


def detail() -> str:
    """The grey half of the model line: the source, and the run whose weights the diagram carries."""
    run, source = state.trained(), state.document().system.source.short
    return say("{source} · trained, run {n}", source=source, n=run.number) if run else source


def layout_of(blueprint: Blueprint, schema: Schema) -> Layout:
    """The diagram's layout."""
    return picture.layout_of(blueprint, schema, translate)


def columns(blueprint: Blueprint, schema: Schema) -> tuple[Column, ...]:
    """The seven slots as columns, with one grey line of what each holds."""
    return picture.columns(blueprint, schema, translate)


def learned() -> Learned:
    """Gate weights and test metrics of the run in hand, where it is a run of exactly this model."""
    run = state.trained()
    return picture.learned(state.document().schema(), state.points(run.id), run.outcome) if run else Learned()


def module_table() -> pd.DataFrame:
    """Every part with its parameters, FLOPs, shape and working."""
    document = state.document()
    table = counts.modules(document.blueprint, document.schema())
    return table.assign(output_shape=[" × ".join(map(str, shape)) for shape in table["output_shape"]])


def _set(key: str, value: object) -> None:
    if st.session_state.get(key) != value:
        st.session_state[key] = value
