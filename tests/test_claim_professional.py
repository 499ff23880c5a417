"""The two claims on `professional`: arms that differ in what they say, and statistics that can be recomputed."""
from __future__ import annotations

import pytest

from rankzoo.claims.papers import task_groups, tree_leaves
from rankzoo.claims.trial import Trained, document_of, parameters
from rankzoo.data.worlds.professional import ACTIVE, PASSIVE, TASKS


def test_the_arms_of_the_leaves_differ_in_representation_and_skew():
    claim = tree_leaves.CLAIM
    documents = {arm.name: document_of(claim, arm) for arm in claim.arms}
    for name, document in documents.items():
        assert document.blueprint.representation.kind == ("tree_leaves" if name.startswith("leaves") else "embeddings")
        assert document.blueprint.sharing == documents["leaves, even"].blueprint.sharing
    assert {arm.name.split(", ")[1]: arm.world.skew for arm in claim.arms} == {"skewed": 1.5, "even": 0.3}
    assert documents["numbers, even"].settings.epochs == 2 * documents["leaves, even"].settings.epochs


def test_the_arms_of_the_groups_differ_in_their_groups():
    claim = task_groups.CLAIM
    found = {arm.name: document_of(claim, arm).blueprint.sharing for arm in claim.arms}
    assert found["groups"].groups == (PASSIVE, ACTIVE) and found["one network"].groups == (TASKS,)
    assert len(found["a network each"].groups) == 5 and len(found["mixed groups"].groups) == 2
    assert len({spec.widths for spec in found.values()}) == 1
    network = 401 * 128 + 129 * 64
    sizes = parameters(claim)
    assert sizes["groups"] == sizes["mixed groups"] == sizes["one network"] + network
    assert sizes["a network each"] == sizes["one network"] + 4 * network


def test_statistics_are_means_of_tasks():
    metrics = dict(zip(TASKS, ({"auc": auc} for auc in (0.9, 0.8, 0.7, 0.6, 0.5)), strict=True))
    found = task_groups.score(Trained(task_groups.CLAIM.arms[0], None, None, metrics))
    assert found == {"auc": pytest.approx(0.7), "rare": pytest.approx(0.55)}
    assert tree_leaves.score(Trained(tree_leaves.CLAIM.arms[0], None, None, metrics)) == {"auc": pytest.approx(0.7)}
