"""A request: one user and many candidates, for which whatever depends on the user alone is computed once.

The towers of a ranker are no retrieval by dot products: they save work, and meet in the network behind (Snap Engineering, 2022).
"""
from __future__ import annotations

import torch
from torch import Tensor

from rankzoo.model import RankingModel
from rankzoo.signals import Batch
from rankzoo.trace import Trace


@torch.inference_mode()
def score_request(model: RankingModel, candidates: Batch) -> dict[str, Tensor]:
    """Logits (row,) per task of candidates that one user is shown, as the model gives them row by row."""
    off, rows = Trace(on=False), candidates.unlabelled()
    model.eval()
    signal = model.representation(rows, off)
    for layer in model.sequence:
        signal = layer(signal, off)
    for layer in model.interaction:
        signal = layer(layer.once(signal) if hasattr(layer, "once") else signal, off)
    branches = model.sharing(model.concatenation(signal, off), off)
    return {task: model.losses.served(task, logit) for task, logit in model.towers(branches, signal, off).items()}
