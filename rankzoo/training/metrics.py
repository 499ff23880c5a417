"""Metrics per task, in numpy: AUC, log loss and calibration for binary labels, root mean square error for the others."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from rankzoo.data.dataset import Dataset, Part
from rankzoo.data.truths import Truth
from rankzoo.model import RankingModel
from rankzoo.schema import Schema
from rankzoo.signals import Batch, Branches

BATCH = 1024  # the fastest size measured: larger batches leave the cache
GUESSED = 4096


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve by the rank sum with average ranks for ties: P(score of a 1 > score of a 0) + ½ P(equal).

    labels: (row,) 0 or 1 · scores: (row,). NaN where only one class is there, or where a score is no number.
    """
    if np.isnan(scores).any():
        return float("nan")
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    counts = np.diff(np.r_[first, len(ordered)])
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat(first + (counts + 1) / 2, counts)
    positive = labels > 0.5
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return float("nan")
    return float((ranks[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def log_loss(labels: np.ndarray, logits: np.ndarray) -> float:
    """Mean of ln(1 + e^s) − y·s, from logits, so that nothing saturates."""
    return float(np.mean(np.logaddexp(0, logits) - labels * logits))


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + e^−s), without overflow."""
    return np.exp(-np.logaddexp(0, -logits))


def score(kind: str, labels: np.ndarray, logits: np.ndarray) -> dict[str, float]:
    """The metrics of one task over its observed rows: binary → auc, log_loss, calibration (Σp / Σy), normalised_entropy
    (log loss / log loss of the base rate); share and regression → rmse, mae. Empty where no row is observed."""
    if not len(labels):
        return {}
    if kind == "binary":
        rate = labels.mean()
        constant = log_loss(labels, np.full(1, np.log(rate / (1 - rate)))) if 0 < rate < 1 else float("nan")
        loss = log_loss(labels, logits)
        return {"auc": auc(labels, logits), "log_loss": loss, "normalised_entropy": loss / constant,
                "calibration": float(sigmoid(logits).sum() / labels.sum()) if rate else float("nan")}
    error = (sigmoid(logits) if kind == "share" else logits) - labels
    return {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.mean(np.abs(error)))}


def predict(model: RankingModel, batch: Batch) -> dict[str, np.ndarray]:
    """Logits per task as a server computes them: eval mode, no labels, in batches. (row,) per task."""
    training = model.training
    model.eval()
    parts: dict[str, list[torch.Tensor]] = {}
    with torch.inference_mode():
        for start in range(0, len(batch), BATCH):
            for task, logits in model(batch.rows(start, start + BATCH).unlabelled()).logits.items():
                parts.setdefault(task, []).append(logits.float())
    model.train(training)
    return {task: torch.cat(chunks).numpy().astype(np.float64) for task, chunks in parts.items()}


def evaluate(logits: Mapping[str, np.ndarray], batch: Batch, schema: Schema) -> dict[str, dict[str, float]]:
    """Metrics per task of given logits on the observed rows of a batch."""
    metrics = {}
    for task, values in logits.items():
        seen = batch.observed[task].numpy()
        metrics[task] = score(schema.task(task).kind, batch.labels[task].numpy()[seen].astype(np.float64), values[seen])
    return metrics


def constant_loss(kind: str, labels: np.ndarray) -> float:
    """The loss of the best constant guess: entropy of the base rate, or the variance; 1 where the labels do not vary, so
    that a loss can always be given relative to it."""
    if not len(labels) or labels.min() == labels.max():
        return 1.0
    if kind != "binary":
        return float(labels.var())
    rate = float(labels.mean())
    return float(-(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)))


def constant_logit(kind: str, labels: np.ndarray) -> float:
    """The logit of the best constant guess: ln(π / (1 − π)) of the mean label, or the mean itself for a regression."""
    if not len(labels):
        return 0.0
    mean = float(labels.mean())
    if kind == "regression":
        return mean
    return float(np.log(np.clip(mean, 1e-6, 1 - 1e-6) / (1 - np.clip(mean, 1e-6, 1 - 1e-6))))


def guessed(model: RankingModel, logits: Mapping[str, float], batch: Batch) -> dict[str, float]:
    """The training loss of one constant logit per task over all rows (of a loss of requests, which may make a pair of any two
    rows, over the first GUESSED): the unit in which a training's loss is told, ln 2 for pairs, say. 1 where a constant makes
    no loss."""
    training = model.losses.training
    batch = batch.rows(0, GUESSED) if model.blueprint.losses.grouped else batch
    with torch.no_grad():
        constant = {task: torch.full((len(batch),), model.losses.start(task, logit)) for task, logit in logits.items()}
        found = {task: float(loss) for task, loss in model.losses.eval()(constant, Branches({}), batch).items()}
    model.losses.train(training)
    return {task: loss if loss > 1e-5 else 1.0 for task, loss in found.items()}


def oracle(dataset: Dataset, part: Part = "test") -> dict[str, dict[str, float]]:
    """Metrics of the generator's own logits on the same rows, with `served` beside them where the position is planted:
    the same without the position, which is all that a server can know. Empty for data without a planted truth."""
    truth, batch = dataset.truth_of(part), dataset.part(part)
    if truth is None:
        return {}
    metrics = evaluate(truth.logits, batch, dataset.schema)
    served = evaluate(_served(truth), batch, dataset.schema) if truth.utilities else {}
    return {task: values | {f"{name}_served": value for name, value in served.get(task, {}).items() if name == "auc"}
            for task, values in metrics.items()}


def _served(truth: Truth) -> dict[str, np.ndarray]:
    return {task: truth.utilities.get(task, logits) for task, logits in truth.logits.items()}
