"""`playlists`: which track belongs into a playlist, where some tracks are new and no playlist to learn from holds them.

Recipe of RankZoo after the setting of Saravanou et al., ISMIR 2021. A playlist has a mixture of genres; its tracks are drawn
by genre, then by popularity (Zipf). What is heard of a track is its genre's centre and what is its own; a taste that all genres
share likes some of the latter better, which tells most of how popular a track is, by `told`. Eight of a playlist's forty tracks
are hidden, whichever, so that a tenth of these are new. Two tracks are neighbours where more than `least` playlists hold both;
what is hidden of a playlist makes no edge. A new track stands in `early` playlists that nobody learns from. Whom it met there,
even once (`least` is for known tracks), are its neighbours; it is nobody else's.

A row asks what is missing in a playlist of which some tracks are shown, or of one track what sounds like it, which genre it is
of, and a known track of that genre, whichever (the genre as pairs). The genre stands in the catalogue, as what is asked for:
whoever reads it there has nothing to learn about it.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.later import pa
from rankzoo.data.truths import Ties, Truth
from rankzoo.data.world import Made, World, check_rows
from rankzoo.schema import Catalogue, Feature, History, HistoryField, Schema, Task

TRACKS, NEIGHBOURS, NEAREST = 2_000, 30, 10
PER_PLAYLIST, SHOWN = 20, 8  # rows that a playlist makes; tracks that a row shows of it at most
VISIBLE, VALIDATION, HIDDEN = 30, 2, 8
LONG = VISIBLE + VALIDATION + HIDDEN
HEAVIEST = 2_000  # playlists with both tracks that are told of an edge at most
GENRES = ("pop", "rock", "hip hop", "jazz", "folk", "metal", "soul", "techno", "classical", "country", "reggae", "blues")
AUDIO = ("danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness", "liveness", "valence", "tempo",
         "key_sin", "key_cos", "mode")
TASKS = ("co_occurrence", "acoustic_similarity", "genre", "same_genre")


class Tracks(NamedTuple):
    """The catalogue. genre, popularity, new: (track,) · audio: (track, feature)."""

    genre: np.ndarray
    popularity: np.ndarray
    audio: np.ndarray
    new: np.ndarray


class Lists(NamedTuple):
    """Playlists. visible, validation, hidden: (playlist, place) tracks · weights: (playlist, track), in proportion to which
    tracks are drawn."""

    visible: np.ndarray
    validation: np.ndarray
    hidden: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Playlists(World):
    """Playlists of forty. noise: sd of what is heard around the centre of a genre, in which sd 1 · zipf: exponent of the
    popularity · told: correlation of what ranks tracks by popularity with what is heard · mixture: concentration of the Dirichlet
    of a playlist's genres · least: playlists with both tracks that an edge of a known one needs more than · new: share of
    tracks that are never seen in training · early: playlists of a new track."""

    noise: float = 1.3
    zipf: float = 0.8
    told: float = 0.9
    mixture: float = 0.05
    least: int = 2
    new: float = 0.1
    early: int = 3

    name: ClassVar[str] = "playlists"
    title: ClassVar[str] = "Playlists: new tracks"
    sentence: ClassVar[str] = "Playlists and the tracks missing in them, some new: known by their sound and a few neighbours."
    formula: ClassVar[str] = (r"\theta_p \sim \mathrm{Dir}(0.05),\quad P(t \mid p) \propto \theta_{p, g_t}\,"
                              r"\frac{r_t^{-0.8}}{\sum_{g_s = g_t} r_s^{-0.8}},\quad x_t = c_{g_t} + 1.3\,\varepsilon_t,\quad"
                              r" r_t = \mathrm{rank}\big(0.9\,b^\top\varepsilon_t + \sqrt{1 - 0.9^2}\,\eta_t\big)")
    rows: ClassVar[int] = 30_000
    version: ClassVar[int] = 3
    test_share: ClassVar[float] = 0.2
    validation_share: ClassVar[float] = 0.125

    @property
    def schema(self) -> Schema:
        """Nothing but the playlist: up to eight of its tracks, and what is known of each; four tasks."""
        tasks = tuple(Task(name, "class", "genre" if name == "genre" else "track") for name in TASKS)
        past = History("playlist", SHOWN, (HistoryField("track", TRACKS + 1, "track"),))
        about = (Feature("track", "categorical", TRACKS + 1, "item"), Feature("genre", "categorical", len(GENRES) + 1, "item"),
                 *(Feature(name, "numeric", side="item") for name in AUDIO))
        near = History("neighbours", NEIGHBOURS, (HistoryField("track", TRACKS + 1, "track"),
                                                  HistoryField("weight", HEAVIEST + 1, counted=True)))
        return Schema((), tasks, (past,), catalogue=Catalogue("track", Schema(about, (), (near,))))

    @property
    def task_rates(self) -> Mapping[str, float]:
        """No task has a rate: all labels are classes."""
        return {}

    def label(self, field: str, value: int) -> str:
        """Genres by name; tracks by number."""
        return GENRES[value] if field.endswith("genre") else super().label(field.rpartition(".")[2], value)

    def make(self, rows: int, seed: int) -> Made:
        """Tracks, playlists, rows, then the playlists of new tracks: in this order from one generator, so that `early` leaves the
        rows alone; tracks of one genre are drawn from another. Each playlist makes twenty rows, of which 14, 2 and 4 go to the
        parts; only the last are about new tracks."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        tracks = self._tracks(rng)
        lists = self._lists(rng, tracks, -(-rows // PER_PLAYLIST))
        nearest = sounds_like(tracks.audio, ~tracks.new)
        known, new = (rng.permutation(np.flatnonzero(each)) for each in (~tracks.new, tracks.new))
        asked = ((lists.visible, 11, known, 3), (lists.validation, 1, known, 1), (lists.hidden, 3, new, 1))
        made = [_rows(rng, lists, *each, nearest, tracks) for each in asked]
        sizes = [len(part) for part in self.parts(rows).values()]
        shown, labels, ranks = (np.concatenate([part[i][:size] for part, size in zip(made, sizes, strict=True)])
                                for i in range(3))
        columns = {"playlist.track": recipes.lists(shown, shown >= 0)}
        counts = edges(lists.visible, self.least)
        counts[tracks.new] = self._met(rng, tracks)
        near = strongest(counts)
        more = _alike(rng.spawn(1)[0], shown[:, 0], labels[:, 2], tracks)
        labels, ranks = (np.column_stack(each) for each in zip((labels, ranks), more, strict=True))
        columns |= {task: labels[:, i].astype(np.int32) for i, task in enumerate(TASKS)}
        ties = Ties("neighbours", np.where(near >= 0, np.take_along_axis(counts, near, axis=1), 0))
        truth = Truth({}, ranks={task: ranks[:, i] for i, task in enumerate(TASKS)}, ties=ties, formula=self.formula)
        return Made(pa.table(columns), truth, catalogue=_catalogue(tracks, near, ties.weights))

    def _tracks(self, rng: np.random.Generator) -> Tracks:
        genre = rng.integers(0, len(GENRES), TRACKS)
        centres = rng.standard_normal((len(GENRES), len(AUDIO)))
        own = rng.standard_normal((TRACKS, len(AUDIO)))
        audio = centres[genre] + self.noise * own
        taste = rng.standard_normal(len(AUDIO))
        liked = self.told * own @ taste / np.linalg.norm(taste) + np.sqrt(1 - self.told**2) * rng.standard_normal(TRACKS)
        popularity = (1.0 + np.argsort(np.argsort(-liked))) ** -self.zipf
        new = np.zeros(TRACKS, dtype=bool)
        new[rng.permutation(TRACKS)[:round(self.new * TRACKS)]] = True
        return Tracks(genre, popularity / np.bincount(genre, popularity, len(GENRES))[genre], audio, new)

    def _lists(self, rng: np.random.Generator, tracks: Tracks, playlists: int) -> Lists:
        """Draws without repetition. Of the first forty eight are hidden by lot; visible are the known tracks that are drawn first
        beside them."""
        mixtures = rng.dirichlet(np.full(len(GENRES), self.mixture), playlists)
        weights = mixtures[:, tracks.genre] * tracks.popularity                       # (playlist, track)
        order = _order(rng, weights)
        away = np.zeros(order.shape, dtype=bool)
        away[:, :LONG] = np.arange(LONG) < HIDDEN
        away[:, :LONG] = rng.permuted(away[:, :LONG], axis=1)
        hidden = order[away].reshape(playlists, HIDDEN)
        free = ~away & ~tracks.new[order]
        first = order[free & (np.cumsum(free, axis=1) <= VISIBLE + VALIDATION)].reshape(playlists, -1)
        first = rng.permuted(first, axis=1)
        return Lists(first[:, :VISIBLE], first[:, VISIBLE:], hidden, weights)

    def _met(self, rng: np.random.Generator, tracks: Tracks) -> np.ndarray:
        """(new track, track) in how many of its `early` playlists it met each of the known tracks."""
        new = np.repeat(np.flatnonzero(tracks.new), self.early)
        # A playlist that is known to hold a track has its genre once more: the Dirichlet's posterior.
        shares = rng.standard_gamma(self.mixture + np.eye(len(GENRES))[tracks.genre[new]])
        weights = shares[:, tracks.genre] * tracks.popularity * ~tracks.new
        others = _order(rng, weights)[:, :VISIBLE - 1]
        met = np.zeros((int(tracks.new.sum()), TRACKS), dtype=int)
        if self.early:
            np.add.at(met, (np.repeat(np.arange(len(met)), self.early * others.shape[1]), others.ravel()), 1)
        return met


def _order(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """(playlist, track) all tracks in the order in which they are drawn: by Gumbel noise on the logarithms of the weights."""
    return np.argsort(-(np.log(np.maximum(weights, 1e-30)) + rng.gumbel(size=weights.shape)), axis=1)


def edges(playlists: np.ndarray, least: int, tracks: int = TRACKS) -> np.ndarray:
    """(playlist, place) tracks → (track, track) number of distinct playlists with both, 0 where it is not more than `least`."""
    held = np.zeros((len(playlists), tracks), dtype=np.float32)
    np.put_along_axis(held, playlists, 1.0, axis=1)
    both = held.T @ held
    np.fill_diagonal(both, 0.0)
    return np.where(both > least, both, 0.0).astype(int)


def strongest(counts: np.ndarray) -> np.ndarray:
    """(track, track) weights of edges → (track, place) the neighbours, the strongest first, −1 where there are no more."""
    found = np.argsort(-counts, axis=1, kind="stable")[:, :NEIGHBOURS]
    return np.where(np.take_along_axis(counts, found, axis=1) > 0, found, -1)


def sounds_like(audio: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(track, 10) known tracks whose standardised audio is nearest to a track's, by cosine."""
    sound = np.stack([recipes.std(column) for column in audio.T], axis=1)
    sound /= np.linalg.norm(sound, axis=1, keepdims=True)
    cosine = np.where(known, sound @ sound.T, -2.0)
    np.fill_diagonal(cosine, -2.0)
    return np.argsort(-cosine, axis=1, kind="stable")[:, :NEAREST]


def _rows(rng: np.random.Generator, lists: Lists, asked: np.ndarray, of_list: int, alone: np.ndarray, of_track: int,
          nearest: np.ndarray, tracks: Tracks) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(row, place) tracks shown, (row, 3) labels and true ranks of all tasks but the last, −1 and 1 where nothing is asked: for
    each playlist `of_list` rows that ask for one of its tracks `asked`, then `of_track` that show a track by itself."""
    playlists = len(asked)
    target = rng.permuted(asked, axis=1)[:, :of_list]                                        # (playlist, row)
    keys = rng.random((playlists, of_list, VISIBLE))
    keys[lists.visible[:, None, :] == target[:, :, None]] = 2.0                              # never among what is shown
    shown = np.take_along_axis(lists.visible[:, None, :], np.argsort(keys, axis=2)[:, :, :SHOWN], axis=2)
    shown[np.arange(SHOWN) >= rng.integers(1, SHOWN + 1, (playlists, of_list))[:, :, None]] = -1
    ranks = np.ones((playlists, of_list + of_track, 3))
    own = np.take_along_axis(lists.weights, target, axis=1)                                  # (playlist, row)
    for i in range(of_list):
        there = np.take_along_axis(lists.weights, np.maximum(shown[:, i], 0), axis=1) > own[:, i:i + 1]
        ranks[:, i, 0] += (lists.weights > own[:, i:i + 1]).sum(axis=1) - (there & (shown[:, i] >= 0)).sum(axis=1)
    ranks[:, of_list:, 1] = (NEAREST + 1) / 2                                                # ten that are equally right
    single = alone[np.arange(playlists * of_track) % len(alone)].reshape(playlists, of_track)
    like = nearest[single, rng.integers(0, NEAREST, single.shape)]
    by_itself = np.full((playlists, of_track, SHOWN), -1)
    by_itself[:, :, 0] = single
    none, nothing = np.full_like(target, -1), np.full_like(single, -1)
    labels = np.concatenate([np.stack([target, none, none], axis=2),
                             np.stack([nothing, like, tracks.genre[single]], axis=2)], axis=1)
    return tuple(each.reshape(-1, each.shape[2]) for each in (np.concatenate([shown, by_itself], axis=1), labels, ranks))


def _alike(rng: np.random.Generator, shown: np.ndarray, genre: np.ndarray, tracks: Tracks) -> tuple[np.ndarray, np.ndarray]:
    """(row,) the track that a row shows, (row,) its genre or −1 → (row,) another known track of that genre, −1 where none is
    asked for, and its true rank: all of them are equally right."""
    label, rank = np.full(len(shown), -1), np.ones(len(shown))
    for one in range(len(GENRES)):
        asked, of_genre = np.flatnonzero(genre == one), np.flatnonzero((tracks.genre == one) & ~tracks.new)
        if not len(asked) or len(of_genre) < 2:
            continue
        place = rng.integers(0, len(of_genre), len(asked))
        itself = of_genre[place] == shown[asked]
        label[asked] = of_genre[(place + itself * rng.integers(1, len(of_genre), len(asked))) % len(of_genre)]
        rank[asked] = (len(of_genre) - np.isin(shown[asked], of_genre) + 1) / 2
    return label, rank


def _catalogue(tracks: Tracks, near: np.ndarray, weights: np.ndarray) -> pa.Table:
    columns = {"track": np.arange(TRACKS, dtype=np.int32), "genre": tracks.genre.astype(np.int32)}
    columns |= {name: tracks.audio[:, i].astype(np.float32) for i, name in enumerate(AUDIO)}
    return pa.table(columns | {"neighbours.track": recipes.lists(near, near >= 0),
                               "neighbours.weight": recipes.lists(weights, near >= 0)})


WORLD = Playlists()
