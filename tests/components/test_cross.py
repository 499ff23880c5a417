"""Cross network, first version: the measured invariants and mistakes of the feature-crossing sheet, e."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from rankzoo.components.interaction.cross import Cross
from rankzoo.components.interaction.cross_network import CrossNetworkLayer
from rankzoo.components.interaction.cross_v2 import CrossV2
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


def layer_of(layers: int = 1, structure: str = "stacked", seed: int = 0) -> CrossNetworkLayer:
    return randomised(Cross(layers=layers, structure=structure).build(shape()), seed).double()


def inputs(rows: int = 5, seed: int = 0) -> Tensor:
    return torch.randn(rows, D, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def run(layer: CrossNetworkLayer, x: Tensor, trace: Trace = OFF) -> Tensor:
    """(row, D) → (row, D), whether the layer is stacked or parallel."""
    signal = layer(Signal(fields=dict(zip(WIDTHS, x.split(list(WIDTHS.values()), dim=1), strict=True))), trace)
    return torch.cat(list(signal.fields.values()), dim=1) if layer.stacked else signal.head["interaction.0"]


def without_bias(layer: CrossNetworkLayer) -> CrossNetworkLayer:
    for cross in layer.layer:
        cross.b.data.zero_()
    return layer


@pytest.mark.parametrize("structure", ["parallel", "stacked"])
def test_zero_weights_are_the_identity(structure):
    """w = b = 0: x_L = x_0."""
    layer = layer_of(3, structure)
    fill(layer, 0.0)
    assert torch.equal(run(layer, inputs()), inputs())


def test_two_layers_by_hand():
    """x_0 (xᵀw) + b + x with the outer product written out: w is each layer's own, x_0 multiplies in both, b stands outside."""
    layer, x0 = layer_of(2), inputs()
    expected = []
    for row in x0:
        x = row
        for cross in layer.layer:
            x = torch.outer(row, x) @ cross.w + cross.b + x
        expected.append(x)
    torch.testing.assert_close(run(layer, x0), torch.stack(expected))
    assert not torch.equal(layer.layer[0].w, layer.layer[1].w)


def test_without_bias_the_output_is_a_multiple_of_the_input():
    """x_L = α x_0 with α = Π (1 + x_0ᵀw_l): the direction says nothing new. A bias turns it."""
    layer, x0 = layer_of(3), inputs()
    biased = run(layer, x0)
    alpha = torch.stack([1 + x0 @ cross.w for cross in without_bias(layer).layer]).prod(dim=0)
    torch.testing.assert_close(run(layer, x0), alpha[:, None] * x0)
    cosines = torch.cosine_similarity(biased, x0, dim=1)
    assert (cosines.abs() < 0.999).all() and not torch.allclose(alpha, alpha[0].expand(5))


@pytest.mark.parametrize("biased", [False, True])
def test_second_version_with_equal_rows(biased):
    """W = 1wᵀ makes the second version this one, but only without biases: b is added here and multiplied there."""
    first = layer_of(2) if biased else without_bias(layer_of(2))
    second = CrossV2(layers=2, structure="stacked").build(shape()).double()
    for mine, other in zip(first.layer, second.layer, strict=True):
        other.linear.weight.data.copy_(mine.matrix())
        other.linear.bias.data.copy_(mine.b)
    assert torch.allclose(run(first, inputs()), run(second, inputs())) != biased


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_degree_grows_by_one_per_layer(layers):
    """t ↦ Σ x_L(t·x_0) is a polynomial of degree L + 1 without rest, and not of degree L."""
    layer, x = layer_of(layers, "parallel"), inputs(1)
    t = np.linspace(-1, 1, 40)
    y = np.array([float(run(layer, float(step) * x).detach().sum()) for step in t])

    def rest(degree: int) -> float:
        return float(np.abs(np.polynomial.chebyshev.Chebyshev.fit(t, y, degree)(t) - y).max())

    assert rest(layers + 1) < 1e-12 * max(1.0, np.abs(y).max()) and rest(layers) > 1e-7


def test_block_map_is_constant_down_its_columns():
    """‖1 w_bᵀ‖ = √n_a · ‖w_b‖: but for the widths all rows of the map are alike, so a pair has no strength of its own."""
    layer, trace = layer_of(2), Trace()
    run(layer, inputs(), trace)
    entry = trace["layer.0.block"]
    assert entry.kind == "cross" and entry.labels["field"] == entry.labels["other"] == tuple(WIDTHS)
    expected = torch.tensor([[n_a**0.5 * float(w_b.norm()) for w_b in layer.layer[0].w.detach().split(list(WIDTHS.values()))]
                             for n_a in WIDTHS.values()], dtype=torch.float64)
    torch.testing.assert_close(entry.values, expected)


def test_gradcheck():
    """Inputs against finite differences in float64."""
    layer = layer_of(2)
    assert torch.autograd.gradcheck(lambda x: run(layer, x), inputs(3).requires_grad_())


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_count(layers):
    """2DL parameters, 2DL FLOPs: nothing of size D × D."""
    spec = Cross(layers=layers)
    assert spec.count(shape()).parameters == numel(spec.build(shape())) == 2 * D * layers
    assert spec.count(shape()).flops == 2 * D * layers


def test_wide_inputs_build_no_square():
    """100,000 numbers side by side: x_0 x_lᵀ alone would hold 10¹⁰ of them."""
    schema = Schema((Feature("a", "categorical", 5),), (Task("click"),))
    layer = Cross(layers=2).build(Shape(schema, schema.tasks, fields={"a": 100_000}, at="interaction.0"))
    found = layer(Signal(fields={"a": torch.randn(2, 100_000)}), OFF).head["interaction.0"]
    assert found.shape == (2, 100_000) and torch.isfinite(found).all()


def test_no_layer():
    """L = 0 stacked hands the fields on; parallel it is a second, linear way of the inputs to the head."""
    assert torch.equal(run(layer_of(0), inputs()), inputs())
    assert torch.equal(run(layer_of(0, "parallel"), inputs()), inputs())
    assert Cross(layers=0).after(shape()).head == {"interaction.0": D}
    assert [block.address for block in Cross(layers=0).draw(shape()).blocks] == ["interaction.0.input"]


def test_it_needs_fields():
    with pytest.raises(ZooError, match="needs embedded fields") as refusal:
        Cross().after(shape().but(fields={}))
    assert refusal.value.at == "interaction.0"
