"""Fusing: several tasks' probabilities become one score by which a page is sorted.

score = Π_k p_k^{w_k}, in logs: the weighted multiplication of Zhao et al. (RecSys 2019, section 4.2; the power form as
printed in Tang et al., RecSys 2020, eq. 1). A task that should count against an item has a negative weight.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from rankzoo.serving.settings import Served


@dataclass(frozen=True)
class Fuse(Served):
    """Weights of the product, by task; a task without one counts with weight 1."""

    names: ClassVar[Mapping[str, str]] = {"weights": "task"}

    weights: Mapping[str, float] = field(default_factory=dict)

    def log_score(self, logits: Mapping[str, Tensor], kinds: Mapping[str, str]) -> Tensor:
        """log Π p_k^{w_k}: logits (row,) per task → (row,). A regression counts as log(1 + max(value, 0))."""
        logs = {task: torch.log(torch.log1p(value.clamp(min=0)).clamp(min=1e-12)) if kinds[task] == "regression"
                else F.logsigmoid(value) for task, value in logits.items()}
        return sum(self.weights.get(task, 1.0) * value for task, value in logs.items())
