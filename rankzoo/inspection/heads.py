"""Heads: what each task's head predicts, how well it is calibrated, and how close it comes to the true logit."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from rankzoo.inspection.score import Score, bootstrap, ordered
from rankzoo.inspection.view import Subject, View
from rankzoo.training.metrics import auc, sigmoid

BINS = 10


def heads(subject: Subject) -> View:
    """Columns task, bin, rows, predicted, observed: equally filled bins of the prediction with their mean label.

    Statistic: rank correlation of the first task's logit with the logit from which its label was drawn (without the
    position, where that is planted: a server does not know it); chance is 0.
    """
    frames, scores, rates = [], [], []
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    for task in subject.model.blueprint.tasks:
        logits = subject.trace[f"logit.{task}"].values.numpy().astype(np.float64)
        seen = subject.batch.observed[task].numpy()
        kind = subject.dataset.schema.task(task).kind
        predicted = logits if kind == "regression" else sigmoid(logits)
        labels = subject.batch.labels[task].numpy()[seen].astype(np.float64)
        frames.append(_bins(task, predicted[seen], labels))
        known = truth is not None and task in truth.logits
        if known:
            scores.append(_score(task, logits, truth.utilities.get(task, truth.logits[task])))
        correlation = scores[-1].value if known else float("nan")
        rates.append(_calibrated(task, kind, predicted[seen], labels, logits[seen], correlation))
    score = replace(scores[0], more=tuple(scores[1:])) if scores else None
    return View("heads", pd.concat(frames, ignore_index=True), score, {"heads": pd.DataFrame(rates)})


def _calibrated(task: str, kind: str, predicted: np.ndarray, labels: np.ndarray, logits: np.ndarray,
                correlation: float) -> dict[str, object]:
    """One task's row: observed rows, mean prediction, mean label, calibration Σp / Σy, AUC where the label is yes or no, and
    the rank correlation with the true logit."""
    predicted_mean, observed = (float(v.mean()) if len(v) else float("nan") for v in (predicted, labels))
    return {"task": task, "rows": len(labels), "predicted": predicted_mean, "observed": observed,
            "calibration": predicted_mean / observed if observed else float("nan"),
            "auc": auc(labels, logits) if kind == "binary" else float("nan"), "correlation": correlation}


def _bins(task: str, predicted: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    order = np.array_split(np.argsort(predicted, kind="stable"), BINS)
    rows = [{"task": task, "bin": i, "rows": len(part), "predicted": float(predicted[part].mean()),
             "observed": float(labels[part].mean())} for i, part in enumerate(order) if len(part)]
    return pd.DataFrame(rows, columns=["task", "bin", "rows", "predicted", "observed"])


def _score(task: str, logits: np.ndarray, true: np.ndarray) -> Score:
    ci95 = bootstrap(len(true), lambda index: ordered(logits[index], true[index]), draws=100)
    return Score("rank correlation of {task} with the true logit", ordered(logits, true), 0.0, ci95, values={"task": task})
