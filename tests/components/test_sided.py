"""Two towers before the join: by hand, by side, refused in words, counted and drawn."""
from __future__ import annotations

import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.interaction.sided import Sided
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.load import schema_of
from rankzoo.errors import ZooError
from rankzoo.figures.layout import arrange
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Signal
from tests.drawings import columns
from tests.support import OFF, flops, logits, numel, random_batch, randomised, rich
from tests.wiring import assert_wired

SCHEMA = Schema((Feature("who", "categorical", 5, "user"), Feature("ad", "categorical", 5, "item"),
                 Feature("price", "numeric", side="item"), Feature("hour", "categorical", 5)), (Task("t"),))
WIDTHS = {"who": 3, "ad": 2, "price": 1, "hour": 4}


def shape(schema: Schema = SCHEMA, widths: dict[str, int] = WIDTHS) -> Shape:
    origin = {name: f"representation.{name}" for name in widths}
    return Shape(schema, schema.tasks, fields=widths, origin=origin, at="interaction.0")


def fields(rows: int = 6) -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return {name: torch.randn(rows, width, generator=rng) for name, width in WIDTHS.items()}


@pytest.mark.parametrize("rank", [0, 2])
def test_by_hand(rank):
    """x₁ = x₀ ⊙ (W x₀ + b) + x₀ over the side's own numbers, then ReLU of a linear map; context passes on."""
    given = fields()
    layer = randomised(Sided(layers=1, rank=rank, widths=(4,)).build(shape()))
    found = layer(Signal(fields=given), OFF).fields
    assert list(found) == ["user_tower", "item_tower", "hour"] and torch.equal(found["hour"], given["hour"])
    for side, x in (("user", given["who"]), ("item", torch.cat([given["ad"], given["price"]], dim=1))):
        tower = layer.get_submodule(side)
        cross, deep = tower.cross[0], tower.deep[0]
        matrix, bias = (cross.u[0] @ cross.v[0].T, cross.bias) if rank else (cross.linear.weight, cross.linear.bias)
        crossed = x * (x @ matrix.T + bias) + x
        torch.testing.assert_close(found[f"{side}_tower"], torch.relu(crossed @ deep.weight.T + deep.bias))


@pytest.mark.parametrize("spec", [Sided(), Sided(layers=0), Sided(widths=()), Sided(layers=0, widths=()),
                                  Sided(rank=2, layers=3)])
def test_counted_drawn_and_predicted(spec):
    """What `after`, `count` and `draw` say without a tensor is what torch has; edges lead from the side's own fields alone."""
    blueprint = Blueprint(representation=Embeddings(dim=4), interaction=(spec, CrossV2(layers=1, structure="stacked")),
                          towers=MlpTower(widths=(8,)), tasks=("t",))
    model, batch = RankingModel(blueprint, SCHEMA), random_batch(SCHEMA)
    count = blueprint.count(SCHEMA)
    assert count.parameters == numel(model) and count.flops == flops(model, batch)
    assert_wired(blueprint, SCHEMA)
    flowing = {block.title: {flow.to.split(".")[2] for flow in block.flows if flow.to.startswith("interaction.0")}
               for block in blueprint.blocks(SCHEMA) if block.slot == "representation"}
    assert flowing["who"] == {"user"} and flowing["ad"] == {"item"} and flowing["hour"] == set()


def test_no_bar_joins_what_two_towers_read_apart():
    """x₀ of the diagram is for layers that read all fields; each side has its own here."""
    def bars(*interaction) -> set[str]:
        blueprint = Blueprint(representation=Embeddings(dim=4), interaction=interaction, towers=MlpTower(widths=(8,)),
                              tasks=("t",))
        blocks = blueprint.blocks(SCHEMA)
        return {address for address, block in arrange(blocks, columns(blocks)).blocks.items() if block.title == "x₀"}
    assert bars(Sided()) == set() and bars(CrossV2(layers=2)) == {"interaction"}


def test_numbers_of_a_side_and_histories():
    """On data with everything: item, topic are the ad's, user is the user's, all else passes on."""
    schema = rich()
    widths = dict.fromkeys(("item", "topic", "user", "device", "price", "age", "past"), 2)
    spec = Sided(widths=(4,))
    assert spec.members(shape(schema, widths)) == {"user": ("user",), "item": ("item", "topic")}
    left = {"user_tower": 4, "item_tower": 4, "device": 2, "price": 2, "age": 2, "past": 2}
    assert spec.after(shape(schema, widths)).fields == left


def test_refuses_in_words():
    neither = Schema((Feature("a", "categorical", 5), Feature("b", "categorical", 5)), (Task("t"),))
    with pytest.raises(ZooError, match="No field that comes here is known to be a user's or an item's") as caught:
        Sided().after(shape(neither, {"a": 2, "b": 2}))
    assert caught.value.at == "interaction.0"
    clash = Schema((Feature("who", "categorical", 5, "user"), Feature("user_tower", "categorical", 5)), (Task("t"),))
    with pytest.raises(ZooError, match="The user tower's vector is called 'user_tower'"):
        Sided().after(shape(clash, {"who": 2, "user_tower": 2}))
    with pytest.raises(ZooError, match="No field that comes here"):  # a second one finds the towers' vectors alone
        Sided().after(Sided().after(shape()))


def test_stands_on_other_data():
    """A system of another company with towers of its own: bias, histories and all."""
    schema = schema_of("video")
    blueprint = Blueprint(representation=Embeddings(dim=4), interaction=(Sided(layers=1, widths=(6,)),),
                          towers=MlpTower(widths=(8,)), tasks=("click",))
    model = randomised(RankingModel(blueprint, schema))
    assert torch.isfinite(logits(model, random_batch(schema))["click"]).all()
