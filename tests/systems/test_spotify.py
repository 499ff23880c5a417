"""Spotify's MUSIG-style model: the sheet's invariants (section 9) on the whole model; those of the layer are its own tests'."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rankzoo.claims.papers.cold_tracks import CLAIM, measure, without_edges
from rankzoo.claims.trial import document_of, trained
from rankzoo.data.load import from_world
from rankzoo.data.worlds.playlists import AUDIO, WORLD
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.signals import Batch
from tests.support import logits, numel, randomised

SYSTEM = systems()["spotify"]


@pytest.fixture(scope="module")
def data():
    return from_world(WORLD, 2_000)


@pytest.fixture(scope="module")
def rows(data) -> Batch:
    return data.part("train").rows(0, 64)


def model_of(data, **representation: object) -> RankingModel:
    spec = SYSTEM.blueprint.representation.model_copy(update=representation)
    return randomised(RankingModel(SYSTEM.blueprint.model_copy(update={"representation": spec}), data.schema))


def gradients(model: RankingModel, batch: Batch, *tasks: str) -> dict[str, torch.Tensor]:
    """Of the sum of some tasks' losses, with the same neighbours drawn."""
    model.train().zero_grad()
    torch.manual_seed(0)
    losses = model(batch).losses
    sum(losses[task] for task in tasks).backward()
    return {name: torch.zeros_like(p) if p.grad is None else p.grad.clone() for name, p in model.named_parameters()}


def test_no_track_owns_a_number(data):
    """Invariant 3: the numbers are those of the layers, the maps and the genres: 2,816 + 2 × 32² + 13 × 33."""
    model = RankingModel(SYSTEM.blueprint, data.schema)
    assert numel(model) == 2_816 + 2 * 32**2 + 13 * 33
    assert not model.looked_up()


def test_genre_is_no_input(data, rows):
    """Invariant 15: what is read are the twelve numbers; another genre in the catalogue moves nothing."""
    model = model_of(data)
    assert SYSTEM.blueprint.representation.attributes(data.schema) == AUDIO
    column = [f.name for f in data.schema.catalogue.schema.categorical].index("genre")
    ids = rows.catalogue.ids.clone()
    ids[:, column] = 1
    other = logits(model, replace(rows, catalogue=replace(rows.catalogue, ids=ids)))
    assert all(torch.equal(other[task], logit) for task, logit in logits(model, rows).items())


def test_the_gradient_is_the_sum_of_the_tasks(data, rows):
    """Invariant 12, and 11: a task that is not asked for leaves its own head alone."""
    model = model_of(data)
    whole, parts = gradients(model, rows, *SYSTEM.blueprint.tasks), [gradients(model, rows, t) for t in SYSTEM.blueprint.tasks]
    for name, gradient in whole.items():
        torch.testing.assert_close(gradient, sum(part[name] for part in parts), rtol=1e-4, atol=1e-6)
    assert not parts[0]["towers.head.genre.weight"].any() and parts[0]["representation.layer.0.weight"].any()


def test_a_row_teaches_the_task_that_it_asks_for(data, rows):
    """Rows of playlists leave what is heard and the genre alone, rows of one track the missing track."""
    of_list = rows.observed["co_occurrence"]
    assert of_list.any() and not of_list.all()
    for asked, tasks in ((of_list, ("co_occurrence",)), (~of_list, ("acoustic_similarity", "genre"))):
        losses = model_of(data)(rows.take(asked.nonzero().squeeze(1))).losses
        assert {task for task, loss in losses.items() if loss > 0} == set(tasks)


def test_new_tracks_are_no_negatives(data, rows):
    """What new tracks sound like moves no loss: they compete only when they are ranked."""
    model = model_of(data, alone=0.0, samples=(30, 30))
    numbers = rows.catalogue.numbers.clone()
    numbers[~rows.seen] += 3.0
    moved = replace(rows, catalogue=replace(rows.catalogue, numbers=numbers))
    for task, loss in model(rows).losses.items():
        torch.testing.assert_close(model(moved).losses[task], loss)
    assert not torch.equal(logits(model, moved)["co_occurrence"], logits(model, rows)["co_occurrence"])


def test_a_new_track_has_a_vector_with_and_without_a_playlist(data, rows):
    """Invariant 4: finite and not zero; its neighbours move it, and none of the known ones'."""
    model = model_of(data, items=()).eval()
    with torch.no_grad():
        with_edges, alone = (model.representation.items(each.catalogue) for each in (rows, without_edges(rows)))
    new = ~rows.seen & rows.catalogue.masks["neighbours"].any(dim=1)
    assert torch.isfinite(with_edges).all() and new.sum() >= 200
    assert torch.equal(with_edges[rows.seen], alone[rows.seen])
    assert (with_edges[new] != alone[new]).any(dim=1).float().mean() > 0.9


def test_the_arms_of_the_claim_differ_in_what_a_track_is():
    """Content has the graph's layers to the parameter; ids have a number for each track; one graph is measured twice."""
    blueprints = {arm.name: document_of(CLAIM, arm).blueprint for arm in CLAIM.arms}
    counts = {name: each.count(WORLD.schema).within("representation").parameters for name, each in blueprints.items()}
    assert counts["content"] == counts["graph"] == 2_816 and counts["id"] == 2_001 * 32
    assert blueprints["graph"] == blueprints["graph, in no playlist yet"]


@pytest.mark.slow
def test_a_graph_reaches_new_tracks():
    """Chance is .1 in the pool of 200: ids are there; sound gives .35 to .55, the graph .55 to .7, of all tracks .05 and more."""
    found = {}
    for arm in CLAIM.arms[:3]:
        done = trained(CLAIM, arm, 0)
        found[arm.name] = measure(done, done.dataset.part("test"))
    assert found["id"]["pool"] == pytest.approx(0.1, abs=0.05) and found["id"]["new"] == 0
    assert 0.35 < found["content"]["pool"] < 0.55 < found["graph"]["pool"] < 0.7
    assert found["graph"]["new"] > 0.05 and found["graph"]["known"] < found["id"]["known"]
