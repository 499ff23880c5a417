"""`playlists`: how far the preset comes from chance to the generator's own order, among all tracks and the new.

Known and new tracks are told apart: a tenth of what is hidden is new, and how popular a new track is only its sound tells.
"""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from benchmarks.bars import Bar
from rankzoo.claims.papers.cold_tracks import TASK, measure
from rankzoo.claims.trial import Trained
from rankzoo.data.dataset import Dataset
from rankzoo.data.load import from_world
from rankzoo.data.worlds.playlists import GENRES, PER_PLAYLIST, TRACKS, WORLD
from rankzoo.document import Document
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import RECALL, TOP, evaluate, oracle, predict

PER_TEST = 4  # rows of the test part that a playlist makes
SOUND = "acoustic_similarity"


@lru_cache(maxsize=1)
def measured(seed: int) -> dict[str, tuple[float, float]]:
    """One training of the preset, what it reaches and what the planted weights do: recall@20 of the missing track among all, of
    those that training knows and of the new ones, of new ones among the new, of what sounds like a track; MRR of the genre."""
    dataset = from_world(WORLD, seed=seed)
    document = Document.preset("spotify").but([("settings.seed", seed)])
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    for _ in fit:
        pass
    fit.restore_best()
    rows, model = dataset.part("test"), fit.model.eval()
    found, best = evaluate(predict(model, rows), rows, dataset.schema), oracle(dataset)
    new = share_of_new(dataset)
    pairs = {"all": (found[TASK][RECALL], best[TASK][RECALL]), "sound": (found[SOUND][RECALL], best[SOUND][RECALL]),
             "new": (found[TASK][f"{RECALL}_new"], best[TASK][f"{RECALL}_new"]), "genre": (found["genre"]["mrr"], 1.0),
             "pool": (measure(Trained(None, model, dataset, {}), rows)["pool"], among_new(dataset, seed))}
    return pairs | {"known": tuple((whole - new * cold) / (1 - new)
                                   for whole, cold in zip(pairs["all"], pairs["new"], strict=True))}


def asked(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The test rows that ask for a missing track, and these tracks."""
    rows = dataset.part("test")
    found = np.flatnonzero(rows.observed[TASK].numpy())
    return found, rows.labels[TASK].numpy()[found].astype(int)


def share_of_new(dataset: Dataset) -> float:
    """Of the missing tracks."""
    return float((~dataset.batch.seen.numpy()[asked(dataset)[1]]).mean())


def among_new(dataset: Dataset, seed: int) -> float:
    """Recall@20 of new tracks among the new by the weights (playlist, track) from which they were drawn."""
    rng = np.random.default_rng(seed)
    tracks = WORLD._tracks(rng)
    weights = WORLD._lists(rng, tracks, -(-WORLD.rows // PER_PLAYLIST)).weights
    found, label = asked(dataset)
    found, label = found[tracks.new[label - 1]], label[tracks.new[label - 1]] - 1
    of = weights[found // PER_TEST]
    return float(((of[:, tracks.new] > np.take_along_axis(of, label[:, None], axis=1)).sum(axis=1) < TOP).mean())


def way(value: str, chance: float, seed: int) -> float:
    """From chance (0) to the best (1)."""
    found, best = measured(seed)[value]
    return (found - chance) / (best - chance)


AT_RANDOM = sum(1 / place for place in range(1, len(GENRES) + 1)) / len(GENRES)  # MRR of any order
AMONG_ALL, AMONG_NEW = TOP / TRACKS, TOP / (WORLD.new * TRACKS)
BARS = tuple(
    Bar(f"{name}, way from chance to the generator's order", lambda seed, key=key, chance=chance: way(key, chance, seed),
        ">= .6 in every seed", lambda values: min(values) >= 0.6, 0.0)
    for name, key, chance in (
        ("missing tracks among all, recall@20", "all", AMONG_ALL), ("known missing tracks among all", "known", AMONG_ALL),
        ("new tracks among the new", "pool", AMONG_NEW), ("what sounds like a track, recall@20 among all", "sound", AMONG_ALL),
        ("genre, MRR", "genre", AT_RANDOM))) + (
    Bar("new missing tracks among all, recall@20", lambda seed: measured(seed)["new"][0], ">= 5 times chance in every seed",
        lambda values: min(values) >= 5 * AMONG_ALL, AMONG_ALL),
    Bar("new missing tracks among all, way from chance to the generator's order", lambda seed: way("new", AMONG_ALL, seed),
        ">= .2 in the mean", lambda values: np.mean(values) >= 0.2, 0.0))
