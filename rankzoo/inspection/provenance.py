"""Provenance: where the value of every setting is from, which of them are sizes that shape the model, and which parts a source
speaks of. All of it is said of a preset: what was changed by hand is nobody's but the visitor's."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from rankzoo.blueprint import Blueprint, Place
from rankzoo.components.slot import Slot
from rankzoo.errors import ZooError
from rankzoo.facts import PROVENANCES, Fact, Provenance, Value, untold
from rankzoo.memo import kept
from rankzoo.schema import Schema
from rankzoo.shape import Block

SAID: Mapping[str, tuple[Provenance, ...]] = {
    "all": (), "stated": ("stated",), "supported": ("stated", "code", "derived", "known"), "assumed": ("unsure", "ours")}
"""What can be looked at alone: anything, what was read in the source, also what follows from it, what a reference code has and
what the field knows, or the rest."""


def values(blueprint: Blueprint, training: BaseModel, schema: Schema, facts: Iterable[Fact]) -> tuple[Value, ...]:
    """Every setting of every component and of the training, and the tasks, with the surest fact on it; where there is none, it is
    a default of RankZoo, or chosen for this preset where its value is another. The kind of a component is a setting where a fact
    speaks of it: without one it is what the system is called after."""
    told: dict[str, Fact] = {}
    for fact in sorted(facts, key=lambda fact: PROVENANCES.index(fact.tag)):
        told.setdefault(fact.path, fact)
    found = []
    for place in blueprint.places(schema):
        if fact := told.get(f"{place.address}.kind"):
            found.append(Value(fact.path, fact))
        for path, title, value, usual in settings(place.address, place.spec):
            fact = told.get(path) or untold(title, _written(value), path, usual)
            found.append(Value(path, fact, is_size(value) and shapes(place, path)))
    found.append(Value("tasks", told.get("tasks") or untold("Tasks", _written(blueprint.tasks), "tasks", usual=False)))
    found += [Value(path, told.get(path) or untold(title, _written(value), path, usual)) for path, title, value, usual
              in settings("settings", training)]
    return tuple(found)


def settings(address: str, spec: BaseModel) -> Iterator[tuple[str, str, Any, bool]]:
    """The settings of a component, and of those that it holds, or of a training, as address, title, value and whether that is the
    setting's default; no kind is one."""
    for name, field in type(spec).model_fields.items():
        value = getattr(spec, name)
        if name == "kind":
            continue
        if isinstance(value, tuple) and value and all(isinstance(each, Slot) for each in value):
            for i, each in enumerate(value):
                yield from settings(f"{address}.{name}.{i}", each)
        else:
            usual = bool(value == field.get_default(call_default_factory=True))
            yield f"{address}.{name}", field.title or name, value, usual


def shapes(place: Place, path: str) -> bool:
    """Whether another value of a size makes another model: other numbers leave the component, or are counted or drawn in it. So
    does a size beside which no other can stand."""
    other = next(_others(place, path), None)
    return other is None or _told_of(place, other) != _told_of(place, place.spec)


@kept
def idle(place: Place) -> tuple[str, ...]:
    """The settings of a component that do nothing where it is: sizes of parts that it does not have, as the size of all tables
    where each has one of its own, or that of hashed crosses where nothing is crossed."""
    return tuple(name for name in place.spec.sizing if not shapes(place, f"{place.address}.{name}"))


def live(place: Place, names: Iterable[str]) -> tuple[str, ...]:
    """Those of a component's settings that do something where it is."""
    gone = {*idle(place)}
    return tuple(name for name in names if name not in gone)


def sized_blocks(places: Iterable[Place], paths: Iterable[str], parts: bool = False) -> frozenset[str]:
    """The blocks of the diagram whose numbers are these sizes: those that another value changes, or all of the component where
    the size is a number of parts and none of their own. With `parts` also those whose number it is: every expert, and
    not the network below them."""
    found: set[str] = set()
    wanted = tuple(paths)
    for place in places:
        own = [path for path in wanted if path.startswith(f"{place.address}.")]
        drawn = _drawn(place, place.spec) if own else {}
        for path in own:
            after = _drawn(place, next(_others(place, path), place.spec))
            moved = {address for address, block in drawn.items() if after.get(address, block).units != block.units}
            if parts:
                counted = {_sort((drawn | after)[address]) for address in drawn.keys() ^ after.keys()}
                moved |= {address for address, block in drawn.items() if _sort(block) in counted}
            found |= moved or set(drawn)
    return frozenset(found)


def assumed_parts(values: Iterable[Value], tags: tuple[Provenance, ...], changed: Iterable[str] = ()) -> frozenset[str]:
    """The addresses of the components that have settings, of which none is among `tags`, or none that was not changed."""
    own = frozenset(changed)
    said: dict[str, bool] = {}
    for value in values:
        component = component_of(value.path)
        said[component] = said.get(component, False) or (value.fact.tag in tags and value.path not in own)
    return frozenset(component for component, any_said in said.items() if not any_said) if tags else frozenset()


def component_of(path: str) -> str:
    """The address of the component that a setting belongs to: `sharing` of `sharing.own`, `sequence.0` of `sequence.0.unit`. The
    tasks stand for themselves."""
    first, second, *_ = *path.split("."), ""
    return f"{first}.{second}" if second.isdigit() else first


def _told_of(place: Place, spec: Slot) -> tuple[Any, ...]:
    """What leaves a component, what is counted in it, and how it is drawn."""
    return spec.after(place.shape), spec.count(place.shape), spec.draw(place.shape)


def _drawn(place: Place, spec: Slot) -> dict[str, Block]:
    """The blocks of a component where it is, by address."""
    return {block.address: block for block in spec.draw(place.shape).blocks}


def _sort(block: Block) -> tuple[str, bool]:
    """What blocks have in common that one setting is the number of: their form, and whether each belongs to a task."""
    return block.form, bool(block.task)


def _others(place: Place, path: str) -> Iterator[Slot]:
    """The component with other values of one of its sizes, as far as it can stand with them where it is."""
    steps = path.removeprefix(f"{place.address}.").split(".")
    value = _held(place.spec, steps)
    for other in (_each(value, lambda n: n + 1), _each(value, lambda n: 2 * n), _each(value, lambda n: n // 2)):
        spec = _put(place.spec, steps, other)
        try:
            spec.after(place.shape)
        except ZooError:
            continue
        yield spec


def _each(value: Any, change: Any) -> Any:
    """A size with each of its numbers changed."""
    if isinstance(value, Mapping):
        return {name: change(number) for name, number in value.items()}
    return tuple(change(number) for number in value) if isinstance(value, tuple) else change(value)


def _held(spec: Any, steps: list[str]) -> Any:
    for step in steps:
        spec = spec[int(step)] if isinstance(spec, tuple) else getattr(spec, step)
    return spec


def _put(spec: Any, steps: list[str], value: Any) -> Any:
    if not steps:
        return value
    step, *rest = steps
    if isinstance(spec, tuple):
        return (*spec[:int(step)], _put(spec[int(step)], rest, value), *spec[int(step) + 1:])
    return spec.model_copy(update={step: _put(getattr(spec, step), rest, value)})


def is_size(value: Any) -> bool:
    """Whether a value is one whole number or several, none of them 0 and at least one."""
    numbers = value.values() if isinstance(value, Mapping) else value if isinstance(value, (tuple, list)) else (value,)
    return bool(numbers) and all(type(number) is int and number for number in numbers)


def _written(value: Any) -> str:
    """A value in a few letters, as a fact's is."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_written(each)}" for name, each in value.items()) or "none"
    if isinstance(value, tuple):
        return ", ".join(" × ".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
