"""What a drawing shows besides the architecture: the selection, what training found, what is assumed or changed."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rankzoo.figures.layout.types import Layout
from rankzoo.figures.theme import SLOTS
from rankzoo.figures.words import Say
from rankzoo.shape import Block

Weights = Mapping[str, tuple[float, ...]]
NO_WEIGHTS: Weights = MappingProxyType({})
NO_WORDS: Mapping[str, str] = MappingProxyType({})
NO_SHARES: Mapping[str, float] = MappingProxyType({})
NO_ITEMS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True)
class State:
    """Everything by address: `weights` of a gate, one per expert in the model's order; `attention` of a scorer, one weight per
    past item, the newest last; `metrics` by task; `shares` of the parameters; `say` puts English into the reader's
    language; the rest are sets of addresses."""

    layout: Layout
    selected: str
    weights: Weights
    attention: Weights
    metrics: Mapping[str, str]
    changed: frozenset[str]
    assumed: frozenset[str]
    added: frozenset[str]
    back: frozenset[str]
    shares: Mapping[str, float]
    items: Mapping[str, tuple[str, ...]]
    say: Say

    def task(self, name: str) -> int:
        """The number of a task, which is its colour and its symbol."""
        return self.layout.tasks.get(name, 0)

    def pressed(self, address: str) -> bool:
        return bool(self.selected) and self.layout.shown(self.selected) == address

    def related(self, address: str) -> list[str]:
        """What an edge joins to this block."""
        ends = [(link.source, link.target) for link in self.layout.links]
        return [b for a, b in ends if a == address] + [a for a, b in ends if b == address]

    def flags(self, block: Block) -> str:
        """Classes that say where the block comes from: its number is assumed, it is new, or it stands back."""
        marks = ["assumed"] if self._any(block.address, self.assumed) else []
        if self.added:
            marks.append("added" if self._any(block.address, self.added) else "old")
        elif self._any(block.address, self.back):
            marks.append("old")
        return " ".join(marks)

    def has_changed(self, block: Block) -> bool:
        return self._any(block.address, self.changed)

    def _any(self, address: str, addresses: frozenset[str]) -> bool:
        return any(self.layout.hidden.get(a, a) == address for a in addresses)


def parameter_shares(layout: Layout) -> dict[str, float]:
    """Each block's share of the parameters of its sort: tables among tables, everything else, what makes items of them too, among
    the dense part."""
    tables = {a: b.parameters for a, b in layout.blocks.items() if SLOTS.index(b.slot) == 0 and b.form != "item"}
    dense = {a: b.parameters for a, b in layout.blocks.items() if a not in tables}
    shares = {}
    for group in (tables, dense):
        total = sum(group.values())
        shares |= {address: count / total for address, count in group.items() if total and count}
    return shares


def stack_shares(state: State, gate: str, experts: tuple[str, ...]) -> tuple[dict[str, float], bool]:
    """What a gate takes from each drawn expert, at most 1 in all, and whether that was learned. Experts that a stand-in
    hides are added up in it; an unknown gate takes equally from each."""
    order = tuple(link.source for link in state.layout.links if link.target == gate and link.source in experts)
    given = state.weights.get(gate, ())
    counted = [state.layout.counts.get(expert, 1) for expert in order]
    if not given or len(given) != sum(counted):
        return {expert: n / sum(counted) for expert, n in zip(order, counted, strict=True)}, False
    members = sorted(expert_order(state.layout, order).items(), key=lambda pair: pair[1])
    shares = dict.fromkeys(order, 0.0)
    for (address, _), weight in zip(members, given, strict=True):
        shares[state.layout.hidden.get(address, address)] += weight
    over = max(1.0, sum(shares.values()))
    return {expert: share / over for expert, share in shares.items()}, True


def expert_order(layout: Layout, drawn: tuple[str, ...]) -> dict[str, int]:
    """Drawn experts and those hidden behind them → their place in the model's own order."""
    every = [*drawn, *(a for a, standing in layout.hidden.items() if standing in drawn)]
    place = {address: i for i, address in enumerate(layout.order)}
    return {address: place[address] for address in every}
