"""Beside: models next to each other, only what differs: settings, counts, and what they reached where they were trained."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rankzoo.blueprint import SLOTS, Blueprint
from rankzoo.components.slot import Slot
from rankzoo.inspection.changes import Change, changes
from rankzoo.inspection.memory import memory
from rankzoo.schema import Schema


@dataclass(frozen=True)
class Model:
    """One of them. name: what it is called here · schema, data: what it stands on, and that one's name · settings: of its
    training · tested: {task: {metric: value}} on the test rows of its run, empty where it was not trained."""

    name: str
    blueprint: Blueprint
    schema: Schema
    data: str
    settings: Mapping[str, object] = field(default_factory=dict)
    tested: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One thing in which they differ, with a value for each model, None where one has no such thing. `whole`: values are
    components and not settings."""

    what: str
    values: tuple[object, ...]
    whole: bool = False

    def record(self) -> dict[str, object]:
        """As plain values: kinds for components."""
        return {"what": self.what, "values": [each.kind if isinstance(each, Slot) else each for each in self.values]}


def settings(models: Sequence[Model]) -> tuple[Row, ...]:
    """The settings in which any differs from the first, component by component; then the data and the settings of training."""
    first, *others = models
    found: dict[tuple[str, str, int, str], list[object]] = {}
    said: dict[tuple[str, str, int, str], tuple[str, bool]] = {}
    for i, other in enumerate(others, 1):
        for change in changes(first.blueprint, other.blueprint):
            key = _place(change, first.blueprint, other.blueprint)
            values = found.setdefault(key, [_value(each.blueprint, *key) for each in models])
            values[i] = change.after
            said.setdefault(key, (change.address, change.whole))
    rows = [Row(said[key][0], tuple(values), said[key][1]) for key, values in found.items()]
    taught = [{"data": each.data} | {f"settings.{name}": value for name, value in each.settings.items()} for each in models]
    return (*rows, *_differing(taught))


def _place(change: Change, first: Blueprint, other: Blueprint) -> tuple[str, str, int, str]:
    """Where each of several models has what a change from `first` to `other` is about: its slot, the component's kind, how many
    of that kind stand before it, the setting's name. An address alone names another component in another list."""
    slot, _, rest = change.address.partition(".")
    if not change.whole and not rest:
        return slot, "", 0, ""
    value = getattr(first if isinstance(change.before, Slot) else other, slot)
    at, _, name = rest.partition(".") if isinstance(value, tuple) else ("0", "", rest)
    specs = value if isinstance(value, tuple) else (value,)
    kind = specs[int(at)].kind
    return slot, kind, sum(each.kind == kind for each in specs[:int(at)]), name


def _value(blueprint: Blueprint, slot: str, kind: str, before: int, name: str) -> object:
    """What a model has there; None where it has no such component. Of a whole slot: the kinds in their order."""
    value = getattr(blueprint, slot)
    if not kind:
        return tuple(spec.kind for spec in value) if slot in SLOTS else value
    alike = [spec for spec in (value if isinstance(value, tuple) else (value,)) if spec.kind == kind]
    spec = alike[before] if before < len(alike) else None
    return getattr(spec, name) if spec and name else spec


def counts(models: Sequence[Model], batch_size: int) -> tuple[Row, ...]:
    """The counts that differ, in numbers and, where a batch of that size is trained, in bytes. Element-wise operations are told
    where no model multiplies a matrix: beside the products of another they are counted in part alone."""
    found = [measured(each, batch_size) for each in models]
    told = not any(each["flops"] for each in found)
    return tuple(row for row in _differing(found) if told or row.what != "elementwise")


def measured(model: Model, batch_size: int) -> dict[str, int]:
    """Parameters, all, in tables and by slot; FLOPs, element-wise operations and activations of an example; bytes in serving and
    in training."""
    count = model.blueprint.count(model.schema)
    return {"parameters": count.parameters, "embedding": count.embedding, "dense": count.dense,
            **{slot: count.within(slot).parameters for slot in SLOTS[1:]}, "flops": count.flops,
            "elementwise": count.elementwise, "activations": count.activations, **memory(count, batch_size)}


def results(models: Sequence[Model]) -> tuple[Row, ...]:
    """What those that were trained reached on their test rows, each task by the metric that its own data judge it by first, so
    that two tasks of one name have a row each; nothing where fewer than two were trained."""
    if sum(bool(each.tested) for each in models) < 2:
        return ()
    judged = [{task: each.schema.task(task).metric for task in each.tested} for each in models]
    rows = dict.fromkeys(asked for each in judged for asked in each.items())
    return tuple(Row(f"{task} {metric.title}", tuple(each.tested[task].get(metric.key) if own.get(task) == metric else None
                                                     for each, own in zip(models, judged, strict=True)))
                 for task, metric in rows)


def _differing(tables: Sequence[Mapping[str, object]]) -> list[Row]:
    names = dict.fromkeys(name for table in tables for name in table)
    rows = [Row(name, tuple(table.get(name) for table in tables)) for name in names]
    return [row for row in rows if any(value != row.values[0] for value in row.values)]
