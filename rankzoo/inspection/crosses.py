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
BLOCKS = ("size of the weights", "Size of the two blocks of the first cross layer that join a pair; it shows that a pair is "
          "crossed better than how much.")
"""What a recorded strength is, in a few words and in a sentence, where its entry says nothing else (label `means`)."""


def crosses(subject: Subject, task: str = "") -> View:
    """Strength of every pair of fields, model-free: columns a, b, value, block (what the model itself records of the pair,
    see `meaning`; NaN where it records nothing), planted (NaN where nothing is).

    value is Friedman's statistic: the sd, over pairs of rows, of half the mixed second difference of the logit,
    f(x) − f(x_a′) − f(x_b′) + f(x_a′, x_b′), primed values from the other row; it equals the planted strength if the model
    is perfect and 0 if the two fields only add. Statistic: how many of the k strongest pairs are among the k planted ones.
    """
    if subject.rows < 2:
        raise ZooError("Crosses are measured between two rows, and there is {found}.", "Look at more rows.", at="rows",
                       found=subject.rows)
    task = task or next(t for t in subject.model.blueprint.tasks if subject.dataset.schema.task(t).single)
    fields = strongest(subject, task)
    mixed = second_differences(subject.model, subject.batch, fields, task)
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    inputs = set(inputs_of(subject))
    planted = {frozenset((p.a, p.b)): p.strength for p in truth.pairs if {p.a, p.b} <= inputs} if truth else {}
    blocks = block_norms(subject)
    rows = [{"a": a, "b": b, "value": _strength(values), "block": blocks.get(frozenset((a, b)), np.nan),
             "planted": planted.get(frozenset((a, b)), 0.0) if planted else np.nan} for (a, b), values in mixed.items()]
    table = pd.DataFrame(rows, columns=["a", "b", "value", "block", "planted"])
    known = table["planted"].to_numpy() > 0
    score = scored(np.stack(list(mixed.values())), table, len(planted), meaning(subject)[0]) if (
        known.any() and not known.all()) else None
    left_out = len(inputs_of(subject)) - len(fields)
    note = f"{left_out} fields with the smallest effect are left out." if left_out else ""
    return View("crosses", table, score, note=note)


def scored(mixed: np.ndarray, table: pd.DataFrame, k: int, what: str = BLOCKS[0]) -> Score:
    """Precision at k of the pair strengths against the k planted pairs, those of a field left out included; mixed:
    (pair, row pair). `what` says in a few words what the model itself records of a pair."""
    known = table["planted"].to_numpy() > 0

    def precision(index: np.ndarray) -> float:
        strengths = mixed[:, index].std(axis=1)
        top = np.argsort(-strengths, kind="stable")[:k]
        return float((known[top] & (strengths[top] > NOTHING)).sum() / k)

    values, strengths = table["value"].to_numpy(), table["planted"].to_numpy()
    more = [Score("chance that a planted pair is above another", auc(known.astype(float), values), 0.5, None)]
    order = spearman(values[known], strengths[known])
    more += [Score("rank correlation on the planted pairs", order, 0.0, None)] if np.isfinite(order) else []
    if table["block"].notna().any():
        block = table["block"].fillna(-np.inf).to_numpy()
        top = np.argsort(-block, kind="stable")[:k]
        more.append(Score("found by “{what}”", float(known[top].sum() / k), k / len(known), None, values={"what": what}))
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
    ids, numbers, lacking = x.ids.clone(), x.numbers.clone(), None if x.lacking is None else x.lacking.clone()
    for i, f in enumerate(x.schema.categorical):
        if f.name in fields:
            ids[:, i] = other.ids[:, i]
    for i, f in enumerate(x.schema.numeric):
        if f.name in fields:
            numbers[:, i] = other.numbers[:, i]
            if lacking is not None:
                lacking[:, i] = other.lacking[:, i]
    return replace(x, ids=ids, numbers=numbers, lacking=lacking)


def inputs_of(subject: Subject) -> list[str]:
    """The features that the model reads."""
    return [f.name for f in subject.dataset.schema.leaving(subject.model.blueprint.without).inputs]


def strongest(subject: Subject, task: str) -> tuple[str, ...]:
    """The fields that move the logit most when swapped, at most FIELDS of them, in the schema's order."""
    names = inputs_of(subject)
    if len(names) <= FIELDS:
        return tuple(names)
    few = min(256, subject.rows // 2)
    x, other = subject.batch.rows(0, few), subject.batch.rows(few, 2 * few)
    plain = predict(subject.model, x)[task]
    effect = {name: float((predict(subject.model, swapped(x, other, (name,)))[task] - plain).std()) for name in names}
    kept = set(sorted(names, key=lambda name: -effect[name])[:FIELDS])
    return tuple(name for name in names if name in kept)


def meaning(subject: Subject) -> tuple[str, str]:
    """What the strengths that the model itself records are: in a few words, and in a sentence."""
    entries = subject.trace.of("cross")
    return entries[0].labels.get("means", BLOCKS) if entries else BLOCKS


def block_norms(subject: Subject) -> dict[frozenset[str], float]:
    """What the first cross layer says of each pair of fields; empty where the model has none. ‖W_ab‖ + ‖W_ba‖ where it has a
    matrix, whose `block` map is one-way; a map of whole pairs (of dot products, say) as it stands."""
    entries = subject.trace.of("cross")
    if not entries:
        return {}
    names, values = entries[0].labels["field"], torch.as_tensor(entries[0].values)
    both = values + values.T if entries[0].address.endswith(".block") else values
    return {frozenset((a, b)): float(both[i, j]) for (i, a), (j, b) in combinations(enumerate(names), 2)}
