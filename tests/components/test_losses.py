"""Pointwise losses: the values of the losses sheet, masks, and what a missing label must not do."""
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.pointwise import FIT, LARGEST, Pointwise, focal, weighted_logistic
from rankzoo.components.row_losses import plain as pointwise
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch, Branches
from rankzoo.training.combine import weighted_sum
from rankzoo.training.metrics import evaluate, predict
from tests.support import random_batch, randomised, rich

TASKS = (Task("click"), Task("share", "share"), Task("stars", "regression"))
PLAIN = Pointwise()


def one(kind: str, s: float, y: float) -> float:
    return float(pointwise(kind, torch.tensor([s], dtype=torch.float64), torch.tensor([y], dtype=torch.float64)))


@pytest.mark.parametrize("s, y, value", [(0, 1, 0.693147), (0, 0, 0.693147), (2, 1, 0.126928), (-2, 1, 2.126928),
                                         (2, 0, 2.126928)])
def test_binary_values(s, y, value):
    """softplus(s) − y·s, as in the sheet."""
    assert one("binary", s, y) == pytest.approx(value, abs=5e-7)


def test_binary_does_not_saturate():
    """From the logit, not from a rounded probability: ±100 stays exact and its gradient is p − y."""
    s = torch.tensor([100.0, -100.0, 0.3], requires_grad=True)
    each = pointwise("binary", s, torch.tensor([0.0, 1.0, 1.0]))
    assert each[:2].tolist() == [100.0, 100.0]
    each.sum().backward()
    torch.testing.assert_close(s.grad, torch.sigmoid(s.detach()) - torch.tensor([0.0, 1.0, 1.0]))


def test_squared_errors():
    """share: (sigmoid(s) − y)², whose gradient dies at s = −6, y = 1 (−0.0049, cross entropy −0.9975); regression: (s − y)²."""
    assert one("share", 0.0, 1.0) == pytest.approx(0.25)
    assert one("regression", 1.5, -0.5) == pytest.approx(4.0)
    for kind, gradient in (("share", -0.0049), ("binary", -0.9975)):
        s = torch.tensor([-6.0], requires_grad=True)
        pointwise(kind, s, torch.tensor([1.0])).sum().backward()
        assert float(s.grad) == pytest.approx(gradient, abs=5e-5)


@pytest.mark.parametrize("kind", ["binary", "share", "regression"])
def test_gradcheck(kind):
    """Every kind against finite differences in float64."""
    s = torch.linspace(-3, 3, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: pointwise(kind, x, torch.full((7,), 0.3, dtype=torch.float64)), s)


def test_best_constant_is_the_base_rate():
    """With π = 0.02 no constant logit beats ln(π/(1−π)), whose loss is the entropy of the base rate."""
    y = torch.zeros(100, dtype=torch.float64)
    y[:2] = 1
    best = math.log(0.02 / 0.98)
    losses = {shift: float(pointwise("binary", torch.full_like(y, best + shift), y).mean()) for shift in (-0.1, 0.0, 0.1)}
    assert min(losses, key=losses.get) == 0.0
    assert losses[0.0] == pytest.approx(-(0.02 * math.log(0.02) + 0.98 * math.log(0.98)), abs=1e-12)


def batch_of(labels: dict[str, torch.Tensor], observed: dict[str, torch.Tensor]) -> Batch:
    rows = len(next(iter(labels.values())))
    return Batch(Schema((), TASKS), torch.zeros(rows, 0, dtype=torch.long), torch.zeros(rows, 0), labels=labels,
                 observed=observed)


def layer_of(spec: Pointwise = PLAIN):
    return spec.build(Shape(Schema((), TASKS), TASKS, at="losses"))


def test_average_over_observed_rows_only():
    """L = Σ δ·ℓ / Σ δ, never divided by the batch; a NaN in an unobserved row reaches neither loss nor gradient."""
    logits = torch.tensor([0.0, 2.0, -2.0, 50.0], requires_grad=True)
    seen = torch.tensor([True, True, True, False])
    labels = torch.tensor([1.0, 1.0, 1.0, math.nan])
    layer = layer_of()
    loss = layer({"click": logits}, Branches({}), batch_of({"click": labels}, {"click": seen}), {})["click"]
    assert float(loss.detach()) == pytest.approx((0.693147 + 0.126928 + 2.126928) / 3, abs=1e-6)
    loss.backward()
    assert torch.isfinite(logits.grad).all() and float(logits.grad[3]) == 0.0
    torch.testing.assert_close(logits.grad[:3], (torch.sigmoid(logits.detach()[:3]) - 1) / 3)


def test_nothing_observed_is_zero():
    """No observed row: loss 0 with gradient 0, never 0/0."""
    logits = torch.ones(3, requires_grad=True)
    batch = batch_of({"stars": torch.full((3,), math.nan)}, {"stars": torch.zeros(3, dtype=torch.bool)})
    loss = layer_of()({"stars": logits}, Branches({}), batch, {})["stars"]
    loss.backward()
    assert float(loss.detach()) == 0.0 and (logits.grad == 0).all()


def test_no_labels_no_losses():
    """What a server sees has no loss; with labels, the branches' penalties come along."""
    logits = {"click": torch.zeros(2)}
    branches = Branches({}, {"balance": torch.tensor(0.5)})
    labelled = batch_of({"click": torch.ones(2)}, {"click": torch.ones(2, dtype=torch.bool)})
    assert layer_of()(logits, branches, labelled.unlabelled(), {}) == {}
    assert set(layer_of()(logits, branches, labelled, {})) == {"click", "penalty.balance"}


def test_what_towers_teach_joins_its_task_or_stands_alone():
    """(ln 2 · 2 + 3) / (2 + 4) for the task of that name; 5 / 2, and 0 of nothing, for names of their own."""
    batch = batch_of({"click": torch.ones(2)}, {"click": torch.ones(2, dtype=torch.bool)})
    taught = {name: (torch.tensor(summed), torch.tensor(count)) for name, summed, count in (
        ("click", 3.0, 4), ("guess", 5.0, 2), ("nothing", 0.0, 0))}
    found = layer_of()({"click": torch.zeros(2)}, Branches({}), batch, taught)
    assert {name: float(loss) for name, loss in found.items()} == {
        "click": pytest.approx((2 * math.log(2) + 3) / 6), "guess": 2.5, "nothing": 0.0}


def test_every_task_has_its_kind():
    """Binary gets cross entropy, share and regression squared errors (YouTube 13)."""
    logits = {t.name: torch.tensor([1.0]) for t in TASKS}
    labels, seen = {t.name: torch.tensor([0.5]) for t in TASKS}, {t.name: torch.tensor([True]) for t in TASKS}
    losses = layer_of()(logits, Branches({}), batch_of(labels, seen), {})
    p = 1 / (1 + math.exp(-1))
    assert float(losses["click"]) == pytest.approx(math.log1p(math.e) - 0.5)
    assert float(losses["share"]) == pytest.approx((p - 0.5) ** 2)
    assert float(losses["stars"]) == pytest.approx(0.25)


def test_weights_weigh():
    """L = Σ w_k L_k, 1 where no weight is given; a task with weight 0 sends no gradient."""
    layer = layer_of(Pointwise(weights={"click": 0.5, "share": 0.0}))
    a, b, c = (torch.tensor(x, requires_grad=True) for x in (2.0, 3.0, 5.0))
    total = weighted_sum({"click": a, "share": b, "stars": c, "penalty.balance": torch.tensor(0.25)}, layer.weights)
    total.backward()
    assert float(total.detach()) == 0.5 * 2 + 0 * 3 + 5 + 0.25
    assert (float(a.grad), float(b.grad), float(c.grad)) == (0.5, 0.0, 1.0)


def test_weight_of_an_unknown_task_is_refused():
    spec = Pointwise(weights={"clic": 2.0})
    with pytest.raises(ZooError) as refusal:
        spec.after(Shape(Schema((), TASKS), TASKS, at="losses"))
    assert refusal.value.at == "losses.weights.clic" and "Did you mean 'click'?" in str(refusal.value)
    assert spec.fitted(Schema((), TASKS)) == (Pointwise(), ("clic",))


# Losses that are chosen -------------------------------------------------------------------------------------------------

def each(spec: Pointwise, task: str, s: list[float], y: list[float]) -> Tensor:
    """The loss of every row of one task, in float64."""
    return layer_of(spec).each(task, torch.tensor(s, dtype=torch.float64), torch.tensor(y, dtype=torch.float64))


@pytest.mark.parametrize("s, y, value", [(0, 1, 0.043322), (2, 1, 0.000451), (-2, 1, 0.412520), (2, 0, 1.237559)])
def test_focal_values(s, y, value):
    """The sheet's, with the defaults of its authors: α = 0.25, γ = 2."""
    found = each(Pointwise(how={"click": "focal"}), "click", [s], [y])
    assert float(found) == pytest.approx(value, abs=5e-7)


def test_focal_without_focus_is_half_the_cross_entropy():
    """γ = 0, α = 0.5."""
    s, y = torch.linspace(-4, 4, 9, dtype=torch.float64), torch.tensor([0.0, 1, 0, 1, 0, 1, 0, 1, 0], dtype=torch.float64)
    torch.testing.assert_close(focal(s, y, 0.0, 0.5), pointwise("binary", s, y) / 2)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_is_finite_at_the_ends(gamma):
    """Logits of ±200, right and wrong: no infinite power, no NaN in the gradient."""
    s = torch.tensor([200.0, -200.0, 200.0, -200.0], requires_grad=True)
    loss = focal(s, torch.tensor([1.0, 1.0, 0.0, 0.0]), gamma, 0.25)
    loss.sum().backward()
    assert torch.isfinite(loss).all() and torch.isfinite(s.grad).all()
    assert loss.detach()[1:3].tolist() == pytest.approx([0.25 * 200, 0.75 * 200])


def minimiser(loss, share: float) -> float:
    """The probability that a constant logit predicts where it makes the expected loss least."""
    s = torch.linspace(-8, 8, 160_001, dtype=torch.float64)
    expected = share * loss(s, torch.ones_like(s)) + (1 - share) * loss(s, torch.zeros_like(s))
    return float(torch.sigmoid(s[expected.argmin()]))


@pytest.mark.parametrize("share, predicted", [(0.05, 0.250), (0.2, 0.373), (0.5, 0.5)])
def test_focal_is_not_proper(share, predicted):
    """Table of section 4: γ = 2 without α predicts 0.25 where 0.05 is true; cross entropy and squared error are calibrated."""
    assert minimiser(lambda s, y: focal(s, y, 2.0, 0.5), share) == pytest.approx(predicted, abs=6e-4)
    for kind in ("binary", "share"):
        assert minimiser(lambda s, y, kind=kind: pointwise(kind, s, y), share) == pytest.approx(share, abs=1e-4)


def test_focal_weighs_negatives_more():
    """α = 0.25 pushes the prediction down, a detection's choice: the opposite of what a rare click suggests."""
    assert minimiser(lambda s, y: focal(s, y, 2.0, 0.25), 0.2) < minimiser(lambda s, y: focal(s, y, 2.0, 0.5), 0.2)


def test_no_pointwise_loss_is_shift_invariant():
    """Table of section 4: the level of a logit means something to each of them."""
    s, y = torch.tensor([0.3, -1.0], dtype=torch.float64), torch.tensor([1.0, 0.0], dtype=torch.float64)
    for loss in (lambda s: pointwise("binary", s, y), lambda s: pointwise("share", s, y), lambda s: focal(s, y, 2.0, 0.25)):
        assert float((loss(s + 1).mean() - loss(s).mean()).abs()) > 0.01


def test_squared_error_of_a_probability():
    """Binary with `squared` is the Brier score."""
    found = each(Pointwise(how={"click": "squared"}), "click", [0.0, 2.0], [1.0, 0.0])
    assert found.tolist() == pytest.approx([0.25, (1 / (1 + math.exp(-2))) ** 2])


def test_cross_entropy_of_a_share():
    """A label of 0.3 is a share of a positive: softplus(s) − 0.3·s, least at sigmoid(s) = 0.3."""
    found = each(Pointwise(how={"share": "cross_entropy"}), "share", [1.0], [0.3])
    assert float(found) == pytest.approx(math.log1p(math.e) - 0.3)


def test_huber_values():
    """½e² inside δ, δ(|e| − ½δ) outside, and the same slope from there on."""
    spec = Pointwise(how={"stars": "huber"}, delta=2.0)
    assert each(spec, "stars", [1.0, 2.0, 5.0, -5.0], [0.0] * 4).tolist() == pytest.approx([0.5, 2.0, 8.0, 8.0])
    s = torch.tensor([3.0, 300.0], requires_grad=True)
    layer_of(spec).each("stars", s, torch.zeros(2)).sum().backward()
    assert s.grad.tolist() == [2.0, 2.0]


def test_weighted_logistic_learns_the_odds():
    """Of six rows two were watched, 3 and 5 minutes: the best constant has odds ΣT / (N − k) = 8 / 4 = E[T] / (1 − P)."""
    y = torch.tensor([3.0, 5.0, 0.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    s = torch.linspace(-4, 4, 80_001, dtype=torch.float64)
    total = sum(weighted_logistic(s, torch.full_like(s, float(value))) for value in y)
    assert float(s[total.argmin()].exp()) == pytest.approx(8 / 4, abs=1e-3)
    assert 8 / 4 == pytest.approx(float(y.mean()) / (1 - 2 / 6))
    assert weighted_logistic(torch.tensor([0.0, 0.0, 0.0]), torch.tensor([3.0, 0.0, -1.0])).tolist() == pytest.approx(
        [3 * math.log(2), math.log(2), math.log(2)])


@pytest.mark.parametrize("how, task", [("focal", "click"), ("squared", "click"), ("cross_entropy", "share"), ("huber", "stars"),
                                       ("weighted_logistic", "stars")])
def test_chosen_losses_gradcheck(how, task):
    """Every choice against finite differences in float64."""
    layer, y = layer_of(Pointwise(how={task: how})), torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    s = torch.linspace(-3, 3, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: layer.each(task, x, y), s)


def test_what_is_served_is_the_value():
    """A weighted logistic loss changes what a logit means: the model hands on exp(s), so that its RMSE is of the watch time."""
    schema = rich()
    batch, times = random_batch(schema, 64), {"losses": Pointwise(how={"stars": "weighted_logistic"})}
    blueprint = Blueprint(tasks=("click", "stars"), towers=MlpTower(widths=(4,)))
    plain_model, model = (randomised(RankingModel(each, schema)) for each in (blueprint, blueprint.model_copy(update=times)))
    raw, found = predict(plain_model, batch), predict(model, batch)
    np.testing.assert_allclose(found["stars"], np.exp(raw["stars"]), rtol=1e-5)
    np.testing.assert_allclose(found["click"], raw["click"])
    seen = batch.observed["stars"].numpy()
    errors = np.exp(raw["stars"]) - batch.labels["stars"].numpy()
    assert evaluate(found, batch, schema)["stars"]["rmse"] == pytest.approx(np.sqrt((errors[seen] ** 2).mean()), rel=1e-5)


def test_a_served_value_is_finite_and_starts_at_the_mean():
    """exp(s) is cut at e^20; the bias starts where the mean watch time is served."""
    layer = layer_of(Pointwise(how={"stars": "weighted_logistic"}))
    assert float(layer.served("stars", torch.tensor(1e4))) == pytest.approx(math.exp(LARGEST))
    assert float(layer.served("stars", torch.tensor(layer.start("stars", 3.7)))) == pytest.approx(3.7)
    assert math.isfinite(layer.start("stars", -1.0)) and layer.start("click", -1.5) == -1.5


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("how", sorted({how for fit in FIT.values() for how in fit}))
def test_a_loss_stands_for_its_labels_only(task, how):
    """What is made for other labels is refused, with the address and what may stand there."""
    spec, shape = Pointwise(how={task.name: how}), Shape(Schema((), TASKS), TASKS, at="losses")
    if how in FIT[task.kind]:
        assert spec.after(shape) is shape and spec.named(task)
        return
    with pytest.raises(ZooError) as refusal:
        spec.after(shape)
    assert refusal.value.at == f"losses.how.{task.name}" and f"Choose one of: {', '.join(FIT[task.kind])}." in str(refusal.value)


def test_a_loss_of_an_unknown_task_is_refused():
    with pytest.raises(ZooError, match="A loss is given for 'clic', which is no task of the model. Did you mean 'click'?"):
        Pointwise(how={"clic": "focal"}).after(Shape(Schema((), TASKS), TASKS, at="losses"))


def test_chosen_losses_on_other_data():
    """A choice goes with its task, and where the task has other labels there."""
    spec = Pointwise(how={"click": "focal", "share": "squared", "gone": "squared"}, weights={"gone": 2.0})
    other = Schema((), (Task("click", "share"), Task("share")))
    assert spec.fitted(other) == (Pointwise(how={"share": "squared"}), ("gone", "click"))


def test_the_default_is_the_plain_loss():
    """No choice, or that of the plain loss by name: the same to the bit."""
    named = Pointwise(how={"click": "cross_entropy", "share": "squared", "stars": "squared"})
    for task in TASKS:
        s, y = torch.linspace(-3, 3, 7), torch.linspace(0, 1, 7)
        assert torch.equal(layer_of().each(task.name, s, y), layer_of(named).each(task.name, s, y))
        assert PLAIN.named(task) == named.named(task)


def test_set_by_address():
    """`losses.how.click` and `losses.kind` are settings like any other; the card says the loss's name."""
    document = Document.preset("mmoe").but([("losses.how.click", "focal"), ("losses.gamma", 1.0)]).check()
    assert document.blueprint.losses.how == {"click": "focal"} and document.blueprint.losses.gamma == 1.0
    cards = {b.title: b.detail for b in document.blueprint.blocks(document.schema()) if b.slot == "losses"}
    assert cards == {"click": "focal loss", "completion": "cross-entropy", "like": "cross-entropy", "dismiss": "cross-entropy"}
    with pytest.raises(ZooError, match="Setting losses.how.click: one of cross_entropy, focal, squared, huber, .* Found 'foc'."):
        Document.preset("mmoe").but([("losses.how.click", "foc")])
