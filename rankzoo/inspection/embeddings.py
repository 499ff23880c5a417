"""Embeddings: the rows of one feature's table, or the vectors of a catalogue's items, in two dimensions."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from rankzoo.errors import ZooError
from rankzoo.inspection import clusters, near, partners
from rankzoo.inspection.naming import name as name_of
from rankzoo.inspection.view import Subject, View

ROWS = 2_001
"""Of a table that are looked at: what is unknown, and 2,000 values."""


def embeddings(subject: Subject, feature: str = "", by: str = "") -> View:
    """Columns id, count, norm, x, y: how often a value occurs in the rows on view, the length of its vector, and its place
    on the first two principal components; of items also group, their value of an attribute (`by`, or the first that can sort
    them), and new, whether training never named it. Statistic: the silhouette of these groups, see clusters.py; where it was
    planted which items complete which, whether they lie near, see partners.py, with the silhouette beside it. Nothing is planted
    about the vectors of other tables. Where items list others, `agreement` says what the nearest have in common."""
    names = tables(subject)
    if not names:
        raise ZooError("This model has no embeddings.", "Choose one with embeddings as representation.", at="representation")
    name = feature or largest(subject)
    if name not in names:
        raise ZooError("There is no table for '{name}'.", "Choose among: {names}.", at="representation", name=name,
                       names=", ".join(names))
    table = _vectors(subject, name).detach().numpy().astype(np.float64)
    moved = table - table.mean(0)
    _, _, axes = np.linalg.svd(moved, full_matrices=False)
    places = moved @ axes[:2].T
    counts = np.bincount(_named(subject, name), minlength=len(table))[:len(table)]
    frame = pd.DataFrame({"feature": name, "id": np.arange(len(table)), "count": counts, "norm": np.linalg.norm(table, axis=1),
                          "x": places[:, 0], "y": places[:, 1] if places.shape[1] > 1 else 0.0})
    sorts = clusters.attributes(subject, name)
    if not sorts:
        return View("embeddings", frame)
    by = by if by in sorts else sorts[0]
    frame["group"] = [name_of(subject.dataset, by, int(id)) for id in clusters.groups(subject, by, len(frame))]
    frame["new"] = False if subject.batch.seen is None else ~subject.batch.seen[:len(frame)].numpy()
    frame.loc[0, "new"] = False
    score, truth = clusters.together(subject, name, by, table), subject.dataset.truth_of(subject.part)
    if truth and truth.completes:
        score = partners.completed(subject, truth.completes, table, (score, *score.more)) or score
    if not near.ties(subject):
        return View("embeddings", frame, score)
    agreed = near.agreement(subject, by)
    return View("embeddings", frame, replace(score, more=(*score.more, *near.scores(agreed, by))),
                {"agreement": near.table(agreed)}, beside=("agreement",))


def _vectors(subject: Subject, name: str) -> torch.Tensor:
    """(id, width) of a feature's first values, or of the first items."""
    schema = subject.dataset.schema
    if schema.named(name):
        return subject.trace[f"representation.{name}"].values[:ROWS]
    return subject.model.representation.vectors_of(name, min(schema.feature(name).vocabulary, ROWS))


def _named(subject: Subject, name: str) -> np.ndarray:
    """The ids that the rows on view name: a feature's values, or items wherever a row names one, padding left out."""
    batch, schema = subject.batch, subject.dataset.schema
    found = [batch.features[name]] if name in batch.features else []
    if schema.named(name):
        found += [batch.histories[h.name][:, :, i][batch.masks[h.name]] for h in schema.histories
                  for i, f in enumerate(h.fields) if schema.named(f.table)]
    return np.concatenate([ids.numpy() for ids in found]) if found else np.zeros(0, dtype=np.int64)


def tables(subject: Subject) -> tuple[str, ...]:
    """The features that own a table, and the catalogue."""
    schema = subject.dataset.schema
    own = tuple(f.name for f in schema.inputs
                if f.kind == "categorical" and f.name in getattr(subject.model.representation, "places", {}))
    return own + ((schema.catalogue.name,) if schema.catalogue and f"representation.{schema.catalogue.name}" in
                  subject.trace.entries else ())


def computed(subject: Subject, name: str) -> bool:
    """Whether vectors are made of what is known of an item, and none belongs to it: one that is new has a vector at once."""
    return bool(subject.dataset.schema.named(name)) and name not in subject.model.representation.attributes


def largest(subject: Subject) -> str:
    """The one with the longest table."""
    schema = subject.dataset.schema
    return max(tables(subject), key=lambda name: schema.catalogue.rows if schema.named(name) else schema.feature(name).vocabulary)
