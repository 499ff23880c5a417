"""What-if: one field of one row is another value, and what of the row's prediction, gates and attention moves with it."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import torch

from rankzoo.inspection.naming import name
from rankzoo.inspection.view import Subject, Table, traced
from rankzoo.schema import Feature
from rankzoo.signals import Batch
from rankzoo.trace import Trace

OFFERED = 300
"""Of how many values, the most frequent ones, one is chosen."""
COLUMNS = ("address", "kind", "place", "before", "after")


def readable(subject: Subject) -> list[Feature]:
    """What can be changed: the single-valued features that the model reads."""
    return [each for each in subject.dataset.schema.features if each.name not in subject.model.blueprint.without]


def values(subject: Subject, feature: str) -> dict[int, str]:
    """Of a categorical feature the values of the rows that are looked at, the most frequent first: id → name."""
    ids, times = subject.batch.features[feature].unique(return_counts=True)
    found = ids[times.argsort(descending=True, stable=True)][:OFFERED].tolist()
    return {id: name(subject.dataset, feature, id) or "–" for id in found}


def moved(subject: Subject, row: int, feature: str, value: float) -> Table:
    """What the model makes of a row as it is and with another value of a feature (an id; of a number, sds from the mean).

    Columns address, kind, place (the expert or the past item, from 0; NA of a score), before, after: first a score of each task
    that has one for a row, a probability where it is meant as such; then every gate and every attention over past items.
    """
    alone = subject.batch.rows(row, row + 1)
    before, after = traced(subject.model, alone), traced(subject.model, edited(alone, feature, value))
    records = [*_scores(subject, before, after), *_weights(before, after)]
    return pd.DataFrame(records, columns=list(COLUMNS)).astype({"place": "Int64"})


def edited(batch: Batch, feature: str, value: float) -> Batch:
    """The rows with one value of a feature in all of them."""
    for place, each in enumerate(batch.schema.categorical):
        if each.name == feature:
            return replace(batch, ids=_filled(batch.ids, place, int(value)))
    place = [each.name for each in batch.schema.numeric].index(feature)
    lacking = batch.lacking if batch.lacking is None else _filled(batch.lacking, place, False)
    return replace(batch, numbers=_filled(batch.numbers, place, value), lacking=lacking)


def _filled(matrix: torch.Tensor, column: int, value: float) -> torch.Tensor:
    copied = matrix.clone()
    copied[:, column] = value
    return copied


def _scores(subject: Subject, before: Trace, after: Trace) -> Iterator[tuple]:
    """Of a task that chooses among classes, the class that scored highest before, and its share of the softmax."""
    for task in subject.model.blueprint.tasks:
        one, other = before[f"logit.{task}"].values[0], after[f"logit.{task}"].values[0]
        if one.dim() == 1:
            best = int(one[1:].argmax())  # class 0 is the unknown one
            shares = (float(torch.softmax(each[1:], dim=0)[best]) for each in (one, other))
            yield f"probability.{task}", "score", pd.NA, *shares
        elif one.dim() == 0 and subject.probable(task):
            yield f"probability.{task}", "score", pd.NA, float(torch.sigmoid(one)), float(torch.sigmoid(other))
        elif one.dim() == 0:
            yield f"logit.{task}", "score", pd.NA, float(one), float(other)


def _weights(before: Trace, after: Trace) -> Iterator[tuple]:
    for address, entry in before.entries.items():
        if entry.kind not in ("gate", "attention") or entry.axes[0] != "row" or entry.values.dim() != 2:
            continue
        there = [True] * entry.values.shape[1] if entry.mask is None else entry.mask[0].tolist()
        pairs = zip(there, entry.values[0].tolist(), after[address].values[0].tolist(), strict=True)
        yield from ((address, entry.kind, place, one, other) for place, (stands, one, other) in enumerate(pairs) if stands)
