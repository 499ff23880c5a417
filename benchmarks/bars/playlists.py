"""`playlists`: new tracks are found among the new, genres are told, and a model comes near to what a playlist lets anybody guess.

The generator's own order of all tracks is out of reach: it knows how popular each track is, which nothing tells of a new one.
"""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from benchmarks.bars import Bar
from rankzoo.claims.papers.cold_tracks import TASK, measure
from rankzoo.claims.trial import Trained
from rankzoo.data.dataset import Dataset
from rankzoo.data.load import from_world
from rankzoo.data.worlds.playlists import GENRES, PER_PLAYLIST, TRACKS, WORLD, Tracks
from rankzoo.document import Document
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import RECALL, TOP, evaluate, predict

PER_TEST = 4  # rows of the test part that a playlist makes


@lru_cache(maxsize=1)
def measured(seed: int) -> dict[str, float]:
    """One training of the preset: recall@20 of the missing track, of new ones among the new, of what sounds like a track, and MRR
    of the genre; with what the planted weights and the best guess reach."""
    dataset = from_world(WORLD, seed=seed)
    document = Document.preset("spotify").but([("settings.seed", seed)])
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    for _ in fit:
        pass
    fit.restore_best()
    rows, model = dataset.part("test"), fit.model.eval()
    metrics = evaluate(predict(model, rows), rows, dataset.schema)
    rng = np.random.default_rng(seed)
    tracks = WORLD._tracks(rng)
    weights = WORLD._lists(rng, tracks, -(-WORLD.rows // PER_PLAYLIST)).weights
    return {"all": metrics[TASK][RECALL], "pool": measure(Trained(None, model, dataset, {}), rows)["pool"],
            "sound": metrics["acoustic_similarity"][RECALL], "genre": metrics["genre"]["mrr"],
            "guess": guess(dataset, tracks), "planted pool": among_new(dataset, tracks, weights)}


def asked(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The test rows that ask for a missing track, and these tracks, from 0."""
    rows = dataset.part("test")
    found = np.flatnonzero(rows.observed[TASK].numpy())
    return found, rows.labels[TASK].numpy()[found].astype(int) - 1


def among_new(dataset: Dataset, tracks: Tracks, weights: np.ndarray) -> float:
    """Recall@20 of new tracks among the new by the weights (playlist, track) from which they were drawn."""
    found, label = asked(dataset)
    found, label = found[tracks.new[label]], label[tracks.new[label]]
    of = weights[found // PER_TEST]
    return float(((of[:, tracks.new] > np.take_along_axis(of, label[:, None], axis=1)).sum(axis=1) < TOP).mean())


def guess(dataset: Dataset, tracks: Tracks) -> float:
    """Recall@20 among all tracks of who knows every genre, how popular each known track is and nothing of a new one but the mean
    of its genre; the mixture of genres is Bayes' guess from the tracks shown."""
    popularity = tracks.popularity.copy()
    for genre in range(len(GENRES)):
        mine = tracks.genre == genre
        popularity[mine & tracks.new] = popularity[mine & ~tracks.new].mean()
    found, label = asked(dataset)
    rows, hits = dataset.part("test"), []
    shown, there = rows.histories["playlist"][:, :, 0].numpy().astype(int) - 1, rows.masks["playlist"].numpy()
    for row, right in zip(found, label, strict=True):
        seen = shown[row][there[row]]
        mixture = np.bincount(tracks.genre[seen], minlength=len(GENRES)) + WORLD.mixture
        probable = mixture[tracks.genre] * popularity
        probable[seen] = 0
        above, like = (probable > probable[right]).sum(), (probable == probable[right]).sum()
        hits.append(above + (like + 1) / 2 <= TOP)
    return float(np.mean(hits))


def way(value: str, best: str | float, chance: float, seed: int) -> float:
    """From chance (0) to the best (1)."""
    found = measured(seed)
    return (found[value] - chance) / ((found[best] if isinstance(best, str) else best) - chance)


AT_RANDOM = sum(1 / place for place in range(1, len(GENRES) + 1)) / len(GENRES)  # MRR of any order
BARS = (
    Bar("new tracks among the new, way from chance to the planted weights",
        lambda seed: way("pool", "planted pool", TOP / (WORLD.new * TRACKS), seed), "mean >= .6",
        lambda values: np.mean(values) >= 0.6, 0.0),
    Bar("missing tracks among all, way from chance to the best guess",
        lambda seed: way("all", "guess", TOP / TRACKS, seed), "mean >= .6", lambda values: np.mean(values) >= 0.6, 0.0),
    Bar("genre, way of the MRR from any order to the right one", lambda seed: way("genre", 1.0, AT_RANDOM, seed),
        ">= .6 in every seed", lambda values: min(values) >= 0.6, 0.0),
    Bar("what sounds like a track, recall@20 among all", lambda seed: measured(seed)["sound"], ">= 5 times chance in every seed",
        lambda values: min(values) >= 5 * TOP / TRACKS, TOP / TRACKS),
)
