"""What a diagram must be, for any blueprint on any data."""
from __future__ import annotations

from rankzoo.blueprint import Blueprint
from rankzoo.schema import Schema


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


def _behind(address: str, into: dict[str, set[str]]) -> set[str]:
    found, waiting = set(), [address]
    while waiting:
        for source in into.get(waiting.pop(), set()) - found:
            found.add(source)
            waiting.append(source)
    return found
