"""YouTube's ranker: the sheet's thirteen invariants (section 11) on the whole model, by their numbers."""
from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from rankzoo.blueprint import Blueprint
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.load import schema_of
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature, Schema, Task
from rankzoo.serving.fuse import Fuse
from rankzoo.signals import Signal
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from tests.support import copied, fill, flops, logits, numel, random_batch, randomised, small, trained_loss

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


def on_device(batch, device: int):
    """The same rows, all from one device."""
    ids = batch.ids.clone()
    ids[:, [f.name for f in SCHEMA.categorical].index("device")] = device
    return replace(batch, ids=ids)


def test_youtube_1_gates_are_shares_of_the_experts(model):
    """(B, n), never negative, rows that add to 1: when serving, and in training after some were dropped and the rest made to add
    to 1 again; a row that would lose all keeps its gate."""
    trace = Trace()
    model.eval()(BATCH, trace)
    for task in TASKS:
        gate = trace[f"sharing.gate.{task}"].values
        assert gate.shape == (32, 4) and (gate >= 0).all()
        torch.testing.assert_close(gate.sum(dim=1), torch.ones(32))
    gate = torch.softmax(torch.randn(4_000, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    torch.manual_seed(0)
    for rate in (0.1, 0.9):
        model.train().sharing.dropout = rate
        dropped = model.sharing.dropped(gate)
        assert (dropped >= 0).all()
        torch.testing.assert_close(dropped.sum(dim=1), torch.ones(4_000))
        some = ((dropped == 0).any(dim=1)).float().mean()
        assert abs(float(some) - (1 - (1 - rate) ** 4 - (rate ** 4))) < 0.03  # all four kept, or all lost and so all kept
        kept = dropped[(dropped > 0).sum(dim=1) == 2][0]
        whole = gate[(dropped > 0).sum(dim=1) == 2][0] * (kept > 0)
        torch.testing.assert_close(kept, whole / whole.sum())


def test_youtube_2_a_gate_is_its_task_s_alone(model):
    """As many gates as tasks, over four experts and without bias; another W of one leaves every other task as it is."""
    assert set(model.sharing.gate) == set(TASKS)
    assert all((gate.out_features, gate.bias) == (4, None) for gate in model.sharing.gate.values())
    for changed in TASKS:
        before = logits(model, BATCH)
        with torch.no_grad():
            model.sharing.gate[changed].weight.mul_(-1)
        after = logits(model, BATCH)
        assert all(torch.equal(after[task], before[task]) for task in TASKS if task != changed)
        assert not torch.allclose(after[changed], before[changed])


def system_with(**sharing: object) -> RankingModel:
    """The system with another sharing of its experts."""
    changed = SYSTEM.blueprint.sharing.model_copy(update=sharing)
    return randomised(RankingModel(SYSTEM.blueprint.model_copy(update={"sharing": changed}), SCHEMA))


@pytest.mark.parametrize("reads, width", [("shared", 64), ("raw", 8 * 16 + 49)])
def test_youtube_3_what_the_gates_read(reads, width):
    """Gates are d wide by default, D_in wide (eight fields of 16, 49 numbers) when raw. With the shared layer silent the
    default gates know nothing of a row, and the raw ones still do."""
    model, trace = system_with(gate_input=reads), Trace()
    assert all(gate.in_features == width for gate in model.sharing.gate.values())
    fill(model.sharing.bottom, 0.0)
    model.eval()(BATCH, trace)
    for task in TASKS:
        gates = trace[f"sharing.gate.{task}"].values
        assert torch.equal(gates, torch.full((32, 4), 0.25)) == (reads == "shared"), task
        assert (gates.std(dim=0) > 0.01).all() == (reads == "raw"), task


@pytest.mark.parametrize("reads", ["shared", "raw"])
@pytest.mark.parametrize("training", [False, True])
def test_youtube_4_one_expert_is_a_shared_bottom(reads, training):
    """N = 1: every gate is 1 and every logit and loss that of a shared bottom 64-16-8, gate dropout or not."""
    moe = system_with(experts=1, gate_input=reads)
    plain = RankingModel(SYSTEM.blueprint.model_copy(update={"sharing": SharedBottom(widths=(64, 16, 8))}), SCHEMA)
    copied(moe, plain)
    own = [*moe.sharing.bottom.parameters(), *moe.sharing.expert[0].parameters()]
    with torch.no_grad():
        for parameter, given in zip(plain.sharing.parameters(), own, strict=True):
            parameter.copy_(given)
    moe.towers.drop = plain.towers.drop = 0.0  # whose rows it hits is another draw in each model
    trace = Trace()
    ours, theirs = moe.train(training)(BATCH, trace), plain.train(training)(BATCH)
    for task in TASKS:
        assert (trace[f"sharing.gate.{task}"].values == 1).all()
        torch.testing.assert_close(ours.logits[task], theirs.logits[task])
        torch.testing.assert_close(ours.losses[task], theirs.losses[task])


def test_youtube_5_worked_counts():
    """D_in = 200, d = 128, experts 64-32, four tasks, towers 16, counted for 1, 2, 4 and 8 experts: P(4) = 71,300,
    P(8) = 114,692, every expert adds E + K·d = 10,336 + 512; Mult(4) = 71,232 (main tower only, no embeddings)."""
    schema = Schema(tuple(Feature(f"n{i}", "numeric") for i in range(200)), tuple(Task(f"t{i}") for i in range(4)))
    blueprints = {experts: Blueprint(tasks=tuple(f"t{i}" for i in range(4)), towers=MlpTower(widths=(16,)),
                                     sharing=MMoE(bottom=(128,), experts=experts, widths=(64, 32))) for experts in (1, 2, 4, 8)}
    counts = {experts: blueprint.count(schema) for experts, blueprint in blueprints.items()}
    built = {experts: RankingModel(blueprint, schema) for experts, blueprint in blueprints.items()}
    found = {experts: count.parameters for experts, count in counts.items()}
    assert found == {experts: numel(model) for experts, model in built.items()}
    assert (found[4], found[8]) == (71_300, 114_692)
    slopes = [(found[more] - found[fewer]) / (more - fewer) for fewer, more in pairwise(found)]
    assert slopes == [(128 + 1) * 64 + (64 + 1) * 32 + 4 * 128] * 3 == [10_848] * 3
    assert counts[4].flops == flops(built[4], random_batch(schema)) == 2 * 71_232


def test_youtube_6_the_side_tower_adds_to_the_engagement_heads_alone(model):
    """In training logit = y + b(position, device) for click and completion, so that the derivative by b is 1, and y for the
    others, which send no gradient into the side tower."""
    assert SYSTEM.blueprint.towers.on == ("click", "completion")
    model.sharing.dropout = model.towers.drop = 0.0
    main = RankingModel(SYSTEM.blueprint.model_copy(update={"towers": MlpTower(widths=SYSTEM.blueprint.towers.widths)}), SCHEMA)
    copied(model, main)
    main.sharing.dropout = 0.0
    ours, theirs = model.train()(BATCH).logits, main.train()(BATCH).logits
    table, features = model.towers.bias.table().detach(), BATCH.features
    b = table[features["position"], features["device"]]
    rows = model.towers.bias.scalars[2]
    assert (features["position"] > 0).any() and rows.numel() == 10 * SCHEMA.feature("device").vocabulary
    for task in TASKS:
        on = task in ("click", "completion")
        torch.testing.assert_close(ours[task], theirs[task] + b if on else theirs[task])
        if on:
            gradient, = torch.autograd.grad(ours[task].sum(), rows, retain_graph=True)
            seen = (features["position"] * SCHEMA.feature("device").vocabulary + features["device"]).bincount(minlength=len(rows))
            torch.testing.assert_close(gradient, seen.float())  # 1 for each row that reads the scalar
        model.zero_grad()
        model(BATCH).losses[task].backward()
        reached = any(p.grad is not None and p.grad.abs().sum() > 0 for p in model.towers.bias.parameters())
        assert reached == on, task


@pytest.mark.parametrize("serve", ["missing", "drop_tower"])
def test_youtube_7_serving_ignores_the_position(model, serve):
    """Permuting positions changes no output when serving, whichever way the bias is served."""
    model.towers.serve = serve
    here, there = logits(model, BATCH), logits(model, moved(BATCH))
    assert all(torch.equal(here[task], there[task]) for task in TASKS)


def test_youtube_7_a_dropped_tower_leaves_the_main_logit(model):
    """Served with `drop_tower` every logit is the main tower's to the last bit, that of the model built without a side
    tower; served with `missing` the engagement heads have b(missing, device) on top, the others nothing."""
    main = RankingModel(SYSTEM.blueprint.model_copy(update={"towers": MlpTower(widths=SYSTEM.blueprint.towers.widths)}), SCHEMA)
    copied(model, main)
    without, missing = logits(main, BATCH), logits(model, BATCH)
    model.towers.serve = "drop_tower"
    dropped = logits(model, BATCH)
    assert all(torch.equal(dropped[task], without[task]) for task in TASKS)
    b = model.towers.bias.table().detach()[0, BATCH.features["device"]]
    for task in TASKS:
        torch.testing.assert_close(missing[task], without[task] + b if task in ("click", "completion") else without[task])
    assert b.abs().min() > 0


def test_youtube_8_missing_and_dropped_order_one_device_alike():
    """On one device both ways of serving sort by the click head alike, with different probabilities; across devices
    they need not."""
    model = RankingModel(SYSTEM.blueprint, SCHEMA)  # as a training starts, so that no probability is 0 or 1
    randomised(model.towers.bias)

    def served(batch, serve: str):
        model.towers.serve = serve
        return logits(model, batch)["click"]

    for device in range(1, SCHEMA.feature("device").vocabulary):
        missing, dropped = (served(on_device(BATCH, device), serve) for serve in ("missing", "drop_tower"))
        assert torch.equal(missing.argsort(), dropped.argsort()), device
        assert (torch.sigmoid(missing) - torch.sigmoid(dropped)).abs().min() > 0.01, device
    missing, dropped = (served(BATCH, serve) for serve in ("missing", "drop_tower"))
    assert not torch.equal(missing.argsort(), dropped.argsort())


def test_youtube_9_the_main_tower_never_sees_the_position(model):
    """Neither when serving, where the tower is dropped, nor in training: with dropouts and the side tower out of the way,
    positions change nothing; with it, they do."""
    model.towers.serve = "drop_tower"
    here, there = logits(model, BATCH), logits(model, moved(BATCH))
    assert all(torch.equal(here[task], there[task]) for task in TASKS)
    model.sharing.dropout, model.towers.drop = 0.0, 0.0
    model.train()
    assert not torch.allclose(model(BATCH).logits["click"], model(moved(BATCH)).logits["click"])
    with torch.no_grad():
        for table in model.towers.bias.parameters():
            table.zero_()
    here, there = model(BATCH).logits, model(moved(BATCH)).logits
    assert all(torch.equal(here[task], there[task]) for task in TASKS)


@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0])
def test_youtube_10_a_share_of_the_rows_sees_no_position(model, rate):
    """At rate 1 every training row reads the row of the missing position, at .1 about a tenth of them, at 0 none."""
    batch = random_batch(SCHEMA, 6_000)
    model.towers.drop = rate
    torch.manual_seed(0)
    ids = model.train().towers.masked(Signal(aside=batch.features))["position"]
    given = batch.features["position"]
    there = given > 0
    assert abs(float((ids[there] == 0).float().mean()) - rate) < (0.02 if rate == 0.1 else 1e-9)
    assert torch.equal(ids[ids > 0], given[ids > 0])
    assert (model.eval().towers.masked(Signal(aside=batch.features))["position"] == 0).all()


def test_youtube_10_the_missing_position_has_a_row_that_is_trained():
    """Positions 1 to 9 and the missing one, 10 scalars; a share of the rows trains row 0, and the preset's rate is .1."""
    assert SCHEMA.feature("position").vocabulary == 10 and SYSTEM.blueprint.towers.drop_position == 0.1
    dataset = small("video", 4_000)
    fit = Fit(RankingModel(SYSTEM.blueprint, dataset.schema), dataset, SYSTEM.settings.model_copy(update={"steps": 5}),
              watching=False)
    assert sum(1 for _ in fit) == 5
    assert float(fit.model.towers.bias.scalars[0][0].detach().abs()) > 0


def test_youtube_11_serving_is_deterministic_though_two_things_are_dropped(model):
    """Gate dropout and position dropout, both .1, rest in eval mode; each by itself makes two passes differ in training."""
    assert (model.sharing.dropout, model.towers.drop) == (0.1, 0.1)
    first, second = logits(model, BATCH), logits(model, BATCH)
    assert all(torch.equal(first[task], second[task]) for task in TASKS)
    torch.manual_seed(0)
    for gate, position, task in ((0.1, 0.0, "like"), (0.0, 0.1, "click"), (0.0, 0.0, "")):
        model.train().sharing.dropout, model.towers.drop = gate, position
        one, other = model(BATCH).logits, model(BATCH).logits
        assert not torch.equal(one[task], other[task]) if task else all(torch.equal(one[t], other[t]) for t in TASKS)


def test_youtube_12_fusing_by_a_product():
    """Score = Π p^w; a constant factor on one p leaves the order; monotone in each p with w > 0; dismiss counts against."""
    fuse, rng = SYSTEM.serving, torch.Generator().manual_seed(0)
    values = {task: torch.randn(50, generator=rng) for task in TASKS}
    score = fuse.log_score(values, KINDS)
    by_hand = sum(torch.log(torch.sigmoid(values[t])) * (-1.0 if t == "dismiss" else 1.0) for t in TASKS)
    torch.testing.assert_close(score, by_hand)
    for task in TASKS:
        halved = {**values, task: torch.logit(0.5 * torch.sigmoid(values[task].double())).float()}
        torch.testing.assert_close(fuse.log_score(halved, KINDS) - score, torch.full((50,), math.log(
            2.0 if task == "dismiss" else 0.5)))
        assert torch.equal(fuse.log_score(halved, KINDS).argsort(), score.argsort())
    assert (fuse.log_score({**values, "click": values["click"] + 1}, KINDS) > score).all()
    assert (fuse.log_score({**values, "dismiss": values["dismiss"] + 1}, KINDS) < score).all()
    shifted = fuse.log_score({**values, "click": values["click"] + 2}, KINDS)  # 7: a constant logit can reorder the product
    assert not torch.equal(shifted.argsort(), score.argsort())


def test_youtube_13_losses_by_kind_and_masked_labels_are_silent(model):
    """The share of a video has a squared error, clicks and the like cross entropy; a row that is unobserved for a task gives it
    neither loss nor gradient, so that the gradient of a label of 1e9 is that of any other."""
    assert KINDS["completion"] == "share" and all(KINDS[t] == "binary" for t in TASKS if t != "completion")
    output = model.eval()(BATCH)
    for task in TASKS:
        seen = BATCH.observed[task]
        logit, y = output.logits[task][seen].double(), BATCH.labels[task][seen].double()
        each = (torch.sigmoid(logit) - y) ** 2 if task == "completion" else F.softplus(logit) - y * logit
        torch.testing.assert_close(output.losses[task].double(), each.mean(), atol=1e-5, rtol=1e-5)
    model.sharing.dropout, model.towers.drop = 0.0, 0.0
    before = model.train()(BATCH).losses
    labels = {t: torch.where(BATCH.observed[t], y, 1e9) for t, y in BATCH.labels.items()}
    after = model(replace(BATCH, labels=labels)).losses
    assert all(torch.equal(before[t], after[t]) for t in TASKS)
    gradients = []
    for given in (BATCH, replace(BATCH, labels=labels)):
        model.zero_grad()
        trained_loss(model, given).backward()
        gradients.append([p.grad.to_dense() for p in model.parameters()])
    assert all(torch.isfinite(one).all() and torch.equal(one, other) for one, other in zip(*gradients, strict=True))
    nobody = replace(BATCH, observed={**BATCH.observed, "like": torch.zeros(32, dtype=torch.bool)})
    loss = model(nobody).losses["like"]
    model.zero_grad()
    loss.backward()
    assert float(loss.detach()) == 0 and not any(p.grad is not None and p.grad.to_dense().any() for p in model.parameters())


def test_fusing_a_regression():
    """An unbounded prediction enters as log(1 + max(value, 0)); weights without a task change nothing."""
    fuse = Fuse(weights={"watch": 2.0, "nobody": 5.0})
    score = fuse.log_score({"watch": torch.tensor([1.0, -3.0, 7.0])}, {"watch": "regression"})
    assert float(score[0]) == pytest.approx(2 * torch.log(torch.log1p(torch.tensor(1.0))).item())
    assert score.argsort().tolist() == [1, 0, 2]


def test_a_live_gain_names_what_it_is_over():
    """Rows of table 1 are all over a shared bottom of 3.7M; the gates' gain is the difference of two of them."""
    facts = {fact.name: fact for fact in SYSTEM.facts if fact.at == "table 1" and "gain" in fact.name}
    both, gates = [fact.value for fact in facts.values() if fact.tag == "stated"], facts["live gain of the gates at equal cost"]
    assert len(both) == 2 and all(value.endswith("3.7M") and " over " in value for value in both)
    (eight, bottom) = ([float(number) for number in re.findall(r"\+([\d.]+) %", value)] for value in both)
    assert [float(each) for each in re.findall(r"\+([\d.]+)", gates.value)] == pytest.approx(
        [one - other for one, other in zip(eight, bottom, strict=True)])


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
