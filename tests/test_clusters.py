"""The silhouette of items by category: by hand, against scikit-learn, on constructed cases, and what the view says with it."""
from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_samples

from rankzoo.data.load import from_world, load
from rankzoo.data.worlds.news import CATEGORIES, WORLD
from rankzoo.figures.scatter import vectors
from rankzoo.figures.theme import theme
from rankzoo.inspection import clusters
from rankzoo.inspection.embeddings import embeddings
from rankzoo.inspection.view import Subject, traced
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.ui.views.embeddings import _lengths

DATA = from_world(WORLD, 1_000)


def subject() -> Subject:
    """An untrained PLM-NR."""
    return Subject.of(RankingModel(systems()["microsoft"].blueprint, DATA.schema).eval(), DATA, rows=50)


def test_four_points_on_a_line():
    """0 and 1 of one kind, 3 and 6 of another. s of 0: a = 1, b = (3 + 6) / 2 = 4.5, 3.5 / 4.5; of 1: a = 1, b = 3.5; of 3:
    a = 3, b = 2.5, −0.5 / 3; of 6: a = 3, b = 5.5."""
    found = clusters.silhouettes(np.array([[0.0], [1.0], [3.0], [6.0]]), np.array([4, 4, 7, 7]))
    assert found == pytest.approx([3.5 / 4.5, 2.5 / 3.5, -0.5 / 3, 2.5 / 5.5])


def test_against_scikit_learn():
    """Random vectors in groups of unlike size, one of a single item."""
    rng = np.random.default_rng(0)
    points, groups = rng.standard_normal((60, 5)), np.concatenate([[9], rng.integers(0, 4, 59)])
    assert clusters.silhouettes(points, groups) == pytest.approx(silhouette_samples(points, groups), abs=1e-9)


def test_constructed_cases():
    """Apart and tight: 1. Categories drawn by lot: 0. Each item among those of the other category: below 0. All at one place: 0.
    One category alone: nothing can be said."""
    rng = np.random.default_rng(0)
    groups = np.repeat([1, 2], 200)
    perfect = np.repeat([[0.0, 0.0], [1.0, 0.0]], 200, axis=0) + 1e-6 * rng.standard_normal((400, 2))
    assert clusters.silhouettes(perfect, groups).mean() == pytest.approx(1.0, abs=1e-4)
    assert abs(clusters.silhouettes(rng.standard_normal((400, 2)), groups).mean()) < 0.02
    ends = np.concatenate([np.eye(20), np.eye(20)])  # √2 apart and 1 from the middle, where the other category is
    inverted = np.concatenate([ends, 0.001 * rng.standard_normal((40, 20))])
    assert clusters.silhouettes(inverted, np.repeat([1, 2], 40))[:40].mean() == pytest.approx(
        39 / 38 / np.sqrt(2) - 1, abs=0.01)
    assert (clusters.silhouettes(np.zeros((6, 2)), np.array([1, 1, 1, 2, 2, 2])) == 0).all()
    assert np.isnan(clusters.silhouettes(perfect, np.ones(400))).all()


def test_a_perfect_picture_is_found():
    """Items moved to their category's place: the statistic is 1, far above an untrained model's."""
    seen = subject()
    places = np.eye(9)[seen.batch.catalogue.features["category"].numpy()]
    noise = np.random.default_rng(0).standard_normal(places.shape)
    score = clusters.together(seen, "news", "category", places + 1e-6 * noise)
    assert score.value == pytest.approx(1.0, abs=1e-3) and score.found
    assert score.statistic == "silhouette of items sorted by category"
    shuffled = np.random.default_rng(1).permutation(places)
    assert not clusters.together(seen, "news", "category", shuffled + 0.1 * noise).found


@pytest.mark.parametrize("id", ["homedepot", "spotify", "microsoft"])
def test_no_single_untrained_model_is_found(id):
    """One draw of the weights tells categories apart more than another, by far more than items differ: of the mean of other draws
    as chance, four of six are found for Home Depot."""
    system, data = systems()[id], load(systems()[id].dataset, 1_000)
    scores = [embeddings(Subject.of(RankingModel(system.blueprint, data.schema, seed), data, rows=20)).truth for seed in range(6)]
    assert not any(score.found for score in scores), [(score.ci95, score.chance) for score in scores]
    assert len({score.value for score in scores}) == 6 and len({score.chance for score in scores}) == 1


def test_chance_is_seldom_exceeded():
    """By hand: of 1, 2, 3 the mean is 2, sd 1, t_{.995, 2} = 9.925. Of normal draws one more is above in one case of 200."""
    assert clusters.highest(np.array([1.0, 2.0, 3.0])) == pytest.approx(2 + 9.925 * np.sqrt(4 / 3), abs=1e-3)
    drawn = np.random.default_rng(0).standard_normal((20_000, 21))
    above = np.mean([row[20] > clusters.highest(row[:20]) for row in drawn])
    assert above == pytest.approx(0.005, abs=0.002)


def test_chance_is_made_once(monkeypatch):
    """Of the same data, blueprint and attribute: a second look builds nothing. Untrained vectors are those of a whole model."""
    seen, built = subject(), []
    own = clusters._untrained
    monkeypatch.setattr(clusters, "_untrained", lambda subject, name, seed, rows: built.append(seed) or own(
        subject, name, seed, rows))
    clusters._known.clear()
    first, second = embeddings(seen).truth, embeddings(subject()).truth
    assert built == list(clusters.SEEDS) and first == second
    whole = traced(RankingModel(seen.model.blueprint, DATA.schema, 101), seen.batch)["representation.news"].values
    assert np.allclose(own(seen, "news", 101, len(whole)), whole.numpy(), atol=1e-6)
    wider = seen.model.blueprint.model_copy(update={"representation": seen.model.blueprint.representation.model_copy(
        update={"init": 0.2})})
    embeddings(Subject.of(RankingModel(wider, DATA.schema), DATA, rows=50))
    assert len(built) == 2 * len(clusters.SEEDS)


def test_the_view_of_items():
    """One line for each item with its category's name; the unknown item has none and no say."""
    view = embeddings(subject())
    frame = view.table
    assert len(frame) == 481 and frame["group"][0] == "" and set(frame["group"][1:]) == set(CATEGORIES)
    assert view.truth.ci95[0] < view.truth.value < view.truth.ci95[1] and len(view.truth.more) == 1
    drawn = vectors(frame.assign(name="n"), theme(), "t")
    assert {trace.name for trace in drawn.data} == {*CATEGORIES, "unknown", "new: never seen in training"}
    assert drawn.layout.showlegend
    assert len({(trace.marker.color, trace.marker.symbol) for trace in drawn.data[1:]}) == 9


def test_tables_without_items_have_no_score():
    """A feature's values have no category: colour is how often they occur."""
    seen = subject()
    assert clusters.attributes(seen, "news") == ("category",) and clusters.attributes(seen, "word") == ()


@pytest.mark.parametrize(("counts", "said"), [
    ((3, 1, 2), "3 values, of which each occurs in the rows on view. Vectors are 2 long on average."),
    ((0, 0, 0), "3 values, of which none occurs in the rows on view. Vectors are 2 long on average."),
    ((3, 0, 2), "3 values, of which 1 occur in none of the rows on view. Vectors of the others are 2 long on average, of these "
                "2.")])
def test_how_long_vectors_are_is_told_of_those_that_there_are(counts, said):
    """No «of these –» where every value occurs."""
    found = _lengths(pd.DataFrame({"count": counts, "norm": [1.0, 2.0, 3.0]}))
    assert found == f"**Read it:** {said}"
