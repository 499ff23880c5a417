"""Memory: its terms add up to every total that is printed, and are what optimisers and autograd hold of a real model."""
from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings

from rankzoo.blueprint import Blueprint
from rankzoo.components.mlp import mlp_part
from rankzoo.components.representation.titles import narrowed
from rankzoo.document import Document
from rankzoo.inspection.counts import components, parts
from rankzoo.inspection.memory import Held, activations, held, memory, worked
from rankzoo.inspection.scale import costs
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Schema
from rankzoo.shape import Count, Part
from rankzoo.training.optimizers import Dense, RowWise, optimizers
from rankzoo.training.settings import TrainSettings
from tests.support import random_batch, trained_loss
from tests.test_blueprint import ANY, stands
from tests.test_counts import value

ROWS = 128
MEASURED = ("lr", "wide_deep", "deepfm", "mmoe", "ple", "bst", "bytedance", "homedepot", "microsoft")
"""One system of each kind, measured every day: no layer, gates, levels, a history, rows that come and go, a catalogue, titles of
which a batch names some. The others are slow."""


def assert_terms_add_up(blueprint: Blueprint, schema: Schema) -> None:
    """Every term by its own arithmetic, and parts, components and terms by the whole's bytes."""
    count = blueprint.count(schema)
    whole = memory(count, ROWS)
    for each in (count, *(Count((part,)) for part in count.parts)):
        for term in held(each, ROWS):
            assert value(term.working) == term.bytes > 0, (term, each)
    for rows in (components(blueprint, schema, ROWS), parts(blueprint, schema, ROWS)):
        for name in ("serving", "training"):
            assert sum(row[name] for row in rows) == whole[name]
            assert all((value(row[f"{name}_working"]) if row[f"{name}_working"] else 0) == row[name] for row in rows)
    assert whole["serving"] == 4 * count.parameters


@pytest.mark.parametrize("arch", list(systems()))
def test_every_term_of_a_system_adds_up(arch: str):
    document = Document.preset(arch)
    assert_terms_add_up(document.blueprint, document.schema())
    large = document.industry()
    assert_terms_add_up(large.blueprint, large.schema)
    found = costs(large, ROWS)
    assert (found["training"], found["activations"]) == (memory(large.count, ROWS)["training"], activations(large.count, ROWS))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(ANY)
def test_every_term_of_any_blueprint_adds_up(drawn):
    schema, blueprint = drawn
    assume(stands(schema, blueprint))
    assert_terms_add_up(blueprint, schema)


def test_terms_by_hand():
    """A hidden layer of 8 over 4 numbers and one of 2 behind it: 58 weights; a table of 10 × 3."""
    deep = mlp_part("deep", 4, (8, 2))
    assert held(Count((deep,)), 16) == (
        Held("weights", "58 × 4", 232, serving=True), Held("gradients", "58 × 4", 232),
        Held("two moments of Adam", "2 × 58 × 4", 464), Held("activations of examples", "16 × (8 + 2) × 4", 640))
    table = Part("a", 30, 0, (3,), "10 × 3", table=True, rows=10)
    assert worked(Count((table, deep)), 16) == {
        "serving": 352, "training": 352 + 80 + 696 + 16 * 13 * 4, "serving_working": "88 × 4",
        "training_working": "88 × 4 + 58 × 4 + 2 × 58 × 4 + 2 × 10 × 4 + 16 × 13 × 4"}
    assert memory(Count((Part("still", 100, 0, (5,), "100", still=True),)), 16) == {"serving": 400, "training": 400}


def test_items_by_hand():
    """Of 1,000 items all are encoded, or those that a batch names and the unknown one, which are never more than all."""
    every = Part("read", 12, 24, (5, 3), "4 × 3").for_items(1_000)
    assert [term.working for term in held(Count((every,)), 16) if term.what == "activations of items"] == ["1,000 × 5 × 3 × 4"]
    some = Part("read", 12, 24, (5, 3), "4 × 3", items=1_000, named=11)
    assert [some.times(rows) for rows in (1, 16, 512)] == [12, 177, 1_000]
    assert Count((every, some)).activations == 0


def kept_by_autograd(model: RankingModel, batch) -> int:
    """Numbers that a forward pass in training keeps for the way back, each once; neither weights nor what the batch brings."""
    known = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers(), batch.numbers)}
    known |= {batch.catalogue.numbers.untyped_storage().data_ptr()} if batch.catalogue is not None else set()
    found: dict[int, torch.Tensor] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.is_floating_point() and tensor.untyped_storage().data_ptr() not in known:
            found[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        trained_loss(model, batch)
        return sum(tensor.untyped_storage().nbytes() // 4 for tensor in found.values())


@pytest.mark.parametrize("arch", [pytest.param(each, marks=() if each in MEASURED else pytest.mark.slow) for each in systems()])
def test_a_real_model_holds_what_is_counted(arch: str):
    """Optimisers hold exactly the counted moments: those of tables row by row, all others of what has a gradient for each number.
    Autograd keeps .7 to 1.65 of the activations, beside at most 8 numbers of each row's logits and losses: it drops vectors that
    a concatenation copies and, of histories, places that are empty (here half of them); it keeps twice what is stacked for a
    gate, and masked copies of weights."""
    document = Document.preset(arch)
    schema, count = document.schema(), document.blueprint.count(document.schema())
    model = RankingModel(document.blueprint, schema).train()
    terms = Counter({term.what: term.bytes // 4 for term in held(count, ROWS)})
    for kind, what in ((Dense, "two moments of Adam"), (RowWise, "row-wise Adam of tables")):
        made = [each for each in optimizers(model, TrainSettings()) if isinstance(each, kind)]
        assert terms[what] == sum(tensor.numel() for each in made for state in each.state.values()
                                  for name, tensor in state.items() if name != "step")
        if kind is Dense:
            assert terms["gradients"] == sum(parameter.numel() for each in made for parameter in each.parameters)
    batch = random_batch(schema, ROWS)
    if batch.catalogue is not None:
        read = {part.times(ROWS) for part in count.parts if part.named}
        assert all(len(narrowed(batch).catalogue) <= times <= schema.catalogue.rows for times in read)
    kept, counted = kept_by_autograd(model, batch), activations(count, ROWS) // 4
    assert 0.7 * counted <= kept <= 1.65 * counted + 8 * ROWS * len(document.blueprint.tasks)
