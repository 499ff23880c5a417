"""Forecast: what another model had predicted of a row before this one, beside what this one predicts; and the row to begin with.

The other model's score is among the data's features (`World.forecasts`). It is a probability only up to a curve, so a Platt curve
is fitted to it on the labels of the training part: p = σ(a · score + b).
"""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from rankzoo.data.world import worlds
from rankzoo.inspection.attention import UNMARKED, history_of, relevance_of, shortened
from rankzoo.inspection.view import Subject
from rankzoo.serving.calibrate import Platt, platt
from rankzoo.training.metrics import sigmoid


def forecast(subject: Subject, row: int = 0, dropped: frozenset[int] = frozenset(), marked: Mapping[int, int] = UNMARKED,
             fitted: Mapping[str, Platt] | None = None) -> pd.DataFrame:
    """Columns task, by (whose prediction it was), before, now: the probability by that score alone, and by this model, after some
    past items were dropped and others marked otherwise. Without rows where the data hold no other model's score. fitted: what
    `curves` gives."""
    made, rows = worlds().get(subject.dataset.name), []
    for task, curve in (curves(subject) if fitted is None else fitted).items():
        before = curve(subject.batch.features[made.forecasts[task]][row:row + 1].double().numpy())
        now = sigmoid(shortened(subject, row, dropped, marked).trace[f"logit.{task}"].values.double().numpy())
        rows.append((task, made.forecaster, float(before[0]), float(now[0])))
    return pd.DataFrame(rows, columns=["task", "by", "before", "now"])


def curves(subject: Subject) -> dict[str, Platt]:
    """From the other model's score to the probability of each of this model's tasks that it tells of."""
    made, found, train = worlds().get(subject.dataset.name), {}, subject.dataset.part("train")
    for task, feature in (made.forecasts if made else {}).items():
        if task in subject.model.blueprint.tasks and subject.probable(task):
            seen = train.observed[task].numpy()
            found[task] = platt(train.features[feature].double().numpy()[seen], train.labels[task].double().numpy()[seen])
    return found


def first(subject: Subject) -> int:
    """The first row in whose history some items matter by the planted truth and others do not; row 0 where there is none."""
    if not any(entry.address.startswith("sequence.") for kind in ("attention", "map") for entry in subject.trace.of(kind)):
        return 0
    history = history_of(subject)
    truth, mask = relevance_of(subject, history), subject.batch.masks[history.name].numpy()
    if truth is None:
        return 0
    relevant = (truth.kernel > truth.threshold) & mask
    return int(np.argmax(relevant.any(axis=1) & (mask & ~relevant).any(axis=1)))
