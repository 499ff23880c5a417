"""The two claims of Monolith on `ids`: arms that differ in what they say, and statistics that can be recomputed."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rankzoo.claims.papers import collisions, online
from rankzoo.claims.registry import claims
from rankzoo.claims.running import run
from rankzoo.claims.trial import document_of, parameters, rows_of
from rankzoo.components.representation.hashing import expected_rate
from rankzoo.data.load import from_world
from rankzoo.training.metrics import auc


def test_places():
    assert (claims()["collisions"].place, claims()["online"].place) == (10, 11)


@pytest.mark.parametrize("arm", collisions.CLAIM.arms, ids=lambda arm: arm.name)
def test_arms_of_collisions_differ_in_their_rows_alone(arm):
    """The index, how many rows, and, where said, the epochs."""
    spec = document_of(collisions.CLAIM, arm).blueprint.representation
    plain = document_of(collisions.CLAIM, collisions.CLAIM.arms[0])
    assert spec.model_copy(update={"index": "cuckoo", "per_value": 1.0}) == plain.blueprint.representation
    assert set(arm.changes) <= {"representation.index", "representation.per_value", "settings.epochs"}
    if arm.name in collisions.RATES:
        rows = {name: height for name, (height, _) in spec.tables(collisions.CLAIM.world.schema).items()}
        for name, ids in (("user_id", 4_000), ("item_id", 2_000)):
            assert expected_rate(ids, rows[name]) == pytest.approx(collisions.RATES[arm.name], abs=1e-3)


def test_equal_memory_is_equal():
    """217 rows of 8 + 1 each, with the same network."""
    held = parameters(collisions.CLAIM)
    assert held["quotient, 217 rows"] == held["hash, 217 rows"] == 217 * 9 + 1_089
    assert held["0 %"] == 55_089 and held["7.7 %"] > held["0 %"] > held["40 %"] > held["80 %"]


def test_no_drift_where_collisions_are_counted():
    assert collisions.CLAIM.world.drift == 0 and online.CLAIM.world.drift == 0.35


def test_tenths_can_be_counted_again():
    """Mean of ten AUCs over equal slices of the stream, with its ends and each along the way."""
    dataset = from_world(replace(online.CLAIM.world), 4_000)
    logits = np.random.default_rng(0).standard_normal(2_000)
    labels = dataset.part("test").labels["click"].numpy()
    each = [auc(labels[at:at + 200], logits[at:at + 200]) for at in range(0, 2_000, 200)]
    found = online.tenths(dataset, logits)
    assert found == {"auc": pytest.approx(np.mean(each)), "first": each[0], "last": each[-1],
                     **dict(zip(online.CLAIM.courses[0].names, each, strict=True))}


def test_arms_of_the_stream_start_from_one_model(monkeypatch):
    """On few rows: all arms are served alike until their first sync; 5 and 10 syncs and the frozen model agree in the first tenth
    to the last digit, 50 syncs do not."""
    found = online.passes(replace(online.CLAIM, rows=12_000), 0)
    assert found["frozen"]["first"] == found["5"]["first"] == found["10"]["first"] != found["50"]["first"]
    assert set(found) == {"frozen", "5", "10", "50", "oracle"} and found["oracle"]["auc"] > 0.8
    for arm in found.values():
        tenths = [arm[name] for name in online.FRESHNESS.names]
        assert arm["auc"] == pytest.approx(np.mean(tenths)) and (arm["first"], arm["last"]) == (tenths[0], tenths[-1])


def test_the_batch_ends_before_the_stream_begins():
    dataset = rows_of(online.CLAIM.world, 2_000, 0)
    assert dataset.parts["train"].max() < dataset.parts["validation"].min() <= 999 < dataset.parts["test"].min() == 1_000


@pytest.mark.slow
def test_collisions_hurt_in_every_seed():
    """truth.md: monotone in the rate; 40 % costs .015 and more."""
    outcome = run(collisions.CLAIM, 3, 1)
    means = {arm.name: arm.mean for arm in outcome.arms}
    ordered = [means[name] for name in ("0 %", "7.7 %", "20 %", "40 %", "60 %", "80 %")]
    assert ordered == sorted(ordered, reverse=True)
    assert outcome.verdict == "reproduced" and outcome.compared[0].agreeing == 3 and outcome.compared[0].estimate.mean <= -0.015


@pytest.mark.slow
def test_online_beats_frozen_in_every_seed():
    """truth.md: 50 syncs +.02 and more over frozen, and not below 5 syncs in any seed."""
    outcome = run(online.CLAIM, 3, 1)
    by_name = {each.estimate.name: each for each in outcome.compared if each.difference.statistic == "auc"}
    assert outcome.verdict == "reproduced" and by_name["50 − frozen"].estimate.mean >= 0.02
    assert min(by_name["50 − 5"].estimate.values) >= 0
