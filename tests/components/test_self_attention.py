"""Self-attention over fields: AutoInt's equations against torch's own attention, by hand, and what its map may be called."""
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.self_attention import SelfAttention, SelfAttentionLayer, reading
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.bare import Bare
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace
from tests.support import OFF, flops, logits, numel, random_batch, randomised, rich
from tests.wiring import assert_wired

NAMES, D = ("a", "b", "c", "d"), 3


def shape(names: tuple[str, ...] = NAMES, width: int = D) -> Shape:
    schema = Schema(tuple(Feature(n, "categorical", 5) for n in names), (Task("click"),))
    return Shape(schema, schema.tasks, fields=dict.fromkeys(names, width), origin={n: n for n in names}, at="interaction.0")


def spec_of(layers: int = 1, heads: int = 2, width: int = 5, structure: str = "stacked") -> SelfAttention:
    return SelfAttention(layers=layers, heads=heads, width=width, structure=structure)


def layer_of(spec: SelfAttention, seed: int = 0) -> SelfAttentionLayer:
    return randomised(spec.build(shape()), seed).double()


def vectors(rows: int = 5, seed: int = 0) -> Tensor:
    """(row, field, width)"""
    return torch.randn(rows, len(NAMES), D, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def run(layer: SelfAttentionLayer, e: Tensor, trace: Trace = OFF) -> Tensor:
    """(row, field, d) → (row, field, heads · width), stacked."""
    signal = layer(Signal(fields=dict(zip(NAMES, e.unbind(1), strict=True))), trace)
    return torch.stack(list(signal.fields.values()), dim=1)


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_torch_s_own_attention(heads):
    """Every head is scaled_dot_product_attention with scale 1; the heads stand side by side, the residual is added, then ReLU."""
    layer, e = layer_of(spec_of(heads=heads)), vectors()
    first = layer.layer[0]
    q, k, v = (part(e).reshape(5, 4, heads, 5).transpose(1, 2) for part in (first.query, first.key, first.value))
    read = F.scaled_dot_product_attention(q, k, v, scale=1.0).transpose(1, 2).reshape(5, 4, heads * 5)
    torch.testing.assert_close(run(layer, e), torch.relu(read + first.residual(e)))
    scaled = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(5, 4, heads * 5)
    assert not torch.allclose(run(layer, e), torch.relu(scaled + first.residual(e)))  # torch would divide by √d′


def test_one_row_by_hand():
    """α^h_{m,k} = softmax_k ⟨W^h_Q e_m, W^h_K e_k⟩; ẽ_m = ⊕_h Σ_k α W^h_V e_k; ReLU(ẽ_m + W_Res e_m), head by head."""
    layer, e, trace = layer_of(spec_of(heads=2, width=2)), vectors(1), Trace()
    found, first = run(layer, e, trace)[0], layer.layer[0]
    for m in range(4):
        parts = []
        for h in range(2):
            wq, wk, wv = (part.weight[2 * h:2 * h + 2] for part in (first.query, first.key, first.value))
            scores = torch.stack([(wq @ e[0, m]) @ (wk @ e[0, k]) for k in range(4)])
            weights = scores.exp() / scores.exp().sum()
            torch.testing.assert_close(trace["layer.0.map"].values[0, h, m], weights.detach())
            parts.append(sum(weights[k] * (wv @ e[0, k]) for k in range(4)))
        torch.testing.assert_close(found[m], torch.relu(torch.cat(parts) + first.residual.weight @ e[0, m]))


def test_every_field_s_weights_add_up_to_1():
    """In every row, head and layer: a distribution over the fields that are read, itself included."""
    trace = Trace()
    run(layer_of(spec_of(layers=3)), vectors(), trace)
    for i in range(3):
        weights = trace[f"layer.{i}.map"].values
        assert weights.shape == (5, 2, 4, 4) and (weights > 0).all()
        torch.testing.assert_close(weights.sum(dim=3), torch.ones(5, 2, 4, dtype=torch.float64))
        assert not torch.allclose(weights.sum(dim=2), torch.ones(5, 2, 4, dtype=torch.float64))


def test_permuted_fields_permute_what_leaves():
    """No field has a place: in another order the same vectors leave, in that order."""
    order, layer, e = [2, 0, 3, 1], layer_of(spec_of(layers=2)), vectors()
    torch.testing.assert_close(run(layer, e[:, order]), run(layer, e)[:, order])


def test_without_queries_every_field_reads_the_mean():
    """W_Q = 0: all scores are 0, the weights 1/m, and every field reads the same mean of the values."""
    layer, e, trace = layer_of(spec_of()), vectors(), Trace()
    first = layer.layer[0]
    first.query.weight.data.zero_()
    found = run(layer, e, trace)
    torch.testing.assert_close(trace["layer.0.map"].values, torch.full((5, 2, 4, 4), 0.25, dtype=torch.float64))
    torch.testing.assert_close(found, torch.relu(first.value(e).mean(dim=1, keepdim=True) + first.residual(e)))


def test_without_values_only_the_residual_is_left():
    layer, e = layer_of(spec_of()), vectors()
    layer.layer[0].value.weight.data.zero_()
    torch.testing.assert_close(run(layer, e), torch.relu(layer.layer[0].residual(e)))


@pytest.mark.parametrize("layers", [1, 2])
def test_parallel_is_the_same_side_by_side(layers):
    """Parallel: what leaves a stacked one, flattened, for the head; the fields stay for the deep network (AutoInt+)."""
    stacked, beside = layer_of(spec_of(layers)), layer_of(spec_of(layers, structure="parallel"))
    signal = beside(Signal(fields=dict(zip(NAMES, vectors().unbind(1), strict=True))), OFF)
    assert torch.equal(signal.head["interaction.0"], run(stacked, vectors()).flatten(1))
    assert torch.equal(torch.stack(list(signal.fields.values()), dim=1), vectors())


def test_shapes():
    """A field leaves with heads · width numbers; parallel m · heads · width meet the head."""
    assert spec_of(3).after(shape()).fields == dict.fromkeys(NAMES, 10)
    parallel = spec_of(3, structure="parallel").after(shape())
    assert parallel.head == {"interaction.0": 40} and parallel.fields == dict.fromkeys(NAMES, D)


@pytest.mark.parametrize("layers, total", [(1, 4 * 3 * 10), (3, 4 * 3 * 10 + 2 * 4 * 10 * 10)])
def test_count(layers, total):
    """Four maps d × heads·width a layer (queries, keys, values, residual), no bias anywhere."""
    layer = spec_of(layers).build(shape())
    assert spec_of(layers).count(shape()).parameters == numel(layer) == total
    assert not [name for name, _ in layer.named_parameters() if "bias" in name]


@pytest.mark.parametrize("structure", ["stacked", "parallel"])
def test_in_a_whole_model(structure):
    """On data with numbers as vectors: counts, FLOPs with the sums of the attention, the diagram, one row alone."""
    schema = rich()
    blueprint = Blueprint(tasks=("click",), representation=Embeddings(dim=4, numeric="vector"),
                          interaction=(spec_of(2, structure=structure),))
    model = randomised(RankingModel(blueprint, schema))
    count, m = blueprint.count(schema), 6
    assert count.parameters == numel(model) and count.flops == flops(model, random_batch(schema))
    assert count.within("interaction.0.layer.0").flops == 2 * m * 4 * 4 * 10 + 2 * 2 * m * m * 10
    assert_wired(blueprint, schema)
    batch = random_batch(schema)
    torch.testing.assert_close(logits(model, batch.rows(2, 3))["click"], logits(model, batch)["click"][2:3])


def test_autoint_is_one_linear_map_of_what_leaves():
    """Stacked with nothing behind: y = w·[e_1; …; e_m] + b of the last layer's vectors, as the paper has it."""
    schema = rich()
    model = randomised(RankingModel(Blueprint(tasks=("click",), representation=Embeddings(dim=4, numeric="vector"),
                                              interaction=(spec_of(2),), towers=Bare()), schema))
    batch = random_batch(schema)
    left = model.interaction[0](model.representation(batch, OFF), OFF)
    head = model.towers.head["click"]
    expected = torch.cat(list(left.fields.values()), dim=1) @ head.weight[0] + head.bias
    torch.testing.assert_close(logits(model, batch)["click"], expected.detach())


def test_gradcheck():
    """Inputs and weights against finite differences in float64."""
    layer = layer_of(spec_of(layers=2, width=2))
    assert torch.autograd.gradcheck(lambda e: run(layer, e), vectors(3).requires_grad_())
    names, values = zip(*[(name, p.detach().clone().requires_grad_()) for name, p in layer.named_parameters()], strict=True)
    fields = dict(zip(NAMES, vectors(2).unbind(1), strict=True))

    def by_weights(*new: Tensor) -> Tensor:
        signal = torch.func.functional_call(layer, dict(zip(names, new, strict=True)), (Signal(fields=fields), OFF))
        return torch.cat(list(signal.fields.values()), dim=1)

    assert torch.autograd.gradcheck(by_weights, values)


def test_the_reading_map():
    """Mean over rows and heads of the first layer's weights, the same both ways, a field's look at itself left out; its words
    say that it is no strength."""
    trace = Trace()
    run(layer_of(spec_of(layers=2)), vectors(), trace)
    entry, mean = trace["reading"], trace["layer.0.map"].values.mean(dim=(0, 1))
    assert [each.address for each in trace.of("cross")] == ["reading"] and entry.labels["field"] == NAMES
    for a in range(4):
        for b in range(4):
            expected = 0 if a == b else (mean[a, b] + mean[b, a]) / 2
            torch.testing.assert_close(entry.values[a, b], torch.as_tensor(expected, dtype=torch.float64))
    torch.testing.assert_close(reading(trace["layer.0.map"].values), entry.values)
    few, sentence = entry.labels["means"]
    assert few == "where it reads from" and sentence.endswith("where it reads from, not interaction strength.")


@pytest.mark.parametrize("given, words", [
    (shape().but(fields={"a": 3, "b": 1, "c": 3, "d": 3}), "'b' has 1 and most have 3"),
    (shape().but(fields={}), "none of them come in here")])
def test_refusals(given, words):
    with pytest.raises(ZooError) as refusal:
        SelfAttention().after(given)
    assert refusal.value.at == "interaction.0" and words in str(refusal.value)
