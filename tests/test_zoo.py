"""What always holds: laws over every system that the registry finds, and the worked tables of the sheets."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rankzoo import link
from rankzoo.blueprint import Blueprint
from rankzoo.data.dataset import Dataset
from rankzoo.data.load import schema_of
from rankzoo.document import Document
from rankzoo.inspection.views import reason
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Schema
from rankzoo.system import System
from rankzoo.teaching.given import BESIDE
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import evaluate, predict
from tests.expected.sheets import BARS, FEATURE_CROSSING, MULTI_TASK
from tests.support import (
    flops,
    logits,
    numel,
    padded,
    random_batch,
    randomised,
    shape_at,
    small,
    steps_of,
    trained_loss,
    without_numbers,
)
from tests.wiring import assert_wired

BUILT = list(systems().values())


@pytest.fixture(params=BUILT, ids=lambda system: system.id)
def system(request) -> System:
    """Every system with a working model."""
    return request.param


@pytest.fixture
def schema(system) -> Schema:
    """The schema of the system's own data."""
    return schema_of(system.dataset)


@pytest.fixture
def model(system, schema) -> RankingModel:
    """The untrained system."""
    return RankingModel(system.blueprint, schema)


@pytest.fixture
def batch(schema):
    """Eight random rows of its data."""
    return random_batch(schema)


def test_the_six_are_there():
    assert {"lr", "wide_deep", "dcn_v2", "mmoe", "din", "youtube"} <= {system.id for system in BUILT}


def test_formula_and_torch_agree(system, schema, model):
    """Every slot's count equals its module's parameters, every part's that of the module of the same address."""
    count, modules = system.blueprint.count(schema), dict(model.named_modules())
    for address, _ in system.blueprint.specs():
        assert count.within(address).parameters == numel(modules[address]), address
    for part in count.parts:
        if part.path in modules and not any(other.path.startswith(f"{part.path}.") for other in count.parts):
            assert part.parameters == numel(modules[part.path]), part.path
    assert count.parameters == numel(model) == count.embedding + count.dense


def test_flops_are_what_torch_counts(system, schema, model, batch):
    """The formula against torch's own counter, and once more without a number being computed."""
    count = system.blueprint.count(schema)
    predicted = count.flops + count.once / len(batch)
    assert flops(model, batch) == predicted
    assert flops(model.to("meta"), without_numbers(batch)) == predicted


def test_shapes_are_predicted(system, schema, model, batch):
    """What `after` says of every step is what the tensors have."""
    addresses = [address for address, _ in system.blueprint.specs()]
    for address, left in steps_of(model.eval(), batch):
        shape = shape_at(system.blueprint, schema, addresses[addresses.index(address) + 1])
        if address == "concatenation":
            assert left.shape == (8, shape.joined)
            continue
        assert {name: vector.shape for name, vector in left.fields.items()} == {n: (8, w) for n, w in shape.fields.items()}
        assert {name: vector.shape for name, vector in left.head.items()} == {n: (8, w) for n, w in shape.head.items()}
        assert {n: s.values.shape for n, s in left.sequences.items()} == {
            n: (8, s.length, s.width) for n, s in shape.sequences.items()}
        assert bool(left.logits) == shape.logits


def test_one_row_behaves_like_many(model, batch):
    """Row 3 of a batch of 8 scores the same alone, in eval mode."""
    together, alone = logits(randomised(model), batch), logits(model, batch.rows(3, 4))
    for task, logit in together.items():
        assert len(logit) == 8 and alone[task].shape == (1, *logit.shape[1:])
        torch.testing.assert_close(alone[task], logit[3:4], rtol=1e-4, atol=1e-5)


def test_permuted_rows_permute_the_logits(model, batch):
    """No row knows its neighbours."""
    order = torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    straight, mixed = logits(randomised(model), batch), logits(model, batch.take(order))
    for task in straight:
        torch.testing.assert_close(mixed[task], straight[task][order], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fill", [0, 1])
def test_padding_changes_nothing(model, batch, fill):
    """Four more padded positions, whatever id stands in them, leave every logit as it was: to the accuracy of the largest, since
    of thousands of items some score near 0 as a difference of large numbers."""
    before, after = logits(randomised(model), batch), logits(model, padded(batch, 4, fill))
    for task in before:
        torch.testing.assert_close(after[task], before[task], rtol=1e-5, atol=1e-6 * max(1.0, before[task].abs().max().item()))


def test_distributions_sum_to_one(system, model, batch):
    """Every gate in every row; attention with a softmax wherever anything is visible; hidden positions weigh nothing."""
    trace = Trace()
    with torch.no_grad():
        randomised(model).eval()(batch, trace)
    for entry in trace.of("gate"):
        assert (entry.values >= 0).all()
        torch.testing.assert_close(entry.values.sum(dim=1), torch.ones(8), rtol=0, atol=1e-6)
    for entry in trace.of("attention"):
        assert (entry.values[~entry.mask] == 0).all()
        weighs, sums = system.blueprint.sequence[int(entry.address.split(".")[1])].weighs(), entry.values.sum(dim=1)
        if weighs == "shares":
            torch.testing.assert_close(sums, entry.mask.any(dim=1).float(), rtol=0, atol=1e-6)
        assert weighs == "free" or (entry.values >= 0).all() and (sums <= 1 + 1e-6).all()
    for entry in trace.of("map"):
        expected = entry.mask.float().unsqueeze(1).expand(entry.values.shape[:3])  # (row, head, query)
        torch.testing.assert_close(entry.values.sum(dim=3), expected, rtol=0, atol=1e-6)
    assert all(torch.isfinite(entry.values).all() for entry in trace.entries.values())


def test_every_parameter_learns(model, batch):
    """At the start every parameter has a gradient that is finite, and none of a whole tensor is zero once randomised (little
    enough for a gate behind several cross layers not to be sure of one expert)."""
    trained_loss(randomised(model, spread=0.25), batch).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        gradient = parameter.grad.to_dense()
        assert torch.isfinite(gradient).all() and gradient.abs().sum() > 0, name


def test_training_computes_what_is_looked_at(model, batch):
    """In training, without a trace, layers may leave padding out or share work: losses and gradients are the same, up to what is
    rounded in the largest of them."""
    found = []
    for trace in (Trace(on=False), Trace()):
        torch.manual_seed(0)  # of what is dropped
        losses = randomised(model).train()(batch, trace).losses
        model.zero_grad()
        sum(losses.values()).backward()
        found.append((losses, {name: parameter.grad.to_dense().clone() for name, parameter in model.named_parameters()}))
    (losses, gradients), (looked_at, others) = found
    for name, loss in losses.items():
        torch.testing.assert_close(loss, looked_at[name], rtol=1e-5, atol=1e-6)
    noise = 1e-5 * max(1.0, *(float(gradient.abs().max()) for gradient in gradients.values()))
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, others[name], rtol=1e-3, atol=noise)


def test_bfloat16_is_near_float32(model, batch):
    """Matrix products in bfloat16: losses within 5 %, finite gradients, and weights that stay float32."""
    plain = model.train()(batch).losses
    with torch.autocast("cpu", torch.bfloat16):
        short = model(batch).losses
    sum(short.values()).backward()
    for name, loss in plain.items():
        assert short[name].dtype == torch.float32
        torch.testing.assert_close(short[name], loss, rtol=0.05, atol=0.01)
    for name, parameter in model.named_parameters():
        assert parameter.grad.dtype == torch.float32 and torch.isfinite(parameter.grad.to_dense()).all(), name


def test_gradients_at_the_start_are_finite(model, batch):
    """The same at the weights that a training starts from, with labels missing in some rows."""
    trained_loss(model, batch).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad.to_dense()).all(), name


def test_eval_is_deterministic(model, batch):
    """Whatever is dropped in training, two passes when serving are the same to the last bit."""
    first, second = logits(model, batch), logits(model, batch)
    assert all(torch.equal(first[task], second[task]) for task in first)


def test_same_seed_same_model(system, schema):
    """A model is drawn from its own seed, and leaves torch's generator as it was."""
    before = torch.get_rng_state()
    one, same, other = (RankingModel(system.blueprint, schema, seed) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), same.state_dict().values(), strict=True))
    drawn = [not torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)]
    count = system.blueprint.count(schema)
    vectors = any(part.table and not part.path.endswith(BESIDE) for part in count.parts)
    assert any(drawn) == bool(vectors or count.flops)  # weights that only add, as in logistic regression, start at zero


def test_diagram_is_wired(system, schema):
    """Addresses are unique, every edge ends at a node, every head is reached, the nodes' parameters add up."""
    assert_wired(system.blueprint, schema)
    for block in system.blueprint.blocks(schema):
        assert block.flows or block.slot == "losses", f"{block.address} leads nowhere"


def test_trace_addresses_are_the_model_s(system, model, batch):
    """Every entry stands under an address of the blueprint, with one axis name per dimension."""
    trace, known = Trace(), [address for address, _ in system.blueprint.specs()]
    model.eval()(batch, trace)
    assert trace.entries
    for address, entry in trace.entries.items():
        assert any(address.startswith(f"{slot}.") for slot in known)
        assert len(entry.axes) == entry.values.dim()


def test_a_trace_changes_no_logit(model, batch):
    """Looking inside does not move the model."""
    model.eval()
    silent, traced = model(batch).logits, model(batch, Trace()).logits
    assert all(torch.equal(silent[task], traced[task]) for task in silent)


def test_json_round_trip(system):
    """A blueprint survives its JSON, and the JSON its blueprint."""
    again = Blueprint.model_validate_json(system.blueprint.json())
    assert again == system.blueprint and again.json() == system.blueprint.json() and again.hash == system.blueprint.hash


def test_link_round_trip(system):
    """A preset survives its link, and so does a changed document."""
    document = Document.preset(system.id)
    changed = document.but([("settings.lr", 0.5), ("settings.seed", 9)])
    for one in (document, changed):
        assert link.decode(link.encode(one)) == one


def test_facts_name_settings_that_exist(system):
    """A fact's `path` leads to a setting of the blueprint or of the training."""
    for fact in system.facts:
        if fact.path:
            first, *steps = fact.path.split(".")
            value: object = system.settings if first == "settings" else getattr(system.blueprint, first)
            for step in steps:
                value = value[int(step)] if isinstance(value, tuple) else getattr(value, step)
            assert value is not None, fact.path


def test_its_own_picture_is_a_view_that_it_has(system, schema):
    assert not system.picture or not reason(system.blueprint, schema, system.picture)
    assert system.picture or system.kind == "textbook"


def auc_by_task(model: RankingModel, dataset: Dataset) -> dict[str, float]:
    """The model's AUC by binary task with a base rate of at least 0.1, on the test part; of a task that chooses an item how often
    a wrong one is below the right one, which is the AUC of each row by itself."""
    rows, schema = dataset.part("test"), dataset.schema
    logits = predict(model, rows)
    metrics = evaluate(logits, rows, schema)
    found = {task: values["auc"] for task, values in metrics.items() if "auc" in values and rows.labels[task].mean() >= 0.1}
    return found | {task: 1 - (float(ranks[rows.observed[task].numpy()].mean()) - 1) / (schema.classes(schema.task(task)) - 2)
                    for task, ranks in logits.items() if schema.task(task).kind == "class"}


ROWS = {"ads": 40_000, "feed": 20_000, "history": 30_000, "video": 20_000, "conversions": 40_000, "goals": 40_000}
STEPS, FEW = 200, 128


def test_learns_its_own_data(system):
    """200 steps and more on its own world, by its own settings but for fewer rows a step: AUC of 0.55 or better on every binary
    task that is not rare."""
    dataset = small(system.dataset, ROWS.get(system.dataset))
    few = min(system.settings.batch_size, FEW)
    settings = system.settings.model_copy(update={"steps": STEPS, "patience": 0, "batch_size": few})
    fit = Fit(RankingModel(system.blueprint, dataset.schema), dataset, settings, watching=False)
    steps = sum(1 for _ in fit)
    found = auc_by_task(fit.model, dataset)
    assert steps >= 200 and found
    assert min(found.values()) >= 0.55, found


def test_untrained_scores_chance(system):
    """Over twelve draws of the weights the mean AUC is 0.5: nothing of the answer is in the architecture."""
    dataset = small(system.dataset, 6_000)
    drawn = [auc_by_task(RankingModel(system.blueprint, dataset.schema, seed), dataset) for seed in range(12)]
    for task in drawn[0]:
        assert np.mean([found[task] for found in drawn]) == pytest.approx(0.5, abs=0.04)


def test_shuffled_labels_teach_nothing(ads):
    """Labels dealt out at random leave no AUC on the test part: no label leaks into an input."""
    dataset = small("ads", 20_000)
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(1))
    shuffled = replace(dataset, batch=replace(dataset.batch, labels={"click": dataset.batch.labels["click"][order]}))
    system = systems()["lr"]
    fit = Fit(RankingModel(system.blueprint, dataset.schema), shuffled, system.settings.model_copy(update={"epochs": 3}),
              watching=False)
    assert sum(1 for _ in fit) > 50
    assert auc_by_task(fit.model, shuffled)["click"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("row", FEATURE_CROSSING + MULTI_TASK, ids=lambda row: row.name)
def test_worked_tables(row):
    """Parameters to the one, tables apart, and FLOPs, by formula and in torch."""
    count, model = row.blueprint.count(row.schema), RankingModel(row.blueprint, row.schema)
    assert (count.parameters, count.embedding, numel(model)) == (row.total, row.table, row.total)
    assert count.flops == flops(model, random_batch(row.schema, 4))
    if row.flops is not None:
        assert count.flops == row.flops
    if row.elementwise is not None:
        assert count.elementwise == row.elementwise


@pytest.mark.parametrize("name, blueprint, schema, published", BARS, ids=[row[0] for row in BARS])
def test_published_counts(name, blueprint, schema, published):
    """Parameter counts that another library printed, 20 million rows without building one."""
    assert blueprint.count(schema).parameters == published


def test_capacity_ladder():
    """Feature-crossing sheet, k.5: what each rung adds to the dense part of a DNN (82,433); DeepFM's and xDeepFM's first-order
    weights, 10,000 of what they add, are looked up by an id and stand in a table."""
    counts = {row.name: row.blueprint.count(row.schema) for row in FEATURE_CROSSING}
    dense = counts["DNN 256-128-64-1"].dense
    assert dense == 82_433
    assert counts["DCN v1 parallel, L=3"].dense - dense == 1_120
    assert (counts["DeepFM"].dense - dense, counts["DeepFM"].embedding) == (0, 160_000 + 10_000)
    assert counts["DCN-V2 rank 32, parallel"].dense - dense == 31_360
    assert counts["xDeepFM CIN [64, 64], direct"].dense - dense == 57_488 - 10_000
    assert counts["DCN-V2 full, parallel"].dense - dense == 77_440
