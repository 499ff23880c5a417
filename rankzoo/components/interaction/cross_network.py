"""What both cross networks share: layers that multiply into x_0, all fields side by side, and how their output is handed on.

x_{l+1} = x_0 · (something linear in x_l) + x_l, degree by degree. Stacked, the crossed fields take the fields' place before
the deep network; parallel, x_L is a head vector, which meets the deep network in its last linear map.
"""
from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.slot import Slot
from rankzoo.errors import ZooError, axes
from rankzoo.shape import Block, Count, Drawing, Edge, Part, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace


class CrossNetwork(Slot):
    """`layers` cross layers over all fields side by side (D numbers)."""

    layers: Annotated[int, Field(ge=0, le=16, title="Cross layers")] = 3
    structure: Annotated[Literal["parallel", "stacked"], Field(title="Crosses and deep network")] = "parallel"

    keeps: ClassVar = ("cross",)

    def word(self) -> str:
        return f"{self.short} ×{self.layers}"

    def after(self, shape: Shape) -> Shape:
        if not shape.fields:
            raise ZooError("A cross network needs embedded fields, but the representation hands none on.",
                           "Choose embeddings as representation, or empty the Interaction column.", at=shape.at,
                           comes=axes(0), needs=axes("d"))
        last = f"{shape.at}.layer.{self.layers - 1}"
        if self.structure == "stacked":
            crossed = {name: last for name in shape.fields} if self.layers else {}
            return shape.but(origin={**shape.origin, **crossed})
        leaves = last if self.layers else f"{shape.at}.input"
        return shape.but(head={**shape.head, shape.at: shape.width}, origin={**shape.origin, shape.at: leaves})

    @abstractmethod
    def layer_part(self, i: int, d: int) -> Part:
        """Count of one layer over d numbers."""

    @abstractmethod
    def layer_block(self, at: str, i: int, d: int) -> Block:
        """One layer over d numbers as a node of the diagram, at its address."""

    def count(self, shape: Shape) -> Count:
        return Count(tuple(self.layer_part(i, shape.width) for i in range(self.layers)))

    def draw(self, shape: Shape) -> Drawing:
        d, at = shape.width, shape.at
        blocks = tuple(replace(self.layer_block(f"{at}.layer.{i}", i, d), again=d if i else 0) for i in range(self.layers))
        if not self.layers and self.structure == "parallel":  # what is left is a second way for the inputs to the head
            plain = Block(f"{at}.input", "interaction", "concat", "x₀", "no cross layer", (d,))
            return Drawing((plain,), shape.edges(shape.fields, plain.address))
        inner = tuple(Edge(f"{at}.layer.{i}", f"{at}.layer.{i + 1}", d) for i in range(self.layers - 1))
        return Drawing(blocks, (shape.edges(shape.fields, f"{at}.layer.0") if self.layers else ()) + inner)


class CrossNetworkLayer(nn.Module):
    """Fields → crossed fields (stacked) or a head vector (row, D) (parallel).

    Keeps `layer.0.block` (field, field), kind cross, where the first layer has a matrix: the Frobenius norm of each of its
    blocks W_ab, row a the field that is multiplied, column b the field that is transformed.
    """

    def __init__(self, spec: CrossNetwork, shape: Shape, layers: Iterable[nn.Module]):
        super().__init__()
        self.at, self.stacked = shape.at, spec.structure == "stacked"
        self.widths = dict(shape.fields)
        self.layer = nn.ModuleList(layers)
        self.readable = len(self.layer) > 0

    def step(self, layer: nn.Module, x0: Tensor, x: Tensor, trace: Trace) -> Tensor:
        """x_l → x_{l+1}, all (row, D)."""
        return layer(x0, x)

    def matrix(self, x0: Tensor) -> Tensor:
        """The matrix W of the first layer, (D, D); x0 (row, D) are the rows on view."""
        return self.layer[0].matrix()

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        x0 = torch.cat(signal.joined(tuple(self.widths)), dim=1)  # (row, D)
        x = x0
        for i, layer in enumerate(self.layer):
            x = self.step(layer, x0, x, trace.at(f"layer.{i}"))
        if self.readable:
            names = tuple(self.widths)
            trace.keep("layer.0.block", "cross", ("field", "other"), lambda: self.blocks(x0), {"field": names, "other": names})
        if not self.stacked:
            return signal.but(head={**signal.head, self.at: x})
        return signal.but(fields=dict(zip(self.widths, x.split(list(self.widths.values()), dim=1), strict=True)))

    def blocks(self, x0: Tensor) -> Tensor:
        """Norm of every field block of the first layer's matrix: (field, field); x0 (row, D) are the rows on view."""
        sizes = list(self.widths.values())
        rows = self.matrix(x0).split(sizes, dim=0)
        return torch.stack([torch.stack([block.norm() for block in row.split(sizes, dim=1)]) for row in rows])
