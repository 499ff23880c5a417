"""Sum: L = Σ_k w_k L_k with weights that are set, the baseline of every other way and hard to beat when they are tuned."""
from __future__ import annotations

from typing import ClassVar

from rankzoo.model import RankingModel
from rankzoo.training.combine.base import Combiner, Losses, weighted_sum


class Sum(Combiner):
    """One backward pass through the weighted sum."""

    conflict: ClassVar = (
        "This training adds the gradients up as they are: none is turned, whether they conflict or not.")

    def backward(self, losses: Losses, model: RankingModel) -> None:
        weighted_sum(losses, self.fixed).backward()
