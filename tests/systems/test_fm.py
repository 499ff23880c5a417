"""FM: the feature-crossing sheet, g, on the whole model and on planted pairs."""
from __future__ import annotations

from itertools import combinations

import pytest
import torch

from rankzoo.components.concatenation.join import Join
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.load import schema_of
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.inspection.crosses import block_norms, crosses
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import evaluate, predict
from rankzoo.training.watch import watched
from tests.support import logits, random_batch, randomised, small
from tests.wiring import assert_wired

SYSTEM, SCHEMA = systems()["fm"], schema_of("ads")


def test_parameters():
    """n·k + n + 1: a vector and a weight for every value and every number, one bias; no matrix anywhere."""
    n = sum(f.vocabulary for f in SCHEMA.categorical) + len(SCHEMA.numeric)
    count = SYSTEM.blueprint.count(SCHEMA)
    assert count.parameters == 16 * n + n + 1 and count.flops == 0
    assert count.within("interaction.1").elementwise == 3 * 14 * 16 + 16  # ten fields, four numbers


def test_logit_is_first_order_and_pairs():
    """b + Σ w_i x_i + Σ_{i<j} ⟨v_i, v_j⟩ written out pair by pair, numbers as value × vector."""
    model, batch, trace = randomised(RankingModel(SYSTEM.blueprint, SCHEMA)), random_batch(SCHEMA), Trace()
    model.eval()(batch, trace)
    v = [trace[f"representation.{f.name}"].values for f in SCHEMA.inputs]
    pairs = sum((a * b).sum(dim=1) for a, b in combinations(v, 2))
    linear = model.interaction[0]
    first = trace["interaction.0.terms"].values.sum(dim=1)[:, 0] + batch.numbers @ linear.slopes[:, 0] + linear.bias
    torch.testing.assert_close(trace["interaction.1.second_order"].values, pairs, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(logits(model, batch)["click"], (first + pairs).detach(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("data", ["census", "history", "video"])
def test_on_other_data_it_still_joins_nothing(data):
    """Fields of other data are crossed, not joined: the tower stays a plain sum, without a weight of its own."""
    document, _ = Document.preset("fm").on(data)
    count = document.blueprint.count(document.schema())
    assert document.blueprint.concatenation.fields == () and count.within("towers").parameters == 0
    assert_wired(document.blueprint, document.schema())


def test_a_deep_network_behind_it_needs_something_joined():
    """The refusal says so, and joining the fields mends it: that is DeepFM with one bias more."""
    deep = SYSTEM.blueprint.model_copy(update={"towers": MlpTower()})
    with pytest.raises(ZooError, match="nothing is joined before it. Join fields"):
        deep.count(SCHEMA)
    mended = deep.model_copy(update={"concatenation": Join()}).count(SCHEMA)
    assert mended.parameters == systems()["deepfm"].blueprint.count(SCHEMA).parameters + 1


def test_trained_map_finds_the_planted_pairs():
    """Bar of the truth sheet for P2: the five strongest of the map are the five planted pairs, no decoy among them, and the
    model knows what logistic regression cannot. The untrained map says nothing of the kind."""
    dataset = small("ads", 60_000)
    planted = {frozenset((pair.a, pair.b)) for pair in dataset.truth.pairs}
    fit = Fit(RankingModel(SYSTEM.blueprint, dataset.schema), dataset, SYSTEM.settings, watching=False)
    assert five(Subject.of(fit.model, dataset, "validation", 1000)) != planted
    assert sum(1 for _ in fit) > 300
    subject = Subject.of(fit.model, dataset, "validation", 1000)
    assert five(subject) == planted
    test = dataset.part("test")
    assert evaluate(predict(fit.model, test), test, dataset.schema)["click"]["auc"] > 0.75  # main effects alone reach 0.67


def five(subject: Subject) -> set[frozenset[str]]:
    """The five strongest pairs of the model's own map."""
    found = block_norms(subject)
    return set(sorted(found, key=lambda pair: -found[pair])[:5])


def test_the_view_reads_the_map_as_it_stands(ads):
    """A pair's number is in logits already, both ways in one, so the view does not double it; watching it is a number too."""
    model = randomised(RankingModel(SYSTEM.blueprint, SCHEMA))
    subject = Subject.of(model, ads, "test", 300)
    entry = subject.trace["interaction.1.pair"]
    assert entry.labels["field"] == tuple(f.name for f in SCHEMA.inputs)
    table = crosses(subject).table
    for row in table.itertuples():
        i, j = (entry.labels["field"].index(name) for name in (row.a, row.b))
        assert row.block == float(entry.values[i, j])
    off = entry.values[~torch.eye(14, dtype=torch.bool)]
    points = watched(model, ads.part("validation", 512))
    assert points["cross.interaction.1.pair"] > 1 and (off >= 0).all()
