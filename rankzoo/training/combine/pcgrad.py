"""PCGrad (Yu et al., NeurIPS 2020): a task's gradient loses what points against another task's.

g_i^PC ← g_i; for every other j in random order: if g_i^PC · g_j < 0, g_i^PC ← g_i^PC − (g_i^PC · g_j / ‖g_j‖²) g_j, with the
original g_j; the update is Σ_i g_i^PC. Only parameters that more than one task reaches take part; a tower has the gradient
of its own task.

Every g_i^PC is Σ_m a_im g_m, so the K × K products g_i · g_j say all about a, and one pass through the gradients applies it. Of
a table only the rows of the batch are looked at, as a dense block of them that all tasks have in common.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from rankzoo.model import RankingModel
from rankzoo.training.combine.base import Combiner, Losses, gradients, without_conflict

Column = tuple[Tensor | None, ...]


class PCGrad(Combiner):
    """K backward passes; the order of the projections is drawn from the training's own random numbers."""

    conflict: ClassVar = (
        "This training compares the gradients of every two tasks and takes from each what points against the other. The picture "
        "has all tasks but the first as one: with more than two tasks the real update may differ from it.")

    @classmethod
    def turned(cls, products: Tensor) -> Tensor:
        return without_conflict(products, mutual=True)

    def backward(self, losses: Losses, model: RankingModel) -> None:
        taking, rest = self.apart(losses)
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        found = gradients([*taking.values(), *([] if rest is None else [rest])], parameters)
        count = len(taking)
        columns = list(zip(*found, strict=True))
        shared = [sum(each is not None for each in column[:count]) > 1 for column in columns]
        blocks = [stacked(column) for column in columns]  # each (loss, number)
        products = torch.zeros(count, count, dtype=torch.float64)
        for block, meets in zip(blocks, shared, strict=True):
            if meets:
                own = block.values[:count].double()
                products += own @ own.T
        orders = [torch.randperm(count).tolist() for _ in range(count)]
        kept = torch.tensor(surgery(products.tolist(), orders) + [1.0] * (rest is not None))
        for parameter, block, meets in zip(parameters, blocks, shared, strict=True):
            parameter.grad = block.summed(kept if meets else torch.ones_like(kept))


def surgery(products: Sequence[Sequence[float]], orders: Sequence[Sequence[int]]) -> list[float]:
    """How much of each task's gradient the update holds: g_i · g_j (task, task), and for each i the order of the others."""
    count = len(products)
    kept = [0.0] * count
    for i, order in enumerate(orders):
        a = [float(m == i) for m in range(count)]  # g_i^PC = Σ_m a_m g_m
        for j in order:
            along = sum(a[m] * products[m][j] for m in range(count))
            if j != i and along < 0:
                a[j] -= along / products[j][j]
        kept = [before + more for before, more in zip(kept, a, strict=True)]
    return kept


class Block:
    """The gradients of one parameter side by side: values (loss, number), `rows` where it is a table, whose numbers are those
    rows; None for values where no loss reaches it."""

    def __init__(self, values: Tensor | None, shape: torch.Size, rows: Tensor | None = None):
        self.values, self.shape, self.rows = values, shape, rows

    def summed(self, kept: Tensor) -> Tensor | None:
        """Σ_k kept_k · gradient_k, in the form in which the parameter's gradient came."""
        if self.values is None:
            return None
        flat = kept.to(self.values.dtype) @ self.values
        if self.rows is None:
            return flat.reshape(self.shape)
        return torch.sparse_coo_tensor(self.rows.unsqueeze(0), flat.reshape(len(self.rows), -1), self.shape, is_coalesced=True,
                                       check_invariants=False)


def stacked(column: Column) -> Block:
    """The gradients of one parameter as a block."""
    given = next((each for each in column if each is not None), None)
    if given is None:
        return Block(None, torch.Size())
    if not given.is_sparse:
        each = torch.stack([torch.zeros_like(given) if one is None else one for one in column])
        return Block(each.reshape(len(column), -1), given.shape)
    named = [each._indices()[0] for each in column if each is not None]
    rows, place = torch.unique(torch.cat(named), return_inverse=True)
    places = iter(place.split([len(each) for each in named]))
    values = given._values().new_zeros(len(column), len(rows), given.shape[1])
    for k, each in enumerate(column):
        if each is not None:
            values[k].index_add_(0, next(places), each._values())
    return Block(values.flatten(1), given.shape, rows)
