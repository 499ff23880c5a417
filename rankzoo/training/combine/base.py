"""What every way of combining tasks has: which losses take part, what it learns, what it must remember."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from rankzoo.model import RankingModel

Losses = Mapping[str, Tensor]


def weighted_sum(losses: Losses, weights: Mapping[str, float]) -> Tensor:
    """L = Σ_k w_k L_k + Σ penalties."""
    return sum(weights.get(name, 1.0) * loss for name, loss in losses.items())


class Combiner(nn.Module, ABC):
    """Turns the losses of one step into gradients.

    Its parameters are learnt beside the model's, without weight decay; its buffers are what it remembers; both are part of
    a training's state. The weights of the blueprint, each that of the epoch, multiply first and are not learnt: a task of weight
    0 takes no part. `keeps` names the groups of points that it tells; `conflict` says what is done where the main and the
    auxiliary gradient meet.
    """

    keeps: ClassVar[tuple[str, ...]] = ()
    conflict: ClassVar[str]

    def __init__(self, model: RankingModel):
        super().__init__()
        self.fixed = dict(model.losses.weights)
        self.tasks = tuple(task for task in model.blueprint.tasks if self.fixed[task] > 0)

    def begin(self, epoch: int, model: RankingModel) -> None:
        """Before a step of an epoch, the first being 0."""
        self.fixed = model.losses.weights_in(epoch)

    def apart(self, losses: Losses) -> tuple[dict[str, Tensor], Tensor | None]:
        """The weighted losses of the tasks that take part, and the sum of all else (penalties), None where there is none."""
        taking = {task: self.fixed[task] * losses[task] for task in self.tasks if task in losses}
        rest = [self.fixed.get(name, 1.0) * loss for name, loss in losses.items() if name not in taking]
        return taking, torch.stack(rest).sum() if rest else None

    @classmethod
    def turned(cls, products: Tensor) -> Tensor | None:
        """What a main and an auxiliary gradient become where they meet in one step: (2, 2) their products → (2, 2), for each how
        much of the one and of the other it holds. The update is the sum; None where a step never holds both."""
        return torch.eye(2, dtype=products.dtype)

    @abstractmethod
    def backward(self, losses: Losses, model: RankingModel) -> None:
        """The backward passes: afterwards every parameter has its gradient, the combiner's own included."""

    def stepped(self) -> None:
        """Called after the optimisers have moved the parameters."""

    def epoch_ended(self) -> None:
        """Called after the last step of an epoch."""

    def weights(self) -> dict[str, float]:
        """What multiplies each task's loss now, beside the blueprint's weights; empty where nothing does."""
        return {}

    def moving(self, model: RankingModel) -> dict[str, float]:
        """What multiplies each task's loss, learnt or set for the epoch; empty where that is the same throughout."""
        learnt = self.weights()
        if all(factor == 1 for factor in model.losses.factors.values()):
            return learnt
        return {task: weight * learnt.get(task, 1.0) for task, weight in self.fixed.items()}

    def told(self) -> dict[str, float]:
        """What was met in the steps since this was last asked, as points by name; empty where nothing is watched."""
        return {}


def total(taking: Losses, weights: Tensor, rest: Tensor | None) -> Tensor:
    """Σ_k w_k L_k + rest; weights (task,) in the order of the losses."""
    found = (weights * torch.stack(list(taking.values()))).sum()
    return found if rest is None else found + rest


def without_conflict(products: Tensor, mutual: bool) -> Tensor:
    """(2, 2) products of g_m and g_a → (2, 2): g_m and g_a, or what is left of them where they conflict, each by how much of g_m
    and of g_a it holds. Of g_m something is taken only if it is mutual."""
    kept, along = torch.eye(2, dtype=products.dtype), products[0, 1]
    if along < 0:
        kept[1, 0] = -along / products[0, 0]
        kept[0, 1] = -along / products[1, 1] if mutual else 0.0
    return kept


def gradients(losses: list[Tensor], parameters: list[nn.Parameter]) -> list[tuple[Tensor | None, ...]]:
    """By loss, the gradient of every parameter, None where the loss does not reach it. The graph is kept."""
    if not parameters:
        return [() for _ in losses]
    return [torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True) for loss in losses]
