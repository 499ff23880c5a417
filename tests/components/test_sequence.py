"""Every kind that makes one vector of a history: the attention sheet's masking rules and invariants.

Self-attention and the transformer, which also rewrite the items, have files of their own.
"""
from __future__ import annotations

import pytest
import torch

from rankzoo.components.mlp import Dice
from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.sequence.context_attention import ContextAttention
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sequence.query_attention import QueryAttention
from rankzoo.components.sequence.target_attention import TargetAttention
from rankzoo.components.sequence.tokens import masked_softmax
from rankzoo.errors import ZooError
from rankzoo.schema import Schema
from rankzoo.signals import Sequence, Signal
from rankzoo.trace import Trace
from tests.components.past import built, drawn, mode, run, shape
from tests.support import OFF, numel, randomised

ATTENTIONS = (TargetAttention(unit=(5,)), TargetAttention(unit=(5, 4), activation="sigmoid", softmax=True),
              TargetAttention(unit=(5,), activation="dice", token=2), QueryAttention(heads=3), QueryAttention(heads=2, token=4),
              ContextAttention(heads=3, width=2), ContextAttention(heads=2, width=2, token=3))
BLIND = (Pooling(), Pooling(how="sum"), Pooling(token=2), AdditiveAttention(width=5), AdditiveAttention(width=5, token=2))
ALL = (*ATTENTIONS, *BLIND)


def test_masked_softmax_by_hand():
    """Softmax over what is visible; zeros where nothing is."""
    scores, mask = torch.tensor([[0.0, 1.0, 5.0], [2.0, 2.0, 2.0]]), torch.tensor([[True, True, False], [False] * 3])
    weights = masked_softmax(scores, mask)
    torch.testing.assert_close(weights, torch.tensor([[0.268941, 0.731059, 0.0], [0.0, 0.0, 0.0]]))


def test_masked_softmax_properties():
    """Rows sum to 1; a constant changes nothing; larger scores lower the entropy; equal scores are uniform; one visible
    position weighs 1; ±100 stays finite."""
    scores, mask = torch.randn(6, 5, generator=torch.Generator().manual_seed(0)), torch.ones(6, 5, dtype=torch.bool)
    weights = masked_softmax(scores, mask)
    torch.testing.assert_close(weights, torch.softmax(scores, dim=1))
    torch.testing.assert_close(masked_softmax(scores + 7, mask), weights)
    entropy = lambda w: -(w * w.clamp(min=1e-30).log()).sum(dim=1)  # noqa: E731
    assert (entropy(masked_softmax(3 * scores, mask)) < entropy(weights)).all()
    torch.testing.assert_close(masked_softmax(torch.full((1, 4), 2.0), mask[:1, :4]), torch.full((1, 4), 0.25))
    alone = torch.tensor([[False, True, False]])
    assert masked_softmax(torch.tensor([[9.0, -50.0, 9.0]]), alone).tolist() == [[0.0, 1.0, 0.0]]
    extreme = masked_softmax(torch.tensor([[100.0, -100.0, 0.0]]), mask[:1, :3])
    assert torch.isfinite(extreme).all() and float(extreme.sum()) == pytest.approx(1.0)


@pytest.mark.parametrize("how", ["train", "eval", "no_grad"])
@pytest.mark.parametrize("spec", ALL, ids=str)
def test_empty_history_is_zero(spec, how):
    """An all-padding row gives exactly zeros, weights too, forward and backward finite, in all three modes (attention sheet,
    9.2, 9.3 and 12.5)."""
    layer, trace = built(spec).train(how == "train"), Trace()
    items, mask, candidate = drawn()
    mask[0] = False
    items.requires_grad_(how != "no_grad")
    with mode(how):
        out = run(layer, items, mask, candidate, trace)
    assert torch.isfinite(out).all() and (out[0] == 0).all() and (out[1] != 0).any()
    assert (trace["weight"].values[0] == 0).all()
    if how != "no_grad":
        out.sum().backward()
        assert torch.isfinite(items.grad).all() and (items.grad[0] == 0).all()
        assert all(torch.isfinite(p.grad).all() for p in layer.parameters() if p.grad is not None)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("spec", ALL, ids=str)
def test_padding_does_not_matter(spec, training):
    """Other values at hidden positions and a longer padding leave the output as it was; hidden weights are exactly 0
    (attention sheet, 12.1 and 12.2)."""
    layer, (items, mask, candidate), trace = built(spec).train(training), drawn(), Trace()
    before = run(layer, items, mask, candidate, trace)
    assert (trace["weight"].values[~mask] == 0).all() and trace["weight"].axes == ("row", "position")
    other = torch.where(mask.unsqueeze(2), items, 1e3)
    torch.testing.assert_close(run(layer, other, mask, candidate), before)
    longer = torch.nn.functional.pad(items, (0, 0, 0, 3), value=5.0)
    torch.testing.assert_close(run(layer, longer, torch.nn.functional.pad(mask, (0, 3)), candidate), before)


@pytest.mark.parametrize("spec", [spec for spec in ALL if spec.weighs() == "shares"], ids=str)
def test_shares_are_shares(spec):
    """Weights are at least 0 and add to 1 within 1e-6 over the items that are there, in training too (attention sheet, 12.1);
    equal items share them evenly, and one alone has all (12.6)."""
    layer, (items, mask, candidate), trace = built(spec), drawn(), Trace()
    run(layer.train(), items, mask, candidate, trace)
    weights = trace["weight"].values
    assert (weights >= 0).all() and float(weights[2, 0]) == 1
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(3, dtype=torch.float64), rtol=0, atol=1e-6)
    run(layer.eval(), items[:, :1].expand_as(items), mask, candidate, trace)
    torch.testing.assert_close(trace["weight"].values, mask / mask.sum(dim=1, keepdim=True).double())


@pytest.mark.parametrize("spec", ALL, ids=str)
def test_order_of_the_history_does_not_matter(spec):
    """Without positions, permuting the past items permutes the weights and leaves the sum (attention sheet, 12.3)."""
    layer, (items, mask, candidate), order = built(spec).eval(), drawn(), torch.tensor([2, 0, 3, 1])
    before, trace, mixed = run(layer, items, mask, candidate), Trace(), Trace()
    run(layer, items, mask, candidate, trace)
    torch.testing.assert_close(run(layer, items[:, order], mask[:, order], candidate, mixed), before)
    torch.testing.assert_close(mixed["weight"].values, trace["weight"].values[:, order])


def test_pooling_by_hand():
    """Mean and sum over the visible items."""
    items, mask, candidate = drawn()
    for how, divide in (("mean", mask.sum(1, keepdim=True)), ("sum", 1)):
        torch.testing.assert_close(run(built(Pooling(how=how)), items, mask, candidate),
                                   (items * mask.unsqueeze(2)).sum(dim=1) / divide)


@pytest.mark.parametrize("softmax", [False, True])
def test_target_attention_by_hand(softmax):
    """Σ_j MLP[c, h_j, c − h_j, c ⊙ h_j]·h_j, position by position."""
    layer, (items, mask, candidate) = built(TargetAttention(unit=(5,), activation="sigmoid", softmax=softmax)), drawn()
    first, last = layer.unit[0], layer.score
    for row in range(3):
        c, scores = candidate[row], []
        for h in items[row][mask[row]]:
            hidden = torch.sigmoid(first.weight @ torch.cat([c, h, c - h, c * h]) + first.bias)
            scores.append(last.weight[0] @ hidden + last.bias[0])
        weights = torch.softmax(torch.stack(scores), 0) if softmax else torch.stack(scores)
        torch.testing.assert_close(run(layer, items, mask, candidate)[row], weights @ items[row][mask[row]])


def test_softmax_off_keeps_intensity():
    """Without softmax a behaviour that stands twice counts twice (attention sheet, 12.9)."""
    layer, (items, _, candidate) = built(TargetAttention(unit=(5,))).eval(), drawn(1)
    once = torch.tensor([[True, False, False, False]])
    twice = torch.tensor([[True, True, False, False]])
    same = items.clone()
    same[:, 1] = same[:, 0]
    torch.testing.assert_close(run(layer, same, twice, candidate), 2 * run(layer, same, once, candidate))


@pytest.mark.parametrize("spec", [spec for spec in ALL if spec.weighs() == "shares"], ids=str)
def test_shares_ignore_repetition(spec):
    """Where weights are shares, the whole history twice leaves the vector unchanged (attention sheet, 12.9)."""
    layer, (items, mask, candidate) = built(spec).eval(), drawn()
    before = run(layer, items, mask, candidate)
    doubled = run(layer, torch.cat([items, items], 1), torch.cat([mask, mask], 1), candidate)
    torch.testing.assert_close(doubled, before)


def test_interest_follows_the_candidate():
    """The same history, another candidate: another interest for the kinds that look at it, the same vector for the others, as
    each says of itself (attention sheet, 12.10)."""
    items, mask, candidate = drawn()
    for spec in ALL:
        layer = built(spec).eval()
        same = torch.equal(run(layer, items, mask, candidate), run(layer, items, mask, candidate + 1))
        assert same == (not spec.candidate_aware) == (spec in BLIND), spec


@pytest.mark.parametrize("softmax", [False, True])
def test_scores_of_100_stay_finite(softmax):
    """fp32 scores up to ±100, where exp overflows without the maximum subtracted."""
    layer = randomised(TargetAttention(unit=(5,), activation="none", softmax=softmax).build(shape()))
    items, mask, candidate = drawn(dtype=torch.float32)
    with torch.no_grad():
        layer.score.bias.zero_()
        raw = layer.score(layer.unit(torch.cat([candidate.unsqueeze(1).expand_as(items), items,
                                                candidate.unsqueeze(1) - items, candidate.unsqueeze(1) * items], 2)))
        layer.score.weight *= 100 / raw.abs().max()
    items.requires_grad_()
    out = run(layer, items, mask, candidate)
    out.square().sum().backward()
    assert torch.isfinite(out).all() and torch.isfinite(items.grad).all()


@pytest.mark.parametrize("spec", [TargetAttention(unit=(4,), activation="tanh"), Pooling(token=2),
                                  TargetAttention(unit=(4,), activation="sigmoid", softmax=True, token=2),
                                  AdditiveAttention(width=4), AdditiveAttention(width=4, token=2), QueryAttention(heads=3),
                                  QueryAttention(heads=2, token=2), ContextAttention(heads=2, width=2)], ids=str)
def test_gradcheck(spec):
    """Items, candidate and weights against finite differences, an empty history among the rows (attention sheet, 12.15)."""
    layer, (items, mask, candidate) = built(spec), drawn()
    mask[2] = False
    assert torch.autograd.gradcheck(lambda i, c: run(layer, i, mask, c), (items.requires_grad_(), candidate.requires_grad_()))
    names, values = zip(*[(name, p.detach().clone().requires_grad_()) for name, p in layer.named_parameters()], strict=True)
    signal = Signal(fields={"item": candidate.detach()}, sequences={"past": Sequence(items.detach(), mask)})
    assert torch.autograd.gradcheck(
        lambda *given: torch.func.functional_call(
            layer, dict(zip(names, given, strict=True)), (signal, OFF)).fields["past"], values)


def test_dice_sees_the_statistics_of_training():
    """DIN with Dice: eval mode uses running statistics, so that a row scores alone as in a batch."""
    layer, (items, mask, candidate) = built(ATTENTIONS[2]).train(), drawn()
    run(layer, items, mask, candidate)
    assert isinstance(layer.unit[1], Dice) and float(layer.unit[1].norm.running_mean.abs().sum()) > 0
    layer.eval()
    torch.testing.assert_close(run(layer, items[1:2], mask[1:2], candidate[1:2]), run(layer, items, mask, candidate)[1:2])


def test_count_of_the_authors_unit():
    """Attention sheet, 8: the unit 4d-80-40-1 has 320d + 80 + 3,240 + 41 parameters; d = 64 gives 23,841."""
    spec = TargetAttention(unit=(80, 40), activation="sigmoid")
    assert spec.count(shape(64)).parameters == numel(spec.build(shape(64))) == 320 * 64 + 80 + 3_240 + 41 == 23_841


@pytest.mark.parametrize("spec", ALL, ids=str)
def test_count(spec):
    """Formula and torch agree; what leaves has the predicted width."""
    count, after, layer = spec.count(shape()), spec.after(shape()), built(spec)
    assert count.parameters == numel(layer)
    assert run(layer, *drawn()).shape == (3, after.fields["past"])


@pytest.mark.parametrize("spec, given, at, words", [
    (TargetAttention(), shape(shared=False), "sequence.0", "No field of the history 'past' shares a table"),
    (Pooling(history="passed"), shape(), "sequence.0", "Did you mean 'past'?"),
    (Pooling(), shape().but(sequences={}), "sequence.0", "hands no embedded history on"),
    (Pooling(), shape().but(schema=Schema((), ())), "sequence.0", "These data have no history. Choose data with one"),
    (TargetAttention(), shape().but(fields={"item": 5}), "sequence.0.token", "A past item has 3 numbers, the candidate 5"),
    (TargetAttention(), shape().but(fields={"item": 3, "past": 3}), "sequence.0", "already a vector called 'past'"),
    (TargetAttention(), shape().but(fields={"item": 3, "candidate": 3}), "sequence.0", "already a vector called 'candidate'"),
    (AdditiveAttention(), shape().but(fields={"item": 3, "past": 3}), "sequence.0", "already a vector called 'past'"),
    (AdditiveAttention(candidate=True), shape(shared=False), "sequence.0", "No field of the history 'past' shares a table"),
    (AdditiveAttention(candidate=True), shape().but(fields={"item": 5}), "sequence.0.token", "A past item has 3 numbers"),
    (AdditiveAttention(candidate=True), shape().but(fields={"item": 3, "candidate": 3}), "sequence.0", "called 'candidate'"),
    (ContextAttention(), shape(shared=False), "sequence.0", "No field of the history 'past' shares a table"),
    (QueryAttention(), shape(shared=False), "sequence.0", "No field of the history 'past' shares a table"),
    (QueryAttention(), shape(), "sequence.0.heads", "2 heads cannot share the 3 numbers of a token evenly. Choose a number of "
     "heads among 1, 3, or another token width.")])
def test_refusals(spec, given, at, words):
    """What cannot stand here says so, where, and what to do."""
    with pytest.raises(ZooError) as refusal:
        spec.after(given)
    assert refusal.value.at == at and words in str(refusal.value)
