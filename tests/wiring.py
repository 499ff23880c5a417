"""What a diagram must be, for any blueprint on any data."""
from __future__ import annotations

from rankzoo.blueprint import Blueprint
from rankzoo.schema import Schema

WHOLE = ("candidate", "sum", "product", "layer", "expert", "tower")
"""Forms of what hands its last layer on, whole."""


def assert_wired(blueprint: Blueprint, schema: Schema) -> None:
    """Unique addresses, edges with both ends and a width, every head reached from an input, parameters that add up."""
    blocks = blueprint.blocks(schema)
    by_address = {block.address: block for block in blocks}
    assert len(by_address) == len(blocks)
    into: dict[str, set[str]] = {}
    for block in blocks:
        assert len({flow.to for flow in block.flows}) == len(block.flows), f"{block.address} draws an edge twice"
        for flow in block.flows:
            assert flow.to in by_address and flow.width > 0, (block.address, flow)
            into.setdefault(flow.to, set()).add(block.address)
    for block in blocks:
        assert block.slot == "representation" or block.address in into, f"nothing leads into {block.address}"
    for task in blueprint.tasks:
        assert any(by_address[source].slot == "representation" for source in _behind(f"losses.{task}", into))
    assert sum(block.parameters for block in blocks) == blueprint.count(schema).parameters
    assert_widths(blueprint, schema)


def assert_widths(blueprint: Blueprint, schema: Schema) -> None:
    """The width told at an edge is that of what flows: past items as many as there are and as wide as one, what a node ends with,
    and into a sum as many vectors as its count adds up, as wide as it is where its own component hands them on."""
    blocks, adds = blueprint.blocks(schema), {part.path: part.flops for part in blueprint.count(schema).parts}
    sums = {block.address: block.units[-1] for block in blocks if block.form == "sum"}
    for block in blocks:
        for flow in block.flows:
            if block.form == "history":
                assert (flow.times, flow.width) == block.units, (block.address, flow)
            elif block.form in WHOLE:
                assert flow.width == block.units[-1], (block.address, flow)
            if flow.to in sums:
                inside = block.address.startswith(flow.to.removesuffix(".sum"))
                assert adds[flow.to] == 2 * flow.times * sums[flow.to], (block.address, flow)
                assert flow.width == sums[flow.to] or not inside, (block.address, flow)


def ending(blueprint: Blueprint, schema: Schema, task: str) -> int:
    """How many numbers a row's logits of a task are, as its tower's edge tells them."""
    (flow,) = (flow for block in blueprint.blocks(schema) for flow in block.flows
               if block.form == "tower" and block.task in ("", task) and flow.to == f"losses.{task}")
    return flow.numbers


def _behind(address: str, into: dict[str, set[str]]) -> set[str]:
    found, waiting = set(), [address]
    while waiting:
        for source in into.get(waiting.pop(), set()) - found:
            found.add(source)
            waiting.append(source)
    return found
