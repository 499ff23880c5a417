"""Filled positions only: a training without a trace computes over them what the written-out form computes over all."""
from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import Tensor

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence import Sequence as Kinds
from rankzoo.components.sequence import filled
from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.sequence.ask import Ask
from rankzoo.components.sequence.context_attention import ContextAttention
from rankzoo.components.sequence.encoder import Encoder
from rankzoo.components.sequence.fusion import Fusion
from rankzoo.components.sequence.gru import Gru
from rankzoo.components.sequence.lstm import Lstm
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sequence.query_attention import QueryAttention
from rankzoo.components.sequence.query_unit import QueryUnit
from rankzoo.components.sequence.self_attention import SelfAttention
from rankzoo.components.sequence.target_attention import TargetAttention
from rankzoo.components.sequence.transformer import Transformer
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, History, HistoryField, Schema, Task
from rankzoo.signals import Batch, Sequence
from rankzoo.trace import Trace
from tests.components.past import drawn
from tests.support import OFF, random_batch, randomised

LENGTH = 7
FIELDS = (HistoryField("item", 9, "item"), HistoryField("topic", 5, "topic"))
SCHEMA = Schema((Feature("item", "categorical", 9), Feature("topic", "categorical", 5)), (Task("click"),),
                (History("past", LENGTH, FIELDS), History("asked", 3, FIELDS)))
SELF = SelfAttention(heads=2, width=3, bias=True)
SLOTS = (
    (Pooling(),), (Pooling(how="sum", token=3),), (AdditiveAttention(width=5, candidate=True),),
    (AdditiveAttention(width=5, token=3),), (QueryAttention(heads=2),), (QueryAttention(heads=3, token=6),),
    (ContextAttention(heads=2, width=3),), (ContextAttention(heads=1, width=4, token=5),),
    (TargetAttention(unit=(5, 4), activation="prelu"),), (TargetAttention(unit=(5,), activation="dice", softmax=True, token=3),),
    (Transformer(heads=2, ffn=5, read="target"),), (Transformer(heads=1, ffn=5, read="mean", norm="pre", blocks=2),),
    (Transformer(heads=3, ffn=5, read="concat", token=6, positions="none"),),
    (Encoder(heads=2, ffn=5),), (Encoder(heads=1, ffn=5, read="last", norm="pre", token=3),),
    *((SELF, behind) for behind in (Pooling(), AdditiveAttention(width=5), QueryAttention(token=4),
                                    TargetAttention(unit=(5,), token=3), Transformer(token=4, ffn=5))),
    (SELF, SelfAttention(heads=1, width=4, scale=False), AdditiveAttention(width=5)),
    (Gru(candidate=True),), (Gru(width=3, order="forward", token=5, long_term="ini", user="topic", hidden=0.0),),
    (Gru(width=4, long_term="con", user="topic", hidden=0.0),),
    (Lstm(width=4), Pooling()), (Lstm(width=3, order="forward"), SELF, AdditiveAttention(width=5)),
    (QueryUnit(token=4, ffn=5), Pooling()), (QueryUnit(history="asked", earlier="past", ffn=5), Pooling(history="asked")),
    (Ask(), Fusion(heads=2)), (Ask(token=6, zero=False, scale=True), Pooling()), (Fusion(token=4, how="mlp", hidden=(5,)),))

WHOLE = (Encoder, Gru, Lstm, QueryUnit, Ask, Fusion)
"""Kinds that compute padding in training."""


def case(name: str) -> Batch:
    """Rows in double precision, of histories with gaps, or all empty, all full, one row, one row without a history."""
    batch, masks, histories = random_batch(SCHEMA, 1 if "one" in name else 12), {}, {}
    for of, mask in batch.masks.items():
        drawn_at = torch.rand(mask.shape, generator=torch.Generator().manual_seed(0))
        masks[of] = {"gaps": mask & (drawn_at > 0.3), "full": mask | True, "one": drawn_at < 0.6}.get(name, mask & False)
        histories[of] = torch.where(masks[of].unsqueeze(2), batch.histories[of].clamp(min=1), 0)
    return Batch(SCHEMA, batch.ids, batch.numbers.double(), histories, masks, {"click": batch.labels["click"].double()},
                 batch.observed, batch.group)


def trained(model: RankingModel, batch: Batch, trace: Trace) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of a training's step and the gradients that it leaves."""
    model.zero_grad()
    loss = model.train()(batch, trace).losses["click"]
    loss.backward()
    return loss.detach(), {name: p.grad.to_dense().clone() for name, p in model.named_parameters() if p.grad is not None}


def test_every_kind_is_under_the_law():
    """A new kind of the slot has to join."""
    assert {type(spec) for slot in SLOTS for spec in slot} == set(get_args(get_args(Kinds)[0]))


@pytest.mark.parametrize("name", ["gaps", "empty", "full", "one", "one empty"])
@pytest.mark.parametrize("slot", SLOTS, ids=str)
@pytest.mark.parametrize("groups", [1, 5])
def test_filled_positions_are_enough(monkeypatch, slot, name, groups):
    """The loss within 1e-6 and every gradient within 1e-5, in double precision, with and without the padding, in one group of
    rows or in several. Nothing is dropped here: a training draws anew which outputs it drops."""
    monkeypatch.setattr(filled, "GROUPS", groups)
    monkeypatch.setattr(filled, "POSITIONS", 1)
    model = RankingModel(Blueprint(representation=Embeddings(dim=3), sequence=slot, tasks=("click",)), SCHEMA)
    model, batch = randomised(model).double(), case(name)
    (loss, gradients), (whole, others) = (trained(model, batch, trace) for trace in (OFF, Trace()))
    assert torch.isfinite(loss) and gradients.keys() == others.keys()
    torch.testing.assert_close(loss, whole, rtol=0, atol=1e-6)
    for at, gradient in gradients.items():
        torch.testing.assert_close(gradient, others[at], rtol=0, atol=1e-5, msg=lambda said, at=at: f"{at}: {said}")


@pytest.mark.parametrize("slot", [slot for slot in SLOTS if type(slot[0]) not in WHOLE], ids=str)
def test_a_training_looks_up_what_is_filled(slot):
    """No padded position is asked for, and none twice."""
    batch, asked = case("gaps"), []
    model = RankingModel(Blueprint(representation=Embeddings(dim=3), sequence=slot, tasks=("click",)), SCHEMA).train()
    signal = model.representation(batch, OFF)
    given = signal.sequences["past"].given
    past = Sequence(lambda places: asked.append(places) or given(places), batch.masks["past"])
    signal = signal.but(sequences={"past": past})
    for layer in model.sequence:
        signal = layer(signal, OFF)
    assert torch.equal(torch.cat(asked), batch.masks["past"].reshape(-1).nonzero().squeeze(1))


def test_rows_of_like_length_are_cut(monkeypatch):
    """Lengths 4, 2, 1, 3, 4 in two groups: 1, 2, 3 keep three positions, 4, 4 all four, and each row gets its own result."""
    monkeypatch.setattr(filled, "POSITIONS", 8)
    items, mask, candidate = drawn(5)
    seen = []

    def compute(values: Tensor, visible: Tensor, beside: Tensor) -> Tensor:
        seen.append(tuple(visible.shape))
        assert (values[~visible] == 0).all()
        return (values * visible.unsqueeze(2)).sum(dim=1) + beside

    past = Sequence(items, mask)
    torch.testing.assert_close(filled.by_length(compute, past.items, past, candidate),
                               (items * mask.unsqueeze(2)).sum(dim=1) + candidate)
    assert seen == [(3, 3), (2, 4)]


def test_shares_by_hand():
    """Softmax over each row's items, column by column; scores of ±100 overflow nothing, and an empty row has no say."""
    past = Sequence(torch.zeros(3, 2, 1), torch.tensor([[True, True], [False, False], [False, True]]))
    scores = torch.tensor([[0.0, 100.0], [1.0, -100.0], [-100.0, 100.0]])
    torch.testing.assert_close(filled.shares(scores, past), torch.tensor([[0.268941, 1.0], [0.731059, 0.0], [1.0, 1.0]]))


def test_spread_and_sum_are_each_others_gradient():
    """Against finite differences, once and twice, an empty row among them."""
    _, mask, candidate = drawn()
    mask[1] = False
    past = Sequence(mask.double().unsqueeze(2), mask)
    rows, items = candidate.requires_grad_(), torch.randn(len(past.places), 3, dtype=torch.float64, requires_grad=True)
    for change, given in ((filled.spread, rows), (filled.summed, items)):
        assert torch.autograd.gradcheck(lambda x, change=change: change(x, past), given)
        assert torch.autograd.gradgradcheck(lambda x, change=change: change(x, past), given)


def test_bfloat16_adds_up_in_float32():
    """1,000 items of 1 / 128 are 7.8; a sum in bfloat16 would stand still at 2, where 1 / 128 is half a step."""
    past = Sequence(torch.zeros(2, 1000, 1), torch.tensor([[True] * 1000, [False] * 1000]))
    total = filled.summed(torch.full((1000, 1), 1 / 128, dtype=torch.bfloat16), past)
    torch.testing.assert_close(total.float(), torch.tensor([[1000 / 128], [0.0]]), rtol=0.01, atol=0)
