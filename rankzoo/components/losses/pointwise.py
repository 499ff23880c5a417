"""Pointwise losses: each row by itself, each task by the kind of its label or by a loss that is chosen for it.

cross_entropy      ℓ = softplus(s) − y·s; proper: its minimiser is P(y = 1)
focal              ℓ = −α_t (1 − p_t)^γ ln p_t, p_t = p where y = 1, else 1 − p; α_t likewise (Lin et al., ICCV 2017); not proper
squared            ℓ = (p − y)², p = sigmoid(s); for a regression (s − y)²
huber              ℓ = ½e² where |e| ≤ δ, else δ(|e| − ½δ), e = s − y (Huber 1964)
weighted_logistic  ℓ = T·softplus(−s) where T > 0, else softplus(s) (Covington et al., RecSys 2016): the odds that it learns
                   are Σ T_i / (N − k) = E[T] / (1 − P), so exp(s) is served and not a probability
cosine             ℓ = mean over v of (s_v / scale − cos(x_u, x_v))², where classes are items: x what the catalogue tells of
                   them in numbers, u the items that the row names as past (their mean), v all items that training knows.
                   s_v / scale is cos(z_u, z_v) where vectors have length 1 and no map stands between; no label is read

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
from rankzoo.components.losses.base import LIKELIHOODS, PLAIN, Likelihood, Loss, LossLayer, known_tasks
from rankzoo.components.row_losses import labels, plain
from rankzoo.errors import Said, ZooError, axes
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch

How = Literal["cross_entropy", "focal", "squared", "huber", "weighted_logistic", "softmax", "cosine"]
FIT: Mapping[str, tuple[How, ...]] = {"binary": ("cross_entropy", "focal", "squared"), "share": ("squared", "cross_entropy"),
                                      "regression": ("squared", "huber", "weighted_logistic"), "class": ("softmax", "cosine"),
                                      "tags": ("softmax",)}
NAMES = base.NAMES | {"focal": "focal loss", "huber": "Huber", "weighted_logistic": "weighted logistic",
                      "cosine": "cosines, squared"}
FORMULAS = {"focal": r"\ell=-\alpha_t(1-p_t)^\gamma\ln p_t",
            "huber": r"\ell=\tfrac12 e^2\;(|e|\le\delta),\;\delta(|e|-\tfrac12\delta)\;(|e|>\delta),\quad e=s-y",
            "weighted_logistic": r"\ell=y\ln(1+e^{-s})\;(y>0),\;\ln(1+e^{s})\;(y\le 0)",
            "cosine": r"\ell=\frac1N\sum_v\big(s_v/c-\cos(x_u,x_v)\big)^2"}
BENT = {"focal": "focal loss lets rows that are sure, and one of the two labels, count less",
        "huber": "Huber's loss counts large errors less, so that its best guess lies between the median and the mean",
        "weighted_logistic": "a weighted logistic loss learns odds, which lie above the mean",
        "cosine": "this loss asks how alike two items are in their numbers, not which one is right"}
LABELS = {"binary": "that are 0 or 1", "share": "between 0 and 1", "regression": "that are any number",
          "class": "that are classes", "tags": "for each word"}
MANY = 1_000  # rows of which cosines are told how much they vary
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

    def chosen(self, task: Task) -> How:
        """The task's loss."""
        return self.how.get(task.name, PLAIN[task.kind])

    def named(self, task: Task) -> str:
        return NAMES[self.chosen(task)]

    def written(self, task: Task) -> str:
        return FORMULAS.get(self.chosen(task)) or base.written(self.chosen(task), task)

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
                               at=f"{shape.at}.how.{task.name}", task=task.name, labels=Said(LABELS[task.kind]),
                               how=self.chosen(task), fit=", ".join(FIT[task.kind]), comes=base.valued(task),
                               needs=f"{task.name}: y ∈ " + " | ".join(base.SETS[kind] for kind, fit in FIT.items()
                                                                      if self.chosen(task) in fit),
                               cure=(f"{shape.at}.how.{task.name}", FIT[task.kind][0]))
            items = shape.schema.named(task.of) and named(shape.schema) and told(shape.schema)
            if self.chosen(task) == "cosine" and not items:
                raise ZooError("'{task}' cannot be told by cosines: they need classes that are items, rows that name some, and "
                               "items with numbers.", "Set losses.how.{task} to softmax.", at=f"{shape.at}.how.{task.name}",
                               task=task.name, comes=f"x: {axes(0)}", needs=f"x: {axes('n')}, n ≥ 1",
                               cure=(f"{shape.at}.how.{task.name}", "softmax"))
        return super().after(shape)

    def build(self, shape: Shape) -> PointwiseLayer:
        return PointwiseLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[Self, tuple[str, ...]]:
        fit = {t.name: FIT[t.kind] for t in schema.tasks}
        kept = {name: how for name, how in self.how.items() if how in fit.get(name, ())}
        spec, gone = super().fitted(schema)
        gone += tuple(name for name in self.how if name not in kept and name not in gone)
        return spec.model_copy(update={"how": kept}), gone


def named(schema: Schema) -> tuple[tuple[str, int], ...]:
    """The fields of histories that name items: history and number of the field."""
    return tuple((h.name, i) for h in schema.histories for i, f in enumerate(h.fields) if schema.named(f.table))


def told(schema: Schema) -> tuple[str, ...]:
    """What the catalogue tells of an item in numbers."""
    return tuple(f.name for f in schema.catalogue.schema.numeric) if schema.catalogue else ()


class PointwiseLayer(LossLayer):
    """Every task's chosen loss, averaged over its observed rows."""

    def __init__(self, spec: Pointwise, shape: Shape):
        super().__init__(spec, shape)
        self.how = {t.name: spec.chosen(t) for t in shape.tasks}
        self.gamma, self.alpha, self.delta = spec.gamma, spec.alpha, spec.delta
        self.scale, self.numbers, self.named = shape.scale, told(shape.schema), named(shape.schema)

    def among(self, task: str, logit: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        if self.how[task] != "cosine":
            return super().among(task, logit, batch)
        alike, names_any = self.alike(batch)
        known = batch.seen if batch.seen is not None else torch.arange(logit.shape[1]) > 0
        each = ((logit / self.scale - alike) ** 2 * known).sum(dim=1) / known.sum().clamp(min=1)
        return each, labels(task, batch)[1] & names_any

    def alike(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """cos(x_u, x_v) of what the rows name as past and of every item, and whether a row names any: (row, item), (row,)."""
        numbers = torch.stack([batch.catalogue.features[name] for name in self.numbers], dim=1)  # (item, number)
        total, many = torch.zeros(1), torch.zeros(1)
        for history, field in self.named:
            ids = batch.histories[history][:, :, field] * batch.masks[history]
            there = ids > 0
            total = total + (F.embedding(ids, numbers) * there.unsqueeze(2)).sum(dim=1)
            many = many + there.sum(dim=1)
        return F.normalize(total, dim=1) @ F.normalize(numbers, dim=1).T, many > 0

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

    @torch.no_grad()
    def flat(self, batch: Batch, train: Batch) -> dict[str, float]:
        """Of cosines how far they lie from their mean in the training rows, squared: no score that is the same for all is better
        there."""
        found = {}
        for task in (name for name, how in self.how.items() if how == "cosine"):
            usual, here = self.cosines(task, train), self.cosines(task, batch)
            found[task] = float(((here - usual.mean()) ** 2).mean()) if len(usual) and len(here) else 0.0
        return {task: loss for task, loss in found.items() if loss > 0}

    def cosines(self, task: str, batch: Batch) -> Tensor:
        """Those of the first rows that count, with every item that training knows: (row, item)."""
        rows = batch.take(batch.observed[task].nonzero().squeeze(1)[:MANY])
        alike, there = self.alike(rows)
        return alike[there][:, rows.seen]

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
