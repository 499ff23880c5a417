"""Apart: of two pictures at equal scale, the parts in which each differs from the other: what is drawn as new, all else stands
back."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rankzoo.blueprint import SLOTS, Blueprint
from rankzoo.export.picture import blocks_below, named
from rankzoo.figures.layout import Layout
from rankzoo.inspection.changes import Change, changes
from rankzoo.inspection.provenance import component_of
from rankzoo.shape import Block


@dataclass(frozen=True)
class Drawn:
    """A model and its picture."""

    blueprint: Blueprint
    layout: Layout


def apart(one: Drawn, other: Drawn) -> tuple[frozenset[str], frozenset[str]]:
    """The blocks of each that the other has not, or states otherwise. Where a component differs in nothing that its blocks state,
    those that the setting names, else all of it. A feature that is left out is set off where it is read."""
    return _own(one, other), _own(other, one)


def _own(mine: Drawn, theirs: Drawn) -> frozenset[str]:
    twins = dict(_twins(theirs.blueprint, mine.blueprint))
    there = {_moved(address, twins): _stated(address, theirs.layout) for address in theirs.layout.blocks}
    seen = frozenset(address for address, block in mine.layout.blocks.items()
                     if block.form != "left" and there.get(address) != _stated(address, mine.layout))
    return seen.union(*(_about(change, mine.layout, seen) for change in changes(theirs.blueprint, mine.blueprint)))


def _stated(address: str, layout: Layout) -> tuple[Block, int]:
    """What a block says of itself, wherever it stands and whatever it feeds, and for how many."""
    return replace(layout.blocks[address], address="", flows=()), layout.counts.get(address, 1)


def _twins(theirs: Blueprint, mine: Blueprint) -> Iterator[tuple[str, str]]:
    """Where a slot holds several components: the address of each there → that of the same one here, empty where there is none."""
    for slot in SLOTS:
        value, own = getattr(theirs, slot), getattr(mine, slot)
        if isinstance(value, tuple):
            left = dict(enumerate(own))
            for i, spec in enumerate(value):
                at = next((at for at, each in left.items() if each.kind == spec.kind), None)
                left.pop(at, None)
                yield f"{slot}.{i}", "" if at is None else f"{slot}.{at}"


def _moved(address: str, twins: Mapping[str, str]) -> str:
    """Where a block of theirs would stand here."""
    component = component_of(address)
    twin = twins.get(component, component)
    return twin + address.removeprefix(component) if twin else ""


def _about(change: Change, layout: Layout, seen: frozenset[str]) -> frozenset[str]:
    """The blocks that a change is about, though they may not state it; none of what is not here."""
    if change.after is None:
        return frozenset()
    component = change.address if change.whole or "." not in change.address else component_of(change.address)
    below = blocks_below((component,), layout) & layout.blocks.keys()
    if isinstance(change.before, Mapping) and isinstance(change.after, Mapping):
        names = [name for name in {**change.before, **change.after} if change.before.get(name) != change.after.get(name)]
        own = frozenset(a for a in below if any(named(a, layout.blocks[a], component, name) for name in names))
        return own or below
    return frozenset() if below & seen else below
