"""No deep part: the logit is what linear parts and crosses add, plus a linear map of what was joined, if anything was.

s = Σ logits + w·[head; x] + b; with nothing joined and no head it owns no parameter (logistic regression, FM).
"""
from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from rankzoo.components.by_task import ByTask
from rankzoo.components.mlp import linear_part
from rankzoo.components.slot import Slot, one_logit
from rankzoo.components.towers.base import TowerLayer
from rankzoo.components.towers.mlp import held
from rankzoo.errors import ZooError, axes
from rankzoo.shape import Block, Count, Drawing, Edge, Shape
from rankzoo.signals import Branches, Signal
from rankzoo.trace import Trace


class Bare(Slot):
    """Sum of logits; a biased linear map per task where a vector arrives."""

    kind: Literal["bare"] = "bare"

    short: ClassVar = "sum"
    title: ClassVar = "Bare"
    sentence: ClassVar = "No deep network: the contributions are added up, and that is the logit."
    formula: ClassVar = r"s = \sum_i s_i"

    def width(self, shape: Shape) -> int:
        """Width of the vector that arrives, 0 where only logits do."""
        return shape.branch + shape.head_width

    def after(self, shape: Shape) -> Shape:
        one_logit(shape)
        if not self.width(shape) and not shape.logits:
            raise ZooError("Nothing reaches the tower: no vector is joined and no part adds to the logit.",
                           "Add a linear part to the Interaction column, or join fields.", at=shape.at, comes=axes(0),
                           needs=axes("d"))
        return shape.but(origin={**shape.origin, **{f"tower.{t.name}": f"{shape.at}.{t.name}" for t in shape.tasks}})

    def count(self, shape: Shape) -> Count:
        width = self.width(shape)
        return Count(tuple(linear_part(f"head.{t.name}", width, 1) for t in shape.tasks) if width else ())

    def draw(self, shape: Shape) -> Drawing:
        blocks, edges, count = [], [], self.count(shape)
        for task in shape.tasks:
            at = f"{shape.at}.{task.name}"
            blocks.append(Block(at, "towers", "tower", "Σ" if len(shape.tasks) == 1 else f"Σ {task.name}", "no deep part", (1,),
                                count.within(f"head.{task.name}").parameters, task=task.name, holds=held(shape, task)))
            branch = shape.origin.get(f"branch.{task.name}")
            edges += [Edge(branch, at, shape.branch)] if branch and shape.branch else []
            edges += [Edge(shape.origin[name], at, width) for name, width in shape.head.items() if name in shape.origin]
        return Drawing(tuple(blocks), tuple(edges))

    def build(self, shape: Shape) -> BareLayer:
        return BareLayer(self, shape)


class BareLayer(TowerLayer):
    """Branches and logits → logits (row,) per task."""

    def __init__(self, spec: Bare, shape: Shape):
        super().__init__()
        self.tasks, self.head_names = tuple(t.name for t in shape.tasks), tuple(shape.head)
        width = spec.width(shape)
        self.head = ByTask({t: nn.Linear(width, 1) for t in self.tasks} if width else {})

    def forward(self, branches: Branches, signal: Signal, trace: Trace) -> dict[str, Tensor]:
        logits = dict(signal.logits)
        for task in self.head:
            vector = torch.cat([*(signal.head[name] for name in self.head_names), branches.vectors[task]], dim=1)
            logits[task] = self.head[task](vector).squeeze(1) + logits.get(task, 0)
        return logits

    @torch.no_grad()
    def begin(self, task: str, logit: float) -> bool:
        """Set the bias of a task; False where the last map has none."""
        if task not in self.head:
            return False
        self.head[task].bias.fill_(logit)
        return True
