"""The transformer over past items and candidate: against torch, and the attention sheet, 1, 6, 8, 9 and 12."""
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankzoo.blueprint import Blueprint
from rankzoo.components.sequence.transformer import Transformer
from rankzoo.errors import ZooError
from rankzoo.signals import Sequence, Signal
from rankzoo.trace import Trace
from tests.components.past import LENGTH, built, drawn, mode, run, shape, signal
from tests.support import OFF, numel, rich
from tests.wiring import assert_wired

READS, NORMS = ("concat", "target", "mean"), ("post", "pre")
ALL = [Transformer(heads=2, ffn=5, read=read, norm=norm, positions=positions, blocks=blocks, token=token)
       for read in READS for norm, positions, blocks, token in
       (("post", "learned", 1, 0), ("pre", "none", 1, 0), ("post", "none", 2, 6))]
EACH = pytest.mark.parametrize("spec", ALL, ids=str)
D = 4


def toy(rows: int = 3, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    return drawn(rows, width=D, dtype=dtype)


def made(spec: Transformer) -> nn.Module:
    return built(spec, width=D)


def changed(spec: Transformer, **settings: object) -> Transformer:
    return spec.model_copy(update=settings)


def peer(block: nn.Module, norm: str = "post") -> nn.TransformerEncoderLayer:
    """Torch's encoder layer with the weights of our block."""
    own = block.attention
    theirs = nn.TransformerEncoderLayer(D, own.heads, block.inner.out_features, dropout=0.0, activation=F.leaky_relu,
                                        batch_first=True, norm_first=norm == "pre").double()
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([own.query.weight, own.key.weight, own.value.weight]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([own.query.bias, own.key.bias, own.value.bias]))
    for mine, its in ((own.out, theirs.self_attn.out_proj), (block.inner, theirs.linear1), (block.outer, theirs.linear2),
                      (block.norm_attention, theirs.norm1), (block.norm_ffn, theirs.norm2)):
        its.load_state_dict(mine.state_dict())
    return theirs


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("norm", NORMS)
def test_equals_torchs_encoder_layer(norm, training):
    """Copied weights, post- and pre-norm, LeakyReLU: every token that is there agrees within 1e-6 (attention sheet, 1 and
    12.14)."""
    layer = made(Transformer(heads=2, ffn=5, norm=norm, positions="none"))
    items, mask, candidate = toy()
    x = torch.cat([items, candidate.unsqueeze(1)], dim=1)
    visible = F.pad(mask, (0, 1), value=True)
    theirs = peer(layer.block[0], norm).train(training)(x, src_key_padding_mask=~visible)
    ours = run(layer.train(training), items, mask, candidate).unflatten(1, (LENGTH + 1, D))
    torch.testing.assert_close(ours[visible], theirs[visible], rtol=0, atol=1e-6)
    assert (ours[~visible] == 0).all()


def test_two_blocks_are_one_after_the_other():
    """The second block reads what the first made, padding hidden in both."""
    layer, (items, mask, candidate) = made(Transformer(heads=2, ffn=5, blocks=2, positions="none")), toy()
    x, visible = torch.cat([items, candidate.unsqueeze(1)], dim=1), F.pad(mask, (0, 1), value=True)
    for block in layer.block:
        x = peer(block)(x, src_key_padding_mask=~visible) * visible.unsqueeze(2)
    torch.testing.assert_close(run(layer, items, mask, candidate), x.flatten(1), rtol=0, atol=1e-6)


def test_what_is_read():
    """T + 1 tokens, flattened to (T + 1)·d with the candidate last (attention sheet, 12.12); the candidate's; the mean of those
    that are there."""
    items, mask, candidate = toy()
    whole, target, mean = (run(made(Transformer(heads=2, ffn=5, read=read)), items, mask, candidate) for read in READS)
    tokens = whole.unflatten(1, (LENGTH + 1, D))
    assert Transformer(heads=2).after(shape(D)).fields == {"item": D, "past": (LENGTH + 1) * D, "candidate": D}
    torch.testing.assert_close(target, tokens[:, -1])
    torch.testing.assert_close(mean, tokens.sum(dim=1) / (mask.sum(dim=1, keepdim=True) + 1))
    assert (tokens[:, :-1][~mask] == 0).all() and (tokens[:, :-1][mask] != 0).any()


@EACH
def test_the_candidate_leaves_as_it_came(spec):
    """`candidate` is its token before the blocks, as after target attention, whatever is read."""
    items, mask, candidate = toy()
    layer = made(spec)
    left = layer(signal(items, mask, candidate), OFF).fields
    torch.testing.assert_close(left["candidate"], layer.tokens.candidate(candidate))
    assert {name: vector.shape[1] for name, vector in left.items()} == spec.after(shape(D)).fields


@pytest.mark.parametrize("how", ["train", "eval", "no_grad"])
@EACH
def test_an_empty_history_leaves_the_candidate_alone(spec, how):
    """No past item: the candidate attends to itself alone, as in a model of no places; all other outputs and weights are zero;
    nothing is NaN in train, eval and no_grad (attention sheet, 9.2, 9.3 and 12.5)."""
    layer, trace = made(spec).train(how == "train"), Trace()
    items, mask, candidate = toy()
    mask[0] = False
    items.requires_grad_(how != "no_grad")
    with mode(how):
        out = run(layer, items, mask, candidate, trace)
        alone = run(layer, items[:1, :0], mask[:1, :0], candidate[:1])
    assert torch.isfinite(out).all()
    torch.testing.assert_close(out[:1], alone)
    maps = trace[f"block.{spec.blocks - 1}.map"].values[0]
    assert (trace["weight"].values[0] == 0).all() and (maps[:, -1, -1] == 1).all() and float(maps.sum()) == spec.heads
    if spec.read == "concat":
        assert (out[0, :LENGTH * spec.widths(shape(D))[2]] == 0).all()
    if how != "no_grad":
        out.sum().backward()
        assert torch.isfinite(items.grad).all() and (items.grad[0] == 0).all()
        assert all(torch.isfinite(p.grad).all() for p in layer.parameters() if p.grad is not None)


@pytest.mark.parametrize("training", [False, True])
@EACH
def test_padding_does_not_matter(spec, training):
    """Other values at hidden positions, and a padding that goes beyond the length of the data, change nothing (attention sheet,
    9.1, 9.5 and 12.2)."""
    layer, (items, mask, candidate) = made(spec).train(training), toy()
    before = run(layer, items, mask, candidate)
    torch.testing.assert_close(run(layer, torch.where(mask.unsqueeze(2), items, 1e3), mask, candidate), before)
    longer, wider = F.pad(items, (0, 0, 0, 3), value=5.0), F.pad(mask, (0, 3))
    torch.testing.assert_close(run(layer, longer, wider, candidate), before)
    torch.testing.assert_close(run(layer, items[1:3, :2], mask[1:3, :2], candidate[1:3]), before[1:3])  # cut to what is filled


@EACH
def test_maps_are_distributions(spec):
    """Rows of every map add to 1 within 1e-6 over items and candidate, none is below 0, hidden ones are exactly 0 (attention
    sheet, 12.1); `weight` is the last block's row of the candidate, heads averaged, and leaves out what it says to itself."""
    layer, (items, mask, candidate), trace = made(spec).train(), toy(), Trace()
    run(layer, items, mask, candidate, trace)
    visible = F.pad(mask, (0, 1), value=True)
    maps = [trace[f"block.{i}.map"] for i in range(spec.blocks)]
    assert tuple(entry.address for entry in trace.of("map")) == tuple(entry.address for entry in maps)
    for entry in maps:
        assert entry.axes == ("row", "head", "query", "key") and (entry.values >= 0).all()
        expected = visible.double().unsqueeze(1).expand(3, spec.heads, LENGTH + 1)
        torch.testing.assert_close(entry.values.sum(dim=3), expected, rtol=0, atol=1e-6)
        assert (entry.values.permute(0, 3, 1, 2)[~visible] == 0).all()
    row = maps[-1].values[:, :, -1]
    torch.testing.assert_close(trace["weight.head"].values, row[:, :, :-1])
    torch.testing.assert_close(trace["weight"].values, row[:, :, :-1].mean(dim=1))
    torch.testing.assert_close(trace["weight"].values.sum(dim=1), 1 - row[:, :, -1].mean(dim=1))
    assert torch.equal(trace["weight"].mask, mask) and spec.weighs() == "part"


@EACH
def test_order(spec):
    """Without positions, permuted items permute the outputs, and what is read of the candidate or the mean stays; with
    positions it changes (attention sheet, 12.3)."""
    items, mask, candidate = toy(1)
    layer, order = made(spec), torch.tensor([2, 0, 3, 1])
    before, after = (run(layer, x, mask, candidate) for x in (items, items[:, order]))
    if spec.read == "concat":
        width = spec.widths(shape(D))[2]
        before = before.unflatten(1, (LENGTH + 1, width))[:, [*order.tolist(), LENGTH]].flatten(1)
    assert torch.allclose(after, before) == (spec.positions == "none")


def test_equal_tokens_are_read_evenly():
    """Items that are all the candidate share its weight evenly: 1 / 5 each with four of them (attention sheet, 12.6)."""
    layer, trace = made(Transformer(heads=2, positions="none")), Trace()
    _, mask, candidate = toy(1)
    run(layer, candidate.unsqueeze(1).expand(1, LENGTH, D), mask, candidate, trace)
    torch.testing.assert_close(trace["block.0.map"].values, torch.full((1, 2, 5, 5), 0.2, dtype=torch.float64))


@EACH
def test_it_looks_at_the_candidate(spec):
    """Another candidate, another vector of the same history (attention sheet, 12.10)."""
    layer, (items, mask, candidate) = made(spec), toy()
    assert spec.candidate_aware
    assert not torch.allclose(run(layer, items, mask, candidate), run(layer, items, mask, candidate + 1))


@pytest.mark.parametrize("d, f, expected", [(64, 256, 49_984), (768, 3_072, 7_087_872)])
def test_counts_of_an_encoder_layer(d, f, expected):
    """Attention sheet, 8: 4d² + 4d + 2df + f + d + 4d for any number of heads; positions add (T + 1)·d."""
    for heads in (1, 8):
        spec = Transformer(heads=heads, ffn=f, positions="none")
        assert spec.count(shape(d)).parameters == expected == 4 * d * d + 4 * d + 2 * d * f + f + d + 4 * d
    assert changed(spec, positions="learned").count(shape(d)).parameters == expected + (LENGTH + 1) * d
    assert d > 64 or numel(spec.build(shape(d))) == expected


def test_operations_of_a_layer():
    """Attention sheet, 8: 4·n·d² + 2·n²·d + 2·n·d·f multiply-adds for n = T + 1 tokens, two FLOPs each."""
    spec, n, d, f = Transformer(heads=2, ffn=32, positions="none"), LENGTH + 1, 16, 32
    assert spec.count(shape(d)).flops == 2 * (4 * n * d * d + 2 * n * n * d + 2 * n * d * f)


@EACH
def test_count(spec):
    """Formula and torch agree."""
    assert spec.count(shape(D)).parameters == numel(made(spec))


def test_dropout_is_of_training():
    """Sub-layers lose outputs in training only; the maps that are kept are those before anything is dropped (attention sheet,
    9.8)."""
    layer, (items, mask, candidate), trace = made(Transformer(heads=2, ffn=5, dropout=0.5)), toy(), Trace()
    first, second = (run(layer.train(), items, mask, candidate, trace) for _ in range(2))
    assert not torch.equal(first, second)
    sums = trace["block.0.map"].values.sum(dim=3)
    torch.testing.assert_close(sums, F.pad(mask, (0, 1), value=True).double().unsqueeze(1).expand_as(sums))
    layer.eval()
    assert torch.equal(run(layer, items, mask, candidate), run(layer, items, mask, candidate))


@pytest.mark.parametrize("given, at, words", [
    (shape(D, shared=False), "sequence.0", "No field of the history 'past' shares a table"),
    (shape(D).but(fields={"item": 5}), "sequence.0.token", "A past item has 4 numbers, the candidate 5"),
    (shape(D).but(fields={"item": D, "past": 3}), "sequence.0", "already a vector called 'past'"),
    (shape(5), "sequence.0.heads", "2 heads cannot share the 5 numbers of a token evenly")])
def test_refusals(given, at, words):
    """What cannot stand here says so, where, and what to do."""
    with pytest.raises(ZooError) as refusal:
        Transformer(heads=2).after(given)
    assert refusal.value.at == at and words in str(refusal.value)


@pytest.mark.parametrize("spec", [Transformer(heads=2, ffn=3, read="target"), Transformer(heads=1, ffn=3, norm="pre")], ids=str)
def test_gradcheck(spec):
    """Items, candidate and weights of a 3 × 4 toy against finite differences, an empty history among them (attention sheet,
    12.15)."""
    layer, (items, mask, candidate) = made(spec), toy()
    mask[2] = False
    names, values = zip(*[(name, p.detach().clone().requires_grad_()) for name, p in layer.named_parameters()], strict=True)

    def seen(past, asked, *given):
        left = torch.func.functional_call(layer, dict(zip(names, given, strict=True)),
                                          (Signal({"item": asked}, {"past": Sequence(past, mask)}), OFF))
        return left.fields["past"]

    assert torch.autograd.gradcheck(seen, (items.requires_grad_(), candidate.requires_grad_(), *values))


@pytest.mark.parametrize("norm", NORMS)
def test_scores_of_100_stay_finite(norm):
    """fp32 scores far beyond ±100 (attention sheet, 12.15)."""
    layer, (items, mask, candidate) = made(Transformer(heads=2, ffn=5, norm=norm)).float(), toy(dtype=torch.float32)
    with torch.no_grad():
        layer.block[0].attention.query.weight *= 1000
    items.requires_grad_()
    out = run(layer, items, mask, candidate)
    out.square().sum().backward()
    assert torch.isfinite(out).all() and torch.isfinite(items.grad).all()


@pytest.mark.parametrize("read, width", [("concat", 6 * 8), ("target", 8)])
def test_the_diagram_carries_what_is_joined(read, width):
    """The ribbon into the concatenation is as wide as the field, not as a past item; blocks hand on all their tokens."""
    blueprint = Blueprint(sequence=(Transformer(token=8, blocks=2, read=read),), tasks=("click",))
    flows = {(block.address, flow.to): (flow.times, flow.width) for block in blueprint.blocks(rich()) for flow in block.flows}
    assert flows["sequence.0.block.1", "concatenation"] == (1, width) and flows["sequence.0.candidate", "concatenation"] == (1, 8)
    assert flows["sequence.0.block.0", "sequence.0.block.1"] == (6, 8)
    assert flows["representation.past", "sequence.0.block.0"] == (5, 48)
    assert_wired(blueprint, rich())
