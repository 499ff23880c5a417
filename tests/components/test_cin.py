"""Compressed interaction network: the measured invariants and mistakes of the feature-crossing sheet, i."""
from __future__ import annotations

from itertools import combinations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from rankzoo.components.interaction.cin import CIN, CINLayer, FieldMaps
from rankzoo.components.interaction.fm import FM
from rankzoo.errors import ZooError
from rankzoo.schema import Feature, Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace
from tests.support import OFF, c0, numel, randomised

NAMES, D = ("a", "b", "c", "d"), 3


def shape(names: tuple[str, ...] = NAMES, width: int = D) -> Shape:
    schema = Schema(tuple(Feature(n, "categorical", 5) for n in names), (Task("click"),))
    return Shape(schema, schema.tasks, fields=dict.fromkeys(names, width), origin={n: n for n in names}, at="interaction.1")


def layer_of(*maps: int, split: bool = False, bias: bool = False, seed: int = 0) -> CINLayer:
    return randomised(CIN(maps=maps, split=split, bias=bias).build(shape()), seed).double()


def vectors(rows: int = 5, seed: int = 0) -> Tensor:
    """(row, field, d)"""
    return torch.randn(rows, len(NAMES), D, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def run(layer: CINLayer, e: Tensor, trace: Trace = OFF) -> tuple[Tensor, ...]:
    """(row, field, d) → p^k (row, map), layer by layer."""
    return tuple(layer(Signal(fields=dict(zip(NAMES, e.unbind(1), strict=True))), trace).head.values())


def by_loops(layer: CINLayer, e: Tensor) -> list[Tensor]:
    """Equation 6 in four loops: X^k (row, map, d) of every layer, where all maps go on."""
    found, x = [], e
    for each in layer.layer:
        maps = torch.zeros(len(e), len(each.weight), e.shape[2], dtype=e.dtype)
        for h, filters in enumerate(each.weight):
            for i in range(filters.shape[0]):
                for j in range(filters.shape[1]):
                    maps[:, h] += filters[i, j] * x[:, i] * e[:, j]
        found.append(maps)
        x = maps
    return found


def test_by_hand():
    """Σ_i Σ_j W_ij (X^{k−1}_i ⊙ X^0_j), summed over d (not over the maps), no activation: negative maps stay negative."""
    layer = layer_of(4, 5, 2)
    for found, maps in zip(run(layer, vectors()), by_loops(layer, vectors()), strict=True):
        torch.testing.assert_close(found, maps.sum(dim=2).detach())
        assert (found < 0).any()


def test_one_layer_of_ones_is_twice_the_pairs_and_the_squares():
    """1 layer, 1 map, W = 1: 2·FM + Σ ‖e‖²; strictly upper ones: FM itself."""
    layer, e = layer_of(1), vectors()
    pairs = sum((e[:, i] * e[:, j]).sum(dim=1) for i, j in combinations(range(4), 2))
    layer.layer[0].weight.data.fill_(1.0)
    torch.testing.assert_close(run(layer, e)[0][:, 0], 2 * pairs + e.square().sum(dim=(1, 2)))
    layer.layer[0].weight.data.copy_(torch.ones(4, 4).triu(1))
    torch.testing.assert_close(run(layer, e)[0][:, 0], pairs)
    fm = FM().build(shape())(Signal(fields=dict(zip(NAMES, e.unbind(1), strict=True))), OFF)
    torch.testing.assert_close(run(layer, e)[0][:, 0], fm.logits["click"])


def test_order_of_d_means_nothing():
    """The same permutation of the numbers in every vector: all maps, permuted; p as it was."""
    layer, order = layer_of(4, 3), torch.tensor([2, 0, 1])
    for straight, mixed in zip(run(layer, vectors()), run(layer, vectors()[:, :, order]), strict=True):
        torch.testing.assert_close(mixed, straight)


def test_no_number_meets_another_place():
    """∂X^k_{h,d} / ∂X^0_{j,d′} = 0 for d ≠ d′."""
    layer = layer_of(4, 3)

    def maps(e: Tensor) -> Tensor:
        x0 = x = e.transpose(1, 2)
        for each in layer.layer:
            x = each(x, x0)
        return x[0]  # (d, map)

    jacobian = torch.autograd.functional.jacobian(maps, vectors(1))[:, :, 0]  # (d, map, field, d′)
    same = torch.eye(D, dtype=torch.bool)
    by_place = jacobian.permute(0, 3, 1, 2)  # (d, d′, map, field)
    assert (by_place[~same] == 0).all() and (by_place[same] != 0).all()


@pytest.mark.parametrize("t", [0.5, 2.0])
def test_layer_k_has_order_k_plus_one(t):
    """e → t·e scales layer k by t^{k+1}, k counted from 1."""
    layer = layer_of(4, 3, 2)
    for k, (plain, scaled) in enumerate(zip(run(layer, vectors()), run(layer, t * vectors()), strict=True), 1):
        torch.testing.assert_close(scaled, t ** (k + 1) * plain)


@pytest.mark.parametrize("bias", [False, True])
def test_a_layer_is_a_convolution_of_length_one(bias):
    """The same as Conv1d over the m·H_{k−1} products as channels, and as one einsum."""
    maps = randomised(FieldMaps(5, 4, 6, bias)).double()
    x, x0 = (torch.randn(3, D, n, dtype=torch.float64, generator=torch.Generator().manual_seed(n)) for n in (5, 4))
    channels = torch.einsum("rdi,rdj->rijd", x, x0).flatten(1, 2)  # (row, before · field, d)
    expected = F.conv1d(channels, maps.weight.flatten(1).unsqueeze(2), maps.bias)
    torch.testing.assert_close(maps(x, x0).transpose(1, 2), expected)
    direct = torch.einsum("hij,rdi,rdj->rdh", maps.weight, x, x0)
    torch.testing.assert_close(maps(x, x0), direct if maps.bias is None else direct + maps.bias)


def test_split_sends_half_on_and_half_to_the_head():
    """The first half of a layer's maps is what the next one reads, the second half is pooled; of the last layer all are."""
    split, whole, e = layer_of(4, 6, 3, split=True), layer_of(4, 6, 3), vectors()
    found = run(split, e)
    assert [p.shape[1] for p in found] == [2, 3, 3] and split.layer[1].weight.shape == (6, 2, 4)
    x0 = x = e.transpose(1, 2)
    for k, (each, goes_on) in enumerate(zip(split.layer, (2, 3, 0), strict=True)):
        maps = each(x, x0)
        torch.testing.assert_close(found[k], maps[:, :, goes_on:].sum(dim=1))
        x = maps[:, :, :goes_on]
    assert [p.shape[1] for p in run(whole, e)] == [4, 6, 3]
    assert CIN(maps=(4, 6, 3), split=True).after(shape()).head == {f"interaction.1.layer.{k}": n for k, n in enumerate((2, 3, 3))}


@pytest.mark.parametrize("maps, split, total, without_head", [
    ((64, 64), False, 47_488, 47_360), ((64, 64), True, 26_976, 26_880),
    ((64, 64, 64), False, 88_512, 88_320), ((64, 64, 64), True, 47_488, 47_360)])
def test_worked_counts(maps, split, total, without_head):
    """At C0: filters and the vector that the head gives the pooled maps."""
    spec, at = CIN(maps=maps, split=split), shape(tuple(f.name for f in c0().features), 16)
    assert spec.count(at).parameters == without_head == numel(spec.build(at))
    assert spec.count(at).parameters + spec.after(at).head_width == total


def test_count_is_independent_of_the_width():
    """Filters are for whole vectors: with twice the embedding size the same parameters and twice the FLOPs."""
    spec = CIN(maps=(8, 4))
    small, large = (spec.count(shape(width=width)) for width in (16, 32))
    assert small.parameters == large.parameters == 8 * 4 * 4 + 4 * 8 * 4
    assert large.flops == 2 * small.flops == 2 * (2 * 16 * (8 * 4 * 4 + 4 * 8 * 4) + 2 * 16 * (8 * 4 + 4 * 4))


def test_bias_is_one_number_per_map():
    """A library's habit, off by default: H_k more parameters; d of them in each pooled map."""
    layer = layer_of(4, bias=True)
    plain = layer_of(4)
    plain.layer[0].weight.data.copy_(layer.layer[0].weight)
    assert numel(layer) - numel(plain) == 4 and not CIN().bias
    torch.testing.assert_close(run(layer, vectors())[0], run(plain, vectors())[0] + D * layer.layer[0].bias)


def test_pair_map_is_the_spread_that_a_pair_gives_the_pooled_maps():
    """By the whole table: what the pair adds to every map for every two rows, double-centred, its sd, normed over the maps."""
    layer, e, trace = layer_of(6, 2), vectors(rows=40), Trace()
    run(layer, e + 1.0, trace)
    entry = trace["pair"]
    assert entry.kind == "cross" and entry.labels["field"] == entry.labels["other"] == NAMES
    w = layer.layer[0].weight.detach()
    for a, b in combinations(range(4), 2):
        dots = (e[:, a] + 1.0) @ (e[:, b] + 1.0).T  # (row of a, row of b)
        adds = (w[:, a, b] + w[:, b, a])[:, None, None] * dots
        centred = adds - adds.mean(dim=1, keepdim=True) - adds.mean(dim=2, keepdim=True) + adds.mean(dim=(1, 2), keepdim=True)
        torch.testing.assert_close(entry.values[a, b], centred.square().mean(dim=(1, 2)).sum().sqrt())
    torch.testing.assert_close(entry.values, entry.values.T)
    assert (entry.values.diagonal() == 0).all()


@pytest.mark.parametrize("split", [False, True])
def test_gradcheck(split):
    """Inputs against finite differences in float64."""
    layer = layer_of(4, 2, split=split, bias=True)
    assert torch.autograd.gradcheck(lambda e: torch.cat(run(layer, e), dim=1), vectors(2).requires_grad_())


@pytest.mark.parametrize("spec, fields, at, words", [
    (CIN(maps=(4, 5, 4), split=True), {"a": 3, "b": 3}, "interaction.1.maps.1", "5 is odd"),
    (CIN(), {"a": 3, "b": 1, "c": 3}, "interaction.1", "'b' has 1 and most have 3"), (CIN(), {}, "interaction.1", "embedded")])
def test_refusals(spec, fields, at, words):
    with pytest.raises(ZooError) as refusal:
        spec.after(shape().but(fields=fields))
    assert refusal.value.at == at and words in str(refusal.value)


def test_an_odd_last_layer_may_be_split():
    """All its maps go to the head, so that there is nothing to halve."""
    assert CIN(maps=(4, 5), split=True).after(shape()).head_width == 2 + 5
