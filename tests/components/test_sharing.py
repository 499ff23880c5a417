"""Direct, shared bottom and MMoE: the invariants of the multi-task sheet (1, 2) and of YouTube's gates."""
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rankzoo.components.sharing.direct import Direct
from rankzoo.components.sharing.mmoe import MMoE, MMoELayer
from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.errors import ZooError
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape
from rankzoo.trace import Trace
from tests.support import OFF, fill, numel, randomised

TASKS = ("a", "b", "c")
D = 5


def shape(joined: int = D) -> Shape:
    tasks = tuple(Task(name) for name in TASKS)
    return Shape(Schema((), tasks), tasks, joined=joined, branch=joined, origin={"joined": "concatenation"}, at="sharing")


def layer_of(spec: MMoE, seed: int = 0) -> MMoELayer:
    return randomised(spec.build(shape()), seed).double()


def rows(n: int = 4, seed: int = 0) -> Tensor:
    return torch.randn(n, D, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def out(layer, x: Tensor, trace: Trace = OFF) -> dict[str, Tensor]:
    return dict(layer(x, trace).vectors)


SPECS = (MMoE(experts=3, widths=(4, 2)), MMoE(experts=3, widths=(4,), bottom=(6,)),
         MMoE(experts=3, widths=(4,), bottom=(6,), gate_input="raw"))


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_by_hand(spec):
    """f^k = Σ_i softmax(W_k x)_i f_i(x), row by row; experts end in ReLU, gates are linear without bias."""
    layer, x, trace = layer_of(spec), rows(), Trace()
    shared, mixed = layer.bottom(x), out(layer, x, trace)
    for task in TASKS:
        weights = torch.softmax((x if spec.gate_input == "raw" else shared) @ layer.gate[task].weight.T, dim=1)
        expected = sum(weights[:, i:i + 1] * layer.expert[i](shared) for i in range(3))
        torch.testing.assert_close(mixed[task], expected)
        torch.testing.assert_close(trace[f"gate.{task}"].values, weights.detach())
        assert layer.gate[task].bias is None
    assert (trace["expert"].values >= 0).all() and trace["expert"].axes == ("row", "expert", "width")


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_gate_input_width(spec):
    """YouTube 3: a gate reads the shared layer by default, the input where `gate_input` is raw or there is no layer."""
    expected = D if spec.gate_input == "raw" or not spec.bottom else spec.bottom[-1]
    assert all(gate.in_features == expected for gate in layer_of(spec).gate.values())


@pytest.mark.parametrize("bottom", [(), (6,)])
def test_one_expert_is_a_shared_bottom(bottom):
    """E = 1: every gate is 1, and the model is a shared bottom of the same shape."""
    moe = layer_of(MMoE(experts=1, widths=(4, 2), bottom=bottom, gate_dropout=0.5)).train()
    plain = randomised(SharedBottom(widths=(*bottom, 4, 2)).build(shape())).double()
    source = [p for name, p in moe.named_parameters() if not name.startswith("gate")]
    for parameter, given in zip(plain.parameters(), source, strict=True):
        parameter.data.copy_(given)
    trace = Trace()
    for task, vector in out(moe, rows(), trace).items():
        torch.testing.assert_close(vector, out(plain, rows())[task])
        assert (trace[f"gate.{task}"].values == 1).all()


def test_equal_gates_are_one_gate():
    """Equal gate matrices: every task gets the same vector (OMoE)."""
    layer = layer_of(SPECS[0])
    for task in TASKS[1:]:
        layer.gate[task].weight.data.copy_(layer.gate["a"].weight)
    vectors = out(layer, rows())
    assert all(torch.equal(vectors[task], vectors["a"]) for task in TASKS)


def test_zero_gates_are_uniform():
    """W_g = 0: every expert has 1/E, the vector is the experts' mean."""
    layer, trace = layer_of(SPECS[0]), Trace()
    fill(layer.gate, 0.0)
    vectors = out(layer, rows(), trace)
    torch.testing.assert_close(trace["gate.b"].values, torch.full((4, 3), 1 / 3, dtype=torch.float64))
    torch.testing.assert_close(vectors["b"], trace["expert"].values.mean(dim=1))


def test_permuted_experts_change_nothing():
    """Experts and gate rows permuted together: the same vectors."""
    layer, order = layer_of(SPECS[0]), [2, 0, 1]
    before = out(layer, rows())
    layer.expert = torch.nn.ModuleList(layer.expert[i] for i in order)
    for gate in layer.gate.values():
        gate.weight.data.copy_(gate.weight[order].clone())
    for task, vector in out(layer, rows()).items():
        torch.testing.assert_close(vector, before[task])


def test_equal_experts_make_gates_idle():
    """All experts equal: whatever a gate says, the output is the expert's, and the gates get no gradient."""
    layer = layer_of(SPECS[0])
    for expert in layer.expert[1:]:
        expert.load_state_dict(layer.expert[0].state_dict())
    vectors = out(layer, rows())
    torch.testing.assert_close(vectors["a"], layer.expert[0](rows()))
    vectors["a"].sum().backward()
    torch.testing.assert_close(layer.gate["a"].weight.grad, torch.zeros_like(layer.gate["a"].weight))


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_gates_are_independent(spec):
    """A gate has no gradient from another task, changing it leaves the other tasks alone; every expert hears every task."""
    layer, x = layer_of(spec), rows(200)
    before = out(layer, x)
    for task in TASKS:
        layer.zero_grad()
        out(layer, x)[task].sum().backward()
        assert layer.gate[task].weight.grad.abs().sum() > 0
        assert all(layer.gate[other].weight.grad is None for other in TASKS if other != task)
        assert all(next(expert.parameters()).grad.abs().sum() > 0 for expert in layer.expert)
    layer.gate["a"].weight.data.add_(1.5 * torch.randn(layer.gate["a"].weight.shape, dtype=torch.float64))
    after = out(layer, x)
    assert torch.equal(after["b"], before["b"]) and not torch.allclose(after["a"], before["a"])


def test_experts_start_different():
    """No constant start: two experts, and two units of one, are not copies of each other."""
    layer = MMoE(experts=2, widths=(8,)).build(shape())
    first, second = layer.expert[0][0].weight, layer.expert[1][0].weight
    assert not torch.allclose(first, second) and not torch.allclose(first[0], first[1])


def test_gate_dropout_renormalises():
    """In training some weights are 0, the others sum to 1 and keep their ratios; about the wanted share is dropped."""
    layer = layer_of(MMoE(experts=6, widths=(2,), gate_dropout=0.3)).train()
    weights = torch.softmax(torch.randn(4000, 6, generator=torch.Generator().manual_seed(0)), dim=1)
    torch.manual_seed(0)
    dropped = layer.dropped(weights)
    assert (dropped >= 0).all()
    torch.testing.assert_close(dropped.sum(dim=1), torch.ones(4000))
    gone = dropped == 0
    assert float(gone.float().mean()) == pytest.approx(0.3, abs=0.02)
    ratio = torch.where(gone, 0, dropped / weights)
    kept = ratio.max(dim=1, keepdim=True).values
    torch.testing.assert_close(ratio, torch.where(gone, 0, kept.expand_as(ratio)), rtol=1e-4, atol=1e-5)


def test_a_row_that_loses_all_keeps_its_gate():
    """All experts dropped (probability 0.9² here): the gate stays as it was, never 0/0."""
    layer = layer_of(MMoE(experts=2, widths=(2,), gate_dropout=0.9)).train()
    weights = torch.softmax(torch.randn(2000, 2, generator=torch.Generator().manual_seed(1)), dim=1)
    torch.manual_seed(1)
    dropped = layer.dropped(weights)
    whole = (dropped > 0).all(dim=1)
    assert torch.isfinite(dropped).all() and float(whole.float().mean()) == pytest.approx(0.81 + 0.01, abs=0.03)
    torch.testing.assert_close(dropped[whole], weights[whole])


def test_dropout_rests_in_eval_and_in_the_trace():
    """Eval mode drops nothing; what is recorded is the gate before dropout (attention sheet, 9.8)."""
    layer, x = layer_of(MMoE(experts=4, widths=(2,), gate_dropout=0.5)), rows(50)
    trained, served = Trace(), Trace()
    first = out(layer.eval(), x, served)
    assert torch.equal(first["a"], out(layer, x)["a"])
    noisy = out(layer.train(), x, trained)
    assert not torch.allclose(noisy["a"], first["a"])
    assert torch.equal(trained["gate.a"].values, served["gate.a"].values)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_gradcheck(spec):
    """Input and weights against finite differences in float64."""
    layer = layer_of(spec)
    assert torch.autograd.gradcheck(lambda x: tuple(out(layer, x).values()), rows(3, seed=3).requires_grad_())
    names, values = zip(*[(name, p.detach().clone().requires_grad_()) for name, p in layer.named_parameters()], strict=True)
    assert torch.autograd.gradcheck(lambda *given: tuple(
        torch.func.functional_call(layer, dict(zip(names, given, strict=True)), (rows(2, seed=3), OFF)).vectors.values()), values)


def test_shared_bottom_is_one_tensor():
    """Every task reads the same representation, and its gradient is the weighted sum of the tasks' gradients."""
    layer, x = randomised(SharedBottom(widths=(4,)).build(shape())).double(), rows()
    vectors = out(layer, x)
    assert vectors["a"] is vectors["b"] is vectors["c"]
    losses = {"a": vectors["a"].square().mean(), "b": vectors["b"].sin().mean(), "c": vectors["c"].sum()}
    weights = {"a": 1.0, "b": 0.5, "c": 0.0}
    first = next(layer.parameters())
    each = {t: torch.autograd.grad(loss, first, retain_graph=True)[0] for t, loss in losses.items()}
    total = torch.autograd.grad(sum(weights[t] * loss for t, loss in losses.items()), first)[0]
    torch.testing.assert_close(total, sum(weights[t] * each[t] for t in TASKS))


def test_direct_hands_on():
    """No sharing: the joined vector itself, and nothing counted."""
    layer, x = Direct().build(shape()), rows()
    assert all(vector is x for vector in out(layer, x).values()) and numel(layer) == Direct().count(shape()).parameters == 0


@pytest.mark.parametrize("spec, total", [
    (MMoE(experts=3, widths=(4, 2)), 3 * (5 * 4 + 4 + 4 * 2 + 2) + 3 * 5 * 3),
    (MMoE(experts=3, widths=(4,), bottom=(6,)), 5 * 6 + 6 + 3 * (6 * 4 + 4) + 3 * 6 * 3),
    (MMoE(experts=3, widths=(4,), bottom=(6,), gate_input="raw"), 5 * 6 + 6 + 3 * (6 * 4 + 4) + 3 * 5 * 3),
    (SharedBottom(widths=(4, 2)), 5 * 4 + 4 + 4 * 2 + 2)])
def test_count(spec, total):
    """bottom + E·expert + T·width·E (no gate bias)."""
    assert spec.count(shape()).parameters == numel(spec.build(shape())) == total


def test_synthetic_study_of_the_paper():
    """Ma et al. 5.1: 100·16·8 + 16·8·2 = 13,056 weights in experts and towers, 1,600 in the gates, without biases."""
    tasks = tuple(Task(name) for name in "ab")
    given = Shape(Schema((), tasks), tasks, joined=100, at="sharing")
    count = MMoE(experts=8, widths=(16,)).count(given)
    experts = sum(count.within(f"expert.{i}").parameters for i in range(8)) - 8 * 16
    assert experts + 16 * 8 * 2 == 13_056 and sum(count.within(f"gate.{t}").parameters for t in "ab") == 1_600


@pytest.mark.parametrize("spec", [MMoE(), SharedBottom()], ids=str)
def test_nothing_to_read_is_refused(spec):
    with pytest.raises(ZooError) as refusal:
        spec.after(shape(0))
    assert refusal.value.at == "sharing" and "has no input" in str(refusal.value)
