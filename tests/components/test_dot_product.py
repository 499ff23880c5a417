"""The dot product of a user's and an item's vector: by hand, its bias, what it refuses, and candidates that change places."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sequence.query_attention import QueryAttention
from rankzoo.components.sequence.self_attention import SelfAttention
from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.towers.dot_product import DotProduct
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from rankzoo.signals import Branches, Signal
from tests.components.past import shape
from tests.support import OFF, flops, logits, numel, random_batch, randomised, rich
from tests.wiring import assert_wired

SCHEMA = rich()
TWO = AdditiveAttention(width=5, token=6, candidate=True)


def model_of(tasks: tuple[str, ...] = ("click",), scale: bool = False, **slots: object) -> tuple[Blueprint, RankingModel]:
    given = {"sequence": (TWO,), "concatenation": Join(fields=()), "towers": DotProduct(scale=scale), **slots}
    blueprint = Blueprint(tasks=tasks, **given)
    return blueprint, randomised(RankingModel(blueprint, SCHEMA))


def test_by_hand():
    """u = (1, 2, 3), c = (4, −5, 6): 4 − 10 + 18 = 12; times a scale of 0.5, plus a bias of 1 and a linear part of 0.25."""
    layer = DotProduct(scale=True).build(shape().but(fields={"past": 3, "candidate": 3}))
    with torch.no_grad():
        layer.scale.fill_(0.5)
    fields = {"past": torch.tensor([[1.0, 2.0, 3.0]]), "candidate": torch.tensor([[4.0, -5.0, 6.0]])}
    assert layer.begin("click", 1.0)
    out = layer(Branches({}), Signal(fields=fields, logits={"click": torch.tensor([0.25])}), OFF)
    assert out["click"].tolist() == [12 * 0.5 + 1 + 0.25]


def test_tasks_differ_by_their_bias():
    """All tasks share the product: their logits differ by their biases, in every row."""
    _, model = model_of(("click", "share"))
    model.begin({"click": -1.0, "share": 0.5})
    found = logits(model, random_batch(SCHEMA))
    torch.testing.assert_close(found["share"] - found["click"], torch.full((8,), 1.5))


@pytest.mark.parametrize("tasks", [("click",), ("click", "share", "stars")])
@pytest.mark.parametrize("scale", [False, True])
def test_count_and_diagram(tasks, scale):
    """One number per task, one for the scale; 2d FLOPs, whatever the number of tasks; the diagram's nodes add up."""
    blueprint, model = model_of(tasks, scale)
    count = blueprint.count(SCHEMA)
    assert numel(model.towers) == count.within("towers").parameters == len(tasks) + scale
    assert count.flops == flops(model, random_batch(SCHEMA)) and count.within("towers").flops == 2 * 6
    assert_wired(blueprint, SCHEMA)
    towers = [b for b in blueprint.blocks(SCHEMA) if b.slot == "towers"]
    into = {b.address: [f.to for f in b.flows] for b in blueprint.blocks(SCHEMA)}
    assert all(tower.address in into["sequence.0.sum"] and tower.address in into["sequence.0.candidate"] for tower in towers)


def test_what_is_joined_is_not_read():
    """All fields joined, none of them, or some: the same logits and the same tower."""
    found = []
    for fields in (None, (), ("user",)):
        _, model = model_of(concatenation=Join(fields=fields))
        found.append(logits(model, random_batch(SCHEMA))["click"])
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


@pytest.mark.parametrize("sequence", [(TWO,), (SelfAttention(heads=2, width=3), TWO), (QueryAttention(token=6),)], ids=str)
def test_permuted_candidates_permute_the_scores(sequence):
    """One viewer, eight candidates: dealt in another order, the scores are dealt so too, and they differ."""
    _, model = model_of(sequence=sequence)
    batch, order = random_batch(SCHEMA), torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    viewer = batch.take(torch.ones(8, dtype=torch.long))
    before, after = (logits(model, replace(viewer, ids=ids))["click"] for ids in (batch.ids, batch.ids[order]))
    torch.testing.assert_close(after, before[order])
    assert before.unique().numel() > 4


def test_other_fields_are_named():
    """A pooled history and a feature of its width; a linear part is added to the product."""
    tower = DotProduct(user="past", item="item")
    _, model = model_of(sequence=(Pooling(token=16),), towers=tower, interaction=(Linear(),))
    batch = random_batch(SCHEMA)
    signal = model.interaction[0](model.sequence[0](model.representation(batch, OFF), OFF), OFF)
    product = (signal.fields["past"] * signal.fields["item"]).sum(dim=1)
    expected = product + model.towers.bias["click"].bias + signal.logits["click"]
    torch.testing.assert_close(logits(model, batch)["click"], expected.detach())


def test_other_data():
    """Names that other data lack give way to the defaults, and are told."""
    schema = Schema((Feature("item", "categorical", 7),), (Task("click"),))
    assert DotProduct(user="past", item="topic").fitted(schema) == (DotProduct(), ("past", "topic"))
    assert DotProduct(item="item").fitted(schema) == (DotProduct(item="item"), ())


@pytest.mark.parametrize("slots, at, words", [
    ({"sequence": ()}, "towers.user", "There is no user's vector for the dot product"),
    ({"sequence": (Pooling(),)}, "towers.item", "There is no field 'candidate' for the dot product. Let additive attention hand"),
    ({"towers": DotProduct(user="passt")}, "towers.user", "There is no field 'passt' for the dot product. Did you mean 'past'?"),
    ({"towers": DotProduct(item="item")}, "towers.item", "'past' has 6 numbers and 'item' 16"),
    ({"interaction": (CrossV2(),)}, "towers", "no linear map for the crosses of interaction.0"),
    ({"concatenation": Join(), "sharing": SharedBottom()}, "towers", "does not read the shared network"),
    ({"sharing": SharedBottom()}, "sharing", "nothing is joined before it")])
def test_refusals(slots, at, words):
    """What cannot stand here says so, where, and what to do."""
    with pytest.raises(ZooError) as refusal:
        model_of(**slots)
    assert refusal.value.at == at and words in str(refusal.value)
