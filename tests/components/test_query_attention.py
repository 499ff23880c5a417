"""Dot-product target attention and the multi-head arithmetic under it: against torch, and the attention sheet, 1, 8 and 12."""
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankzoo.components.sequence.multi_head import MultiHead, multi_head_parts
from rankzoo.components.sequence.query_attention import QueryAttention
from rankzoo.trace import Trace
from tests.components.past import built, drawn, run, shape
from tests.support import numel, randomised

D, KEYS = 6, 4
HEADS = pytest.mark.parametrize("heads", [1, 2, 3])


def made(heads: int, width: int | None = None, bias: bool = True, out: bool = True, scale: bool = True) -> MultiHead:
    return randomised(MultiHead(D, heads, width or D // heads, bias, out, scale)).double()


def tokens(rows: int = 3, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """asking (row, 2, D), keys (row, 4, D), mask (row, 4) with at least one key."""
    items, mask, _ = drawn(rows, seed, width=D)
    asking = torch.randn(rows, 2, D, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64)
    return asking, items, mask


def peer(own: MultiHead) -> nn.MultiheadAttention:
    """Torch's module with our weights."""
    theirs = nn.MultiheadAttention(D, own.heads, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([own.query.weight, own.key.weight, own.value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([own.query.bias, own.key.bias, own.value.bias]))
    theirs.out_proj.load_state_dict(own.out.state_dict())
    return theirs


@HEADS
def test_equals_torchs_multihead_attention(heads):
    """Copied weights: outputs and maps of every head agree within 1e-6 (attention sheet, 12.14). Torch's mask says what to
    hide."""
    own, (asking, items, mask) = made(heads), tokens()
    mixed, maps = own(asking, items, mask)
    theirs, weights = peer(own)(asking, items, items, key_padding_mask=~mask, average_attn_weights=False)
    torch.testing.assert_close(mixed, theirs, rtol=0, atol=1e-6)
    torch.testing.assert_close(maps, weights, rtol=0, atol=1e-6)


@HEADS
def test_equals_scaled_dot_product_attention(heads):
    """Q, K, V by hand through torch's function: its mask says what to keep, its scale is 1 / √d_k."""
    own, (asking, items, mask) = made(heads, out=False), tokens()
    q, k, v = (own.apart(linear(x)) for linear, x in ((own.query, asking), (own.key, items), (own.value, items)))
    theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
    torch.testing.assert_close(own(asking, items, mask)[0], theirs.transpose(1, 2).flatten(2), rtol=0, atol=1e-6)


@pytest.mark.parametrize("scale", [True, False])
def test_the_scale(scale):
    """With it scores are those without it over √d_k: scaled weights are the tempered ones (pitfall: forgetting √d_k)."""
    own, (asking, items, mask) = made(1, 4, scale=scale), tokens()
    scores = (own.query(asking) @ own.key(items).transpose(1, 2)) / (2.0 if scale else 1.0)
    expected = torch.softmax(scores.masked_fill(~mask[:, None, :], -torch.inf), dim=2)
    torch.testing.assert_close(own(asking, items, mask)[1][:, 0], expected)


def test_heads_are_separate():
    """Three heads whose maps are cut out of three single ones give those three, side by side (attention sheet, 12.8)."""
    own, (asking, items, mask) = made(3, out=False), tokens()
    together, maps = own(asking, items, mask)
    for h in range(3):
        one = MultiHead(D, 1, 2, out=False).double()
        for name in ("query", "key", "value"):
            mine, whole = getattr(one, name), getattr(own, name)
            mine.load_state_dict({"weight": whole.weight[2 * h:2 * h + 2], "bias": whole.bias[2 * h:2 * h + 2]})
        alone, its = one(asking, items, mask)
        torch.testing.assert_close(together[:, :, 2 * h:2 * h + 2], alone)
        torch.testing.assert_close(maps[:, h], its[:, 0])


def test_count_is_independent_of_the_heads():
    """Attention sheet, 8 and 12.8: 4d² + 4d for any number of heads that divides d; d = 64 gives 16,640. Likewise FLOPs."""
    counts = {(spec.count(shape(64)).parameters, spec.count(shape(64)).flops, numel(spec.build(shape(64))))
              for spec in (QueryAttention(heads=h) for h in (1, 2, 4, 8, 16))}
    assert {(p, n) for p, _, n in counts} == {(16_640, 16_640)} and len(counts) == 1
    # maps 2·(2·64²) per query and per key, scores and mixing 4·T·d
    assert counts.pop()[1] == 2 * 64 * 64 * (1 + 4 + 4 + 1) + 4 * 4 * 64
    assert sum(part.parameters for part in multi_head_parts("m", 300, 256, 5, 5, 16, bias=False, out=False)) == 230_400


def test_weights_of_the_heads_and_their_mean():
    """`weight` is the mean of `weight.head`; each head's shares add to 1; what is hidden has none."""
    layer, (items, mask, candidate), trace = built(QueryAttention(heads=3)), drawn(), Trace()
    run(layer, items, mask, candidate, trace)
    mean, heads = trace["weight"], trace["weight.head"]
    assert (heads.kind, heads.axes, heads.values.shape) == ("head", ("row", "head", "position"), (3, 3, 4))
    torch.testing.assert_close(mean.values, heads.values.mean(dim=1))
    torch.testing.assert_close(heads.values.sum(dim=2), torch.ones(3, 3, dtype=torch.float64))
    assert (heads.values.transpose(1, 2)[~mask] == 0).all() and not torch.allclose(heads.values[:, 0], heads.values[:, 1])


def test_one_item_is_passed_on_as_its_value():
    """One visible key has weight 1: the output is W_O (W_V h + b_V) + b_O (attention sheet, 12.6)."""
    layer, (items, mask, candidate) = built(QueryAttention(heads=3)), drawn()
    h, a = items[2, 0], layer.attention
    torch.testing.assert_close(run(layer, items, mask, candidate)[2], a.out(a.value(h)))


def test_a_longer_candidate_decides_more_sharply():
    """Scores times three, a lower entropy (attention sheet, 12.7); a bias of the keys adds one constant to a row: no change."""
    layer, (items, mask, candidate), trace = built(QueryAttention(heads=1)), drawn(), Trace()
    with torch.no_grad():
        layer.attention.query.bias.zero_()
    entropy = []
    for times in (1, 3):
        run(layer, items, mask, times * candidate, trace)
        entropy.append(-(trace["weight"].values * trace["weight"].values.clamp(min=1e-30).log()).sum(dim=1))
    assert (entropy[1] < entropy[0])[:2].all()
    before = run(layer, items, mask, candidate)
    with torch.no_grad():
        layer.attention.key.bias += 5
    torch.testing.assert_close(run(layer, items, mask, candidate), before)


def test_scores_of_100_stay_finite():
    """fp32 scores up to ±100 (attention sheet, 12.15)."""
    layer = randomised(QueryAttention(heads=1).build(shape()))
    items, mask, candidate = drawn(dtype=torch.float32)
    own = layer.attention
    with torch.no_grad():
        own.query.bias.zero_()
        scores = own.query(candidate).unsqueeze(1) @ own.key(items).transpose(1, 2) * own.scale
        own.query.weight *= 100 / scores.abs().max()
    items.requires_grad_()
    out = run(layer, items, mask, candidate)
    out.square().sum().backward()
    assert torch.isfinite(out).all() and torch.isfinite(items.grad).all()
