"""Reading: what the learned token that fuses several histories reads of itself, of the query's vectors and of every answer, and
how much of the user's vector comes from there."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rankzoo.inspection.asks import vectors
from rankzoo.inspection.score import Known, Score, alike_score
from rankzoo.inspection.view import Subject
from rankzoo.trace import Entry
from rankzoo.training.metrics import auc

ITSELF = "[CLS]"


def seen_by(subject: Subject) -> Entry | None:
    """What the token reads: (row, head, token), itself first; None where nothing is fused by attention."""
    return next((entry for entry in subject.trace.of("head") if entry.address.endswith(".reading")), None)


def sources(subject: Subject) -> list[tuple[str, tuple[str, ...]]]:
    """Of what the tokens are: [CLS] alone, then every history that is fused with its vectors by name, in their order."""
    layer = subject.model.sequence[int(seen_by(subject).address.split(".")[1])]
    every = [(name, vectors(subject, length)) for name, length in zip(layer.names, layer.lengths, strict=True)]
    return [(ITSELF, ("",)), *every]


def reading(subject: Subject, row: int = 0) -> pd.DataFrame:
    """Columns source, vector, head, weight, mean (of all rows), and where planted matches (whether any past item of the source
    does): a line per token and head of one row. The weights of a head add to 1. Empty where nothing is fused by attention."""
    entry, truth, found = seen_by(subject), subject.dataset.truth_of(subject.part, subject.rows), []
    columns = ["source", "vector", "head", "weight", "mean", *(["matches"] if truth else [])]
    if entry is None:
        return pd.DataFrame(found, columns=columns)
    weights = entry.values.double().numpy()
    average, place = weights.mean(axis=0), 0
    for source, names in sources(subject):
        relevance = truth.relevance_of(source) if truth else None
        right = {"matches": relevance is not None and bool((relevance.kernel[row] > relevance.threshold).any())} if truth else {}
        for name in names:
            found += [{"source": source, "vector": name, "head": head, "weight": float(weights[row, head, place]),
                       "mean": float(average[head, place]), **right} for head in range(weights.shape[1])]
            place += 1
    return pd.DataFrame(found, columns=columns)


def shares(subject: Subject) -> dict[str, np.ndarray]:
    """By source (row,) its share of the user's vector: the length of what arrives of its vectors together, over the sum of these
    lengths. A weight alone says less: where nothing in a history fits its answer is zeros, and to read zeros costs nothing."""
    arriving, found, place = subject.trace[seen_by(subject).address.replace("reading", "arriving")].values.double(), {}, 0
    for source, names in sources(subject):
        found[source] = arriving[:, place:place + len(names)].sum(dim=1).norm(dim=1).numpy()
        place += len(names)
    whole = np.maximum(sum(found.values()), 1e-12)
    return {source: length / whole for source, length in found.items()}


def matched(subject: Subject) -> tuple[pd.DataFrame, Score | None]:
    """Columns history, matches (whether any past item matches what is asked), rows, share: the mean share that a history has in
    the user's vector, over rows that have a past there.

    Statistic: how often a history has a larger share in a row in which something matches than in one in which nothing does: 1 is
    perfect, ½ is chance. Compared are rows with as many past items in that history, since more of them match more often and
    weigh more whatever they are; an AUC for each history and length, averaged by its pairs.
    """
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    rows, known = [], []
    for history, share in shares(subject).items() if seen_by(subject) is not None else ():
        relevance = truth.relevance_of(history) if truth else None
        if relevance is None:
            continue
        mask = subject.batch.masks[history].numpy()
        matches = ((relevance.kernel > relevance.threshold) & mask).any(axis=1)
        known.append((share, matches, mask.sum(axis=1)))
        for value in (True, False):
            chosen = mask.any(axis=1) & (matches == value)
            rows.append({"history": history, "matches": value, "rows": int(chosen.sum()),
                         "share": float(share[chosen].mean()) if chosen.any() else np.nan})
    return pd.DataFrame(rows, columns=["history", "matches", "rows", "share"]), scored(known, subject.request)


def scored(known: Sequence[Known], request: np.ndarray | None = None) -> Score | None:
    """How often a row in which something matches has the larger share; the interval over requests where there are any."""
    def won(within: np.ndarray, without: np.ndarray) -> float:
        return auc(np.r_[np.ones(len(within)), np.zeros(len(without))], np.r_[within, without])

    return alike_score("[CLS] takes more of a history where something matches than where nothing does", known, 0.5, won,
                       request)
