"""Wide & Deep: the feature-crossing sheet, c."""
from __future__ import annotations

import pytest
import torch
from torch import nn

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.towers.bare import Bare
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.load import schema_of
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.trace import Trace
from tests.support import copied, fill, logits, random_batch, randomised, trained_loss

SYSTEM = systems()["wide_deep"]
SCHEMA = schema_of("ads")
BATCH = random_batch(SCHEMA, 16)


@pytest.fixture
def model() -> RankingModel:
    return randomised(RankingModel(SYSTEM.blueprint, SCHEMA))


def test_without_wide_it_is_the_dnn(model):
    """Wide weights 0: the deep network alone (its head has no bias; the wide part brings it)."""
    fill(model.interaction, 0.0)
    dnn = RankingModel(Blueprint(tasks=("click",), representation=SYSTEM.blueprint.representation,
                                 towers=MlpTower(widths=(256, 128, 64), head_bias=False)), SCHEMA)
    copied(model, dnn)
    assert torch.equal(logits(model, BATCH)["click"], logits(dnn, BATCH)["click"])


def test_without_deep_it_is_logistic_regression(model):
    """Deep head 0: logistic regression with the same crosses."""
    fill(model.towers.head, 0.0)
    lr = RankingModel(Blueprint(tasks=("click",), representation=OneHot(), interaction=SYSTEM.blueprint.interaction,
                                towers=Bare()), SCHEMA)
    copied(model, lr)
    torch.testing.assert_close(logits(model, BATCH)["click"], logits(lr, BATCH)["click"])


def test_logit_is_the_sum_of_its_parts(model):
    """The trace's deep and wide logits add up, so that «who wins» can be drawn."""
    trace = Trace()
    found = model.eval()(BATCH, trace).logits["click"]
    torch.testing.assert_close(trace["towers.deep.click"].values + trace["towers.wide.click"].values, found.detach())


class Kept(nn.Module):
    """A module that keeps what it said last, so that a gradient can be taken with respect to it."""

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, *given):
        self.said = self.inner(*given)
        return self.said


def test_joint_training_sends_one_residual(model):
    """∂L/∂s of the wide part's contribution and of the deep part's are the same (p − y)/n, row by row."""
    wide = model.interaction[0] = Kept(model.interaction[0])
    deep = model.towers.head["click"] = Kept(model.towers.head["click"])
    output = model.train()(BATCH)
    parts = wide.said.logits["click"], deep.said
    by_wide, by_deep = torch.autograd.grad(output.losses["click"], parts)
    assert torch.equal(by_wide, by_deep[:, 0]) and not torch.allclose(parts[0], parts[1][:, 0])
    seen = BATCH.observed["click"]
    p = torch.sigmoid(output.logits["click"]).detach()
    torch.testing.assert_close(by_wide, torch.where(seen, p - BATCH.labels["click"].nan_to_num(), 0) / seen.sum())


@pytest.mark.parametrize("frozen", ["interaction", "towers"])
def test_either_part_trains_alone(model, frozen):
    """One part frozen, the other still learns."""
    for parameter in getattr(model, frozen).parameters():
        parameter.requires_grad_(False)
    trained_loss(model, BATCH).backward()
    other = model.towers if frozen == "interaction" else model.interaction
    assert all(p.grad.to_dense().abs().sum() > 0 for p in other.parameters())


def test_the_wide_part_has_a_real_cross():
    """Not «wide» by first-order weights alone: at least one hand-made cross, and no second bias."""
    wide = SYSTEM.blueprint.interaction[0]
    assert wide.crosses and not SYSTEM.blueprint.towers.head_bias and wide.bias
