"""Pointwise losses: each row by itself, each task by the kind of its label or by a loss that is chosen for it.

cross_entropy      ℓ = softplus(s) − y·s; proper: its minimiser is P(y = 1)
focal              ℓ = −α_t (1 − p_t)^γ ln p_t, p_t = p where y = 1, else 1 − p; α_t likewise (Lin et al., ICCV 2017); not proper
squared            ℓ = (p − y)², p = sigmoid(s); for a regression (s − y)²
huber              ℓ = ½e² where |e| ≤ δ, else δ(|e| − ½δ), e = s − y (Huber 1964)
weighted_logistic  ℓ = T·softplus(−s) where T > 0, else softplus(s) (Covington et al., RecSys 2016): the odds that it learns
                   are Σ T_i / (N − k) = E[T] / (1 − P), so exp(s) is served and not a probability

Focal's α weighs the positives; 0.25, the default of its authors, lets negatives count three times as much.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from rankzoo.components.losses import base
from rankzoo.components.losses.base import LIKELIHOODS, PLAIN, Likelihood, Loss, LossLayer, known_tasks, plain
from rankzoo.errors import ZooError
from rankzoo.schema import Schema, Shape, Task

How = Literal["cross_entropy", "focal", "squared", "huber", "weighted_logistic", "softmax"]
FIT: Mapping[str, tuple[How, ...]] = {"binary": ("cross_entropy", "focal", "squared"), "share": ("squared", "cross_entropy"),
                                      "regression": ("squared", "huber", "weighted_logistic"), "class": ("softmax",),
                                      "tags": ("softmax",)}
NAMES = base.NAMES | {"focal": "focal loss", "huber": "Huber", "weighted_logistic": "weighted logistic"}
BENT = {"focal": "focal loss lets rows that are sure, and one of the two labels, count less",
        "huber": "Huber's loss counts large errors less, so that its best guess lies between the median and the mean",
        "weighted_logistic": "a weighted logistic loss learns odds, which lie above the mean"}
LABELS = {"binary": "that are 0 or 1", "share": "between 0 and 1", "regression": "that are any number",
          "class": "that are classes", "tags": "for each word"}
LARGEST = 20.0  # the largest logit of a weighted logistic loss that is told apart when serving: exp(20) is 485 million


class Pointwise(Loss):
    """`how` chooses a loss by task; a task that it does not name has cross entropy (binary) or a squared error."""

    kind: Literal["pointwise"] = "pointwise"
    how: Annotated[Mapping[str, How], Field(title="Loss of each task")] = {}
    gamma: Annotated[float, Field(ge=0, le=10, title="Focal: γ")] = 2.0
    alpha: Annotated[float, Field(ge=0, le=1, title="Focal: α")] = 0.25
    delta: Annotated[float, Field(gt=0, le=1e6, title="Huber: δ")] = 1.0

    short: ClassVar = "pointwise"
    title: ClassVar = "Pointwise losses"
    sentence: ClassVar = "Every impression counts by itself: how surprised was the model by what happened?"
    formula: ClassVar = r"\ell = \ln(1+e^{s}) - y\,s"

    def chosen(self, task: Task) -> How:
        """The task's loss."""
        return self.how.get(task.name, PLAIN[task.kind])

    def named(self, task: Task) -> str:
        return NAMES[self.chosen(task)]

    def uncalibrated(self, task: Task) -> str:
        # Without its focus and with both labels weighed alike, focal loss is half the cross entropy.
        half = self.chosen(task) == "focal" and self.gamma == 0 and self.alpha == 0.5
        return "" if half else BENT.get(self.chosen(task), "")

    def likelihood(self, task: Task) -> Likelihood:
        """Huber's and focal loss are −ln p of nothing; Huber's ½e² has the ½ of a normal distribution in it already."""
        return LIKELIHOODS.get(self.chosen(task), "none")

    def after(self, shape: Shape) -> Shape:
        known_tasks(self.how, "A loss", f"{shape.at}.how", shape)
        for task in shape.tasks:
            if self.chosen(task) not in FIT[task.kind]:
                raise ZooError("'{task}' has labels {labels}, which the loss {how} is not made for.", "Choose one of: {fit}.",
                               at=f"{shape.at}.how.{task.name}", task=task.name, labels=LABELS[task.kind],
                               how=self.chosen(task), fit=", ".join(FIT[task.kind]), comes=base.valued(task),
                               needs=f"{task.name}: y ∈ " + " | ".join(base.SETS[kind] for kind, fit in FIT.items()
                                                                      if self.chosen(task) in fit),
                               cure=(f"{shape.at}.how.{task.name}", FIT[task.kind][0]))
        return super().after(shape)

    def build(self, shape: Shape) -> PointwiseLayer:
        return PointwiseLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[Self, tuple[str, ...]]:
        fit = {t.name: FIT[t.kind] for t in schema.tasks}
        kept = {name: how for name, how in self.how.items() if how in fit.get(name, ())}
        spec, gone = super().fitted(schema)
        gone += tuple(name for name in self.how if name not in kept and name not in gone)
        return spec.model_copy(update={"how": kept}), gone


class PointwiseLayer(LossLayer):
    """Every task's chosen loss, averaged over its observed rows."""

    def __init__(self, spec: Pointwise, shape: Shape):
        super().__init__(spec, shape)
        self.how = {t.name: spec.chosen(t) for t in shape.tasks}
        self.gamma, self.alpha, self.delta = spec.gamma, spec.alpha, spec.delta

    def each(self, task: str, logit: Tensor, label: Tensor) -> Tensor:
        how = self.how[task]
        if how == "focal":
            return focal(logit, label, self.gamma, self.alpha)
        if how == "huber":
            return F.huber_loss(logit, label, reduction="none", delta=self.delta)
        if how == "weighted_logistic":
            return weighted_logistic(logit, label)
        if how == "cross_entropy":
            return plain("binary", logit, label)
        return plain("regression" if self.kinds[task] == "regression" else "share", logit, label)

    def served(self, task: str, logit: Tensor) -> Tensor:
        return logit.clamp(max=LARGEST).exp() if self.how[task] == "weighted_logistic" else logit

    def start(self, task: str, logit: float) -> float:
        """ln of the mean for a weighted logistic loss, whose best constant is that plus −ln(1 − P)."""
        return math.log(max(logit, 1e-6)) if self.how[task] == "weighted_logistic" else logit


def focal(logit: Tensor, label: Tensor, gamma: float, alpha: float) -> Tensor:
    """−α_t (1 − p_t)^γ ln p_t of every row. (1 − p_t)^γ as an exponential of a logarithm: the power's own gradient is
    infinite where 1 − p_t rounds to 0 and γ < 1."""
    toward = torch.where(label > 0.5, logit, -logit)
    share = torch.where(label > 0.5, alpha, 1 - alpha)
    return -share * torch.exp(gamma * F.logsigmoid(-toward)) * F.logsigmoid(toward)


def weighted_logistic(logit: Tensor, value: Tensor) -> Tensor:
    """Cross entropy of «the value is positive», each positive row as often as its value says, each other row once."""
    positive = value > 0
    return torch.where(positive, value, 1) * plain("binary", logit, positive.to(logit.dtype))
