"""Near: company by hand, against shares that anybody can count, and whom a step reads."""
from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rankzoo.data.load import from_world
from rankzoo.data.worlds.playlists import GENRES, WORLD, edges, strongest
from rankzoo.errors import ZooError
from rankzoo.figures.agreement import agreement
from rankzoo.figures.around import around as drawn
from rankzoo.figures.around import placed
from rankzoo.figures.scatter import styles, vectors
from rankzoo.figures.theme import theme
from rankzoo.inspection import near
from rankzoo.inspection.embeddings import embeddings
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from tests.support import random_subject, small


@pytest.fixture(scope="module")
def subject() -> Subject:
    return random_subject("spotify", from_world(WORLD, 2_000), 20)


def test_nearest_by_hand():
    """On the circle at 0°, 10°, 30° and 90°, of which the second is no candidate."""
    angles = np.radians([0, 10, 30, 90])
    places = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = near.nearest(places, np.array([True, False, True, True]), 2)
    assert found.tolist() == [[2, 3], [0, 2], [0, 3], [2, 0]]


def test_weights_are_the_playlists_in_common(subject):
    """Of a known track the number of visible playlists with both; of a new one how many of its three; 0 where the list ends."""
    rng = np.random.default_rng(0)
    tracks = WORLD._tracks(rng)
    counts, ties = edges(WORLD._lists(rng, tracks, 100).visible, WORLD.least), near.ties(subject)
    listed = strongest(counts)
    for track in np.flatnonzero(~tracks.new)[:50]:
        assert ties.weights[track].tolist() == [counts[track, other] if other >= 0 else 0 for other in listed[track]]
    there = subject.batch.catalogue.masks["neighbours"].numpy()[1:]
    assert ((ties.weights > 0) == there).all() and (np.diff(ties.weights, axis=1) <= 0).all()
    assert ties.weights[tracks.new].max() <= WORLD.early


def test_agreement_against_counting(subject):
    """For some tracks, with loops over all known ones; a table by kind; chance is what lot gives."""
    frame, known = near.agreement(subject, "genre").set_index("id"), subject.batch.seen.numpy()
    items = subject.batch.catalogue
    genre, lists = items.features["genre"].numpy(), items.histories["neighbours"][:, :, 0].numpy()
    places = near.vectors(subject)
    for item in (1, 7, int(np.flatnonzero(~known)[5])):
        others = sorted((o for o in range(1, len(known)) if known[o] and o != item), key=lambda o: -places[o] @ places[item])
        ten = others[:10]
        listed = [other in set(lists[item]) - {0} or item in set(lists[other]) - {0} for other in others]
        assert frame["category"][item] == pytest.approx(np.mean([genre[o] == genre[item] for o in ten]))
        assert frame["listed"][item] == pytest.approx(np.mean(listed[:10]))
        assert frame["listed by lot"][item] == pytest.approx(np.mean(listed))
        assert frame["category by lot"][item] == pytest.approx(np.mean([genre[o] == genre[item] for o in others]))
        assert set(near.company(subject, item, "genre")["id"]) == set(ten)
    table = near.table(frame.reset_index())
    assert len(table) == 6 and table["chance"].between(0, 0.2).all()


@pytest.mark.parametrize("perfect", [True, False])
def test_a_perfect_map_is_found_and_a_random_one_is_not(subject, monkeypatch, perfect):
    """Genres apart: all ten are of it; vectors drawn by lot have what chance has."""
    genre, rng = subject.batch.catalogue.features["genre"].numpy(), np.random.default_rng(0)
    places = np.eye(13)[genre] + 1e-3 * rng.standard_normal((2_001, 13)) if perfect else rng.standard_normal((2_001, 64))
    monkeypatch.setattr(near, "vectors", lambda subject: places / np.linalg.norm(places, axis=1, keepdims=True))
    known, new = near.scores(near.agreement(subject, "genre"), "genre")
    assert known.statistic == "ten nearest of a known item that are of its genre" and "new item" in new.statistic
    if perfect:
        assert known.value > 0.99 and known.found and new.found
    else:
        assert known.value == pytest.approx(known.chance, abs=0.01) and new.value == pytest.approx(new.chance, abs=0.03)


def test_what_a_step_reads_of_a_track(subject):
    """At most five neighbours and ten of each of theirs, with the edges' weights; a seed repeats them; who has none is alone."""
    item = int((subject.batch.catalogue.masks["neighbours"].sum(dim=1) > 20).nonzero()[0])
    read, again, other = (near.around(subject, item, seed) for seed in (0, 0, 1))
    assert read.equals(again) and not read.equals(other)
    first, second = read[read["hop"] == 1], read[read["hop"] == 2]
    assert len(first) == 5 and (first["of"] == item).all() and set(second["of"]) <= set(first["id"])
    assert second.groupby("of").size().max() == 10 and (read["weight"] > 0).all()
    lists = subject.batch.catalogue.histories["neighbours"][:, :, 0]
    weights = near.ties(subject).weights
    for _, of, id, weight in read.itertuples(index=False):
        place = lists[of].tolist().index(id)
        assert weights[of - 1, place] == weight
    with pytest.raises(ZooError, match="There is no item 2001. Choose one from 1 to 2000."):
        near.around(subject, 2_001)


def test_the_view_of_a_graph_says_it_and_no_other_does(subject):
    view = embeddings(subject)
    assert view.beside == ("agreement",) and view.table["new"].sum() >= 200
    assert len(view.table) == 2_001 and not view.table["new"][0]
    assert [score.statistic[:11] for score in view.truth.more[1:]] == ["ten nearest"] * 2
    shop = systems()["homedepot"]
    data = small(shop.dataset, 2_000)
    other = embeddings(Subject.of(RankingModel(shop.blueprint, data.schema).eval(), data, rows=20))
    assert other.tables == {} and other.table["new"].sum() > 100
    assert not any("ten nearest" in score.statistic for score in (other.truth, *other.truth.more))


def test_pictures(subject):
    """New items have a ring, on the map alone; a tree's leaves stand evenly around, and who reads them in their middle."""
    frame = embeddings(subject).table
    figure = vectors(frame.assign(name="n"), theme(), "t")
    ring = figure.data[0]
    assert len(ring.x) == frame["new"].sum() and ring.marker.symbol == "circle-open" and ring.hoverinfo == "skip"
    assert set(styles(frame["group"], theme())) == {*GENRES, ""}
    tree = pd.DataFrame({"hop": [0, 1, 1, 2, 2, 2], "of": [-1, 0, 0, 1, 1, 2], "weight": [0, 4, 2, 1, 1, 3],
                         "name": list("abcdef"), "group": ["jazz", "", "jazz", "folk", "folk", "folk"]})
    turn = 2 * np.pi / 3
    assert placed(tree)[1:] == pytest.approx([turn / 2, 2 * turn, 0, turn, 2 * turn])
    widths = [trace.line.width for trace in drawn(tree, styles(frame["group"], theme()), theme(), "t").data[:5]]
    assert widths == pytest.approx([6, 3, 1.5, 1.5, 4.5])


def test_what_the_nearest_have_in_common_is_drawn_for_each_model():
    """A dot at each model's share on one scale, its number behind, and a line where chance is."""
    kinds = (("linked", "known", (0.5, 0.25)), ("linked", "new", (0.1, 0.4)))
    rows = [(what, items, label, share) for what, items, shares in kinds
            for label, share in zip(("this model", "run 2"), shares, strict=True)]
    frame = pd.DataFrame(rows, columns=["what", "items", "label", "share"]).assign(chance=0.02)
    said = str(agreement(frame, "Of the ten nearest"))
    assert "50 % · 25 %" in said and "10 % · 40 %" in said and "run 2, linked, new: 40.0 %" in said
    assert said.count("by lot: 2.0 %") == 2


def test_heavy_edges_are_read_more_often_where_they_are_drawn_by_weight():
    """Over a hundred seeds, of tracks with more neighbours than a step reads."""
    data, blueprint, weight = small("playlists", 2_000), systems()["spotify"].blueprint, {}
    for sampling in ("uniform", "weight"):
        changes = {"hidden": (4,), "samples": (3,), "sampling": sampling}
        graph = blueprint.representation.model_copy(update=changes)
        model = RankingModel(blueprint.model_copy(update={"representation": graph}), data.schema).eval()
        subject = Subject.of(model, data, rows=1)
        item = 1 + int(near.ties(subject).weights.std(axis=1).argmax())
        weight[sampling] = np.mean([near.around(subject, item, seed)["weight"].mean() for seed in range(100)])
    assert weight["weight"] > 1.1 * weight["uniform"]
