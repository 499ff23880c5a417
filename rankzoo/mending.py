"""Mending: the nearest change with which a blueprint that cannot stand would stand, or at least fail further along.

Proposals come from near to far: what the refusal itself offers, the setting that it names (without one of its values, then as it
is by default), the component's other settings, the component taken out or exchanged for another kind of its slot, then the same
for what feeds it. Each is tried; the first with which the model stands is the cure, else the one that brings it furthest.
"""
from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from rankzoo.blueprint import SLOTS, Blueprint, kinds
from rankzoo.errors import Cure, ZooError
from rankzoo.paths import leaves, set_at
from rankzoo.schema import Schema

PLAIN = {slot: field.default.kind for slot, field in Blueprint.model_fields.items() if slot in SLOTS and field.default}
"""The kind of each slot that stands there where nothing is said: it asks least of what comes to it."""


def cure(blueprint: Blueprint, schema: Schema, problem: ZooError, instead: Blueprint | None = None) -> Cure | None:
    """The nearest change that mends a refusal of this blueprint on these data; None where none of the proposals helps. `instead`
    is the model that it would have taken the place of: to come back to that one mends nothing."""
    tree = json.loads(blueprint.model_dump_json())
    if problem.cure and _leads(blueprint, schema, problem, instead):
        return problem.cure
    before = dict(instead.specs()) if instead else {}
    taken = {f"{at}.kind" for at, spec in blueprint.specs() if at in before and spec.kind != before[at].kind}
    now, best, found = _reach(blueprint, schema), -1, None
    for path, value in _proposals(tree, blueprint, schema, problem):
        if path in taken:
            continue  # a third component is not what somebody wants who just exchanged one for another
        changed = _changed(tree, path, value)
        if changed in (None, instead):
            continue
        reached, other = _reach(changed, schema)
        if reached > max(best, now[0]) or reached == now[0] and best < 0 and other != now[1]:  # or another refusal in its place
            best, found = reached, (path, value)
        if reached == STANDS:
            break
    return found


def _leads(blueprint: Blueprint, schema: Schema, problem: ZooError, instead: Blueprint | None) -> bool:
    """Whether what refusals themselves offer, one after the other, leads to a model that stands."""
    for _ in range(3):
        changed = _changed(json.loads(blueprint.model_dump_json()), *problem.cure)
        if changed in (None, blueprint, instead):
            return False
        blueprint = changed
        try:
            _, problem = blueprint.reached(schema)
        except ZooError as another:
            problem = another
        if problem is None or not problem.cure:
            return problem is None
    return False


STANDS = 1_000


def _reach(blueprint: Blueprint, schema: Schema) -> tuple[int, str]:
    """How far along the frame the first component stands that fails, STANDS where none does; and what it says."""
    try:
        places, problem = blueprint.reached(schema)
    except ZooError as problem:
        return 0, str(problem)
    slot, _, index = places[-1].address.partition(".")
    return (1 + SLOTS.index(slot) * 10 + int(index or 0), str(problem)) if problem else (STANDS, "")


def _changed(tree: dict[str, Any], path: str, value: object) -> Blueprint | None:
    changed = json.loads(json.dumps(tree))
    try:
        set_at(changed, path, value)
        return Blueprint.model_validate_json(json.dumps(changed))
    except (ZooError, ValidationError):
        return None


def _proposals(tree: dict[str, Any], blueprint: Blueprint, schema: Schema, problem: ZooError) -> Iterator[Cure]:
    if problem.cure:
        yield problem.cure
    yield from _without_one(tree, problem.at, schema)
    specs = list(blueprint.specs())
    failing = next((i for i, (address, _) in enumerate(specs) if f"{problem.at}.".startswith(f"{address}.")), 0)
    named = problem.at.removeprefix(specs[failing][0]).lstrip(".").split(".")[0]
    for address, spec in reversed(specs[:failing + 1]):
        usual = json.loads(type(spec)().model_dump_json())
        yield from ((f"{address}.{name}", usual[name]) for name in sorted(usual, key=lambda each: each != named)
                    if name != "kind" and usual[name] != json.loads(spec.model_dump_json())[name])
        yield from _otherwise(tree, address)
    yield from ((slot, []) for slot in ("interaction", "sequence"))
    yield from (("tasks", [schema.tasks[0].name]), ("without", []))
    yield from ((f"{slot}.kind", kind) for slot, kind in PLAIN.items())


def _without_one(tree: dict[str, Any], at: str, schema: Schema) -> Iterator[Cure]:
    """A list of names without the one that is refused, or a mapping without its key, or with one that is nearly called so."""
    group, _, last = at.rpartition(".")
    held: Any = tree
    for step in group.split("."):
        try:
            held = held[int(step) if isinstance(held, list) else step]
        except (KeyError, IndexError, ValueError, TypeError):
            return
    if isinstance(held, list) and last.isdecimal() and int(last) < len(held):
        rest = held[:int(last)] + held[int(last) + 1:]
        if group == "concatenation.fields":
            yield group, None  # all that is there: a model must go on reading the candidate
        yield group, rest or None
        yield group, rest
    elif isinstance(held, dict) and last in held and "kind" not in held and group:
        rest = {name: value for name, value in held.items() if name != last}
        known = [each.name for each in (*schema.tasks, *schema.features, *schema.histories) if each.name not in rest]
        yield from ((group, {near if name == last else name: value for name, value in held.items()})
                    for near in get_close_matches(last, known, n=1, cutoff=0.6))
        yield group, rest


def _otherwise(tree: dict[str, Any], address: str) -> Iterator[Cure]:
    """A component taken out where its slot may do without, or another kind in its place, the plainest first."""
    slot, _, index = address.partition(".")
    if index:
        yield slot, [spec for i, spec in enumerate(tree[slot]) if i != int(index)]
    for kind in sorted(kinds(slot), key=lambda each: each != PLAIN.get(slot)):
        yield f"{address}.kind", kind


def shrunk(blueprint: Blueprint, schema: Schema, limit: int) -> Cure | None:
    """The one size, or list of sizes, that holds most of a blueprint's parameters, as large as `limit` parameters allow."""
    tree = json.loads(blueprint.model_dump_json())
    sizes = {path: value for path, value in leaves(tree) if _is_size(value)}

    def parameters(path: str, share: float) -> int | None:
        changed = _changed(tree, path, _scaled(sizes[path], share))
        try:
            return changed.count(schema).parameters if changed else None
        except ZooError:
            return None

    least = {path: found for path in sizes if (found := parameters(path, 0.0)) is not None and found <= limit}
    if not least:
        return None
    path = min(least, key=lambda each: least[each])
    low, high = 0.0, 1.0
    for _ in range(32):
        middle = (low + high) / 2
        found = parameters(path, middle)
        low, high = (middle, high) if found is not None and found <= limit else (low, middle)
    return path, _scaled(sizes[path], low)


def _is_size(value: object) -> bool:
    """Whether a setting is a whole number above one, or a list of them."""
    each = value if isinstance(value, list) else [value]
    return bool(each) and all(isinstance(one, int) and not isinstance(one, bool) and one > 0 for one in each) and max(each) > 1


def _scaled(value: Any, share: float) -> Any:
    return [_scaled(each, share) for each in value] if isinstance(value, list) else max(1, int(value * share))
