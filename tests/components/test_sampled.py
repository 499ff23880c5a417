"""Sampled negatives: the log-odds correction in training and in serving."""
from __future__ import annotations

import math

import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.losses.sampled import Sampled
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.towers.bare import Bare
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch, Branches
from tests.support import rich

SCHEMA = Schema((Feature("cell", "categorical", 6),), (Task("click"),))
RATES = torch.tensor([0.02, 0.1, 0.3, 0.5, 0.8])
KEPT = 0.1


def rows(kept: float) -> Batch:
    """10,000 rows per cell with exactly the cell's rate, of whose negatives every one in 1 / kept is left."""
    ids, labels = [], []
    for cell, rate in enumerate(RATES.tolist(), 1):
        ones, zeros = round(10_000 * rate), round(10_000 * (1 - rate) * kept)
        ids += [cell] * (ones + zeros)
        labels += [1.0] * ones + [0.0] * zeros
    label = torch.tensor(labels)
    return Batch(SCHEMA, torch.tensor(ids).unsqueeze(1), torch.zeros(len(label), 0), labels={"click": label},
                 observed={"click": torch.ones(len(label), dtype=torch.bool)}, group=torch.arange(len(label)))


def saturated(loss: Sampled | Pointwise, batch: Batch) -> torch.Tensor:
    """The logit served per cell by a look-up table of one weight per cell, trained to its optimum: (cell,)."""
    model = RankingModel(Blueprint(representation=OneHot(), interaction=(Linear(bias=False),), towers=Bare(), losses=loss,
                                   tasks=("click",)), SCHEMA)
    found = torch.optim.LBFGS([p for p in model.parameters() if p.requires_grad], lr=1.0, max_iter=200, tolerance_grad=1e-10,
                              line_search_fn="strong_wolfe")

    def closure():
        found.zero_grad()
        total = sum(model(batch).losses.values())
        total.backward()
        for parameter in model.parameters():
            parameter.grad = parameter.grad.to_dense() if parameter.grad is not None else None
        return total

    found.step(closure)
    cells = Batch(SCHEMA, torch.arange(1, 6).unsqueeze(1), torch.zeros(5, 0))
    with torch.no_grad():
        return model.eval()(cells).logits["click"]


def test_both_routes_give_the_rates_of_all_rows():
    """Trained on a tenth of the negatives, either route serves the probabilities of the unsampled rows."""
    sampled = rows(KEPT)
    found = {route: saturated(Sampled(kept={"click": KEPT}, correct=route), sampled) for route in ("training", "serving")}
    torch.testing.assert_close(found["training"], found["serving"], rtol=0, atol=0.02)
    torch.testing.assert_close(torch.sigmoid(found["training"]), RATES, rtol=0.02, atol=0)
    uncorrected = saturated(Pointwise(), sampled)
    torch.testing.assert_close(uncorrected - found["training"], torch.full((5,), -math.log(KEPT)), rtol=0, atol=0.02)


def test_the_mean_prediction_is_the_base_rate_of_all_rows():
    """Over the cells, which are equally common."""
    p = torch.sigmoid(saturated(Sampled(kept={"click": KEPT}), rows(KEPT)))
    assert float(p.mean()) == pytest.approx(float(RATES.mean()), rel=0.01)


@pytest.mark.parametrize("route", ["training", "serving"])
def test_all_rows_kept_is_the_plain_loss(route):
    """r = 1 is the identity, and no share is r = 1."""
    logits, batch = {"click": torch.linspace(-3, 3, len(rows(1.0)))}, rows(1.0)
    shape = Shape(SCHEMA, SCHEMA.tasks)
    plain = Pointwise().build(shape)(logits, Branches({}), batch, {})["click"]
    for spec in (Sampled(correct=route), Sampled(kept={"click": 1.0}, correct=route)):
        layer = spec.build(shape)
        assert torch.equal(layer(logits, Branches({}), batch, {})["click"], plain)
        assert torch.equal(layer.served("click", logits["click"]), logits["click"]) and layer.start("click", 0.3) == 0.3
        assert spec.uncalibrated(SCHEMA.tasks[0]) == ""


def test_a_row_by_hand():
    """s = 0, r = 1/4: ℓ = ln(1 + 4) − y·ln 4."""
    layer = Sampled(kept={"click": 0.25}).build(Shape(SCHEMA, SCHEMA.tasks))
    found = layer.each("click", torch.zeros(2), torch.tensor([0.0, 1.0]))
    assert found.tolist() == pytest.approx([math.log(5), math.log(5) - math.log(4)], abs=1e-6)
    served = Sampled(kept={"click": 0.25}, correct="serving").build(Shape(SCHEMA, SCHEMA.tasks))
    assert float(served.served("click", torch.zeros(1))) == pytest.approx(-math.log(4))


@pytest.mark.parametrize("route", ["training", "serving"])
def test_a_training_starts_at_the_best_constant(route):
    """What starts is served as the rows' own logit moved by ln r, on either route."""
    layer = Sampled(kept={"click": 0.1}, correct=route).build(Shape(SCHEMA, SCHEMA.tasks))
    start = torch.tensor([layer.start("click", 0.7)])
    assert float(layer.served("click", start)) == pytest.approx(0.7 + math.log(0.1))


def test_it_says_why_no_calibration_is_told():
    assert "left out of these" in Sampled(kept={"click": 0.1}).uncalibrated(SCHEMA.tasks[0])


@pytest.mark.parametrize("kept, words", [({"share": 0.5}, "'share' has no negatives"), ({"swipe": 0.5}, "no task of the model")])
def test_refusals(kept, words):
    with pytest.raises(ZooError, match=words):
        Blueprint(losses=Sampled(kept=kept), tasks=("click", "share")).places(rich())


def test_other_data_drop_what_they_lack():
    spec, gone = Sampled(kept={"click": 0.5, "swipe": 0.5}).fitted(SCHEMA)
    assert spec.kept == {"click": 0.5} and gone == ("swipe",)
