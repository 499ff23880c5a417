"""Filled positions only: what a training of target attention computes over, because its unit is most of the work.

Histories are padded to the longest, and what is computed at a padded position is multiplied by zero afterwards. In training
the filled positions of all rows stand in one tensor (item, …) instead, row after row. The results are the same.
"""
from __future__ import annotations

import torch
from torch import Tensor

from rankzoo.signals import Sequence


class _Spread(torch.autograd.Function):
    """Row i of x as often as row i has items; backward the sum over them. index_select's own backward adds one by one."""

    @staticmethod
    def forward(context, x: Tensor, owners: Tensor, lengths: Tensor) -> Tensor:
        context.save_for_backward(lengths)
        return x.index_select(0, owners)

    @staticmethod
    def backward(context, gradient: Tensor) -> tuple[Tensor, None, None]:
        lengths, = context.saved_tensors
        return torch.segment_reduce(gradient.contiguous(), "sum", lengths=lengths), None, None


def spread(x: Tensor, sequence: Sequence) -> Tensor:
    """What belongs to a row, for each of its items: (row, width) → (item, width)."""
    return _Spread.apply(x, sequence.owners, sequence.lengths)


def summed(items: Tensor, sequence: Sequence) -> Tensor:
    """The sum over a row's items: (item, width) → (row, width); zeros where there is none."""
    return torch.segment_reduce(items, "sum", lengths=sequence.lengths)


def padded(items: Tensor, sequence: Sequence) -> Tensor:
    """One number per item at its position: (item,) → (row, position), zero where nothing stands."""
    whole = items.new_zeros(sequence.mask.numel())
    return whole.index_put((sequence.places,), items).reshape(sequence.mask.shape)
