"""Shared words: how many different words of what a row asks stand in an item's own list of words."""
from __future__ import annotations

import torch
from torch import Tensor

from rankzoo.signals import Batch


def shared_words(asking: Batch, query: str, items: Batch, title: str) -> tuple[Tensor, Tensor, Tensor]:
    """Words in both: (row, item); of each query alone: (row,); of each title alone: (item,). Word 0 is unknown and counts for
    nothing."""
    words = 1 + max(int(each.max()) for each in (asking.histories[query], items.histories[title]))
    asked, titles = (_present(batch.histories[name][:, :, 0], batch.masks[name], words)
                     for batch, name in ((asking, query), (items, title)))
    return asked @ titles.T, asked.sum(dim=1), titles.sum(dim=1)


def _present(ids: Tensor, mask: Tensor, words: int) -> Tensor:
    """(row, place) words → (row, word) 1 where a word is there, however often."""
    return torch.zeros(len(ids), words).scatter_(1, ids * mask, 1.0).index_fill_(1, torch.tensor([0]), 0.0)
