"""The Architect's parts: sidebar, what the diagram shows, and the caption of the selected part with its settings."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

import pandas as pd
import streamlit as st

from rankzoo.blueprint import SLOTS, Blueprint, Place
from rankzoo.document import Document
from rankzoo.export import picture
from rankzoo.export.picture import Learned
from rankzoo.figures import readout
from rankzoo.figures.diagram import stepper
from rankzoo.figures.diagram.stepper import Stepped
from rankzoo.figures.layout import Column, Layout
from rankzoo.figures.tree import Tree
from rankzoo.inspection import counts
from rankzoo.inspection.provenance import assumed_parts, live
from rankzoo.inspection.steps import Step, heir
from rankzoo.inspection.steps import steps as steps_of
from rankzoo.registry import systems
from rankzoo.schema import Schema
from rankzoo.ui import caption, fields, forms, provenance, service, state
from rankzoo.ui.component import selected, stepped
from rankzoo.ui.words import escaped, say, translate, translator

DIAGRAM = "architect_diagram"
AT_ONCE = 0.55
"""Height over width up to which a class sees the readout with the diagram, without scrolling."""
UNDO, REDO = "Alt+Z", "Alt+Shift+Z"
"""Not Ctrl+Z: in a text field that takes back what was typed, and a key alone would be in the way of those who speak to type."""
BY_NAME = {"tasks": lambda names: state.with_tasks(tuple(names)), "without": lambda names: state.without(tuple(names))}
"""What is set by names, which other settings may name too."""


def sidebar(reset: Callable[[], None]) -> None:
    """Model, tasks, main settings of every part, and the way back to the preset."""
    document = state.document()
    fields.synchronise("arch", document.arch)
    st.selectbox(say("Architecture"), list(systems()), key="arch",
                 format_func=lambda id: f"{systems()[id].brand} ({systems()[id].source.year})",
                 on_change=fields.answered, args=("arch", lambda: state.choose(st.session_state["arch"])))
    _ways_back()
    names = [task.name for task in document.schema().tasks]
    fields.synchronise("tasks", list(document.blueprint.tasks))
    st.pills(say("Tasks"), names, selection_mode="multi", key="tasks",
             on_change=fields.answered, args=("tasks", lambda: state.with_tasks(tuple(st.session_state["tasks"]))))
    note = provenance.notes()
    offered = [(place, name) for place in document.blueprint.places(document.schema()) for name in live(place, place.spec.main)]
    for place, of_it in groupby(offered, lambda each: each[0]):
        names = tuple(name for _, name in of_it)
        forms.settings(place.address, place.spec, note, names, "side", _whose(place, names, offered))
    st.button(say("Reset"), icon=":material/restart_alt:", key="reset", width="stretch", disabled=not document.changed(),
              help=say("Back to the preset of the source"), on_click=reset)


def _whose(place: Place, names: Iterable[str], offered: Iterable[tuple[Place, str]]) -> dict[str, str]:
    """What a component's settings belong to, where another has one of the same name: the component's name, and what it reads or
    which of its column it is."""
    def called(of: Place, name: str) -> str:
        return forms.called(name, type(of.spec).model_fields[name])

    def own(of: Place) -> str:
        return ", ".join(filter(None, (translate(of.spec.called()), getattr(of.spec, "history", ""))))

    others = [(called(each, name), own(each)) for each, name in offered if each is not place]
    found = {}
    for name in names:
        alike = [whose for label, whose in others if label == called(place, name)]
        if alike:
            number = int(place.address.rpartition(".")[2]) + 1 if own(place) in alike else 0
            found[name] = own(place) + (f" {number}" if number else "")
    return found


def _ways_back() -> None:
    """Undo and redo at the head of the sidebar, where no window is too low for them, each in a row of its own: a word and its key
    have no room in half of one."""
    past, future = st.session_state["rz_past"], st.session_state["rz_future"]
    with st.container(gap="xxsmall", key="rz_ways_back"):
        st.button(say("Undo"), icon=":material/undo:", key="undo", shortcut=UNDO, width="stretch", disabled=not past,
                  on_click=state.undo)
        st.button(say("Redo"), icon=":material/redo:", key="redo", shortcut=REDO, width="stretch", disabled=not future,
                  on_click=state.redo)


def selection() -> str:
    """The selected part: the last one picked, or the one that an address brings (`sel`), once. Share writes it: to keep the
    browser's own address up with every click would cost each of them 40 ms."""
    memory, asked = st.session_state, st.query_params.get("sel", "")
    if asked and asked != memory.get("rz_sel"):
        memory["rz_sel"], found = asked, _left(asked)
        of_a_slot = found.split(".")[0] in SLOTS
        if found != asked or not of_a_slot:
            st.info(escaped(say("This model has no part '{name}'.", name=asked[:60])))
        if of_a_slot:
            memory[DIAGRAM] = {"selected": asked, "before": ""}
    chosen = selected(DIAGRAM)
    left = _left(chosen)
    if left != chosen:
        memory[DIAGRAM] = {"selected": left, "before": chosen}
    return left


def _left(chosen: str) -> str:
    """The part in hand, which is another where the browser still names one that an edit took away."""
    document = state.document()
    return heir(chosen, {*SLOTS, *dict(document.blueprint.specs()), *(block.address for block in service.blocks(document))})


def detail() -> str:
    """The grey half of the model line: the source, and the run whose weights the diagram carries."""
    run, source = state.trained(), state.document().system.source.brief
    return say("{source} · trained, run {n}", source=source, n=run.number) if run else source


def layout_of(blueprint: Blueprint, schema: Schema) -> Layout:
    """The diagram's layout."""
    return picture.layout_of(blueprint, schema, translator())


def columns(blueprint: Blueprint, schema: Schema) -> tuple[Column, ...]:
    """The seven slots as columns, with one grey line of what each holds."""
    return picture.columns(blueprint, schema, translator())


def steps() -> tuple[Step, ...]:
    """What one press more or less can do to the part in hand, be it drawn or behind one that stands for several."""
    document = state.document()
    return _steps(document.json(), _left(selected(DIAGRAM)), document)


@st.cache_resource(max_entries=300, show_spinner=False)
def _steps(config: str, chosen: str, _document: Document) -> tuple[Step, ...]:
    """Up to 8 ms, since a size is a part's own where another value would draw it otherwise."""
    block = next((each for each in service.blocks(_document) if each.address == chosen), None)
    address, spec = caption.owner(chosen, _document.blueprint)
    if spec is None or not block and chosen not in SLOTS:
        return ()
    return steps_of(_document.blueprint, _document.schema(), address, spec, block, _document.system.blueprint)


def lines() -> list[Stepped]:
    """The same as lines of the diagram's stepper."""
    return [Stepped(each.key, say(each.title), each.shown, each.less is not None, each.more is not None, each.gone)
            for each in steps()]


def signs() -> Tree:
    """The row above the diagram: − and + of the selected part, or how one is selected."""
    chosen = selected(DIAGRAM)
    block, slot = caption.part(chosen, state.document()), chosen.split(".")[0]
    return stepper.draw(lines(), block.title if block else say(picture.HEADS[slot]) if slot in SLOTS else "", say)


def aspect(layout: Layout) -> float:
    """Width over height of what a class sees at once: the row of signs, the diagram and the readout, one below the other and
    equally wide, or a tall diagram with its row alone, whose type could not be read from a wall if it left room for more."""
    both = layout.height / layout.width + readout.FLAT / readout.WIDTH
    return 1 / (stepper.HEIGHT / stepper.WIDTH + (both if both <= AT_ONCE else layout.height / layout.width))


def take_step() -> None:
    """A − or + of the diagram was pressed, or several before this could be answered."""
    for key, way in stepped(DIAGRAM):
        step = next((each for each in steps() if each.key == key), None)
        value = getattr(step, way) if step else None
        if value is not None:
            path = step.path
            BY_NAME[path](value) if path in BY_NAME else state.edit(path, value)


def standing_back(document: Document, layout: Layout) -> frozenset[str] | None:
    """The blocks that stand back while only what the source says is looked at; None where everything is."""
    tags = provenance.standing_back()
    return picture.blocks_below(assumed_parts(document.system.values, tags, document.gone()), layout) if tags else None


def learned() -> Learned:
    """Gate weights and test metrics of the run in hand, where it is a run of exactly this model."""
    run = state.trained()
    return picture.learned(state.document().schema(), state.points(run.id), run.outcome) if run else Learned()


def module_table() -> pd.DataFrame:
    """Every part with its parameters, FLOPs, shape and working."""
    document = state.document()
    return counts.modules(document.blueprint, document.schema())
