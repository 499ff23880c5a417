"""Combining the losses of tasks: the multi-task sheet's section 5, its worked numbers and its mistakes."""
from __future__ import annotations

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.losses.entire_space import EntireSpace
from rankzoo.components.losses.listwise import Listwise
from rankzoo.components.losses.pairwise import Pairwise
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.towers.bare import Bare
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.dataset import Dataset
from rankzoo.data.load import schema_of
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.combine import METHODS, Combiner, combiner
from rankzoo.training.combine.dwa import DynamicWeightAverage, averaged
from rankzoo.training.combine.gradnorm import GradNorm, last_shared, pull, targets
from rankzoo.training.combine.pcgrad import PCGrad, surgery
from rankzoo.training.combine.sum import Sum
from rankzoo.training.combine.uncertainty import Uncertainty
from rankzoo.training.fit import Fit
from rankzoo.training.run import digest
from rankzoo.training.settings import TrainSettings
from tests.support import random_batch, randomised, small


class Toy(nn.Module):
    """A shared vector and a number of each task's own; what a combiner asks of a model."""

    def __init__(self, kinds: dict[str, str], weights: dict[str, float] | None = None):
        super().__init__()
        self.shared = nn.Parameter(torch.zeros(2))
        self.own = nn.ParameterDict({task: nn.Parameter(torch.ones(())) for task in kinds})
        forms = {task: "gaussian" if kind == "regression" else "categorical" for task, kind in kinds.items()}
        self.losses = SimpleNamespace(weights={task: 1.0 for task in kinds} | (weights or {}), kinds=kinds, likelihoods=forms)
        self.blueprint = SimpleNamespace(tasks=tuple(kinds))

    def losses_of(self, pulls: dict[str, list[float]]) -> dict[str, Tensor]:
        """Losses whose gradients on the shared vector are given, and 3 on the own number."""
        return {task: torch.tensor(pull) @ self.shared + 3 * self.own[task] for task, pull in pulls.items()}


TWO = {"a": "binary", "b": "regression"}
TOGETHER = [method for method in METHODS if method != "alternate"]
"""Methods under which every task takes part in every step."""


# Uncertainty -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind, best, least", [("regression", math.log(0.1), -0.651), ("binary", math.log(0.2), -0.305)])
def test_uncertainty_at_its_best(kind, best, least):
    """s* = ln L, or ln 2L for a classification: the total at L = 0.1 is negative, and the gradient there is 0."""
    combine = Uncertainty(Toy({"a": kind}))
    combine.log_variance.data.fill_(best)
    total = combine.joint(torch.tensor([0.1]))
    total.backward()
    assert float(total.detach()) == pytest.approx(least, abs=5e-4)
    assert float(combine.log_variance.grad) == pytest.approx(0.0, abs=1e-7)
    assert combine.weights()["a"] * 0.1 == pytest.approx(0.5)


def test_uncertainty_does_not_see_the_unit_of_a_loss():
    """A loss in other units moves s by its logarithm and the total by a constant: the weighted loss stays ½, so that the model
    is pulled as before. It weighs the noisy task less: w ∝ 1 / L."""
    combine, unit = Uncertainty(Toy(TWO)), torch.tensor([1.0, 1000.0])
    loss = torch.tensor([0.3, 0.2])
    combine.log_variance.data.copy_(torch.log(torch.tensor([0.6, 0.2])))
    before, weights = float(combine.joint(loss).detach()), combine.weights()
    combine.log_variance.data += unit.log()
    assert float(combine.joint(loss * unit).detach()) - before == pytest.approx(0.5 * math.log(1000), abs=1e-5)
    assert combine.weights()["b"] * 200 == pytest.approx(weights["b"] * 0.2) == pytest.approx(0.5)


def test_uncertainty_is_not_clamped():
    """Mistake of the sheet: s held above 0. A loss of 0.1 pulls s below it."""
    combine = Uncertainty(Toy({"a": "binary"}))
    descent = torch.optim.SGD(combine.parameters(), lr=0.1)
    for _ in range(300):
        descent.zero_grad()
        combine.joint(torch.tensor([0.1])).backward()
        descent.step()
    assert float(combine.log_variance.detach()) == pytest.approx(math.log(0.2), abs=1e-3)


def test_uncertainty_of_a_task_without_rows():
    """A loss of exactly 0 would drive s down without end: it moves nothing."""
    combine = Uncertainty(Toy(TWO))
    combine.joint(torch.tensor([0.4, 0.0])).backward()
    assert float(combine.log_variance.grad[1]) == 0.0 and float(combine.log_variance.grad[0]) != 0.0


@pytest.mark.parametrize("arch, losses, scale", [
    ("youtube", Pointwise(), (1, 0.5, 1, 1)), ("youtube", Pointwise(how={"click": "squared", "like": "focal"}), (0.5, 0.5, 1, 1)),
    ("youtube", Pointwise(how={"completion": "cross_entropy"}), (1, 1, 1, 1)), ("youtube", Pairwise(), (1, 0.5, 1, 1)),
    ("youtube", Pairwise(how="hinge"), (1, 0.5, 1, 1)), ("youtube", Listwise(), (1, 0.5, 1, 1)),
    ("esmm", EntireSpace(), (1, 1)), ("esmm", Pointwise(how={"purchase": "squared"}), (1, 0.5))])
def test_uncertainty_takes_its_form_from_the_loss(arch, losses, scale):
    """Not from the kind of label: a squared error has the ½ of a normal distribution, a cross entropy has not, and what is −ln of
    no distribution has the second form. That only shifts s: at its best either form weighs the loss to ½."""
    system = systems()[arch]
    model = RankingModel(system.blueprint.model_copy(update={"losses": losses}), schema_of(system.dataset))
    combine = combiner("uncertainty", model)
    assert tuple(combine.weights().values()) == scale
    loss = torch.full((len(scale),), 0.3)
    combine.log_variance.data.copy_(torch.log(2 * torch.tensor(scale) * loss))
    combine.joint(loss).backward()
    assert combine.log_variance.grad.tolist() == pytest.approx([0.0] * len(scale), abs=1e-7)
    assert [weight * 0.3 for weight in combine.weights().values()] == pytest.approx([0.5] * len(scale))


# Dynamic weight average ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("rate, temperature, weights", [
    ((0.9, 0.5), 2.0, (1.0997, 0.9003)), ((0.7, 0.7), 2.0, (1.0, 1.0)), ((0.9, 0.5), 1e6, (1.0, 1.0))])
def test_dwa_values(rate, temperature, weights):
    """The sheet's; equal rates or a large T give ones; Σ w = K; the slow task gets more, in whatever unit its loss is."""
    for unit in (1.0, 1e-3, 500.0):
        before = torch.tensor([1.0, unit])
        found = averaged(torch.tensor(rate) * before, before, temperature)
        assert found.tolist() == pytest.approx(weights, abs=5e-5) and float(found.sum()) == pytest.approx(2.0)


def test_dwa_takes_means_of_epochs():
    """Mistake of the sheet: ratios of single batches. Ones in the first two epochs; then means over batches of 0.8 → 0.72 and
    0.6 → 0.3, whatever the last batch was; and 0.72 → 0.36 and 0.3 → 0.27 after the third."""
    model = Toy({"a": "binary", "b": "binary"})
    combine = DynamicWeightAverage(model)
    epochs = (((1.0, 0.6), (0.6, 0.6), (1.0, 1.0)), ((0.4, 1.04), (0.5, 0.1), (1.0997, 0.9003)),
              ((0.36, 0.36), (0.5, 0.04), (0.9003, 1.0997)))
    for *losses, weights in epochs:
        for a, b in zip(*losses, strict=True):
            combine.backward({"a": model.own["a"] * a, "b": model.own["b"] * b}, model)
        combine.epoch_ended()
        assert list(combine.weights().values()) == pytest.approx(weights, abs=5e-5)
    model.zero_grad()
    combine.backward({name: 3 * model.own[name] for name in "ab"}, model)
    assert [float(model.own[name].grad) for name in "ab"] == pytest.approx([3 * 0.9003, 3 * 1.0997], abs=5e-4)


# PCGrad ----------------------------------------------------------------------------------------------------------------

def reference(pulls: Tensor, orders: list[list[int]]) -> Tensor:
    """The paper's algorithm vector by vector: (task, number) → the update."""
    total = torch.zeros_like(pulls[0])
    for i, order in enumerate(orders):
        own = pulls[i].clone()
        for j in order:
            if j != i and own @ pulls[j] < 0:
                own -= (own @ pulls[j]) / (pulls[j] @ pulls[j]) * pulls[j]
        total += own
    return total


def test_pcgrad_values():
    """g1 = (1, 0), g2 = (−1, 1) → (0.5, 0.5) and (0, 1), sum (0.5, 1.5) instead of (0, 1); a tower keeps its own gradient."""
    model = Toy(TWO)
    PCGrad(model).backward(model.losses_of({"a": [1.0, 0.0], "b": [-1.0, 1.0]}), model)
    assert model.shared.grad.tolist() == pytest.approx([0.5, 1.5])
    assert [float(own.grad) for own in model.own.values()] == [3.0, 3.0]
    assert surgery([[1.0, -1.0], [-1.0, 2.0]], [[1], [0]]) == [2.0, 1.5]  # (1, 0)·2 + (−1, 1)·1.5


@pytest.mark.parametrize("seed", range(5))
def test_pcgrad_against_the_algorithm(seed):
    """Four tasks in any order; each g_i^PC is projected on the others' original gradients, not on projected ones."""
    rng = torch.Generator().manual_seed(seed)
    pulls = torch.randn(4, 6, generator=rng, dtype=torch.float64)
    orders = [torch.randperm(4, generator=rng).tolist() for _ in range(4)]
    kept = torch.tensor(surgery((pulls @ pulls.T).tolist(), orders), dtype=torch.float64)
    torch.testing.assert_close(kept @ pulls, reference(pulls, orders))


def test_pcgrad_without_conflict_is_the_sum():
    model = Toy(TWO)
    PCGrad(model).backward(model.losses_of({"a": [1.0, 0.5], "b": [0.2, 1.0]}), model)
    assert model.shared.grad.tolist() == pytest.approx([1.2, 1.5])
    model.zero_grad()
    PCGrad(model).backward(model.losses_of({"a": [0.0, 0.0], "b": [-1.0, 1.0]}), model)  # nothing is divided by 0
    assert model.shared.grad.tolist() == [-1.0, 1.0]


def test_pcgrad_of_tables():
    """ESMM: the rows of the batch, named several times, as a dense table would have it; the towers' gradients are untouched."""
    system, schema = systems()["esmm"], schema_of("conversions")
    batch = random_batch(schema, 48)
    model = randomised(RankingModel(system.blueprint, schema))
    losses, named = dict(model.train()(batch).losses), dict(model.named_parameters())
    losses["purchase"] = losses["purchase"] - 1.5 * losses["click"]  # so that the two disagree
    each = {task: torch.autograd.grad(loss, list(named.values()), retain_graph=True, allow_unused=True)
            for task, loss in losses.items()}
    both = [i for i, pair in enumerate(zip(*each.values(), strict=True)) if all(g is not None for g in pair)]
    pulls = torch.stack([torch.cat([given[i].to_dense().reshape(-1) for i in both]) for given in each.values()])
    assert pulls[0] @ pulls[1] < 0
    PCGrad(model).backward(losses, model)
    names = list(named)
    found = torch.cat([named[names[i]].grad.to_dense().reshape(-1) for i in both])
    torch.testing.assert_close(found, reference(pulls, [[1], [0]]), rtol=1e-3, atol=1e-4)
    assert named["representation.tables.16"].grad.is_sparse and "representation.tables.16" in [names[i] for i in both]
    for i, name in enumerate(names):
        if i not in both:
            alone = next(given[i] for given in each.values() if given[i] is not None)
            torch.testing.assert_close(named[name].grad, alone)


# GradNorm --------------------------------------------------------------------------------------------------------------

def test_gradnorm_values():
    """w = 1, norms (2, 0.5), L / L(0) = (0.5, 0.9), α = 1.5: r = (0.7143, 1.2857), targets (0.7546, 1.8223), Σ|·| = 2.5677,
    ∂/∂w = (2, −0.5). Mistake of the sheet: one mean ratio for all, with which α says nothing about a task."""
    weight, norms, progress = torch.ones(2), torch.tensor([2.0, 0.5]), torch.tensor([0.5, 0.9])
    wanted = targets(weight, norms, progress, 1.5)
    assert (progress / progress.mean()).tolist() == pytest.approx([0.7143, 1.2857], abs=5e-5)
    assert wanted.tolist() == pytest.approx([0.7546, 1.8223], abs=5e-5)
    assert float((weight * norms - wanted).abs().sum()) == pytest.approx(2.5677, abs=5e-5)
    assert pull(weight, norms, progress, 1.5).tolist() == [2.0, -0.5]


def test_gradnorm_with_alpha_0_makes_the_norms_equal():
    """Whatever the progress; with α > 0 the slow task ends with the larger gradient."""
    for alpha in (0.0, 1.0):
        weight, norms = torch.ones(2), torch.tensor([2.0, 0.5])
        for _ in range(4000):
            weight = weight - 1e-3 * pull(weight, norms, torch.tensor([0.5, 0.9]), alpha)
            weight = 2 * weight / weight.sum()
        ratio = float(weight[1] * norms[1] / (weight[0] * norms[0]))
        assert ratio == pytest.approx((0.9 / 0.5) ** alpha, rel=0.02)


def shared_name(blueprint: Blueprint, data: str) -> str | None:
    model = RankingModel(blueprint, schema_of(data))
    losses = list(model.train()(random_batch(model.schema, 16)).losses.values())
    found = last_shared(losses, model)
    return next((name for name, parameter in model.named_parameters() if found and parameter is found[0]), None)


def test_the_last_shared_layer():
    """The last matrix that most tasks reach: of MMoE the last expert's, no gate; of a shared bottom its last; without sharing the
    table. Mistake of the sheet: the first tensor, the table, where there is a shared layer."""
    feed = systems()["mmoe"].blueprint
    assert shared_name(feed, "feed") == "sharing.expert.3.2.weight"
    bottom = feed.model_copy(update={"sharing": SharedBottom(widths=(8, 4))})
    assert shared_name(bottom, "feed") == "sharing.bottom.2.weight"
    assert shared_name(systems()["omoe"].blueprint, "feed") == "sharing.expert.3.2.weight", "its one gate is no layer of numbers"
    for rung in ("cgc", "ple"):
        assert ".shared." in shared_name(systems()[rung].blueprint, "feed")
    esmm = systems()["esmm"].blueprint
    assert shared_name(esmm, "conversions") == "representation.tables.16"
    through = esmm.model_copy(update={"representation": Embeddings(numeric="mlp", relu=True)})
    assert shared_name(through, "conversions") == "representation.tables.16"
    added_up = Blueprint(representation=OneHot(), interaction=(Linear(),), towers=Bare(), tasks=("click", "purchase"))
    assert shared_name(added_up, "conversions") is None


def test_gradnorm_keeps_the_sum_of_the_weights():
    """After every step Σ w = K and no weight has turned around; the task that pulls less gets more."""
    model = Toy({"a": "binary", "b": "binary"})
    combine = GradNorm(model)
    combine.shared = (model.shared,)
    descent = torch.optim.Adam(combine.parameters(), lr=0.3)
    for _ in range(40):
        combine.zero_grad()
        combine.backward(model.losses_of({"a": [4.0, 0.0], "b": [0.0, 1.0]}), model)
        descent.step()
        combine.stepped()
        assert float(combine.weight.detach().sum()) == pytest.approx(2.0) and (combine.weight > 0).all()
    assert combine.weights()["b"] > 1.2 > 0.8 > combine.weights()["a"]


# All of them ----------------------------------------------------------------------------------------------------------

LEARNING = ("uncertainty", "gradnorm")


@pytest.fixture(scope="module")
def feed() -> Dataset:
    """4,000 rows of `feed`."""
    return small("feed", 4_000)


def fit_of(method: str, data: Dataset, arch: str = "mmoe", state=None, **changes: object) -> Fit:
    blueprint = systems()[arch].blueprint.model_copy(update=changes.pop("slots", {}))
    settings = TrainSettings(**{"combine": method, "batch_size": 400, "epochs": 4, "patience": 0, "lr": 4e-3, **changes})
    return Fit(RankingModel(blueprint, data.schema, settings.seed), data, settings, state)


def run(fit: Fit, steps: float = math.inf) -> Fit:
    for step in fit:
        if step.number >= steps:
            break
    return fit


@pytest.mark.parametrize("method", METHODS)
def test_resumed_goes_on_bit_for_bit(method, feed):
    """Stopped inside the second epoch of four steps, in the third or after it: what a combiner learns and remembers goes on."""
    whole = run(fit_of(method, feed, schedule="cosine"))
    assert whole.per_epoch == 4
    for stop in (3, 6, 9):
        half = run(fit_of(method, feed, schedule="cosine"), stop)
        resumed = run(fit_of(method, feed, state=half.state(), schedule="cosine"))
        assert digest(resumed.model) == digest(whole.model), stop
        before, after = whole.combiner.state_dict(), resumed.combiner.state_dict()
        assert all(torch.equal(before[name], after[name]) for name in before), stop


@pytest.mark.parametrize("method", METHODS)
def test_a_step_of_every_method(method, feed):
    """Losses fall, other weights than those of the sum, and the weights of the tasks among the points where there are any."""
    fit = fit_of(method, feed)
    points = [step.points for step in fit][1:]
    assert all(torch.isfinite(parameter).all() for parameter in fit.model.parameters())
    assert (digest(fit.model) == digest(run(fit_of("sum", feed)).model)) == (method == "sum")
    weights = {name: value for name, value in points[-1].items() if name.endswith(".weight")}
    tasks = fit.model.blueprint.tasks
    weighs = METHODS[method].weights is not Combiner.weights
    assert set(weights) == ({f"train.{task}.weight" for task in tasks} if weighs else set())
    if method in ("gradnorm", "dwa"):
        assert sum(weights.values()) == pytest.approx(4.0, abs=1e-4)
    losses = [step["train.completion.loss"] for step in points]
    assert sum(losses[-4:]) < sum(losses[:4])


def test_an_epoch_ends_after_its_last_step(feed):
    """Four steps an epoch: after three nothing is known, after four the first mean, after six two steps of the second epoch."""
    fit, ended = fit_of("dwa", feed), {}
    for step in fit:
        ended[step.number] = (float(fit.combiner.steps.max()), fit.combiner.means.isnan().any(dim=1).tolist())
    assert [ended[k] for k in (3, 4, 6, 8)] == [(3, [True, True]), (0, [True, False]), (2, [True, False]), (0, [False, False])]


def test_a_batch_without_an_observed_row_is_no_loss_of_zero():
    """DWA averages a task's loss over the steps in which it had one; a task that had none all epoch long leaves all weights 1."""
    model = Toy({"a": "binary", "b": "binary"})
    combine = DynamicWeightAverage(model)
    for a in (1.0, 0.0, 0.5):
        combine.backward({"a": model.shared.sum() * 0 + a, "b": model.shared.sum() * 0 + 0.0}, model)
    combine.epoch_ended()
    assert float(combine.means[1, 0]) == pytest.approx(0.75) and torch.isnan(combine.means[1, 1])
    combine.epoch_ended()
    assert combine.weights() == {"a": 1.0, "b": 1.0}


@pytest.mark.parametrize("method", METHODS)
def test_one_task_is_the_sum(method, feed):
    """Nothing to combine: the same weights to the bit; so too where only one task has any weight."""
    alone = systems()["mmoe"].blueprint.with_tasks(("click",), feed.schema)
    model = RankingModel(alone, feed.schema)
    assert isinstance(combiner(method, model), Sum)
    weighed = Pointwise(weights={"completion": 0.0, "like": 0.0, "dismiss": 0.0})
    fits = [run(fit_of(each, feed, slots={"losses": weighed}), 3) for each in ("sum", method)]
    assert digest(fits[0].model) == digest(fits[1].model)


@pytest.mark.parametrize("method", TOGETHER)
def test_fixed_weights_multiply_first(method):
    """w_k of the blueprint times L_k is what a method sees; a penalty is added as it is; a task of weight 0 takes no part."""
    model = Toy({"a": "binary", "b": "binary", "c": "binary"}, {"a": 2.0, "c": 0.0})
    combine = METHODS[method](model)
    taking, rest = combine.apart({"a": torch.tensor(1.0), "b": torch.tensor(5.0), "c": torch.tensor(7.0),
                                  "penalty.x": torch.tensor(0.25)})
    assert {name: float(loss) for name, loss in taking.items()} == {"a": 2.0, "b": 5.0} and float(rest) == 0.25
    losses = {name: model.own[name] * 3 for name in "abc"} | {"penalty.x": 0.5 * model.shared.sum()}
    combine.shared = ()
    combine.backward(losses, model)
    scale = {"uncertainty": 1.0}.get(method, 1.0)  # s = 0: e^0
    assert [float(model.own[name].grad) for name in "abc"] == [scale * 6.0, scale * 3.0, 0.0]
    assert model.shared.grad.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("method", LEARNING)
def test_what_is_learnt_is_optimised_and_not_decayed(method, feed):
    """Mistake of the sheet: s left out of the optimiser, or weight-decayed."""
    fit = fit_of(method, feed, weight_decay=1.0)
    own = fit.optimizers[-1]
    assert own.parameters == list(fit.combiner.parameters()) and own.weight_decay == 0.0
    before = [parameter.detach().clone() for parameter in own.parameters]
    run(fit, 4)
    assert all((parameter != start).all() for parameter, start in zip(own.parameters, before, strict=True))


def test_every_method_has_its_word_in_the_settings():
    """The menu of the settings is that of the package, and a wrong word is refused with its address."""
    words = TrainSettings.model_json_schema()["properties"]["combine"]["enum"]
    assert words == list(METHODS) and TrainSettings().combine == "sum"
    document = Document.preset("mmoe").but([("settings.combine", "pcgrad")])
    assert json.loads(document.json())["settings"]["combine"] == "pcgrad"
    assert document.difference()["settings"] == {"combine": "pcgrad"}
    with pytest.raises(ZooError, match="settings.combine: one of sum, alternate, uncertainty, gradnorm, dwa, pcgrad") as refusal:
        document.but([("settings.combine", "pcgard")])
    assert refusal.value.at == "settings.combine"


def test_a_task_without_a_row_is_no_trouble(feed):
    """No row of `like` is observed anywhere: every method trains the others, nothing is NaN."""
    blind = {**feed.batch.observed, "like": torch.zeros(len(feed), dtype=torch.bool)}
    data = replace(feed, batch=replace(feed.batch, observed=blind))
    for method in METHODS:
        fit = run(fit_of(method, data, epochs=3))
        assert all(torch.isfinite(p).all() for p in [*fit.model.parameters(), *fit.combiner.parameters()]), method


def test_it_works_over_tables_of_several_widths(feed):
    """Tables, a linear part and towers at once: every method leaves every parameter with a gradient of its own form."""
    schema = schema_of("conversions")
    blueprint = Blueprint(interaction=(Linear(),), towers=MlpTower(widths=(4,), head_bias=False), tasks=("click", "purchase"))
    for method in TOGETHER:
        model = randomised(RankingModel(blueprint, schema))
        combiner(method, model).backward(model.train()(random_batch(schema, 32)).losses, model)
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None and parameter.grad.is_sparse == (name in model.looked_up()), (method, name)
