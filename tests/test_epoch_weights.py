"""Weights of tasks that rise or fall from epoch to epoch (Tang et al., RecSys 2020, eq. 10), however tasks are combined."""
from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from rankzoo.claims.registry import get
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.data.dataset import Dataset
from rankzoo.document import Document
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.combine import METHODS, combiner
from rankzoo.training.run import digest
from rankzoo.training.settings import TrainSettings
from rankzoo.training.stream import stream
from rankzoo.ui import state
from rankzoo.ui.charts import _weighed
from tests.support import small
from tests.test_combine import fit_of, run


@pytest.fixture(scope="module")
def feed() -> Dataset:
    """4,000 rows of `feed`."""
    return small("feed", 4_000)


@pytest.mark.parametrize("method", METHODS)
def test_weights_of_an_epoch_are_those_of_a_blueprint(method, feed):
    """In epoch 2 every gradient is that of the weights w₀ γ², written into another blueprint."""
    moving = Pointwise(weights={"like": 2.0}, factors={"click": 0.5, "like": 1.5})
    found = []
    for losses, epoch in ((moving, 2), (Pointwise(weights={"click": 0.25, "like": 4.5}), 0)):
        blueprint = systems()["mmoe"].blueprint.model_copy(update={"losses": losses})
        model = RankingModel(blueprint, feed.schema)
        combine = combiner(method, model)
        torch.manual_seed(0)  # the order of PCGrad's projections
        combine.begin(epoch, model)
        combine.backward(model.train()(feed.part("train", 64)).losses, model)
        found.append([p.grad for p in [*model.parameters(), *combine.parameters()] if p.grad is not None])
    assert len(found[0]) == len(found[1]) > 10
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_a_weight_that_moves_is_told_and_goes_on(feed):
    """Points of its own, epoch by epoch; a training that goes on in the third epoch has its weights; none exceeds 1000."""
    losses = {"losses": Pointwise(weights={"like": 2.0}, factors={"like": 0.5})}
    whole = fit_of("sum", feed, slots=losses)
    told = {step.number: step.points.get("train.like.weight") for step in whole}
    assert [told[number] for number in (0, 4, 8, 12)] == [2.0, 2.0, 1.0, 0.5]
    half = run(fit_of("sum", feed, slots=losses), 9)
    assert digest(run(fit_of("sum", feed, slots=losses, state=half.state())).model) == digest(whole.model)
    layer = RankingModel(systems()["mmoe"].blueprint.model_copy(update={"losses": Pointwise(factors={"click": 2.0})}),
                         feed.schema).losses
    assert layer.weights_in(9)["click"] == 512.0 and layer.weights_in(999)["click"] == 1000.0


def test_diagram_and_page_say_it():
    """The card of a loss has its weight and its factor; the Train page says which weights move."""
    document = Document.preset("snapchat").but([("losses.factors", {"swipe": 0.9, "install": 1.0})])
    words = {block.task: block.words[0] for block in document.blueprint.losses.draw(
        document.blueprint.places(document.schema())[-1].shape).blocks}
    assert words["swipe"] == "weight 1 · 0.9ᵗ" and words["install"] == words["purchase"] == "weight 1"
    assert _weighed(document.blueprint.losses) == ["The weight of a task changes after each epoch: swipe × 0.9."]
    assert _weighed(Document.preset("snapchat").blueprint.losses) == []


def test_a_run_of_a_time_with_fewer_settings_is_still_one_of_its_model():
    """A stored document that lacks a setting which came since is read with its default, and so is the model in hand."""
    now = Document.preset("snapchat")
    old = json.loads(now.json())
    del old["blueprint"]["losses"]["factors"]
    stored = SimpleNamespace(config=json.dumps(old, sort_keys=True, separators=(",", ":")))
    assert stored.config != now.json() and state.same(stored, now)
    assert not state.same(stored, now.but([("losses.factors", {"swipe": 0.9})]))
    assert not state.same(SimpleNamespace(config="{"), now)


def test_a_stream_goes_on_with_the_weights_of_the_run(feed):
    """After two epochs a step of a stream is that of the weights w₀ γ², and a stream hands its epochs on; without: w₀."""
    rows, settings, found = feed.part("test").rows(0, 64), TrainSettings(optimizer="sgd", batch_size=32), []
    for losses, epochs in ((Pointwise(weights={"like": 2.0}, factors={"click": 0.5, "like": 1.5}), 2),
                           (Pointwise(weights={"click": 0.25, "like": 4.5}), 0), (Pointwise(weights={"like": 2.0}), 0)):
        model = RankingModel(systems()["mmoe"].blueprint.model_copy(update={"losses": losses}), feed.schema)
        list(stream(model, rows, settings, 2, epochs=epochs))
        found.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_the_online_claim_hands_its_epochs_on(monkeypatch):
    """Its streams begin after as many epochs as its preset trains."""
    found, claim = [], get("online")
    monkeypatch.setattr("rankzoo.training.stream.stream", lambda *given, epochs=0: found.append(epochs) or stream(*given))
    claim.trial(replace(claim, rows=2_000, arms=claim.arms[:1]), 0)
    assert found == [Document.preset("bytedance").settings.epochs] and found[0] > 0
