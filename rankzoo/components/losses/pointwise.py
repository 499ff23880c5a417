"""Pointwise losses: each row by itself, each task by the kind of its label.

binary      ℓ = softplus(s) − y·s (sigmoid cross entropy, computed from the logit)
share       ℓ = (sigmoid(s) − y)² for a label in [0, 1], such as the share of a video that was watched
regression  ℓ = (s − y)²

L_k = Σ_rows δ·ℓ / Σ_rows δ over the rows observed for the task (Tang et al., RecSys 2020, eq. 9), L = Σ_k w_k L_k.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.slot import Slot
from rankzoo.errors import ZooError, closest
from rankzoo.schema import Block, Drawing, Edge, Schema, Shape
from rankzoo.signals import Batch, Branches

NAMES = {"binary": "cross-entropy", "share": "squared error", "regression": "squared error"}
Weight = Annotated[float, Field(ge=0, le=1000)]


class Pointwise(Slot):
    """One loss per task; `weights` (1 where none is given) say how much each counts in the sum."""

    kind: Literal["pointwise"] = "pointwise"
    weights: Annotated[Mapping[str, Weight], Field(title="Weight of each task")] = {}

    short: ClassVar = "pointwise"
    title: ClassVar = "Pointwise losses"
    sentence: ClassVar = "Every impression counts by itself: how surprised was the model by what happened?"
    formula: ClassVar = r"\ell = \ln(1+e^{s}) - y\,s"

    def after(self, shape: Shape) -> Shape:
        tasks = [t.name for t in shape.tasks]
        for name in self.weights:
            if name not in tasks:
                raise ZooError("A weight is given for '{name}', which is no task of the model.", closest(name, tasks) or
                               "Choose among: {tasks}.", at=f"{shape.at}.weights.{name}", name=name, tasks=", ".join(tasks))
        return shape

    def draw(self, shape: Shape) -> Drawing:
        blocks = tuple(Block(f"{shape.at}.{t.name}", "losses", "head", t.name, NAMES[t.kind],
                             words=(f"weight {self.weights.get(t.name, 1.0):g}",), task=t.name) for t in shape.tasks)
        edges = [Edge(shape.origin[f"tower.{t.name}"], f"{shape.at}.{t.name}", 1) for t in shape.tasks]
        wide = [node for name, node in shape.origin.items() if name.startswith("logit.")]
        edges += [Edge(node, f"towers.{t.name}", 1) for node in wide for t in shape.tasks]
        return Drawing(blocks, tuple(edges))

    def build(self, shape: Shape) -> PointwiseLayer:
        return PointwiseLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[Pointwise, tuple[str, ...]]:
        tasks = {t.name for t in schema.tasks}
        gone = tuple(name for name in self.weights if name not in tasks)
        return self.model_copy(update={"weights": {n: w for n, w in self.weights.items() if n in tasks}}), gone


class PointwiseLayer(nn.Module):
    """Logits (row,) per task and a batch → one scalar per task, and the branches' penalties as `penalty.<name>`."""

    def __init__(self, spec: Pointwise, shape: Shape):
        super().__init__()
        self.kinds = {t.name: t.kind for t in shape.tasks}
        self.weights = {t.name: spec.weights.get(t.name, 1.0) for t in shape.tasks}

    def forward(self, logits: Mapping[str, Tensor], branches: Branches, batch: Batch) -> dict[str, Tensor]:
        losses = {task: self.mean(task, logit, batch) for task, logit in logits.items() if task in batch.labels}
        return losses | ({f"penalty.{name}": value for name, value in branches.penalties.items()} if losses else {})

    def mean(self, task: str, logit: Tensor, batch: Batch) -> Tensor:
        """The task's loss averaged over its observed rows; 0 where none is observed."""
        seen = batch.observed[task]
        label = torch.where(seen, batch.labels[task], 0)  # a missing label must not reach the gradient as NaN · 0
        each = pointwise(self.kinds[task], logit.float(), label)
        return torch.where(seen, each, 0).sum() / seen.sum().clamp(min=1)


def pointwise(kind: str, logit: Tensor, label: Tensor) -> Tensor:
    """The loss of every row: (row,), (row,) → (row,)."""
    if kind == "binary":
        return F.binary_cross_entropy_with_logits(logit, label, reduction="none")
    return ((torch.sigmoid(logit) if kind == "share" else logit) - label) ** 2
