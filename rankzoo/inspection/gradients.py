"""Gradients: how the main task's gradient and that of all auxiliary tasks together meet in what they share, batch by batch."""
from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from rankzoo.inspection.view import Subject, View
from rankzoo.signals import Batch
from rankzoo.training.combine.base import gradients as of_losses

ROWS = 160
NOTE = ("The first task is the main one; the others are added up with their weights. Only weights that both reach are compared, "
        "as one vector. The model is as it was trained, and the rows are not those that it was trained on.")


def gradients(subject: Subject) -> View:
    """Columns batch, cosine, main and auxiliary (lengths), conflict: a row per batch of the rows on view. Nothing is planted
    about gradients, so there is no score."""
    batch, found = subject.batch, []
    for number, start in enumerate(range(0, max(1, len(batch) - ROWS // 2), ROWS)):
        main, auxiliary, product = met(subject, batch.rows(start, start + ROWS))
        cosine = product / (main * auxiliary) if main * auxiliary else np.nan
        found.append({"batch": number + 1, "cosine": cosine, "main": main, "auxiliary": auxiliary,
                      "conflict": bool(product < 0)})
    frame = pd.DataFrame(found, columns=["batch", "cosine", "main", "auxiliary", "conflict"])
    return View("gradients", frame, note=NOTE)


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
