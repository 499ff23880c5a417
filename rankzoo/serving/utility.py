"""Utility: the expected value of showing an item, passive and active responses apart (Ackerman and Kataria, 2021).

score = F_p + α F_a (+ λ F_o), F_g = Σ_{k in g} c_k p_k: linear in every probability, which therefore must be calibrated. α raises
active responses without training anything again. (Linear sums of action probabilities are in Borisyuk et al., KDD 2024.)
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Utility:
    """active: the tasks that count `alpha` times · worth: c_k by task, 1 where none is given."""

    active: tuple[str, ...] = ()
    alpha: float = 1.0
    worth: Mapping[str, float] = field(default_factory=dict)

    def parts(self, logits: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """F_p and F_a: logits (row,) per task → (row,), (row,)."""
        sums = [torch.zeros_like(next(iter(logits.values()))) for _ in range(2)]
        for task, logit in logits.items():
            sums[task in self.active] = sums[task in self.active] + self.worth.get(task, 1.0) * torch.sigmoid(logit)
        return sums[0], sums[1]

    def score(self, logits: Mapping[str, Tensor]) -> Tensor:
        """F_p + α F_a: (row,) per task → (row,)."""
        passive, active = self.parts(logits)
        return passive + self.alpha * active
