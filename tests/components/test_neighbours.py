"""Neighbours: the layer against GraphSAGE's algorithm written with loops; the sheet's invariants are its system's."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.neighbours import Neighbours
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.towers.classes import Classes
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Catalogue, Feature, History, HistoryField, Schema, Task
from rankzoo.signals import Batch
from tests.support import flops, numel, random_batch, randomised

KINDS = pytest.mark.parametrize("aggregator", ["mean", "pool", "gcn", "lstm"])
PLAIN = {"hidden": (12, 11), "samples": (3, 3), "alone": 0.0}


def music(tracks: int = 12, places: int = 4) -> Schema:
    """Tracks with a colour, two numbers, a genre that is asked for, and neighbours."""
    about = (Feature("track", "categorical", tracks + 1, "item"), Feature("genre", "categorical", 4, "item"),
             Feature("colour", "categorical", 5, "item"), Feature("energy", "numeric", side="item"),
             Feature("tempo", "numeric", side="item"))
    near = History("near", places, (HistoryField("track", tracks + 1, "track"), HistoryField("times", 50, counted=True)))
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


def oracle(layer: nn.Module, k: int) -> nn.LSTM:
    """Torch's LSTM with a layer's weights."""
    made = nn.LSTM(layer.read[k].in_features, layer.read[k].in_features)
    with torch.no_grad():
        for name, weights in (("weight_ih_l0", layer.read[k].weight), ("bias_ih_l0", layer.read[k].bias),
                              ("weight_hh_l0", layer.state[k].weight), ("bias_hh_l0", torch.zeros_like(layer.read[k].bias))):
            getattr(made, name).copy_(weights)
    return made


@KINDS
@pytest.mark.parametrize("normalize", [True, False])
def test_it_is_the_algorithm_of_the_paper(items, aggregator, normalize):
    """GraphSAGE, algorithm 1, item by item and neighbour by neighbour; an LSTM is torch's own."""
    layer = model_of(Neighbours(aggregator=aggregator, normalize=normalize, **PLAIN)).representation
    h = [torch.cat([layer.attribute(name, items)[i] for name in ("colour", "energy", "tempo")]) for i in range(13)]
    for k in range(2):
        before, h = h, []
        ids, mask = items.histories["near"][:, :, 0], items.masks["near"]
        ids, mask = layer.shuffled(ids, mask) if aggregator == "lstm" else (ids, mask)
        for item, own in enumerate(before):
            near = [before[int(u)] for u, there in zip(ids[item], mask[item], strict=True) if there]
            if aggregator == "lstm":
                read = torch.cat([own, torch.zeros_like(own)])
                if near:
                    read[len(own):] = oracle(layer, k)(torch.stack(near))[1][0][0]
            elif aggregator == "gcn":
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
    ids, there = some.drawn(many.unsqueeze(2), torch.ones(20_000, 4, dtype=torch.bool), 2)
    assert there.all() and (torch.bincount(ids.flatten()) / 40_000).tolist() == pytest.approx([0.25] * 4, abs=0.01)


def test_a_neighbour_is_drawn_as_its_edge_weighs(items):
    """One of four whose edges weigh 1, 2, 3 and 4 as often; two of them without repetition by Σ_i p_i p_j / (1 − p_i)."""
    some = model_of(Neighbours(hidden=(6,), samples=(2,), alone=0.0, sampling="weight")).representation.train()
    listed = torch.stack([torch.arange(4), torch.arange(1, 5)], dim=1).expand(40_000, 4, 2)
    torch.manual_seed(0)
    for drawn in (1, 2):
        ids, there = some.drawn(listed, torch.ones(40_000, 4, dtype=torch.bool), drawn)
        p = torch.arange(1, 5) / 10
        second = [sum(float(p[i] * p[j] / (1 - p[i])) for i in range(4) if i != j) for j in range(4)]
        expected = [float(p[j]) + (second[j] if drawn == 2 else 0) for j in range(4)]
        assert there.all() and (torch.bincount(ids.flatten()) / 40_000).tolist() == pytest.approx(expected, abs=0.015)
    ids, there = some.drawn(listed[:9], torch.arange(4).expand(9, 4) < 1, 2)
    assert (there.sum(dim=1) == 1).all() and (ids[there] == 0).all()


def test_an_lstm_reads_in_an_order_by_lot(items):
    """Another at each step of a training, each place as likely; outside always the same. Nobody is lost or read twice."""
    layer = model_of(Neighbours(hidden=(6,), samples=(4,), alone=0.0, aggregator="lstm")).representation
    many, there = torch.arange(4).expand(20_000, 4), torch.arange(4).expand(20_000, 4) < 3
    found = layer.train().shuffled(many, there)
    assert torch.equal(found[0].sort(dim=1).values, many) and torch.equal(found[1], found[0] < 3)
    first = torch.bincount(found[0][:, 0]) / 20_000
    assert first.tolist() == pytest.approx([0.25] * 4, abs=0.01)
    assert not torch.equal(layer.shuffled(many, there)[0], found[0])
    served = layer.eval().shuffled(many, there)[0]
    assert torch.equal(layer.shuffled(many, there)[0], served) and (served != many).any()


def test_ids_give_each_item_numbers_of_its_own():
    """And a row of a table to each: what grows with the catalogue."""
    spec = Neighbours(hidden=(6,), samples=(4,), ids=True, dims={"track.track": 3})
    assert spec.attributes(music()) == ("track", "colour", "energy", "tempo")
    small, large = (numel(model_of(spec, music(tracks)).representation) for tracks in (12, 40))
    assert large - small == 28 * 3


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
    plain = replace(music().catalogue.schema.histories[0], fields=music().catalogue.schema.histories[0].fields[:1])
    unweighed = replace(music().catalogue.schema, histories=(plain,))
    with pytest.raises(ZooError, match="No edge of these data has a weight."):
        model_of(Neighbours(sampling="weight"), replace(music(), catalogue=replace(music().catalogue, schema=unweighed)))
    with pytest.raises(ZooError, match="No item of these data lists others."):
        Blueprint(representation=Neighbours(), towers=Classes(), tasks=("genre",)).places(lonely)
    about = replace(music().catalogue.schema, features=music().catalogue.schema.features[:2])
    with pytest.raises(ZooError, match="Nothing is known of an item but its id and what the tasks ask for."):
        Blueprint(representation=Neighbours(), towers=Classes(), tasks=("genre",)).places(
            replace(music(), catalogue=replace(music().catalogue, schema=about)))
