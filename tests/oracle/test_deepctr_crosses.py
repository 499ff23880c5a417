"""The crossing models against DeepCTR-Torch: same weights, same rows, same logits.

Where its models add something that the paper has not, ours is given the same: a linear logit in all of them (also in its DCN,
and in what is a plain DNN here), one bias, which its output layer holds, and a bias for each of CIN's maps. Its DCN reads the
numbers too; FM and CIN read categorical fields only, so their rows have none.
"""
from __future__ import annotations

import pytest
import torch
from torch import nn

from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.interaction.cin import CIN
from rankzoo.components.interaction.cross import Cross
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.interaction.fm import FM
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.bare import Bare
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from tests.oracle import peer
from tests.support import logits, random_batch, randomised

peer.library()

from deepctr_torch.models import DCN, WDL, DeepFM, xDeepFM  # noqa: E402  only where the library is there

DIM, WIDTHS = 4, (16, 8)
DEEP = MlpTower(widths=WIDTHS, head_bias=False)
FIELDS = Schema(tuple(Feature(f"f{i}", "categorical", 20 + i) for i in range(5)), (Task("click"),))
MIXED = Schema((*FIELDS.features, Feature("price", "numeric"), Feature("age", "numeric")), FIELDS.tasks)


def ours(schema: Schema, *interaction: object, **slots: object) -> RankingModel:
    """Our model with random weights in every parameter, linear part and bias included."""
    blueprint = Blueprint(tasks=("click",), representation=Embeddings(dim=DIM), interaction=(Linear(), *interaction),
                          **({"towers": DEEP} | slots))
    return randomised(RankingModel(blueprint, schema))


def theirs(kind: type[nn.Module], schema: Schema, deep: tuple[int, ...] = WIDTHS, **settings: object) -> nn.Module:
    """Its model on the same columns, which answers with logits."""
    columns = peer.columns(schema, DIM)
    return kind(columns, columns, dnn_hidden_units=deep, task="regression", **settings)


def assert_same(model: RankingModel, other: nn.Module) -> None:
    """Tables, linear part and deep network are copied; then every logit is the same."""
    peer.copy_tables(model.representation, other)
    peer.copy_linear(model.interaction[0], other)
    if hasattr(other, "dnn"):
        peer.copy_mlp(model.towers.deep["click"], other.dnn)
    batch = random_batch(model.schema, 64)
    found = logits(model, batch)["click"]
    torch.testing.assert_close(peer.answer(other, batch)[:, 0], found, rtol=1e-5, atol=1e-5)
    assert found.std() > 0.1


@pytest.mark.parametrize("schema", [FIELDS, MIXED], ids=["fields", "fields and numbers"])
def test_wide_and_deep(schema):
    """WDL: first order and deep network; a DNN is the same with a silent linear part."""
    model, other = ours(schema), theirs(WDL, schema)
    peer.copy(model.towers.head["click"].weight, other.dnn_linear.weight)
    assert_same(model, other)


@pytest.mark.parametrize("schema", [FIELDS, MIXED], ids=["fields", "fields and numbers"])
def test_dnn(schema):
    """WDL without linear columns: our DNN, whose head's bias is its output layer's."""
    model = randomised(RankingModel(Blueprint(tasks=("click",), representation=Embeddings(dim=DIM),
                                              towers=MlpTower(widths=WIDTHS)), schema))
    other = WDL([], peer.columns(schema, DIM), dnn_hidden_units=WIDTHS, task="regression")
    peer.copy_tables(model.representation, other)
    peer.copy_mlp(model.towers.deep["click"], other.dnn)
    peer.copy(model.towers.head["click"].weight, other.dnn_linear.weight)
    peer.copy(model.towers.head["click"].bias, other.out.bias)
    batch = random_batch(schema, 64)
    torch.testing.assert_close(peer.answer(other, batch)[:, 0], logits(model, batch)["click"], rtol=1e-5, atol=1e-5)


def test_fm():
    """DeepFM without a deep network is the factorisation machine."""
    assert_same(ours(FIELDS, FM(), concatenation=Join(fields=()), towers=Bare()), theirs(DeepFM, FIELDS, deep=()))


def test_deepfm():
    model, other = ours(FIELDS, FM()), theirs(DeepFM, FIELDS)
    peer.copy(model.towers.head["click"].weight, other.dnn_linear.weight)
    assert_same(model, other)


@pytest.mark.parametrize("split", [False, True], ids=["direct", "split"])
@pytest.mark.parametrize("maps", [(6,), (6, 4), (8, 6, 5)], ids=str)
def test_xdeepfm(maps, split):
    """Identity in the maps (its own default is a ReLU) and its bias for each; our one head holds its two linear maps."""
    model = ours(FIELDS, CIN(maps=maps, split=split, bias=True))
    other = theirs(xDeepFM, FIELDS, cin_layer_size=maps, cin_split_half=split, cin_activation="linear")
    for mine, its in zip(model.interaction[1].layer, other.cin.conv1ds, strict=True):
        peer.copy(mine.weight, its.weight)
        peer.copy(mine.bias, its.bias)
    pooled, deep = model.towers.head["click"].weight.split([other.featuremap_num, WIDTHS[-1]], dim=1)
    peer.copy(pooled, other.cin_linear.weight)
    peer.copy(deep, other.dnn_linear.weight)
    assert_same(model, other)


@pytest.mark.parametrize("schema", [FIELDS, MIXED], ids=["fields", "fields and numbers"])
@pytest.mark.parametrize("layers", [1, 3])
def test_dcn(layers, schema):
    """The first version: vectors, parallel, and a linear logit beside, which the paper has not."""
    model, other = ours(schema, Cross(layers=layers)), theirs(DCN, schema, cross_num=layers, cross_parameterization="vector")
    peer.copy(torch.stack([layer.w for layer in model.interaction[1].layer]), other.crossnet.kernels)
    peer.copy(torch.stack([layer.b for layer in model.interaction[1].layer]), other.crossnet.bias)
    peer.copy(model.towers.head["click"].weight, other.dnn_linear.weight)
    assert_same(model, other)


@pytest.mark.parametrize("schema", [FIELDS, MIXED], ids=["fields", "fields and numbers"])
@pytest.mark.parametrize("layers", [1, 3])
def test_dcn_v2(layers, schema):
    """The second version: matrices, the bias inside the product."""
    model, other = ours(schema, CrossV2(layers=layers)), theirs(DCN, schema, cross_num=layers, cross_parameterization="matrix")
    peer.copy(torch.stack([layer.linear.weight for layer in model.interaction[1].layer]), other.crossnet.kernels)
    peer.copy(torch.stack([layer.linear.bias for layer in model.interaction[1].layer]), other.crossnet.bias)
    peer.copy(model.towers.head["click"].weight, other.dnn_linear.weight)
    assert_same(model, other)
