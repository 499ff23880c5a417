"""The two curves of a loss: training and validation are told in one unit, and are the same loss."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rankzoo.components.losses.entire_space import EntireSpace
from rankzoo.components.losses.listwise import Listwise
from rankzoo.components.losses.pairwise import Pairwise
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.dataset import Dataset
from rankzoo.document import Document
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Task
from rankzoo.signals import Batch, Branches
from rankzoo.training import metrics
from rankzoo.training.fit import Fit
from rankzoo.training.guess import costs, guesses
from rankzoo.training.metrics import both, losses
from rankzoo.training.settings import TrainSettings
from tests.support import random_batch, randomised, rich, small

CHOSEN = {"click": "focal", "like": "squared", "completion": "cross_entropy"}
LOSSES = {"cross-entropy": Pointwise(), "chosen": Pointwise(how=CHOSEN), "bpr": Pairwise(),
          "hinge": Pairwise(how="hinge", margin=0.5), "softmax": Listwise(), "log q": Listwise(log_q="cand_id"),
          "listnet": Listwise(target="listnet", temperature=2.0), "entire space": EntireSpace()}
EVERY = pytest.mark.parametrize("name", LOSSES)


def fit_of(name: str) -> Fit:
    """A training that stands still away from any guess, without dropout, whose validation rows are its training rows."""
    system = systems()["esmm" if name == "entire space" else "youtube"]
    dataset = small(system.dataset, 3_000)
    dataset = replace(dataset, parts={**dataset.parts, "validation": dataset.parts["train"]})
    slots = {"losses": LOSSES[name]}
    if name != "entire space":  # nor a side tower, which reads the position in training alone
        slots |= {"sharing": system.blueprint.sharing.model_copy(update={"gate_dropout": 0.0}), "towers": MlpTower(widths=(8,))}
    model = randomised(RankingModel(system.blueprint.model_copy(update=slots), dataset.schema), 3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.7)
    return Fit(model, dataset, TrainSettings(batch_size=225, epochs=1, optimizer="sgd", lr=1e-12, patience=0))


@EVERY
def test_both_curves_tell_the_same(name):
    """On the same rows, with weights that stand still: the mean over the batches of an epoch is what the check at its end finds.
    Nine batches of 25 pages hold unlike numbers of observed rows, pairs and requests with a click, and log Q is learnt meanwhile:
    within 5 %."""
    fit, told = fit_of(name), {}
    for step in fit:
        for name, value in step.points.items():
            told.setdefault(name, []).append(value)
    training = {task: float(np.mean(told[f"train.{task}.loss"])) for task in fit.units["train"]}
    assert {task: told[f"validation.{task}.loss"][-1] for task in training} == pytest.approx(training, rel=0.05)
    assert max(training.values()) > 1.3, "a guess costs 1 in every unit"


@EVERY
def test_a_guess_costs_1(name):
    """One score for all rows, the training mean's logit: 1 on either curve, in whatever loss, on whichever rows: of those that
    validate only every third positive is left, and their own mean would be another."""
    fit = fit_of(name)
    binary = [t.name for t in fit.dataset.schema.tasks if t.kind == "binary" and t.name in fit.model.blueprint.tasks]
    ones = torch.stack([fit.train.labels[task].nan_to_num() for task in binary]).amax(dim=0) > 0
    kept = fit.train.take((~ones | (torch.arange(len(ones)) % 3 == 0)).nonzero().squeeze(1))
    guess = guesses(fit.model, fit.train)
    for rows in (fit.train, kept):
        unit = costs(fit.model, guess, fit.train, rows)
        constant = {task: torch.full((len(rows),), float(logit)) for task, logit in guess.items()}
        assert losses(fit.model, constant, rows) == {task: pytest.approx(unit[task]) for task in guess}
    assert costs(fit.model, guess, fit.train, fit.train) == fit.units["train"] == fit.units["validation"]


@pytest.mark.parametrize("id", ["snapchat", "youtube", "huawei"])
def test_who_guesses_is_told_1_on_rows_of_another_rate(id):
    """Labels that come late, as Snapchat's purchases do, make the training rate half of that on validation rows; a model whose
    scores are all alike, as it begins, is neither better nor worse than a guess. (Of words Huawei's begins with none.)"""
    document = Document.preset(id)
    dataset = small(document.data, 3_000)
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    with torch.no_grad():
        for name, parameter in fit.model.named_parameters():
            if "towers" not in name or not name.endswith("bias"):
                parameter.zero_()
    points = fit._check()
    found = {task.name: points[f"validation.{task.name}.loss"] for task in dataset.schema.tasks if task.single}
    assert found == {task: pytest.approx(1.0, abs=0.01) for task in fit.model.blueprint.tasks if task in found}
    if id == "snapchat":
        rates = [float(part.labels["purchase"][part.observed["purchase"]].mean()) for part in (fit.train, fit.validation)]
        assert rates[1] > 1.5 * rates[0]


def test_units_by_hand():
    """ln 2 of pairs, the margin of a hinge, the mean of ln n of a softmax over n rows that one of them is clicked in."""
    click = Task("click")
    schema = replace(rich(), tasks=(click,))
    batch = random_batch(rich(), 9)
    label = torch.tensor([1.0, 0, 0, 1, 0, 1, 0, 0, 0])
    batch = replace(batch, schema=schema, labels={"click": label}, observed={"click": torch.ones(9, dtype=torch.bool)},
                    group=torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2]))
    found = []
    for loss in (Pairwise(), Pairwise(how="hinge", margin=0.7), Listwise()):
        blueprint = systems()["dnn"].blueprint.fitted(schema)[0].model_copy(update={"tasks": ("click",), "losses": loss})
        model = RankingModel(blueprint, schema)
        found.append(costs(model, {"click": torch.tensor(-1.3)}, batch, batch)["click"])
    assert found == pytest.approx([np.log(2), 0.7, np.mean(np.log([3, 2, 4]))])


@pytest.mark.parametrize("name", ["bpr", "softmax", "log q"])
def test_requests_are_whole_however_the_rows_lie(name, monkeypatch):
    """Rows of a request anywhere in the table, and looked at some requests at a time: the loss of all rows at once."""
    fit = fit_of(name)
    order = torch.randperm(len(fit.train), generator=torch.Generator().manual_seed(0))
    rows = fit.train.take(order)
    raw = both(fit.model, rows)[1]
    with torch.no_grad():
        whole = fit.model.losses.eval()(raw, Branches({}), rows, {})
    monkeypatch.setattr(metrics, "CHUNK", 50)
    found = losses(fit.model, raw, rows)
    assert found == {task: pytest.approx(float(whole[task]), rel=1e-5) for task in found} and len(found) == 4


def test_the_best_epoch_does_not_hang_on_the_loss():
    """Least mean of 1 − AUC, relative squared error of a share, under BPR as under cross entropy."""
    fit = fit_of("bpr")
    for _ in fit:
        pass
    found = metrics.evaluate(metrics.predict(fit.model, fit.validation), fit.validation, fit.dataset.schema)
    share = found["completion"]["rmse"] ** 2 / fit.variance["completion"]
    expected = [1 - found[task]["auc"] for task in ("click", "like", "dismiss")] + [share]
    assert fit.missed == pytest.approx(np.mean(expected), abs=1e-6)


def test_nothing_to_compare_is_no_point():
    """Requests of one row have no pair: no loss of 0 on the curve, and the other tasks' curves as before."""
    data: Dataset = small("video", 1_000)
    alone: Batch = replace(data.batch, group=torch.arange(len(data)))
    blueprint = systems()["youtube"].blueprint.model_copy(update={"losses": Pairwise()})
    fit = Fit(RankingModel(blueprint, data.schema), replace(data, batch=alone), TrainSettings(steps=2))
    points = next(iter(fit)).points
    assert "validation.click.loss" not in points and "validation.completion.loss" in points
    assert "validation.click.auc" in points and "validation.click.gauc" not in points


def test_the_logits_of_a_loss_are_not_those_of_a_server():
    """A weighted logistic loss serves exp(s) and reads s: both from one pass."""
    schema, batch = rich(), random_batch(rich(), 40)
    blueprint = systems()["dnn"].blueprint.fitted(schema)[0].model_copy(update={
        "tasks": ("click", "stars"), "losses": Pointwise(how={"stars": "weighted_logistic"})})
    model = RankingModel(blueprint, schema)
    served, raw = both(model, batch)
    np.testing.assert_allclose(served["stars"], np.exp(raw["stars"].numpy()), rtol=1e-5)
    assert served["click"].tolist() == raw["click"].tolist()
    with torch.no_grad():
        expected = model.eval()(batch).losses
    assert losses(model, raw, batch) == {task: pytest.approx(float(expected[task]), rel=1e-5) for task in raw}
