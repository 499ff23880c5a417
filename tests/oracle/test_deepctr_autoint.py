"""AutoInt against DeepCTR-Torch and Torch-RecHub: same weights, same rows, same logits.

Both keep a field's width (heads · width = embedding size). DeepCTR adds a linear logit, which ours is given too, and reads
categorical fields only. Torch-RecHub divides the scores by the square root of a head's width, so its queries get ours times
that; its numbers are value × vector as ours are; its linear logit over the embeddings, which the paper has not, is silent.
"""
from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.interaction.self_attention import SelfAttention
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.bare import Bare
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from tests.oracle import peer
from tests.support import logits, random_batch, randomised

DIM, WIDTHS = 8, (16, 8)
FIELDS = Schema(tuple(Feature(f"f{i}", "categorical", 20 + i) for i in range(5)), (Task("click"),))
MIXED = Schema((*FIELDS.features, Feature("price", "numeric"), Feature("age", "numeric")), FIELDS.tasks)


def attention(layers: int, heads: int, structure: str) -> SelfAttention:
    return SelfAttention(layers=layers, heads=heads, width=DIM // heads, structure=structure)


def assert_same(found: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(other, found, rtol=1e-5, atol=1e-5)
    assert found.std() > 0.1


@pytest.mark.parametrize("layers, heads", [(1, 1), (1, 2), (3, 2)])
@pytest.mark.parametrize("deep", [False, True], ids=["AutoInt", "AutoInt+"])
def test_deepctr(deep, layers, heads):
    peer.library()
    from deepctr_torch.models import AutoInt

    towers = MlpTower(widths=WIDTHS, head_bias=False) if deep else Bare()
    spec = attention(layers, heads, "parallel" if deep else "stacked")
    model = randomised(RankingModel(Blueprint(tasks=("click",), representation=Embeddings(dim=DIM),
                                              interaction=(Linear(), spec), towers=towers), FIELDS))
    columns = peer.columns(FIELDS, DIM)
    other = AutoInt(columns, columns, att_layer_num=layers, att_head_num=heads, att_res=True,
                    dnn_hidden_units=WIDTHS if deep else (), task="regression")
    peer.copy_tables(model.representation, other)
    peer.copy_linear(model.interaction[0], other)
    for mine, its in zip(model.interaction[1].layer, other.int_layers, strict=True):
        assert not its.scaling
        for part, weight in zip((mine.query, mine.key, mine.value, mine.residual),
                                (its.W_Query, its.W_key, its.W_Value, its.W_Res), strict=True):
            peer.copy(part.weight.T, weight)
    head = model.towers.head["click"]
    peer.copy(head.weight, other.dnn_linear.weight)
    if deep:
        peer.copy_mlp(model.towers.deep["click"], other.dnn)
    else:
        other.out.bias.data += head.bias.data  # its one bias is our two
    batch = random_batch(FIELDS, 64)
    assert_same(logits(model, batch)["click"], peer.answer(other, batch)[:, 0])


@pytest.mark.parametrize("layers, heads", [(1, 2), (2, 4)])
def test_rechub(layers, heads):
    """With numbers; its model answers with probabilities."""
    reason = "the independent library is not installed: pip install --no-deps torch-rechub==0.9.0"
    library = pytest.importorskip("torch_rechub.models.ranking.autoint", reason=reason)
    from torch_rechub.basic.features import DenseFeature, SparseFeature

    representation = Embeddings(dim=DIM, numeric="vector")
    model = randomised(RankingModel(Blueprint(tasks=("click",), representation=representation, towers=Bare(),
                                              interaction=(attention(layers, heads, "stacked"),)), MIXED))
    batch = random_batch(MIXED, 64)
    model.towers.head["click"].bias.data -= logits(model, batch)["click"].mean()  # probabilities away from 0 and 1
    sparse = [SparseFeature(f.name, f.vocabulary, DIM) for f in MIXED.categorical]
    other = library.AutoInt(sparse, [DenseFeature(f.name) for f in MIXED.numeric], num_layers=layers, num_heads=heads)
    copy_vectors(model, other)
    for mine, its in zip(model.interaction[0].layer, other.interacting_layers, strict=True):
        peer.copy(mine.query.weight / its.scale, its.W_Q.weight)
        for part, weight in zip((mine.key, mine.value, mine.residual), (its.W_K, its.W_V, its.W_Res), strict=True):
            peer.copy(part.weight, weight.weight)
    peer.copy(model.towers.head["click"].weight, other.attn_linear.weight)
    peer.copy(model.towers.head["click"].bias, other.attn_linear.bias)
    for parameter in other.linear.parameters():
        parameter.data.zero_()
    with torch.no_grad():
        said = other.eval()(batch.features)
    assert_same(torch.sigmoid(logits(model, batch)["click"]), said)


def copy_vectors(model: RankingModel, other: nn.Module) -> None:
    """Tables of the categorical fields, and the one vector of each number."""
    ours = model.representation
    for name, table in other.sparse_embedding.embed_dict.items():
        first = ours.places[name][1]
        peer.copy(ours.tables[str(DIM)][first:first + table.num_embeddings], table.weight)
    for name, part in other.dense_embeddings.items():
        peer.copy(ours.tables[str(DIM)][ours.places[name][1]], part.weight)
