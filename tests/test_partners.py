"""Partners: by hand; who knows what completes what is perfect, who knows the contrary is worst, an untrained model is chance."""
from __future__ import annotations

import numpy as np
import pytest

from rankzoo.data.truths import Completes
from rankzoo.data.worlds.sessions import SUBCATEGORIES
from rankzoo.document import Document
from rankzoo.inspection.embeddings import embeddings
from rankzoo.inspection.partners import completed, farther
from rankzoo.inspection.view import Subject
from rankzoo.training.fit import Fit
from tests.support import small

PARTNER = np.array([1, 0, 3, 2])


def test_by_hand():
    """Four values on a line at 0, 1, 5 and 7, two items each: of each both others are farther than its partner; with partners
    exchanged none or one of two is."""
    places = np.array([0.0, 1.0, 5.0, 7.0])
    values = np.repeat(np.arange(4), 2)
    vectors = places[values][:, None] + np.tile([-0.1, 0.1], 4)[:, None]  # the mean of both stands on the line
    assert farther(vectors, values, PARTNER).tolist() == [1.0, 1.0, 1.0, 1.0]
    assert farther(vectors, values, np.array([3, 2, 1, 0])).tolist() == [0.0, 0.5, 0.5, 0.0]
    assert farther(np.zeros((8, 3)), values, PARTNER).tolist() == [0.5] * 4


def test_a_value_without_items_is_left_out():
    values = np.array([0, 1, 2, 2])
    found = farther(np.arange(4.0)[:, None], values, PARTNER)
    assert np.isfinite(found[:2]).all() and np.isnan(found[2:]).all()


def subject(epochs: int, seed: int = 0) -> Subject:
    document = Document.preset("homedepot").but([("settings.epochs", max(epochs, 1)), ("settings.seed", seed)])
    dataset = small("sessions", 12_000)
    fit = Fit(document.model(dataset.schema), dataset, document.settings, watching=False)
    for _ in fit if epochs else ():
        pass
    return Subject.of(fit.model.eval(), dataset, rows=50)


def test_untrained_is_chance_and_a_little_training_above_it():
    """Five draws of the weights: a half. After three epochs on few rows what completes a sub-category lies near, surely; dealt
    out by lot it does not."""
    drawn = [embeddings(subject(0, seed)).truth.value for seed in range(5)]
    assert np.mean(drawn) == pytest.approx(0.5, abs=0.12)
    learnt = subject(3)
    score = embeddings(learnt).truth
    assert score.value > 0.6 and score.found and score.chance == 0.5
    assert score.more[0].values == {"by": "category"} and score.statistic.endswith("a subcategory than what completes it")
    lot = Completes("subcategory", np.random.default_rng(0).permutation(SUBCATEGORIES))
    vectors = learnt.trace["representation.product"].values.double().numpy()
    assert completed(learnt, lot, vectors).value == pytest.approx(0.5, abs=0.15)
