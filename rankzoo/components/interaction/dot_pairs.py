"""Dot products of all pairs (Naumov et al. 2019, DLRM): second-order crosses alone, which the network behind weighs.

T = [z; e_1; …; e_m], z the bottom MLP's vector of all numbers; R = [z; lower triangle of T Tᵀ], without the diagonal unless
asked for: (m + 1)·m / 2 dots with z, m·(m − 1) / 2 without. All vectors have one width d. The embeddings themselves go no
further. Each pair stands in R once: the whole matrix, or a triangle taken twice, would hand on every dot double.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from rankzoo.components.interaction.pairs import one_width, pair_map
from rankzoo.components.representation.raw import DENSE
from rankzoo.components.slot import Slot
from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Part, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace

MEANS = ("spread of the dots", "How far the dot product of two fields spreads over the rows beyond what either says alone; how "
         "much it counts, the network behind decides.")


class DotPairs(Slot):
    """One number per pair of fields; `self_interaction` adds each field's square length."""

    kind: Literal["dot_pairs"] = "dot_pairs"
    self_interaction: Annotated[bool, Field(title="Fields with themselves")] = False

    main: ClassVar = ("self_interaction",)
    short: ClassVar = "dots"
    keeps: ClassVar = ("cross",)
    title: ClassVar = "Dot products"
    sentence: ClassVar = "One number for each pair of fields, how alike their vectors are; the network behind weighs them."
    source: ClassVar = Source("Naumov et al.", 2019, "Deep learning recommendation model for personalization and "
                              "recommendation systems", "arXiv 1906.00091, 2019", "10.48550/arXiv.1906.00091")

    def described(self) -> str:
        return self.sentence if not self.self_interaction else (
            "One number for each pair of fields, and the square length of each; the network behind weighs them.")

    def equation(self) -> str:
        pairs = r"a \ge b" if self.self_interaction else "a > b"
        return rf"r = [\langle t_a, t_b \rangle]_{{{pairs}}}"

    def pairs(self, shape: Shape) -> int:
        """How many dots there are."""
        vectors = len(shape.fields)
        return vectors * (vectors - 1) // 2 + self.self_interaction * vectors

    def kept(self, shape: Shape) -> tuple[str, ...]:
        """The fields that go on beside the dots: z, where there is one, never a feature that happens to be called so."""
        return (DENSE,) if DENSE in shape.fields and all(f.name != DENSE for f in shape.schema.features) else ()

    def after(self, shape: Shape) -> Shape:
        one_width(shape)
        if not self.pairs(shape):
            raise ZooError("There is one field only, so there is no pair to take a dot product of.",
                           "Choose data with more features, or empty the Interaction column.", at=shape.at,
                           needs=axes("m", "d") + ", m ≥ 2")
        return shape.but(fields={name: shape.fields[name] for name in self.kept(shape)},
                         joins={**shape.joins, shape.at: self.pairs(shape)}, origin={**shape.origin, shape.at: shape.at})

    def count(self, shape: Shape) -> Count:
        vectors, d = len(shape.fields), one_width(shape)
        return Count((Part("", 0, 2 * vectors * vectors * d, (self.pairs(shape),),  # the whole matrix, half of it needed
                           products=f"2 × {vectors:,} × {vectors:,} × {d:,}"),))

    def draw(self, shape: Shape) -> Drawing:
        block = Block(shape.at, "interaction", "cross", "T Tᵀ", "dots of all pairs", (self.pairs(shape),))
        return Drawing((block,), shape.edges(shape.fields, shape.at))

    def build(self, shape: Shape) -> DotPairsLayer:
        return DotPairsLayer(self, shape)


class DotPairsLayer(nn.Module):
    """Fields (row, width) → joins[at] (row, pair); of the fields z alone stays.

    Keeps `pair` (field, other), kind cross: how far each pair's dot spreads beyond what either field says alone.
    """

    def __init__(self, spec: DotPairs, shape: Shape):
        super().__init__()
        self.at, self.names, self.kept = shape.at, tuple(shape.fields), spec.kept(shape)
        corner = torch.tril_indices(len(self.names), len(self.names), 0 if spec.self_interaction else -1)
        self.register_buffer("corner", corner, persistent=False)  # (2, pair): the row and column of each dot

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        vectors = signal.stacked(self.names)  # (row, field, width)
        dots = torch.bmm(vectors, vectors.transpose(1, 2))  # (row, field, field)
        labels = {"field": self.names, "other": self.names, "means": MEANS}
        trace.keep("pair", "cross", ("field", "other"), lambda: pair_map(vectors), labels)
        return signal.but(fields={name: signal.fields[name] for name in self.kept},
                          joins={**signal.joins, self.at: dots[:, self.corner[0], self.corner[1]]})
