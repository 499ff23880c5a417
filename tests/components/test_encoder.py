"""Transformer encoder over a history alone: counts, what padding and order do, and an independent oracle for its blocks."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.attributes import Attributes
from rankzoo.components.sequence.encoder import Encoder
from rankzoo.components.towers.classes import Classes
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.shape import Shape
from rankzoo.signals import Sequence, Signal
from rankzoo.trace import Trace
from tests.support import OFF, numel, random_batch, randomised, rich, shape_at, shop

SHOP = shop()
BATCH = random_batch(SHOP, 8)


def model_of(**settings) -> RankingModel:
    blueprint = Blueprint(tasks=("next",), representation=Attributes(dim=4), towers=Classes(),
                          sequence=(Encoder(**{"token": 8, "heads": 2, "ffn": 32} | settings),))
    return randomised(RankingModel(blueprint, SHOP)).eval()


def read(model: RankingModel, values: torch.Tensor, mask: torch.Tensor, trace: Trace = OFF) -> torch.Tensor:
    """What leaves the component for given tokens (row, position, width)."""
    with torch.no_grad():
        return model.sequence[0](Signal(sequences={"past": Sequence(values, mask)}), trace).fields["past"]


def tokens(rows: int = 4, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    width = shape_at(model_of().blueprint, SHOP, "sequence.0").sequences["past"].width
    return torch.randn(rows, 5, width, generator=torch.Generator().manual_seed(seed)), torch.arange(5) < torch.tensor(
        [[5], [3], [1], [0]])[:rows]


@pytest.mark.parametrize("d, ffn", [(64, 256), (8, 32)])
def test_parameters_of_a_block(d, ffn):
    """Sheet, section 9: 12 d² + 13 d with a feed-forward network four times as wide; 49,984 at 64."""
    blueprint = Blueprint(tasks=("next",), representation=Attributes(dim=4), towers=Classes(),
                          sequence=(Encoder(token=d, heads=4, ffn=ffn, blocks=2),))
    count = blueprint.count(SHOP)
    assert count.within("sequence.0.block.1").parameters == 12 * d * d + 13 * d
    assert d != 64 or count.within("sequence.0.block.1").parameters == 49_984
    assert count.within("sequence.0").parameters == numel(RankingModel(blueprint, SHOP).sequence[0])


def test_blocks_against_torch():
    """Pre-norm blocks as torch's own encoder has them, weights copied, over full rows and padded ones."""
    model, (values, mask) = model_of(norm="pre", positions="none", blocks=1), tokens(3)
    layer, block = model.sequence[0], model.sequence[0].block[0]
    oracle = nn.TransformerEncoderLayer(8, 2, 32, dropout=0.0, activation=nn.functional.leaky_relu, batch_first=True,
                                        norm_first=True).eval()
    attention = block.attention
    with torch.no_grad():
        oracle.self_attn.in_proj_weight.copy_(torch.cat([attention.query.weight, attention.key.weight, attention.value.weight]))
        oracle.self_attn.in_proj_bias.copy_(torch.cat([attention.query.bias, attention.key.bias, attention.value.bias]))
        for own, theirs in ((attention.out, oracle.self_attn.out_proj), (block.inner, oracle.linear1),
                            (block.outer, oracle.linear2), (block.norm_attention, oracle.norm1), (block.norm_ffn, oracle.norm2)):
            theirs.load_state_dict(own.state_dict())
        expected = oracle(layer.tokens.item(values) * mask.unsqueeze(2), src_key_padding_mask=~mask)
    expected = (expected * mask.unsqueeze(2)).sum(dim=1) / mask.sum(dim=1, keepdim=True)
    torch.testing.assert_close(read(model, values, mask), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("positions, same", [("none", True), ("learned", False)])
def test_order_counts_with_positions_only(positions, same):
    """Sheet, invariant 5: without positions the mean does not know the order."""
    model, (values, _) = model_of(positions=positions), tokens(1)
    mask, order = torch.ones(1, 5, dtype=torch.bool), torch.tensor([2, 0, 4, 1, 3])
    assert torch.allclose(read(model, values, mask), read(model, values[:, order], mask), atol=1e-4) == same


@pytest.mark.parametrize("how", ["mean", "last", "attention"])
def test_padding_counts_for_nothing(how):
    """Invariants 6 and 7: whatever stands in padded places or however many there are; the mean divides by the items. One item is
    a session, none is zeros."""
    model, (values, mask) = model_of(read=how, positions="none"), tokens()
    before = read(model, values, mask)
    noisy = torch.where(mask.unsqueeze(2), values, 100.0)
    torch.testing.assert_close(read(model, noisy, mask), before)
    front = torch.cat([values[1:2, 3:], values[1:2, :3]], dim=1)  # padded before instead of behind
    torch.testing.assert_close(read(model, front, torch.tensor([[False, False, True, True, True]])), before[1:2])
    torch.testing.assert_close(read(model, values[2:3, :1], mask[2:3, :1]), before[2:3])
    assert torch.isfinite(before).all() and (before[3] == 0).all()


def test_weights_by_hand():
    mask = torch.tensor([[True, True, False], [True, False, True], [False, False, False]])
    x = torch.randn(3, 3, 8, generator=torch.Generator().manual_seed(1))
    mean, last = (model_of(read=how).sequence[0].weights(x, mask).tolist() for how in ("mean", "last"))
    assert mean == [[0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0, 0]]
    assert last == [[False, True, False], [False, False, True], [False] * 3]


def test_attention_asks_what_the_blocks_leave():
    """u = Σ softmax(qᵀ tanh(V z + v)) z over the items that are there, to the parameter as counted; its weights are kept."""
    model, (values, mask), trace = model_of(read="attention", positions="none", blocks=1), tokens(), Trace()
    layer, spec = model.sequence[0], model.blueprint.sequence[0]
    found, entry = read(model, values, mask, trace), trace["weight"]
    with torch.no_grad():
        z, _ = layer.block[0](layer.tokens.item(values) * mask.unsqueeze(2), mask)
    for row in range(3):
        own = z[row][mask[row]]
        asked = torch.softmax(torch.tanh(own @ layer.map.weight.T + layer.map.bias) @ layer.query.weight[0], 0).detach()
        torch.testing.assert_close(found[row], asked @ own, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(entry.values[row][mask[row]], asked, rtol=1e-4, atol=1e-5)
    assert entry.kind == "attention" and (entry.values[3] == 0).all() and spec.keeps == ("attention", "map")
    count = model.blueprint.count(SHOP).within("sequence.0").parameters
    assert count == numel(layer) == numel(model_of(positions="none").sequence[0]) + 8 * 8 + 8 + 8
    drawn = {block.address: block.parameters for block in model.blueprint.blocks(SHOP)}
    assert drawn["sequence.0.sum"] == 80 and drawn["sequence.0.block.0"] == count - 80


def test_attention_rows_sum_to_one():
    """Invariant 12: shares of the items that are there, 0 for padding, nothing asked by padding."""
    trace, (values, mask) = Trace(), tokens()
    read(model_of(blocks=2), values, mask, trace)
    assert [entry.address for entry in trace.of("map")] == ["block.0.map", "block.1.map"]
    for entry in trace.of("map"):
        expected = mask.float().unsqueeze(1).expand(4, 2, 5)
        torch.testing.assert_close(entry.values.sum(dim=3), expected)
        assert (entry.values.transpose(2, 3)[~mask.unsqueeze(1).expand(4, 2, 5)] == 0).all()


def test_refusals():
    with pytest.raises(ZooError, match="3 heads cannot share the 8 numbers of a token evenly"):
        model_of(heads=3)
    with pytest.raises(ZooError, match="There is already a vector called 'past'"):
        Encoder(token=8).after(replace_fields(SHOP, {"past": 4}))


def replace_fields(schema, fields) -> Shape:
    shape = Attributes(dim=4).after(Shape(schema, schema.tasks, at="representation"))
    return replace(shape, fields={**shape.fields, **fields}, at="sequence.0")


def test_stands_on_other_data():
    """A history that names no catalogue is read just as well."""
    blueprint = Blueprint(tasks=("click",), sequence=(Encoder(token=8),))
    assert torch.isfinite(RankingModel(blueprint, rich())(random_batch(rich())).losses["click"])
