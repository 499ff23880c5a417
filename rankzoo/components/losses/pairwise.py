"""Pairwise losses: within a request, every row with label 1 should score above every row with label 0.

bpr    ℓ = −ln sigmoid(Δ), Δ = s_i − s_j (Rendle et al., UAI 2009; RankNet of Burges et al., ICML 2005, with κ = 1)
hinge  ℓ = max(0, margin − Δ)

The mean over all pairs (i with label 1, j with label 0) of one request in the batch; equal labels are no pair. Adding a
constant to all scores of a request changes nothing, so a score is an order and no probability.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from rankzoo.components.losses.base import LossLayer, RequestLoss, labels
from rankzoo.facts import Source
from rankzoo.schema import Shape, Task
from rankzoo.signals import Batch

NAMES = {"bpr": "BPR, pairs", "hinge": "hinge, pairs"}


class Pairwise(RequestLoss):
    """All pairs of different labels inside a request; tasks that are not binary keep their squared error."""

    kind: Literal["pairwise"] = "pairwise"
    how: Annotated[Literal["bpr", "hinge"], Field(title="Loss of a pair")] = "bpr"
    margin: Annotated[float, Field(gt=0, le=100, title="Hinge: margin")] = 1.0

    main: ClassVar = ("how",)
    short: ClassVar = "pairwise"
    title: ClassVar = "Pairwise losses"
    sentence: ClassVar = "In each request, what was clicked should score above what was not; only differences count."
    formula: ClassVar = r"\ell = -\ln \sigma(s_i - s_j)"
    source: ClassVar = Source("Rendle et al.", 2009, "BPR: Bayesian personalized ranking from implicit feedback", "UAI 2009",
                              "10.48550/arXiv.1205.2618")

    def named(self, task: Task) -> str:
        return NAMES[self.how] if task.kind == "binary" else super().named(task)

    def build(self, shape: Shape) -> PairwiseLayer:
        return PairwiseLayer(self, shape)


class PairwiseLayer(LossLayer):
    """The mean over the pairs of a batch for binary tasks; 0, with a gradient of 0, where a batch has no pair."""

    def __init__(self, spec: Pairwise, shape: Shape):
        super().__init__(spec, shape)
        self.how, self.margin = spec.how, spec.margin

    def loss(self, task: str, logits: Mapping[str, Tensor], batch: Batch) -> Tensor:
        if self.kinds[task] != "binary":
            return super().loss(task, logits, batch)
        winners, losers = pairs(*labels(task, batch), batch.group)
        score = logits[task].float()
        difference = score[winners] - score[losers]  # (pair,)
        # From the logarithm: −ln of a rounded sigmoid is infinite from Δ = −89 on in single precision.
        each = -F.logsigmoid(difference) if self.how == "bpr" else F.relu(self.margin - difference)
        return each.sum() / max(len(each), 1)


def pairs(label: Tensor, seen: Tensor, group: Tensor) -> tuple[Tensor, Tensor]:
    """Row numbers of all pairs (label 1, label 0) of one request: (row,) each → (pair,), (pair,).

    A join, request by request: nothing is as large as rows × rows.
    """
    _, request = torch.unique(group, return_inverse=True)
    ones, zeros = (seen & (label > 0.5)).nonzero().squeeze(1), (seen & (label <= 0.5)).nonzero().squeeze(1)
    zeros = zeros[request[zeros].argsort(stable=True)]
    many = torch.bincount(request[zeros], minlength=len(group))  # (request,) rows with label 0
    first = many.cumsum(0) - many
    meets = many[request[ones]]  # (row with label 1,) how many pairs it is in
    winners = ones.repeat_interleave(meets)
    place = torch.arange(len(winners), device=group.device) - (meets.cumsum(0) - meets).repeat_interleave(meets)
    return winners, zeros[first[request[winners]] + place]
