"""Always guessing: what a task costs whoever knows the labels of the training rows and nothing else, the unit of a loss.

The guess is the same on training and validation rows: of what has one logit the mean label, of classes (of tags, word by word)
how common each of them is, counted once more than it occurs, so that none is impossible: p_c = (n_c + 1) / Σ_c (n_c + 1).
"""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from rankzoo.model import RankingModel
from rankzoo.schema import Task
from rankzoo.signals import Batch
from rankzoo.training.metrics import BATCH, losses, lost
from rankzoo.training.tagging import answers

LEAST = 1e-5  # a loss below which nothing is told relative to it


def guesses(model: RankingModel, train: Batch) -> dict[str, Tensor]:
    """The guess of each task as served logits: a scalar, or (class,)."""
    tasks = [model.schema.task(name) for name in model.blueprint.tasks]
    return {task.name: torch.tensor(mean_logit(task.kind, answers(train, task))) if task.single else
            _shares(answers(train, task), model.schema.classes(task)) for task in tasks}


def costs(model: RankingModel, guess: Mapping[str, Tensor], train: Batch, rows: Batch) -> dict[str, float]:
    """What always guessing costs on some rows, by task, in the loss that the task is trained with: ln 2 for pairs, say. Left out
    where it costs nothing, or where no row counts."""
    flat, layer = model.flat(rows, train), model.losses
    training = layer.training
    layer.eval()
    with torch.inference_mode():
        raw = {task: torch.full((len(rows),), layer.start(task, float(logit))) if not logit.dim() else
               _lost(model, model.schema.task(task), logit, rows) for task, logit in guess.items() if task not in flat}
    layer.train(training)
    return {task: loss for task, loss in (losses(model, raw, rows) | flat).items() if loss > LEAST}


def spread(labels: np.ndarray) -> float:
    """The squared error of always guessing the mean; 1 where labels do not vary, so that an error can always be told relative to
    it."""
    return (float(labels.var()) if len(labels) else 0.0) or 1.0


def mean_logit(kind: str, labels: np.ndarray) -> float:
    """The logit of the mean label, ln(π / (1 − π)), or the mean itself for a regression; 0 without labels."""
    if not len(labels):
        return 0.0
    mean = float(labels.mean())
    if kind == "regression":
        return mean
    return float(np.log(np.clip(mean, 1e-6, 1 - 1e-6) / (1 - np.clip(mean, 1e-6, 1 - 1e-6))))


def _shares(labels: np.ndarray, classes: int) -> Tensor:
    return torch.bincount(torch.from_numpy(labels).long(), minlength=classes).add(1).log()


def _lost(model: RankingModel, task: Task, logit: Tensor, rows: Batch) -> Tensor:
    """The loss of every row, NaN where it does not count: (row,)."""
    places = (rows.tags(task)[0].shape[1],) if task.kind == "tags" else ()
    parts = [rows.rows(start, start + BATCH) for start in range(0, len(rows), BATCH)]
    return torch.cat([lost(model, task.name, logit.expand(len(part), *places, len(logit)), part) for part in parts]
                     or [torch.zeros(0)])
