"""Crosses: which pairs of fields a model really crosses, beside the planted pairs."""
from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import torch

from rankzoo.errors import ZooError
from rankzoo.inspection.score import Score, bootstrap, spearman
from rankzoo.inspection.view import Subject, View
from rankzoo.model import RankingModel
from rankzoo.signals import Batch
from rankzoo.training.metrics import auc, predict

FIELDS = 12
ROW_PAIRS = 1_000
NOTHING = 1e-4
"""Logits: what float32 leaves of a second difference that is zero."""


def crosses(subject: Subject, task: str = "") -> View:
    """Strength of every pair of fields, model-free: columns a, b, value, block (where a cross
    layer has one), planted (NaN where nothing is).

    value is Friedman's statistic: the sd, over pairs of rows, of half the mixed second difference of the logit,
    f(x) − f(x_a′) − f(x_b′) + f(x_a′, x_b′), primed values from the other row; it equals the planted strength if the model
    is perfect and 0 if the two fields only add. Statistic: how many of the k strongest pairs are among the k planted ones.
    """
    if subject.rows < 2:
        raise ZooError("Crosses are measured between two rows, and there is {found}.", "Look at more rows.", at="rows",
                       found=subject.rows)
    task = task or subject.model.blueprint.tasks[0]
    fields = strongest(subject, task)
    mixed = second_differences(subject.model, subject.batch, fields, task)
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    inputs = {f.name for f in subject.dataset.schema.inputs}
    planted = {frozenset((p.a, p.b)): p.strength for p in truth.pairs if {p.a, p.b} <= inputs} if truth else {}
    blocks = block_norms(subject)
    rows = [{"a": a, "b": b, "value": _strength(values), "block": blocks.get(frozenset((a, b)), np.nan),
             "planted": planted.get(frozenset((a, b)), 0.0) if planted else np.nan} for (a, b), values in mixed.items()]
    table = pd.DataFrame(rows, columns=["a", "b", "value", "block", "planted"])
    known = table["planted"].to_numpy() > 0
    score = scored(np.stack(list(mixed.values())), table, len(planted)) if known.any() and not known.all() else None
    left_out = len(subject.dataset.schema.inputs) - len(fields)
    note = f"{left_out} fields with the smallest effect are left out." if left_out else ""
    return View("crosses", table, score, note=note)


def scored(mixed: np.ndarray, table: pd.DataFrame, k: int) -> Score:
    """Precision at k of the pair strengths against the k planted pairs, those of a field left out included; mixed:
    (pair, row pair)."""
    known = table["planted"].to_numpy() > 0

    def precision(index: np.ndarray) -> float:
        strengths = mixed[:, index].std(axis=1)
        top = np.argsort(-strengths, kind="stable")[:k]
        return float((known[top] & (strengths[top] > NOTHING)).sum() / k)

    values, strengths = table["value"].to_numpy(), table["planted"].to_numpy()
    more = [Score("chance that a planted pair is above another", auc(known.astype(float), values), 0.5, None)]
    order = spearman(values[known], strengths[known])
    more += [Score("rank correlation on the planted pairs", order, 0.0, None)] if np.isfinite(order) else []
    if table["block"].notna().all():
        block = table["block"].to_numpy()
        top = np.argsort(-block, kind="stable")[:k]
        more.append(Score("found by the weight blocks of the first cross layer", float(known[top].sum() / k),
                          k / len(known), None))
    every = np.arange(mixed.shape[1])
    return Score("planted pairs among the {k} strongest", precision(every), k / len(known),
                 bootstrap(len(every), precision, draws=200), tuple(more), {"k": k})


def _strength(values: np.ndarray) -> float:
    """Friedman's statistic of one pair, 0 where it is no more than rounding."""
    spread = float(values.std())
    return spread if spread > NOTHING else 0.0


def second_differences(model: RankingModel, batch: Batch, fields: tuple[str, ...],
                       task: str) -> dict[tuple[str, str], np.ndarray]:
    """Half the mixed second difference of the logit for every pair of fields: (pair) → (row pair,)."""
    rows = min(ROW_PAIRS, len(batch) // 2)
    x, other = batch.rows(0, rows), batch.rows(rows, 2 * rows)
    plain = predict(model, x)[task]
    single = {name: predict(model, swapped(x, other, (name,)))[task] for name in fields}
    pairs = {}
    for a, b in combinations(fields, 2):
        both = predict(model, swapped(x, other, (a, b)))[task]
        pairs[a, b] = (plain - single[a] - single[b] + both) / 2
    return pairs


def swapped(x: Batch, other: Batch, fields: tuple[str, ...]) -> Batch:
    """The rows of x with some features taken from the rows of `other`."""
    ids, numbers = x.ids.clone(), x.numbers.clone()
    for i, f in enumerate(x.schema.categorical):
        if f.name in fields:
            ids[:, i] = other.ids[:, i]
    for i, f in enumerate(x.schema.numeric):
        if f.name in fields:
            numbers[:, i] = other.numbers[:, i]
    return replace(x, ids=ids, numbers=numbers)


def strongest(subject: Subject, task: str) -> tuple[str, ...]:
    """The fields that move the logit most when swapped, at most FIELDS of them, in the schema's order."""
    names = [f.name for f in subject.dataset.schema.inputs]
    if len(names) <= FIELDS:
        return tuple(names)
    few = min(256, subject.rows // 2)
    x, other = subject.batch.rows(0, few), subject.batch.rows(few, 2 * few)
    plain = predict(subject.model, x)[task]
    effect = {name: float((predict(subject.model, swapped(x, other, (name,)))[task] - plain).std()) for name in names}
    kept = set(sorted(names, key=lambda name: -effect[name])[:FIELDS])
    return tuple(name for name in names if name in kept)


def block_norms(subject: Subject) -> dict[frozenset[str], float]:
    """‖W_ab‖ + ‖W_ba‖ of the first cross layer by pair of fields; empty where the model has none."""
    entries = subject.trace.of("cross")
    if not entries:
        return {}
    names, norms = entries[0].labels["field"], torch.as_tensor(entries[0].values)
    return {frozenset((a, b)): float(norms[i, j] + norms[j, i])
            for (i, a), (j, b) in combinations(enumerate(names), 2)}
