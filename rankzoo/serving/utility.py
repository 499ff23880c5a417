"""Utility: the expected value of showing an item, by groups of responses (Ackerman and Kataria, 2021).

score = F_p + α F_a + λ F_o, F_g = Σ_{k in g} c_k p_k: passive responses, active ones, and others, such as what the creator does
in return. It is linear in every probability, which therefore must be calibrated. α and λ raise what they weigh without
training anything again. (Linear sums of action probabilities are in Borisyuk et al., KDD 2024.)
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from rankzoo.serving.settings import Served


@dataclass(frozen=True)
class Utility(Served):
    """active, other: the tasks that count `alpha` and `lam` times; all else is passive · worth: c_k by task, 1 where none is
    given."""

    names: ClassVar[Mapping[str, str]] = {"active": "task", "other": "task", "worth": "task"}

    active: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    alpha: float = 1.0
    lam: float = 1.0
    worth: Mapping[str, float] = field(default_factory=dict)

    def parts(self, logits: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """F_p, F_a and F_o: logits (row,) per task → (row,) each, 0 where a group has no task."""
        sums = [torch.zeros_like(next(iter(logits.values()))) for _ in range(3)]
        for task, logit in logits.items():
            group = 1 if task in self.active else 2 if task in self.other else 0
            sums[group] = sums[group] + self.worth.get(task, 1.0) * torch.sigmoid(logit)
        return tuple(sums)

    def score(self, logits: Mapping[str, Tensor]) -> Tensor:
        """F_p + α F_a + λ F_o: (row,) per task → (row,)."""
        passive, active, other = self.parts(logits)
        return passive + self.alpha * active + self.lam * other
