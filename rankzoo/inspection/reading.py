"""Reading: what the learned token that fuses several histories takes of itself, of the query's vectors and of every answer."""
from __future__ import annotations

import numpy as np
import pandas as pd

from rankzoo.inspection.asks import vectors
from rankzoo.inspection.score import Score, bootstrap
from rankzoo.inspection.view import Subject
from rankzoo.trace import Entry
from rankzoo.training.metrics import auc

ITSELF = "[CLS]"
DRAWS = 200


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
    """By source (row,) its share of what is read, over its vectors, averaged over heads."""
    weights, found, place = seen_by(subject).values.double().mean(dim=1).numpy(), {}, 0
    for source, names in sources(subject):
        found[source] = weights[:, place:place + len(names)].sum(axis=1)
        place += len(names)
    return found


def matched(subject: Subject) -> tuple[pd.DataFrame, Score | None]:
    """Columns history, matches (whether any past item matches what is asked), rows, weight: the mean share that the token reads
    of a history's answers, over rows that have a past there.

    Statistic: how often a row in which something matches reads more of that history than one in which nothing does (an AUC
    for each history, their mean): 1 is perfect, ½ is chance. A history is compared with itself, since how much is read of one
    at all says nothing of what matches.
    """
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    rows, known = [], []
    for history, share in shares(subject).items() if seen_by(subject) is not None else ():
        relevance = truth.relevance_of(history) if truth else None
        if relevance is None:
            continue
        mask = subject.batch.masks[history].numpy()
        some, matches = mask.any(axis=1), ((relevance.kernel > relevance.threshold) & mask).any(axis=1)
        known.append((share, matches, some))
        for value in (True, False):
            chosen = some & (matches == value)
            rows.append({"history": history, "matches": value, "rows": int(chosen.sum()),
                         "weight": float(share[chosen].mean()) if chosen.any() else np.nan})
    return pd.DataFrame(rows, columns=["history", "matches", "rows", "weight"]), scored(known)


def scored(known: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Score | None:
    """Of each history (row,) its share, whether something matches, and whether there is a past at all; None where no history has
    both kinds of rows."""
    def mean(index: np.ndarray) -> float:
        inside = [(share, matches, index[some[index]]) for share, matches, some in known]
        found = np.array([auc(matches[here].astype(np.float64), share[here]) for share, matches, here in inside])
        return float(found[np.isfinite(found)].mean()) if np.isfinite(found).any() else np.nan

    rows = len(known[0][0]) if known else 0
    value = mean(np.arange(rows)) if rows else np.nan
    if np.isnan(value):
        return None
    return Score("[CLS] reads more of a history where something matches than where nothing does", value, 0.5,
                 bootstrap(rows, mean, draws=DRAWS))
