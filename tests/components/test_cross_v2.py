"""Cross network V2: the measured invariants of the feature-crossing sheet, f and k."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from rankzoo.components.interaction.cross_v2 import CrossV2, CrossV2Layer, LowRankCross
from rankzoo.errors import ZooError
from rankzoo.schema import Feature, Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace
from tests.support import OFF, fill, numel, randomised

WIDTHS = {"a": 2, "b": 3, "c": 1}
D = 6


def shape() -> Shape:
    schema = Schema(tuple(Feature(n, "categorical", 5) for n in WIDTHS), (Task("click"),))
    return Shape(schema, schema.tasks, fields=WIDTHS, origin={n: n for n in WIDTHS}, at="interaction.0")


def layer_of(spec: CrossV2, seed: int = 0) -> CrossV2Layer:
    return randomised(spec.build(shape()), seed).double()


def inputs(rows: int = 5, seed: int = 0) -> Tensor:
    return torch.randn(rows, D, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def run(layer: CrossV2Layer, x: Tensor, trace: Trace = OFF) -> Tensor:
    """(row, D) → (row, D), whether the layer is stacked or parallel."""
    signal = layer(Signal(fields=dict(zip(WIDTHS, x.split(list(WIDTHS.values()), dim=1), strict=True))), trace)
    return torch.cat(list(signal.fields.values()), dim=1) if layer.stacked else signal.head["interaction.0"]


def full(layers: int = 1) -> CrossV2:
    return CrossV2(layers=layers, structure="stacked")


@pytest.mark.parametrize("spec", [full(3), CrossV2(layers=3, rank=2), CrossV2(layers=2, rank=2, experts=3)])
def test_zero_weights_are_the_identity(spec):
    """W = b = 0: x_L = x_0."""
    layer = layer_of(spec)
    fill(layer, 0.0)
    assert torch.equal(run(layer, inputs()), inputs())


def test_one_layer_by_hand():
    """x_0 ⊙ (W x_0 + b) + x_0: the bias stands inside the product."""
    layer, x = layer_of(full()), inputs()
    w, b = layer.layer[0].linear.weight, layer.layer[0].linear.bias
    expected = torch.stack([row * (w @ row + b) + row for row in x])
    torch.testing.assert_close(run(layer, x), expected)


@pytest.mark.parametrize("equal_bias", [False, True])
def test_dcn_v1_is_the_case_of_equal_rows(equal_bias):
    """W = 1wᵀ, b = 0: x_0·(wᵀx_l) + x_l, DCN's first version; with a bias the two differ (x_0 ⊙ b here, b there)."""
    layer, x0 = layer_of(full(2)), inputs()
    x = x0
    for cross in layer.layer:
        w = cross.linear.weight[0].clone()
        cross.linear.weight.data.copy_(w.expand(D, D))
        if not equal_bias:
            cross.linear.bias.data.zero_()
        x = x0 * (x @ w)[:, None] + cross.linear.bias + x
    assert torch.allclose(run(layer, x0), x) != equal_bias


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize("rank", [0, 2])
def test_degree_grows_by_one_per_layer(layers, rank):
    """t ↦ Σ x_L(t·x_0) is a polynomial of degree L + 1 without rest, and not of degree L."""
    layer, x = layer_of(CrossV2(layers=layers, rank=rank)), inputs(1)
    t = np.linspace(-1, 1, 40)
    y = np.array([float(run(layer, float(step) * x).detach().sum()) for step in t])

    def rest(degree: int) -> float:
        return float(np.abs(np.polynomial.chebyshev.Chebyshev.fit(t, y, degree)(t) - y).max())

    assert rest(layers + 1) < 1e-12 * max(1.0, np.abs(y).max()) and rest(layers) > 1e-7


def test_low_rank_with_the_same_product_equals_full():
    """U Vᵀ = W: the low-rank layer is the full one."""
    low, whole, x = layer_of(CrossV2(layers=1, rank=2)), layer_of(full()), inputs()
    whole.layer[0].linear.weight.data.copy_(low.layer[0].u[0] @ low.layer[0].v[0].T)
    whole.layer[0].linear.bias.data.copy_(low.layer[0].bias)
    torch.testing.assert_close(run(low, x), run(whole, x))
    torch.testing.assert_close(low.layer[0].matrix(), whole.layer[0].matrix())


def test_mixture_of_equal_experts_equals_low_rank():
    """K equal experts: whatever the gate says, one low-rank layer; K = 1 is that layer and has no gate."""
    mix, low, x = layer_of(CrossV2(layers=1, rank=2, experts=3)), layer_of(CrossV2(layers=1, rank=2, experts=1)), inputs()
    assert low.layer[0].gate is None and mix.layer[0].gate.bias is None
    for name in ("u", "v"):
        getattr(mix.layer[0], name).data.copy_(getattr(low.layer[0], name).expand(3, D, 2))
    mix.layer[0].bias.data.copy_(low.layer[0].bias)
    torch.testing.assert_close(run(mix, x), run(low, x))


def test_mixture_by_hand():
    """Σ_i G_i(x)·[x_0 ⊙ (U_i V_iᵀ x + b)] + x, G a softmax over experts, in every row by itself."""
    mix, x = layer_of(CrossV2(layers=1, rank=2, experts=3)), inputs()
    cross = mix.layer[0]
    gates = torch.softmax(x @ cross.gate.weight.T, dim=1)
    expected = x + sum(gates[:, i:i + 1] * x * (x @ cross.v[i] @ cross.u[i].T + cross.bias) for i in range(3))
    trace = Trace()
    torch.testing.assert_close(run(mix, x, trace), expected)
    torch.testing.assert_close(trace["layer.0.gate"].values, gates.detach())


def test_experts_with_a_constant_gate_are_one_layer_of_rank_k_r():
    """Gates 1/K: one low-rank layer of rank K·r with U = [U_1 … U_K]/K and the same bias."""
    mix, x = layer_of(CrossV2(layers=1, rank=2, experts=3)), inputs()
    mix.layer[0].gate.weight.data.zero_()
    wide = layer_of(CrossV2(layers=1, rank=6))
    wide.layer[0].u.data.copy_(torch.cat(list(mix.layer[0].u / 3), dim=1).unsqueeze(0))
    wide.layer[0].v.data.copy_(torch.cat(list(mix.layer[0].v), dim=1).unsqueeze(0))
    wide.layer[0].bias.data.copy_(mix.layer[0].bias)
    torch.testing.assert_close(run(mix, x), run(wide, x))
    torch.testing.assert_close(mix.layer[0].matrix(), wide.layer[0].matrix())


@pytest.mark.parametrize("bias", [True, False])
def test_gates_of_one_are_one_layer_of_rank_k_r_with_k_biases(bias):
    """G ≡ 1: Σ_k x ⊙ (U_k V_kᵀ x + b) is one low-rank layer with U = [U_1 … U_K], V = [V_1 … V_K] and the bias K·b. Softmax
    gates reach 1/K, so K times what a layer with uniform gates adds; the bias b would do only where it is 0."""
    mix, wide, x = layer_of(CrossV2(layers=1, rank=2, experts=3)), layer_of(CrossV2(layers=1, rank=6)), inputs()
    few, many = mix.layer[0], wide.layer[0]
    few.gate.weight.data.zero_()
    few.bias.data.mul_(bias)
    for name in ("u", "v"):
        getattr(many, name).data.copy_(torch.cat(list(getattr(few, name)), dim=1).unsqueeze(0))
    many.bias.data.copy_(3 * few.bias)
    by_hand = sum(x * (x @ few.v[k] @ few.u[k].T + few.bias) for k in range(3))
    torch.testing.assert_close(3 * (run(mix, x) - x), by_hand)
    torch.testing.assert_close(run(wide, x) - x, by_hand)
    many.bias.data.copy_(few.bias)
    assert torch.allclose(run(wide, x) - x, by_hand) != bias


@pytest.mark.parametrize("spec", [full(2), CrossV2(layers=2, rank=2), CrossV2(layers=2, rank=2, experts=3)])
def test_block_norms_add_up(spec):
    """Σ_ab ‖W_ab‖² = ‖W‖², W read off what the layer does to unit vectors (a mixture with uniform gates); cell (a, b) is the
    block with a's rows and b's columns, which is not symmetric."""
    layer, trace, ones = layer_of(spec), Trace(), torch.ones(D, D, dtype=torch.float64)
    first = layer.layer[0]
    if spec.experts > 1:
        first.gate.weight.data.zero_()
    run(layer, inputs(), trace)
    unit = torch.eye(D, dtype=torch.float64)
    w = (first(ones, unit, OFF) - unit - first(ones, 0 * unit, OFF)).detach().T
    blocks = trace["layer.0.block"].values
    assert trace["layer.0.block"].labels["field"] == tuple(WIDTHS)
    torch.testing.assert_close(blocks.square().sum(), w.square().sum())
    torch.testing.assert_close(blocks[0, 1], w[0:2, 2:5].norm())
    torch.testing.assert_close(first.matrix().detach(), w)
    assert not torch.allclose(blocks, blocks.T)


def test_rows_of_the_matrix_multiply():
    """Only block (a, b) non-zero: field a is multiplied with a map of field b, the other fields pass as they are."""
    layer, x = layer_of(full()), inputs()
    fill(layer, 0.0)
    layer.layer[0].linear.weight.data[0:2, 2:5] = 1.0
    out = run(layer, x)
    torch.testing.assert_close(out[:, :2], x[:, :2] * x[:, 2:5].sum(dim=1, keepdim=True) + x[:, :2])
    assert torch.equal(out[:, 2:], x[:, 2:])


def test_fm_is_a_structured_cross_without_residual():
    """1ᵀ(x ⊙ (Wx)) with W_ij = I for i < j is Σ_{i<j} ⟨e_i, e_j⟩, for fields of one width."""
    fields = {n: 2 for n in "abc"}
    schema = Schema(tuple(Feature(n, "categorical", 5) for n in fields), (Task("click"),))
    layer = full().build(Shape(schema, schema.tasks, fields=fields, at="interaction.0")).double()
    fill(layer, 0.0)
    for i in range(3):
        for j in range(i + 1, 3):
            layer.layer[0].linear.weight.data[2 * i:2 * i + 2, 2 * j:2 * j + 2] = torch.eye(2)
    e = inputs().reshape(5, 3, 2)
    x = e.reshape(5, 6)
    signal = layer(Signal(fields={n: e[:, i] for i, n in enumerate(fields)}), OFF)
    crosses = (torch.cat(list(signal.fields.values()), dim=1) - x).sum(dim=1)
    pairs = sum((e[:, i] * e[:, j]).sum(dim=1) for i in range(3) for j in range(i + 1, 3))
    torch.testing.assert_close(crosses, pairs)


@pytest.mark.parametrize("spec", [full(2), CrossV2(layers=2, rank=2), CrossV2(layers=2, rank=2, experts=2)])
def test_gradcheck(spec):
    """Inputs against finite differences in float64."""
    layer = layer_of(spec)
    assert torch.autograd.gradcheck(lambda x: run(layer, x), inputs(3).requires_grad_())
    parameters = [parameter.detach().clone().requires_grad_() for parameter in layer.parameters()]
    names = [name for name, _ in layer.named_parameters()]
    fields = dict(zip(WIDTHS, inputs(2).split(list(WIDTHS.values()), dim=1), strict=True))

    def by_weights(*values):
        signal = torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (Signal(fields=fields), OFF))
        return torch.cat(list((signal.fields if layer.stacked else signal.head).values()), dim=1)

    assert torch.autograd.gradcheck(by_weights, parameters)


@pytest.mark.parametrize("spec, total", [
    (CrossV2(layers=3), 3 * (36 + 6)), (CrossV2(layers=2, rank=2), 2 * (2 * 6 * 2 + 6)),
    (CrossV2(layers=2, rank=2, experts=3), 2 * (3 * 2 * 6 * 2 + 6 + 3 * 6)), (CrossV2(layers=0), 0)])
def test_count(spec, total):
    """L(D² + D) | L(2Dr + D) | L(2KDr + D + KD)."""
    assert spec.count(shape()).parameters == numel(spec.build(shape())) == total


def test_no_layer():
    """L = 0 stacked hands the fields on; parallel it is a second, linear way of the inputs to the head."""
    assert torch.equal(run(layer_of(full(0)), inputs()), inputs())
    parallel = CrossV2(layers=0)
    assert torch.equal(run(layer_of(parallel), inputs()), inputs())
    assert parallel.after(shape()).head == {"interaction.0": D}
    assert [block.address for block in parallel.draw(shape()).blocks] == ["interaction.0.input"]


@pytest.mark.parametrize("spec, fields, at, words", [
    (CrossV2(experts=4), WIDTHS, "interaction.0.rank", "the rank is 0"),
    (CrossV2(), {}, "interaction.0", "needs embedded fields")])
def test_refusals(spec, fields, at, words):
    with pytest.raises(ZooError) as refusal:
        spec.after(shape().but(fields=fields))
    assert refusal.value.at == at and words in str(refusal.value)


def test_a_mixtures_blocks_follow_its_mean_gate():
    """Σ_k ḡ_k U_k V_kᵀ: with one gate open in every row, the picture is that expert's own."""
    layer = LowRankCross(6, 2, 3)
    with torch.no_grad():
        layer.gate.weight.copy_(torch.tensor([[0.0], [50.0], [0.0]]).expand(3, 6))
    rows = torch.rand(40, 6) + 0.5
    own = layer.u[1] @ layer.v[1].T
    torch.testing.assert_close(layer.matrix(rows), own)
    assert not torch.allclose(layer.matrix(), own)


def test_a_shared_gate_is_drawn_once():
    """With the first layer: the picture's parameters are those that are counted."""
    spec, given = CrossV2(layers=2, rank=2, experts=3, gates="shared"), shape()
    assert sum(block.parameters for block in spec.draw(given).blocks) == spec.count(given).parameters


def test_a_core_by_hand_and_shared_gates():
    """Equation 4 written out for one row; with the gates shared both layers read the same map."""
    spec = CrossV2(layers=2, rank=2, experts=3, core=True, gates="shared")
    model, x = layer_of(spec), inputs()
    assert model.gate.weight.shape == (3, D) and all(layer.gate is None for layer in model.layer)
    row, found = x[:1], run(model, x)
    state = row
    for layer in model.layer:
        weights, total = torch.softmax(state @ model.gate.weight.T, dim=1)[0], torch.zeros_like(row)
        for k in range(3):
            core = torch.tanh(layer.core[k] @ torch.tanh(layer.v[k].T @ state[0]))
            total = total + weights[k] * (row * (layer.u[k] @ core + layer.bias))
        state = total + state
    torch.testing.assert_close(found[:1], state)


@pytest.mark.parametrize("gates", ["layer", "shared"])
def test_every_number_stands_in_a_node_of_the_diagram(gates):
    """A gate that serves all layers too: in the first of them, once."""
    spec = CrossV2(layers=3, rank=1, experts=2, gates=gates)
    drawn = spec.draw(shape()).blocks
    assert sum(block.parameters for block in drawn) == spec.count(shape()).parameters
    assert drawn[0].parameters - drawn[1].parameters == (2 * D if gates == "shared" else 0)


def test_a_core_keeps_no_blocks_and_needs_a_rank():
    trace = Trace()
    run(layer_of(CrossV2(layers=1, rank=2, core=True)), inputs(), trace)
    assert trace.of("cross") == ()
    with pytest.raises(ZooError, match="rank is 0"):
        CrossV2(core=True).after(shape())
