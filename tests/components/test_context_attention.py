"""Context attention (Kuaishou sheet, 4.2 and 5): against torch's function, its count, and two contexts side by side."""
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence.context_attention import ContextAttention
from rankzoo.components.sequence.query_attention import QueryAttention
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, History, HistoryField, Schema, Task
from rankzoo.trace import Trace
from tests.components.past import built, drawn, run, shape
from tests.support import flops, numel, random_batch


def wide(heads: int, width: int) -> tuple[ContextAttention, Blueprint, Schema]:
    """A candidate of 16 + 8 numbers, past items of 16 + 8 + 8: they have a mark that a candidate lacks."""
    past = History("past", 4, (HistoryField("item", 9, "item"), HistoryField("topic", 5, "topic"), HistoryField("mark", 3)))
    schema = Schema((Feature("item", vocabulary=9), Feature("topic", vocabulary=5)), (Task("click"),), (past,))
    spec = ContextAttention(heads=heads, width=width)
    return spec, Blueprint(representation=Embeddings(dim=8, dims={"item": 16}), sequence=(spec,), tasks=("click",)), schema


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_equals_scaled_dot_product_attention(heads):
    """Q, K, V by hand through torch's function, scale 1 / √d_h, the heads' outputs side by side and no W_O behind them."""
    layer, (items, mask, candidate) = built(ContextAttention(heads=heads, width=2)), drawn()
    own = layer.attention
    assert own.out is None
    q, k, v = own.apart(own.query(candidate.unsqueeze(1))), own.apart(own.key(items)), own.apart(own.value(items))
    theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
    torch.testing.assert_close(run(layer, items, mask, candidate), theirs.transpose(1, 2).flatten(2).squeeze(1))


@pytest.mark.parametrize("heads, width", [(1, 4), (2, 8), (8, 16)])
def test_count_is_the_sheet_s(heads, width):
    """5: (D_q + 1)·H·d_h + 2·(D_kv + 1)·H·d_h, D_q = 24, D_kv = 32, whatever the length of the history."""
    spec, blueprint, schema = wide(heads, width)
    model, inner = RankingModel(blueprint, schema), heads * width
    count = blueprint.count(schema).within("sequence.0")
    assert count.parameters == numel(model.sequence[0]) == 25 * inner + 2 * 33 * inner
    assert blueprint.count(schema).flops == flops(model, random_batch(schema))
    longer = Schema(schema.features, schema.tasks, (History("past", 40, schema.histories[0].fields),))
    assert blueprint.count(longer).parameters == blueprint.count(schema).parameters


def test_one_item_is_passed_on_as_its_value():
    """One visible item has weight 1 in every head: the output is W_V h + b_V; without any it is zeros."""
    layer, (items, mask, candidate) = built(ContextAttention(heads=3, width=2)), drawn()
    torch.testing.assert_close(run(layer, items, mask, candidate)[2], layer.attention.value(items[2, 0]))
    assert not run(layer, items, torch.zeros_like(mask), candidate).any()


def test_weights_of_the_heads_and_their_mean():
    layer, (items, mask, candidate), trace = built(ContextAttention(heads=3, width=2)), drawn(), Trace()
    run(layer, items, mask, candidate, trace)
    heads = trace["weight.head"].values
    assert heads.shape == (3, 3, 4) and not torch.allclose(heads[:, 0], heads[:, 1])
    torch.testing.assert_close(trace["weight"].values, heads.mean(dim=1))
    torch.testing.assert_close(heads.sum(dim=2), torch.ones(3, 3, dtype=torch.float64))
    assert (heads.transpose(1, 2)[~mask] == 0).all()


def test_only_the_context_is_handed_on():
    """No candidate's token, so that a second one can stand behind; one that hands it on still can, once."""
    spec, given = ContextAttention(), shape()
    after = spec.after(given)
    assert set(after.fields) - set(given.fields) == {"past"} and after.fields["past"] == 16
    with pytest.raises(ZooError, match="There is already a vector called 'past'"):
        QueryAttention(token=4).after(after)


def test_larger_weights_sharpen():
    """Scores times four lower the entropy of every row with more than one item (attention sheet, 12.7)."""
    layer, (items, mask, candidate), entropy = built(ContextAttention(heads=1, width=4)), drawn(), []
    for times in (1, 4):
        trace = Trace()
        with torch.no_grad():
            layer.attention.query.weight *= times
            layer.attention.query.bias *= times
        run(layer, items, mask, candidate, trace)
        weights = trace["weight"].values
        entropy.append(-(weights * weights.clamp(min=1e-30).log()).sum(dim=1))
    assert (entropy[1] < entropy[0])[:2].all()
