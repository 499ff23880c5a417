"""Forecast: the other model's score as a probability beside this model's, and the example that a view begins with."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from rankzoo.data.world import worlds
from rankzoo.inspection.attention import history_of, relevance_of
from rankzoo.inspection.forecast import curves, first, forecast
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import keeps, look
from rankzoo.registry import systems
from tests.support import random_subject, small

ASKED = [id for id, system in systems().items() if keeps(system.blueprint, "attention")]


@pytest.fixture(scope="module")
def subject() -> Subject:
    return random_subject("kuaishou", small("lists", 2_000), 100)


def test_the_curve_is_the_logistic_regression_of_the_label_on_the_score(subject):
    """Its two equations, by hand: residuals add to 0, alone and times the score; the higher the score, the likelier."""
    train, curve = subject.dataset.part("train"), curves(subject)["effective_view"]
    score, label = train.features["view_score"].double().numpy(), train.labels["effective_view"].numpy()
    left = label - curve(score)
    assert abs(left.sum()) < 1e-4 and abs((left * score).sum()) < 1e-4 and curve.slope > 0.1


def test_both_predictions_of_a_row(subject):
    """Before: by the score alone, whatever the past; now: the model's own, which moves when past items are dropped."""
    found, seen = forecast(subject, 7), torch.sigmoid(subject.trace["logit.effective_view"].values)
    assert found[["task", "by"]].values.tolist() == [["effective_view", "the server"]]
    assert found["now"].iloc[0] == pytest.approx(float(seen[7]), abs=1e-6)
    fewer = forecast(subject, 7, frozenset({0, 1}), fitted=curves(subject))
    assert fewer["before"].iloc[0] == found["before"].iloc[0] and abs(fewer["now"].iloc[0] - found["now"].iloc[0]) > 1e-6
    rows = [forecast(subject, row, fitted=curves(subject))["before"].iloc[0] for row in range(10)]
    assert np.argsort(rows).tolist() == np.argsort(subject.batch.features["view_score"][:10].numpy()).tolist()
    view = look(subject, "attention")
    assert view.tables["forecast"].equals(forecast(subject)) and "forecast" in view.beside


def test_forecasts_are_features_and_tasks_of_their_world():
    """A score that nobody is asked for, or of no one, would stand on the page without a word."""
    told = {name: world for name, world in worlds().items() if world.forecasts}
    assert set(told) == {"lists"}
    for world in told.values():
        assert set(world.forecasts) <= {task.name for task in world.schema.tasks} and world.forecaster
        assert set(world.forecasts.values()) <= {feature.name for feature in world.schema.features}


@pytest.mark.parametrize("arch", ASKED)
def test_the_first_example_has_something_planted(arch):
    """In it some past items matter and others do not; before it no row is such a one."""
    subject = random_subject(arch, small(systems()[arch].dataset, 400), 40)
    history, row = history_of(subject), first(subject)
    truth, mask = relevance_of(subject, history), subject.batch.masks[history.name].numpy()
    if truth is None:
        assert row == 0
    else:
        good = [len({bool(v) for v in truth.kernel[i, mask[i]] > truth.threshold}) == 2 for i in range(row + 1)]
        assert good[row] and not any(good[:row])
    assert arch == "kuaishou" or not len(forecast(subject))


def test_nothing_to_begin_with_where_no_past_is_read():
    assert first(random_subject("youtube", small("video", 400), 20)) == 0
