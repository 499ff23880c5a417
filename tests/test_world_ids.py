"""The world `ids`: users and items by popularity, a drift that can be switched, and the truth that is saved beside the rows."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from rankzoo.data import recipes
from rankzoo.data.load import from_world
from rankzoo.data.world import world
from rankzoo.data.worlds.ids import BLOCKS, ITEMS, TASTES, USERS, _tastes

IDS = world("ids")


@pytest.fixture(scope="module")
def made():
    return IDS.make(IDS.rows, 0)


def columns(table):
    return {name: table[name].to_numpy() for name in table.column_names}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("knobs, best", [({"drift": 0.0}, 0.798), ({"drift": 0.35, "bias": 1.2}, 0.830)])
def test_oracles(seed, knobs, best):
    """truth.md, section 5: .798 without drift, .828 under drift."""
    found = replace(IDS, **knobs).make(120_000, seed)
    assert roc_auc_score(found.table["click"].to_numpy(), found.truth.logits["click"]) == pytest.approx(best, abs=0.005)


def test_popularity(made):
    """Item k occurs like (k + 1)^−0.7, user k like (k + 1)^−0.4; every id occurs."""
    table = columns(made.table)
    for name, values, power in (("user_id", USERS, 0.4), ("item_id", ITEMS, 0.7)):
        shares = np.arange(1, values + 1) ** -power
        expected = 120_000 * shares / shares.sum()
        counts = np.bincount(table[name], minlength=values)
        assert (counts > 0).all()
        assert (np.abs(counts - expected) < 5 * np.sqrt(expected) + 1).all()


def test_the_logit_is_the_sum_of_its_parts(made):
    """What is left without the drifting bias has the variance of a user's bias and a match, and no main effect of the item."""
    table, drift = columns(made.table), made.truth.drift
    bias = drift.values[drift.block, table["item_id"]]
    assert bias.mean() == pytest.approx(0, abs=1e-9) and bias.std() == pytest.approx(0.8, abs=1e-9)
    rest = made.truth.logits["click"] - bias
    assert rest.std() == pytest.approx(np.sqrt(0.6**2 + 1.0), rel=0.02)
    popular = table["item_id"] < 20
    means = np.bincount(table["item_id"][popular], (rest - rest.mean())[popular]) / np.bincount(table["item_id"][popular])
    assert np.abs(means).max() < 0.15


def test_the_bias_is_a_stationary_walk(made):
    """Neighbouring blocks correlate by √(1 − (drift / bias)²), all blocks have one spread; without drift nothing moves."""
    for knobs in ({}, {"drift": 0.35, "bias": 1.2}):
        given = replace(IDS, **knobs)
        values = given.make(120_000, 1).truth.drift.values
        rho = np.sqrt(1 - (given.drift / given.bias) ** 2)
        near = [np.corrcoef(values[b], values[b + 1])[0, 1] for b in range(BLOCKS - 1)]
        assert np.mean(near) == pytest.approx(rho, abs=0.01)
        assert np.corrcoef(values[0], values[-1])[0, 1] == pytest.approx(rho ** (BLOCKS - 1), abs=0.06)
        assert values.std(axis=1).max() / values.std(axis=1).min() < 1.15
    still = replace(IDS, drift=0.0).make(1_000, 0).truth.drift.values
    assert (still == still[0]).all()


def test_drift_is_a_knob_that_leaves_the_rows_alone():
    """The same users and items whatever the drift: arms of an experiment differ in nothing else."""
    one, other = (replace(IDS, drift=drift).make(2_000, 3).table for drift in (0.0, 0.35))
    assert one.select(["user_id", "item_id"]).equals(other.select(["user_id", "item_id"]))
    assert not one["click"].equals(other["click"])


def test_rows_stand_in_the_order_of_time(made):
    blocks = made.truth.drift.block
    assert (np.diff(blocks) >= 0).all() and np.bincount(blocks).tolist() == [6_000] * BLOCKS


def test_the_truth_is_cut_with_the_rows():
    dataset = from_world(IDS, 2_000)
    assert set(dataset.truth_of("test").drift.block) == {16, 17, 18, 19}
    assert len(dataset.truth_of("test", 7).drift.block) == 7
    assert dataset.truth_of("test").drift.values.shape == (BLOCKS, ITEMS)


def test_held_is_a_knob():
    parts = replace(IDS, held=0.5).parts(1_000)
    assert [len(part) for part in parts.values()] == [450, 50, 500] and parts["test"][0] == 500


def test_nothing_planted_reaches_a_model():
    """Two ids and a label are all that a batch holds: no time, no bias."""
    batch = from_world(IDS, 2_000).batch
    assert list(batch.features) == ["user_id", "item_id"] and set(batch.labels) == {"click"} and batch.numbers.shape == (2_000, 0)


def test_labels_and_rate(made):
    assert (IDS.label("user_id", 17), IDS.label("item_id", 0)) == ("user 17", "item 0")
    assert recipes.sigmoid(made.truth.logits["click"]).mean() == pytest.approx(0.35, rel=1e-9)


def test_the_match_is_double_centred():
    """The product of centred tastes is the double-centred table of all users and items, which needs no table of 8 million."""
    user, item = recipes.popular(np.random.default_rng(1), 30, 500, 0.4), recipes.popular(np.random.default_rng(2), 20, 500, 0.7)
    rng, again = np.random.default_rng(3), np.random.default_rng(3)
    found = (_tastes(rng, user, 30) * _tastes(rng, item, 20)).sum(axis=1)
    table = again.standard_normal((30, TASTES)) @ again.standard_normal((20, TASTES)).T
    np.testing.assert_allclose(found, recipes.double_centre(table, user, item)[user, item], atol=1e-12)
