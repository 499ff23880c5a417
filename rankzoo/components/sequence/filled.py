"""Filled positions only: what a training computes over, because a history is padded to the longest of all.

What is computed at a padded position is multiplied by zero afterwards. In training the filled positions of all rows stand in one
tensor (item, …) instead, row after row, and what must stand in (row, position, …), because items meet items, is cut short: rows
of like length go together. Losses and gradients are those of the written-out form, which a trace and serving compute.
"""
from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from rankzoo.signals import Sequence

GROUPS, POSITIONS = 8, 5_000
"""Groups of rows at most, and positions that a group needs at least: with fewer, what starting its operations costs is more."""


class _Spread(torch.autograd.Function):
    """Row i of x as often as row i has items; backward the sum over them. index_select's own backward adds one by one."""

    @staticmethod
    def forward(context, x: Tensor, owners: Tensor, lengths: Tensor) -> Tensor:
        context.save_for_backward(owners, lengths)
        return x.index_select(0, owners)

    @staticmethod
    def backward(context, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _Sum.apply(gradient.contiguous(), *context.saved_tensors), None, None


class _Sum(torch.autograd.Function):
    """The other way round. A bag of rows is added up faster than a segment, and bfloat16 in float32."""

    @staticmethod
    def forward(context, items: Tensor, owners: Tensor, lengths: Tensor) -> Tensor:
        context.save_for_backward(owners, lengths)
        starts = lengths.cumsum(0) - lengths
        return F.embedding_bag(torch.arange(len(items), device=items.device), items, starts, mode="sum")

    @staticmethod
    def backward(context, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _Spread.apply(gradient, *context.saved_tensors), None, None


def spread(x: Tensor, sequence: Sequence) -> Tensor:
    """What belongs to a row, for each of its items: (row, width) → (item, width)."""
    return _Spread.apply(x, sequence.owners, sequence.lengths)


def summed(items: Tensor, sequence: Sequence) -> Tensor:
    """The sum over a row's items: (item, width) → (row, width); zeros where there is none."""
    return _Sum.apply(items, sequence.owners, sequence.lengths)


def shares(scores: Tensor, sequence: Sequence) -> Tensor:
    """Softmax over a row's items, column by column: (item, column) → (item, column)."""
    highest = torch.segment_reduce(scores.detach(), "max", lengths=sequence.lengths)  # (row, column)
    weights = torch.exp(scores - highest.index_select(0, sequence.owners))
    return weights / spread(summed(weights, sequence), sequence)


def by_length(compute: Callable[..., Tensor], items: Tensor, sequence: Sequence, *beside: Tensor) -> Tensor:
    """compute((row, position, width), mask (row, position), *beside (row, …)) → (row, …), for rows of like length at a time.

    A group ends where its longest history ends. The results stand in the order of the rows again.
    """
    rows, length = sequence.mask.shape
    groups = min(max(rows * length // POSITIONS, 1), GROUPS)
    ends = (F.pad(sequence.mask, (1, 0)) * torch.arange(length + 1, device=items.device)).amax(dim=1)  # behind gaps, too
    order = ends.argsort()
    back = order.argsort()
    places = back.index_select(0, sequence.owners) * length + sequence.places % length
    values = items.new_zeros(rows * length, items.shape[1]).index_copy(0, places, items).unflatten(0, (rows, length))
    sorted_rows = (each.index_select(0, order).chunk(groups) for each in (ends, sequence.mask, *beside))
    made = [compute(x[:, :end[-1]], mask[:, :end[-1]], *others)
            for x, end, mask, *others in zip(values.chunk(groups), *sorted_rows, strict=True)]
    return torch.cat(made).index_select(0, back)
