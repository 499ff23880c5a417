"""The course of a training: stages that a layer asks for, in order, rewound, resumed in the middle; one stage for all others."""
from __future__ import annotations

import math

import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.sharing.task_masks import TaskMasks
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.dataset import Dataset
from rankzoo.data.worlds.masks import TASKS
from rankzoo.model import RankingModel
from rankzoo.signals import Branches
from rankzoo.training.course import levelled
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import both, losses
from rankzoo.training.run import digest
from rankzoo.training.settings import TrainSettings
from tests.support import small

SPEC = TaskMasks(widths=(12, 6), kept=0.5, alpha=0.3, warmup_steps=4, round_steps=3)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return small("masks", 2_000)


def fit_of(data: Dataset, sharing=SPEC, state=None, tasks=TASKS, **changes: object) -> Fit:
    blueprint = Blueprint(representation=Embeddings(dim=4), sharing=sharing, towers=MlpTower(widths=(5,)), tasks=tasks)
    settings = TrainSettings(**{"batch_size": 128, "epochs": 5, "lr": 0.01, "patience": 0} | changes)
    return Fit(RankingModel(blueprint, data.schema, settings.seed), data, settings, state)


def run(fit: Fit, until: float = math.inf) -> Fit:
    for step in fit:
        if step.number >= until:
            break
    return fit


def weights(fit: Fit) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in fit.model.named_parameters()}


def test_other_models_have_one_stage(data):
    """All tasks together from the first step to the last, and nothing is remembered."""
    fit = run(fit_of(data, SharedBottom(widths=(6,))))
    (stage,) = fit.course.stages
    assert stage.tasks == TASKS and stage.last and stage.steps == fit.steps and not fit.course.start
    assert [fit.course.progress(done) for done in (0, fit.steps // 2)] == [0, (fit.steps // 2) / fit.steps]


def test_stages_come_in_order(data):
    """Warm-up of all, two rounds for each task, turns to the end."""
    fit = fit_of(data)
    assert [(stage.name, stage.steps) for stage in fit.course.stages] == [("warm-up", 4), *[("search", 3)] * 8, ("turns", 27)]
    assert [fit.course.at(done).tasks for done in (4, 9, 10, 27)] == [("click",), ("click",), ("read",), ("hide",)]
    assert fit.course.at(28).last and fit.course.at(fit.steps).last


@pytest.mark.parametrize("stop", [1, 4, 5, 7, 9, 28, 29, 40])
def test_resumed_goes_on_bit_for_bit(data, stop):
    """Stopped in the warm-up, between two rounds, within one, at the first turn: the end is the same to the last bit."""
    whole = run(fit_of(data, schedule="cosine"))
    half = run(fit_of(data, schedule="cosine"), stop)
    again = run(fit_of(data, schedule="cosine", state=half.state()))
    assert digest(again.model) == digest(whole.model) and again.best_step == whole.best_step


@pytest.mark.parametrize("stop", [9, 10, 13])
def test_masks_are_judged_on_validation_rows(data, stop):
    """Two candidates of each task, judged once trained: the loss of the one that is kept is that of validation rows as the
    weights stood, and a training stopped between two rounds picks the same."""
    spec = SPEC.model_copy(update={"pick": "best"})
    whole, found = fit_of(data, spec), {}
    left = whole.model.sharing.left

    def watched(stage, losses_now):
        if stage.name in ("search", "trial"):
            (task,) = stage.tasks
            loss = losses(whole.model, both(whole.model, whole.validation)[1], whole.validation)[task]
            found.setdefault(task, []).append(loss)
        left(stage, losses_now)

    whole.model.sharing.left = watched
    run(whole)
    layer = whole.model.sharing
    assert [len(each) for each in found.values()] == [3] * 4
    (least,) = layer.least
    assert least.tolist() == pytest.approx([min(each[1:]) for each in found.values()])
    for at, task in enumerate(TASKS):
        rounds = 1 if found[task][1] < found[task][2] else 2
        total = sum(mask[at].numel() for mask in layer.mask)
        assert sum(int(mask[at].sum()) for mask in layer.mask) == pytest.approx(total * 0.7**rounds, abs=2)
    again = run(fit_of(data, spec, state=run(fit_of(data, spec), stop).state()))
    assert digest(again.model) == digest(whole.model)


def test_turns_can_be_drawn_by_rows(data):
    """A task with no observed row is never drawn; the others are, and a resumed run draws the same."""
    fit = fit_of(data, SPEC.model_copy(update={"alternate": "proportional"}))
    fit.course.rows = {**fit.course.rows, "read": 0}
    run(fit, 28)
    start = weights(fit)
    run(fit)
    moved = {name.split(".")[2] for name, now in weights(fit).items()
             if name.startswith("towers.") and not torch.equal(now, start[name])}
    assert "read" not in moved and len(moved) == 3


def test_only_trained_tasks_are_reported_and_only_the_last_stage_is_kept(data):
    """A curve does not show what a search does to the tasks that it leaves out; the best weights are of the turns."""
    fit, seen = fit_of(data), {}
    for step in fit:
        for name in step.points:
            if name.startswith("validation"):
                seen.setdefault(step.number, set()).add(name.split(".")[1])
    assert seen[0] == set(TASKS) and seen[16] == {"read"} and seen[max(seen)] == set(TASKS)
    assert fit.best_step > 28


def test_gradients_are_compared_where_the_turns_begin(data):
    """`first` is each task's gradient at the rewound weights, masks on, over the same rows, with its level set right."""
    fit = run(fit_of(data), 28)
    fit.course.begin(28, fit.optimizers, fit.train)
    layer = fit.model.sharing
    raw = fit.model.eval()(fit.train).raw
    logits = levelled(raw, fit.model.losses, fit.train)
    moved = {task: (logits[task] - raw[task]).detach() for task in TASKS}
    losses = fit.model.losses(logits, Branches({}), fit.train, {})
    for at, task in enumerate(TASKS):
        labels = fit.train.labels[task]
        torch.testing.assert_close(torch.sigmoid(logits[task]).mean(), labels.mean(), atol=1e-4, rtol=0)
        assert float(moved[task].std()) < 1e-6 < float(moved[task].abs().min())
        found = torch.autograd.grad(losses[task], list(layer.weights), retain_graph=True)
        for gradient, first, mask in zip(found, layer.first, layer.mask, strict=True):
            torch.testing.assert_close(first[at], gradient, rtol=1e-4, atol=1e-7)
            assert (first[at][~mask[at]] == 0).all()
