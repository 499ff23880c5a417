"""Kuaishou's re-ranker: the sheet's invariants (section 10) that concern the model, and its counts (section 5).

Invariants 8 to 14 concern the lists and stand in tests/test_arrange.py, 15 (differences with past videos) in
tests/test_world_lists.py.
"""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from rankzoo.blueprint import Blueprint
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.load import schema_of
from rankzoo.inspection.lists import arranges, scored
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature, History, Schema, Task
from rankzoo.serving.arrange import Arrange
from rankzoo.signals import Batch
from rankzoo.trace import Trace
from rankzoo.training.combine.base import weighted_sum
from tests.support import logits, numel, random_batch, randomised, trained_loss

SYSTEM = systems()["kuaishou"]
SCHEMA = schema_of("lists")
TASKS = SYSTEM.blueprint.tasks
BATCH = random_batch(SCHEMA, 32)
WATCHED, PLACED = 0, 1


@pytest.fixture
def model() -> RankingModel:
    return randomised(RankingModel(SYSTEM.blueprint, SCHEMA))


def with_items(batch: Batch, history: str, change) -> Batch:
    """The same rows with other past items or mask: change((row, position, field), mask) → the same."""
    items, mask = change(batch.histories[history].clone(), batch.masks[history].clone())
    return replace(batch, histories={**batch.histories, history: items}, masks={**batch.masks, history: mask})


def same(one: dict, other: dict) -> bool:
    return all(torch.allclose(one[task], other[task], atol=1e-5) for task in TASKS)


@pytest.mark.parametrize("history, place", [("watched", WATCHED), ("placed", PLACED)])
def test_attention_over_what_is_there(model, history, place):
    """1: rows of every head add to 1 over the valid items, padding gets exactly 0, and the order of the items does not matter."""
    trace = Trace()
    model.eval()(BATCH, trace)
    heads, mask = trace[f"sequence.{place}.weight.head"].values, BATCH.masks[history]
    torch.testing.assert_close(heads.sum(dim=2), mask.any(dim=1, keepdim=True).float().expand(-1, 2))
    assert (heads.transpose(1, 2)[~mask] == 0).all()
    mixed = with_items(BATCH, history, lambda items, mask: (items.flip(1), mask.flip(1)))
    assert same(logits(model, BATCH), logits(model, mixed))


def test_nothing_watched_and_nothing_placed(model):
    """2: a session's start: both vectors are zeros, the logits finite, forward and backward."""
    empty = BATCH
    for history in ("watched", "placed"):
        empty = with_items(empty, history, lambda items, mask: (items, torch.zeros_like(mask)))
    with torch.no_grad():
        signal = model.representation(empty, Trace(on=False))
        for layer in model.sequence:
            signal = layer(signal, Trace(on=False))
    assert not signal.fields["watched"].any() and not signal.fields["placed"].any()
    assert all(torch.isfinite(value).all() for value in logits(model, empty).values())
    trained_loss(model, empty).backward()
    assert all(torch.isfinite(p.grad.to_dense()).all() for p in model.parameters() if p.grad is not None)


def test_feedback_moves_and_padding_does_not(model):
    """3: another feedback of one watched video changes every prediction; whatever stands in a padded place changes none."""
    place = [f.name for f in SCHEMA.history("watched").fields].index("feedback")

    def liked(items, mask):
        items[:, 0, place] = 3 - items[:, 0, place].clamp(min=1)
        return items, mask

    before, rows = logits(model, BATCH), BATCH.masks["watched"][:, 0]
    after = logits(model, with_items(BATCH, "watched", liked))
    assert all(((after[task] - before[task]).abs()[rows] > 1e-6).all() for task in TASKS)
    filled = with_items(BATCH, "watched", lambda items, mask: (torch.where(mask.unsqueeze(2), items, 1), mask))
    assert same(before, logits(model, filled))


def test_placed_videos_have_no_feedback_and_weights_of_their_own(model):
    """4: the fields of placed videos hold none; the two attentions share no parameter, and exchanging their keys changes the
    result."""
    placed = [f.name for f in SCHEMA.history("placed").fields]
    assert "feedback" not in placed and "gap" not in placed and "feedback" in [f.name for f in SCHEMA.history("watched").fields]
    ids = [{id(p) for p in model.sequence[i].parameters()} for i in (WATCHED, PLACED)]
    assert len(ids[0]) == len(ids[1]) == 6 and not ids[0] & ids[1]
    before = logits(model, BATCH)
    with torch.no_grad():
        model.sequence[PLACED].attention.value.weight.mul_(-1)
    assert not same(before, logits(model, BATCH))


def test_gates(model):
    """5: three gates whose rows add to 1; without the parameters of one only its task changes."""
    trace = Trace()
    model.eval()(BATCH, trace)
    assert {entry.address for entry in trace.of("gate")} == {f"sharing.gate.{task}" for task in TASKS} and len(TASKS) == 3
    before = logits(model, BATCH)
    with torch.no_grad():
        model.sharing.gate["like"].weight.zero_()
    after = logits(model, BATCH)
    assert [task for task in TASKS if not torch.equal(before[task], after[task])] == ["like"]


def test_count_does_not_depend_on_lengths():
    """6: longer histories cost no parameter, candidates are rows; each expert adds (D + 1)·32 + K·D with D = 120."""
    longer = tuple(History(h.name, 3 * h.length, h.fields) for h in SCHEMA.histories)
    count = SYSTEM.blueprint.count(SCHEMA).parameters
    assert SYSTEM.blueprint.count(replace(SCHEMA, histories=longer)).parameters == count
    more = SYSTEM.blueprint.model_copy(update={"sharing": SYSTEM.blueprint.sharing.model_copy(update={"experts": 5})})
    assert more.count(SCHEMA).parameters - count == (120 + 1) * 32 + 3 * 120


def test_paper_s_sizes():
    """5: 12 experts of 64 over D: slope (D + 1)·64 + 3·D; three towers 64-128-64-32-1 have 56,067 parameters."""
    schema = Schema(tuple(Feature(f"n{i}", "numeric") for i in range(300)), tuple(Task(f"t{i}") for i in range(3)))
    at = {n: Blueprint(sharing=MMoE(experts=n, widths=(64,)), towers=MlpTower(widths=(128, 64, 32)), tasks=("t0", "t1", "t2"))
          for n in (11, 12)}
    counts = {n: blueprint.count(schema) for n, blueprint in at.items()}
    assert counts[12].parameters - counts[11].parameters == 301 * 64 + 3 * 300
    assert counts[12].within("towers").parameters == 3 * 18_689 == 56_067
    assert counts[12].parameters == numel(RankingModel(at[12], schema))


def test_outputs_and_loss():
    """7: probabilities in (0, 1); the loss is the weighted sum of three binary cross entropies, never negative, whatever sign
    the print has."""
    labels = {task: torch.where(BATCH.observed[task], BATCH.labels[task], 0.0) for task in TASKS}
    batch = replace(BATCH, labels=labels)
    model = RankingModel(SYSTEM.blueprint, SCHEMA)
    found, output = logits(model, batch), model.eval()(batch)
    for task in TASKS:
        assert ((torch.sigmoid(found[task]) > 0) & (torch.sigmoid(found[task]) < 1)).all()
        seen = batch.observed[task]
        expected = F.binary_cross_entropy(torch.sigmoid(found[task][seen].double()), labels[task][seen].double())
        assert float(output.losses[task].detach()) == pytest.approx(float(expected), rel=1e-4) and expected >= 0
    weights = {"has_next": 1.0, "effective_view": 0.5, "like": 3.0}
    summed = weighted_sum(output.losses, weights)
    torch.testing.assert_close(summed, sum(weight * output.losses[task] for task, weight in weights.items()))
    assert SYSTEM.blueprint.losses.weights == {} and SYSTEM.settings.combine == "sum"


def test_no_ids():
    """16: neither a user's nor a video's id is an input, and no table is large."""
    names = {f.name for f in SCHEMA.features} | {f.name for h in SCHEMA.histories for f in h.fields}
    assert not any("id" in name.split("_") for name in names)
    assert SYSTEM.blueprint.count(SCHEMA).embedding < 1_000


def test_serving():
    """7 of the sheet: four beams, threshold .95, one video shown; the reward weights are ours."""
    assert SYSTEM.serving == Arrange({"effective_view": 1.0, "like": 2.0}, "has_next", 4, 0.95, 1)
    assert arranges(SYSTEM.blueprint, SCHEMA) and not arranges(systems()["mmoe"].blueprint, schema_of("feed"))
    assert not arranges(SYSTEM.blueprint.model_copy(update={"tasks": ("effective_view",)}), SCHEMA)


class TestScore:
    """The picture's statistic on constructed lists."""

    best, chance = torch.rand(200).numpy() + 2.0, torch.rand(200).numpy()

    def way(self, beam):
        return scored({"beam": beam, "greedy": self.chance}, self.chance, self.best)

    def test_best_lists_score_one(self):
        found = self.way(self.best)
        assert found.value == pytest.approx(1.0) and found.ci95[0] == pytest.approx(1.0) and found.found

    def test_lists_in_any_order_score_nothing(self):
        noise = self.chance + torch.randn(200, generator=torch.Generator().manual_seed(0)).numpy() * 0.1
        found = self.way(noise)
        assert abs(found.value) < 0.05 and found.ci95[0] < 0 < found.ci95[1] and not found.found

    def test_the_worst_score_below_chance(self):
        found = self.way(self.chance - 0.5)
        assert found.value < -0.1 and found.ci95[1] < 0 and not found.found
        assert found.more[0].value == pytest.approx(0.0) and found.more[1].value == pytest.approx(-0.5)
