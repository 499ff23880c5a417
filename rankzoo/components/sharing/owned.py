"""Owned: which weights a task is left with by pruning, where owners of a weight disagree, and how much each then moves it."""
from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Conflict = Literal["none", "soft", "winner"]


def pruned(masks: list[Tensor], scores: list[Tensor], alpha: float) -> list[Tensor]:
    """The masks without the α of their weights that score lowest over all layers; one cut-off, so that layers differ."""
    remaining = torch.cat([score[mask] for mask, score in zip(masks, scores, strict=True)])
    drop = torch.zeros_like(remaining, dtype=torch.bool)
    drop[remaining.argsort(stable=True)[:round(alpha * len(remaining))]] = True
    kept, parts = [], drop.split([int(mask.sum()) for mask in masks])
    for mask, dropped in zip(masks, parts, strict=True):
        kept.append(mask.clone().masked_scatter_(mask, ~dropped))
    return kept


def conflicts(mask: Tensor, pull: Tensor) -> Tensor:
    """Where owners of a weight pull in opposite directions: (task, unit, input) each → (unit, input) bool."""
    return (mask & (pull > 0)).any(0) & (mask & (pull < 0)).any(0)


def shares(how: Conflict, mask: Tensor, pull: Tensor, worth: Tensor) -> Tensor:
    """a_t of every task, 0 where it does not own the weight: (task, unit, input)."""
    if how == "none":
        return mask.float()
    depends = worth.masked_fill(~mask, -1.0)
    if how == "winner":
        part = torch.zeros_like(worth).scatter_(0, depends.argmax(0, keepdim=True), 1.0)
    else:
        tiny = torch.finfo(worth.dtype).tiny
        depends = depends.clamp(min=0) + tiny * mask  # owners that all do not depend on it share it alike
        part = depends / depends.sum(0).clamp(min=tiny)
    return torch.where(conflicts(mask, pull), part, mask.float())
