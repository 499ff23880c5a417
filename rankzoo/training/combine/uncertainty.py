"""Uncertainty weighting (Kendall et al., CVPR 2018): each task's noise σ_k is learnt, and a noisy task counts less.

regression      ½ e^{−s} L + ½ s     −ln of a normal distribution: a squared error, of whatever kind of label
classification    e^{−s} L + ½ s     −ln of a choice: cross entropies, a softmax over a request, BPR (which of two comes first)

with s = ln σ², which starts at 0. The loss that a task is trained with decides its form. Focal, Huber and hinge loss are −ln of
no distribution: they take the second form, and s is their scale and no noise (Huber's ½e² has the ½ in it already).

At its best s = ln L (regression) or ln 2L: the weighted loss is then ½ whatever the unit of L and whatever the form, which
decides where the weight starts and not where it ends. The total may be negative. s is not held above 0 to prevent that: a task
with a small loss would be held there, and its noise never learnt.
"""
from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from rankzoo.model import RankingModel
from rankzoo.training.combine.base import Combiner, Losses


class Uncertainty(Combiner):
    """Learns `log_variance` (task,)."""

    conflict: ClassVar = (
        "This training weighs each task by a noise that it learns and adds the gradients up: none is "
        "turned. The picture takes the weights as they were set.")

    def __init__(self, model: RankingModel):
        super().__init__(model)
        self.log_variance = nn.Parameter(torch.zeros(len(self.tasks)))
        half = [0.5 if model.losses.likelihoods[task] == "gaussian" else 1.0 for task in self.tasks]
        self.register_buffer("scale", torch.tensor(half), persistent=False)

    def backward(self, losses: Losses, model: RankingModel) -> None:
        taking, rest = self.apart(losses)
        found = self.joint(torch.stack(list(taking.values())))
        (found if rest is None else found + rest).backward()

    def joint(self, loss: Tensor) -> Tensor:
        """Σ_k of the module's head: (task,) → scalar. A loss of exactly 0, that of no observed row, says nothing about noise."""
        each = self.scale * torch.exp(-self.log_variance) * loss + 0.5 * self.log_variance
        return torch.where(loss == 0, loss, each).sum()

    def weights(self) -> dict[str, float]:
        found = (self.scale * torch.exp(-self.log_variance)).tolist()
        return dict(zip(self.tasks, found, strict=True))
