"""Residual units: the measured invariants and mistakes of the feature-crossing sheet, d, and the worked count."""
from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.residual import Residual, ResidualLayer, ResidualUnits
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Branches, Signal
from rankzoo.trace import Trace
from tests.support import OFF, fill, flops, numel, random_batch, randomised, rich
from tests.wiring import assert_wired

TASKS, D = ("click", "like"), 3
SCHEMA = Schema((Feature("device", "categorical", 3),), tuple(Task(t) for t in TASKS))


def shape(branch: int = D, head: dict[str, int] | None = None, logits: bool = False) -> Shape:
    return Shape(SCHEMA, SCHEMA.tasks, branch=branch, joined=branch, head=head or {}, logits=logits, at="towers")


def units(hidden: tuple[int, ...] = (4, 2), seed: int = 0) -> ResidualUnits:
    return randomised(ResidualUnits(D, hidden), seed).double()


def rows(n: int = 6) -> Tensor:
    return torch.randn(n, D, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def given() -> tuple[Branches, Signal]:
    rng = torch.Generator().manual_seed(1)
    vectors = {task: torch.randn(6, D, generator=rng) for task in TASKS}
    return Branches(vectors), Signal(head={"x": torch.randn(6, 2, generator=rng)},
                                     logits={t: torch.randn(6, generator=rng) for t in TASKS})


def test_silent_units_are_a_relu_and_not_the_identity():
    """W_1 = b_1 = 0 in every unit: ReLU(X), not X; the same only where nothing is negative, as behind ReLU embeddings."""
    layer = units()
    for unit in layer.unit:
        fill(unit.second, 0.0)
    assert torch.equal(layer(rows(), OFF), torch.relu(rows())) and not torch.equal(layer(rows(), OFF), rows())
    assert torch.equal(layer(rows().abs(), OFF), rows().abs())


def test_one_unit_by_hand():
    """l_1 = ReLU(W_0 X + b_0), l_2 = W_1 l_1 + b_1, ReLU(X + l_2): the last ReLU is there, and none stands after l_2."""
    layer, x = units((4,)), rows()
    first, second = layer.unit[0].first, layer.unit[0].second
    expected = []
    for row in x:
        inner = torch.clamp(first.weight @ row + first.bias, min=0)
        expected.append(row + second.weight @ inner + second.bias)
    expected = torch.stack(expected)
    assert (expected < 0).any()
    torch.testing.assert_close(layer(x, OFF), torch.clamp(expected, min=0))


@pytest.mark.parametrize("hidden", [(1,), (7,), (4, 2, 9)])
def test_a_unit_keeps_the_width(hidden):
    assert units(hidden)(rows(), OFF).shape == (6, D)


def test_a_unit_without_width_is_no_unit():
    for wrong in ((0,), (4, 0), ()):
        with pytest.raises(ValidationError, match="units"):
            Residual(units=wrong)


def test_head_and_added_logits():
    """s = w·[head; X] + b + Σ logits for every task; deep and wide part recorded apart add up to the logit."""
    spec, full = Residual(units=(4, 2)), shape(head={"x": 2}, logits=True)
    layer, trace, (branches, signal) = randomised(spec.build(full)), Trace(), given()
    found = layer(branches, signal, trace)
    for task in TASKS:
        head = layer.head[task]
        hidden = layer.deep[task](branches.vectors[task], OFF)
        deep = torch.cat([signal.head["x"], hidden], 1) @ head.weight[0] + head.bias
        torch.testing.assert_close(found[task], deep + signal.logits[task])
        torch.testing.assert_close(trace[f"deep.{task}"].values + trace[f"wide.{task}"].values, found[task].detach())
    assert spec.count(full).parameters == numel(layer) == 2 * (2 * 3 * 4 + 4 + 3 + 2 * 3 * 2 + 2 + 3 + (3 + 2) + 1)


def test_head_bias_can_be_left_to_a_linear_part():
    spec = Residual(units=(4,), head_bias=False)
    layer = spec.build(shape())
    assert layer.head["click"].bias is None and not layer.begin("click", 1.0)
    assert spec.count(shape()).parameters == numel(layer)
    biased = Residual(units=(4,)).build(shape())
    assert biased.begin("like", -1.5) and biased.head["like"].bias.tolist() == [-1.5]


def test_tasks_have_units_of_their_own():
    """Task a's logit has no gradient in task b's units; the two start different."""
    layer, (branches, _) = Residual(units=(4,)).build(shape()), given()
    layer(branches, Signal(), OFF)["click"].sum().backward()
    assert all(p.grad is None for p in [*layer.deep["like"].parameters(), *layer.head["like"].parameters()])
    assert all(p.grad is not None for p in layer.deep["click"].parameters())
    assert not torch.allclose(layer.deep["click"].unit[0].first.weight, layer.deep["like"].unit[0].first.weight)


def test_how_much_a_unit_rewrites_is_kept():
    """‖l_2‖ / ‖X‖ per unit and row; a row of zeros has a finite one."""
    layer, trace, x = units((4,)), Trace(), rows()
    x[0] = 0.0
    layer(x, trace)
    unit = layer.unit[0]
    correction = unit.second(torch.relu(unit.first(x))).detach()
    torch.testing.assert_close(trace["unit.0.ratio"].values[1:], correction[1:].norm(dim=1) / x[1:].norm(dim=1))
    assert torch.isfinite(trace["unit.0.ratio"].values).all()
    assert trace.kinds() == ("vector",)


@pytest.mark.parametrize("tasks", [("click",), ("click", "share")])
def test_in_a_whole_model(tasks):
    """Counts unit by unit, FLOPs, the trace's addresses and the diagram, alone and with several tasks."""
    schema = rich()
    blueprint = Blueprint(tasks=tasks, representation=Embeddings(dim=4, relu=True), towers=Residual(units=(8, 5)))
    model, trace = randomised(RankingModel(blueprint, schema)), Trace()
    count, modules, d = blueprint.count(schema), dict(model.named_modules()), 4 * 4 + 2
    assert count.parameters == numel(model) and count.flops == flops(model, random_batch(schema))
    for task in tasks:
        for i, h in enumerate((8, 5)):
            part = count.within(f"towers.deep.{task}.unit.{i}")
            assert part.parameters == 2 * d * h + h + d == numel(modules[f"towers.deep.{task}.unit.{i}"])
    model.eval()(random_batch(schema), trace)
    assert f"towers.deep.{tasks[-1]}.unit.1.ratio" in trace.entries
    assert_wired(blueprint, schema)


def test_gradcheck():
    """Rows and weights against finite differences in float64."""
    layer = units()
    assert torch.autograd.gradcheck(lambda x: layer(x, OFF), rows().requires_grad_())
    names, values = zip(*[(name, p.detach().clone().requires_grad_()) for name, p in layer.named_parameters()], strict=True)
    assert torch.autograd.gradcheck(
        lambda *new: torch.func.functional_call(layer, dict(zip(names, new, strict=True)), (rows(), OFF)), values)


def test_nothing_to_read_is_refused():
    with pytest.raises(ZooError, match="The deep network has no input") as refusal:
        Residual().after(shape(branch=0))
    assert refusal.value.at == "towers"
    assert isinstance(Residual().build(shape()), ResidualLayer)
