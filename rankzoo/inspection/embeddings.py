"""Embeddings: the rows of one feature's table, in two dimensions."""
from __future__ import annotations

import numpy as np
import pandas as pd

from rankzoo.errors import ZooError
from rankzoo.inspection.view import Subject, View

ROWS = 2_000


def embeddings(subject: Subject, feature: str = "") -> View:
    """Columns id, count, norm, x, y: how often a value occurs in the rows on view, the length of its vector, and its place
    on the first two principal components. Nothing is planted about single vectors, so there is no score."""
    layer, names = subject.model.representation, tables(subject)
    if not names:
        raise ZooError("This model has no embeddings.", "Choose one with embeddings as representation.", at="representation")
    name = feature or largest(subject)
    if name not in names:
        raise ZooError("There is no table for '{name}'.", "Choose among: {names}.", at="representation", name=name,
                       names=", ".join(names))
    rows = min(subject.dataset.schema.feature(name).vocabulary, ROWS)
    table = layer.vectors_of(name, rows).detach().numpy().astype(np.float64)
    moved = table - table.mean(0)
    _, _, axes = np.linalg.svd(moved, full_matrices=False)
    places = moved @ axes[:2].T
    counted = subject.batch.features[name].numpy()
    counts = np.bincount(counted, minlength=rows)[:rows]
    frame = pd.DataFrame({"feature": name, "id": np.arange(rows), "count": counts, "norm": np.linalg.norm(table, axis=1),
                          "x": places[:, 0], "y": places[:, 1] if places.shape[1] > 1 else 0.0})
    return View("embeddings", frame)


def tables(subject: Subject) -> tuple[str, ...]:
    """The features that own a table."""
    return tuple(f.name for f in subject.dataset.schema.inputs
                 if f.kind == "categorical" and f.name in getattr(subject.model.representation, "places", {}))


def largest(subject: Subject) -> str:
    """The feature with the longest table."""
    return max(tables(subject), key=lambda name: subject.dataset.schema.feature(name).vocabulary)
