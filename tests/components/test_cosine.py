"""The loss of cosines, and scores without a map: two items are told as alike as their numbers are."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.negatives import Negatives
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.attributes import Attributes
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.towers.classes import Classes
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from tests.components.test_neighbours import music
from tests.support import OFF, logits, numel, random_batch, randomised, rich

MUSIC = music()
BATCH = random_batch(MUSIC, 40)


def model_of(losses: Pointwise, **tower: object) -> RankingModel:
    """A track is its two numbers and its colour; a playlist the mean of its tracks."""
    track = Attributes(dim=3, unknown=0.0, items=("colour", "energy", "tempo"))
    blueprint = Blueprint(representation=track, sequence=(Pooling(),), towers=Classes(**tower), losses=losses,
                          tasks=("next", "genre"))
    return randomised(RankingModel(blueprint, MUSIC)).eval()


def test_it_is_the_mean_over_pairs_by_hand():
    """(s_v / scale − cos(x_u, x_v))² over known items v, row by row; u the mean of what the row names. No label counts."""
    model = model_of(Pointwise(how={"next": "cosine"}), scale=7.0)
    scores, x = logits(model, BATCH)["next"], BATCH.catalogue.numbers
    rows = []
    for row in range(len(BATCH)):
        mine = BATCH.histories["playlist"][row, BATCH.masks["playlist"][row], 0]
        if not BATCH.observed["next"][row] or not len(mine):
            continue
        u = x[mine].mean(dim=0)
        rows.append(torch.stack([(scores[row, v] / 7 - F.cosine_similarity(u, x[v], dim=0)) ** 2
                                 for v in BATCH.seen.nonzero().squeeze(1)]).mean())
    found = model(BATCH).losses["next"]
    torch.testing.assert_close(found.detach(), torch.stack(rows).mean(), rtol=1e-4, atol=1e-5)
    other = replace(BATCH, labels={**BATCH.labels, "next": torch.where(BATCH.observed["next"], 2.0, torch.nan)})
    assert torch.equal(model(other).losses["next"], found)


def test_its_unit_is_the_best_score_that_is_the_same_for_all():
    """No constant costs less than the variance of the cosines."""
    layer = model_of(Pointwise(how={"next": "cosine"})).losses
    unit = layer.flat(BATCH, BATCH)["next"]
    cost = [float(layer.loss("next", {"next": torch.full((40, MUSIC.catalogue.rows), value)}, BATCH, {}))
            for value in torch.linspace(-1, 1, 201).tolist()]
    assert unit == pytest.approx(min(cost), rel=0.05) and set(layer.flat(BATCH, BATCH)) == {"next"}


def test_scores_without_a_map_are_products_of_the_vectors_themselves():
    """s_j = scale · p·x_j, p the mean of the playlist's tracks; no parameter stands between, and the count says so."""
    model = model_of(Pointwise(), mapped=False, scale=3.0)
    items = model.representation(BATCH, OFF).catalogue
    scores = logits(model, BATCH)["next"]
    for row in (1, 2, 3):
        mine = BATCH.histories["playlist"][row, BATCH.masks["playlist"][row], 0]
        p = items[mine].mean(dim=0) if len(mine) else torch.zeros(items.shape[1])
        torch.testing.assert_close(scores[row], 3 * (items @ p).detach(), rtol=1e-4, atol=1e-5)
    assert model.blueprint.count(MUSIC).parameters == numel(model)
    assert not model.blueprint.count(MUSIC).within("towers.head.next").parts


def test_other_tasks_of_drawn_negatives_have_the_loss_that_is_set_for_them():
    """Without `on`, a task whose loss is set has no negatives drawn."""
    drawn = model_of(Negatives(how={"next": "cosine"}, drawn=5))
    plain = model_of(Pointwise(how={"next": "cosine"}))
    assert set(drawn.losses.known) == {"genre"} and drawn.blueprint.losses.named(MUSIC.task("next")) == "cosines, squared"
    assert torch.equal(drawn(BATCH).losses["next"], plain(BATCH).losses["next"])
    assert set(model_of(Negatives(on=("next",), how={"genre": "softmax"})).losses.known) == {"next"}


def test_refusals():
    with pytest.raises(ZooError, match="'genre' cannot be told by cosines"):
        model_of(Pointwise(how={"genre": "cosine"}))
    with pytest.raises(ZooError, match="which the loss cosine is not made for"):
        Blueprint(losses=Pointwise(how={"click": "cosine"}), tasks=("click",)).places(rich())
    with pytest.raises(ZooError, match="the network hands on 5 numbers and an item has 3") as refused:
        RankingModel(Blueprint(
            representation=Attributes(dim=3, unknown=0.0, items=("colour",)), tasks=("next",), sequence=(Pooling(),),
            towers=Classes(mapped=False, widths=(5,))), MUSIC)
    assert refused.value.cure == (("towers.mapped", True),)
