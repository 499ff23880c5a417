"""What a loss says of itself, task by task: whether its scores are probabilities, and whose −ln p it is. Each answer is found
again from the loss's own numbers: its best constant, and whether e^−ℓ adds up to 1."""
from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from torch import Tensor

from rankzoo.components.losses.base import Loss
from rankzoo.components.losses.entire_space import EntireSpace
from rankzoo.components.losses.listwise import Listwise
from rankzoo.components.losses.pairwise import Pairwise
from rankzoo.components.losses.pointwise import FIT, Pointwise
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch

TASKS = (Task("click"), Task("share", "share"), Task("stars", "regression"))
BY_NAME = {task.name: task for task in TASKS}
SCHEMA = Schema((), TASKS, requests=True)
LABELS = {"click": [1.0, 0, 0, 0, 1, 0, 0, 0, 0, 0], "share": [0.9, 0.1, 0.3, 0, 0, 0.2, 0.1, 0, 0.4, 0],
          "stars": [9.0, 0, 0, 1, 2, 0, 0, 0, 3, 0]}
GRID = torch.linspace(-5, 5, 20_001, dtype=torch.float64)
POINTWISE = [(Pointwise(how={task.name: how}), task) for task in TASKS for how in FIT[task.kind]]
FOCAL = [(Pointwise(how={"click": "focal"}, gamma=gamma, alpha=alpha), TASKS[0]) for gamma, alpha in
         ((0.0, 0.5), (0.0, 0.25), (2.0, 0.5))]
REQUESTS = (Pairwise(), Pairwise(how="hinge"), Listwise(), Listwise(target="listnet"))


def layer_of(spec: Loss):
    return spec.build(Shape(SCHEMA, TASKS, at="losses")).eval()


def batch_of(labels: dict[str, list[float]], group: list[int]) -> Batch:
    given = {name: torch.tensor(values) for name, values in labels.items()}
    return Batch(SCHEMA, torch.zeros(len(group), 0, dtype=torch.long), torch.zeros(len(group), 0), labels=given,
                 observed={name: torch.ones(len(group), dtype=torch.bool) for name in labels}, group=torch.tensor(group))


def value(spec: Loss, task: str, score: Tensor, label: list[float]) -> float:
    """The loss of rows that are one request."""
    return float(layer_of(spec).loss(task, {task: score}, batch_of({task: label}, [0] * len(label)), {}))


def named(case: object) -> str:
    return case.name if isinstance(case, Task) else f"{case.kind} {getattr(case, 'how', '')} {getattr(case, 'target', '')}"


@pytest.mark.parametrize("spec, task", POINTWISE + FOCAL, ids=named)
def test_calibrated_is_that_the_best_constant_is_the_mean(spec, task):
    """Of ten rows, what a loss would serve to all of them: their mean, of 0s and 1s the share of 1s, or another number, of which
    it is said why."""
    layer, label = layer_of(spec), torch.tensor(LABELS[task.name], dtype=torch.float64)
    total = sum(layer.each(task.name, GRID, torch.full_like(GRID, float(y))) for y in label)
    best = layer.served(task.name, GRID[total.argmin()])
    best = best if task.kind == "regression" else torch.sigmoid(best)
    right = float(best) == pytest.approx(float(label.mean()), abs=2e-3)
    assert spec.calibrated(task) == right == (not spec.uncalibrated(task))


@pytest.mark.parametrize("spec", REQUESTS, ids=named)
def test_a_loss_of_requests_has_no_level(spec):
    """A number added to all scores of a request changes nothing, so that sigmoid(score) may be anything; other tasks keep their
    level. The clause says so, and stands behind «since»."""
    label, score = LABELS["click"], torch.linspace(-1, 1, 10)
    assert value(spec, "click", score + 3, label) == pytest.approx(value(spec, "click", score, label), rel=1e-5)
    assert not spec.calibrated(BY_NAME["click"]) and "a number is added" in spec.uncalibrated(BY_NAME["click"])
    assert spec.calibrated(BY_NAME["share"]) and spec.calibrated(BY_NAME["stars"])
    assert [spec.compares(task) for task in TASKS] == [True, False, False] and not spec.usual(BY_NAME["click"])
    assert not any(Pointwise().compares(task) for task in TASKS) and all(Pointwise().usual(task) for task in TASKS)


def test_the_entire_space_is_calibrated_on_both():
    """Of ten impressions four were clicked, one of these bought: with pCTR at its best, the best pCVR is 1 / 4."""
    spec, tasks = EntireSpace(), (Task("click"), Task("purchase"))
    clicked, bought = [1.0] * 4 + [0.0] * 6, [1.0] + [0.0] * 9
    batch = batch_of({"click": clicked, "purchase": bought}, [0] * 10)
    layer = spec.build(Shape(Schema((), tasks), tasks, at="losses"))
    grid = torch.linspace(-3, 3, 1201)
    ctr = torch.full((10,), math.log(0.4 / 0.6))
    found = [float(layer.loss("purchase", {"click": ctr, "purchase": torch.full((10,), float(b))}, batch, {})) for b in grid]
    assert float(torch.sigmoid(grid[found.index(min(found))])) == pytest.approx(0.25, abs=2e-3)
    assert all(spec.calibrated(task) for task in tasks) and not spec.usual(tasks[1])
    assert [spec.likelihood(task) for task in tasks] == ["categorical", "categorical"]


def choices(spec: Loss, task: Task) -> float:
    """Σ e^−ℓ over all that might have happened to rows with some scores; 1 for −ln of a choice."""
    if not spec.compares(task):
        return sum(math.exp(-value(spec, task.name, torch.tensor([0.7]), [y])) for y in (0.0, 1.0))
    score = torch.tensor([0.7, -0.4] if isinstance(spec, Pairwise) else [0.7, -0.4, 0.1])
    return sum(math.exp(-value(spec, task.name, score, [float(i == j) for j in range(len(score))])) for i in range(len(score)))


def spread(spec: Loss, task: Task, sigma: float) -> float:
    """∫ e^{−ℓ / 2σ²} dy over the labels around a logit, in units of σ√(2π); 1 for −ln of a normal distribution."""
    s = 0.3 if task.kind == "regression" else math.inf
    y = torch.linspace(-40, 40, 400_001, dtype=torch.float64)
    each = layer_of(spec).each(task.name, torch.full_like(y, s), y)
    return float(torch.exp(-each / (2 * sigma ** 2)).sum() * (y[1] - y[0])) / (sigma * math.sqrt(2 * math.pi))


@pytest.mark.parametrize("spec, task", [*POINTWISE, *product(REQUESTS[:3], TASKS)], ids=named)
def test_the_likelihood_is_the_one_it_adds_up_to(spec, task):
    """Cross entropy, BPR and softmax: −ln of what happened among all that might have. Squared errors: −ln of a normal
    distribution, whatever σ. Focal, hinge and Huber: of neither."""
    said = spec.likelihood(task)
    normal = all(spread(spec, task, sigma) == pytest.approx(1.0, abs=1e-3) for sigma in (0.5, 1.0, 2.0)) if not spec.compares(
        task) else False
    assert (said == "gaussian") == normal
    if task.kind == "regression":  # nothing to choose from
        assert said != "categorical"
    else:
        assert (said == "categorical") == (choices(spec, task) == pytest.approx(1.0, abs=1e-6))


def test_the_target_of_listnet_is_a_choice_too():
    """Cross entropy of one distribution with another: −ln of the same softmax, weighed by the target."""
    assert Listwise(target="listnet").likelihood(TASKS[0]) == "categorical"
