"""Example: one row on its way through the model, tensor by tensor."""
from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from rankzoo.inspection.naming import name
from rankzoo.inspection.view import Subject, View, traced
from rankzoo.training.metrics import predict

SHOWN = 64


def example(subject: Subject, row: int = 0) -> View:
    """Columns address, kind, shape, values: everything that was recorded for the row, in the order of the forward pass."""
    trace = traced(subject.model, subject.batch.rows(row, row + 1))
    records = []
    for entry in trace.entries.values():
        values = entry.values[0] if entry.axes[0] == "row" else entry.values
        flat = values.reshape(-1).tolist()
        records.append({"address": entry.address, "kind": entry.kind, "axes": " × ".join(entry.axes[1:] or ("1",)),
                        "shape": "×".join(map(str, values.shape)) or "1", "values": [round(v, 6) for v in flat[:SHOWN]]})
    return View("example", pd.DataFrame(records))


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
    """One task of one row: its logit when computed alone, step by step; how far `model(x)` over all rows is from it; the
    label, None where it is not observed; the planted logit (without the position, where that is planted: a server does not
    know it), NaN where nothing is."""

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
        logit = float(alone[f"logit.{task}"].values[0])
        seen = bool(subject.batch.observed[task][row])
        true = float(truth.utilities.get(task, truth.logits[task])[row]) if truth and task in truth.logits else float("nan")
        checks.append(Check(task, logit, abs(logit - float(together[task][row])),
                            float(subject.batch.labels[task][row]) if seen else None, true))
    return tuple(checks)
