"""Combining: how the losses of several tasks become the one number that is minimised."""
from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def weighted_sum(losses: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """L = Σ_k w_k L_k + Σ penalties."""
    return sum(weights.get(name, 1.0) * loss for name, loss in losses.items())
