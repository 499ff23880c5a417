"""Residual units (Shan et al., KDD 2016, Deep Crossing): a deep network in which every unit corrects the vector it reads.

l_1 = ReLU(W_0 X + b_0), l_2 = W_1 l_1 + b_1, X ← ReLU(X + l_2); s = w·[head; X] + b + Σ logits. A unit is as wide outside as
the vector that enters it, D; inside it has h numbers: 2·D·h + h + D parameters. The last ReLU is missing in the paper's
equation 4 and stands in its published macro, which counts here: with all weights 0 a unit is ReLU(X), which is X only where
nothing is negative, as behind embeddings with a ReLU of their own.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.by_task import ByTask
from rankzoo.components.mlp import linear_part
from rankzoo.components.slot import Slot, Width
from rankzoo.components.towers.mlp import MlpTower, MlpTowerLayer, networks
from rankzoo.facts import Source
from rankzoo.shape import Count, Drawing, Part, Shape
from rankzoo.trace import Trace


class Residual(Slot):
    """`units` residual units per task by the width of their hidden layer, and the last linear map."""

    kind: Literal["residual"] = "residual"
    units: Annotated[tuple[Width, ...], Field(min_length=1, max_length=8, title="Hidden layer of each residual unit")] = (
        256, 128, 64)
    head_bias: Annotated[bool, Field(title="Bias of the head")] = True

    main: ClassVar = ("units",)
    short: ClassVar = "res-MLP"
    title: ClassVar = "Residual units"
    sentence: ClassVar = "Each unit adds a correction to the vector it reads, so that depth does no harm."
    source: ClassVar = Source("Shan et al.", 2016, "Deep Crossing: web-scale modeling without manually crafted combinatorial "
                              "features", "KDD 2016", "10.1145/2939672.2939704")

    def equation(self) -> str:
        unit = r"X \leftarrow \mathrm{ReLU}(X + W_1\,\mathrm{ReLU}(W_0 X + b_0) + b_1)"
        return unit + rf",\quad s=w^\top X{'+b' if self.head_bias else ''}"

    def after(self, shape: Shape) -> Shape:
        return MlpTower().after(shape)

    def count(self, shape: Shape) -> Count:
        d, parts = shape.branch, []
        for task in shape.tasks:
            parts += [Part(f"deep.{task.name}.unit.{i}", 2 * d * h + h + d, 4 * d * h, (d,),
                           f"{d:,} × {h:,} + {h:,} + {h:,} × {d:,} + {d:,}", inside=((h,),)) for i, h in enumerate(self.units)]
            parts.append(linear_part(f"head.{task.name}", d + shape.head_width, 1, self.head_bias))
        return Count(tuple(parts))

    def draw(self, shape: Shape) -> Drawing:
        widths = (shape.branch, *(width for h in self.units for width in (h, shape.branch)))
        skips = tuple((2 * i, 2 * i + 2) for i in range(len(self.units)))
        return networks(shape, self.count(shape), widths, "Residual", "residual units", skips)

    def build(self, shape: Shape) -> ResidualLayer:
        return ResidualLayer(self, shape)


class ResidualUnit(nn.Module):
    """X (row, D) → (row, D)."""

    def __init__(self, d: int, hidden: int):
        super().__init__()
        self.first, self.second = nn.Linear(d, hidden), nn.Linear(hidden, d)

    def forward(self, x: Tensor, trace: Trace) -> Tensor:
        correction = self.second(torch.relu(self.first(x)))
        trace.keep("ratio", "vector", ("row",), lambda: correction.norm(dim=1) / x.norm(dim=1).clamp(min=1e-12))
        return torch.relu(x + correction)


class ResidualUnits(nn.Module):
    """One task's units, one after another. Each keeps `unit.<i>.ratio` (row,), ‖l_2‖ / ‖X‖: how much it rewrites."""

    def __init__(self, d: int, hidden: tuple[int, ...]):
        super().__init__()
        self.unit = nn.ModuleList(ResidualUnit(d, h) for h in hidden)

    def forward(self, x: Tensor, trace: Trace) -> Tensor:
        for i, unit in enumerate(self.unit):
            x = unit(x, trace.at(f"unit.{i}"))
        return x


class ResidualLayer(MlpTowerLayer):
    """Branches (row, width) per task → logits (row,) per task."""

    def __init__(self, spec: Residual, shape: Shape):
        nn.Module.__init__(self)
        self.head_names = tuple(shape.head)
        self.deep = ByTask({t.name: ResidualUnits(shape.branch, spec.units) for t in shape.tasks})
        self.head = ByTask({t.name: nn.Linear(shape.branch + shape.head_width, 1, bias=spec.head_bias) for t in shape.tasks})

    def hidden(self, task: str, x: Tensor, trace: Trace) -> Tensor:
        return self.deep[task](x, trace.at(f"deep.{task}"))
