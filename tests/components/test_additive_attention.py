"""Additive attention: the attention sheet, 2, 8 and 12, and what it hands on. The general laws are in test_sequence.py."""
from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.data.load import schema_of
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature
from rankzoo.trace import Trace
from tests.components.past import built, drawn, run, shape, signal
from tests.support import OFF, flops, numel, random_batch, randomised, shape_at


def test_by_hand():
    """a_i = qᵀ tanh(W h_i + b), α = softmax(a), u = Σ α_i h_i, position by position."""
    layer, (items, mask, candidate) = built(AdditiveAttention(width=5)), drawn()
    for row in range(3):
        seen = items[row][mask[row]]
        a = torch.stack([layer.query.weight[0] @ torch.tanh(layer.map.weight @ h + layer.map.bias) for h in seen])
        torch.testing.assert_close(run(layer, items, mask, candidate)[row], torch.softmax(a, 0) @ seen)


def test_two_numbers_on_paper():
    """h = (0, 1), W = 1, b = 0, q = 1: a = (0, tanh 1), α_2 = e^tanh(1) / (1 + e^tanh(1)) = 0.68170, which is u."""
    layer = AdditiveAttention(width=1).build(shape(1))
    with torch.no_grad():
        layer.map.weight.fill_(1.0)
        layer.map.bias.zero_()
        layer.query.weight.fill_(1.0)
    items, mask = torch.tensor([[[0.0], [1.0]]]), torch.tensor([[True, True]])
    u = run(layer, items, mask, torch.zeros(1, 1)).detach()
    assert float(u) == pytest.approx(math.exp(math.tanh(1)) / (1 + math.exp(math.tanh(1))), abs=1e-6)
    assert float(u) == pytest.approx(0.68170, abs=1e-5)


def test_a_longer_query_decides_more_sharply():
    """The query times three: scores times three, a lower entropy in every row with several items (attention sheet, 12.7)."""
    layer, (items, mask, candidate), trace = built(AdditiveAttention(width=5)), drawn(), Trace()
    entropies = []
    for _ in range(2):
        run(layer, items, mask, candidate, trace)
        weights = trace["weight"].values
        entropies.append(-(weights * weights.clamp(min=1e-30).log()).sum(dim=1))
        with torch.no_grad():
            layer.query.weight *= 3
    assert (entropies[1] < entropies[0])[:2].all() and float(entropies[0][2]) == 0


@pytest.mark.parametrize("scale", [100.0, 1000.0])
def test_large_scores_stay_finite(scale):
    """fp32 scores of ±100 and ±1000, where the published code's exp(a) / Σ exp(a) is NaN (attention sheet, 2 and 12.15)."""
    layer = AdditiveAttention(width=1).build(shape())
    with torch.no_grad():
        layer.map.weight.fill_(50.0)  # tanh at its ends
        layer.map.bias.zero_()
        layer.query.weight.fill_(scale)
    items, mask, candidate = drawn(dtype=torch.float32)
    items.requires_grad_()
    scores = layer.query(torch.tanh(layer.map(items))).squeeze(2).detach()
    assert float(scores.abs().max()) == pytest.approx(scale) and not torch.isfinite(torch.exp(scores)).all()
    out = run(layer, items, mask, candidate)
    out.square().sum().backward()
    assert torch.isfinite(out).all() and torch.isfinite(items.grad).all()


@pytest.mark.parametrize("training", [False, True])
def test_each_user_asks_something_else(training):
    """a_i = q_uᵀ tanh(W h_i + b), q_u = ReLU(V e_u + v), e_u = 0 for an unknown user; over filled positions alone in training; to
    the parameter and the FLOP as counted."""
    schema = replace(schema_of("news"), features=(*schema_of("news").features, Feature("reader", "categorical", 41, "user")))
    own = AdditiveAttention(width=6, candidate=True, question="own")
    blueprint = systems()["microsoft"].blueprint.model_copy(update={"sequence": (own,)})
    model, batch = randomised(RankingModel(blueprint, schema)).train(training), random_batch(schema, 40)
    layer, place = model.sequence[0], shape_at(blueprint, schema, "sequence.0")
    with torch.no_grad():
        given = model.representation(batch, OFF)
        found, past = layer(given, OFF).fields["clicked"], given.sequences["clicked"]
        reader = given.fields["reader"] * (batch.features["reader"] > 0).unsqueeze(1)
        for row in range(40):
            seen = past.values[row][past.mask[row]]
            a = torch.tanh(layer.map(seen)) @ torch.relu(layer.query(reader[row]))
            torch.testing.assert_close(found[row], torch.softmax(a, 0) @ seen, rtol=1e-4, atol=1e-5)
    assert (batch.features["reader"] == 0).any() and own.word() == "NPA"
    assert own.count(place).parameters == numel(layer) == 32 * 6 + 6 + 32 * 6 + 6
    count = blueprint.count(schema)
    assert count.flops + count.once / 40 == pytest.approx(flops(model, batch)), "its product with every item, too"
    assert any(edge.source.endswith(".reader") for edge in own.draw(place).edges)


def test_an_own_question_needs_a_user():
    blueprint = systems()["microsoft"].blueprint
    for user, words in (("", "no field about the user"), ("readr", "no field 'readr'")):
        spec = AdditiveAttention(width=6, candidate=True, question="own", user=user)
        with pytest.raises(ZooError, match=words) as refused:
            blueprint.model_copy(update={"sequence": (spec,)}).places(schema_of("news"))
        assert refused.value.at == "sequence.0.user"
    assert AdditiveAttention(user="reader").fitted(schema_of("news"))[0].user == ""


def test_count_of_the_sheet():
    """Attention sheet, 8: d·a + a + a; 256 numbers and a query of 200 give 51,600."""
    spec = AdditiveAttention(width=200)
    assert spec.count(shape(256)).parameters == numel(spec.build(shape(256))) == 256 * 200 + 200 + 200 == 51_600


def test_the_candidate_comes_along():
    """Where it is asked for, the candidate's token is a field, of one width with the history's, and nothing else changes."""
    items, mask, candidate = drawn()
    alone, both = AdditiveAttention(width=5), AdditiveAttention(width=5, candidate=True)
    assert "candidate" not in alone.after(shape()).fields and both.after(shape()).fields == {"item": 3, "past": 3, "candidate": 3}
    out = built(both)(signal(items, mask, candidate), OFF).fields
    assert torch.equal(out["candidate"], candidate) and torch.equal(out["past"], run(built(alone), items, mask, candidate))


def test_a_candidate_of_another_width_is_mapped():
    """Past items of 3 numbers, a candidate of 2: with a token width of 4 both leave with 4, and the maps are counted."""
    given = shape().but(fields={"item": 2})
    spec = AdditiveAttention(width=5, candidate=True, token=4)
    layer = spec.build(given).double()
    items, mask, _ = drawn()
    out = layer(signal(items, mask, torch.ones(3, 2, dtype=torch.float64)), OFF).fields
    assert out["past"].shape == out["candidate"].shape == (3, spec.after(given).fields["candidate"]) == (3, 4)
    assert spec.count(given).parameters == numel(layer) == (3 * 4 + 4) + (2 * 4 + 4) + (4 * 5 + 5 + 5)
