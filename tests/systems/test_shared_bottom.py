"""Shared bottom: the multi-task sheet, 1, on the whole model."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from rankzoo.data.load import schema_of
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from tests.support import logits, random_batch, randomised

SYSTEM = systems()["shared_bottom"]
SCHEMA = schema_of("feed")
BATCH = random_batch(SCHEMA, 64)


def model_of() -> RankingModel:
    return randomised(RankingModel(SYSTEM.blueprint, SCHEMA))


def gradients(losses: dict[str, Tensor], model: RankingModel) -> dict[str, Tensor]:
    """The gradient of each task's loss in all parameters of the bottom, flat."""
    shared = list(model.sharing.parameters())
    return {task: torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, shared, retain_graph=True)])
            for task, loss in losses.items()}


def test_a_weight_of_0_silences_a_tower_and_the_bottom_gets_the_weighted_sum():
    model = model_of().train()
    losses = model(BATCH).losses
    each, weights = gradients(losses, model), {"click": 1.0, "completion": 2.0, "like": 0.5, "dismiss": 0.0}
    sum(weights[task] * loss for task, loss in losses.items()).backward()
    total = torch.cat([p.grad.reshape(-1) for p in model.sharing.parameters()])
    torch.testing.assert_close(total, sum(weights[task] * each[task] for task in weights))
    for task, heard in (("dismiss", False), ("like", True)):
        own = [*model.towers.deep[task].parameters(), *model.towers.head[task].parameters()]
        assert any(p.grad.abs().sum() > 0 for p in own) == heard


def test_a_duplicated_task_pulls_in_the_same_direction():
    """Same labels, same tower: gradient cosine 1 at the bottom; another task's is not."""
    model = model_of().train()
    for part in (model.towers.deep, model.towers.head):
        part["completion"].load_state_dict(part["click"].state_dict())
    batch = replace(BATCH, labels={**BATCH.labels, "completion": BATCH.labels["click"]},
                    observed={**BATCH.observed, "completion": BATCH.observed["click"]})
    found = gradients(model(batch).losses, model)
    cosine = lambda a, b: float(torch.dot(found[a], found[b]) / (found[a].norm() * found[b].norm()))  # noqa: E731
    assert cosine("click", "completion") == pytest.approx(1.0, abs=1e-5) and abs(cosine("click", "like")) < 0.99


def test_towers_are_their_own_and_the_bottom_is_everybodys():
    """Another task's tower may be anything; the bottom moves all."""
    model = model_of()
    before = logits(model, BATCH)
    model.towers.deep["like"][0].weight.data.mul_(2)
    after = logits(model, BATCH)
    assert all(torch.equal(before[task], after[task]) == (task != "like") for task in SYSTEM.blueprint.tasks)
    model.sharing.bottom[0].bias.data.add_(1)
    moved = logits(model, BATCH)
    assert all(not torch.allclose(moved[task], after[task]) for task in SYSTEM.blueprint.tasks)
