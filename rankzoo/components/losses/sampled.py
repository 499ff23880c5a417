"""Cross entropy over rows from which negatives were left out, corrected so that what is served speaks of all rows.

All positives were kept, a negative with probability r. Of the rows that are left, with either label,
logit P(y = 1 | x, kept) = logit P(y = 1 | x) − ln r, hence (Wang, Zhang and Wang, NeurIPS 2021, cited by Monolith)
serving    train as ever, serve s + ln r (the wording of Monolith's text)
training   ℓ = softplus(s − ln r) − y·(s − ln r), serve s (its public code)

Pitfall avoided: the correction is of rows with either label, not of negatives alone. r = 1 changes nothing.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field
from torch import Tensor

from rankzoo.components.losses.base import SETS, Loss, LossLayer, known_tasks, valued
from rankzoo.errors import ZooError
from rankzoo.facts import Source
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape

Share = Annotated[float, Field(gt=0, le=1)]


class Sampled(Loss):
    """`kept` says by binary task which share r of its negatives is in the rows; 1 where a task is not named."""

    kind: Literal["sampled"] = "sampled"
    kept: Annotated[Mapping[str, Share], Field(title="Share of negatives that were kept")] = {}
    correct: Annotated[Literal["training", "serving"], Field(title="Corrected when")] = "training"

    short: ClassVar = "sampled"
    title: ClassVar = "Sampled negatives"
    sentence: ClassVar = "Some negatives were left out to save work; the logit is moved so that probabilities fit all rows."
    source: ClassVar = Source("Wang et al.", 2021, "Nonuniform negative sampling and log odds correction with rare events data",
                              "NeurIPS 2021", "10.48550/arXiv.2110.13048")

    def moved(self, task: Task) -> float:
        """ln r of a task; 0 where all rows are there."""
        return math.log(self.kept.get(task.name, 1.0))

    def written(self, task: Task) -> str:
        trained = self.moved(task) and self.correct == "training"
        return r"\ell=\ln(1+e^{s-\ln r})-y\,(s-\ln r)" if trained else super().written(task)

    def uncalibrated(self, task: Task) -> str:
        return "they speak of all rows, and negatives were left out of these" if self.moved(task) else ""

    def after(self, shape: Shape) -> Shape:
        known_tasks(self.kept, "A share of negatives", f"{shape.at}.kept", shape)
        for task in shape.tasks:
            if task.name in self.kept and task.kind != "binary":
                raise ZooError("'{task}' has no negatives of which some could have been left out.",
                               "Take it out of the shares, or choose a task whose labels are 0 or 1.",
                               at=f"{shape.at}.kept.{task.name}", task=task.name, comes=valued(task),
                               needs=f"{task.name}: y ∈ {SETS['binary']}")
        return super().after(shape)

    def build(self, shape: Shape) -> SampledLayer:
        return SampledLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[Self, tuple[str, ...]]:
        binary = {t.name for t in schema.tasks if t.kind == "binary"}
        spec, gone = super().fitted(schema)
        lost = tuple(name for name in self.kept if name not in binary and name not in gone)
        return spec.model_copy(update={"kept": {n: r for n, r in self.kept.items() if n in binary}}), gone + lost


class SampledLayer(LossLayer):
    """The plain losses, with ln r taken off the logit in training or added to it in serving."""

    def __init__(self, spec: Sampled, shape: Shape):
        super().__init__(spec, shape)
        moved = {t.name: spec.moved(t) for t in shape.tasks}
        none = dict.fromkeys(moved, 0.0)
        self.off, self.on = (moved, none) if spec.correct == "training" else (none, moved)

    def each(self, task: str, logit: Tensor, label: Tensor) -> Tensor:
        return super().each(task, logit - self.off[task], label)

    def served(self, task: str, logit: Tensor) -> Tensor:
        return logit + self.on[task]

    def start(self, task: str, logit: float) -> float:
        """The best constant: the rows' own logit, which the correction in training asks for moved by ln r."""
        return logit + self.off[task]
