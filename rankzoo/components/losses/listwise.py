"""Listwise loss: a softmax over the rows of a request, which should give its mass to the rows with label 1.

ℓ = −Σ_j P_j ln softmax(s)_j, averaged over the requests of a batch that hold a label 1. The target P is 1 / m on each of
the m rows with label 1 (`positives`: the mean of −ln softmax over them), or softmax(y) (`listnet`: top-one probabilities,
Cao et al., ICML 2007).

With `log_q` the rows of a request count as drawn by how often their item occurs: s̃_j = s_j / τ − ln(n·Q_j), so that
E[Σ e^{s̃}] is Σ e^{s/τ} over all items (Bengio and Senécal 2008; Yi et al., RecSys 2019). The temperature comes first: it
belongs to the score, which is what the sum is over. What is served is s, never s̃.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.losses.base import Likelihood, LossLayer, RequestLoss
from rankzoo.components.row_losses import labels
from rankzoo.errors import ZooError
from rankzoo.facts import Source
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch

SHIFT = "a softmax over a request stays the same when a number is added to all its scores"


class Listwise(RequestLoss):
    """Softmax cross entropy within a request. `log_q` names the item's id, whose frequency is corrected for (empty: no
    correction), `correct` which rows: all, or those with label 0 alone, because a positive is there anyway."""

    kind: Literal["listwise"] = "listwise"
    target: Annotated[Literal["positives", "listnet"], Field(title="Target")] = "positives"
    temperature: Annotated[float, Field(ge=1e-3, le=100, title="Temperature τ")] = 1.0
    log_q: Annotated[str, Field(max_length=200, title="Correct for how often (an item's id)")] = ""
    correct: Annotated[Literal["all", "negatives"], Field(title="Corrected rows")] = "all"
    rate: Annotated[float, Field(gt=0, lt=1, title="Rate of the frequency estimate")] = 0.05

    main: ClassVar = ("target", "temperature")
    short: ClassVar = "listwise"
    title: ClassVar = "Listwise loss"
    sentence: ClassVar = "The rows of a request compete: a softmax over them should choose what was clicked."
    source: ClassVar = Source("Cao et al.", 2007, "Learning to rank: from pairwise approach to listwise approach", "ICML 2007",
                              "10.1145/1273496.1273513")

    def named(self, task: Task) -> str:
        word = "ListNet" if self.target == "listnet" else "softmax, log Q" if self.log_q else "softmax"
        return word if task.kind == "binary" else super().named(task)

    def written(self, task: Task) -> str:
        if not self.compares(task):
            return super().written(task)
        target = r"\mathrm{softmax}(y)_j" if self.target == "listnet" else r"\frac{y_j}{\sum_i y_i}"
        score = "s_j" if self.temperature == 1 else r"s_j/\tau"
        if self.log_q:
            score += r"-\ln(n\,Q_j)" if self.correct == "all" else r"-[y_j=0]\,\ln(n\,Q_j)"
        return rf"\ell=-\sum_j {target}\,\ln\mathrm{{softmax}}_j\big({score}\big)"

    def uncalibrated(self, task: Task) -> str:
        return SHIFT if self.compares(task) else super().uncalibrated(task)

    def likelihood(self, task: Task) -> Likelihood:
        return "categorical" if self.compares(task) else super().likelihood(task)

    def after(self, shape: Shape) -> Shape:
        if self.log_q:
            feature = shape.schema.feature(self.log_q, f"{shape.at}.log_q")
            if feature.kind != "categorical" or feature.side != "item":
                raise ZooError("The correction counts items, but '{name}' is no categorical feature of the item.",
                               "Choose the item's id, or leave log_q empty.", at=f"{shape.at}.log_q", name=self.log_q,
                               cure=(f"{shape.at}.log_q", ""), comes=f"{self.log_q}: {feature.side}, {feature.kind}",
                               needs=f"{self.log_q}: item, categorical")
        return super().after(shape)

    def build(self, shape: Shape) -> ListwiseLayer:
        return ListwiseLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[Self, tuple[str, ...]]:
        spec, gone = super().fitted(schema)
        if not self.log_q or self.log_q in [f.name for f in schema.features]:
            return spec, gone
        return spec.model_copy(update={"log_q": ""}), (*gone, self.log_q)


class ListwiseLayer(LossLayer):
    """The mean over requests with a label 1, for binary tasks; 0, with a gradient of 0, where a batch has none."""

    def __init__(self, spec: Listwise, shape: Shape):
        super().__init__(spec, shape)
        self.target, self.temperature, self.correct, self.item = spec.target, spec.temperature, spec.correct, spec.log_q
        if self.item:
            self.frequency = Frequency(shape.schema.feature(self.item).vocabulary, spec.rate)

    def forward(self, logits, branches, batch, taught):
        if self.item and self.training and batch.labels:
            self.frequency.saw(batch.features[self.item])
        return super().forward(logits, branches, batch, taught)

    def sums(self, task: str, logits: Mapping[str, Tensor], batch: Batch) -> tuple[Tensor, Tensor]:
        if self.kinds[task] != "binary":
            return super().sums(task, logits, batch)
        label, seen = labels(task, batch)
        item = batch.features[self.item] if self.item else None
        rows = (seen if item is None else seen & ~repeated(label, batch.group, item)).nonzero().squeeze(1)
        label, score = label[rows], logits[task].float()[rows] / self.temperature
        found, request = torch.unique(batch.group[rows], return_inverse=True)
        if item is not None:
            drawn = torch.ones_like(label, dtype=torch.bool) if self.correct == "all" else label <= 0.5
            n = torch.zeros(len(found)).index_add(0, request, drawn.float())[request]
            score = torch.where(drawn, corrected(score, self.frequency.share(item[rows]), n), score)
        chosen = torch.zeros(len(found)).index_add(0, request, label)  # (request,) rows with label 1
        if self.target == "listnet":
            target = log_softmax(label, request, len(found)).exp() * (chosen > 0)[request]
        else:
            target = label / chosen.clamp(min=1)[request]
        return -(target * log_softmax(score, request, len(found))).sum(), (chosen > 0).sum()


class Frequency(nn.Module):
    """How often an item is met, from the stream of rows alone (Yi et al., RecSys 2019, algorithm 2).

    B[h] ← (1 − α) B[h] + α (t − A[h]), A[h] ← t, Q ≈ 1 / B[h]; here h is the id itself, and t counts rows. The paper counts
    batches, for which an item that is in every batch looks as rare as one that is in it ten times: an item met c times
    in a batch is taken as met at even distances, its update made c times with (t − A[h]) / c.
    """

    def __init__(self, vocabulary: int, rate: float):
        super().__init__()
        self.rate = rate
        self.register_buffer("gap", torch.full((vocabulary,), float(vocabulary), dtype=torch.float64))  # B: uniform at first
        self.register_buffer("last", torch.zeros(vocabulary, dtype=torch.float64))  # A
        self.register_buffer("time", torch.zeros((), dtype=torch.float64))  # t

    @torch.no_grad()
    def saw(self, item: Tensor) -> None:
        """Rows of a batch: (row,) ids."""
        self.time += len(item)
        ids, often = torch.unique(item, return_counts=True)
        step = 1 - (1 - self.rate) ** often
        self.gap[ids] += step * ((self.time - self.last[ids]) / often - self.gap[ids])
        self.last[ids] = self.time

    def share(self, item: Tensor) -> Tensor:
        """Q of every row: (row,) → (row,)."""
        return (1 / self.gap[item]).float()


def corrected(score: Tensor, q: Tensor, n: Tensor | float) -> Tensor:
    """s − ln(n·Q): each of n draws stands for 1 / (n·Q) items."""
    return score - torch.log(n * q)


def repeated(label: Tensor, group: Tensor, item: Tensor) -> Tensor:
    """(row,) whether a row with label 0 shows an item that has label 1 in the same request: no negative."""
    _, request = torch.unique(group, return_inverse=True)
    key = request * (item.max() + 1) + item
    return torch.isin(key, key[label > 0.5]) & (label <= 0.5)


def log_softmax(score: Tensor, request: Tensor, requests: int) -> Tensor:
    """ln of the softmax over the rows of the same request: (row,), (row,) request numbers → (row,)."""
    top = score.new_full((requests,), -torch.inf).scatter_reduce(0, request, score.detach(), "amax")
    shifted = score - top[request]
    return shifted - score.new_zeros(requests).index_add(0, request, shifted.exp()).log()[request]
