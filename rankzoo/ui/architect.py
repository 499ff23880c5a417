"""The Architect's parts: sidebar, what the diagram shows, and the caption of the selected part with its settings."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from rankzoo.blueprint import SLOTS, Blueprint
from rankzoo.components.slot import Slot
from rankzoo.facts import MEANING, Fact
from rankzoo.figures.diagram import worded
from rankzoo.figures.layout import Column, Layout, arrange
from rankzoo.figures.theme import family
from rankzoo.figures.words import fixed, flops, percent, whole
from rankzoo.inspection import counts
from rankzoo.registry import systems
from rankzoo.schema import Count, Schema
from rankzoo.ui import forms, page, state
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
            gates.setdefault(f"sharing.gate.{gate}", {})[int(expert)] = value
    metrics = {task: fixed(values.get("auc", values.get("rmse")), 3) + (" AUC" if "auc" in values else " RMSE")
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


def caption(chosen: str, layout: Layout, inside: Learned) -> None:
    """The strip below the figure: what is selected in words, its formula, its count and its settings."""
    document = state.document()
    with st.container(border=True, key="rz_caption"):
        block = layout.blocks.get(chosen)
        address, spec = _owner(chosen, document.blueprint)
        if spec is None and address in SLOTS:
            st.markdown(f"**{say(HEADS[address])}** :gray[{say('This model does not use the component. Switch it on:')}]")
            forms.kind(address)
            return
        if spec is None:
            st.markdown(f"**{page.escaped(document.system.name)}** {page.escaped(say(document.system.story))}")
            st.caption(say("Click a part of the diagram, or reach it with Tab and press Enter, "
                           "to see what it is and to change it."))
            return
        words, formula, number, more = st.columns([5, 6, 4, 5])
        with words:
            st.markdown(f"**{page.escaped(block.title if block else translate(spec.title))}**")
            st.caption(page.escaped(say(spec.sentence)))
        with formula:
            if spec.formula:
                st.latex(r"\small " + spec.formula)
            if spec.source:
                st.caption(page.escaped(spec.source.short))
        _numbers(number, more, chosen if block else address, address, inside.gates)
        st.divider()
        _settings(address, spec)


def _numbers(number, more, chosen: str, address: str, weights: Mapping[str, tuple[float, ...]]) -> None:
    """Parameters with their arithmetic, and the share of the model's work."""
    document = state.document()
    count = document.blueprint.count(document.schema())
    part = _counted(count, chosen) or count.within(address)
    working = "; ".join(f"{p.path}: {p.working} = {p.parameters:,}" for p in part.parts if p.parameters)
    number.metric(say("Parameters"), whole(part.parameters), help=page.escaped(working) or say("This part owns none."))
    share = part.flops / count.flops if count.flops else 0.0
    more.metric(say("Share of compute"), percent(share),
                help=say("{flops} of {all} per example", flops=flops(part.flops), all=flops(count.flops)))
    if chosen.startswith("sharing.expert.") and weights:
        place = int(chosen.rsplit(".", 1)[1])
        named = {gate.rsplit(".", 1)[1]: values[place] for gate, values in weights.items() if place < len(values)}
        order = dict.fromkeys([task for task in document.blueprint.tasks if task in named] + list(named))
        shares = "  \n".join(f"{page.escaped(gate)}: {percent(named[gate])}" for gate in order)
        more.caption(say("Mean gate weight by task") + "  \n" + shares)


def note(path: str) -> str | None:
    """Where the preset's value of a setting is from, for its help; None where nothing is said."""
    facts = [fact for fact in state.document().system.facts if fact.path == path]
    return "  \n".join(page.escaped(_said(fact)) for fact in facts) or None


def _said(fact: Fact) -> str:
    origin = ", ".join(filter(None, (fact.source.short if fact.source else "", fact.at)))
    return (f"{say(MEANING[fact.tag])}: {fact.value}" + (f" ({origin})" if origin else "")
            + (f". {say(fact.why)}" if fact.why else ""))


def _counted(count: Count, chosen: str) -> Count | None:
    """The count of a diagram node: itself, or for a tower its hidden layers and head."""
    slot, *rest = chosen.split(".")
    if slot == "towers" and rest and rest != ["bias"]:
        return count.within(f"towers.deep.{rest[0]}") + count.within(f"towers.head.{rest[0]}")
    found = count.within(chosen)
    return found if found.parts else None


def _settings(address: str, spec: Slot) -> None:
    """Every setting of a component, side by side, and the menu of its slot."""
    slot = address.split(".")[0]
    names = [name for name in type(spec).model_fields if name != "kind"]
    menu, *rest = st.columns(4)
    if not address.endswith(tuple("123456789")):
        with menu:
            forms.kind(slot)
    for i, name in enumerate(names):
        with (rest + [menu])[i % 4]:
            forms.setting(f"{address}.{name}", type(spec).model_fields[name], getattr(spec, name),
                          note=note(f"{address}.{name}"))
    facts = [fact for fact in state.document().system.facts if fact.path.startswith(address)]
    if facts:
        with st.popover(say("What the source says ({n})", n=len(facts)), icon=":material/menu_book:"):
            for fact in facts:
                st.markdown(f"**{page.escaped(say(fact.name))}** {page.escaped(_said(fact))} :gray-badge[{say(fact.tag)}]")


def _owner(chosen: str, blueprint: Blueprint) -> tuple[str, Slot | None]:
    """The component that a node belongs to. A node that is gone leaves its column: the slot's first component, or the slot
    alone where it is not used."""
    specs, slot = dict(blueprint.specs()), chosen.split(".")[0]
    for address, spec in specs.items():
        if chosen == address or chosen.startswith(address + "."):
            return address, spec
    first = f"{slot}.0"
    return (first, specs[first]) if first in specs else (slot, None)


def _set(key: str, value: object) -> None:
    if st.session_state.get(key) != value:
        st.session_state[key] = value
