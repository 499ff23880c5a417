"""Two towers: what the item tower is by hand, for every representation that makes items, and what is refused."""
from __future__ import annotations

import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.losses.graded import Graded
from rankzoo.components.representation.attributes import Attributes
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.neighbours import Neighbours
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.towers.classes import Classes
from rankzoo.components.towers.two_towers import TwoTowers
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.trace import Trace
from tests.support import OFF, flops, logits, numel, random_batch, randomised, rich, shop

SHOP = shop()
BATCH = random_batch(SHOP, 8)


def blueprint(**slots) -> Blueprint:
    return Blueprint(**{"tasks": ("next",), "representation": Embeddings(dim=4), "sequence": (Pooling(),),
                        "towers": TwoTowers(widths=(6,))} | slots)


def by_hand(model: RankingModel) -> tuple[torch.Tensor, torch.Tensor]:
    trace = Trace()
    model.eval()(BATCH.unlabelled(), trace)
    return trace["towers.user"].values, trace["towers.item"].values


@pytest.mark.parametrize("known, columns", [((), slice(4, 17)), (("title",), slice(13, 17)),
                                            (("colour", "weight"), [4, 5, 6, 7, 12])])
def test_item_tower_by_hand(known, columns):
    """v = M e + tanh(W x + b): the vector's parts are the attributes in order: id 4, colour 4, brand 4, weight 1, title 4."""
    model = randomised(RankingModel(blueprint(towers=TwoTowers(widths=(6,), known=known)), SHOP))
    x, (u, v) = model.representation(BATCH, OFF).catalogue, by_hand(model)
    expected = x[:, :4] @ model.towers.own.weight.T + torch.tanh(model.towers.item(x[:, columns]))
    torch.testing.assert_close(v, expected.detach())
    torch.testing.assert_close(logits(model, BATCH)["next"], u @ v.T)


def test_an_id_as_wide_as_u_is_added_as_it_is():
    model = RankingModel(blueprint(towers=TwoTowers(widths=(4,))), SHOP)
    assert model.towers.own is None and numel(model) == blueprint(towers=TwoTowers(widths=(4,))).count(SHOP).parameters


@pytest.mark.parametrize("representation, own", [(Attributes(dim=3), 0), (Neighbours(dim=3, hidden=(5,), samples=(2,)), 0),
                                                 (Embeddings(dim=3), 3), (Attributes(dim=3, items=("product",)), 3)])
def test_every_kind_of_item(representation, own):
    """Without its id an item has no vector of its own; where all is mixed the tower reads the mixture."""
    found = blueprint(representation=representation)
    model, count = RankingModel(found, SHOP), found.count(SHOP)
    assert model.towers.many == own and count.parameters == numel(model)
    assert count.flops + count.once / 8 == pytest.approx(flops(model, BATCH))
    assert logits(model, BATCH)["next"].shape == (8, 10)


def test_both_towers_stand_in_the_diagram():
    """From the joined vector and from the catalogue, into one product, and from there into every loss."""
    blocks = {block.address: block for block in blueprint().blocks(SHOP)}
    assert [flow.to for flow in blocks["concatenation"].flows] == ["towers.user"]
    assert "towers.item" in [flow.to for flow in blocks["representation.product"].flows]
    for tower in ("user", "item"):
        assert [flow.to for flow in blocks[f"towers.{tower}"].flows] == ["towers.product"]
    assert [flow.to for flow in blocks["towers.product"].flows] == ["losses.next"]


@pytest.mark.parametrize("schema, slots, at, words", [
    (SHOP, {"tasks": ("click",)}, "towers", "chooses none"), (SHOP, {"tasks": ("shade",)}, "towers", "chooses none"),
    (rich(), {"tasks": ("click",)}, "towers", "chooses none"),
    (SHOP, {"sharing": MMoE(experts=2, widths=(4,))}, "towers", "share the one score"),
    (SHOP, {"interaction": (CrossV2(layers=1),)}, "towers", "have to know the item"),
    (SHOP, {"representation": OneHot(), "sequence": ()}, "towers", "one of them is missing"),
    (SHOP, {"towers": TwoTowers(known=("size",))}, "towers.known.0", "holds no attribute 'size'"),
    (SHOP, {"towers": TwoTowers(own=False), "representation": Attributes(items=("product",))}, "towers.known",
     "nothing to read")])
def test_refusals(schema, slots, at, words):
    with pytest.raises(ZooError) as caught:
        blueprint(**slots).count(schema)
    assert caught.value.at == at and words in str(caught.value)


def test_words_of_a_query_have_a_table_whatever_items_are_made_of():
    """A history that shares the title's table finds it, though no item's vector holds a title."""
    found = blueprint(representation=Attributes(dim=3, items=("colour",)), sequence=(Pooling(history="asked"),),
                      towers=Classes())
    model = RankingModel(found, SHOP)
    assert found.count(SHOP).parameters == numel(model) and torch.isfinite(logits(model, BATCH)["next"]).all()
    assert sum(block.parameters for block in found.blocks(SHOP)) == numel(model)


def test_graded_loss_beside_other_towers_and_its_refusals():
    """Classes with a matrix of their own learn by it too; without lists or without their tasks it is refused."""
    model = RankingModel(blueprint(towers=Classes(tied=False), losses=Graded(random=4), tasks=("next", "shade")), SHOP)
    found = model(BATCH).losses
    assert found["next"] > 0 and found["shade"] > 0
    for schema, tasks in ((SHOP, ("shade",)), (rich(), ("click",))):
        with pytest.raises(ZooError, match="A graded loss needs lists of items with grades") as caught:
            blueprint(tasks=tasks, towers=Classes(), losses=Graded()).count(schema)
        assert caught.value.at == "losses"
    with pytest.raises(ZooError, match="The least share") as caught:
        blueprint(losses=Graded(least=0.8, most=0.2)).count(SHOP)
    assert caught.value.at == "losses.least"
