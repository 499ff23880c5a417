"""Heads: what each task's head predicts, how well it is calibrated, and how close it comes to the true logit.

Of a task that chooses among classes the head predicts how likely its first choice is right, and observed is whether it was; of
one about words so for each word.

Under a loss whose scores are no probabilities nothing is predicted that could be calibrated: those cells are empty, and the
note says why.
"""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from rankzoo.inspection.score import Score, bootstrap, ordered
from rankzoo.inspection.view import Subject, View
from rankzoo.training.metrics import ORDER, notes, rank, score, sigmoid
from rankzoo.training.tagging import counted, f1, words

BINS = 10


def heads(subject: Subject) -> View:
    """Columns task, bin, rows, predicted, observed: equally filled bins of the score with its mean prediction and mean label.

    Statistic: rank correlation of the first task's logit with the logit from which its label was drawn (without the
    position, where that is planted: a server does not know it); chance is 0.
    """
    frames, scores, rates = [], [], []
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    spec, schema = subject.model.blueprint.losses, subject.dataset.schema
    for task in subject.model.blueprint.tasks:
        logits, labels, seen = _answers(subject, task)
        predicted = logits if schema.task(task).kind == "regression" else sigmoid(logits)
        predicted = predicted if spec.calibrated(schema.task(task)) else np.full_like(logits, np.nan)
        labels = labels[seen]
        frames.append(_bins(task, logits[seen], predicted[seen], labels))
        known = truth is not None and task in truth.logits
        if known:
            scores.append(_score(task, logits, truth.utilities.get(task, truth.logits[task])))
        correlation = scores[-1].value if known else float("nan")
        rates.append({"task": task} | _calibrated(predicted[seen], labels) | _ordered(subject, task, logits, seen)
                     | {"correlation": correlation})
    found = replace(scores[0], more=tuple(scores[1:])) if scores else None
    said = " ".join(notes(spec, [schema.task(task) for task in subject.model.blueprint.tasks]))
    return View("heads", pd.concat(frames, ignore_index=True), found, {"heads": pd.DataFrame(rates)}, said)


def _answers(subject: Subject, task: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(row,) logits, (row,) labels and which are observed; of classes the logit of the first choice's probability, and whether it
    is right; of tags so for each word."""
    logits, labels = subject.trace[f"logit.{task}"].values.double(), subject.batch.labels[task].double()
    seen, asked = subject.batch.observed[task], subject.dataset.schema.task(task)
    if asked.kind == "tags":
        logits, labels = words(logits[seen], subject.batch.take(seen.nonzero()[:, 0]), asked)
        seen = torch.ones_like(labels, dtype=torch.bool)
    if logits.dim() > 1:
        top, choice = torch.log_softmax(logits[:, 1:], dim=1).max(dim=1)  # without class 0, the unknown one
        logits, labels = top - torch.log1p(-top.exp().clamp(max=1 - 1e-12)), (choice + 1 == labels).double()
    return logits.numpy(), labels.numpy(), seen.numpy()


def _calibrated(predicted: np.ndarray, labels: np.ndarray) -> dict[str, object]:
    """Observed rows, mean prediction, mean label, calibration Σp / Σy of one task."""
    predicted_mean, observed = (float(v.mean()) if len(v) else float("nan") for v in (predicted, labels))
    return {"rows": len(labels), "predicted": predicted_mean, "observed": observed,
            "calibration": predicted_mean / observed if observed else float("nan")}


def _ordered(subject: Subject, task: str, logits: np.ndarray, seen: np.ndarray) -> dict[str, float]:
    """AUC over the observed rows, and within their requests: where the label is yes or no, and the data have requests; of classes
    the mean of one over the right one's place."""
    schema, batch = subject.dataset.schema, subject.batch
    if schema.task(task).kind == "tags":
        rows = batch.observed[task].nonzero()[:, 0]
        counts = counted(subject.trace[f"logit.{task}"].values[rows], batch.take(rows), schema.task(task))
        return dict.fromkeys(ORDER, float("nan")) | {"f1": f1(counts.double().numpy())["f1"]}
    if schema.task(task).kind == "class":
        logits = rank(subject.trace[f"logit.{task}"].values, batch.labels[task]).numpy()
    request = batch.group.numpy()[seen] if schema.requests else None
    found = score(schema.task(task).kind, batch.labels[task].numpy()[seen], logits[seen], request, calibrated=False)
    return {name: found.get(name, float("nan")) for name in (*ORDER, "f1")}


def _bins(task: str, logits: np.ndarray, predicted: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    order = np.array_split(np.argsort(logits, kind="stable"), BINS)
    rows = [{"task": task, "bin": i, "rows": len(part), "predicted": float(predicted[part].mean()),
             "observed": float(labels[part].mean())} for i, part in enumerate(order) if len(part)]
    return pd.DataFrame(rows, columns=["task", "bin", "rows", "predicted", "observed"])


def _score(task: str, logits: np.ndarray, true: np.ndarray) -> Score:
    ci95 = bootstrap(len(true), lambda index: ordered(logits[index], true[index]), draws=100)
    return Score("rank correlation of {task} with the true logit", ordered(logits, true), 0.0, ci95, values={"task": task})
