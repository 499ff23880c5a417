"""Metrics against scikit-learn and against numbers done by hand."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn
from sklearn.isotonic import IsotonicRegression

from rankzoo.components.losses.listwise import Listwise
from rankzoo.components.losses.pairwise import Pairwise
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.guess import mean_logit, spread
from rankzoo.training.metrics import (
    auc,
    evaluate,
    gauc,
    log_loss,
    notes,
    oracle,
    predict,
    score,
    sigmoid,
)
from rankzoo.training.watch import effective_share
from tests.support import random_batch, rich


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-4, 4)), min_size=2, max_size=60))
def test_auc_is_scikit_learn_s(rows):
    """Integers as scores, so that most of them tie."""
    labels, scores = np.array([float(y) for y, _ in rows]), np.array([s / 3 for _, s in rows])
    if 0 < labels.sum() < len(labels):
        assert auc(labels, scores) == pytest.approx(sklearn.roc_auc_score(labels, scores), abs=1e-12)
    else:
        assert math.isnan(auc(labels, scores))


def test_auc_by_hand():
    """Of the 2 × 3 pairs, 4 are in order and 1 is tied: 4.5 / 6."""
    labels, scores = np.array([1.0, 0, 1, 0, 0]), np.array([0.9, 0.8, 0.3, 0.3, 0.1])
    assert auc(labels, scores) == pytest.approx(4.5 / 6)
    assert auc(labels, np.exp(scores)) == pytest.approx(4.5 / 6)  # only the order counts
    assert auc(labels, np.zeros(5)) == 0.5


def slow_gauc(labels, scores, request) -> float:
    """The paper's sum, request by request, with scikit-learn's AUC."""
    summed, rows = 0.0, 0
    for each in set(request.tolist()):
        mine = request == each
        if 0 < labels[mine].sum() < mine.sum():
            summed += mine.sum() * sklearn.roc_auc_score(labels[mine], scores[mine])
            rows += mine.sum()
    return summed / rows if rows else math.nan


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3), st.sampled_from([5, -2, 9, 40, 7])), max_size=60))
def test_gauc_is_the_slow_loop_s(rows):
    """Ties within and between requests, requests of one row or one label, their rows anywhere."""
    labels, scores = np.array([float(y) for y, _, _ in rows]), np.array([s / 3 for _, s, _ in rows])
    request = np.array([r for _, _, r in rows], dtype=np.int64)
    expected = slow_gauc(labels, scores, request)
    assert gauc(labels, scores, request) == (pytest.approx(expected, abs=1e-12) if expected == expected else pytest.approx(
        math.nan, nan_ok=True))


def test_gauc_by_hand():
    """Request 1 has 2 of 3 pairs in order over 4 rows, request 2 one tie over 2 rows, request 3 one label: (4·⅔ + 2·½) / 6. The
    level of a request does not matter, while AUC over all rows sees it."""
    labels, request = np.array([1.0, 0, 0, 0, 1, 0, 1]), np.array([1, 1, 1, 1, 2, 2, 3])
    scores = np.array([0.5, 0.1, 0.9, 0.2, -3.0, -3.0, 0.0])
    assert gauc(labels, scores, request) == pytest.approx((4 * 2 / 3 + 2 * 0.5) / 6)
    assert gauc(labels, scores + np.array([0, -7, 30])[request - 1], request) == gauc(labels, scores, request)
    assert auc(labels, scores + np.array([0, -7, 30])[request - 1]) != pytest.approx(auc(labels, scores), abs=0.01)
    assert math.isnan(gauc(labels, np.r_[scores[:6], np.nan], request))


def test_gauc_of_one_request_is_auc():
    rng = np.random.default_rng(0)
    labels, scores = (rng.random(400) < 0.3).astype(float), rng.integers(0, 30, 400) / 7
    assert gauc(labels, scores, np.full(400, 8)) == pytest.approx(auc(labels, scores), abs=1e-12)


def test_gauc_where_there_are_requests(video, ads):
    """Of binary tasks, of the planted logits too and of what a server can know of them, by observed rows."""
    found, rows = oracle(video), video.part("test")
    click, seen = video.truth_of("test").logits["click"], rows.observed["click"].numpy()
    assert found["click"]["gauc"] == pytest.approx(slow_gauc(rows.labels["click"].numpy()[seen], click[seen],
                                                             rows.group.numpy()[seen]))
    assert found["click"]["gauc_served"] < found["click"]["gauc"] and "gauc" not in found["completion"]
    assert "gauc" not in oracle(ads)["click"]


def test_without_probabilities_only_the_order_is_told():
    """Log loss, calibration and normalised entropy ask for probabilities; AUC and GAUC do not, nor do the errors of a number."""
    schema, batch = rich(), random_batch(rich(), 200)
    logits = {t.name: np.linspace(-1, 1, 200) for t in schema.tasks}
    plain = evaluate(logits, batch, schema, Pointwise())
    assert plain == evaluate(logits, batch, schema)
    assert set(plain["click"]) == {"auc", "gauc", "log_loss", "calibration", "normalised_entropy"}
    for loss in (Pairwise(), Listwise(), Pointwise(how={"click": "focal", "buy": "focal", "stars": "huber"})):
        found = evaluate(logits, batch, schema, loss)
        assert {task: set(values) for task, values in found.items()} == {
            "click": {"auc", "gauc"}, "buy": {"auc", "gauc"}, "share": {"rmse", "mae"}, "stars": {"rmse", "mae"}}
        assert all(found[task][name] == plain[task][name] for task in found for name in found[task])


def test_why_is_said_once_for_each_reason():
    """One sentence for all tasks with one reason, another for numbers; nothing where there is nothing to say; in any language."""
    tasks = rich().tasks
    assert notes(Pointwise(), tasks) == ()
    assert notes(Pairwise(), tasks) == (
        "click, buy: these scores order rows; they are no probabilities, since the loss of a pair stays the same when a number "
        "is added to both scores.",)
    two = notes(Pointwise(how={"buy": "focal", "stars": "huber"}), tasks, lambda text: f"«{text}»")
    assert [text.split(":")[0] for text in two] == ["«stars", "«buy"] and "no estimates of the mean, since «Huber" in two[0]


def test_log_loss_by_hand_and_at_the_edge():
    """(ln 2 + 0.126928 + 2.126928) / 3; logits of ±1,000 stay finite."""
    labels, logits = np.array([1.0, 1, 0]), np.array([0.0, 2, 2])
    assert log_loss(labels, logits) == pytest.approx((0.693147 + 0.126928 + 2.126928) / 3, abs=1e-6)
    assert log_loss(np.array([1.0, 0.0]), np.array([1000.0, 1000.0])) == 500.0
    assert sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist() == [0.0, 0.5, 1.0]


def test_binary_score():
    """AUC, log loss, Σp / Σy and log loss over the entropy of the base rate, against scikit-learn."""
    rng = np.random.default_rng(0)
    logits = rng.normal(-1, 1, 500)
    labels = (rng.random(500) < sigmoid(logits)).astype(float)
    found = score("binary", labels, logits)
    assert set(found) == {"auc", "log_loss", "calibration", "normalised_entropy"}
    assert found["auc"] == pytest.approx(sklearn.roc_auc_score(labels, logits))
    assert found["log_loss"] == pytest.approx(sklearn.log_loss(labels, sigmoid(logits)))
    assert found["calibration"] == pytest.approx(sigmoid(logits).sum() / labels.sum())
    base = sklearn.log_loss(labels, np.full(500, labels.mean()))
    assert found["normalised_entropy"] == pytest.approx(found["log_loss"] / base)


def test_normalised_entropy_of_the_sheet():
    """π = 0.02, log loss 0.08: NE 0.816; a constant guess of the base rate has NE 1."""
    rare = np.r_[np.ones(2), np.zeros(98)]
    assert 0.08 / log_loss(rare, np.full(100, mean_logit("binary", rare))) == pytest.approx(0.816, abs=5e-4)
    labels = np.r_[np.ones(3), np.zeros(7)]
    guess = np.full(10, mean_logit("binary", labels))
    assert score("binary", labels, guess)["normalised_entropy"] == pytest.approx(1.0)
    assert score("binary", labels, guess)["calibration"] == pytest.approx(1.0)


def test_other_scores():
    """Root mean square and mean absolute error, behind a sigmoid for a share; nothing for no rows."""
    labels, logits = np.array([1.0, 0.0, 0.5]), np.array([0.0, 0.0, 2.0])
    plain, share = score("regression", labels, logits), score("share", labels, logits)
    assert plain == {"rmse": pytest.approx(math.sqrt((1 + 0 + 2.25) / 3)), "mae": pytest.approx(2.5 / 3)}
    errors = np.array([0.5, 0.5, 1 / (1 + math.exp(-2)) - 0.5])
    assert share == {"rmse": pytest.approx(math.sqrt((errors**2).mean())), "mae": pytest.approx(errors.mean())}
    assert score("binary", labels[:0], logits[:0]) == {}


def test_one_class_has_no_auc():
    """One class: AUC is not a number, log loss still is."""
    found = score("binary", np.zeros(4), np.zeros(4))
    assert math.isnan(found["auc"]) and math.isnan(found["calibration"]) and found["log_loss"] == pytest.approx(math.log(2))


@pytest.mark.parametrize("kind, labels, variance, logit", [
    ("binary", [1, 0, 0, 0], 0.1875, math.log(1 / 3)), ("share", [0.5, 1.0], 0.0625, math.log(3)),
    ("regression", [1.0, 5.0], 4.0, 3.0), ("regression", [2.0, 2.0], 1.0, 2.0), ("binary", [], 1.0, 0.0)])
def test_best_constant(kind, labels, variance, logit):
    """The logit of the mean and the variance, which is 1 where labels do not vary, so that nothing is divided by 0."""
    values = np.array(labels, dtype=float)
    assert spread(values) == pytest.approx(variance)
    assert mean_logit(kind, values) == pytest.approx(logit)


def test_predict_is_eval_mode_in_batches(monkeypatch):
    """Batches of any size give the same logits, in eval mode, and the model is left as it was."""
    schema, batch = rich(), random_batch(rich(), 40)
    model = RankingModel(systems()["mmoe"].blueprint.fitted(schema)[0], schema).train()
    whole = predict(model, batch)
    monkeypatch.setattr("rankzoo.training.metrics.BATCH", 7)
    for task, values in predict(model, batch).items():
        np.testing.assert_allclose(values, whole[task], rtol=1e-5, atol=1e-6)
    assert model.training and all(values.shape == (40,) for values in whole.values())


def test_only_observed_rows_count():
    """A label of an unobserved row may be anything."""
    schema, batch = rich(), random_batch(rich(), 30)
    logits = {t.name: np.linspace(-1, 1, 30) for t in schema.tasks}
    found, seen = evaluate(logits, batch, schema), batch.observed["click"].numpy()
    assert found["click"]["auc"] == pytest.approx(
        sklearn.roc_auc_score(batch.labels["click"].numpy()[seen], logits["click"][seen]))
    assert all(math.isfinite(value) for task in found.values() for value in task.values())


def test_oracle_beats_everything(video):
    """The generator's own logits: better than chance by far, and worse where the position may not be used."""
    found = oracle(video)
    assert found["click"]["auc"] > 0.8 and found["click"]["auc_served"] < found["click"]["auc"]
    assert found["click"]["calibration"] == pytest.approx(1.0, abs=0.12)
    assert set(found) == {"click", "completion", "like", "dismiss"}


def test_oracle_of_a_share_without_the_position(video):
    """The mean over the nine slots, whose errors lie between those of who knows the slot and of the constant; no curve through
    that mean, fitted to the very rows, is better by a tenth of them."""
    found, rows, truth = oracle(video)["completion"], video.part("test"), video.truth_of("test")
    labels, factor = rows.labels["completion"].numpy(), truth.curve.multipliers[rows.features["device"].numpy() - 1]
    mean = sum(1 / (1 + np.exp(-truth.utilities["completion"] - factor * slot)) for slot in truth.curve.values) / 9
    assert found["rmse_served"] == pytest.approx(np.sqrt(np.mean((mean - labels) ** 2)))
    assert 2 * found["rmse"] < found["rmse_served"] < labels.std() / 2 and "rmse_served" not in oracle(video)["click"]
    curve = IsotonicRegression().fit(mean, labels).predict(mean)
    assert np.sqrt(np.mean((curve - labels) ** 2)) > 0.9 * found["rmse_served"]


def test_effective_share_by_hand():
    """All alike: 1; one item of four: ¼; half and half: ½; a row without items does not count; a sign does not matter."""
    mask = torch.tensor([[True] * 4, [True] * 4, [True] * 4, [False] * 4])
    weights = torch.tensor([[1.0, 1, 1, 1], [0, 2, 0, 0], [1, -1, 0, 0], [0, 0, 0, 0]])
    assert effective_share(weights[:1], mask[:1]) == pytest.approx(1.0)
    assert effective_share(weights[1:2], mask[1:2]) == pytest.approx(0.25)
    assert effective_share(weights[2:3], mask[2:3]) == pytest.approx(0.5)
    assert effective_share(weights, mask) == pytest.approx((1 + 0.25 + 0.5) / 3)
    assert math.isnan(effective_share(weights[3:], mask[3:]))


def test_scores_that_are_no_numbers_have_no_auc():
    """A training that has diverged orders nothing, whatever the order of its rows."""
    assert np.isnan(auc(np.array([0.0, 0.0, 1.0, 1.0]), np.full(4, np.nan)))
