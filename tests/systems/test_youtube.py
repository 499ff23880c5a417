"""YouTube's ranker: the sheet's thirteen invariants (section 11) and its worked counts (section 5), on the whole model."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.load import schema_of
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature, Schema, Task
from rankzoo.serving.fuse import Fuse
from rankzoo.training.fit import Fit
from tests.support import flops, logits, numel, random_batch, randomised, small, trained_loss

SYSTEM = systems()["youtube"]
SCHEMA = schema_of("video")
TASKS = SYSTEM.blueprint.tasks
BATCH = random_batch(SCHEMA, 32)
KINDS = {task.name: task.kind for task in SCHEMA.tasks}


@pytest.fixture
def model() -> RankingModel:
    return randomised(RankingModel(SYSTEM.blueprint, SCHEMA))


def moved(batch, seed: int = 5):
    """The same rows with other positions."""
    column = [f.name for f in SCHEMA.categorical].index("position")
    ids = batch.ids.clone()
    ids[:, column] = ids[torch.randperm(len(batch), generator=torch.Generator().manual_seed(seed)), column]
    assert not torch.equal(ids, batch.ids)
    return batch.__class__(batch.schema, ids, batch.numbers, batch.histories, batch.masks, batch.labels, batch.observed,
                           batch.group)


@pytest.mark.parametrize("experts, parameters", [(4, 71_300), (8, 114_692)])
def test_worked_counts(experts, parameters):
    """5: D_in = 200, d = 128, experts 64-32, four tasks, towers 16: P(4) = 71,300, P(8) = 114,692, slope 10,848;
    Mult(4) = 71,232 (main tower only, no embeddings)."""
    schema = Schema(tuple(Feature(f"n{i}", "numeric") for i in range(200)), tuple(Task(f"t{i}") for i in range(4)))
    blueprint = Blueprint(tasks=tuple(f"t{i}" for i in range(4)), towers=MlpTower(widths=(16,)),
                          sharing=MMoE(bottom=(128,), experts=experts, widths=(64, 32)))
    count, built = blueprint.count(schema), RankingModel(blueprint, schema)
    assert count.parameters == numel(built) == parameters and (114_692 - 71_300) / 4 == 10_848
    if experts == 4:
        assert count.flops == flops(built, random_batch(schema)) == 2 * 71_232


def test_four_gates_on_the_shared_layer(model):
    """1-3: a gate per task over four experts, without bias, reading the shared layer of 128."""
    assert set(model.sharing.gate) == set(TASKS)
    assert all((gate.in_features, gate.out_features, gate.bias) == (128, 4, None) for gate in model.sharing.gate.values())
    before = logits(model, BATCH)
    with torch.no_grad():
        model.sharing.gate["like"].weight.mul_(-1)
    after = logits(model, BATCH)
    assert all(torch.equal(after[t], before[t]) for t in TASKS if t != "like")
    assert not torch.allclose(after["like"], before["like"])


def test_side_tower_feeds_the_engagement_heads_only(model):
    """6: the biased heads are click and completion; the satisfaction heads send no gradient into the side tower."""
    assert SYSTEM.blueprint.towers.on == ("click", "completion")
    for task in TASKS:
        model.zero_grad()
        model.train()(BATCH).losses[task].backward()
        reached = any(p.grad is not None and p.grad.abs().sum() > 0 for p in model.towers.bias.parameters())
        assert reached == (task in ("click", "completion")), task


@pytest.mark.parametrize("serve", ["missing", "drop_tower"])
def test_serving_ignores_the_position(model, serve):
    """7 and 9: permuting positions changes no output when serving, whichever way the bias is served."""
    model.towers.serve = serve
    here, there = logits(model, BATCH), logits(model, moved(BATCH))
    assert all(torch.equal(here[task], there[task]) for task in TASKS)


def test_main_tower_never_sees_the_position(model):
    """9, in training: with dropouts and the side tower out of the way, positions change nothing; with it, they do."""
    model.sharing.dropout, model.towers.drop = 0.0, 0.0
    model.train()
    assert not torch.allclose(model(BATCH).logits["click"], model(moved(BATCH)).logits["click"])
    with torch.no_grad():
        for table in model.towers.bias.parameters():
            table.zero_()
    here, there = model(BATCH).logits, model(moved(BATCH)).logits
    assert all(torch.equal(here[task], there[task]) for task in TASKS)


def test_two_dropouts_of_ten_percent_rest_when_serving(model):
    """10-11: gate dropout and position dropout are two things, both 0.1, both off in eval mode and both on in training."""
    assert (model.sharing.dropout, model.towers.drop) == (0.1, 0.1)
    first, second = logits(model, BATCH), logits(model, BATCH)
    assert all(torch.equal(first[task], second[task]) for task in TASKS)
    torch.manual_seed(0)
    model.train()
    assert not torch.equal(model(BATCH).logits["like"], model(BATCH).logits["like"])


def test_missing_has_a_trained_row():
    """10: positions 1 to 9 and the missing one, 10 scalars; a share of the rows trains row 0."""
    assert SCHEMA.feature("position").vocabulary == 10
    dataset = small("video", 4_000)
    fit = Fit(RankingModel(SYSTEM.blueprint, dataset.schema), dataset, SYSTEM.settings.model_copy(update={"steps": 5}),
              watching=False)
    assert sum(1 for _ in fit) == 5
    assert float(fit.model.towers.bias.scalars[0][0].detach().abs()) > 0


def test_masked_labels_are_silent(model):
    """13: a row that is unobserved for a task gives it neither loss nor gradient; completion has a squared error."""
    assert KINDS["completion"] == "share" and all(KINDS[t] == "binary" for t in TASKS if t != "completion")
    model.sharing.dropout, model.towers.drop = 0.0, 0.0
    before = model.train()(BATCH).losses
    labels = {t: torch.where(BATCH.observed[t], y, 1e9) for t, y in BATCH.labels.items()}
    after = model(replace(BATCH, labels=labels)).losses
    assert all(torch.equal(before[t], after[t]) for t in TASKS)
    trained_loss(model, replace(BATCH, labels=labels)).backward()
    assert all(torch.isfinite(p.grad.to_dense()).all() for p in model.parameters())


def test_product_fusion():
    """12: score = Π p^w; a constant factor on one p leaves the order; monotone in each p with w > 0; dismiss counts against."""
    fuse, rng = SYSTEM.serving, torch.Generator().manual_seed(0)
    values = {task: torch.randn(50, generator=rng) for task in TASKS}
    score = fuse.log_score(values, KINDS)
    by_hand = sum(torch.log(torch.sigmoid(values[t])) * (-1.0 if t == "dismiss" else 1.0) for t in TASKS)
    torch.testing.assert_close(score, by_hand)
    p = torch.sigmoid(values["like"])
    scaled = {**values, "like": torch.logit(0.5 * p)}  # the probability halved in every row
    assert torch.equal(fuse.log_score(scaled, KINDS).argsort(), score.argsort())
    assert (fuse.log_score({**values, "click": values["click"] + 1}, KINDS) > score).all()
    assert (fuse.log_score({**values, "dismiss": values["dismiss"] + 1}, KINDS) < score).all()
    shifted = fuse.log_score({**values, "click": values["click"] + 2}, KINDS)  # 7: a constant logit can reorder the product
    assert not torch.equal(shifted.argsort(), score.argsort())


def test_fusing_a_regression():
    """An unbounded prediction enters as log(1 + max(value, 0)); weights without a task change nothing."""
    fuse = Fuse(weights={"watch": 2.0, "nobody": 5.0})
    score = fuse.log_score({"watch": torch.tensor([1.0, -3.0, 7.0])}, {"watch": "regression"})
    assert float(score[0]) == pytest.approx(2 * torch.log(torch.log1p(torch.tensor(1.0))).item())
    assert score.argsort().tolist() == [1, 0, 2]


def test_learned_bias_falls_with_the_slot():
    """The planted examination curve comes back: after 400 steps the learned bias by slot correlates with it above 0.9."""
    dataset = small("video", 20_000)
    settings = SYSTEM.settings.model_copy(update={"steps": 400, "epochs": 20, "patience": 0})
    fit = Fit(RankingModel(SYSTEM.blueprint, dataset.schema), dataset, settings, watching=False)
    assert sum(1 for _ in fit) == 400
    curve = dataset.truth.curve
    learned = fit.model.towers.bias.table().detach()[1:, 1:].mean(dim=1)
    planted = torch.from_numpy(curve.values).float() * float(curve.multipliers.mean())
    assert float(torch.corrcoef(torch.stack([learned, planted]))[0, 1]) > 0.9
