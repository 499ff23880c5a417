"""Dynamic weight average (Liu et al., CVPR 2019): a task whose loss falls slower than the others' gets more weight.

w_k(t) = K · softmax(r_k / T),  r_k = L_k(t − 1) / L_k(t − 2),  T = 2, on the mean losses of whole epochs; w = 1 in the first
two. Ratios have no unit, so a loss counts the same in whatever scale. They are taken of the losses themselves, since a weight
that changes from epoch to epoch is no progress.
"""
from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from rankzoo.model import RankingModel
from rankzoo.training.combine.base import Combiner, Losses, total

TEMPERATURE = 2.0


class DynamicWeightAverage(Combiner):
    """Remembers the losses of this epoch, summed, and the means of the two before."""

    conflict: ClassVar = (
        "This training weighs the tasks by how fast their losses fall and adds the gradients up: none is "
        "turned. The picture takes the weights as they were set.")

    def __init__(self, model: RankingModel):
        super().__init__(model)
        self.register_buffer("summed", torch.zeros(len(self.tasks), dtype=torch.float64))
        self.register_buffer("steps", torch.zeros(len(self.tasks), dtype=torch.float64))
        self.register_buffer("means", torch.full((2, len(self.tasks)), torch.nan, dtype=torch.float64))  # (epoch, task)
        self.register_buffer("weight", torch.ones(len(self.tasks)))

    def backward(self, losses: Losses, model: RankingModel) -> None:
        taking, rest = self.apart(losses)
        now = torch.stack([losses[task].detach() for task in taking])
        self.summed += now
        self.steps += now > 0  # 0: no row of the batch was observed
        total(taking, self.weight, rest).backward()

    def epoch_ended(self) -> None:
        self.means.copy_(torch.stack([self.means[1], self.summed / self.steps]))
        self.summed.zero_()
        self.steps.zero_()
        if not self.means.isnan().any():
            self.weight.copy_(averaged(self.means[1], self.means[0]))

    def weights(self) -> dict[str, float]:
        return dict(zip(self.tasks, self.weight.tolist(), strict=True))


def averaged(last: Tensor, before: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """The weights after two epochs: (task,) mean losses each → (task,)."""
    rate = last / before.clamp(min=1e-12)
    return len(rate) * torch.softmax(rate / temperature, 0)
