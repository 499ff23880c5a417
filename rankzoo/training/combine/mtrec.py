"""Gradient surgery of MTRec (Bi et al., Findings of ACL 2022): auxiliary tasks may not work against the main one.

The first task is the main one. g_m = ∇L_main, g_a = ∇ Σ λ_k L_k over all other tasks, λ their weights; if g_m · g_a < 0
aux only  g_a ← g_a − (g_a · g_m / ‖g_m‖²) g_m                                                g_m stays as it is
mutual    so too, and g_m ← g_m − (g_m · g_a / ‖g_a‖²) g_a, both from the gradients as they came
and the update is g_m + g_a. PCGrad compares every two tasks, in random order; here there is one comparison, main against the sum
of the others. With two tasks of weight 1, mutual is PCGrad.

Only parameters that both reach take part, as one vector; a head keeps the gradient of its own loss. λ may stand before or behind
the projection: neither form depends on the length of g_a.
"""
from __future__ import annotations

from typing import ClassVar

import torch

from rankzoo.model import RankingModel
from rankzoo.training.combine.base import Combiner, Losses, gradients, without_conflict
from rankzoo.training.combine.pcgrad import stacked


class MTRec(Combiner):
    """Two backward passes. Remembers the cosines since it was last asked: `cosines`, `conflicts` and `steps`, sums."""

    mutual: ClassVar = False
    keeps: ClassVar = ("gradient",)
    conflict: ClassVar = (
        "Where they conflict, this training takes from the auxiliary gradient what points against the main one; the main one "
        "stays as it is.")

    def __init__(self, model: RankingModel):
        super().__init__(model)
        self.main = model.blueprint.tasks[0]
        for name in ("cosines", "conflicts", "steps"):
            self.register_buffer(name, torch.zeros((), dtype=torch.float64))

    def backward(self, losses: Losses, model: RankingModel) -> None:
        taking, rest = self.apart(losses)
        main = [loss for task, loss in taking.items() if task == self.main]
        others = [loss for task, loss in taking.items() if task != self.main]
        each = [*main, *([torch.stack(others).sum()] if others else [])]
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        found = gradients([*each, *([] if rest is None else [rest])], parameters)
        columns = list(zip(*found, strict=True))
        blocks, count = [stacked(column) for column in columns], len(each)
        shared = [count == 2 and all(gradient is not None for gradient in column[:2]) for column in columns]
        products = torch.zeros(2, 2, dtype=torch.float64)
        for block, meets in zip(blocks, shared, strict=True):
            if meets:
                own = block.values[:2].double()
                products += own @ own.T
        kept = torch.cat([self.turned(products).sum(dim=0)[:count].float(), torch.ones(len(found) - count)])
        self.met(products)
        for parameter, block, meets in zip(parameters, blocks, shared, strict=True):
            parameter.grad = block.summed(kept if meets else torch.ones_like(kept))

    @classmethod
    def turned(cls, products: torch.Tensor) -> torch.Tensor:
        return without_conflict(products, cls.mutual)

    def met(self, products: torch.Tensor) -> None:
        """Take in the cosine of one step."""
        self.cosines += cosine(products)
        self.conflicts += products[0, 1] < 0
        self.steps += 1

    def told(self) -> dict[str, float]:
        """Mean cosine and share of steps with a conflict since this was last asked."""
        if not self.steps:
            return {}
        found = {f"gradient.{self.main}.cosine": float(self.cosines / self.steps),
                 f"gradient.{self.main}.conflicts": float(self.conflicts / self.steps)}
        for buffer in (self.cosines, self.conflicts, self.steps):
            buffer.zero_()
        return found


class MTRecMutual(MTRec):
    """Both gradients lose what points against the other, as public re-implementations have it."""

    mutual: ClassVar = True
    conflict: ClassVar = (
        "Where they conflict, this training takes from each of the two gradients what points against the other, both as they "
        "came.")


def cosine(products: torch.Tensor) -> torch.Tensor:
    """Of g_m and g_a; 0 where one of them is 0."""
    return products[0, 1] / products.diagonal().prod().sqrt().clamp(min=1e-300)
