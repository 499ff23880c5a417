"""The training loop: reproducible, resumable, row-wise, and with a word for what goes wrong."""
from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from rankzoo.blueprint import Blueprint
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.load import schema_of
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.fit import Fit
from rankzoo.training.optimizers import Distinct, RowWise, cut, optimizers
from rankzoo.training.run import digest, finish
from rankzoo.training.settings import TrainSettings
from rankzoo.training.watch import watched

FAST = {"steps": 12, "batch_size": 256, "epochs": 3}


@pytest.fixture
def data(request, ads, history, video):
    """The small data of a system."""
    return {"ads": ads, "history": history, "video": video}


def fit_of(system: str, data: dict, seed: int = 0, state=None, **changes: object) -> Fit:
    """An untrained system with its preset settings, changed."""
    preset = systems()[system]
    settings = preset.settings.model_copy(update={**FAST, "seed": seed, **changes})
    dataset = data[preset.dataset]
    return Fit(RankingModel(preset.blueprint, dataset.schema, settings.seed), dataset, settings, state)


def run(fit: Fit, steps: int | None = None) -> Fit:
    """The fit after so many optimiser steps more, or all of them."""
    wanted = math.inf if steps is None else fit.done + steps
    for step in fit:
        if step.number >= wanted:
            break
    return fit


@pytest.mark.parametrize("system", ["lr", "din", "youtube"])
def test_same_seed_same_weights(system, data):
    """The same seed to the last bit, whatever torch's own generator did meanwhile; another seed other weights."""
    first = digest(run(fit_of(system, data)).model)
    torch.manual_seed(12345)
    assert digest(run(fit_of(system, data)).model) == first
    assert digest(run(fit_of(system, data, seed=1)).model) != first


@pytest.mark.parametrize("system", ["lr", "din", "youtube"])
@pytest.mark.parametrize("stop", [1, 5, 11])
def test_resumed_goes_on_bit_for_bit(system, data, stop):
    """Stopped after k steps and taken up by a new Fit: the same weights, dropouts and optimiser states included."""
    whole = run(fit_of(system, data, schedule="cosine"))
    half = run(fit_of(system, data, schedule="cosine"), stop)
    state = half.state()
    run(half, 1)  # the state is a copy: going on does not move it
    torch.rand(7)
    resumed = fit_of(system, data, state=state, schedule="cosine")
    assert resumed.done == stop
    run(resumed)
    assert digest(resumed.model) == digest(whole.model)
    assert (resumed.done, resumed.examples, resumed.best_step) == (whole.done, whole.examples, whole.best_step)


def test_training_leaves_torch_s_generator_alone(data):
    """Between two steps, what else draws random numbers neither notices nor disturbs."""
    torch.manual_seed(99)
    before = torch.get_rng_state()
    run(fit_of("youtube", data))
    assert torch.equal(torch.get_rng_state(), before)


def test_watching_does_not_move_the_weights(data):
    """Metrics and views on the way change nothing."""
    seen, unseen = fit_of("youtube", data), fit_of("youtube", data)
    unseen.watching = False
    assert digest(run(seen).model) == digest(run(unseen).model)


def test_epochs_and_steps(data):
    """Every row once per epoch in a new order; `steps` ends the training early."""
    fit = fit_of("lr", data, steps=None, epochs=2, batch_size=512)
    rows = len(fit.train)
    numbers = [step.number for step in fit]
    assert numbers == list(range(2 * math.ceil(rows / 512) + 1)) and fit.examples == 2 * rows
    orders = [fit._order(epoch) for epoch in (0, 1)]
    assert all(torch.equal(order.sort().values, torch.arange(rows)) for order in orders)
    assert not torch.equal(*orders)
    short = fit_of("lr", data, steps=3)
    assert [step.number for step in short] == [0, 1, 2, 3]


def test_points(data):
    """Step 0 measures the untrained model, relative to always guessing the training rows' mean; gates are watched by expert."""
    fit = fit_of("youtube", data)
    first = next(iter(fit)).points
    assert first["validation.click.auc"] == pytest.approx(0.5, abs=0.12)
    assert first["validation.click.loss"] == pytest.approx(1.0, abs=0.02)  # the bias starts at the guess
    assert sum(first[f"gate.like.{i}"] for i in range(4)) == pytest.approx(1.0, abs=1e-5)
    last = [step.points for step in fit][-1]
    assert {"train.click.loss", "validation.completion.rmse", "validation.like.calibration"} <= set(last)
    assert all(math.isfinite(value) for value in last.values())


def test_cosine(data):
    """The rate falls from the whole to nothing along half a cosine, side tower's factor kept."""
    fit, seen = fit_of("youtube", data, schedule="cosine", steps=10, lr=2e-3), []
    for step in fit:
        if step.number:
            seen.append([group["lr"] for group in fit.optimizers[0].param_groups])
    for k, rates in enumerate(seen):
        factor = 0.5 * (1 + math.cos(math.pi * k / 10))
        assert sorted(rates) == pytest.approx(sorted([2e-3 * factor, 5 * 2e-3 * factor]))
    constant = run(fit_of("lr", data, lr=0.25, schedule="constant"))
    assert [group["lr"] for o in constant.optimizers for group in o.param_groups] == [0.25] * 2


def test_early_stopping_stops(data):
    """A model too large on few rows: validation stops getting better, the best weights come back."""
    settings = TrainSettings(epochs=60, batch_size=64, lr=1e-2, patience=2)
    dataset = replace(data["ads"], parts={**data["ads"].parts, "train": data["ads"].parts["train"][:300]})
    fit = Fit(RankingModel(Blueprint(tasks=("click",), towers=MlpTower(widths=(64, 64))), dataset.schema), dataset, settings)
    epochs = max(step.epoch for step in fit)
    assert fit.stopped and epochs < 60 and fit.best_step == (epochs - 2) * fit.per_epoch
    trained = digest(fit.model)
    result = finish(fit, 1.0)
    assert digest(fit.model) != trained and result.digest == digest(fit.model) and result.best_step == fit.best_step
    best = {task: values["auc"] for task, values in result.metrics["validation"].items()}
    assert 1 - best["click"] == pytest.approx(fit.missed, abs=1e-9)


def test_patience_0_never_stops(data):
    fit = run(fit_of("lr", data, patience=0, steps=None, epochs=4))
    assert not fit.stopped and fit.done == 4 * fit.per_epoch


def test_divergence_is_said(data):
    """A rate that breaks the loss ends with a sentence, not with NaN weights in a run."""
    dataset = replace(data["ads"], batch=replace(data["ads"].batch, numbers=data["ads"].batch.numbers * 1e30))
    preset = systems()["wide_deep"]
    settings = preset.settings.model_copy(update={**FAST, "optimizer": "sgd", "lr": 10.0})
    fit = Fit(RankingModel(preset.blueprint, dataset.schema), dataset, settings)
    with pytest.raises(ZooError) as refusal:
        run(fit)
    assert refusal.value.at == "settings.lr"
    assert "The loss of 'click' is no longer a finite number (step" in str(refusal.value)
    assert "Lower the learning rate." in str(refusal.value)


def test_no_row_to_train_on(data):
    empty = replace(data["ads"], parts={**data["ads"].parts, "train": data["ads"].parts["train"][:0]})
    with pytest.raises(ZooError, match="There is no row to train on. Use more rows."):
        Fit(RankingModel(systems()["lr"].blueprint, empty.schema), empty, TrainSettings())


def test_task_without_a_label_anywhere(video):
    """A task that no row is observed for: the others train, nothing is divided by 0."""
    blind = {**video.batch.observed, "like": torch.zeros(len(video), dtype=torch.bool)}
    dataset = replace(video, batch=replace(video.batch, observed=blind))
    fit = run(fit_of("youtube", {"video": dataset}, epochs=2, steps=None, batch_size=512))
    assert fit.best_step > 0 and all(torch.isfinite(p).all() for p in fit.model.parameters())
    assert finish(fit, 1.0).metrics["test"]["like"] == {}


def test_result(data):
    """What a run leaves: counts, metrics of two parts, the oracle for its own tasks only."""
    fit = run(fit_of("lr", data))
    result = finish(fit, 2.5)
    assert set(result.metrics) == {"validation", "test"} and result.metrics["test"]["click"]["auc"] > 0.5
    assert result.oracle["click"]["auc"] > result.metrics["test"]["click"]["auc"]
    assert result.parameters == {"total": 202, "embedding": 197, "dense": 5} and (result.steps, result.seconds) == (12, 2.5)


def test_digest_sees_every_weight(data):
    """One last bit of one weight, and the digest is another."""
    model = fit_of("lr", data).model
    before = digest(model)
    with torch.no_grad():
        model.interaction[0].slopes[0, 0] += 1e-7
    assert digest(model) != before and len(before) == 64


# Row-wise updates ------------------------------------------------------------------------------------------------------

def dense_reference(table: Tensor, gradients: list[Tensor], lr: float, kind: str, beta: float = 0.999,
                    eps: float = 1e-8) -> Tensor:
    """The same update, slowly, row by row in Python: rows without a gradient are left alone."""
    table, square, seen = table.clone(), torch.zeros(len(table)), torch.zeros(len(table))
    for gradient in gradients:
        for row in range(len(table)):
            g = gradient[row]
            if not g.any():
                continue
            mean = float((g**2).mean())
            if kind == "adam":
                seen[row] += 1
                square[row] = beta * square[row] + (1 - beta) * mean
                table[row] -= lr * g / (math.sqrt(float(square[row]) / (1 - beta ** float(seen[row]))) + eps)
            elif kind == "adagrad":
                square[row] += mean
                table[row] -= lr * g / (math.sqrt(float(square[row])) + eps)
            else:
                table[row] -= lr * g
    return table


@pytest.mark.parametrize("kind", ["adam", "adagrad", "sgd"])
def test_row_wise_equals_a_dense_reference(kind):
    """Six steps over a table of 9 rows, ids repeated within a step, two rows never seen."""
    rng = torch.Generator().manual_seed(0)
    start = torch.randn(9, 4, generator=rng)
    table = nn.Parameter(start.clone())
    optimizer, gradients = RowWise([table], lr=0.1, kind=kind), []
    for _ in range(6):
        ids, pull = torch.randint(0, 7, (5,), generator=rng), torch.randn(5, 4, generator=rng)
        optimizer.zero_grad()
        (nn.functional.embedding(ids, table, sparse=True) * pull).sum().backward()
        assert table.grad.is_sparse
        gradients.append(table.grad.to_dense())
        optimizer.step()
    torch.testing.assert_close(table.detach(), dense_reference(start, gradients, 0.1, kind), rtol=1e-4, atol=1e-5)
    assert torch.equal(table.detach()[7:], start[7:])  # to the bit: no decay, no drift


def test_first_step_of_adam_moves_by_the_rate():
    """Corrected for its start: with a gradient of one size the first step is lr, for a rare row as for a frequent one."""
    table = nn.Parameter(torch.zeros(3, 2))
    optimizer = RowWise([table], lr=0.01)
    for ids in ([0], [0], [0, 2]):
        optimizer.zero_grad()
        nn.functional.embedding(torch.tensor(ids), table, sparse=True).sum().backward()
        optimizer.step()
    torch.testing.assert_close(table.detach(), torch.tensor([[-0.03, -0.03], [0.0, 0.0], [-0.01, -0.01]]), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_distinct_is_unique(seed):
    """Gradients of equal ids added up, against torch.unique; the scratch slot may hold anything from before."""
    rng = torch.Generator().manual_seed(seed)
    ids, values = torch.randint(0, 20, (50,), generator=rng), torch.randn(50, 3, generator=rng)
    slot = torch.randint(0, 50, (20,), generator=rng)
    distinct = Distinct(ids, slot)
    rows, total = distinct.rows, distinct.summed(values)
    known, inverse = torch.unique(ids, return_inverse=True)
    expected = torch.zeros(len(known), 3).index_add_(0, inverse, values)
    order = rows.argsort()
    assert torch.equal(rows[order], known)
    torch.testing.assert_close(total[order], expected)


@pytest.mark.parametrize("same", [True, False], ids=["same ids", "other ids"])
def test_tables_side_by_side_move_as_if_alone(same):
    """Embeddings and first-order weights, often read by the same ids, share what is found out about these and nothing else."""
    rng = torch.Generator().manual_seed(3)
    starts = [torch.randn(rows, width, generator=rng) for rows, width in ((9, 4), (12, 1))]
    together, alone = ([nn.Parameter(start.clone()) for start in starts] for _ in range(2))
    of_both = RowWise(together, lr=0.1)
    of_each = [RowWise([table], lr=0.1) for table in alone]
    for _ in range(4):
        ids = torch.randint(0, 9, (20,), generator=rng)
        other = ids if same else torch.randint(0, 12, (20,), generator=rng)
        pulls = [torch.randn(20, table.shape[1], generator=rng) for table in together]
        for tables in (together, alone):
            for table, found, pull in zip(tables, (ids, other), pulls, strict=True):
                table.grad = None
                (nn.functional.embedding(found, table, sparse=True) * pull).sum().backward()
        for optimizer in (of_both, *of_each):
            optimizer.step()
    for one, two, start in zip(together, alone, starts, strict=True):
        assert torch.equal(one, two) and not torch.equal(one, start)


def test_tables_are_row_wise_and_the_rest_is_not(data):
    """Every parameter has one optimiser; tables the row-wise one, the side tower five times the rate."""
    fit = fit_of("youtube", data, lr=2e-3)
    dense, tables = fit.optimizers
    held = [p for o in fit.optimizers for group in o.param_groups for p in group["params"]]
    assert len(held) == len({id(p) for p in held}) == len(list(fit.model.parameters()))
    assert isinstance(tables, RowWise) and [p.shape[1] for p in tables.param_groups[0]["params"]] == [16]
    by_rate = {group["lr"]: group["params"] for group in dense.param_groups}
    assert {id(p) for p in by_rate[5 * 2e-3]} == {id(p) for p in fit.model.towers.bias.parameters()}


def test_table_rate():
    """`table_lr` is the tables' own rate, `lr` the rest's."""
    preset = systems()["wide_deep"]
    model = RankingModel(preset.blueprint, schema_of("ads"))
    dense, tables = optimizers(model, TrainSettings(lr=0.1, table_lr=0.02))
    assert (dense.param_groups[0]["lr"], tables.param_groups[0]["lr"]) == (0.1, 0.02)


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "sgd"])
def test_untouched_rows_stay(data, optimizer):
    """Whatever the optimiser, a row of a table that no training row reads keeps its first value to the bit."""
    preset, dataset = systems()["wide_deep"], data["ads"]
    fit = Fit(RankingModel(preset.blueprint, dataset.schema), dataset,
              TrainSettings(steps=4, batch_size=64, optimizer=optimizer, weight_decay=0.1))
    before = fit.model.representation.tables["16"].detach().clone()
    run(fit)
    ids = fit.train.take(fit._order(0)).rows(0, 4 * 64).ids
    offsets = fit.model.representation.offsets_16
    seen = torch.zeros(len(before), dtype=torch.bool)
    seen[(ids + offsets).reshape(-1)] = True
    after = fit.model.representation.tables["16"].detach()
    assert torch.equal(after[~seen], before[~seen]) and not seen.all()
    assert (after[seen] != before[seen]).any(dim=1).all()


def test_begin_at_the_base_rate(data):
    """The last bias starts where the best constant guess is: the mean prediction is the base rate before any step."""
    fit = fit_of("lr", data)
    rate = float(fit.train.labels["click"].mean())
    assert torch.sigmoid(fit.model.interaction[0].bias).item() == pytest.approx(rate, abs=1e-5)


def test_gradients_are_cut_to_a_length(data):
    """As one vector with the rows of the tables: longer ones end as long as is allowed, shorter ones stay. Torch's own function
    says the same of dense gradients."""
    fit = Fit(RankingModel(systems()["wide_deep"].blueprint, data["ads"].schema), data["ads"], TrainSettings(), watching=False)
    fit.model(data["ads"].part("train").rows(0, 64)).losses["click"].backward()
    held = [each for each in fit.model.parameters() if each.grad is not None]
    before = [each.grad.to_dense().clone() for each in held]
    length = torch.cat([each.flatten() for each in before]).norm()
    assert any(each.grad.is_sparse for each in held)
    for largest, factor in ((2 * float(length), 1.0), (0.25 * float(length), 0.25)):
        cut(fit.optimizers, largest)
        for each, old in zip(held, before, strict=True):
            torch.testing.assert_close(each.grad.to_dense(), factor * old)
    dense = [nn.Parameter(old) for old in before]
    for each, old in zip(dense, before, strict=True):
        each.grad = old.clone()
    torch.nn.utils.clip_grad_norm_(dense, 0.25 * float(length))
    for one, other in zip(dense, held, strict=True):
        torch.testing.assert_close(one.grad, other.grad.to_dense())


def test_watched_names(data):
    """Attention and crosses are watched under their addresses."""
    model = RankingModel(systems()["din"].blueprint, data["history"].schema)
    share = watched(model, data["history"].part("validation"))["attention.sequence.0.weight"]
    assert 0 < share <= 1
    crosses = watched(RankingModel(systems()["dcn_v2"].blueprint, data["ads"].schema), data["ads"].part("validation"))
    assert crosses["cross.interaction.0.layer.0.block"] >= 1


@pytest.mark.parametrize("kind, width", [("adam", 2), ("adagrad", 1), ("sgd", 0)])
def test_a_tables_state_of_an_earlier_version_is_read(kind, width):
    """Accumulator and count stood in two vectors."""
    table = torch.nn.Parameter(torch.zeros(5, 3))
    optimizer = RowWise([table], 0.1, kind)
    optimizer.load_state_dict({0: {"square": torch.arange(5.0), "seen": torch.ones(5 if kind == "adam" else 0)}})
    found = optimizer.state[table]["seen"]
    assert found.shape == (5, width) and torch.equal(found[:, :1], torch.arange(5.0)[:, None][:, :width])
