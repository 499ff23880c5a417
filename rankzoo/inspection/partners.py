"""Partners: whether what is wanted together has vectors that lie near each other, where it was planted which completes which.

Of each value of an attribute (a sub-category) the mean vector of its items; of all other values, the share whose mean lies
farther away than that of the value that completes it. 1: nothing is nearer; ½: as near as any other.

Unlike a silhouette this cannot be had from the attribute's own table: before training nothing tells which completes which.
"""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from rankzoo.data.truths import Completes
from rankzoo.inspection.clusters import distances
from rankzoo.inspection.score import Score, mean_score
from rankzoo.inspection.view import Subject

CHANCE = 0.5


def farther(vectors: np.ndarray, values: np.ndarray, partner: np.ndarray) -> np.ndarray:
    """(item, width), (item,) values, (value,) what completes each → (value,) the share of the others that are farther than it, ½
    of one that is as far; NaN of a value without items, or whose partner has none."""
    many = np.bincount(values, minlength=len(partner))
    sums = np.zeros((len(partner), vectors.shape[1]))
    np.add.at(sums, values, vectors)
    apart, known, found = distances(sums / np.maximum(many, 1)[:, None]), np.flatnonzero(many), np.full(len(partner), np.nan)
    for value in known:
        other = partner[value]
        rest = known[(known != value) & (known != other)]
        if many[other] and other != value and len(rest):
            away = apart[value, rest] - apart[value, other]
            found[value] = ((away > 0) + 0.5 * (away == 0)).mean()
    return found


def completed(subject: Subject, truth: Completes, vectors: np.ndarray, more: tuple[Score, ...] = ()) -> Score | None:
    """The score of the items' vectors, (item, width); None where no value can be compared."""
    ids = subject.batch.catalogue.features[truth.attribute][:len(vectors)].numpy()
    found = farther(vectors[ids > 0], ids[ids > 0] - 1, truth.partner)
    found = found[np.isfinite(found)]
    if not len(found):
        return None
    template = "share of the others that are farther from a {attribute} than what completes it"
    return replace(mean_score(template, found, CHANCE, more, "items"), values={"attribute": truth.attribute})
