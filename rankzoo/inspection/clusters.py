"""Clusters: whether items of one category have vectors that stand together, by the silhouette (Rousseeuw, 1987).

s_i = (b_i − a_i) / max(a_i, b_i): a_i is the mean distance of item i to the others of its category, b_i that to the items of
the nearest other one; 0 for the only item of its category. 1: apart and tight; 0: no categories to be seen; below 0: among
others.

Words alone may tell categories apart before anything is learnt, and one draw of the weights more than another: by more than items
differ, so that an interval over items cannot know it. So chance is what an untrained model of the same blueprint seldom exceeds:
the upper end of the 99 % prediction interval for one more draw, s̄ + t_{.995, n−1} · sd · √(1 + 1/n), over n = 20 seeds. Beside it
stands whether the first of these is above the same vectors with the categories shuffled.
"""
from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from threading import Lock

import numpy as np
import torch
from scipy.special import stdtrit

from rankzoo.inspection.score import Score, mean_score
from rankzoo.inspection.view import Subject
from rankzoo.trace import Trace

MOST = 12  # categories that a picture can tell apart by colour and symbol
SEEDS = range(101, 121)  # of untrained models; presets and claims start at 0
SHUFFLES = 20
LOOKS = 64  # chances that are kept
_known, _lock = OrderedDict[tuple, tuple[float, Score]](), Lock()


def silhouettes(vectors: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(item, width), (item,) numbers of categories → s_i, (item,). NaN throughout where there is only one category."""
    return sorted_by(distances(vectors), groups)


def distances(vectors: np.ndarray) -> np.ndarray:
    """(item, width) → Euclidean, (item, item)."""
    squares = (vectors ** 2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * vectors @ vectors.T, 0.0))
    np.fill_diagonal(apart, 0.0)
    return apart


def sorted_by(apart: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The silhouettes where distances are known: (item, item), (item,) → (item,)."""
    known, group = np.unique(groups, return_inverse=True)
    if len(known) < 2:
        return np.full(len(groups), np.nan)
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
    """The mean silhouette of items sorted by an attribute; chance is what an untrained model seldom exceeds. `more`: that of one
    untrained model, against shuffled categories."""
    sorted_as = groups(subject, by, len(vectors))
    known = sorted_as > 0
    chance, before = _chance(subject, name, by, sorted_as)
    each = silhouettes(vectors[known], sorted_as[known])
    return replace(mean_score("silhouette of items sorted by {by}", each, chance, (before,), "items"), values={"by": by})


def _chance(subject: Subject, name: str, by: str, sorted_as: np.ndarray) -> tuple[float, Score]:
    """Chance and what stands beside it: the same at every look at these data through this blueprint, so made at the first."""
    key = (subject.model.blueprint.model_dump_json(), subject.dataset.hash, name, by, sorted_as.tobytes())
    with _lock:
        if key not in _known:
            _known[key] = _before(subject, name, by, sorted_as)
        _known.move_to_end(key)
        if len(_known) > LOOKS:
            _known.popitem(last=False)
        return _known[key]


def _before(subject: Subject, name: str, by: str, sorted_as: np.ndarray) -> tuple[float, Score]:
    """What untrained models have."""
    known, rng = sorted_as > 0, np.random.default_rng(0)
    drawn = lambda seed: distances(_untrained(subject, name, seed, len(sorted_as))[known])  # noqa: E731
    apart = drawn(SEEDS[0])
    first = sorted_by(apart, sorted_as[known])
    mixed = float(np.mean([sorted_by(apart, rng.permutation(sorted_as[known])).mean() for _ in range(SHUFFLES)]))
    means = [first.mean(), *(sorted_by(drawn(seed), sorted_as[known]).mean() for seed in SEEDS[1:])]
    more = replace(mean_score("silhouette before training (with each {by} given by lot: {mixed})", first, mixed, over="items"),
                   values={"by": by, "mixed": f"{mixed:.3f}"})
    return highest(np.array(means)), more


def highest(values: np.ndarray) -> float:
    """What one more draw from where these n came from exceeds once in 200: the mean + t_{.995, n−1} · sd · √(1 + 1/n)."""
    n = len(values)
    return float(values.mean() + stdtrit(n - 1, 0.995) * values.std(ddof=1) * np.sqrt(1 + 1 / n))


def _untrained(subject: Subject, name: str, seed: int, rows: int) -> np.ndarray:
    """(item, width) the items' vectors with weights that have learnt nothing; no more is built than what makes them."""
    place, *_ = subject.model.blueprint.places(subject.dataset.schema)
    trace = Trace()
    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(seed)
        place.spec.build(place.shape).eval()(subject.batch.rows(0, 1).unlabelled(), trace.at(place.address))
    return trace[f"{place.address}.{name}"].values[:rows].double().numpy()
