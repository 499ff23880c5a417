"""Pointwise losses: the values of the losses sheet, masks, and what a missing label must not do."""
from __future__ import annotations

import math

import pytest
import torch

from rankzoo.components.losses.pointwise import Pointwise, pointwise
from rankzoo.errors import ZooError
from rankzoo.schema import Schema, Shape, Task
from rankzoo.signals import Batch, Branches
from rankzoo.training.combine import weighted_sum

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
    loss = layer({"click": logits}, Branches({}), batch_of({"click": labels}, {"click": seen}))["click"]
    assert float(loss.detach()) == pytest.approx((0.693147 + 0.126928 + 2.126928) / 3, abs=1e-6)
    loss.backward()
    assert torch.isfinite(logits.grad).all() and float(logits.grad[3]) == 0.0
    torch.testing.assert_close(logits.grad[:3], (torch.sigmoid(logits.detach()[:3]) - 1) / 3)


def test_nothing_observed_is_zero():
    """No observed row: loss 0 with gradient 0, never 0/0."""
    logits = torch.ones(3, requires_grad=True)
    batch = batch_of({"stars": torch.full((3,), math.nan)}, {"stars": torch.zeros(3, dtype=torch.bool)})
    loss = layer_of()({"stars": logits}, Branches({}), batch)["stars"]
    loss.backward()
    assert float(loss.detach()) == 0.0 and (logits.grad == 0).all()


def test_no_labels_no_losses():
    """What a server sees has no loss; with labels, the branches' penalties come along."""
    logits = {"click": torch.zeros(2)}
    branches = Branches({}, {"balance": torch.tensor(0.5)})
    labelled = batch_of({"click": torch.ones(2)}, {"click": torch.ones(2, dtype=torch.bool)})
    assert layer_of()(logits, branches, labelled.unlabelled()) == {}
    assert set(layer_of()(logits, branches, labelled)) == {"click", "penalty.balance"}


def test_every_task_has_its_kind():
    """Binary gets cross entropy, share and regression squared errors (YouTube 13)."""
    logits = {t.name: torch.tensor([1.0]) for t in TASKS}
    labels, seen = {t.name: torch.tensor([0.5]) for t in TASKS}, {t.name: torch.tensor([True]) for t in TASKS}
    losses = layer_of()(logits, Branches({}), batch_of(labels, seen))
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
