"""PLE, CGC and MMoE against Torch-RecHub 0.9.0, which takes any number of own and shared experts: the same logits.

Its layers have a batch norm each, its gates too, and a bias in the gates: in eval mode the norms are made to change nothing, and
the biases are set to 0.
"""
from __future__ import annotations

import pytest
import torch
from torch import nn

from rankzoo.components.mlp import Mlp
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.sharing.ple import PLE
from rankzoo.model import RankingModel
from tests.oracle import peer
from tests.oracle.test_deepctr_tasks import BATCH, DIM, EXPERT, SCHEMA, TASKS, TOWER, ours
from tests.support import logits

EXPERTS, TOWERS = {"dims": list(EXPERT)}, [{"dims": list(TOWER)}] * 3


def library(module: str):
    """One module of the library, or a skip with its reason; and its features for our schema."""
    found = pytest.importorskip(f"torch_rechub.models.multi_task.{module}",
                                reason="the independent library is not installed: pip install --no-deps torch-rechub==0.9.0")
    from torch_rechub.basic.features import DenseFeature, SparseFeature

    return found, [SparseFeature(f.name, f.vocabulary, DIM) if f.kind == "categorical" else DenseFeature(f.name)
                   for f in SCHEMA.features]


def quiet(theirs: nn.Module) -> None:
    """Batch norms that change nothing."""
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eps = 0.0


def copy_layers(mine: list[nn.Linear], theirs: nn.Module) -> None:
    """Linear maps in their order; a gate of ours has no bias."""
    for own, its in zip(mine, [layer for layer in theirs.mlp if isinstance(layer, nn.Linear)], strict=True):
        peer.copy(own.weight, its.weight)
        peer.copy(torch.zeros(len(own.weight)) if own.bias is None else own.bias, its.bias)


def linears(mlp: Mlp) -> list[nn.Linear]:
    return [layer for layer in mlp if isinstance(layer, nn.Linear)]


def assert_same(model: RankingModel, theirs: nn.Module) -> None:
    """Tables, towers and heads copied, then all tasks at once."""
    for name, table in theirs.embedding.embed_dict.items():
        width, first = model.representation.places[name]
        peer.copy(model.representation.tables[str(width)][first:first + table.num_embeddings], table.weight)
    for task, tower in zip(TASKS, theirs.towers, strict=True):
        copy_layers([*linears(model.towers.deep[task]), model.towers.head[task]], tower)
    quiet(theirs)
    with torch.no_grad():
        expected = theirs.eval()({name: column.float() if column.is_floating_point() else column
                                  for name, column in BATCH.features.items()})
    found = torch.stack([logits(model, BATCH)[task] for task in TASKS], dim=1)
    assert float(found.std(dim=0).min()) > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_mixture_of_experts():
    module, features = library("mmoe")
    model = ours(MMoE(experts=4, widths=EXPERT))
    theirs = module.MMOE(features, ["regression"] * 3, 4, EXPERTS, TOWERS)
    for mine, its in zip(model.sharing.expert, theirs.experts, strict=True):
        copy_layers(linears(mine), its)
    for task, its in zip(TASKS, theirs.gates, strict=True):
        copy_layers([model.sharing.gate[task]], its)
    assert_same(model, theirs)


@pytest.mark.parametrize("own, shared", [(1, 3), (3, 1), (2, 2)])
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_progressive_layered_extraction(levels, own, shared):
    """Unequal numbers of experts, and no shared gate on the last level, as here."""
    module, features = library("ple")
    model = ours(PLE(levels=levels, own=own, shared=shared, widths=EXPERT))
    theirs = module.PLE(features, ["regression"] * 3, levels, own, shared, EXPERTS, TOWERS)
    for level, its in zip(model.sharing.level, theirs.cgc_layers, strict=True):
        mine = [expert for task in TASKS for expert in level.own[task]]
        for one, other in [*zip(mine, its.experts_specific, strict=True), *zip(level.shared, its.experts_shared, strict=True)]:
            copy_layers(linears(one), other)
        for task, gate in zip(TASKS, its.gates_specific, strict=True):
            copy_layers([level.gate[task]], gate)
        assert (level.shared_gate is None) == (not hasattr(its, "gate_shared"))
        if level.shared_gate is not None:
            copy_layers([level.shared_gate], its.gate_shared)
    assert_same(model, theirs)
