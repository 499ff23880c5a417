"""Factorisation machine: the measured invariants and mistakes of the feature-crossing sheet, g."""
from __future__ import annotations

from itertools import combinations

import pytest
import torch
from torch import Tensor

from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.interaction.fm import FM
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.towers.bare import Bare
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch, Signal
from rankzoo.trace import Trace
from tests.support import OFF, c0, flops, logits, numel, random_batch, randomised
from tests.wiring import assert_wired

NAMES, K = ("a", "b", "c", "d"), 3


def shape(names: tuple[str, ...] = NAMES, width: int = K, tasks: tuple[str, ...] = ("click",)) -> Shape:
    schema = Schema(tuple(Feature(n, "categorical", 5) for n in names), tuple(Task(t) for t in tasks))
    return Shape(schema, schema.tasks, fields=dict.fromkeys(names, width), origin={n: n for n in names}, at="interaction.1")


def vectors(rows: int = 5, seed: int = 0) -> Tensor:
    """(row, field, k)"""
    return torch.randn(rows, len(NAMES), K, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def run(v: Tensor, trace: Trace = OFF, names: tuple[str, ...] = NAMES) -> Tensor:
    """(row, field, k) → (row,)"""
    signal = Signal(fields=dict(zip(names, v.unbind(1), strict=True)))
    return FM().build(shape(names, v.shape[2]))(signal, trace).logits["click"]


def by_pairs(v: Tensor) -> Tensor:
    """Σ_{i<j} ⟨v_i, v_j⟩, pair by pair."""
    return sum((v[:, i] * v[:, j]).sum(dim=1) for i, j in combinations(range(v.shape[1]), 2))


def test_identity_equals_the_loop_over_pairs():
    """Lemma 3.1. A sum over the numbers within a field, a forgotten half or pairs i = j would all differ."""
    v = vectors()
    torch.testing.assert_close(run(v), by_pairs(v), rtol=1e-14, atol=1e-14)
    assert not torch.allclose(run(v), 2 * by_pairs(v)) and run(v).abs().min() > 1e-3
    within = 0.5 * (v.sum(dim=2).square() - v.square().sum(dim=2)).sum(dim=1)
    assert not torch.allclose(run(v), within)


def test_all_dots_are_twice_the_term_and_the_squares():
    """Σ_ij ⟨v_i, v_j⟩ = 2·FM + Σ ‖v_i‖²."""
    v = vectors()
    gram = torch.matmul(v, v.transpose(1, 2)).sum(dim=(1, 2))
    torch.testing.assert_close(gram, 2 * run(v) + v.square().sum(dim=(1, 2)))


def test_rotation_changes_nothing():
    """One orthogonal matrix for all vectors leaves the term as it was: FM does not know the axes."""
    v = vectors()
    rotation, _ = torch.linalg.qr(torch.randn(K, K, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(run(v @ rotation), run(v))
    stretched = v * torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    assert not torch.allclose(run(stretched), run(v))


@pytest.mark.parametrize("t", [0.5, 3.0])
def test_degree_is_two(t):
    torch.testing.assert_close(run(t * vectors()), t**2 * run(vectors()))


def test_one_active_field_says_nothing():
    """With all other vectors zero there is no pair."""
    v = vectors()
    v[:, 1:] = 0
    torch.testing.assert_close(run(v), torch.zeros(5, dtype=torch.float64))


def test_matrix_factorisation_is_the_case_of_two_fields():
    """User and item alone: b + b_u + b_i + ⟨p_u, q_i⟩."""
    schema = Schema((Feature("user", "categorical", 6), Feature("item", "categorical", 7)), (Task("t0"),))
    model = randomised(RankingModel(machine(dim=4), schema))
    user, item = (model.representation.tables["4"][start:stop] for start, stop in ((0, 6), (6, 13)))
    linear, batch = model.interaction[0], random_batch(schema)
    u, i = batch.ids.unbind(1)
    expected = linear.bias + linear.weights[u, 0] + linear.weights[6 + i, 0] + (user[u] * item[i]).sum(dim=1)
    torch.testing.assert_close(logits(model, batch)["t0"], expected.detach())


def test_gradient_by_hand():
    """∂/∂v_i = Σ_j v_j − v_i, for a vector that already holds the value."""
    v = vectors().requires_grad_()
    run(v).sum().backward()
    torch.testing.assert_close(v.grad, (v.sum(dim=1, keepdim=True) - v).detach())


def test_an_unseen_pair_is_learned_from_others():
    """User 1 with items 1 and 2, user 2 with item 1: a step on these moves what is said of user 2 with item 2. A hand-made cross
    has a weight of its own for that pair, and nothing moves it."""
    schema = Schema((Feature("user", "categorical", 4), Feature("item", "categorical", 4)), (Task("t0"),))
    ids = torch.tensor([[1, 1], [1, 2], [2, 1], [2, 2]])
    seen = torch.tensor([True, True, True, False])
    batch = Batch(schema, ids, torch.zeros(4, 0), labels={"t0": torch.tensor([1.0, 0.0, 0.0, 1.0])}, observed={"t0": seen})
    crossed = Blueprint(tasks=("t0",), representation=OneHot(), interaction=(
        Linear(first_order=False, crosses=(("user", "item"),), buckets=10_000, bias=False),), towers=Bare())
    moved = {}
    for name, blueprint in (("fm", machine(dim=4, first=())), ("cross", crossed)):
        model = randomised(RankingModel(blueprint, schema))
        before = logits(model, batch)["t0"]
        model.train()(batch).losses["t0"].backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= parameter.grad.to_dense()
        moved[name] = (logits(model, batch)["t0"] - before).abs()
    assert moved["fm"].min() > 1e-3
    assert moved["cross"][:3].min() > 1e-3 and moved["cross"][3] == 0


def test_it_adds_to_every_task_and_to_what_is_there():
    """The same term for all tasks, on top of the logits of a linear part."""
    layer = FM().build(shape(tasks=("click", "buy")))
    fields = dict(zip(NAMES, vectors().unbind(1), strict=True))
    before = torch.arange(5.0, dtype=torch.float64)
    found = layer(Signal(fields=fields, logits={"click": before}), OFF).logits
    torch.testing.assert_close(found["click"], by_pairs(vectors()) + before)
    torch.testing.assert_close(found["buy"], by_pairs(vectors()))


def machine(dim: int = 16, first: tuple[Linear, ...] = (Linear(),)) -> Blueprint:
    """A whole FM: first order, pairs, nothing joined, no deep part."""
    return Blueprint(tasks=("t0",), representation=Embeddings(dim=dim, numeric="vector"), interaction=(*first, FM()),
                     concatenation=Join(fields=()), towers=Bare())


def test_a_number_counts_as_value_times_vector_once():
    """Twice the value gives twice the number's vector: its pairs double, no more."""
    schema = Schema((Feature("a", "categorical", 5), Feature("x", "numeric"), Feature("y", "numeric")), (Task("t0"),))
    model, batch = randomised(RankingModel(machine(dim=4), schema)), random_batch(schema)
    table, slopes = model.representation.tables["4"], model.interaction[0].slopes[:, 0]
    e = table[batch.ids[:, 0]]
    x, y = (batch.numbers[:, i:i + 1] * table[5 + i] for i in range(2))
    first = model.interaction[0].bias + model.interaction[0].weights[batch.ids[:, 0], 0] + batch.numbers @ slopes
    expected = first + (e * x + e * y + x * y).sum(dim=1)
    torch.testing.assert_close(logits(model, batch)["t0"], expected.detach(), rtol=1e-5, atol=1e-6)


def test_nothing_joined_stands():
    """Join(fields=()) hands nothing on, Bare owns nothing: FM is first order, pairs and one bias, in count, diagram and start."""
    model = RankingModel(machine(), c0())
    assert {place.address: place.shape for place in machine().places(c0())}["towers"].joined == 0
    assert numel(model.towers) == numel(model.concatenation) == 0
    assert_wired(machine(), c0())
    blocks = {block.address: block for block in machine().blocks(c0())}
    assert "concatenation" not in blocks and [flow.to for flow in blocks["interaction.1"].flows] == ["towers.t0"]
    model.begin({"t0": -1.5})
    assert model.interaction[0].bias.tolist() == [-1.5]


def test_count():
    """No parameter, no matrix product; 3mk + k = 496 element-wise operations at C0, where all pairs one by one take 1,439."""
    count = machine().count(c0())
    assert count.within("interaction.1").elementwise == 3 * 10 * 16 + 16 == 496
    assert count.within("interaction.1").parameters == count.flops == 0
    assert count.parameters == 10_000 * 16 + 10_000 + 1
    assert flops(RankingModel(machine(), c0()), random_batch(c0(), 4)) == 0


def test_pair_map_is_the_spread_of_the_centred_table():
    """Against the whole table: ⟨v_a, v_b⟩ for every pair of rows, double-centred, its sd; the diagonal 0."""
    v, trace = vectors(rows=40), Trace()
    run(v + 2.0, trace)
    entry = trace["pair"]
    assert entry.kind == "cross" and entry.labels["field"] == entry.labels["other"] == NAMES
    for a, b in combinations(range(4), 2):
        table = (v[:, a] + 2.0) @ (v[:, b] + 2.0).T  # (row of a, row of b): the two fields drawn independently
        centred = table - table.mean(dim=0) - table.mean(dim=1, keepdim=True) + table.mean()
        torch.testing.assert_close(entry.values[a, b], centred.square().mean().sqrt())
    torch.testing.assert_close(entry.values, entry.values.T)
    assert (entry.values.diagonal() == 0).all()


def test_a_field_that_never_changes_crosses_with_nothing():
    """A constant vector only shifts the others' first order."""
    v, trace = vectors(rows=40), Trace()
    v[:, 2] = 1.0
    run(v, trace)
    values = trace["pair"].values
    assert (values[2] == 0).all() and (values[:, 2] == 0).all() and values[0, 1] > 0.1


@pytest.mark.parametrize("change, words", [
    ({"fields": {"a": 4}}, "only one"), ({"fields": {}}, "embedded"),
    ({"fields": {"a": 4, "price": 1, "b": 4}}, "'price' has 1 and most have 4")])
def test_refusals(change, words):
    with pytest.raises(ZooError) as refusal:
        FM().after(shape().but(**change))
    assert refusal.value.at == "interaction.1" and words in str(refusal.value)


def test_refusals_say_what_mends_them():
    """Numbers as plain values have another width; the vectors that the sentence names mend it. One-hot has no vector at all."""
    schema = Schema((*c0().features, Feature("price", "numeric")), (Task("t0"),))
    plain = machine().model_copy(update={"representation": Embeddings(dim=16)})
    with pytest.raises(ZooError, match="numeric features enter as vector"):
        plain.count(schema)
    assert machine().count(schema).parameters == 170_001 + 16 + 1
    with pytest.raises(ZooError, match="Choose embeddings"):
        machine().model_copy(update={"representation": OneHot()}).count(schema)


def test_named_fields_alone_are_crossed():
    """`fields` leaves the others out, whatever their width; a name that is not there is refused; other data let names go."""
    v, some = vectors(), FM(fields=("a", "c", "d"))
    wide = shape().but(fields={**shape().fields, "b": 1})
    signal = Signal(fields=dict(zip(NAMES, v.unbind(1), strict=True)))
    torch.testing.assert_close(some.build(wide)(signal, OFF).logits["click"], by_pairs(v[:, [0, 2, 3]]))
    assert some.count(wide).elementwise == 3 * 3 * K + K and some.after(wide).logits
    for names, words in ((("a", "x"), "no field 'x' to cross"), (("a", "a"), "named twice"), (("a",), "there is only one")):
        with pytest.raises(ZooError, match=words):
            FM(fields=names).after(wide)
    schema = Schema(tuple(Feature(n, "categorical", 5) for n in ("a", "d")), ())
    assert some.fitted(schema) == (FM(fields=("a", "d")), ("c",)) and FM(fields=("c", "d")).fitted(schema)[0] == FM()
