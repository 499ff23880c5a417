"""Losses of rows: what a logit costs by the kind of its label, before anybody adds up or averages.

The loss slot adds them up over a batch's rows; a tower that teaches something beside the tasks does over what that is.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rankzoo.signals import Batch


def plain(kind: str, logit: Tensor, label: Tensor) -> Tensor:
    """The plain loss of every row for a kind of label: (row,), (row,) → (row,)."""
    if kind == "binary":
        return F.binary_cross_entropy_with_logits(logit, label, reduction="none")
    return ((torch.sigmoid(logit) if kind == "share" else logit) - label) ** 2


def chosen(logit: Tensor, label: Tensor, among: Tensor) -> Tensor:
    """−ln softmax at the label, over the classes `among` (class,) bool: (row, class), (row,) → (row,)."""
    lowest = torch.finfo(logit.dtype).min  # as good as −∞, which would make NaN of a row whose label is not among them
    return F.cross_entropy(logit.masked_fill(~among, lowest), label, reduction="none")


def tagged(logit: Tensor, tags: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of −ln softmax at the right tag over the words that are there, and whether there is any: (row, place, tag),
    (row, place), (row, place) → (row,), (row,)."""
    tags, there = (each[:, :logit.shape[1]] for each in (tags, there & (tags > 0)))
    each = chosen(logit.flatten(0, 1), tags.flatten(), torch.arange(logit.shape[2]) > 0).view_as(tags)
    words = there.sum(dim=1)
    return torch.where(there, each, 0).sum(dim=1) / words.clamp(min=1), words > 0


def labels(task: str, batch: Batch) -> tuple[Tensor, Tensor]:
    """(row,) labels and whether they are observed. A missing label is 0: as NaN it would reach the gradient as NaN · 0."""
    seen = batch.observed[task]
    return torch.where(seen, batch.labels[task], 0), seen


def over(each: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """The sum over the rows that count, and how many they are."""
    return torch.where(seen, each, 0).sum(), seen.sum()
