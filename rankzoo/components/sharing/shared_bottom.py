"""Shared bottom (Caruana 1997; as in Ma et al., KDD 2018, eq. 1): one network under all towers.

y_k = h_k(f(x)): every task reads the same representation f(x), and all their gradients meet in it.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import Mlp, mlp_part
from rankzoo.components.slot import Slot, Width, needs_input
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Edge, Shape
from rankzoo.signals import Branches
from rankzoo.trace import Trace


class SharedBottom(Slot):
    """An MLP of `widths` that all tasks share."""

    kind: Literal["shared_bottom"] = "shared_bottom"
    widths: Annotated[tuple[Width, ...], Field(min_length=1, max_length=8, title="Shared layers")] = (64,)
    dropout: Annotated[float, Field(ge=0, lt=1, title="Dropout")] = 0.0

    main: ClassVar = ("widths",)
    short: ClassVar = "bottom"
    title: ClassVar = "Shared bottom"
    sentence: ClassVar = "One network that all tasks share, with a tower of its own for each."
    formula: ClassVar = r"y_k = h_k(f(x))"
    source: ClassVar = Source("Caruana", 1997, "Multitask learning", "Machine Learning 28", "10.1023/A:1007379606734")

    def after(self, shape: Shape) -> Shape:
        needs_input(shape)
        into = {f"branch.{task.name}": f"{shape.at}.bottom" for task in shape.tasks}
        return shape.but(branch=self.widths[-1], origin={**shape.origin, **into})

    def count(self, shape: Shape) -> Count:
        return Count((mlp_part("bottom", shape.joined, self.widths),))

    def draw(self, shape: Shape) -> Drawing:
        block = Block(f"{shape.at}.bottom", "sharing", "layer", "shared bottom", "one for all tasks", self.widths,
                      self.count(shape).parameters)
        return Drawing((block,), (Edge(shape.origin["joined"], block.address, shape.joined),) if shape.joined else ())

    def build(self, shape: Shape) -> SharedBottomLayer:
        return SharedBottomLayer(self, shape)


class SharedBottomLayer(nn.Module):
    """(row, width) → (row, last width), the same tensor for every task."""

    def __init__(self, spec: SharedBottom, shape: Shape):
        super().__init__()
        self.tasks = tuple(task.name for task in shape.tasks)
        self.bottom = Mlp(shape.joined, spec.widths, dropout=spec.dropout)

    def forward(self, x: Tensor, trace: Trace) -> Branches:
        shared = self.bottom(x)
        trace.keep("bottom", "vector", ("row", "width"), shared)
        return Branches({task: shared for task in self.tasks})
