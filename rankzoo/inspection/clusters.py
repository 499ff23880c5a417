"""Clusters: whether items of one category have vectors that stand together, by the silhouette (Rousseeuw, 1987).

s_i = (b_i − a_i) / max(a_i, b_i): a_i is the mean distance of item i to the others of its category, b_i that to the items of
the nearest other one; 0 for the only item of its category. 1: apart and tight; 0: no categories to be seen; below 0: among
others.

Words alone may tell categories apart before anything is learnt. So chance is what untrained models of the same blueprint have,
and beside it stands whether they are above the same vectors with the categories shuffled.
"""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from rankzoo.inspection.score import Score, mean_score
from rankzoo.inspection.view import Subject, traced
from rankzoo.model import RankingModel

MOST = 12  # categories that a picture can tell apart by colour and symbol
SEEDS = (101, 102, 103)  # of untrained models; presets and claims start at 0
SHUFFLES = 20


def silhouettes(vectors: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(item, width), (item,) numbers of categories → s_i, (item,). NaN throughout where there is only one category."""
    known, group = np.unique(groups, return_inverse=True)
    if len(known) < 2:
        return np.full(len(groups), np.nan)
    squares = (vectors ** 2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * vectors @ vectors.T, 0.0))
    np.fill_diagonal(apart, 0.0)
    member = np.eye(len(known))[group]                              # (item, category)
    sums, sizes, rows = apart @ member, member.sum(axis=0), np.arange(len(group))
    own = sums[rows, group] / np.maximum(sizes[group] - 1, 1)
    means = sums / sizes
    means[rows, group] = np.inf
    nearest = means.min(axis=1)
    largest = np.maximum(own, nearest)
    found = np.divide(nearest - own, largest, out=np.zeros_like(own), where=largest > 0)
    return np.where(sizes[group] > 1, found, 0.0)


def attributes(subject: Subject, name: str) -> tuple[str, ...]:
    """By what the items of a table can be sorted: attributes of at most twelve values; none where it holds no items."""
    schema = subject.dataset.schema
    if not schema.named(name):
        return ()
    return tuple(f.name for f in schema.catalogue.schema.categorical if f.name != name and 2 < f.vocabulary <= MOST + 1)


def groups(subject: Subject, by: str, rows: int) -> np.ndarray:
    """The number of each item's category, 0 where unknown: (item,)."""
    return subject.batch.catalogue.features[by][:rows].numpy()


def together(subject: Subject, name: str, by: str, vectors: np.ndarray) -> Score:
    """The mean silhouette of items sorted by an attribute; chance is that of untrained models. `more`: that of the first of
    these, against shuffled categories."""
    sorted_as = groups(subject, by, len(vectors))
    known = sorted_as > 0
    first, *others = (silhouettes(_untrained(subject, name, seed, len(vectors))[known], sorted_as[known]) for seed in SEEDS)
    before = float(np.mean([first.mean(), *(each.mean() for each in others)]))
    rng, drawn = np.random.default_rng(0), _untrained(subject, name, SEEDS[0], len(vectors))[known]
    mixed = float(np.mean([silhouettes(drawn, rng.permutation(sorted_as[known])).mean() for _ in range(SHUFFLES)]))
    more = replace(mean_score("silhouette before training (with each {by} given by lot: {mixed})", first, mixed),
                   values={"by": by, "mixed": f"{mixed:.3f}"})
    found = mean_score("silhouette of items sorted by {by}", silhouettes(vectors[known], sorted_as[known]), before, (more,))
    return replace(found, values={"by": by})


def _untrained(subject: Subject, name: str, seed: int, rows: int) -> np.ndarray:
    """(item, width) the items' vectors with weights that have learnt nothing."""
    model = RankingModel(subject.model.blueprint, subject.dataset.schema, seed)
    return traced(model, subject.batch.rows(0, 1))[f"representation.{name}"].values[:rows].double().numpy()
