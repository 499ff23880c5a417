"""Leaves: the leaves of trees as numbers' representation, with one table for all tasks or one for each group of them."""
from __future__ import annotations

import torch
from torch import Tensor

from rankzoo.components.mlp import Standardised
from rankzoo.components.representation.raw import DENSE
from rankzoo.components.representation.tree_leaves import Forest, TreeLeaves
from rankzoo.export.pytorch.plain import PlainEmbeddings
from rankzoo.shape import Shape
from rankzoo.signals import Batch, Signal


class PlainTreeLeaves(PlainEmbeddings):
    """ids → fields[name] (row, width); all numbers, NaN where missing → the vector of a leaf in each tree of the forest."""

    def __init__(self, spec: TreeLeaves, shape: Shape, read: tuple[str, ...]):
        super().__init__(spec, shape, read)
        self.joined, self.own = spec.pooling == "concat", spec.apart_in(shape)
        self.asked, self.beside = spec.read(shape.schema), tuple(name for name in self.numbers if name in spec.dense)
        self.forest = Forest(spec, len(self.asked), len(self.own))
        self.norm = Standardised(len(self.beside)) if self.beside else None

    def numeric(self, batch: Batch) -> dict[str, Tensor]:
        return {DENSE: self.leaves(batch)} | self.normed(batch)

    def normed(self, batch: Batch) -> dict[str, Tensor]:
        """The numbers that stand beside the leaves, normalised over the batch: (row, 1) each."""
        if self.norm is None:
            return {}
        numbers = self.norm(torch.stack([batch.features[name] for name in self.beside], dim=1))
        return dict(zip(self.beside, numbers.split(1, dim=1), strict=True))

    def leaves(self, batch: Batch) -> Tensor:
        """The leaves of a row joined: (row, width), or (row, group, width) where groups of tasks have tables of their own."""
        vectors = self.forest(torch.stack([batch.features[name] for name in self.asked], dim=1))
        return vectors.flatten(-2) if self.joined else vectors.sum(dim=-2)


class PlainApart(PlainTreeLeaves):
    """ids → fields[name] (row, width); all numbers, NaN where missing → a vector for each group of tasks, from its own table."""

    def forward(self, batch: Batch) -> Signal:
        signal = super().forward(batch)
        return signal.but(joins=dict(zip(self.own, self.leaves(batch).unbind(1), strict=True)))

    def numeric(self, batch: Batch) -> dict[str, Tensor]:
        return self.normed(batch)
