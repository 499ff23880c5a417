"""Rows: which row of its table each id reads, with whom it shares it, and what the model thinks the id is worth, beside what was
planted."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from rankzoo.components.representation.hashing import expected_rate
from rankzoo.data.truths import Drift
from rankzoo.inspection.admission import admission, growth
from rankzoo.inspection.score import Score, bootstrap, correlation, ordered, ranks
from rankzoo.inspection.view import Subject, View
from rankzoo.training.metrics import predict

CONTEXTS, MOST, FEW, SHOWN = 16, 2_000, 20, 12


def rows(subject: Subject, feature: str = "") -> View:
    """Columns feature, id, count (training rows), row, sharing (how many other ids read the same row), learned, planted: for the
    ids of one feature that the training part holds, at most the 2,000 most common.

    learned: the mean logit of some rows into which the id is put, centred; it needs no access to weights · planted: what the id
    adds to the logit in the rows on view, centred. Statistic: their rank correlation, chance 0, interval over ids. Tables:
    `fields` (feature, ids, table, used, lost, expected), `shared` (row, count, ids: the most read of the shared rows), `time`
    (block, agreement: the same correlation with what was planted at that time), `growth` and `admission`
    (inspection/admission.py).
    """
    name = feature or usual(subject)
    count = np.bincount(_column(subject.dataset.part("train"), name), minlength=subject.dataset.schema.feature(name).vocabulary)
    ids = np.argsort(-count, kind="stable")
    ids = ids[(ids > 0) & (count[ids] > 0)][:MOST]
    read, sharing = _read(subject, name)
    frame = pd.DataFrame({"feature": name, "id": ids, "count": count[ids], "row": read[ids], "sharing": sharing[ids],
                          "learned": _learned(subject, name, ids)})
    drift = _planted(subject, name)
    frame["planted"] = np.nan if drift is None else _centred(_at(drift, drift.block)[ids - 1])
    come = growth(subject, name)
    tables = {"fields": _fields(subject), "shared": shared(frame), "growth": come, "admission": admission(come)}
    if drift is None:
        return View("rows", frame, tables=tables, beside=("admission",))
    agreement = [ordered(frame["learned"].to_numpy(), values[ids - 1]) for values in drift.values]
    tables["time"] = pd.DataFrame({"block": np.arange(1, len(agreement) + 1), "agreement": agreement})
    return View("rows", frame, score(frame), tables, NOTE, ("admission",))


NOTE = "What an id is worth is the mean logit of some rows into which it is put; the interval is over ids, not over trainings."


def score(frame: pd.DataFrame) -> Score:
    """How well `learned` ranks the ids by `planted`, of all ids and of those that share a row and do not."""
    def agreement(part: pd.DataFrame, template: str, more: tuple[Score, ...] = ()) -> Score:
        learned, planted = part["learned"].to_numpy(), part["planted"].to_numpy()
        a, b = ranks(learned), ranks(planted)  # ranked once: 400 times would be a second
        interval = bootstrap(len(part), lambda index: correlation(a[index], b[index])) if len(part) > 2 else None
        return Score(template, ordered(learned, planted), 0.0, interval, more, over="ids")

    shared, alone = frame[frame["sharing"] > 0], frame[frame["sharing"] == 0]
    parts = (("the same, of ids that share a row", shared), ("the same, of ids with a row of their own", alone))
    more = tuple(agreement(part, words) for words, part in parts if len(part) >= FEW) if len(shared) else ()
    return agreement(frame, "rank correlation of what ids are worth, learned and planted", more)


def shared(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that several ids share and that are read most: row, count (training rows in all), ids (the most common first)."""
    some = frame[frame["sharing"] > 0]
    found = [{"row": row, "count": int(part["count"].sum()), "ids": part["id"].tolist()} for row, part in some.groupby("row")]
    table = pd.DataFrame(found, columns=["row", "count", "ids"])
    return table.sort_values("count", ascending=False, ignore_index=True).head(SHOWN)


def usual(subject: Subject) -> str:
    """The feature whose ids have a planted worth, else the one with the most ids."""
    truth, known = subject.dataset.truth, subject.model.blueprint.representation.ids(subject.dataset.schema)
    if truth and truth.drift and truth.drift.feature in known:
        return truth.drift.feature
    return max(known, key=lambda name: subject.dataset.schema.feature(name).vocabulary)


def _column(batch, name: str) -> np.ndarray:
    return batch.features[name].numpy()


def _read(subject: Subject, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The first row that each id reads, −1 for none, and how many other ids read all of the same: (id,), (id,)."""
    found = subject.model.representation.read_by(name).numpy()  # (id, row of it)
    _, which, counts = np.unique(found, axis=0, return_inverse=True, return_counts=True)
    sharing = np.where(found[:, 0] < 0, 0, counts[which.reshape(-1)] - 1)
    return found[:, 0], sharing


def _learned(subject: Subject, name: str, ids: np.ndarray) -> np.ndarray:
    """The mean logit of the first task over a few rows on view, with each id put in: (id,), centred."""
    few = subject.batch.rows(0, CONTEXTS)
    place = [feature.name for feature in subject.dataset.schema.categorical].index(name)
    index = torch.arange(len(few)).repeat(len(ids))
    batch = few.take(index)
    changed = batch.ids.clone()
    changed[:, place] = torch.from_numpy(ids).repeat_interleave(len(few))
    logits = predict(subject.model, replace(batch, ids=changed))[subject.model.blueprint.tasks[0]]
    return _centred(logits.reshape(len(ids), len(few)).mean(axis=1))


def _planted(subject: Subject, name: str) -> Drift | None:
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    return truth.drift if truth and truth.drift and truth.drift.feature == name else None


def _at(drift: Drift, blocks: np.ndarray) -> np.ndarray:
    """What each value adds, averaged over some rows' blocks: (value,)."""
    return np.bincount(blocks, minlength=len(drift.values)) / len(blocks) @ drift.values


def _centred(values: np.ndarray) -> np.ndarray:
    return values - values.mean() if len(values) else values


def _fields(subject: Subject) -> pd.DataFrame:
    """One row per feature: ids, rows of its table, rows in use, the share of rows lost to collisions and the expected one."""
    spec, schema = subject.model.blueprint.representation, subject.dataset.schema
    found = []
    for name in spec.ids(schema):
        ids, (height, _) = schema.feature(name).vocabulary - 1, spec.tables(schema)[name]
        read = subject.model.representation.read_by(name).numpy()
        there = read[read[:, 0] >= 0]
        different = len(np.unique(there, axis=0))
        found.append({"feature": name, "ids": ids, "table": height, "used": len(np.unique(there)),
                      "lost": 1 - different / max(len(there), 1),
                      "expected": expected_rate(ids, height) if spec.index == "hash" else 0.0})
    return pd.DataFrame(found)
