"""Tagging: the answers of a task about words, counted by row, and how good they are together.

F1 = 2PR / (P + R) over the words that are not of the first tag («O»): P how many of those that the model names so are right, R
how many of those that are so it finds with the right tag.
"""
from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rankzoo.schema import Task
from rankzoo.signals import Batch

USUAL = 1  # the id of the first tag


def answers(batch: Batch, task: Task) -> np.ndarray:
    """The labels of the rows that are observed, (row,); of tags those of all their words, (word,)."""
    if task.kind == "tags":
        tags, there = (each[batch.observed[task.name]] for each in batch.tags(task))
        return tags[there & (tags > 0)].numpy().astype(np.float64)
    return batch.labels[task.name][batch.observed[task.name]].numpy().astype(np.float64)


def words(logits: Tensor, batch: Batch, task: Task) -> tuple[Tensor, Tensor]:
    """Logits (row, place, tag) → (word, tag) and right tags (word,) of all words that have one."""
    tags, there = (each[:, :logits.shape[1]] for each in batch.tags(task))
    there = there & (tags > 0)
    return logits[there], tags[there]


def counted(logits: Tensor, batch: Batch, task: Task) -> Tensor:
    """(row, 3): words with the right tag other than the first, words that the model gives such a tag, words that have one."""
    tags, there = (each[:, :logits.shape[1]] for each in batch.tags(task))
    said = 1 + logits[:, :, 1:].argmax(dim=2)  # without tag 0, the unknown one
    named, known = (there & (each > USUAL) for each in (said, tags))
    return torch.stack([(known & (said == tags)).sum(dim=1), named.sum(dim=1), known.sum(dim=1)], dim=1)


def f1(counts: np.ndarray) -> dict[str, float]:
    """F1, precision and recall of `counted` rows together; 0 where nothing was named rightly."""
    right, named, known = counts.sum(axis=0)
    precision, recall = right / max(named, 1.0), right / max(known, 1.0)
    return {"f1": float(2 * right / max(named + known, 1.0)), "precision": float(precision), "recall": float(recall)}
