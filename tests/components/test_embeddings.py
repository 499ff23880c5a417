"""Embeddings: the fused look-up against separate tables, sparse gradients, shared history tables, numeric features."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from rankzoo.components.representation.embeddings import Embeddings, EmbeddingsLayer
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.errors import ZooError
from rankzoo.schema import Feature, Schema, Task
from rankzoo.shape import Shape
from tests.support import OFF, numel, random_batch, randomised, rich


def layer_of(spec: Embeddings) -> EmbeddingsLayer:
    schema = rich()
    return spec.build(Shape(schema, schema.tasks, at="representation"))


def own_table(layer: EmbeddingsLayer, name: str, rows: int) -> nn.Embedding:
    """The rows of one feature as a table of their own."""
    width, start = layer.places[name]
    return nn.Embedding.from_pretrained(layer.tables[str(width)].detach()[start:start + rows], freeze=False)


@pytest.mark.parametrize("dims", [{}, {"item": 8, "user": 2}, {"past.dwell": 8}], ids=["one width", "several", "history"])
def test_fused_look_up_equals_separate_tables(dims):
    """One matrix with offsets is nothing but one nn.Embedding per field."""
    schema, layer = rich(), layer_of(Embeddings(dim=4, dims=dims))
    batch = random_batch(schema, 16)
    signal = layer(batch, OFF)
    for f in schema.inputs:
        if f.kind == "categorical":
            expected = own_table(layer, f.name, f.vocabulary)(batch.features[f.name])
            assert torch.equal(signal.fields[f.name], expected), f.name
    past = schema.histories[0]
    tokens = [own_table(layer, f.table or f"past.{f.name}", f.vocabulary)(batch.histories["past"][:, :, i])
              for i, f in enumerate(past.fields)]
    assert torch.equal(signal.sequences["past"].values, torch.cat(tokens, dim=2))
    assert torch.equal(signal.sequences["past"].mask, batch.masks["past"])


@pytest.mark.parametrize("dims", [{}, {"item": 8, "user": 2}], ids=["one width", "several"])
@pytest.mark.parametrize("backwards", [False, True])
def test_fields_in_one_tensor_are_the_fields(dims, backwards):
    """Stacked and joined, in the data's order (no copy) and in another one: values and gradients as of separate fields."""
    schema, layer = rich(), layer_of(Embeddings(dim=4, dims=dims))
    batch, gradients = random_batch(schema, 16), []
    names = tuple(f.name for f in schema.inputs)
    fours = tuple(f.name for f in schema.inputs if f.kind == "categorical" and f.name not in dims)
    names, fours = (names[::-1], fours[::-1]) if backwards else (names, fours)
    for separate in (False, True):
        signal = layer(batch, OFF)
        signal = signal.but(fields=dict(signal.fields)) if separate else signal
        joined, stacked = torch.cat(signal.joined(names), dim=1), signal.stacked(fours)
        assert torch.equal(joined, torch.cat([signal.fields[name] for name in names], dim=1))
        assert torch.equal(stacked, torch.stack([signal.fields[name] for name in fours], dim=1))
        assert len(signal.joined(names)) == len(names) or not (separate or backwards)
        layer.zero_grad()
        (joined.sin().sum() + stacked.pow(3).sum()).backward()
        gradients.append([table.grad.to_dense() for table in layer.tables.values()])
    for one, two in zip(*gradients, strict=True):
        torch.testing.assert_close(one, two)


def test_fields_do_not_share_rows():
    """Equal ids of two fields find different rows: offsets, the classic mistake of a single table."""
    layer = layer_of(Embeddings(dim=4))
    spans = sorted((start, start + rows) for name, (rows, _) in Embeddings(dim=4).tables(rich()).items()
                   for start in [layer.places[name][1]])
    assert all(end <= following for (_, end), (following, _) in zip(spans, spans[1:], strict=False))


def test_gradient_touches_only_the_rows_of_the_batch():
    """A sparse gradient, zero on every row that was not looked up; perturbing such a row changes nothing."""
    layer, batch = layer_of(Embeddings(dim=4)), random_batch(rich(), 3)
    signal = layer(batch, OFF)
    sum((vector**2).sum() for vector in signal.fields.values()).backward()
    gradient = layer.tables["4"].grad
    assert gradient.is_sparse
    seen = torch.zeros(len(layer.tables["4"]), dtype=torch.bool)
    for name in ("item", "topic", "user", "device"):
        seen[batch.features[name] + layer.places[name][1]] = True
    dense = gradient.to_dense()
    assert (dense[~seen] == 0).all() and (dense[seen].abs().sum(dim=1) > 0).all() and not seen.all()
    with torch.no_grad():
        history = torch.zeros_like(seen)
        history[batch.histories["past"][..., 0] + layer.places["item"][1]] = True
        layer.tables["4"][~seen & ~history] += 100
    after = layer(batch, OFF)
    assert all(torch.equal(after.fields[n], v) for n, v in signal.fields.items())


def test_history_shares_the_candidate_s_table():
    """The item of a history and the candidate's item are the same tensor object: one update moves both."""
    layer = layer_of(Embeddings(dim=4))
    assert [name for name, _ in layer.named_parameters()] == ["tables.4"]
    batch = random_batch(rich(), 8)
    before = layer(batch, OFF)
    was = before.sequences["past"].values  # looked up when it is asked for
    width, start = layer.places["item"]
    item = int(batch.histories["past"][1, 0, 0])
    with torch.no_grad():
        layer.tables[str(width)][start + item] += 1
    after = layer(batch, OFF)
    moved = after.sequences["past"].values[1, 0] - was[1, 0]
    torch.testing.assert_close(moved[:4], torch.ones(4))
    for row in range(8):
        step = after.fields["item"][row] - before.fields["item"][row]
        torch.testing.assert_close(step, torch.full((4,), float(batch.features["item"][row] == item)))


def test_count_has_shared_tables_once():
    """item 7, topic 5, user 6, device 3, dwell 3 of width 4; the bias feature has no table."""
    spec, schema = Embeddings(dim=4), rich()
    count = spec.count(Shape(schema, schema.tasks, at="representation"))
    assert count.parameters == count.embedding == (7 + 5 + 6 + 3 + 3) * 4 == numel(layer_of(spec))
    assert count.flops == 0


def test_numeric_as_value_and_as_vector():
    """A number enters as itself, or times a vector of its own (the sheets' «each numeric field owns one row»)."""
    batch = random_batch(rich(), 8)
    plain = layer_of(Embeddings(dim=4))(batch, OFF).fields["price"]
    assert torch.equal(plain, batch.numbers[:, :1])
    layer = layer_of(Embeddings(dim=4, numeric="vector"))
    width, row = layer.places["price"]
    expected = batch.numbers[:, :1] * layer.tables[str(width)][row]
    torch.testing.assert_close(layer(batch, OFF).fields["price"], expected)
    assert numel(layer) == numel(layer_of(Embeddings(dim=4))) + 2 * 4


def test_numbers_through_the_bottom_mlp():
    """All numbers become one field z = ReLU(W_2 ReLU(W_1 x + b_1) + b_2), the ReLU after the last layer included; it stands first
    and no number enters beside it."""
    batch, layer = random_batch(rich(), 8), randomised(layer_of(Embeddings(dim=4, numeric="mlp", bottom=(6,))))
    signal, (first, _, second, _) = layer(batch, OFF), layer.bottom
    inner = torch.clamp(batch.numbers @ first.weight.T + first.bias, min=0)
    before = inner @ second.weight.T + second.bias
    assert (before < 0).any() and second.out_features == 4
    torch.testing.assert_close(signal.fields["dense"], torch.clamp(before, min=0))
    assert list(signal.fields) == ["dense", "item", "topic", "user", "device"]
    assert signal.aside["price"] is not None and "dense" not in signal.aside


@pytest.mark.parametrize("bottom, total", [((6,), 2 * 6 + 6 + 6 * 4 + 4), ((), 2 * 4 + 4)])
def test_the_bottom_mlp_is_a_part_of_its_own(bottom, total):
    """Price and age through 6 to 4; the part carries the FLOPs, the row of the numbers in the diagram the parameters."""
    spec, schema = Embeddings(dim=4, numeric="mlp", bottom=bottom), rich()
    shape = Shape(schema, schema.tasks, at="representation")
    layer, count = spec.build(shape), spec.count(shape)
    assert count.within("bottom").parameters == numel(layer.bottom) == total
    assert count.flops == 2 * (total - (6 if bottom else 0) - 4) and count.dense == total
    numbers = next(block for block in spec.draw(shape).blocks if block.form == "numbers")
    assert numbers.parameters == total and numbers.title == "dense ×2 → MLP" and numbers.words == ("price", "age")
    assert spec.after(shape).fields["dense"] == 4 and spec.after(shape).origin["dense"] == "representation.numbers"
    assert "price" not in spec.after(shape).fields and "price" not in spec.tables(schema)


def test_without_numbers_there_is_no_bottom_mlp():
    schema = Schema(tuple(f for f in rich().features if f.kind == "categorical"), rich().tasks)
    shape, spec = Shape(schema, schema.tasks, at="representation"), Embeddings(dim=4, numeric="mlp")
    layer = spec.build(shape)
    assert layer.bottom is None and spec.after(shape) == Embeddings(dim=4).after(shape)
    assert numel(layer) == spec.count(shape).parameters == Embeddings(dim=4).count(shape).parameters


def test_a_column_of_the_field_s_name_is_refused():
    """z is called «dense»; a feature or a history of that name would be overwritten or taken for it."""
    rest = rich()
    for features, histories in (((*rest.features, Feature("dense", "categorical", 3)), rest.histories),
                                ((*rest.features, Feature("dense", "numeric")), rest.histories),
                                (rest.features, (replace(rest.histories[0], name="dense"),))):
        shape = Shape(Schema(features, rest.tasks, histories), rest.tasks, at="representation")
        with pytest.raises(ZooError, match="Rename the column, or let numeric features enter") as refusal:
            Embeddings(numeric="mlp").after(shape)
        assert refusal.value.at == "representation.numeric"
        assert Embeddings(numeric="vector").after(shape)


@pytest.mark.parametrize("dims", [{}, {"item": 8, "user": 2}], ids=["one width", "several"])
def test_a_relu_with_a_bias_over_each_embedding(dims):
    """max(0, E_i[x_i] + b_i), one bias vector per categorical field; numbers and past items stay as they were."""
    spec, batch = Embeddings(dim=4, dims=dims, relu=True), random_batch(rich(), 16)
    layer, plain = randomised(layer_of(spec)), layer_of(Embeddings(dim=4, dims=dims))
    plain.tables.load_state_dict(layer.tables.state_dict())
    found, before, cut = layer(batch, OFF), plain(batch, OFF), 0
    for name in ("item", "topic", "user", "device"):
        width, _ = layer.places[name]
        bias = layer.bias[str(width)][layer.groups[width].index(name)]
        assert torch.equal(found.fields[name], torch.clamp(before.fields[name] + bias, min=0)), name
        cut += int((found.fields[name] == 0).sum())
    assert 0 < cut < 16 * sum(spec.width(name) for name in ("item", "topic", "user", "device"))
    assert torch.equal(found.fields["price"], batch.numbers[:, :1]) and (found.fields["price"] < 0).any()
    assert torch.equal(found.sequences["past"].values, before.sequences["past"].values)


def test_the_relu_s_biases_are_counted():
    """m·d more: four categorical fields, of which one is twice as wide; each field's row in the diagram has its own."""
    spec, schema = Embeddings(dim=4, dims={"item": 8}, relu=True), rich()
    shape, plain = Shape(schema, schema.tasks, at="representation"), Embeddings(dim=4, dims={"item": 8})
    layer = spec.build(shape)
    biases = {each.path: each.parameters for each in spec.count(shape).parts if each.path.endswith(".bias")}
    assert biases["item.bias"] == 8 and sum(biases.values()) == numel(layer.bias) == 8 + 3 * 4
    assert spec.count(shape).parameters == numel(layer) == plain.count(shape).parameters + 20
    rows = {block.title: block.parameters for block in spec.draw(shape).blocks}
    assert rows["item"] == 7 * 8 + 8 and rows["topic"] == 5 * 4 + 4
    assert all((bias == 0).all() for bias in layer.bias.values())  # at the start a plain ReLU


@pytest.mark.parametrize("relu", [False, True])
def test_vectors_of_a_feature(relu):
    """The rows that a picture shows are what the network reads of each value."""
    layer, batch = randomised(layer_of(Embeddings(dim=4, relu=relu))), random_batch(rich(), 16)
    vectors = layer.vectors_of("topic", 5)
    assert vectors.shape == (5, 4)
    assert torch.equal(vectors[batch.features["topic"]], layer(batch, OFF).fields["topic"])
    assert torch.equal(layer.vectors_of("topic", 2), vectors[:2])


@pytest.mark.parametrize("spec", [Embeddings(dim=3, numeric="mlp", bottom=(4,)), Embeddings(dim=3, relu=True)],
                         ids=["bottom", "relu"])
def test_gradcheck(spec):
    """Bottom MLP and biases against finite differences in float64; the tables' gradients are sparse and tested apart."""
    layer, batch = randomised(layer_of(spec)).double(), random_batch(rich(), 4)
    batch = replace(batch, numbers=batch.numbers.double())
    names, values = zip(*[(name, p.detach().clone().requires_grad_()) for name, p in layer.named_parameters()
                          if not name.startswith("tables")], strict=True)
    assert torch.autograd.gradcheck(lambda *new: tuple(torch.func.functional_call(
        layer, dict(zip(names, new, strict=True)), (batch, OFF)).fields.values()), values)


def test_bias_features_stay_outside():
    """The position never becomes a field; it only travels aside."""
    signal = layer_of(Embeddings(dim=4))(random_batch(rich(), 8), OFF)
    assert "position" not in signal.fields and "position" in signal.aside


def test_starting_values_are_small():
    """Spread 0.05 by default: tables drawn from N(0, 1) would make logits explode."""
    schema = Schema((Feature("a", "categorical", 4000),), (Task("click"),))
    table = Embeddings(dim=8).build(Shape(schema, schema.tasks, at="representation")).tables["8"]
    assert float(table.detach().std()) == pytest.approx(0.05, rel=0.02)


def test_unknown_field_is_refused():
    """A misspelt field gets its address and the nearest name."""
    schema = rich()
    with pytest.raises(ZooError) as refusal:
        Embeddings(dims={"iten": 4}).after(Shape(schema, schema.tasks, at="representation"))
    assert refusal.value.at == "representation.dims.iten" and "Did you mean 'item'?" in str(refusal.value)


def test_fitted_drops_what_the_data_lack():
    """Widths of fields that other data lack are dropped and named."""
    spec, gone = Embeddings(dims={"item": 4, "nowhere": 8}).fitted(rich())
    assert spec.dims == {"item": 4} and gone == ("nowhere",)


def test_one_hot_owns_nothing():
    """Ids and numbers as they are, no field, no parameter."""
    schema, batch = rich(), random_batch(rich(), 4)
    shape = Shape(schema, schema.tasks, at="representation")
    layer = OneHot().build(shape)
    signal = layer(batch, OFF)
    assert numel(layer) == OneHot().count(shape).parameters == 0
    assert not signal.fields and set(signal.aside) == {f.name for f in schema.features}
    assert torch.equal(signal.aside["item"], batch.ids[:, 0]) and torch.equal(signal.aside["price"], batch.numbers[:, 0])
