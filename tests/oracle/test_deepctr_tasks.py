"""Shared bottom, OMoE, MMoE, CGC and PLE against DeepCTR-Torch: with the same weights the same logits of all tasks.

Its gates are linear once they have no hidden units. Its PLE makes as many shared experts as own ones, whatever it is asked, and
a shared gate on the last level, which nothing reads.
"""
from __future__ import annotations

import pytest
import torch
from torch import nn

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.sharing.omoe import OMoE
from rankzoo.components.sharing.ple import PLE
from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.slot import Slot
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from tests.oracle import peer
from tests.support import logits, numel, random_batch, randomised

TASKS, DIM, EXPERT, TOWER = ("click", "like", "share"), 4, (12, 8), (5,)
SCHEMA = Schema((*(Feature(f"f{i}", "categorical", 20 + i) for i in range(3)), Feature("age", "numeric"),
                 Feature("price", "numeric")), tuple(Task(name) for name in TASKS))
BATCH = random_batch(SCHEMA, 64)
COMMON = {"tower_dnn_hidden_units": TOWER, "task_types": ("regression",) * 3, "task_names": TASKS}
MIXED = {**COMMON, "expert_dnn_hidden_units": EXPERT, "gate_dnn_hidden_units": ()}


def ours(sharing: Slot) -> RankingModel:
    """Random weights, large enough that rows differ behind several levels of ReLU."""
    model = RankingModel(Blueprint(representation=Embeddings(dim=DIM), sharing=sharing, towers=MlpTower(widths=TOWER),
                                   tasks=TASKS), SCHEMA)
    randomised(model)
    for parameter in model.sharing.parameters():
        parameter.data.mul_(1.8)
    return model


def zoo():
    """The library's multi-task models."""
    peer.library()
    from deepctr_torch import models

    return models


def towers(model: RankingModel, theirs: nn.Module) -> None:
    """Tables, towers and heads."""
    peer.copy_tables(model.representation, theirs)
    for i, task in enumerate(TASKS):
        peer.copy_mlp(model.towers.deep[task], theirs.tower_dnn[i])
        peer.copy(model.towers.head[task].weight, theirs.tower_dnn_final_layer[i].weight)
        peer.copy(model.towers.head[task].bias, theirs.out[i].bias)


def assert_same(model: RankingModel, theirs: nn.Module) -> None:
    """All tasks at once, and they are not all the same number."""
    found, expected = logits(model, BATCH), peer.answer(theirs, BATCH)
    together = torch.stack([found[task] for task in TASKS], dim=1)
    assert float(together.std(dim=0).min()) > 0.1 and float((together[:, 0] - together[:, 1]).abs().max()) > 0.1
    torch.testing.assert_close(together, expected, rtol=1e-5, atol=1e-5)


def test_shared_bottom():
    theirs, model = zoo().SharedBottom(peer.columns(SCHEMA, DIM), EXPERT, **COMMON), ours(SharedBottom(widths=EXPERT))
    towers(model, theirs)
    peer.copy_mlp(model.sharing.bottom, theirs.bottom_dnn)
    assert_same(model, theirs)


@pytest.mark.parametrize("kind", [MMoE, OMoE])
def test_mixture_of_experts(kind):
    """OMoE is its MMOE with one gate copied to every task."""
    theirs, model = zoo().MMOE(peer.columns(SCHEMA, DIM), 4, **MIXED), ours(kind(experts=4, widths=EXPERT))
    towers(model, theirs)
    for mine, its in zip(model.sharing.expert, theirs.expert_dnn, strict=True):
        peer.copy_mlp(mine, its)
    for task, its in zip(TASKS, theirs.gate_dnn_final_layer, strict=True):
        peer.copy((model.sharing.gate if kind is OMoE else model.sharing.gate[task]).weight, its.weight)
    assert_same(model, theirs)


@pytest.mark.parametrize("experts", [1, 2])
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_progressive_layered_extraction(levels, experts):
    """One level is CGC. Its last shared gate gets nothing of ours: whatever stands in it, the logits are the same."""
    theirs = zoo().PLE(peer.columns(SCHEMA, DIM), experts, experts, levels, **MIXED)
    model = ours(PLE(levels=levels, own=experts, shared=experts, widths=EXPERT))
    towers(model, theirs)
    for j, level in enumerate(model.sharing.level):
        for i, task in enumerate(TASKS):
            for mine, its in zip(level.own[task], theirs.specific_experts[j][i], strict=True):
                peer.copy_mlp(mine, its)
            peer.copy(level.gate[task].weight, theirs.specific_gate_dnn_final_layer[j][i].weight)
        for mine, its in zip(level.shared, theirs.shared_experts[j][0], strict=True):
            peer.copy_mlp(mine, its)
        if j < levels - 1:
            peer.copy(level.shared_gate.weight, theirs.shared_gate_dnn_final_layer[j].weight)
    assert_same(model, theirs)
    dead = theirs.shared_gate_dnn_final_layer[levels - 1]
    nn.init.normal_(dead.weight, std=100.0)
    assert_same(model, theirs)
    parts = (theirs.specific_experts, theirs.shared_experts, theirs.specific_gate_dnn_final_layer,
             theirs.shared_gate_dnn_final_layer)
    assert numel(model.sharing) + numel(dead) == sum(map(numel, parts))


def test_its_shared_experts_are_counted_wrongly():
    """Why the numbers of own and shared experts are equal above: asked for three shared ones it makes one, and fails."""
    theirs = zoo().PLE(peer.columns(SCHEMA, DIM), 3, 1, 1, **MIXED)
    assert len(theirs.shared_experts[0][0]) == 1
    with pytest.raises(IndexError):
        peer.answer(theirs, BATCH)
