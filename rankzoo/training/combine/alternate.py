"""Alternate: at each step one task is drawn, and the update is on that task alone (how MUSIG may mix its tasks; its own rule was
not found).

P(k) = w_k / Σ_j w_j over the tasks whose loss is not 0, as it is where the batch observes no row, w the blueprint's weights. The
expected gradient is that of the weighted sum, divided by Σ_j w_j; a step follows no compromise, so its direction is noisier, and
a head rests while the others have their turn. A task of weight 0 has no turn. Penalties are part of every step.
"""
from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from rankzoo.model import RankingModel
from rankzoo.training.combine.base import Combiner, Losses


class Alternate(Combiner):
    """One backward pass through one task's loss; which one is drawn from the training's own random numbers."""

    conflict: ClassVar = (
        "This training follows one task at a step, drawn by its weight: two gradients never meet in one, and there is no common "
        "update to draw.")

    @classmethod
    def turned(cls, products: Tensor) -> None:
        return None

    def backward(self, losses: Losses, model: RankingModel) -> None:
        taking = {task: losses[task] for task in self.tasks if task in losses}
        chances = torch.tensor([self.fixed[task] * float(loss.detach() != 0) for task, loss in taking.items()])
        if chances.any():
            followed = losses[list(taking)[int(torch.multinomial(chances, 1))]]
        else:  # nothing to follow, yet a step needs a gradient
            followed = 0.0 * torch.stack(list((taking or losses).values())).sum()
        penalties = [loss for name, loss in losses.items() if name not in self.fixed]
        torch.stack([followed, *penalties]).sum().backward()
