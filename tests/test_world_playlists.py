"""The world `playlists`: edges are counts of playlists, new tracks are new, and what is asked for is what was drawn."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm

from rankzoo.data.load import from_world
from rankzoo.data.world import world
from rankzoo.data.worlds.playlists import AUDIO, NEAREST, NEIGHBOURS, TASKS, TRACKS, edges, sounds_like, strongest

PLAYLISTS = world("playlists")
ROWS = 6_000


@pytest.fixture(scope="module")
def made():
    return PLAYLISTS.make(ROWS, 0)


@pytest.fixture(scope="module")
def data():
    return from_world(PLAYLISTS, ROWS)


@pytest.fixture(scope="module")
def tracks():
    """The catalogue's draws: the generator begins with them."""
    return PLAYLISTS._tracks(np.random.default_rng(0))


def column(made, name: str, part: str) -> list:
    rows = PLAYLISTS.parts(ROWS)[part]
    return made.table[name].take(rows).to_pylist()


def test_the_strongest_neighbours_come_first():
    playlists = np.array([[5, 6, 7], [5, 6, 8], [5, 6, 7], [5, 9, 7], [5, 6, 9]])
    assert strongest(edges(playlists, 1))[5].tolist() == [6, 7, 9] + [-1] * (NEIGHBOURS - 3)
    assert strongest(edges(playlists, 2))[5].tolist() == [6, 7] + [-1] * (NEIGHBOURS - 2)
    assert (strongest(edges(playlists, 1))[0] == -1).all()


def test_a_fifth_of_a_playlist_is_hidden_whichever(tracks):
    """The sheet's protocol: eight of the forty tracks drawn first, as popular and as often new as tracks that are drawn; the
    visible ones are the known ones drawn first beside them, so that two of forty come later."""
    rng = np.random.default_rng(0)
    PLAYLISTS._tracks(rng)
    lists = PLAYLISTS._lists(rng, tracks, 2_000)
    assert lists.hidden.shape == (2_000, 8) and lists.visible.shape == (2_000, 30)
    drawn = np.take_along_axis(lists.weights, lists.hidden, axis=1).mean()
    known = np.take_along_axis(lists.weights, lists.visible, axis=1).mean()
    assert drawn == pytest.approx(known, rel=0.15) and not tracks.new[lists.visible].any()
    assert tracks.new[lists.hidden].mean() == pytest.approx(PLAYLISTS.new, abs=0.03)


def test_a_track_s_sound_tells_how_popular_it_is():
    """`told` is the correlation of a direction of the own sound, the same in all genres, with what ranks by popularity; a linear
    regression finds it, and nothing where it is 0."""
    for told in (0.0, 0.9):
        world = replace(PLAYLISTS, told=told)
        tracks = world._tracks(np.random.default_rng(0))
        known = np.eye(12)[tracks.genre]
        place = np.empty(TRACKS)
        for genre in range(12):
            mine = tracks.genre == genre
            order = np.argsort(np.argsort(tracks.popularity[mine]))
            place[mine] = norm.ppf((order + 0.5) / mine.sum())
        inputs = np.concatenate([known, tracks.audio], axis=1)
        told_of = inputs @ np.linalg.lstsq(inputs, place, rcond=None)[0]
        assert np.corrcoef(told_of, place)[0, 1] == pytest.approx(told, abs=0.12), told


def test_early_playlists_are_a_knob_that_leaves_the_rows_alone(made, tracks):
    alone = replace(PLAYLISTS, early=0).make(ROWS, 0)
    assert alone.table.equals(made.table)
    listed, with_early = (each.catalogue["neighbours.track"].to_pylist() for each in (alone, made))
    assert all(not listed[track] if tracks.new[track] else listed[track] == with_early[track] for track in range(TRACKS))


def test_every_row_asks_of_a_playlist_or_of_one_track(made):
    labels = np.stack([made.table[task].to_numpy() for task in TASKS], axis=1)
    shown = made.table["playlist.track"].to_pylist()
    of_list = labels[:, 0] >= 0
    assert (labels[of_list, 1:] == -1).all() and (labels[~of_list, 1:] >= 0).all()
    assert of_list.mean() == pytest.approx((11 + 1 + 3) / 20)
    assert all(target not in row and 1 <= len(row) == len(set(row)) <= 8
               for row, target in zip(shown, labels[:, 0], strict=True))
    assert all(len(row) == 1 for row, listed in zip(shown, of_list, strict=True) if not listed)


def test_labels_of_one_track_are_its_genre_and_what_sounds_like_it(made, tracks):
    nearest = sounds_like(tracks.audio, ~tracks.new)
    assert not tracks.new[nearest].any() and not (nearest == np.arange(TRACKS)[:, None]).any()
    genre, like = made.table["genre"].to_numpy(), made.table["acoustic_similarity"].to_numpy()
    for row, shown in enumerate(made.table["playlist.track"].to_pylist()):
        if genre[row] >= 0:
            assert genre[row] == tracks.genre[shown[0]] and like[row] in nearest[shown[0]]


def test_a_track_of_the_same_genre_is_any_other_known_one(made, tracks):
    """Never the track itself; each as likely, so that the true order has all of them in the middle of their places."""
    labels, shown = made.table["same_genre"].to_numpy(), made.table["playlist.track"].to_pylist()
    genre, rank = made.table["genre"].to_numpy(), made.truth.ranks["same_genre"]
    asked = np.flatnonzero(labels >= 0)
    assert ((labels >= 0) == (genre >= 0)).all() and (tracks.genre[labels[asked]] == genre[asked]).all()
    assert not tracks.new[labels[asked]].any() and all(labels[row] != shown[row][0] for row in asked)
    for row in asked[:50]:
        others = (tracks.genre == genre[row]) & ~tracks.new
        assert rank[row] == (others.sum() - others[shown[row][0]] + 1) / 2
    assert len(set(labels[asked].tolist())) > 0.5 * len(asked)


def test_an_edge_tells_its_weight_as_it_is(made, data):
    """How many playlists hold both, of a new track's few too: an amount, not an id that training must have met."""
    items, weights = data.batch.catalogue, made.truth.ties.weights
    assert torch.equal(items.histories["neighbours"][1:, :, 1], torch.from_numpy(weights))
    assert weights[weights > 0].min() == 1 and weights.max() > 10
    assert (np.diff(weights, axis=1) <= 0).all()


def test_sound_tells_half_of_the_genre():
    """The sheet's section 12: of the ten nearest 50 to 60 % are of the genre, in the mean over seeds; more among neighbours."""
    found, graph = [], []
    for seed in range(4):
        tracks = PLAYLISTS._tracks(np.random.default_rng(seed))
        nearest = sounds_like(tracks.audio, np.ones(TRACKS, dtype=bool))
        found.append((tracks.genre[nearest] == tracks.genre[:, None]).mean())
        listed = PLAYLISTS.make(ROWS, seed).catalogue["neighbours.track"].to_pylist()
        graph.append(np.mean([tracks.genre[track] == tracks.genre[one] for one, near in enumerate(listed) for track in near]))
    assert 0.5 <= np.mean(found) <= 0.6 and np.mean(graph) > 0.85


def test_the_oracle_knows_the_mixture(made):
    """Its places are those of the true weights, and far better than chance (.01): .2 to .4 among the first twenty."""
    rank, asked = made.truth.ranks["co_occurrence"], made.table["co_occurrence"].to_numpy() >= 0
    assert (rank[asked] >= 1).all() and (rank[asked] <= TRACKS).all()
    assert 0.2 < (rank[asked] <= 20).mean() < 0.4
    assert set(made.truth.ranks["acoustic_similarity"][~asked]) == {(NEAREST + 1) / 2}


def test_what_is_not_asked_for_is_unobserved(data):
    """A −1 is no track: the last one is not taken for seen because of it."""
    batch = data.batch
    asked = batch.labels["co_occurrence"] > 0
    assert torch.equal(batch.observed["co_occurrence"], asked) and torch.equal(batch.observed["genre"], ~asked)
    for seed in range(3):
        made, last = PLAYLISTS.make(1_000, seed), TRACKS - 1
        train = PLAYLISTS.parts(1_000)["train"]
        named = {track for row in made.table["playlist.track"].take(train).to_pylist() for track in row}
        named |= {track for task in TASKS[:2] for track in made.table[task].take(train).to_pylist()}
        assert bool(from_world(PLAYLISTS, 1_000, seed).batch.seen[last + 1]) == (last in named)


def test_audio_is_standardised_on_known_tracks(data):
    numbers = data.batch.catalogue.numbers[data.batch.seen]
    assert numbers.shape[1] == len(AUDIO) == 12
    torch.testing.assert_close(numbers.mean(dim=0), torch.zeros(12), rtol=0, atol=1e-4)


def test_names():
    assert PLAYLISTS.label("genre", 3) == "jazz" and PLAYLISTS.label("playlist.track", 7) == "track 7"
