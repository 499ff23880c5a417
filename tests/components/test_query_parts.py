"""Query unit, query attention with a zero slot, and fusion: what each is by hand, and what it refuses."""
from __future__ import annotations

import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence.ask import Ask
from rankzoo.components.sequence.fusion import Fusion
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sequence.query_unit import GRAINS, QueryUnit
from rankzoo.components.towers.classes import Classes
from rankzoo.data.worlds.search import WORLD as SEARCH
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.trace import Trace
from tests.support import OFF, flops, numel, random_batch, randomised, rich, shop

SHOP = shop()
BATCH = random_batch(SHOP, 8)


def model_of(*sequence, dim: int = 4) -> RankingModel:
    return randomised(RankingModel(Blueprint(tasks=("next",), representation=Embeddings(dim=dim), sequence=sequence,
                                             towers=Classes()), SHOP)).eval()


def behind(model: RankingModel, layers: int, trace: Trace = OFF):
    """The signal behind so many layers of the attention slot."""
    signal = model.representation(BATCH, OFF)
    for layer in model.sequence[:layers]:
        signal = layer(signal, trace)
    return signal


def test_unit_by_hand():
    """Means, pairs, and the sum; one word has no pair; no word is zeros."""
    model = model_of(QueryUnit(history="asked", heads=2, ffn=5), Ask(history="past", token=4), Fusion(history="asked"))
    layer = model.sequence[0]
    words, mask = layer.tokens.past(model.representation(BATCH, OFF))
    q = behind(model, 1).sequences["asked"].values
    assert q.shape == (8, len(GRAINS) - 1, 4) and (q[0] == 0).all()  # no earlier words here; the first row has none at all
    for row in range(1, 8):
        own = words[row][mask[row]]
        if not len(own):
            continue
        torch.testing.assert_close(q[row, 2], own.mean(dim=0))
        torch.testing.assert_close(q[row, 0], layer.single.weight @ own.mean(dim=0))
        pairs = [torch.tanh(layer.pair(torch.cat([a, b]))) for a, b in zip(own, own[1:], strict=False)]
        torch.testing.assert_close(q[row, 1], torch.stack(pairs).mean(dim=0) if pairs else torch.zeros(4))
        torch.testing.assert_close(q[row, 4], q[row, :4].sum(dim=0))


@pytest.mark.parametrize("token", [0, 6])
def test_earlier_words_weigh_by_likeness(token):
    """q_his_seq = softmax(q_seg p^T) p, by the words' own map; their history is read by nobody else then."""
    blueprint = Blueprint(tasks=("click",), representation=Embeddings(dim=4), towers=Classes(), sequence=(
        QueryUnit(history="query", earlier="earlier", token=token), Pooling(history="query")))
    model, batch = randomised(RankingModel(blueprint, SEARCH.schema)).eval(), random_batch(SEARCH.schema, 8)
    signal = model.representation(batch, OFF)
    p, there = model.sequence[0].tokens.item(signal.sequences["earlier"].values), batch.masks["earlier"]
    found = model.sequence[0](signal, OFF)
    q = found.sequences["query"].values
    assert set(found.sequences) == set(signal.sequences) - {"earlier"} and q.shape[1] == len(GRAINS)
    for row in range(8):
        own = p[row][there[row]]
        expected = torch.softmax(own @ q[row, 2], dim=0) @ own if len(own) else torch.zeros(q.shape[2])
        torch.testing.assert_close(q[row, 4], expected, rtol=1e-4, atol=1e-4)
    count = blueprint.count(SEARCH.schema)
    assert count.parameters == numel(model) and count.flops + count.once / 8 == pytest.approx(flops(model, batch))


def test_fewer_ways_of_reading():
    model = model_of(QueryUnit(history="asked", grains="words"), Ask(history="past", token=4), Fusion(history="asked"))
    q = behind(model, 1).sequences["asked"].values
    words, mask = model.sequence[0].tokens.past(model.representation(BATCH, OFF))
    torch.testing.assert_close(q[1, 0], words[1][mask[1]].mean(dim=0))
    assert q.shape == (8, 1, 4) and numel(model.sequence[0]) == 0


@pytest.mark.parametrize("zero", [True, False])
def test_answers_by_hand(zero):
    """softmax over [0, Q R^T]: the zero slot takes weight and adds nothing; without it the weights of each that asks add to 1."""
    model, trace = model_of(Ask(history="past", token=4, zero=zero), Fusion(history="asked")), Trace()
    signal = model.representation(BATCH, OFF)
    asking, (items, mask) = signal.sequences["asked"], model.sequence[0].tokens.past(signal)
    found = model.sequence[0](signal, trace).sequences["past"]
    for row in range(8):
        past = items[row][mask[row]]
        for i in range(int(asking.mask[row].sum())):
            scores = past @ asking.values[row, i]
            scores = torch.cat([torch.zeros(1), scores]) if zero else scores
            weights = torch.softmax(scores, dim=0)[int(zero):]
            expected = weights @ past if len(past) else torch.zeros(4)
            torch.testing.assert_close(found.values[row, i], expected, rtol=1e-4, atol=1e-4)
    heads = trace["weight.head"].values
    assert heads.shape == (8, 4, 5) and (found.values[~asking.mask] == 0).all()
    asked = asking.mask[1] & mask[1].any()
    sums = heads[1].sum(dim=1)[asked]
    assert (sums < 1).all() if zero else torch.allclose(sums, torch.ones_like(sums))


def test_fusion_reads_a_token_of_its_own():
    """[CLS] takes part; tokens that are not there do not; the histories that were fused are gone."""
    model = model_of(Ask(history="past", token=4), Fusion(history="asked", heads=2))
    trace = Trace()
    signal = behind(model, 2, trace)
    reading, mask = trace["reading"].values, BATCH.masks["asked"]
    assert not set(signal.sequences) & set(BATCH.masks) and signal.fields["asked"].shape == (8, 4)
    assert reading.shape == (8, 2, 9)
    torch.testing.assert_close(reading.sum(dim=2), torch.ones(8, 2))
    gone = torch.cat([torch.zeros(8, 1, dtype=torch.bool), ~mask, ~mask], dim=1)
    assert (reading.transpose(1, 2)[gone] == 0).all() and (reading[0, :, 0] == 1).all()


@pytest.mark.parametrize("spec", [Fusion(history="asked", token=6), Fusion(history="past", token=6, how="mlp", hidden=(5,)),
                                  Fusion(history="asked", token=6, how="mlp", hidden=()), Fusion(token=6, beside=("asked",))])
def test_fusion_of_what_is_there(spec):
    """Histories of different widths get a map each; what is counted is what there is."""
    model = model_of(spec)
    count = model.blueprint.count(SHOP)
    assert count.parameters == numel(model) and count.flops + count.once / 8 == pytest.approx(flops(model, BATCH))
    assert model.sequence[0].names[0] == (spec.history or "past")


@pytest.mark.parametrize("schema, sequence, at", [
    (rich(), (Ask(),), "sequence.0.query"), (SHOP, (Ask(history="past", token=4, query="past"),), "sequence.0.query"),
    (SHOP, (Ask(history="past", token=5),), "sequence.0.token"), (SHOP, (Fusion(),), "sequence.0.token"),
    (SHOP, (Fusion(token=4, beside=("here",)),), "sequence.0.beside.0"),
    (SHOP, (QueryUnit(history="asked", earlier="asked"),), "sequence.0.earlier"),
    (SHOP, (QueryUnit(history="asked", earlier="past"),), "sequence.0.earlier"),
    (SHOP, (QueryUnit(history="asked", heads=3),), "sequence.0.heads"),
    (SHOP, (QueryUnit(history="asked"),), "sequence.0"), (SHOP, (Ask(history="past", token=4),), "sequence.0")])
def test_refusals(schema, sequence, at):
    """Each with the address of the setting; what is rewritten and read by nobody is refused by the concatenation."""
    task = "next" if schema is SHOP else "click"
    with pytest.raises(ZooError) as caught:
        Blueprint(tasks=(task,), representation=Embeddings(dim=4), sequence=sequence,
                  **({"towers": Classes()} if schema is SHOP else {})).count(schema)
    assert caught.value.at == at and str(caught.value)


def test_other_data_lose_the_names():
    """A history that the data lack is let go."""
    assert Ask(history="past", query="asked").fitted(rich()) == (Ask(history="past"), ("asked",))
    assert Fusion(beside=("past", "asked")).fitted(rich()) == (Fusion(beside=("past",)), ("asked",))
    assert QueryUnit(earlier="asked").fitted(rich()) == (QueryUnit(), ("asked",))
