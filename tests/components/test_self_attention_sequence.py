"""Self-attention over a history, and the poolings behind it: the attention sheet, 2, 8, 9 and 12."""
from __future__ import annotations

import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sequence.query_attention import QueryAttention
from rankzoo.components.sequence.self_attention import SelfAttention
from rankzoo.components.sequence.target_attention import TargetAttention
from rankzoo.components.sequence.transformer import Transformer
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.signals import Sequence, Signal
from rankzoo.trace import Trace
from tests.components.past import built, drawn, mode, run, shape, signal
from tests.support import OFF, flops, numel, random_batch, rich
from tests.wiring import assert_wired

SELF = (SelfAttention(heads=2, width=2), SelfAttention(heads=1, width=3, scale=False, bias=True),
        SelfAttention(heads=2, width=2, token=5))
NRMS = (SelfAttention(heads=2, width=2), AdditiveAttention(width=5))
BEHIND = (Pooling(), Pooling(how="sum", token=2), AdditiveAttention(width=5), QueryAttention(token=4),
          TargetAttention(unit=(4,), token=3), Transformer(token=4, ffn=5))
POOLED = [(SELF[0], behind) for behind in BEHIND[:5]] + [(SELF[0], SELF[1], AdditiveAttention(width=5))]


def rewritten(layer, items, mask, trace=OFF):
    """The items after self-attention."""
    return layer(signal(items, mask, items[:, 0]), trace).sequences["past"].values


def test_by_hand():
    """A = softmax_j(h_iᵀ W_Qᵀ W_K h_j / √d_k) over what is visible, g_i = Σ_j A_ij W_V h_j; heads side by side."""
    layer, (items, mask, _) = built(SELF[0]), drawn()
    a, out = layer.attention, rewritten(layer, items, mask)
    for row in range(3):
        h = items[row][mask[row]]
        heads = []
        for k in (0, 1):
            wq, wk, wv = (m.weight[2 * k:2 * k + 2] for m in (a.query, a.key, a.value))
            bilinear = wq.T @ wk  # the paper's one matrix Q_k
            heads.append(torch.softmax(h @ bilinear @ h.T / 2 ** 0.5, dim=1) @ h @ wv.T)
        torch.testing.assert_close(out[row][mask[row]], torch.cat(heads, dim=1))


@pytest.mark.parametrize("spec", SELF, ids=str)
def test_maps_are_distributions(spec):
    """Rows of A add to 1 within 1e-6 over visible keys; hidden keys have none and hidden queries no row (attention sheet, 12.1,
    9.1 and 9.5); the rewritten padding is zero."""
    layer, (items, mask, _), trace = built(spec), drawn(), Trace()
    out = rewritten(layer, items, mask, trace)
    entry = trace["map"]
    assert (entry.kind, entry.axes) == ("map", ("row", "head", "query", "key")) and (entry.values >= 0).all()
    expected = mask.double().unsqueeze(1).expand(3, spec.heads, 4)
    torch.testing.assert_close(entry.values.sum(dim=3), expected, rtol=0, atol=1e-6)
    assert (entry.values.permute(0, 3, 1, 2)[~mask] == 0).all() and (out[~mask] == 0).all() and (out[mask] != 0).any()


@pytest.mark.parametrize("spec", SELF, ids=str)
def test_permuted_items_are_rewritten_alike(spec):
    """No positions: permuting the tokens permutes the outputs (attention sheet, 12.3)."""
    layer, (items, mask, _), order = built(spec), drawn(), torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(rewritten(layer, items[:, order], mask[:, order]), rewritten(layer, items, mask)[:, order])


@pytest.mark.parametrize("spec", SELF, ids=str)
def test_equal_items_and_one_item(spec):
    """Equal keys are read evenly; one item reads itself alone, and leaves as its value (attention sheet, 12.6)."""
    layer, (items, mask, _), trace = built(spec), drawn(), Trace()
    rewritten(layer, items[:, :1].expand_as(items), mask, trace)
    share = (mask / mask.sum(dim=1, keepdim=True)).double()
    each = share[:, None, None, :] * mask[:, None, :, None]
    torch.testing.assert_close(trace["map"].values, each.expand(3, spec.heads, 4, 4))
    out = rewritten(layer, items, mask)
    torch.testing.assert_close(out[2, 0], layer.attention.value(layer.tokens.item(items[2, 0])))


@pytest.mark.parametrize("how", ["train", "eval", "no_grad"])
@pytest.mark.parametrize("specs", [(spec,) for spec in SELF] + POOLED, ids=str)
def test_empty_history_is_zero(specs, how):
    """Exactly zeros, no NaN forward or backward, in train, eval and no_grad, where torch's own encoder fails (attention sheet,
    9.2, 9.3, 9.7 and 12.5)."""
    layer, trace = built(*specs).train(how == "train"), Trace()
    items, mask, candidate = drawn()
    mask[0] = False
    items.requires_grad_(how != "no_grad")
    with mode(how):
        left = layer(signal(items, mask, candidate), trace)
    out = left.fields.get("past", left.sequences["past"].values)
    assert torch.isfinite(out).all() and (out[0] == 0).all() and (out[1] != 0).any()
    assert all((entry.values[0] == 0).all() for entry in trace.entries.values())
    if how != "no_grad":
        out.sum().backward()
        assert torch.isfinite(items.grad).all() and (items.grad[0] == 0).all()
        assert all(torch.isfinite(p.grad).all() for p in layer.parameters() if p.grad is not None)


@pytest.mark.parametrize("specs", [(spec,) for spec in SELF] + POOLED, ids=str)
def test_padding_does_not_matter(specs):
    """Other values at hidden positions and a longer padding change nothing that is seen (attention sheet, 12.2)."""
    layer, (items, mask, candidate) = built(*specs), drawn()

    def seen(items, mask):
        left = layer(signal(items, mask, candidate), OFF)
        return left.fields.get("past", left.sequences["past"].values[:, :4])

    before = seen(items, mask)
    torch.testing.assert_close(seen(torch.where(mask.unsqueeze(2), items, 1e3), mask), before)
    pad = torch.nn.functional.pad
    torch.testing.assert_close(seen(pad(items, (0, 0, 0, 3), value=5.0), pad(mask, (0, 3))), before)


@pytest.mark.parametrize("specs", POOLED, ids=str)
def test_pooled_vector_ignores_the_order(specs):
    """Whatever pools behind it, permuted items leave the vector (attention sheet, 12.3)."""
    layer, (items, mask, candidate), order = built(*specs), drawn(), torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(run(layer, items[:, order], mask[:, order], candidate), run(layer, items, mask, candidate))


def test_a_user_is_one_vector():
    """NRMS: the same vector for every candidate, and unchanged by the whole history twice (attention sheet, 12.9 and 12.10)."""
    layer, (items, mask, candidate) = built(*NRMS), drawn()
    before = run(layer, items, mask, candidate)
    assert torch.equal(run(layer, items, mask, candidate + 1), before)
    twice = run(layer, torch.cat([items, items], 1), torch.cat([mask, mask], 1), candidate)
    torch.testing.assert_close(twice, before)


def test_counts_of_the_sheet():
    """Attention sheet, 8: 3·d_in·h·d_k, with biases 3·h·d_k more: 300 numbers, 16 heads of 16 give 230,400 and 231,168."""
    for bias, expected in ((False, 230_400), (True, 231_168)):
        spec = SelfAttention(heads=16, width=16, bias=bias)
        assert spec.count(shape(300)).parameters == numel(spec.build(shape(300))) == expected


@pytest.mark.parametrize("behind", BEHIND, ids=str)
def test_whoever_reads_next(behind):
    """Every kind of the slot reads the rewritten history: shapes, counts and diagram of the whole model hold."""
    schema = rich()
    blueprint = Blueprint(sequence=(SelfAttention(heads=2, width=4), behind), tasks=("click",))
    model, batch = RankingModel(blueprint, schema), random_batch(schema)
    count = blueprint.count(schema)
    assert count.parameters == numel(model) and count.flops == flops(model, batch)
    assert_wired(blueprint, schema)
    trace = Trace()
    left = model.sequence[1](model.sequence[0](model.representation(batch, OFF), OFF), trace)
    place = next(place for place in blueprint.places(schema) if place.address == "sequence.1")
    assert place.shape.sequences["past"].widths == {"heads": 8} and place.shape.origin["past"] == "sequence.0"
    assert {n: v.shape[1] for n, v in left.fields.items()} == behind.after(place.shape).fields
    assert trace["weight"].values.shape == (8, 5)


@pytest.mark.parametrize("sequence, at, words", [
    ((SelfAttention(),), "sequence.0", "Nothing reads the history 'past' after it was rewritten. Put a component behind it"),
    ((SelfAttention(), SelfAttention()), "sequence.1", "Nothing reads the history 'past'"),
    ((Pooling(), SelfAttention()), "sequence.1", "There is already a vector called 'past'"),
    ((SelfAttention(heads=3), QueryAttention()), "sequence.1.token", "A past item has 48 numbers, the candidate 32"),
    ((SelfAttention(history="passed"), Pooling()), "sequence.0", "Did you mean 'past'?")])
def test_refusals(sequence, at, words):
    """A rewritten history must be read, by something that it fits."""
    with pytest.raises(ZooError) as refusal:
        Blueprint(sequence=sequence, tasks=("click",)).places(rich())
    assert refusal.value.at == at and words in str(refusal.value)


@pytest.mark.parametrize("specs", [(SelfAttention(heads=1, width=2),), (SelfAttention(heads=2, width=2, bias=True), BEHIND[2])],
                         ids=str)
def test_gradcheck(specs):
    """Items and weights against finite differences, an empty history among the rows (attention sheet, 12.15)."""
    layer, (items, mask, candidate) = built(*specs), drawn()
    mask[2] = False

    def seen(values, *given):
        left = torch.func.functional_call(layer, dict(zip(names, given, strict=True)),
                                          (Signal({"item": candidate}, {"past": Sequence(values, mask)}), OFF))
        return left.fields.get("past", left.sequences["past"].values)

    names, values = zip(*[(name, p.detach().clone().requires_grad_()) for name, p in layer.named_parameters()], strict=True)
    assert torch.autograd.gradcheck(seen, (items.requires_grad_(), *values))


def test_scores_of_100_stay_finite():
    """fp32 scores up to ±100 and beyond (attention sheet, 12.15)."""
    items, mask, candidate = drawn(dtype=torch.float32)
    layer = built(*NRMS).float()
    with torch.no_grad():
        layer.layers[0].attention.query.weight *= 1000
    items.requires_grad_()
    out = run(layer, items, mask, candidate)
    out.square().sum().backward()
    assert torch.isfinite(out).all() and torch.isfinite(items.grad).all()
