"""BST: the attention sheet, 6 and 12, on the whole model and on planted relevance."""
from __future__ import annotations

import pytest
import torch

from rankzoo.components.concatenation.join import Join
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.load import schema_of
from rankzoo.inspection.attention import attention
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from tests.support import OFF, logits, numel, random_batch, randomised, small

SYSTEM = systems()["bst"]
SCHEMA = schema_of("history")
SPEC = SYSTEM.blueprint.sequence[0]


def as_published():
    """All T + 1 outputs side by side with the other features, then 1024-512-256."""
    return SYSTEM.blueprint.model_copy(update={
        "sequence": (SPEC.model_copy(update={"read": "concat", "heads": 8}),), "towers": MlpTower(widths=(1024, 512, 256)),
        "concatenation": Join(fields=("item", "topic", "history"))})


def test_the_paper_s_block_and_what_differs():
    """One post-norm block; the age is the paper's time gap, so no places of their own; what is read is RankZoo's choice."""
    assert (SPEC.blocks, SPEC.norm, SPEC.positions, SPEC.read) == (1, "post", "none", "target")
    facts = {fact.path: fact for fact in SYSTEM.facts if fact.path}
    assert all(facts[f"sequence.0.{name}"].tag == "ours" for name in ("positions", "read", "heads", "ffn", "token"))
    assert {facts[f"sequence.0.{name}"].tag for name in ("blocks", "norm", "kind")} == {"code"}
    assert "age" in [f.name for f in SCHEMA.histories[0].fields] and SCHEMA.histories[0].length == 20


def test_twenty_past_items_and_the_candidate_are_21_tokens():
    """Attention sheet, 12.12: T + 1 tokens, and flattened (T + 1)·d numbers; the first layer behind them dominates (8)."""
    trace = Trace()
    RankingModel(SYSTEM.blueprint, SCHEMA).eval()(random_batch(SCHEMA, 3), trace)
    assert trace["sequence.0.block.0.map"].values.shape == (3, 2, 21, 21)
    whole = as_published()
    model, count = RankingModel(whole, SCHEMA), whole.count(SCHEMA)
    joined = 8 + 16 + 21 * 16
    assert count.within("towers.deep.click").parameters == (joined * 1024 + 1024) + (1024 * 512 + 512) + (512 * 256 + 256)
    assert count.parameters == numel(model) and joined * 1024 > 100 * count.within("sequence").parameters / 2
    assert logits(model, random_batch(SCHEMA, 3))["click"].shape == (3,)


@pytest.mark.parametrize("blueprint", [SYSTEM.blueprint, as_published()], ids=["preset", "published"])
def test_empty_history_still_scores(blueprint):
    """A viewer without a past: finite logits in train, eval and no_grad, finite gradients, no weight on any past item."""
    model, batch = randomised(RankingModel(blueprint, SCHEMA)), random_batch(SCHEMA, 6)
    hidden = batch.map(lambda tensor: torch.zeros_like(tensor) if tensor.dtype == torch.bool and tensor.dim() == 2 else tensor)
    trace = Trace()
    output = model.train()(hidden, trace)
    assert torch.isfinite(output.logits["click"]).all() and (trace["sequence.0.weight"].values == 0).all()
    sum(output.losses.values()).backward()
    assert all(p.grad is None or torch.isfinite(p.grad.to_dense()).all() for p in model.parameters())
    assert torch.isfinite(model.eval()(hidden).logits["click"]).all() and torch.isfinite(logits(model, hidden)["click"]).all()


def test_past_items_read_each_other():
    """Unlike in DIN, an item's own output depends on the others, and on the candidate: another item in place 3 moves all
    outputs of its row, and no other row."""
    spec = SPEC.model_copy(update={"read": "concat"})
    whole = SYSTEM.blueprint.model_copy(update={"sequence": (spec,), "concatenation": Join()})
    model, batch = RankingModel(whole, SCHEMA).eval(), random_batch(SCHEMA, 4)
    other = batch.map(lambda tensor: tensor.clone())
    other.histories["history"][1, 3, 0] = 1 + other.histories["history"][1, 3, 0] % 400
    before, after = (model.sequence[0](model.representation(rows, OFF), OFF).fields["history"].unflatten(1, (21, 16))
                     for rows in (batch, other))
    moved = (before - after).abs().amax(dim=2).detach()  # (row, token)
    assert (moved[1] > 1e-6).all() and float(moved[[0, 2, 3]].max()) == 0


def test_attention_finds_the_relevant_items():
    """Trained, the candidate's weights lie on relevant past items, at least 2.2 times the uniform share (truth.md's bar), and
    before training they do not."""
    dataset = small("history", 30_000)
    settings = SYSTEM.settings.model_copy(update={"steps": 300, "patience": 0})
    model = RankingModel(SYSTEM.blueprint, dataset.schema)
    before = attention(Subject.of(model, dataset)).truth
    fit = Fit(model, dataset, settings, watching=False)
    assert sum(1 for _ in fit) == 300
    after = attention(Subject.of(model, dataset)).truth
    assert before.value < 1.5 * before.chance and after.value > 2.2 * after.chance, (before, after)
    assert after.more[0].value >= 0.45, after.more
