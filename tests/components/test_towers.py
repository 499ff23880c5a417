"""Towers: the deep network, the bare sum, and the side tower for position bias (YouTube sheet, 11)."""
from __future__ import annotations

import pytest
import torch

from rankzoo.components.towers.bare import Bare
from rankzoo.components.towers.biased import Biased
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.errors import ZooError
from rankzoo.schema import Feature, Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Branches, Signal
from rankzoo.trace import Trace
from tests.support import OFF, numel, randomised

TASKS = ("click", "like")
SCHEMA = Schema((Feature("position", "categorical", 5, bias=True), Feature("device", "categorical", 3),
                 Feature("page", "categorical", 4), Feature("price", "numeric")), tuple(Task(t) for t in TASKS))
ON_CLICK = Biased(widths=(4,), on=("click",))


def shape(branch: int = 3, head: dict[str, int] | None = None, logits: bool = False) -> Shape:
    origin = {f.name: f"representation.{f.name}" for f in SCHEMA.features}
    origin |= {f"branch.{t}": f"sharing.{t}" for t in TASKS}
    return Shape(SCHEMA, SCHEMA.tasks, branch=branch, joined=branch, head=head or {}, logits=logits, origin=origin, at="towers")


def given(rows: int = 6, branch: int = 3) -> tuple[Branches, Signal]:
    rng = torch.Generator().manual_seed(0)
    vectors = {t: torch.randn(rows, branch, generator=rng) for t in TASKS}
    aside = {f.name: torch.randint(1, f.vocabulary, (rows,), generator=rng) for f in SCHEMA.categorical}
    return Branches(vectors), Signal(aside=aside, head={"x": torch.randn(rows, 2, generator=rng)},
                                     logits={t: torch.randn(rows, generator=rng) for t in TASKS})


def test_mlp_by_hand():
    """w·[head; MLP(f)] + b + Σ logits; deep and wide part recorded apart add up to the logit."""
    layer, trace = randomised(MlpTower(widths=(4,)).build(shape(head={"x": 2}, logits=True))), Trace()
    branches, signal = given()
    found = layer(branches, signal, trace)
    for task in TASKS:
        first, head = layer.deep[task][0], layer.head[task]
        hidden = torch.relu(branches.vectors[task] @ first.weight.T + first.bias)
        deep = torch.cat([signal.head["x"], hidden], 1) @ head.weight[0] + head.bias
        torch.testing.assert_close(found[task], deep + signal.logits[task])
        torch.testing.assert_close(trace[f"deep.{task}"].values + trace[f"wide.{task}"].values, found[task].detach())


def test_mlp_without_hidden_layers_is_linear():
    """widths = (): one linear map of the branch."""
    spec = MlpTower(widths=(), head_bias=False)
    layer, (branches, signal) = randomised(spec.build(shape())), given()
    found = layer(branches, Signal(aside=signal.aside), OFF)
    torch.testing.assert_close(found["like"], branches.vectors["like"] @ layer.head["like"].weight[0])
    assert spec.count(shape()).parameters == numel(layer) == 2 * 3


def test_towers_are_separate():
    """Task a's logit has no gradient in task b's tower; the two towers start different."""
    layer, (branches, signal) = MlpTower(widths=(4,)).build(shape()), given()
    layer(branches, signal, OFF)["click"].sum().backward()
    assert all(p.grad is None for p in [*layer.deep["like"].parameters(), *layer.head["like"].parameters()])
    assert all(p.grad is not None for p in layer.deep["click"].parameters())
    assert not torch.allclose(layer.deep["click"][0].weight, layer.deep["like"][0].weight)


def test_bare_adds_up():
    """Only logits: their sum is the answer and nothing is owned; with a vector, one biased linear map per task."""
    branches, signal = given()
    empty = Bare().build(shape(branch=0, logits=True))
    assert numel(empty) == 0
    assert all(torch.equal(logit, signal.logits[t]) for t, logit in empty(Branches({}), signal, OFF).items())
    spec, full = Bare(), shape(head={"x": 2}, logits=True)
    layer = randomised(spec.build(full))
    head = layer.head["click"]
    expected = torch.cat([signal.head["x"], branches.vectors["click"]], 1) @ head.weight[0] + head.bias + signal.logits["click"]
    torch.testing.assert_close(layer(branches, signal, OFF)["click"], expected)
    assert spec.count(full).parameters == numel(layer) == 2 * (3 + 2 + 1)


@pytest.mark.parametrize("spec", [MlpTower(widths=(4,)), Biased(widths=(4,)), Bare()], ids=lambda s: s.kind)
def test_begin_sets_the_last_bias(spec):
    """The best constant guess enters the last bias, and nothing else moves."""
    layer = spec.build(shape())
    before = {name: p.clone() for name, p in layer.named_parameters()}
    assert layer.begin("click", -1.5)
    changed = [name for name, p in layer.named_parameters() if not torch.equal(p, before[name])]
    assert changed == ["head.click.bias"] and layer.head["click"].bias.tolist() == [-1.5]


# The side tower --------------------------------------------------------------------------------------------------------

def biased(spec: Biased = ON_CLICK, seed: int = 0):
    return randomised(spec.build(shape()), seed)


def by_hand(layer, position: torch.Tensor, device: torch.Tensor) -> torch.Tensor:
    a, b, both = layer.bias.scalars
    return a[position] + b[device] + both[position * 3 + device]


def test_logit_is_utility_plus_bias_in_training():
    """YouTube 6: logit = y + b(position, device) on the biased head, ∂logit/∂b = 1, no gradient from the other head."""
    spec = Biased(widths=(4,), on=("click",), drop_position=0.0)
    layer, (branches, signal) = biased(spec).train(), given()
    plain = MlpTower(widths=(4,)).build(shape())
    plain.load_state_dict({n: v for n, v in layer.state_dict().items() if not n.startswith("bias")})
    found, without = layer(branches, Signal(aside=signal.aside), OFF), plain(branches, Signal(aside=signal.aside), OFF)
    b = by_hand(layer, signal.aside["position"], signal.aside["device"])
    torch.testing.assert_close(found["click"], without["click"] + b)
    assert torch.equal(found["like"], without["like"])
    found["like"].sum().backward()
    assert all(table.grad is None for table in layer.bias.scalars)
    layer(branches, Signal(aside=signal.aside), OFF)["click"].sum().backward()
    rows = torch.bincount(signal.aside["position"], minlength=5).float()
    torch.testing.assert_close(layer.bias.scalars[0].grad, rows)  # d logit / d b = 1, once per row


def test_serving_does_not_know_the_position():
    """YouTube 7: missing → permuting positions changes nothing; drop_tower → the main logit exactly."""
    branches, signal = given()
    other = {**signal.aside, "position": signal.aside["position"].flip(0)}
    for serve in ("missing", "drop_tower"):
        layer = biased(Biased(widths=(4,), on=("click",), serve=serve)).eval()
        found, moved = layer(branches, Signal(aside=signal.aside), OFF), layer(branches, Signal(aside=other), OFF)
        assert torch.equal(found["click"], moved["click"])
        main = layer.head["click"](layer.deep["click"](branches.vectors["click"])).squeeze(1)
        extra = by_hand(layer, torch.zeros(6, dtype=torch.long), signal.aside["device"]) if serve == "missing" else 0
        torch.testing.assert_close(found["click"], main + extra)


def test_missing_and_dropped_order_alike():
    """YouTube 8: on one device both ways of serving sort by the click head alike, with different probabilities."""
    branches, signal = given()
    one_device = Signal(aside={**signal.aside, "device": torch.full((6,), 2)})
    missing, dropped = (biased(Biased(widths=(4,), on=("click",), serve=s)).eval()(branches, one_device, OFF)["click"]
                        for s in ("missing", "drop_tower"))
    assert torch.equal(missing.argsort(), dropped.argsort()) and not torch.allclose(missing, dropped)


@pytest.mark.parametrize("rate, low, high", [(1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.1, 0.08, 0.12)])
def test_position_dropout(rate, low, high):
    """YouTube 10: in training a share of the rows sees the missing row 0, which has scalars of its own and is trained."""
    layer = biased(Biased(widths=(4,), on=("click",), drop_position=rate)).train()
    torch.manual_seed(0)
    ids = torch.full((4000,), 3)
    masked = layer.masked(Signal(aside={"position": ids}))["position"]
    assert set(masked.tolist()) <= {0, 3}
    assert low <= float((masked == 0).float().mean()) <= high
    if rate == 1.0:
        branches, signal = given()
        layer(branches, Signal(aside=signal.aside), OFF)["click"].sum().backward()
        assert layer.bias.scalars[0].grad.tolist() == [6.0, 0, 0, 0, 0]


def test_only_what_is_logged_is_dropped():
    """The device is known when serving: it stays, only the bias feature goes missing."""
    layer = biased().train()
    assert layer.logged == ("position",) and set(layer.masked(given()[1])) == {"position"}


def test_bias_table_and_trace():
    """`bias.table` holds b for every (slot, device), `bias.row` what each row got."""
    layer, trace = biased().eval(), Trace()
    branches, signal = given()
    layer(branches, signal, trace)
    table = trace["bias.table"]
    assert table.values.shape == (5, 3) and table.axes == ("slot", "by")
    positions, devices = torch.arange(5).repeat_interleave(3), torch.arange(3).repeat(5)
    torch.testing.assert_close(table.values.reshape(-1), by_hand(layer, positions, devices).detach())
    torch.testing.assert_close(trace["bias.row"].values, table.values[0, signal.aside["device"]])


def test_starts_without_bias():
    """All scalars start at 0: the first step is the main tower's."""
    layer = Biased(widths=(4,), on=("click",)).build(shape())
    assert all((table == 0).all() for table in layer.bias.scalars)


@pytest.mark.parametrize("by, scalars", [(("position",), 5), (("position", "device"), 5 + 3 + 15),
                                         (("position", "device", "page"), 5 + 3 + 4 + 15 + 20 + 12)])
def test_count(by, scalars):
    """One scalar per value, one per pair of values, for every pair of features."""
    spec = Biased(widths=(4,), by=by, on=("click",))
    layer, count = spec.build(shape()), spec.count(shape())
    assert count.within("bias").parameters == numel(layer.bias) == scalars and count.parameters == numel(layer)
    branches, signal = given()
    assert layer(branches, signal, OFF)["click"].shape == (6,)


def test_gradcheck():
    """All weights of the biased tower, side tower included, against finite differences in float64."""
    layer = biased(Biased(widths=(3,), activation="tanh", on=("click",), drop_position=0.0)).double().train()
    branches, signal = given(3)
    branches = Branches({t: v.double() for t, v in branches.vectors.items()})
    names, values = zip(*[(name, p.detach().clone().requires_grad_()) for name, p in layer.named_parameters()], strict=True)
    assert torch.autograd.gradcheck(lambda *new: tuple(torch.func.functional_call(
        layer, dict(zip(names, new, strict=True)), (branches, Signal(aside=signal.aside), OFF)).values()), values)


@pytest.mark.parametrize("spec, given_shape, at, words", [
    (MlpTower(), shape(branch=0), "towers", "The deep network has no input"),
    (Bare(), shape(branch=0), "towers", "Nothing reaches the tower"),
    (Biased(by=("slot",)), shape(), "towers.by.0", "no feature 'slot'"),
    (Biased(by=("position", "price")), shape(), "towers.by.1", "'price' is a number"),
    (Biased(by=("device",)), shape(), "towers.by", "None of the side tower's inputs is a bias feature"),
    (Biased(on=("clicks",)), shape(), "towers.on.0", "'clicks', which is no task"),
    (Biased(by=("position", "position")), shape(), "towers.by.1", "'position' is named twice."),
    (Biased(on=("click", "click")), shape(), "towers.on.1", "'click' is named twice.")])
def test_refusals(spec, given_shape, at, words):
    with pytest.raises(ZooError) as refusal:
        spec.after(given_shape)
    assert refusal.value.at == at and words in str(refusal.value)
