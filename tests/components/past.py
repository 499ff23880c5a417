"""What the tests of the sequence slot share: a candidate, a history with padding, and layers over them. No test stands here."""
from __future__ import annotations

import contextlib

import torch
from torch import Tensor, nn

from rankzoo.components.slot import Slot
from rankzoo.schema import Feature, History, HistoryField, Schema, Task
from rankzoo.shape import SequenceShape, Shape
from rankzoo.signals import Sequence, Signal
from rankzoo.trace import Trace
from tests.support import OFF, randomised

LENGTH, WIDTH = 4, 3


def shape(width: int = WIDTH, length: int = LENGTH, shared: bool = True) -> Shape:
    """A candidate item and a history of items, of one width."""
    past = History("past", length, (HistoryField("item", 9, "item" if shared else ""),))
    schema = Schema((Feature("item", "categorical", 9),), (Task("click"),), (past,))
    return Shape(schema, schema.tasks, {"item": width}, {"past": SequenceShape(length, {"item": width})},
                 origin={"item": "representation.item", "past": "representation.past"}, at="sequence.0")


def drawn(rows: int = 3, seed: int = 0, dtype: torch.dtype = torch.float64, width: int = WIDTH) -> tuple[Tensor, Tensor, Tensor]:
    """items (row, position, width), mask with lengths 4, 2, 1, …, candidate (row, width)."""
    rng = torch.Generator().manual_seed(seed)
    items = torch.randn(rows, LENGTH, width, generator=rng, dtype=torch.float64).to(dtype)
    mask = torch.arange(LENGTH) < torch.tensor([4, 2, 1, 3, 4])[:rows, None]
    return items, mask, torch.randn(rows, width, generator=rng, dtype=torch.float64).to(dtype)


class Chain(nn.Module):
    """Several components of the slot, one after another."""

    def __init__(self, layers: list[nn.Module]):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        for layer in self.layers:
            signal = layer(signal, trace)
        return signal


def built(*specs: Slot, seed: int = 0, width: int = WIDTH) -> nn.Module:
    """The layers of these components with random weights in double precision; one component is its own layer."""
    layers, given = [], shape(width)
    for i, spec in enumerate(specs):
        given = given.but(at=f"sequence.{i}")
        layers.append(spec.build(given))
        given = spec.after(given)
    return randomised(layers[0] if len(layers) == 1 else Chain(layers), seed).double()


def signal(items: Tensor, mask: Tensor, candidate: Tensor) -> Signal:
    """What enters the slot."""
    return Signal(fields={"item": candidate}, sequences={"past": Sequence(items, mask)})


def run(layer: nn.Module, items: Tensor, mask: Tensor, candidate: Tensor, trace: Trace = OFF) -> Tensor:
    """The vector that is made of the history."""
    return layer(signal(items, mask, candidate), trace).fields["past"]


def mode(name: str):
    """«train», «eval» or «no_grad»: whether gradients are recorded."""
    return torch.no_grad() if name == "no_grad" else contextlib.nullcontext()
