"""Beside: models next to each other, only what differs: settings, counts, and what they reached where they were trained."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rankzoo.blueprint import SLOTS, Blueprint
from rankzoo.components.slot import Slot
from rankzoo.inspection.changes import Change, changes
from rankzoo.inspection.counts import memory
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
    found: dict[tuple[str, str], list[object]] = {}
    whole: set[tuple[str, str]] = set()
    for i, other in enumerate(others, 1):
        for change in changes(first.blueprint, other.blueprint):
            key = (change.address, repr(change.before))
            values = found.setdefault(key, [change.before] * len(models))
            values[i] = change.after
            whole |= {key} if change.whole else set()
    rows = [Row(key[0], tuple(values), key in whole) for key, values in found.items()]
    taught = [{"data": each.data} | {f"settings.{name}": value for name, value in each.settings.items()} for each in models]
    return (*rows, *_differing(taught))


def counts(models: Sequence[Model], batch_size: int) -> tuple[Row, ...]:
    """The counts that differ, in numbers and, where a batch of that size is trained, in bytes."""
    return tuple(_differing([measured(each, batch_size) for each in models]))


def measured(model: Model, batch_size: int) -> dict[str, int]:
    """Parameters, all, in tables and by slot; FLOPs, element-wise operations and activations of an example; bytes in serving and
    in training."""
    count = model.blueprint.count(model.schema)
    return {"parameters": count.parameters, "embedding": count.embedding, "dense": count.dense,
            **{slot: count.within(slot).parameters for slot in SLOTS[1:]}, "flops": count.flops,
            "elementwise": count.elementwise, "activations": count.activations, **memory(count, batch_size)}


def results(models: Sequence[Model]) -> tuple[Row, ...]:
    """What those that were trained reached on their test rows, each task by the metric that it is judged by first; nothing where
    fewer than two were trained."""
    if sum(bool(each.tested) for each in models) < 2:
        return ()
    judged = {task.name: task.metric for each in models for task in each.schema.tasks}
    tasks = dict.fromkeys(task for each in models for task in each.tested)
    return tuple(Row(f"{task} {judged[task].title}", tuple(each.tested.get(task, {}).get(judged[task].key) for each in models))
                 for task in tasks)


def only(models: Sequence[Model]) -> tuple[frozenset[str], ...]:
    """Of two models, the addresses of what each has and the other has not, or has otherwise: what a picture of it sets off."""
    one, other = models
    found = tuple(changes(one.blueprint, other.blueprint))
    tasks = [set(each.blueprint.tasks) for each in models]
    return (frozenset(_parts(found, lambda change: change.before is not None)) | _of_tasks(tasks[0] - tasks[1]),
            frozenset(_parts(found, lambda change: change.after is not None)) | _of_tasks(tasks[1] - tasks[0]))


def _parts(found: Sequence[Change], there: Callable[[Change], bool]) -> Iterator[str]:
    for change in found:
        if not change.whole and "." in change.address:
            yield change.address.rsplit(".", 1)[0]
        elif there(change):
            yield change.address


def _of_tasks(tasks: set[str]) -> frozenset[str]:
    return frozenset(f"{part}.{task}" for part in ("sharing.gate", "towers", "losses") for task in tasks)


def _differing(tables: Sequence[Mapping[str, object]]) -> list[Row]:
    names = dict.fromkeys(name for table in tables for name in table)
    rows = [Row(name, tuple(table.get(name) for table in tables)) for name in names]
    return [row for row in rows if any(value != row.values[0] for value in row.values)]
