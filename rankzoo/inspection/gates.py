"""Gates: which experts each task listens to, and whether tasks that are related listen alike."""
from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from rankzoo.data.truths import Relatedness
from rankzoo.inspection.score import Score, bootstrap
from rankzoo.inspection.view import Subject, View

RELATED = 0.5
SEGMENTS, LARGEST = 6, 60


def gates(subject: Subject) -> View:
    """Mean and spread of every gate weight (task, expert, mean, sd), and the divergence between tasks' gates.

    Statistic: Jensen-Shannon divergence (bits) between the gate rows of two tasks, averaged over rows; pairs of unrelated
    tasks over pairs of related ones. Chance is 1: gates that do not know which tasks are related. Mean gates would hide
    it, since rows differ where means do not.
    """
    shares = shares_of(subject)
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    relatedness = truth.relatedness if truth else None
    divergence = divergences(shares, relatedness)
    effective = pd.DataFrame([{"task": task, "effective": float(np.exp(entropy(w.mean(0)))), "experts": w.shape[1]}
                              for task, w in shares.items()])
    return View("gates", averaged(shares), relatedness and scored(shares, relatedness),
                {"divergence": divergence, "effective": effective})


def shares_of(subject: Subject) -> dict[str, np.ndarray]:
    """The gates of the sharing slot by task, each (row, expert)."""
    return {entry.address.rsplit(".", 1)[1]: entry.values.numpy().astype(np.float64)
            for entry in subject.trace.of("gate") if entry.address.startswith("sharing.")}


def averaged(shares: dict[str, np.ndarray]) -> pd.DataFrame:
    """Columns task, expert, mean, sd: each gate weight over rows."""
    rows = [{"task": task, "expert": i, "mean": float(w[:, i].mean()), "sd": float(w[:, i].std())}
            for task, w in shares.items() for i in range(w.shape[1])]
    return pd.DataFrame(rows, columns=["task", "expert", "mean", "sd"])


def splits(subject: Subject) -> tuple[str, ...]:
    """The features by which rows can be split: categorical ones of few values, a user's first, then numbers."""
    schema = subject.dataset.schema
    few = [f for f in schema.categorical if not f.bias and f.vocabulary <= LARGEST]
    return tuple(f.name for f in (*sorted(few, key=lambda f: f.side != "user"), *schema.numeric))


def segments(subject: Subject, feature: str) -> pd.DataFrame:
    """The gates of parts of the rows: columns segment, rows, task, expert, mean, sd.

    Of a categorical feature the (at most six) most frequent values, a segment being its id; of a numeric one the rows' low,
    middle and high third.
    """
    values = subject.batch.features[feature].numpy()
    if subject.dataset.schema.feature(feature).kind == "categorical":
        ids, counts = np.unique(values, return_counts=True)
        chosen = {str(ids[i]): values == ids[i] for i in sorted(np.argsort(-counts, kind="stable")[:SEGMENTS])}
    else:
        low, high = np.quantile(values, [1 / 3, 2 / 3])
        chosen = {"low": values < low, "middle": (values >= low) & (values <= high), "high": values > high}
    shares = shares_of(subject)
    frames = [averaged({task: w[rows] for task, w in shares.items()}).assign(segment=segment, rows=int(rows.sum()))
              for segment, rows in chosen.items() if rows.any()]
    return pd.concat(frames, ignore_index=True)[["segment", "rows", "task", "expert", "mean", "sd"]]


def entropy(p: np.ndarray) -> np.ndarray:
    """−Σ p ln p over the last axis, in nats."""
    return -(p * np.log(np.clip(p, 1e-12, None))).sum(-1)


def js(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence in bits over the last axis: 0 = equal, 1 = nothing in common."""
    return (entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2) / np.log(2)


def divergences(shares: dict[str, np.ndarray], truth: Relatedness | None) -> pd.DataFrame:
    """Columns a, b, js (mean over rows) and related (planted cosine, NaN where nothing is planted), one row per pair."""
    rows = []
    for a, b in combinations(shares, 2):
        known = truth is not None and a in truth.tasks and b in truth.tasks
        related = float(truth.cosine[truth.tasks.index(a), truth.tasks.index(b)]) if known else float("nan")
        rows.append({"a": a, "b": b, "js": float(js(shares[a], shares[b]).mean()), "related": related})
    return pd.DataFrame(rows, columns=["a", "b", "js", "related"])


def scored(shares: dict[str, np.ndarray], truth: Relatedness) -> Score | None:
    """Between over within; None where the model's tasks do not have both related and unrelated pairs."""
    pairs = divergences(shares, truth)
    within = [(r.a, r.b) for r in pairs.itertuples() if r.related >= RELATED]
    between = [(r.a, r.b) for r in pairs.itertuples() if r.related < RELATED]
    if not within or not between:
        return None
    inside, across = (np.mean([js(shares[a], shares[b]) for a, b in group], axis=0) for group in (within, between))
    ratio = lambda index: across[index].mean() / max(inside[index].mean(), 1e-12)  # noqa: E731
    every = np.arange(len(inside))
    more = (Score("divergence of related tasks, bits", float(inside.mean()), 0.0, None),
            Score("divergence of unrelated tasks, bits", float(across.mean()), 0.0, None))
    return Score("divergence of unrelated over related tasks' gates", float(ratio(every)), 1.0,
                 bootstrap(len(every), ratio), more)
