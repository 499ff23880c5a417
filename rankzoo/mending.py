"""Mending: the nearest changes with which a blueprint that cannot stand would stand.

Proposals come from near to far. Each is tried; where the model then fails further along, or by something else, the proposals of
that failure follow. The first changes with which the model stands, and is not too large, are the cure: few before many, near
before far. Where none is found soon, components can go back to what the preset has, the failing one first.
"""
from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import inf
from typing import Any

from rankzoo.blueprint import Blueprint, Place
from rankzoo.errors import Cure, ZooError
from rankzoo.memo import kept
from rankzoo.paths import lasting, leaves
from rankzoo.proposals import proposals
from rankzoo.schema import Schema

MOST_TRIED = 160
"""Changes that are tried, less than a millisecond each."""
MORE_TRIED = 24
"""Changes that are tried behind the first with which the model stands, for one that nobody objects to."""
OWN, FURTHER, AHEAD = 0.4, 0.025, 0.5
"""In changes: what the refusal's own proposal counts where others count one; how much further away each is than the one before;
what it is worth that one component more stands."""


@dataclass(frozen=True)
class Case:
    """Where a model cannot stand: the data, the preset's model, the one whose place it would take, the most parameters, and what
    else is wanted of one that does; `amends` is what would mend all that somebody may object to in one that stands: the same so
    amended goes before it, and so does what is about as near and gives no reason."""

    schema: Schema
    preset: Blueprint
    instead: Blueprint | None = None
    most: int | None = None
    wanted: Callable[[Blueprint], bool] = lambda blueprint: True
    amends: Callable[[Blueprint], tuple[Cure, ...]] = lambda blueprint: ()

    def stands(self, blueprint: Blueprint) -> bool:
        """Whether a blueprint can be counted here, has no more parameters than it may, and is what is wanted."""
        try:
            return blueprint.count(self.schema).parameters <= (self.most or inf) and self.wanted(blueprint)
        except ZooError:
            return False

    def amended(self, tried: Blueprint, steps: Cure) -> tuple[Cure, bool]:
        """Steps behind which a model stands, with those that mend what might be objected to in settings that they set or of the
        components that they put there, and whether nothing is left then."""
        standing = tried.but(steps)
        objections, came = self.amends(standing), _held(standing) - _held(tried)
        new = [f"{at}." for at, spec in standing.specs() if (at.split(".")[0], spec.kind) in came]
        own = {path for path, _ in steps}
        more = sum((each for each in objections if each[0][0] in own or all(path.startswith(tuple(new)) for path, _ in each)), ())
        changed = standing.but(more)
        if more and not (_held(changed) == _held(standing) and self.stands(changed)):
            return steps, False
        return lasting(steps + more), not (self.amends(changed) if more else objections)

    def keeps(self, tried: Blueprint, mended: Blueprint) -> bool:
        """Whether what was just put in is still there: neither the model of before nor a third component is what somebody wants
        who chose a second one."""
        before = _held(self.instead) if self.instead else _held(tried)
        return mended != self.instead and _held(tried) - before <= _held(mended)


def cure(blueprint: Blueprint, case: Case) -> Cure:
    """The nearest changes that mend a refusal of this blueprint; none where nothing near stands."""
    tried, order = {blueprint.json()}, count()
    waiting = [(0.0, next(order), _Way.of(blueprint, (), case, *blueprint.reached(case.schema)))]
    found, most = (), MOST_TRIED
    while waiting and len(tried) < most:
        near, _, way = heapq.heappop(waiting)
        step = next(way.proposals, None)
        if step is None:
            continue
        own = step == way.problem.cure
        heapq.heappush(waiting, (near + (1 - OWN if own else FURTHER), next(order), way))
        try:
            changed = way.blueprint.but(step)
        except ZooError:
            continue
        if not case.keeps(blueprint, changed) or (key := changed.json()) in tried:
            continue
        tried.add(key)
        places, problem = changed.reached(case.schema)
        if problem is None:
            if not case.stands(changed) and case.most:
                step += shrunk(changed, case.schema, case.most)
            if case.stands(way.blueprint.but(step)):
                whole, sound = case.amended(blueprint, sum(_needed(blueprint, (*way.steps, step), case), ()))
                if sound:
                    return whole
                found, most = found or whole, most if found else min(most, len(tried) + MORE_TRIED)
        after = problem and _Way.of(changed, (*way.steps, step), case, places, problem)
        if after and after.left <= way.left and (after.left, str(problem)) != (way.left, str(way.problem)):
            heapq.heappush(waiting, (near + OWN - AHEAD * (way.left - after.left), next(order), after))
    return found


@dataclass(frozen=True)
class _Way:
    """What some changes make of a blueprint that still cannot stand: its problem, how many components are left to be reached, the
    failing one among them, and what might be changed next."""

    blueprint: Blueprint
    steps: tuple[Cure, ...]
    problem: ZooError
    left: int
    proposals: Iterator[Cure]

    @classmethod
    def of(cls, blueprint: Blueprint, steps: tuple[Cure, ...], case: Case, places: Sequence[Place], problem: ZooError) -> _Way:
        every = [address for address, _ in blueprint.specs()]
        asked = problem.at.split(".")[0] in ("tasks", "without")
        left = len(every) + 1 if asked else len(every) - every.index(places[-1].address)
        return cls(blueprint, steps, problem, left, proposals(blueprint, case.schema, case.preset, problem))


@kept
def _held(blueprint: Blueprint) -> frozenset[tuple[str, str]]:
    return frozenset((address.split(".")[0], spec.kind) for address, spec in blueprint.specs())


def _needed(blueprint: Blueprint, steps: tuple[Cure, ...], case: Case) -> tuple[Cure, ...]:
    """The steps without those that the model stands without as well."""
    for step in steps:
        fewer = tuple(each for each in steps if each is not step)
        try:
            changed = blueprint.but(sum(fewer, ()))
        except ZooError:
            continue
        if case.keeps(blueprint, changed) and case.stands(changed):
            steps = fewer
    return steps


def put_back(blueprint: Blueprint, case: Case) -> Cure:
    """Slots, tasks and features as the preset has them: the failing one, then whatever fails next, and in the end all."""
    every: Cure = tuple((name, json.loads(case.preset.model_dump_json()).get(name, [])) for name in Blueprint.model_fields)
    found: Cure = ()
    for _ in every:
        places, problem = blueprint.but(found).reached(case.schema)
        at = (problem.at if problem else "").split(".")[0]
        if problem is None:
            break
        wanted = {at if at in ("tasks", "without") else places[-1].address.split(".")[0]} - {path for path, _ in found}
        found += tuple(each for each in every if each[0] in wanted)
        if not wanted:
            break
    if found and case.stands(blueprint.but(found)):
        return found
    now = json.loads(blueprint.model_dump_json())
    return tuple(each for each in every if now.get(each[0], []) != each[1]) or every


def shrunk(blueprint: Blueprint, schema: Schema, limit: int) -> Cure:
    """The one size, or list of sizes, that holds most of a blueprint's parameters, as large as `limit` parameters allow; where no
    single one is enough, all of them made smaller by one share; nothing where the smallest are too many."""
    sizes = {path: value for path, value in leaves(json.loads(blueprint.model_dump_json())) if _is_size(value)}

    def fits(paths: Sequence[str], share: float) -> int | None:
        try:
            found = blueprint.but(_scaled_at(sizes, paths, share)).count(schema).parameters
        except ZooError:
            return None
        return found if found <= limit else None

    least = {(path,): found for path in sizes if (found := fits((path,), 0.0)) is not None}
    paths = min(least, key=lambda each: least[each]) if least else tuple(sizes)
    low, high = 0.0, 1.0
    if fits(paths, low) is None:
        return ()
    for _ in range(32):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(paths, middle) is not None else (low, middle)
    return _scaled_at(sizes, paths, low)


def _scaled_at(sizes: Mapping[str, object], paths: Sequence[str], share: float) -> Cure:
    return tuple((path, _scaled(sizes[path], share)) for path in paths)


def _is_size(value: object) -> bool:
    """Whether a setting is a whole number above one, or a list of them."""
    each = value if isinstance(value, list) else [value]
    return bool(each) and all(isinstance(one, int) and not isinstance(one, bool) and one > 0 for one in each) and max(each) > 1


def _scaled(value: Any, share: float) -> Any:
    return [_scaled(each, share) for each in value] if isinstance(value, list) else max(1, int(value * share))
