"""The Architect's parts: sidebar, what the diagram shows, and the caption of the selected part with its settings."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from rankzoo.blueprint import SLOTS, Blueprint
from rankzoo.components.slot import Slot
from rankzoo.figures.diagram import worded
from rankzoo.figures.layout import Column, Layout, arrange
from rankzoo.figures.theme import family
from rankzoo.figures.words import fixed
from rankzoo.inspection import counts
from rankzoo.registry import systems
from rankzoo.schema import Count, Schema
from rankzoo.training.watch import gate_address
from rankzoo.ui import forms, state
from rankzoo.ui.component import selected
from rankzoo.ui.words import say, translate

DIAGRAM = "architect_diagram"
HEADS = {"representation": "Features", "sequence": "Attention", "interaction": "Interaction", "concatenation": "Concat",
         "sharing": "Sharing", "towers": "Deep", "losses": "Loss"}


@dataclass(frozen=True)
class Learned:
    """What the run in hand adds to the diagram: mean gate weights by gate, a metric by task."""

    gates: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)


def sidebar() -> None:
    """Model, tasks, main settings of every part, and the way back to the preset."""
    document = state.document()
    ids = [system.id for system in systems().values() if system.built]
    _set("arch", document.arch)
    st.selectbox(say("Architecture"), ids, key="arch",
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
    return arrange(worded(blueprint.blocks(schema), translate), columns(blueprint, schema))


def columns(blueprint: Blueprint, schema: Schema) -> tuple[Column, ...]:
    """The seven slots as columns, with one grey line of what each holds."""
    found = []
    for number, slot in enumerate(SLOTS, 1):
        value = getattr(blueprint, slot)
        specs = value if isinstance(value, tuple) else (value,)
        found.append(Column(slot, number, say(HEADS[slot]), _detail(slot, specs, blueprint, schema), blueprint.used(slot)))
    return tuple(found)


def _detail(slot: str, specs: tuple[Slot, ...], blueprint: Blueprint, schema: Schema) -> str:
    if slot == "representation":
        return say("{n} inputs", n=len(schema.inputs) + len(schema.histories))
    if slot == "losses":
        return say("1 task") if len(blueprint.tasks) == 1 else say("{n} tasks", n=len(blueprint.tasks))
    if slot == "concatenation":
        joined = next((p.spec.after(p.shape).joined for p in blueprint.places(schema) if p.address == slot), 0)
        return f"x · {joined}"
    if slot == "towers":
        widths = getattr(blueprint.towers, "widths", ())
        if len(blueprint.tasks) > 1 and widths:
            return say("{n} towers", n=len(blueprint.tasks))
        return " → ".join(map(str, widths)) or say(specs[0].title)
    return " + ".join(say(spec.title) for spec in specs)


def changed_blocks(layout: Layout) -> frozenset[str]:
    """Blocks of components with a setting that differs from the preset."""
    document = state.document()
    addresses = {".".join(path.split(".")[:2]) if path.split(".")[1].isdigit() else path.split(".")[0]
                 for path in document.changed() if "." in path}
    return _blocks_below(addresses, layout)


def assumed_blocks(layout: Layout) -> frozenset[str]:
    """Blocks of components with a size that RankZoo assumed: drawn in italic."""
    sizes = {fact.path.rsplit(".", 1)[0] for fact in state.document().system.facts if fact.assumed and fact.path}
    return _blocks_below(sizes, layout)


def _blocks_below(addresses: set[str], layout: Layout) -> frozenset[str]:
    return frozenset(block for block in layout.order if any(block == a or block.startswith(a + ".") for a in addresses))


def learned() -> Learned:
    """Gate weights and test metrics of the run in hand, where it is a run of exactly this model."""
    run = state.trained()
    if run is None:
        return Learned()
    last: dict[str, float] = {point.name: point.value for point in state.points(run.id)}
    gates: dict[str, dict[int, float]] = {}
    for name, value in last.items():
        if name.startswith("gate."):
            gate, expert = name.removeprefix("gate.").rsplit(".", 1)
            gates.setdefault(gate_address(gate), {})[int(expert)] = value
    schema = state.document().schema()
    metrics = {task: f"{fixed(values.get(schema.task(task).metric.key), 3)} {schema.task(task).metric.title}"
               for task, values in run.outcome.get("metrics", {}).get("test", {}).items() if values}
    return Learned({gate: tuple(shares[i] for i in sorted(shares)) for gate, shares in gates.items()}, metrics)


def dense_parts(count: Count) -> list[tuple[int, str, int]]:
    """The dense parameters by slot for the readout: (family, name, count)."""
    return [(family(slot), say(HEADS[slot]).lower(), number) for slot, number in counts.by_slot(count).items()]


def module_table() -> pd.DataFrame:
    """Every part with its parameters, FLOPs, shape and working."""
    document = state.document()
    table = counts.modules(document.blueprint, document.schema())
    return table.assign(output_shape=[" × ".join(map(str, shape)) for shape in table["output_shape"]])


def _set(key: str, value: object) -> None:
    if st.session_state.get(key) != value:
        st.session_state[key] = value
