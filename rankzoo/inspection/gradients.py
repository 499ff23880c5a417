"""Gradients: how the main task's gradient and that of all auxiliary tasks together meet in what they share, batch by batch."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from rankzoo.inspection.score import Score, mean_score
from rankzoo.inspection.view import Subject, View
from rankzoo.signals import Batch
from rankzoo.training.combine.base import gradients as of_losses

ROWS, OTHERS = 160, 4
NOTE = ("The first task is the main one; the others are added up with their weights. Only weights that both reach are compared, "
        "as one vector. The model is as it was trained, and the rows are not those that it was trained on.")
STATISTIC = "share of batches in which the auxiliary gradient is nearer to the main one than with the labels of other rows"


def gradients(subject: Subject) -> View:
    """Columns batch, cosine, main and auxiliary (lengths), conflict, shuffled (the mean cosine where the auxiliary labels are
    those of other rows of the batch): a row per batch of the rows on view.

    Statistic: in how many batches the cosine is above one with shuffled labels, ½ for a tie, averaged over four shuffles; chance
    is ½. Shuffled labels are as frequent and as hard, so what is left is what they have to do with the main task. It needs no
    planted truth.
    """
    batch, rng, found, won = subject.batch, np.random.default_rng(0), [], []
    auxiliary = subject.model.blueprint.tasks[1:]
    for number, start in enumerate(range(0, max(1, len(batch) - ROWS // 2), ROWS)):
        rows = batch.rows(start, start + ROWS)
        main, other, product = met(subject, rows)
        null = np.array([cosine(*met(subject, mixed(rows, auxiliary, rng))) for _ in range(OTHERS)])
        found.append({"batch": number + 1, "cosine": cosine(main, other, product), "main": main, "auxiliary": other,
                      "conflict": bool(product < 0), "shuffled": float(null.mean())})
        won.append(above(found[-1]["cosine"], null))
    frame = pd.DataFrame(found, columns=["batch", "cosine", "main", "auxiliary", "conflict", "shuffled"])
    return View("gradients", frame, scored(np.array(won)), note=NOTE)


def above(cosine: float, null: np.ndarray) -> float:
    """The share of the shuffles whose cosine is lower, ½ for one that is equal; NaN where one of them has none."""
    return float(((cosine > null) + 0.5 * (cosine == null)).mean()) if np.isfinite([cosine, *null]).all() else np.nan


def scored(won: np.ndarray) -> Score | None:
    """Over batches, (batch,); None where no batch has a gradient of both sides."""
    known = won[np.isfinite(won)]
    return mean_score(STATISTIC, known, 0.5) if len(known) else None


def mixed(rows: Batch, tasks: tuple[str, ...], rng: np.random.Generator) -> Batch:
    """The same rows, in which these tasks have the labels of other rows."""
    order = torch.from_numpy(rng.permutation(len(rows)))
    labels, observed = ({**named, **{task: named[task][order] for task in tasks}} for named in (rows.labels, rows.observed))
    return replace(rows, labels=labels, observed=observed)


def cosine(main: float, auxiliary: float, product: float) -> float:
    """Of the two gradients; NaN where one of them is 0."""
    return product / (main * auxiliary) if main * auxiliary else np.nan


def met(subject: Subject, rows: Batch) -> tuple[float, float, float]:
    """‖g_m‖, ‖g_a‖ and g_m · g_a over the weights that both reach."""
    model, weights = subject.model, subject.model.losses.weights
    tasks = model.blueprint.tasks
    # The gradients are asked for as an answer and kept in no parameter; the model stays in eval mode, as the subject was traced.
    with torch.enable_grad():
        losses = model(rows).losses
        each = [weights[tasks[0]] * losses[tasks[0]], sum(weights[task] * losses[task] for task in tasks[1:])]
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        columns = zip(*of_losses(each, parameters), strict=True)
    shared = [[gradient.to_dense().double().flatten() for gradient in column] for column in columns
              if all(gradient is not None for gradient in column)]
    products = [torch.stack([a @ a, b @ b, a @ b]) for a, b in shared]
    squares = torch.stack(products).sum(dim=0) if products else torch.zeros(3)
    main, auxiliary, product = squares.tolist()
    return main**0.5, auxiliary**0.5, product
