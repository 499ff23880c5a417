"""Pairwise losses: within a request, every row with label 1 should score above every row with label 0.

bpr    ℓ = −ln sigmoid(Δ), Δ = s_i − s_j (Rendle et al., UAI 2009; RankNet of Burges et al., ICML 2005, with κ = 1)
hinge  ℓ = max(0, margin − Δ)

The mean over all pairs (i with label 1, j with label 0) of one request in the batch; equal labels are no pair. Adding a
constant to all scores of a request changes nothing, so a score is an order and no probability.

A request of n rows has up to n² / 4 pairs. Where it has more than MOST, so many are drawn, each pair as likely as any other, and
the request keeps its share in the mean, which is then an estimate without bias. So there are never more than 128 pairs a row. A
training draws anew at each step, from its own random numbers; elsewhere the draw is always the same.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from rankzoo.components.losses.base import Likelihood, LossLayer, RequestLoss
from rankzoo.components.row_losses import labels
from rankzoo.facts import Source
from rankzoo.schema import Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch

NAMES = {"bpr": "BPR, pairs", "hinge": "hinge, pairs"}
SHIFT = "the loss of a pair stays the same when a number is added to both scores"
MOST = 65_536  # pairs of one request: all of them up to 512 rows, half of which have label 1


class Pairwise(RequestLoss):
    """All pairs of different labels inside a request; tasks that are not binary keep their squared error."""

    kind: Literal["pairwise"] = "pairwise"
    how: Annotated[Literal["bpr", "hinge"], Field(title="Loss of a pair")] = "bpr"
    margin: Annotated[float, Field(gt=0, le=100, title="Hinge: margin")] = 1.0

    main: ClassVar = ("how",)
    short: ClassVar = "pairwise"
    title: ClassVar = "Pairwise losses"
    sentence: ClassVar = "In each request, what was clicked should score above what was not; only differences count."
    source: ClassVar = Source("Rendle et al.", 2009, "BPR: Bayesian personalized ranking from implicit feedback", "UAI 2009",
                              "10.48550/arXiv.1205.2618")

    def named(self, task: Task) -> str:
        return NAMES[self.how] if task.kind == "binary" else super().named(task)

    def written(self, task: Task) -> str:
        if not self.compares(task):
            return super().written(task)
        return r"\ell=-\ln\sigma(s_i-s_j)" if self.how == "bpr" else rf"\ell=\max(0,\,{self.margin:g}-(s_i-s_j))"

    def uncalibrated(self, task: Task) -> str:
        return SHIFT if self.compares(task) else super().uncalibrated(task)

    def likelihood(self, task: Task) -> Likelihood:
        """BPR is the cross entropy of «i before j», whose logit is Δ; a hinge is −ln p of nothing."""
        if not self.compares(task):
            return super().likelihood(task)
        return "categorical" if self.how == "bpr" else "none"

    def build(self, shape: Shape) -> PairwiseLayer:
        return PairwiseLayer(self, shape)


class PairwiseLayer(LossLayer):
    """The mean over the pairs of a batch for binary tasks; 0, with a gradient of 0, where a batch has no pair."""

    def __init__(self, spec: Pairwise, shape: Shape):
        super().__init__(spec, shape)
        self.how, self.margin = spec.how, spec.margin

    def sums(self, task: str, logits: Mapping[str, Tensor], batch: Batch) -> tuple[Tensor, Tensor]:
        if self.kinds[task] != "binary":
            return super().sums(task, logits, batch)
        drawn = None if self.training else torch.Generator().manual_seed(0)
        winners, losers, stands = pairs(*labels(task, batch), batch.group, drawn)
        score = logits[task].float()
        difference = score[winners] - score[losers]  # (pair,)
        # From the logarithm: −ln of a rounded sigmoid is infinite from Δ = −89 on in single precision.
        each = -F.logsigmoid(difference) if self.how == "bpr" else F.relu(self.margin - difference)
        return (stands * each).sum(), stands.sum()


def pairs(label: Tensor, seen: Tensor, group: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Row numbers of pairs (label 1, label 0) of one request, and how many pairs each stands for: (row,) each → (pair,) each.

    With its rows by label and request, pair number k of a request with z rows of label 0 is its row k // z of label 1 and its
    row k % z of label 0: all numbers are taken, or MOST of them drawn.
    """
    found, request = torch.unique(group, return_inverse=True)
    ones, many = side_by_side(seen & (label > 0.5), request, len(found))
    zeros, others = side_by_side(seen & (label <= 0.5), request, len(found))
    all_pairs = many * others  # (request,)
    taken = all_pairs.clamp(max=MOST)
    of = torch.arange(len(taken)).repeat_interleave(taken)  # (pair,) its request
    number = torch.arange(len(of)) - (taken.cumsum(0) - taken)[of]
    large = (all_pairs > MOST)[of]
    if large.any():
        drawn = torch.rand(int(large.sum()), generator=generator, dtype=torch.float64)
        number[large] = (drawn * all_pairs[of][large]).long()
    winners = ones[(many.cumsum(0) - many)[of] + number // others[of]]
    losers = zeros[(others.cumsum(0) - others)[of] + number % others[of]]
    return winners, losers, (all_pairs / taken.clamp(min=1))[of]


def side_by_side(which: Tensor, request: Tensor, requests: int) -> tuple[Tensor, Tensor]:
    """Numbers of the rows in question, request after request, and how many each has: (row,), (row,) → (some,), (request,)."""
    rows = which.nonzero().squeeze(1)
    return rows[request[rows].argsort(stable=True)], torch.bincount(request[rows], minlength=requests)
