"""Heads: what each task's head predicts, how well it is calibrated, and how close it comes to the true logit."""
from __future__ import annotations

import numpy as np
import pandas as pd

from rankzoo.inspection.score import Score, bootstrap, spearman
from rankzoo.inspection.view import Subject, View
from rankzoo.training.metrics import sigmoid

BINS = 10


def heads(subject: Subject) -> View:
    """Columns task, bin, rows, predicted, observed: equally filled bins of the prediction with their mean label.

    Statistic: rank correlation of the first task's logit with the logit from which its label was drawn (without the
    position, where that is planted: a server does not know it); chance is 0.
    """
    frames, scores = [], []
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    for task in subject.model.blueprint.tasks:
        logits = subject.trace[f"logit.{task}"].values.numpy().astype(np.float64)
        seen = subject.batch.observed[task].numpy()
        kind = subject.dataset.schema.task(task).kind
        predicted = logits if kind == "regression" else sigmoid(logits)
        frames.append(_bins(task, predicted[seen], subject.batch.labels[task].numpy()[seen]))
        if truth and task in truth.logits:
            scores.append(_score(task, logits, truth.utilities.get(task, truth.logits[task])))
    first = scores[0] if scores else None
    score = first and Score(first.statistic, first.value, first.chance, first.ci95, tuple(scores[1:]))
    return View("heads", pd.concat(frames, ignore_index=True), score)


def _bins(task: str, predicted: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    order = np.array_split(np.argsort(predicted, kind="stable"), BINS)
    rows = [{"task": task, "bin": i, "rows": len(part), "predicted": float(predicted[part].mean()),
             "observed": float(labels[part].mean())} for i, part in enumerate(order) if len(part)]
    return pd.DataFrame(rows, columns=["task", "bin", "rows", "predicted", "observed"])


def _score(task: str, logits: np.ndarray, true: np.ndarray) -> Score:
    ci95 = bootstrap(len(true), lambda index: spearman(logits[index], true[index]), draws=100)
    return Score(f"rank correlation of {task} with the true logit", spearman(logits, true), 0.0, ci95)
