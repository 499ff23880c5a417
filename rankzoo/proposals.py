"""Proposals: what might be changed in a blueprint that is refused, from near to far.

What the refusal itself offers, the setting that it names (without one of its values, then as it is by default), the component's
other settings, the component taken out or exchanged for another kind of its slot, one more component before it, then the same for
what feeds it.
"""
from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache
from itertools import chain
from typing import Any

from rankzoo.blueprint import SLOTS, Blueprint, kinds
from rankzoo.components.slot import Slot
from rankzoo.errors import Change, Cure, ZooError, nearest
from rankzoo.paths import at as value_at
from rankzoo.schema import Schema

PLAIN = {slot: field.default.kind for slot, field in Blueprint.model_fields.items() if slot in SLOTS and field.default}
"""The kind of each slot that stands there where nothing is said: it asks least of what comes to it."""


def proposals(blueprint: Blueprint, schema: Schema, preset: Blueprint, problem: ZooError) -> Iterator[Cure]:
    """Changes from near to far, an exchange with the new component's settings."""
    tree, specs = json.loads(blueprint.model_dump_json()), dict(blueprint.specs())
    for path, value in chain(_tasks(blueprint, schema, preset, problem), _steps(tree, blueprint, schema, problem)):
        address, _, last = path.rpartition(".")
        old = specs.get(address)
        if last != "kind":
            yield ((path, value),)
        elif old is None or old.kind != value:
            new = preset.component(address.split(".")[0], str(value), old)
            if _installed(new):
                yield _as_settings(address, new)


def _installed(spec: Slot) -> bool:
    try:
        spec.installed("")
    except ZooError:
        return False
    return True


def _as_settings(address: str, spec: Slot) -> Cure:
    """A component as its kind and what differs from that kind's defaults: each may be set by its address."""
    usual = json.loads(type(spec)().model_dump_json())
    own = json.loads(spec.model_dump_json())
    return ((f"{address}.kind", spec.kind), *((f"{address}.{name}", own[name]) for name in own if own[name] != usual[name]))


def _tasks(blueprint: Blueprint, schema: Schema, preset: Blueprint, problem: ZooError) -> Iterator[Change]:
    """The preset's tasks, where no name that was given is the data's or near one of theirs."""
    known = [task.name for task in schema.tasks]
    if problem.at.split(".")[0] == "tasks" and not any(nearest("tasks", name, known) for name in blueprint.tasks):
        yield "tasks", list(preset.tasks)


def _steps(tree: dict[str, Any], blueprint: Blueprint, schema: Schema, problem: ZooError) -> Iterator[Change]:
    yield from problem.cure
    yield from _without_one(tree, problem.at, schema)
    specs = list(blueprint.specs())
    failing = next((i for i, (address, _) in enumerate(specs) if f"{problem.at}.".startswith(f"{address}.")), 0)
    named = problem.at.removeprefix(specs[failing][0]).lstrip(".").split(".")[0]
    for address, spec in reversed(specs[:failing + 1]):
        yield from _set_otherwise(address, spec, named, schema, problem)
        yield from _otherwise(tree, address)
        if spec is specs[failing][1]:
            yield from ((f"{slot}.{len(tree[slot])}.kind", kind) for slot in ("sequence", "interaction") for kind in kinds(slot)
                        if SLOTS.index(slot) <= SLOTS.index(address.split(".")[0]))
    yield from ((slot, []) for slot in ("interaction", "sequence"))
    yield from (("tasks", [schema.tasks[0].name]), ("without", []))
    yield from ((f"{slot}.kind", kind) for slot, kind in PLAIN.items())


def _set_otherwise(address: str, spec: Slot, named: str, schema: Schema, problem: ZooError) -> Iterator[Change]:
    """A component's settings, first the one that is named: as they are by default, switched on or off, a whole number as one that
    the refusal speaks of, a name as another of the data that is nearly called so."""
    usual, own = (json.loads(each.model_dump_json()) for each in (type(spec)(), spec))
    spoken = [each for each in problem.values.values() if isinstance(each, int) and not isinstance(each, bool)]
    known = [each.name for each in sorted(schema.features, key=lambda each: each.side != named)]
    known += [each.name for each in (*schema.tasks, *schema.histories)]
    for name in sorted(usual, key=lambda each: each != named):
        if name == "kind":
            continue
        others = [usual[name]]
        if isinstance(own[name], bool):
            others.append(not own[name])
        elif isinstance(own[name], int):
            others += spoken
        elif isinstance(own[name], str) and name == named:
            others += sorted(known, key=lambda each: -_likeness(own[name], each))
        yield from ((f"{address}.{name}", other) for other in others if other != own[name])


@lru_cache(maxsize=4096)
def _likeness(name: str, other: str) -> float:
    return SequenceMatcher(None, name, other).ratio()


def _without_one(tree: dict[str, Any], at: str, schema: Schema) -> Iterator[Change]:
    """A list without the name or list in it that is refused, or a mapping without its key, or with one nearly called so."""
    group, _, last = at.rpartition(".")
    held = value_at(tree, group)
    if isinstance(held, list) and last.isdecimal() and int(last) < len(held):
        rest = held[:int(last)] + held[int(last) + 1:]
        if group == "concatenation.fields":
            yield group, None  # all that is there: a model must go on reading the candidate
        if not rest:
            yield from _without_one(tree, group, schema)  # a list among others that would be left empty
        yield group, rest or None
        yield group, rest
    elif isinstance(held, dict) and last in held and "kind" not in held and group:
        rest = {name: value for name, value in held.items() if name != last}
        known = [each.name for each in (*schema.tasks, *schema.features, *schema.histories) if each.name not in rest]
        yield from ((group, {near if name == last else name: value for name, value in held.items()})
                    for near in get_close_matches(last, known, n=1, cutoff=0.6))
        yield group, rest


def _otherwise(tree: dict[str, Any], address: str) -> Iterator[Change]:
    """A component taken out where its slot may do without, or another kind in its place, the plainest first."""
    slot, _, index = address.partition(".")
    if index:
        yield slot, [spec for i, spec in enumerate(tree[slot]) if i != int(index)]
    for kind in sorted(kinds(slot), key=lambda each: each != PLAIN.get(slot)):
        yield f"{address}.kind", kind
