"""Metrics per task, in numpy: AUC, log loss and calibration for binary labels, the rank of the right one for classes, root mean
square error for numbers.

AUC and GAUC ask for an order alone; log loss and calibration for probabilities, so that they are left out under a loss whose
scores are none.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from rankzoo.components.losses.base import Loss
from rankzoo.components.row_losses import over
from rankzoo.data.dataset import Dataset, Part
from rankzoo.data.truths import Truth
from rankzoo.model import RankingModel
from rankzoo.schema import Schema, Task
from rankzoo.signals import Batch
from rankzoo.training.requests import by_request, edges
from rankzoo.training.tagging import counted, f1

BATCH = 1024  # the fastest size measured: larger batches leave the cache
CHUNK = 8192
TOP = 20  # places of a list that a class must be among
RECALL = f"recall@{TOP}"
ORDER = ("auc", "gauc", "mrr")
SERVED = (*ORDER, RECALL, "rmse")  # metrics of which the best that a server can know is told too
SCORES = "{tasks}: these scores order rows; they are no probabilities, since {why}."
VALUES = "{tasks}: these values are no estimates of the mean, since {why}."


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


def gauc(labels: np.ndarray, scores: np.ndarray, request: np.ndarray) -> float:
    """AUC of each request by itself, averaged with its number of rows as weight, over the requests that hold both labels
    (Zhou et al., KDD 2018): Σ_r n_r AUC_r / Σ_r n_r.

    labels: (row,) 0 or 1 · scores: (row,) · request: (row,) its number. NaN where no request holds both labels, or where a
    score is no number. As one rank sum over rows sorted by request and score, whatever the number of requests.
    """
    if not len(labels) or np.isnan(scores).any():
        return float("nan")
    order = np.lexsort((scores, request))
    positive, ordered, of = labels[order] > 0.5, scores[order], request[order]
    begins = np.r_[True, of[1:] != of[:-1]]
    first = np.flatnonzero(begins | np.r_[True, ordered[1:] != ordered[:-1]])  # of rows with one score in one request
    counts = np.diff(np.r_[first, len(of)])
    number = np.cumsum(begins) - 1
    ranks = np.repeat(first + (counts + 1) / 2, counts) - np.flatnonzero(begins)[number]
    rows, ones, sums = (np.bincount(number, weights) for weights in (None, positive, ranks * positive))
    both = (ones > 0) & (ones < rows)
    rows, ones, sums = rows[both], ones[both], sums[both]
    each = (sums - ones * (ones + 1) / 2) / (ones * (rows - ones))
    return float((each * rows).sum() / rows.sum()) if len(rows) else float("nan")


def log_loss(labels: np.ndarray, logits: np.ndarray) -> float:
    """Mean of ln(1 + e^s) − y·s, from logits, so that nothing saturates."""
    return float(np.mean(np.logaddexp(0, logits) - labels * logits))


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + e^−s), without overflow."""
    return np.exp(-np.logaddexp(0, -logits))


def score(kind: str, labels: np.ndarray, logits: np.ndarray, request: np.ndarray | None = None,
          calibrated: bool = True) -> dict[str, float]:
    """The metrics of one task over its observed rows: binary → auc, with requests gauc, where sigmoid(logit) is meant as a
    probability also log_loss, calibration (Σp / Σy), normalised_entropy (log loss / log loss of the base rate); share and
    regression → rmse, mae; class → mrr and recall@20, of ranks in the place of logits. Empty where no row is observed."""
    if not len(labels):
        return {}
    if kind == "tags":
        return f1(logits)
    if kind == "class":
        return {"mrr": float((1 / logits).mean()), RECALL: float((logits <= TOP).mean())}
    if kind == "binary":
        order = {"auc": auc(labels, logits)} | ({} if request is None else {"gauc": gauc(labels, logits, request)})
        return order | (_probable(labels, logits) if calibrated else {})
    error = (sigmoid(logits) if kind == "share" else logits) - labels
    return {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.mean(np.abs(error)))}


def _probable(labels: np.ndarray, logits: np.ndarray) -> dict[str, float]:
    """What asks for probabilities."""
    rate, loss = labels.mean(), log_loss(labels, logits)
    constant = log_loss(labels, np.full(1, np.log(rate / (1 - rate)))) if 0 < rate < 1 else float("nan")
    return {"log_loss": loss, "normalised_entropy": loss / constant,
            "calibration": float(sigmoid(logits).sum() / labels.sum()) if rate else float("nan")}


def predict(model: RankingModel, batch: Batch) -> dict[str, np.ndarray]:
    """Logits per task as a server computes them: eval mode, no labels, in batches; of classes the rank of the right one. (row,)
    per task, of tags (row, 3), see `counted`."""
    return both(model, batch)[0]


def both(model: RankingModel, batch: Batch) -> tuple[dict[str, np.ndarray], dict[str, Tensor]]:
    """Logits per task as a server computes them, and as the loss reads them: from one pass. Of classes, whose logits (row, class)
    would fill the memory, the rank of the right one and the loss of every row, NaN where it does not count."""
    training, served, raw = model.training, [], []
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(batch), BATCH):
            rows = batch.rows(start, start + BATCH)
            output = model(rows.unlabelled())
            wide = {task: logits for task, logits in output.raw.items() if logits.dim() > 1}
            served.append(dict(output.logits) | {task: _told(model, task, logits, rows) for task, logits in wide.items()})
            raw.append(dict(output.raw) | {task: lost(model, task, logits, rows) for task, logits in wide.items()})
    model.train(training)
    return {task: logits.numpy().astype(np.float64) for task, logits in _whole(served).items()}, _whole(raw)


def _told(model: RankingModel, task: str, logits: Tensor, rows: Batch) -> Tensor:
    found = model.schema.task(task)
    return counted(logits, rows, found) if found.kind == "tags" else rank(logits, rows.labels[task])


def lost(model: RankingModel, task: str, logits: Tensor, rows: Batch) -> Tensor:
    """Of classes or tags the loss of every row, NaN where it does not count: (row,)."""
    each, counts = model.losses.rows(task, logits.float(), rows)
    return torch.where(counts, each, torch.nan)


def rank(logits: Tensor, label: Tensor, among: Tensor | None = None) -> Tensor:
    """The place of the right class, from 1; of classes that score alike the average of their places, since no order of them is
    better than another: (row, class), (row,) → (row,). `among` (class,) bool: the classes that compete, by default all but
    class 0, the unknown one."""
    among = torch.arange(logits.shape[1]) > 0 if among is None else among
    own = logits.gather(1, label.nan_to_num().long().unsqueeze(1))  # (row, 1)
    above, like = ((compared & among).sum(dim=1) for compared in (logits > own, logits == own))
    return above + (like + 1) / 2


def _whole(parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {task: torch.cat([part[task].float() for part in parts]) for task in (parts[0] if parts else ())}


def losses(model: RankingModel, logits: Mapping[str, Tensor], batch: Batch) -> dict[str, float]:
    """The training's own loss per task of raw logits, in eval mode, over all rows together: no request is cut. A task of which
    nothing counts (no observed row, no pair) is left out."""
    layer, training = model.losses, model.losses.training
    layer.eval()
    total = {task: torch.zeros(2) for task in logits}  # the sum of the losses, and of how many
    with torch.inference_mode():
        for part, here in _chunks(batch, logits) if model.blueprint.losses.grouped else [(batch, logits)]:
            for task in logits:
                ready = layer.kinds[task] in ("class", "tags")  # the losses of the rows, see `both`
                total[task] += torch.stack(over(here[task], ~here[task].isnan()) if ready else layer.sums(task, here, part))
    layer.train(training)
    return {task: float(summed / count) for task, (summed, count) in total.items() if count}


def _chunks(batch: Batch, logits: Mapping[str, Tensor]) -> Iterator[tuple[Batch, dict[str, Tensor]]]:
    """Whole requests, about CHUNK rows at a time: a row may be in a hundred pairs."""
    order = by_request(batch.group)
    for start, stop in pairwise(edges(batch.group[order], CHUNK)):
        rows = order[start:stop]
        yield batch.take(rows), {task: values[rows] for task, values in logits.items()}


def evaluate(logits: Mapping[str, np.ndarray], batch: Batch, schema: Schema, loss: Loss | None = None,
             ) -> dict[str, dict[str, float]]:
    """Metrics per task of given logits (of classes: ranks) on the observed rows of a batch; of items also the metrics `new` over
    the rows whose item the training part does not name. `loss`: what they were trained with, if anything."""
    metrics = {}
    for name, values in logits.items():
        seen, task = batch.observed[name].numpy(), schema.task(name)
        labels, values = batch.labels[name].numpy()[seen].astype(np.float64), values[seen]
        metrics[name] = score(task.kind, labels, values, batch.group.numpy()[seen] if schema.requests else None,
                              loss is None or loss.calibrated(task))
        if task.kind == "class" and schema.classes(task) - 1 <= TOP:
            metrics[name].pop(RECALL, None)  # no class could miss the list
        if task.kind == "class" and schema.named(task.of) and batch.seen is not None:
            new = ~batch.seen.numpy()[labels.astype(np.int64)]
            metrics[name] |= {f"{key}_new": value for key, value in score(task.kind, labels[new], values[new]).items()}
    return metrics


def notes(loss: Loss, tasks: Iterable[Task], say: Callable[[str], str] = str) -> tuple[str, ...]:
    """Why no calibration is told of some tasks: a sentence for each reason, its templates first passed through `say`."""
    reasons: dict[tuple[str, bool], list[str]] = {}
    for task in tasks:
        if why := loss.uncalibrated(task):
            reasons.setdefault((why, task.kind == "regression"), []).append(task.name)
    return tuple(say(VALUES if values else SCORES).format(tasks=", ".join(names), why=say(why))
                 for (why, values), names in reasons.items())


def oracle(dataset: Dataset, part: Part = "test") -> dict[str, dict[str, float]]:
    """Metrics of the generator's own logits (of classes: ranks) on the same rows. Beside them, `served`, what can be reached by
    all that a server can know: AUC and GAUC without the position where that is planted, MRR and recall of the best guess where
    rows tell less than their generator knew, of a share its error. Empty for data without a planted truth."""
    truth, batch = dataset.truth_of(part), dataset.part(part)
    if truth is None:
        return {}
    metrics = evaluate({**truth.logits, **truth.ranks}, batch, dataset.schema)
    decided = truth.wording.decides if truth.wording else ()
    metrics |= {task: {dataset.schema.task(task).metric.key: 1.0} for task in decided}
    known = evaluate(_known(truth), batch, dataset.schema)
    return {task: values | {f"{name}_served": value for name, value in known.get(task, {}).items() if name in SERVED}
            for task, values in metrics.items()}


def _known(truth: Truth) -> dict[str, np.ndarray]:
    """What a server can know of each task, where that is less than the truth."""
    guessed = {task: values for task, values in truth.guesses.items() if np.isfinite(values).all()}
    unbiased = {task: truth.utilities.get(task, logits) for task, logits in truth.logits.items()} if truth.utilities else {}
    return unbiased | guessed
