"""Neighbours: the layer against GraphSAGE's algorithm written with loops; the sheet's invariants are its system's."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.neighbours import Neighbours
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.towers.classes import Classes
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Catalogue, Feature, History, HistoryField, Schema, Task
from rankzoo.signals import Batch
from tests.support import flops, numel, random_batch, randomised

KINDS = pytest.mark.parametrize("aggregator", ["mean", "pool", "gcn"])
PLAIN = {"hidden": (12, 11), "samples": (3, 3), "alone": 0.0}


def music(tracks: int = 12, places: int = 4) -> Schema:
    """Tracks with a colour, two numbers, a genre that is asked for, and neighbours."""
    about = (Feature("track", "categorical", tracks + 1, "item"), Feature("genre", "categorical", 4, "item"),
             Feature("colour", "categorical", 5, "item"), Feature("energy", "numeric", side="item"),
             Feature("tempo", "numeric", side="item"))
    near = History("near", places, (HistoryField("track", tracks + 1, "track"),))
    past = History("playlist", 5, (HistoryField("track", tracks + 1, "track"),))
    tasks = (Task("next", "class", "track"), Task("genre", "class", "genre"))
    return Schema((), tasks, (past,), catalogue=Catalogue("track", Schema(about, (), (near,))))


def model_of(spec: Neighbours, schema: Schema | None = None) -> RankingModel:
    schema = schema or music()
    return randomised(RankingModel(Blueprint(representation=spec, sequence=(Pooling(),), towers=Classes(),
                                             tasks=("next", "genre")), schema)).eval()


def encoded(spec: Neighbours, items: Batch) -> Tensor:
    with torch.no_grad():
        return model_of(spec).representation.items(items)


def listing(items: Batch, lists: dict[int, list[int]]) -> Batch:
    """The items with these neighbours, and nobody else's."""
    near = torch.zeros_like(items.histories["near"])
    for item, others in lists.items():
        near[item, :len(others), 0] = torch.tensor(others, dtype=torch.long)
    return replace(items, histories={"near": near}, masks={"near": near[:, :, 0] > 0})


@pytest.fixture
def items() -> Batch:
    return random_batch(music()).catalogue


@KINDS
@pytest.mark.parametrize("normalize", [True, False])
def test_it_is_the_algorithm_of_the_paper(items, aggregator, normalize):
    """GraphSAGE, algorithm 1, item by item and neighbour by neighbour."""
    layer = model_of(Neighbours(aggregator=aggregator, normalize=normalize, **PLAIN)).representation
    h = [torch.cat([layer.attribute(name, items)[i] for name in ("colour", "energy", "tempo")]) for i in range(13)]
    for k in range(2):
        before, h = h, []
        for item, own in enumerate(before):
            near = [before[int(u)] for u, there in zip(items.histories["near"][item, :, 0], items.masks["near"][item],
                                                        strict=True) if there]
            if aggregator == "gcn":
                read = torch.stack([own, *near]).mean(dim=0)
            elif aggregator == "mean":
                read = torch.cat([own, torch.stack(near).mean(dim=0) if near else torch.zeros_like(own)])
            else:
                told = [torch.relu(layer.pool[k].weight @ u + layer.pool[k].bias) for u in near]
                read = torch.cat([own, torch.stack(told).amax(dim=0) if told else torch.zeros_like(own)])
            h.append(torch.relu(layer.layer[k].weight @ read))
            if normalize and h[-1].norm() > 0:
                h[-1] = h[-1] / h[-1].norm()
    torch.testing.assert_close(layer.items(items), torch.stack(h), rtol=1e-4, atol=1e-5)


@KINDS
def test_parameters_do_not_depend_on_the_number_of_items(aggregator):
    """W^k is d_k × 2 d_{k−1} (gcn: d_k × d_{k−1}), whatever the catalogue."""
    spec = Neighbours(aggregator=aggregator, dims={"track.colour": 4}, **PLAIN)
    small, large = (model_of(spec, music(tracks)).representation for tracks in (12, 40))
    assert numel(small) == numel(large)
    twice = 1 if aggregator == "gcn" else 2
    assert [tuple(each.weight.shape) for each in small.layer] == [(12, 6 * twice), (11, 12 * twice)]


def test_every_neighbour_is_as_likely(items):
    some = model_of(Neighbours(hidden=(6,), samples=(2,), alone=0.0)).representation.train()
    many = torch.arange(4).expand(20_000, 4)
    ids, there = some.drawn(many, torch.ones(20_000, 4, dtype=torch.bool), 2)
    assert there.all() and (torch.bincount(ids.flatten()) / 40_000).tolist() == pytest.approx([0.25] * 4, abs=0.01)


def test_none_asked_for_is_none_read(items):
    """S = 0: the same layers over what is known of an item alone, in training and serving."""
    spec = Neighbours(hidden=(6, 5), samples=(0, 0), alone=0.0)
    layer = model_of(spec).representation
    assert torch.equal(layer.items(items), layer.items(listing(items, {})))
    assert torch.equal(layer.train().items(items), layer.eval().items(items))


def test_hidden_neighbourhoods_teach_what_to_do_without(items):
    """About `alone` of the items read as if nobody stood beside them."""
    layer = model_of(Neighbours(hidden=(6,), samples=(4,), alone=0.5, normalize=False)).representation
    without, served = layer.items(listing(items, {})), layer.items(items)
    differs = (without - served).abs().amax(dim=1) > 1e-4
    torch.manual_seed(0)
    hidden = torch.stack([(layer.train().items(items) - without).abs().amax(dim=1) < 1e-6 for _ in range(200)])
    assert hidden[:, differs].float().mean() == pytest.approx(0.5, abs=0.05)


def test_without_layers_it_is_the_attributes(items):
    """K = 0 leaves x_v, over which the genre's head is a logistic regression."""
    layer = model_of(Neighbours(hidden=(), samples=())).representation
    expected = torch.cat([layer.attribute(name, items) for name in ("colour", "energy", "tempo")], dim=1)
    assert torch.equal(layer.items(items), expected)


@KINDS
def test_counts_are_torch_s(aggregator):
    model, batch = model_of(Neighbours(aggregator=aggregator, **PLAIN)), random_batch(music())
    count = model.blueprint.count(music())
    assert count.parameters == numel(model)
    assert count.flops + count.once / len(batch) == flops(model, batch)


def test_what_is_asked_for_is_no_input():
    """Neither the genre nor the id, unless somebody names it."""
    assert Neighbours().attributes(music()) == ("colour", "energy", "tempo")
    assert Neighbours(items=("genre", "tempo")).attributes(music()) == ("genre", "tempo")


def test_refusals():
    lonely = music()
    lonely = replace(lonely, catalogue=replace(lonely.catalogue, schema=replace(lonely.catalogue.schema, histories=())))
    with pytest.raises(ZooError, match="There are 2 layers, and 1 numbers of neighbours."):
        model_of(Neighbours(samples=(3,)))
    with pytest.raises(ZooError, match="No item of these data lists others."):
        Blueprint(representation=Neighbours(), towers=Classes(), tasks=("genre",)).places(lonely)
    about = replace(music().catalogue.schema, features=music().catalogue.schema.features[:2])
    with pytest.raises(ZooError, match="Nothing is known of an item but its id and what the tasks ask for."):
        Blueprint(representation=Neighbours(), towers=Classes(), tasks=("genre",)).places(
            replace(music(), catalogue=replace(music().catalogue, schema=about)))
