"""Trace: what a forward pass recorded, as named tensors with named axes."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

EntryKind = Literal["field", "rows", "item", "attention", "head", "map", "gate", "mask", "cross",
                    "expert", "bias", "guess", "term", "vector", "logit", "words"]


@dataclass(frozen=True)
class Entry:
    """One recorded tensor: its address (`sharing.gate.click`), its kind, the name of each axis, the labels along axes."""

    address: str
    kind: EntryKind
    axes: tuple[str, ...]
    values: Tensor
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mask: Tensor | None = None


class Trace:
    """Collects entries under addresses. A trace that is off records nothing and costs a comparison."""

    def __init__(self, on: bool = True, prefix: str = "", entries: dict[str, Entry] | None = None):
        self.on, self.prefix = on, prefix
        self.entries: dict[str, Entry] = {} if entries is None else entries

    def at(self, name: str) -> Trace:
        """The same trace, writing below `name`."""
        return Trace(self.on, f"{self.prefix}{name}.", self.entries) if self.on else self

    def keep(self, name: str, kind: EntryKind, axes: tuple[str, ...], values: Tensor | Callable[[], Tensor],
             labels: Mapping[str, tuple[str, ...]] | None = None, mask: Tensor | None = None) -> None:
        """Record a tensor, or the result of a function that is called only when the trace is on."""
        if self.on:
            tensor = (values() if callable(values) else values).detach()
            address = f"{self.prefix}{name}"
            self.entries[address] = Entry(address, kind, axes, tensor, labels or {}, mask)

    def kinds(self) -> tuple[str, ...]:
        """The kinds of entries recorded, in order of first appearance."""
        return tuple(dict.fromkeys(entry.kind for entry in self.entries.values()))

    def of(self, kind: EntryKind) -> tuple[Entry, ...]:
        """All entries of a kind, in the order of the forward pass."""
        return tuple(entry for entry in self.entries.values() if entry.kind == kind)

    def __getitem__(self, address: str) -> Entry:
        return self.entries[address]
