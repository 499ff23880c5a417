"""Asks: what each vector of a query reads of every history, and how much it leaves on the slot of zeros."""
from __future__ import annotations

import numpy as np
import pandas as pd

from rankzoo.inspection.score import Score, alike_score
from rankzoo.inspection.view import Subject
from rankzoo.trace import Entry

ZERO = -1


def asked(subject: Subject) -> list[tuple[str, Entry]]:
    """The histories that a query asks, each with its weights by vector, (row, head, position)."""
    schema, found = subject.dataset.schema, []
    for entry in subject.trace.of("attention"):
        spec = subject.model.blueprint.sequence[int(entry.address.split(".")[1])]
        if spec.asks(schema):
            found.append((schema.history(spec.history).name, subject.trace[f"{entry.address}.head"]))
    return found


def vectors(subject: Subject, many: int) -> tuple[str, ...]:
    """What the vectors that ask are called: by the component that made them, else by number."""
    for spec in subject.model.blueprint.sequence:
        names = spec.names() if hasattr(spec, "names") else ()
        if len(names) == many:
            return names
    return tuple(str(i + 1) for i in range(many))


def readers(subject: Subject, many: int) -> tuple[str, ...]:
    """What the heads of the weights that are shown first are called, where a query asks by that many vectors; else nothing."""
    first = subject.trace.of("attention")[0]
    spec = subject.model.blueprint.sequence[int(first.address.split(".")[1])]
    return vectors(subject, many) if many > 1 and spec.asks(subject.dataset.schema) else ()


def asks(subject: Subject, row: int = 0) -> pd.DataFrame:
    """Columns history, vector, place (in the history; −1 is the slot of zeros), weight, and where planted relevant: the weights
    of one row. Those of a vector over one history and its slot of zeros add to 1."""
    truth, found = subject.dataset.truth_of(subject.part, subject.rows), []
    for history, entry in asked(subject):
        weights, mask = entry.values[row].numpy(), entry.mask[row].numpy()
        relevance = truth.relevance_of(history) if truth else None
        for name, own in zip(vectors(subject, len(weights)), weights, strict=True):
            right = {} if relevance is None else {"relevant": False}
            found.append({"history": history, "vector": name, "place": ZERO, "weight": max(0.0, 1 - float(own.sum())), **right})
            for place in np.flatnonzero(mask):
                right = {} if relevance is None else {"relevant": bool(relevance.kernel[row, place] > relevance.threshold)}
                found.append({"history": history, "vector": name, "place": int(place), "weight": float(own[place]), **right})
    return pd.DataFrame(found, columns=["history", "vector", "place", "weight", *(["relevant"] if truth else [])])


def zeros(subject: Subject) -> tuple[pd.DataFrame, Score | None]:
    """Columns history, matches (whether any past item matches what is asked), rows, weight: the mean weight on the slot of zeros,
    over vectors and rows that have a past at all; and by how much it is larger where nothing matches, among rows of as many
    past items."""
    truth, rows, known = subject.dataset.truth_of(subject.part, subject.rows), [], []
    for history, entry in asked(subject):
        relevance, mask = truth.relevance_of(history) if truth else None, entry.mask.numpy()
        if relevance is None:
            continue
        left = 1 - entry.values.sum(dim=2).mean(dim=1).double().numpy()
        matches, lengths = ((relevance.kernel > relevance.threshold) & mask).any(axis=1), mask.sum(axis=1)
        known.append((left, matches, lengths))
        for value in (True, False):
            chosen = (lengths > 0) & (matches == value)
            rows.append({"history": history, "matches": value, "rows": int(chosen.sum()),
                         "weight": float(left[chosen].mean()) if chosen.any() else np.nan})
    apart = alike_score("weight on the slot of zeros where nothing matches, more than where something does", known, 0.0,
                        lambda within, without: float(without.mean() - within.mean()), subject.request)
    return pd.DataFrame(rows, columns=["history", "matches", "rows", "weight"]), apart
