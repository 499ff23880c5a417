"""Snapchat's ad ranker: the sheet's invariants (section 10) on the whole model, by their numbers."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.sharing.ple import PLE
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.load import schema_of
from rankzoo.data.preparation import prepare_declared
from rankzoo.data.world import world
from rankzoo.document import Document
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature, Schema, Task
from rankzoo.serving.auction import Auction
from rankzoo.serving.calibrate import Calibrate, isotonic, platt
from rankzoo.serving.request import score_request
from rankzoo.shape import Shape
from rankzoo.signals import Batch, Signal
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import auc, score, sigmoid
from tests.support import OFF, fill, logits, numel, random_batch, randomised, small

SYSTEM = systems()["snapchat"]
SCHEMA = schema_of("goals")
TASKS = SYSTEM.blueprint.tasks
BATCH = random_batch(SCHEMA, 32)


def with_sharing(**sharing: object) -> RankingModel:
    """The system with other experts, as a training starts: no gate is sure of one expert."""
    changed = SYSTEM.blueprint.sharing.model_copy(update=sharing)
    return RankingModel(SYSTEM.blueprint.model_copy(update={"sharing": changed}), SCHEMA)


@pytest.fixture
def model() -> RankingModel:
    return with_sharing()


def reached(model: RankingModel, task: str) -> set[str]:
    """Names of the parameters of the shared part and the towers that a task's loss moves."""
    model.zero_grad()
    model.train()(BATCH).losses[task].backward()
    return {name for name, p in model.named_parameters() if name.startswith(("sharing.", "towers."))
            and p.grad is not None and p.grad.abs().sum() > 0}


def test_snapchat_1_gates_sum_to_one_and_weigh_what_they_may(model):
    """Task gates own + shared (4), the shared gate all (7); MMoE's gates all n."""
    trace = Trace()
    model.eval()(BATCH, trace)
    gates = {entry.address.removeprefix("sharing."): entry.values for entry in trace.of("gate")}
    assert {name: values.shape[1] for name, values in gates.items()} == (
        {f"level.{level}.gate.{task}": 4 for level in range(2) for task in TASKS} | {"level.0.shared_gate": 7})
    mmoe = RankingModel(SYSTEM.blueprint.model_copy(update={"sharing": MMoE(experts=7, widths=(32,))}), SCHEMA)
    other = Trace()
    mmoe.eval()(BATCH, other)
    rows = [*gates.values(), *(entry.values for entry in other.of("gate"))]
    assert {entry.values.shape[1] for entry in other.of("gate")} == {7}
    assert all(torch.allclose(values.sum(dim=1), torch.ones(32), atol=1e-6) for values in rows)


def test_snapchat_2_one_level_parts_the_tasks_at_once():
    """CGC: a task's loss moves no other task's experts, gate or tower, and does move the shared experts."""
    cgc = with_sharing(levels=1)
    names = reached(cgc, "install")
    assert not [name for name in names if any(other in name for other in TASKS if other != "install")]
    assert {name for name in names if ".shared." in name} and {name for name in names if ".own.install." in name}


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_snapchat_3_separation_is_progressive(levels):
    """A's loss reaches B's experts of level j up to N − 1, B's gates up to N − 2."""
    names = reached(with_sharing(levels=levels), "purchase")
    for level in range(levels):
        own = any(name.startswith(f"sharing.level.{level}.own.swipe") for name in names)
        gate = any(name.startswith(f"sharing.level.{level}.gate.swipe") for name in names)
        assert own == (level + 1 <= levels - 1) and gate == (level + 1 <= levels - 2), level


def test_snapchat_4_the_last_level_has_no_shared_gate(model):
    assert model.sharing.level[0].shared_gate is not None and model.sharing.level[1].shared_gate is None
    assert SYSTEM.blueprint.sharing.model_copy(update={"levels": 1}).word() == "CGC"
    assert with_sharing(levels=1).sharing.level[0].shared_gate is None


def test_snapchat_5_without_own_or_without_shared_experts():
    """m_k = 0: MMoE with n = m_s. m_s = 0: independent mixtures, a task's loss moves nothing of another."""
    cgc = with_sharing(levels=1, own=0, shared=3)
    mmoe = RankingModel(SYSTEM.blueprint.model_copy(update={"sharing": MMoE(experts=3, widths=(32,))}), SCHEMA)
    state = {name.replace("sharing.level.0.shared.", "sharing.expert.").replace("sharing.level.0.gate.", "sharing.gate."): value
             for name, value in cgc.state_dict().items()}
    mmoe.load_state_dict(state)
    ours, theirs = logits(cgc, BATCH), logits(mmoe, BATCH)
    for task in TASKS:
        torch.testing.assert_close(ours[task], theirs[task])
    apart = with_sharing(levels=1, shared=0)
    assert not [name for name in reached(apart, "swipe") if any(other in name for other in TASKS[1:])]


@pytest.mark.parametrize("own, shared, levels, tasks, tower, parameters", [
    (1, 1, 1, 2, (8,), 1_378), (2, 1, 2, 2, (8, 4), 3_710), (1, 2, 3, 3, (8,), 5_483)])
def test_snapchat_6_parameters_are_the_sheet_s(own, shared, levels, tasks, tower, parameters):
    """Section 5's check values: d = 20, experts of 16, towers that end in a logit."""
    schema = Schema(tuple(Feature(f"n{i}", "numeric") for i in range(20)), tuple(Task(f"t{i}") for i in range(tasks)))
    blueprint = Blueprint(sharing=PLE(levels=levels, own=own, shared=shared, widths=(16,)), towers=MlpTower(widths=tower),
                          tasks=tuple(f"t{i}" for i in range(tasks)))
    assert blueprint.count(schema).parameters == numel(RankingModel(blueprint, schema)) == parameters


def test_snapchat_6_one_task_more_adds_its_experts_gates_and_tower():
    """m_k experts, one gate and one tower in each level, and m_k more for the shared gate to weigh."""
    fewer = SYSTEM.blueprint.with_tasks(TASKS[:3], SCHEMA)
    d = next(place.shape.joined for place in SYSTEM.blueprint.places(SCHEMA) if place.address == "sharing")
    tower = (32 + 1) * 32 + (32 + 1) * 16 + 17
    more = (d + 1) * 32 + 4 * d + d + (32 + 1) * 32 + 4 * 32 + tower
    assert SYSTEM.blueprint.count(SCHEMA).parameters - fewer.count(SCHEMA).parameters == more


def test_snapchat_7_upper_gates_do_not_read_the_input(model):
    """With what leaves level 1 held fixed, other rows change nothing above; gates of level 2 read an expert's width."""
    before, first = logits(model, BATCH), model.sharing.level[0]
    with torch.no_grad():
        joined = model.read(BATCH, OFF)[1]
        left = first(dict.fromkeys(TASKS, joined), joined, OFF)
    other = random_batch(SCHEMA, 32, seed=9)
    assert not torch.allclose(logits(model, other)["swipe"], before["swipe"])
    first.forward = lambda fused, shared, trace: left
    for task, logit in logits(model, other).items():
        torch.testing.assert_close(logit, before[task])
    assert all(gate.in_features == 32 for gate in model.sharing.level[1].gate.values())


def test_snapchat_8_a_masked_row_counts_for_nothing(model):
    """L_k is the mean over its observed rows; without one it is 0, and so is its gradient."""
    output = model.train()(BATCH)
    for task in TASKS:
        seen = BATCH.observed[task]
        expected = F.binary_cross_entropy_with_logits(output.logits[task][seen], BATCH.labels[task][seen])
        torch.testing.assert_close(output.losses[task], expected)
    nobody = replace(BATCH, observed={**BATCH.observed, "purchase": torch.zeros(32, dtype=torch.bool)})
    losses = model(nobody).losses
    assert float(losses["purchase"].detach()) == 0
    model.zero_grad()
    losses["purchase"].backward()
    assert all(p.grad is None or float(p.grad.to_dense().abs().sum()) == 0 for p in model.parameters())


@pytest.mark.parametrize("factors", [{}, {"swipe": 1.0}, {"swipe": 0.5, "install": 1.25}])
def test_snapchat_9_weights_of_the_tasks_over_the_epochs(factors):
    """w_k^(t) = w_{k,0} γ_kᵗ, t the epochs that are done: γ = 1, the preset, leaves a weight as it is."""
    document = Document.preset("snapchat").but([("losses.weights", {"purchase": 2.0, "install": 0.5}), ("settings.rows", 2_000),
                                                ("losses.factors", factors), ("settings.epochs", 3)])
    dataset = document.dataset()
    fit, seen = Fit(document.model(dataset.schema), dataset, document.settings, watching=False), []
    for step in fit:
        seen.append((step.epoch - 1, dict(fit.combiner.fixed)))
    start = dict.fromkeys(TASKS, 1.0) | {"purchase": 2.0, "install": 0.5}
    assert {epoch for epoch, _ in seen} == {0, 1, 2} and not SYSTEM.blueprint.losses.factors
    for epoch, weights in seen:
        assert weights == pytest.approx({task: start[task] * factors.get(task, 1.0) ** epoch for task in TASKS})


def test_snapchat_10_cross_layers(model):
    """W = 0, b = 0 leave the input as it is; the rank D can be any full matrix; the width stays."""
    tower = model.interaction[0].user
    x = torch.randn(6, 64, generator=torch.Generator().manual_seed(0))
    for layer in tower.cross:
        fill(layer, 0.0)
        assert torch.equal(layer(x, x, OFF), x)
    schema = Schema((Feature("a", "categorical", 5), Feature("b", "categorical", 5)), (Task("t"),))
    shape = Shape(schema, schema.tasks, fields={"a": 3, "b": 3}, origin={"a": "a", "b": "b"}, at="interaction.0")
    full, low = (randomised(CrossV2(layers=1, rank=rank, structure="stacked").build(shape)) for rank in (0, 6))
    with torch.no_grad():
        low.layer[0].u.copy_(full.layer[0].linear.weight.unsqueeze(0))
        low.layer[0].v.copy_(torch.eye(6).unsqueeze(0))
        low.layer[0].bias.copy_(full.layer[0].linear.bias)
    fields = {"a": x[:, :3], "b": x[:, 3:6]}
    ours, theirs = (layer(Signal(fields=fields), OFF).fields for layer in (full, low))
    for name in fields:
        torch.testing.assert_close(ours[name], theirs[name])
        assert ours[name].shape == (6, 3)


def tower_vectors(model: RankingModel, batch: Batch) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        signal = model.interaction[0](model.representation(batch, OFF), OFF)
    return {side: signal.fields[f"{side}_tower"] for side in ("user", "item")}


def swapped(batch: Batch, side: str) -> Batch:
    """The same rows with the features of one side (or the context) of others."""
    other = torch.randperm(len(batch), generator=torch.Generator().manual_seed(1))
    ids, numbers = batch.ids.clone(), batch.numbers.clone()
    for values, features in ((ids, SCHEMA.categorical), (numbers, SCHEMA.numeric)):
        for i, feature in enumerate(features):
            values[:, i] = values[other, i] if feature.side == side else values[:, i]
    return replace(batch, ids=ids, numbers=numbers)


def test_snapchat_11_towers_know_their_own_side_alone(model):
    for side, other in (("user", "item"), ("item", "user")):
        before, ads = tower_vectors(model, BATCH), tower_vectors(model, swapped(BATCH, other))
        context, own = tower_vectors(model, swapped(BATCH, "context")), tower_vectors(model, swapped(BATCH, side))
        assert torch.equal(before[side], ads[side]) and torch.equal(before[side], context[side])
        assert not torch.equal(before[side], own[side])


def test_snapchat_11_a_request_runs_the_user_s_tower_once(model):
    """The same logits as row by row, with one row through the user's tower and a row for each ad through the ads'."""
    user = [i for i, feature in enumerate(SCHEMA.categorical) if feature.side == "user"]
    ids = BATCH.ids.clone()
    ids[:, user] = ids[:1, user]
    request = replace(BATCH, ids=ids)
    rows = {side: [] for side in ("user", "item")}
    for side, counted in rows.items():
        tower = model.interaction[0].get_submodule(side)
        tower.forward = lambda x, trace, plain=tower.forward, counted=counted: (counted.append(len(x)), plain(x, trace))[1]
    found, expected = score_request(model, request), logits(model, request)
    assert rows == {"user": [1, 32], "item": [32, 32]}  # as a request, then row by row
    for task in TASKS:
        torch.testing.assert_close(found[task], expected[task])


def test_snapchat_12_an_unknown_ad_is_read_from_the_row_for_it(model):
    """An advertiser that training never met is id 0, the row for all of them; nothing is raised."""
    made = world("goals").make(2_000, 0).table
    known = prepare_declared(made.slice(0, 1_000), SCHEMA)
    column = [f.name for f in SCHEMA.categorical].index("advertiser")
    strange = made.slice(1_000, 8).set_column(made.column_names.index("advertiser"), "advertiser", [[10**6] * 8])
    batch = known.encode(strange)
    assert (batch.ids[:, column] == 0).all()
    assert all(torch.isfinite(logit).all() for logit in logits(model, batch).values())


@pytest.fixture(scope="module")
def scored() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits that are too low and too steep, labels, and a segment in which labels are rarer than the logit says."""
    rng = np.random.default_rng(0)
    true, segment = rng.normal(-2, 1, 8_000), rng.integers(0, 3, 8_000)
    labels = (rng.random(8_000) < sigmoid(true - 1.0 * (segment == 2))).astype(np.float64)
    return 1.7 * true - 1.0, labels, segment


@pytest.mark.parametrize("how", [platt, isotonic])
def test_snapchat_13_a_rising_curve_keeps_the_order_and_makes_the_sum_right(how, scored):
    raw, labels, _ = scored
    curve = how(raw, labels)
    p = curve(raw)
    assert p.sum() / labels.sum() == pytest.approx(1.0, abs=1e-6)
    assert abs(np.log(sigmoid(raw).sum() / labels.sum())) > 0.1
    ordered = p[np.argsort(raw)]
    assert (np.diff(ordered) >= 0).all() and p.min() >= 0 and p.max() <= 1
    assert auc(labels, p) == pytest.approx(auc(labels, raw), abs=1e-12 if how is platt else 0.005)
    assert _log_loss(p, labels) < _log_loss(sigmoid(raw), labels)


def test_snapchat_13_segments_have_curves_of_their_own(scored):
    """Σ p' / Σ y = 1 in every segment, which one curve for all does not give; a small segment shares the curve of all."""
    raw, labels, segment = scored
    whole, own = (Calibrate(by=by).fit(raw, labels, segment) for by in ("", "device"))
    off = [np.log(layer(raw, segment)[segment == 2].sum() / labels[segment == 2].sum()) for layer in (whole, own)]
    assert abs(off[0]) > 0.2 and abs(off[1]) < 1e-6
    few = segment.copy()
    few[:5] = 9
    assert 9 not in Calibrate(by="device").fit(raw, labels, few).own
    assert SYSTEM.serving == Auction(Calibrate("platt", "device"))


def test_snapchat_13_a_small_network_reads_score_and_segment(scored):
    """Σ p' / Σ y = 1 as a whole and in every segment, and a log loss no worse than that of a Platt curve for each segment."""
    raw, labels, segment = scored
    p = Calibrate("network", "device").fit(raw, labels, segment)(raw, segment)
    for here in (np.ones(len(raw), dtype=bool), *(segment == value for value in range(3))):
        assert p[here].sum() / labels[here].sum() == pytest.approx(1.0, abs=2e-3)
    assert _log_loss(p, labels) < _log_loss(Calibrate(by="device").fit(raw, labels, segment)(raw, segment), labels) + 1e-4
    again = Calibrate("network", "device").fit(raw, labels, segment)(raw, segment)
    assert np.array_equal(p, again)
    alone = Calibrate("network").fit(raw, labels, segment)
    assert np.array_equal(alone(raw, segment), alone(raw, np.zeros(len(raw)))), "without a feature it reads the score alone"


def test_snapchat_13_a_small_network_bends_where_platt_cannot():
    """Probabilities that rise to .6 and then stay: a straight line in the logit misses them, the network comes within .03."""
    rng = np.random.default_rng(0)
    raw = rng.uniform(-4, 4, 20_000)
    true = np.minimum(sigmoid(raw), 0.6)
    labels = (rng.random(20_000) < true).astype(np.float64)
    off = {how: float(np.abs(Calibrate(how).fit(raw, labels)(raw) - true).mean()) for how in ("platt", "network")}
    assert off["network"] < 0.03 < off["platt"], off


def test_snapchat_13_what_cannot_be_fitted_stays_as_it_is():
    """One kind of label only: nothing changes. A falling relation: a flat curve, never a falling one."""
    raw = np.linspace(-3, 3, 50)
    np.testing.assert_allclose(Calibrate().fit(raw, np.zeros(50))(raw), sigmoid(raw))
    labels = (raw < 0).astype(np.float64)
    for how in (platt, isotonic):
        assert np.ptp(how(raw, labels)(raw)) < 1e-9 and how(raw, labels)(raw)[0] == pytest.approx(0.5)


def _log_loss(p: np.ndarray, labels: np.ndarray) -> float:
    clipped = np.clip(p, 1e-9, 1 - 1e-9)
    return float(-(labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped)).mean())


def test_snapchat_14_the_base_rate_has_a_normalised_cross_entropy_of_one():
    labels = np.array([1.0, 0, 0, 0, 1, 0, 0, 0])
    constant = np.full(8, np.log(0.25 / 0.75))
    assert score("binary", labels, constant)["normalised_entropy"] == pytest.approx(1.0)
    assert score("binary", labels, constant + 0.5)["normalised_entropy"] > 1
    assert score("binary", labels, constant + labels)["normalised_entropy"] < 1


def test_facts_say_what_is_not_snap_s():
    """Section 12: the swipe as a task is ours, and no comparison of MMoE with PLE is claimed of Snap."""
    facts = {fact.name: fact for fact in SYSTEM.facts}
    assert facts["swipe as a task"].tag == "ours" and facts["MMoE or PLE, DCN or DCN v2"].tag == "unsure"
    assert small("goals", 500).schema == SCHEMA


def test_snapchat_13_a_small_network_is_settled_on_all_rows_of_requests():
    """60,000 rows in requests of three, of which the first is clicked more often: Σ p' / Σ y = 1 still, and for a rare value."""
    rng = np.random.default_rng(0)
    raw, segment = rng.normal(-2, 1, 60_000), (rng.random(60_000) < 0.005).astype(int)
    labels = (rng.random(60_000) < sigmoid(raw + 1.5 * (np.arange(60_000) % 3 == 0) + segment)).astype(np.float64)
    layer = Calibrate("network", "device").fit(raw, labels, segment)
    p = layer(raw, segment)
    assert 1 in layer.values
    for here in (slice(None), segment == 0, segment == 1):
        assert p[here].sum() / labels[here].sum() == pytest.approx(1.0, abs=1e-6)
