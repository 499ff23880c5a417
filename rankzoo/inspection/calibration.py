"""Calibration: what each task's probabilities add up to over what happened, by segment, before and after a correction.

Over all rows of a part (50,000 at most), whatever few rows other views look at: a sum of rare events needs them.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from rankzoo.blueprint import Blueprint
from rankzoo.inspection.gates import splits
from rankzoo.inspection.score import Score, bootstrap
from rankzoo.inspection.view import Subject, View
from rankzoo.schema import Schema
from rankzoo.serving.auction import Auction
from rankzoo.serving.calibrate import Calibrate
from rankzoo.signals import Batch
from rankzoo.training.metrics import auc, predict, sigmoid

SEGMENTS, DRAWS, LEAST, MOST, AUCTIONS = 8, 200, 1e-7, 50_000, (1, 2, 8, 32)
WAYS = ("platt", "isotonic", "network", "segments")
NOTE = ("Calibration is the sum of the probabilities over the number of events: 1 is right. The layer is fitted on the observed "
        "labels of the validation part; 'segments' has a Platt curve for each value of the feature, which the network reads too.")
EMPTY = "There is no validation row to fit the layer on, so that it changes nothing."


def calibrates(blueprint: Blueprint, schema: Schema) -> bool:
    """Whether any task predicts the probability of an event."""
    return any(schema.task(t).kind == "binary" and blueprint.losses.calibrated(schema.task(t)) for t in blueprint.tasks)


def calibration(subject: Subject, by: str = "") -> View:
    """Columns task, segment (a value of the feature `by`, or all rows), rows, observed (mean label), before, platt, isotonic,
    network, segments (Σp / Σy each), planted (what it must be before, where labels were planted to come late; else NaN).

    Table `ways`: by task and way what all rows have: calibration, error (mean |ln calibration| over the segments), nce, auc.
    Table `auctions`: by task, what the winners of auctions of so many candidates have, before and after, see `won`.
    Statistic: 1 − Σ (c − l)² / Σ l² over tasks and segments, c the logarithm of the calibration before, by true probabilities,
    and l that of the planted one, each less its mean over the task's segments: 1 where segments differ as their late labels make
    them, 0 where one factor bends a whole task, which takes no look at a segment; who differs otherwise is below.
    """
    schema = subject.dataset.schema
    names = tuple(t for t in subject.model.blueprint.tasks if schema.task(t).kind == "binary" and subject.probable(t))
    by, rows = by or usual(subject), subject.dataset.part(subject.part, MOST)
    segment, values = parts(rows, by)
    scores = scored(subject, rows, names, by)
    planted = early(subject, rows, names)
    frames, ways, cells, auctions = [], [], [], []
    for task in names:
        seen = rows.observed[task].numpy()
        labels, here = rows.labels[task].numpy()[seen].astype(np.float64), segment[seen]
        known = {way: p[seen] for way, p in scores[task].items()}
        expected = None if planted is None else tuple(each[seen] for each in planted[task])
        frames.append(_segments(task, labels, here, values, known, expected))
        ways += [{"task": task, "way": way} | _whole(p, labels, here, len(values)) for way, p in known.items()]
        cells.append((known if expected is None else known | {"true": expected[0]}, labels, here))
        auctions.append(_auctions(task, known, labels if expected is None else expected[0]))
    table = pd.concat(frames, ignore_index=True)
    note = NOTE if len(subject.dataset.part("validation", 1)) else EMPTY
    truth = judged(table, cells, len(values)) if planted is not None and len(values) > 1 else None
    tables = {"ways": pd.DataFrame(ways), "auctions": pd.concat(auctions, ignore_index=True)}
    return View("calibration", table, truth, tables, f"{note} Segments by {by}." if by else note,
                serving=segmented(subject, by))


def segmented(subject: Subject, by: str) -> Auction | None:
    """How its system holds auctions, with the layer's segments as here; None where it holds none."""
    spec = subject.serving
    return replace(spec, layer=replace(spec.layer, by=by)) if isinstance(spec, Auction) else None


def features(subject: Subject) -> tuple[str, ...]:
    """The features by which rows can be split: categorical ones of few values."""
    schema = subject.dataset.schema
    return tuple(name for name in splits(subject) if schema.feature(name).kind == "categorical")


def usual(subject: Subject) -> str:
    """The feature by which the system's own layer splits rows, else the first one of a user or a context, or the first; empty
    where there is none. What was planted is not asked: a layer that is served does not know it."""
    options, schema = features(subject), subject.dataset.schema
    if isinstance(subject.serving, Auction) and subject.serving.layer.by in options:
        return subject.serving.layer.by
    return next((name for name in options if schema.feature(name).side != "item"), next(iter(options), ""))


def parts(rows: Batch, by: str) -> tuple[np.ndarray, tuple[int, ...]]:
    """(row,) place of a row's value among the most frequent ones, −1 elsewhere, and these values."""
    if not by:
        return np.full(len(rows), -1), ()
    ids = rows.features[by].numpy()
    found, counts = np.unique(ids, return_counts=True)
    values = np.sort(found[np.argsort(-counts, kind="stable")[:SEGMENTS]])
    place = np.minimum(np.searchsorted(values, ids), len(values) - 1)
    return np.where(values[place] == ids, place, -1), tuple(values.tolist())


def layers(by: str) -> dict[str, Calibrate]:
    """The layers that are compared, by way."""
    return {"platt": Calibrate("platt"), "isotonic": Calibrate("isotonic"), "network": Calibrate("network", by),
            "segments": Calibrate("platt", by)}


def scored(subject: Subject, rows: Batch, names: tuple[str, ...], by: str) -> dict[str, dict[str, np.ndarray]]:
    """By task the probabilities (row,) as the network has them (`before`), and corrected in each way."""
    known = subject.dataset.part("validation", MOST)
    logits, learned = (predict(subject.model, each) if len(each) else {} for each in (rows, known))
    learned = {task: learned[task] for task in names if task in learned}
    fitted = {way: spec.fitted(learned, known) for way, spec in layers(by).items()}
    ids, found = rows.features[by].numpy() if by else None, {}
    for task in names:
        before = sigmoid(logits[task])
        found[task] = {"before": before} | {way: layers[task](logits[task], ids) if task in layers else before
                                            for way, layers in fitted.items()}
    return found


def early(subject: Subject, rows: Batch, names: tuple[str, ...]) -> Mapping[str, tuple[np.ndarray, np.ndarray]] | None:
    """By task (row,) the true probability, and what training could see of it; None where no label was planted to come late."""
    truth = subject.dataset.truth_of(subject.part, MOST)
    if truth is None or truth.delays is None or not set(names) <= set(truth.logits):
        return None
    value = rows.features[truth.delays.by].numpy() - 1
    found = {}
    for task in names:
        p = sigmoid(truth.logits[task])
        found[task] = p, p * truth.delays.share(task)[value] if task in truth.delays.mean else p
    return found


def _segments(task: str, labels: np.ndarray, here: np.ndarray, values: tuple[int, ...], known: Mapping[str, np.ndarray],
              expected: tuple[np.ndarray, np.ndarray] | None) -> pd.DataFrame:
    """A row for all rows, then one for each value."""
    rows = []
    for place, value in ((None, "all"), *enumerate(map(str, values))):
        chosen = slice(None) if place is None else here == place
        ones = labels[chosen].sum()
        over = {way: float(p[chosen].sum() / ones) if ones else np.nan for way, p in known.items()}
        planted = np.nan if expected is None else float(expected[1][chosen].sum() / max(expected[0][chosen].sum(), LEAST))
        rows.append({"task": task, "segment": value, "rows": len(labels[chosen]),
                     "observed": float(labels[chosen].mean()) if len(labels[chosen]) else np.nan} | over | {"planted": planted})
    return pd.DataFrame(rows)


def _whole(p: np.ndarray, labels: np.ndarray, here: np.ndarray, segments: int) -> dict[str, float]:
    """Calibration of all rows, mean |ln calibration| over the segments, normalised cross entropy (He et al. 2014), AUC."""
    ones, rate = labels.sum(), labels.mean() if len(labels) else np.nan
    clipped = np.clip(p, LEAST, 1 - LEAST)
    loss = -(labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped)).mean() if len(labels) else np.nan
    base = -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate)) if 0 < rate < 1 else np.nan
    return {"calibration": float(p.sum() / ones) if ones else np.nan, "error": distance(logarithms(p, labels, here, segments)),
            "nce": float(loss / base), "auc": auc(labels, p) if len(labels) else np.nan}


def _auctions(task: str, known: Mapping[str, np.ndarray], happens: np.ndarray) -> pd.DataFrame:
    rows = [{"task": task, "candidates": size, "before": won(known["before"], happens, size),
             "after": won(known["segments"], happens, size)} for size in AUCTIONS if size <= len(happens)]
    return pd.DataFrame(rows, columns=["task", "candidates", "before", "after"])


def won(p: np.ndarray, happens: np.ndarray, size: int) -> float:
    """Σp over what happens, of the rows that win auctions of `size` random rows with equal bids: (row,), (row,). Whoever wins has
    a high score, and of high scores more are too high than too low."""
    order = np.random.default_rng(0).permutation(len(p))[:len(p) // size * size].reshape(-1, size)
    winner = order[np.arange(len(order)), p[order].argmax(axis=1)]
    events = happens[winner].sum()
    return float(p[winner].sum() / events) if events else float("nan")


def logarithms(p: np.ndarray, labels: np.ndarray, here: np.ndarray, segments: int) -> np.ndarray:
    """(segment,) ln Σp / Σy; NaN where no event was seen."""
    inside = here >= 0
    summed, ones = (np.bincount(here[inside], each[inside], minlength=segments) for each in (p, labels))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(summed / ones)
    return np.where(np.isfinite(found), found, np.nan)


def distance(logs: np.ndarray) -> float:
    """Mean |ln calibration| over what is known."""
    known = logs[~np.isnan(logs)]
    return float(np.abs(known).mean()) if len(known) else float("nan")


def judged(table: pd.DataFrame, cells: list[tuple[Mapping[str, np.ndarray], np.ndarray, np.ndarray]], segments: int) -> Score:
    """The statistic of `calibration` and what the layer mends; cells: by task its probabilities (`before`, `segments`, `true`),
    its labels and the segments, (row,) each."""
    planted = np.log(table.loc[table["segment"] != "all", "planted"].clip(lower=LEAST).to_numpy())

    def logs(way: str, index: np.ndarray | None = None, happens: str = "") -> np.ndarray:
        found = []
        for known, labels, here in cells:
            chosen = slice(None) if index is None else index[index < len(labels)]
            events = known[happens] if happens else labels
            found.append(logarithms(known[way][chosen], events[chosen], here[chosen], segments))
        return np.concatenate(found)

    def bent(index: np.ndarray | None = None) -> float:
        late, here = (each.reshape(-1, segments) for each in (planted, logs("before", index, "true")))
        late, here = (each - np.nanmean(each, axis=1, keepdims=True) for each in (late, here))
        return float(1 - np.nansum((here - late) ** 2) / (late**2).sum()) if late.any() else 0.0

    def improved(index: np.ndarray | None = None) -> float:
        return distance(logs("before", index)) - distance(logs("segments", index))

    rows = max(len(labels) for _, labels, _ in cells)
    more = (Score("mean distance of ln calibration from 0 before", distance(logs("before")), 0.0, None),
            Score("mean distance of ln calibration from 0 after", distance(logs("segments")), 0.0, None),
            Score("by how much the layer lessens that distance", improved(), 0.0, bootstrap(rows, improved, draws=DRAWS)))
    return Score("share of the planted differences between segments that the calibration before has",
                 bent(), 0.0, bootstrap(rows, bent, draws=DRAWS), more)
