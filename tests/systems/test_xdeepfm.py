"""xDeepFM: the feature-crossing sheet, i, on the whole model and on planted pairs."""
from __future__ import annotations

import torch

from rankzoo.data.load import schema_of
from rankzoo.inspection.crosses import block_norms
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import evaluate, predict
from rankzoo.training.watch import watched
from tests.support import random_batch, randomised, small

SYSTEM, SCHEMA = systems()["xdeepfm"], schema_of("ads")


def test_parameters():
    """n·d + n + CIN + MLP + (H_1 + H_2 + h) + 1, with 14 fields and 8 maps in both layers."""
    n, m, maps = sum(f.vocabulary for f in SCHEMA.categorical) + len(SCHEMA.numeric), len(SCHEMA.inputs), 8
    deep = m * 16 * 256 + 256 + 256 * 128 + 128 + 128 * 64 + 64
    cin = maps * m * m + maps * maps * m
    assert SYSTEM.blueprint.count(SCHEMA).parameters == 16 * n + n + cin + deep + (maps + maps + 64) + 1


def test_logit_is_the_sum_of_three_parts():
    """w_lin·a + w_cin·p⁺ + w_dnn·x + b: no sign turned, no softmax over the maps, one bias."""
    model, batch, trace = randomised(RankingModel(SYSTEM.blueprint, SCHEMA)), random_batch(SCHEMA), Trace()
    found = model.eval()(batch, trace).logits["click"].detach()
    linear, head = model.interaction[0], model.towers.head["click"]
    pooled = torch.cat([trace[f"interaction.1.layer.{k}.pooled"].values for k in range(2)], dim=1)
    deep = model.towers.deep["click"](trace["concatenation.joined"].values)
    first = trace["interaction.0.terms"].values.sum(dim=1)[:, 0] + batch.numbers @ linear.slopes[:, 0]
    expected = first + pooled @ head.weight[0, :16] + deep @ head.weight[0, 16:] + head.bias
    torch.testing.assert_close(found, expected.detach(), rtol=1e-4, atol=1e-3)
    assert linear.bias is None and sum("bias" in name for name, _ in model.interaction.named_parameters()) == 0


def test_every_layer_leads_to_the_head():
    """In the diagram the maps of both layers reach the tower, each as wide as what is summed up there."""
    flows = {block.address: {flow.to: flow.width for flow in block.flows} for block in SYSTEM.blueprint.blocks(SCHEMA)}
    assert flows["interaction.1.layer.0"] == {"interaction.1.layer.1": 8 * 16, "towers.click": 8}
    assert flows["interaction.1.layer.1"] == {"towers.click": 8}


def test_trained_map_finds_the_planted_pairs():
    """Bar of the truth sheet for CIN: the five strongest of the map are the five planted pairs, no decoy among them, and the
    model is better than a plain deep network."""
    dataset = small("ads", 60_000)
    planted = {frozenset((pair.a, pair.b)) for pair in dataset.truth.pairs}
    fit = Fit(RankingModel(SYSTEM.blueprint, dataset.schema), dataset, SYSTEM.settings, watching=False)
    assert sum(1 for _ in fit) > 300
    subject = Subject.of(fit.model, dataset, "validation", 1000)
    found = block_norms(subject)
    assert set(sorted(found, key=lambda pair: -found[pair])[:5]) == planted
    assert watched(fit.model, subject.batch)["cross.interaction.1.pair"] > 3
    test = dataset.part("test")
    assert evaluate(predict(fit.model, test), test, dataset.schema)["click"]["auc"] > 0.78  # a plain deep network: 0.75
