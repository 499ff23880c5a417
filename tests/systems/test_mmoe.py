"""MMoE: the multi-task sheet, 2 and 7, on the whole model."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.data.load import schema_of
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from tests.support import copied, logits, random_batch, randomised

SYSTEM = systems()["mmoe"]
SCHEMA = schema_of("feed")
BATCH = random_batch(SCHEMA, 32)


def model_of(**sharing: object) -> RankingModel:
    blueprint = SYSTEM.blueprint
    return randomised(RankingModel(blueprint.model_copy(
        update={"sharing": blueprint.sharing.model_copy(update=sharing)}), SCHEMA))


def test_one_expert_is_shared_bottom():
    """E = 1 in the whole model: every logit that of a shared bottom with the same weights."""
    moe = model_of(experts=1)
    shared = SharedBottom(widths=moe.blueprint.sharing.widths)
    plain = RankingModel(SYSTEM.blueprint.model_copy(update={"sharing": shared}), SCHEMA)
    copied(moe, plain)
    plain.sharing.bottom.load_state_dict(moe.sharing.expert[0].state_dict())
    ours, theirs = logits(moe, BATCH), logits(plain, BATCH)
    for task in SYSTEM.blueprint.tasks:
        torch.testing.assert_close(ours[task], theirs[task])


def test_parameters_are_linear_in_the_experts():
    """E·MLP(D; widths) + T·D·E + towers: each expert adds the same, gates included."""
    d, t = 48, 4
    expert = d * 32 + 32 + 32 * 16 + 16
    blueprint = SYSTEM.blueprint
    counts = [blueprint.model_copy(update={"sharing": blueprint.sharing.model_copy(update={"experts": e})})
              .count(SCHEMA).parameters for e in (1, 2, 8)]
    assert counts[1] - counts[0] == expert + t * d and counts[2] - counts[0] == 7 * (expert + t * d)
    towers = t * (16 * 8 + 8 + 8 + 1)
    assert blueprint.count(SCHEMA).parameters == 4 * (expert + t * d) + towers


def test_a_task_without_weight_moves_nothing_of_its_own():
    """ω_k = 0: tower and gate of the task get no gradient; the experts' gradient is the weighted sum of the tasks'."""
    model = model_of()
    losses = model.train()(BATCH).losses
    first = next(model.sharing.expert[0].parameters())
    each = {task: torch.autograd.grad(loss, first, retain_graph=True)[0] for task, loss in losses.items()}
    weights = {"click": 1.0, "completion": 2.0, "like": 0.5, "dismiss": 0.0}
    sum(weights[task] * loss for task, loss in losses.items()).backward()
    torch.testing.assert_close(first.grad, sum(weights[task] * each[task] for task in weights))
    own = [*model.towers.deep["dismiss"].parameters(), *model.sharing.gate["dismiss"].parameters()]
    assert all((p.grad == 0).all() for p in own)
    assert all((p.grad != 0).any() for p in model.sharing.gate["like"].parameters())


def test_a_duplicated_task_has_gradient_cosine_1():
    """Same labels, same tower, same gate: the two tasks pull the experts in one direction."""
    model = model_of()
    model.towers.deep["completion"].load_state_dict(model.towers.deep["click"].state_dict())
    model.towers.head["completion"].load_state_dict(model.towers.head["click"].state_dict())
    model.sharing.gate["completion"].load_state_dict(model.sharing.gate["click"].state_dict())
    labels = {**BATCH.labels, "completion": BATCH.labels["click"]}
    observed = {**BATCH.observed, "completion": BATCH.observed["click"]}
    losses = model.train()(replace(BATCH, labels=labels, observed=observed)).losses
    parameters = list(model.sharing.expert.parameters())
    flat = [torch.cat([g.reshape(-1) for g in torch.autograd.grad(losses[t], parameters, retain_graph=True)])
            for t in ("click", "completion", "like")]
    cosine = lambda a, b: float(torch.dot(a, b) / (a.norm() * b.norm()))  # noqa: E731
    assert cosine(flat[0], flat[1]) == pytest.approx(1.0, abs=1e-5)
    assert cosine(flat[0], flat[2]) < 0.99
