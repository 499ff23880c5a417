"""The claims on `masks`: what one seed measures, and that it stops where the search ends."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rankzoo.claims.claim import Arm
from rankzoo.claims.papers import conflict_rules, gate_dropout, masks_conflicts
from rankzoo.claims.papers.masks_conflicts import CHANCE, HALF, NONE, PAIRS, TWINS, trial
from rankzoo.claims.trial import document_of, rows_of
from rankzoo.data.worlds.masks import TASKS
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import evaluate, predict

SHORT = {"settings.epochs": 4, "settings.batch_size": 128, "sharing.warmup_steps": 6, "sharing.round_steps": 2}


def test_a_seed_measures_groups_of_pairs_and_how_they_go_with_the_truth():
    """Every statistic of every difference is there, shares are shares, and chance is what it is compared with."""
    small = replace(masks_conflicts.CLAIM, rows=2_000, arms=(Arm(PAIRS, "tencent", SHORT),))
    found = trial(small, 0)
    for difference in small.differences:
        assert isinstance(difference.of(found), float)
    for name in (TWINS, HALF, NONE):
        assert 0 <= found[name]["conflict"] <= 1 and -1 <= found[name]["cosine"] <= 1 and 0.2 < found[name]["overlap"] < 1
    assert found[CHANCE]["correlation"] == 0 and -1 <= found[PAIRS]["correlation"] <= 1 and found[PAIRS]["first"] in (0.0, 1.0)


def test_the_same_seed_finds_the_same():
    small = replace(masks_conflicts.CLAIM, rows=2_000, arms=(Arm(PAIRS, "tencent", SHORT),))
    assert trial(small, 1) == trial(small, 1) != trial(small, 2)


def test_rules_begin_with_the_same_masks_and_weights_and_part_then():
    """All places of all courses are there; before the first turn the arms are one model; «none» is what a training without this
    claim would give, to the last bit."""
    arms = tuple(replace(arm, changes={**arm.changes, **SHORT}) for arm in conflict_rules.CLAIM.arms)
    small = replace(conflict_rules.CLAIM, rows=2_000, arms=arms)
    found = conflict_rules.trial(small, 0)
    assert set(found) == {"none", "soft", "winner"}
    for course in small.courses:
        values = {arm: [each[name] for name in course.names] for arm, each in found.items()}
        assert all(0 <= value <= 1 for places in values.values() for value in places)
        if course.statistic in TASKS:
            assert values["none"][0] == values["soft"][0] == values["winner"][0] and values["none"] != values["winner"]
    document = document_of(small, arms[0], 0)
    dataset = rows_of(small.world, small.rows, 0)
    fit = Fit(document.model(dataset.schema), dataset, document.settings, watching=False)
    for _ in fit:
        pass
    rows = dataset.part("test")
    whole = evaluate(predict(fit.model, rows), rows, dataset.schema)
    assert found["none"]["auc"] == np.mean([each["auc"] for each in whole.values()])


def test_gate_dropout_s_arms_have_all_tasks_and_differ_in_the_dropout_alone():
    """The preset of MMoE has other tasks; an arm that kept only those in common would have one gate."""
    plain, dropped = (document_of(gate_dropout.CLAIM, arm).blueprint for arm in gate_dropout.CLAIM.arms)
    assert plain.tasks == dropped.tasks == TASKS and plain.sharing.gate_dropout == 0 and dropped.sharing.gate_dropout == 0.1
    assert plain.model_copy(update={"sharing": dropped.sharing}) == dropped


def test_entropies_are_measured_after_the_last_step():
    arms = tuple(replace(arm, changes={**arm.changes, "settings.steps": 20}) for arm in gate_dropout.CLAIM.arms)
    found = gate_dropout.trial(replace(gate_dropout.CLAIM, rows=2_000, arms=arms), 0)
    for values in found.values():
        assert 0 <= values["lowest"] <= values["entropy"] <= 1 and 0.4 < values["auc"] < 0.8


@pytest.mark.slow
def test_unrelated_tasks_pull_shared_weights_apart():
    """One seed of the claim at full size: a third more conflicts between strangers than between twins, in the right order."""
    found = trial(masks_conflicts.CLAIM, 0)
    assert found[NONE]["conflict"] > found[HALF]["conflict"] > found[TWINS]["conflict"] + 0.05
    assert found[TWINS]["cosine"] > found[HALF]["cosine"] > found[NONE]["cosine"] and found[PAIRS]["correlation"] <= -0.8
