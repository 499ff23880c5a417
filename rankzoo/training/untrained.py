"""Untrained: rules that order a catalogue by what the data hold. They are the least that a model must beat."""
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from rankzoo.signals import Batch
from rankzoo.training.metrics import BATCH, rank


@dataclass(frozen=True)
class Rule(ABC):
    """history: the items that a row shows already, which it is not offered again."""

    history: str

    @abstractmethod
    def scores(self, asked: Batch, training: Batch, task: str) -> Tensor:
        """Of rows that ask for an item, by what the training part holds: (row, item), of which the larger is the better."""

    def places(self, asked: Batch, training: Batch, task: str) -> Tensor:
        """The place of the right item among those that are not shown, from 1; in batches: (row,)."""
        parts = (asked.rows(start, start + BATCH) for start in range(0, len(asked), BATCH))
        return torch.cat([rank(self.scores(rows, training, task).scatter(1, self.shown(rows), -torch.inf), rows.labels[task])
                          for rows in parts])

    def shown(self, rows: Batch) -> Tensor:
        """The items of the history, 0 where it has ended: (row, position)."""
        return rows.histories[self.history][:, :, 0]


@dataclass(frozen=True)
class Popular(Rule):
    """How many training rows have an item as the right one. like: an attribute of items; those that share it with the last item
    of the history come before all others."""

    like: str = ""

    def scores(self, asked: Batch, training: Batch, task: str) -> Tensor:
        right = training.labels[task][training.observed[task]].long()
        times = torch.bincount(right, minlength=len(asked.catalogue)).float().expand(len(asked), -1)
        if not self.like:
            return times
        end = asked.masks[self.history].sum(dim=1, keepdim=True).sub(1).clamp(min=0)
        known, last = asked.catalogue.features[self.like], self.shown(asked).gather(1, end)    # (item,), (row, 1)
        return times + (known[last] == known) * (times.max() + 1)


@dataclass(frozen=True)
class Nearest(Rule):
    """p·x_j, p the mean of the vectors of the history's items, x what items' numbers say, of length 1."""

    def scores(self, asked: Batch, training: Batch, task: str) -> Tensor:
        x, shown = F.normalize(asked.catalogue.numbers, dim=1), self.shown(asked)
        return (F.embedding(shown, x) * (shown > 0).unsqueeze(2)).sum(dim=1) @ x.T
