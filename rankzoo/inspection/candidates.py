"""Candidates: what a request computes once, and what it computes for each of its candidates.

The users' columns and their histories are the same for all candidates of a request. A part that reads nothing else is computed
once; any other, each time. A column of the context counts as the candidate's: a place in a list or how well both go together
differs from one candidate to the next.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rankzoo.blueprint import Blueprint
from rankzoo.inspection.part import owned
from rankzoo.schema import Schema
from rankzoo.shape import Block

REQUEST = "user"


@dataclass(frozen=True)
class Work:
    """FLOPs of a request: `once`, and `each` for every candidate of it."""

    once: int
    each: int

    def of(self, candidates: int) -> int:
        """All of them, for so many candidates."""
        return self.once + candidates * self.each


def work(blueprint: Blueprint, schema: Schema) -> Work:
    """What a request takes. Where a row scores the whole catalogue, a request is one row; where no column is a candidate's, all
    rows are told apart by nothing, and each is computed whole."""
    count = blueprint.count(schema)
    if any(schema.named(schema.task(task).of) for task in blueprint.tasks):
        return Work(count.flops, 0)
    read = reading(blueprint, schema)
    each = sum(part.flops for part in count.parts if part.path in read) if read else count.flops
    return Work(count.flops - each, each)


def reading(blueprint: Blueprint, schema: Schema) -> frozenset[str]:
    """The paths of the parts that are computed for each candidate, as the edges of the diagram lead there."""
    blocks = blueprint.blocks(schema)
    own = {place.address: [block for block in blocks if f"{block.address}.".startswith(f"{place.address}.")]
           for place in blueprint.places(schema)}
    known, found = _reached(blocks, _columns(blueprint, schema)), set()
    for address, count in owned(blocks, blueprint.count(schema)).items():
        found |= {part.path for part in count.parts if address in known and not part.past}
    for part in blueprint.count(schema).parts:
        if part.past:  # read before anybody asks
            inside = next(inside for address, inside in own.items() if f"{part.path}.".startswith(f"{address}."))
            asked = {block.address for block in inside if block.form != "candidate"}
            drawn = [block for block in blocks if block not in inside and any(flow.to in asked for flow in block.flows)]
            found |= {part.path for block in drawn if block.address in known}
    return frozenset(found)


def _columns(blueprint: Blueprint, schema: Schema) -> set[str]:
    """The nodes of the columns that differ from candidate to candidate; of numbers drawn as one, where any of them does. A
    history does where a field of it tells how far a past item is from the row's own amount."""
    side = {feature.name: feature.side for feature in schema.features}
    numbers = any(feature.side != REQUEST for feature in blueprint.places(schema)[0].shape.schema.inputs
                  if feature.kind == "numeric")
    told = {f"representation.{h.name}" for h in schema.histories
            if any(f.gap and f.gap.own and side.get(f.gap.own.of, REQUEST) != REQUEST for f in h.fields)}
    found = set()
    for block in blueprint.blocks(schema):
        numeric = block.form in ("numbers", "forest")
        own = block.form in ("feature", "item", "bias") and block.group != REQUEST
        if block.slot == "representation" and (numeric and numbers or own or block.address in told):
            found.add(block.address)
    return found


def _reached(blocks: Sequence[Block], columns: set[str]) -> set[str]:
    """These nodes and all behind them, but what a component keeps apart for the user."""
    known, left = set(columns), [block for block in blocks if block.address in columns]
    by = {block.address: block for block in blocks}
    while left:
        for flow in left.pop().flows:
            if flow.to in by and flow.to not in known and by[flow.to].group != REQUEST:
                known.add(flow.to)
                left.append(by[flow.to])
    return known
