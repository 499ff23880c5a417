"""DIN against DeepCTR-Torch 0.3.0 with the same weights: logits agree within 1e-5, with and without softmax."""
from __future__ import annotations

import pytest
import torch
from torch import nn

from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence.target_attention import TargetAttention
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, History, HistoryField, Schema, Task
from tests.oracle import peer
from tests.support import logits, random_batch, randomised

SCHEMA = Schema((Feature("item", "categorical", 9, "item"), Feature("topic", "categorical", 5, "item"),
                 Feature("user", "categorical", 6, "user"), Feature("price", "numeric")), (Task("click"),),
                (History("past", 6, (HistoryField("item", 9, "item"), HistoryField("topic", 5, "topic"))),))
DIM = 4


def ours(attention: TargetAttention) -> RankingModel:
    """DIN as the library has it: every field and the interest joined, a deep network without a product."""
    blueprint = Blueprint(representation=Embeddings(dim=DIM), sequence=(attention,),
                          concatenation=Join(fields=("item", "topic", "user", "past", "price")),
                          towers=MlpTower(widths=(16, 8)), tasks=("click",))
    return randomised(RankingModel(blueprint, SCHEMA))


def theirs(model: RankingModel) -> nn.Module:
    """The library's DIN with our weights."""
    peer.library()
    from deepctr_torch.models import DIN

    spec, layer = model.blueprint.sequence[0], model.sequence[0]
    made = DIN(peer.columns(SCHEMA, DIM), ["item", "topic"], dnn_hidden_units=(16, 8), att_hidden_size=spec.unit,
               att_activation=spec.activation, att_weight_normalization=spec.softmax, task="regression")
    peer.copy_tables(model.representation, made)
    peer.copy_mlp(layer.unit, made.attention.local_att.dnn)
    for mine, its in ((layer.score, made.attention.local_att.dense), (model.towers.head["click"], made.dnn_linear)):
        peer.copy(mine.weight, its.weight)
    peer.copy(layer.score.bias, made.attention.local_att.dense.bias)
    peer.copy_mlp(model.towers.deep["click"], made.dnn)
    peer.copy(model.towers.head["click"].bias, made.out.bias)
    return made


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@pytest.mark.parametrize("softmax", [False, True])
@pytest.mark.parametrize("unit", [(80, 40), (5,)])
def test_din(unit, softmax, activation):
    """Histories of one item to all six. Where there is none the library's softmax spreads over padding (attention sheet, 9.4),
    and ours is zero: without softmax both are."""
    model = ours(TargetAttention(unit=unit, activation=activation, softmax=softmax))
    batch = random_batch(SCHEMA, 64)
    found, other = logits(model, batch)["click"], peer.answer(theirs(model), batch)[:, 0]
    seen = batch.masks["past"].any(dim=1)
    assert 0 < int((~seen).sum()) < 32 and float(found.std()) > 0.1
    rows = seen if softmax else torch.ones_like(seen)
    torch.testing.assert_close(found[rows], other[rows], rtol=0, atol=1e-5)
    assert not softmax or not torch.allclose(found[~seen], other[~seen], atol=1e-3)
