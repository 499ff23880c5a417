"""Example: one row on its way through the model, tensor by tensor."""
from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import torch

from rankzoo.inspection.naming import name
from rankzoo.inspection.view import Subject, View, traced
from rankzoo.signals import Batch
from rankzoo.trace import Trace
from rankzoo.training.metrics import predict

SHOWN = 64


def example(subject: Subject, row: int = 0) -> View:
    """Columns address, kind, axes, shape, values: the row's inputs (an id, or a number in sds from the mean), everything that
    was recorded on its way, and per task the probability (where the scores are meant as such), the label and the loss."""
    alone = subject.batch.rows(row, row + 1)
    trace = traced(subject.model, alone)
    records = [_single(f"input.{name}", "input", value.item()) for name, value in alone.features.items()]
    for entry in trace.entries.values():
        values = entry.values[0] if entry.axes[0] == "row" else entry.values
        flat = values.reshape(-1).tolist()
        records.append({"address": entry.address, "kind": entry.kind, "axes": " × ".join(entry.axes[1:] or ("1",)),
                        "shape": "×".join(map(str, values.shape)) or "1", "values": [round(v, 6) for v in flat[:SHOWN]]})
    return View("example", pd.DataFrame(records + _ended(subject, alone, trace)))


def _single(address: str, kind: str, value: float) -> dict[str, object]:
    return {"address": address, "kind": kind, "axes": "1", "shape": "1", "values": [round(value, 6)]}


def _ended(subject: Subject, alone: Batch, trace: Trace) -> list[dict[str, object]]:
    """Probability (of classes: of the right one), label and loss of every task; the last two where the label was observed. A loss
    that compares rows of one request has none for a row by itself."""
    model, training = subject.model, subject.model.training
    with torch.inference_mode():
        losses = model.eval()(alone).losses
    model.train(training)
    records = []
    for task in model.blueprint.tasks:
        if subject.probable(task):
            records.append(_single(f"probability.{task}", "probability", float(torch.sigmoid(trace[f"logit.{task}"].values[0]))))
        elif subject.dataset.schema.task(task).kind == "class" and bool(alone.observed[task][0]):
            shares = torch.softmax(trace[f"logit.{task}"].values[0, 1:], dim=0)  # without class 0, the unknown one
            records.append(_single(f"probability.{task}", "probability", float(shares[int(alone.labels[task][0]) - 1])))
        if bool(alone.observed[task][0]):
            records.append(_single(f"label.{task}", "label", float(alone.labels[task][0])))
            if not model.blueprint.losses.compares(subject.dataset.schema.task(task)):
                records.append(_single(f"loss.{task}", "loss", float(losses[task])))
    return records


def features(subject: Subject, row: int = 0) -> pd.DataFrame:
    """The row's inputs: columns feature, side, value (a name; of a number, in sds from the mean), id (NA for a number)."""
    values, schema = subject.batch.features, subject.dataset.schema
    records = []
    for f in schema.features:
        value = values[f.name][row].item()
        number = f.kind == "numeric"
        records.append({"feature": f.name, "side": "bias" if f.bias else f.side, "id": None if number else int(value),
                        "value": f"{value:.3f}" if number else name(subject.dataset, f.name, int(value)) or "–"})
    return pd.DataFrame(records, columns=["feature", "side", "value", "id"]).astype({"id": "Int64"})


@dataclass(frozen=True)
class Check:
    """One task of one row: its logit (of classes: the right one's, or the highest; of tags the first word's) when computed alone,
    step by step; how far `model(x)` over all rows is from it; the label, None where it is not observed; the planted logit
    (without the position, where that is planted: a server does not know it), NaN where nothing is."""

    task: str
    logit: float
    difference: float
    label: float | None
    true: float


def checked(subject: Subject, row: int = 0) -> tuple[Check, ...]:
    """Every task's logit of the row, computed twice."""
    alone = traced(subject.model, subject.batch.rows(row, row + 1))
    together, truth = predict(subject.model, subject.batch), subject.dataset.truth_of(subject.part, subject.rows)
    checks = []
    for task in subject.model.blueprint.tasks:
        seen = bool(subject.batch.observed[task][row])
        logit, others = alone[f"logit.{task}"].values[0], together[task][row]
        if logit.dim() == 2:  # tags: those of the first word
            tags = subject.batch.tags(subject.dataset.schema.task(task))[0][row]
            place = int(tags[0]) if seen else int(logit[0].argmax())
            logit, others = logit[0, place], float(subject.trace[f"logit.{task}"].values[row, 0, place])
        elif logit.dim():
            place = int(subject.batch.labels[task][row]) if seen else int(logit.argmax())
            logit, others = logit[place], float(subject.trace[f"logit.{task}"].values[row, place])
        logit = float(logit)
        true = float(truth.utilities.get(task, truth.logits[task])[row]) if truth and task in truth.logits else float("nan")
        checks.append(Check(task, logit, abs(logit - float(others)),
                            float(subject.batch.labels[task][row]) if seen else None, true))
    return tuple(checks)
