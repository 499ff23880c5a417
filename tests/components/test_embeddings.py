"""Embeddings: the fused look-up against separate tables, sparse gradients, shared history tables, numeric features."""
from __future__ import annotations

import pytest
import torch
from torch import nn

from rankzoo.components.representation.embeddings import Embeddings, EmbeddingsLayer
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.errors import ZooError
from rankzoo.schema import Feature, Schema, Shape, Task
from tests.support import OFF, numel, random_batch, rich


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
    width, start = layer.places["item"]
    item = int(batch.histories["past"][1, 0, 0])
    with torch.no_grad():
        layer.tables[str(width)][start + item] += 1
    after = layer(batch, OFF)
    moved = after.sequences["past"].values[1, 0] - before.sequences["past"].values[1, 0]
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
