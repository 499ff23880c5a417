"""Drawn negatives: who is drawn, how often, and what the loss is; on the small shop, whose tasks choose a product or a colour."""
from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.negatives import Known, Negatives
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.towers.classes import Classes
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from tests.support import random_batch, randomised, shop

SHOP = shop()
BATCH = random_batch(SHOP, 40)


def model_of(tasks=("click", "next", "shade"), **loss) -> RankingModel:
    blueprint = Blueprint(representation=Embeddings(dim=4), sequence=(Pooling(history="past"),), towers=Classes(), tasks=tasks,
                          losses=Negatives(**loss))
    model = randomised(RankingModel(blueprint, SHOP), spread=0.3)
    model.losses.tally(BATCH)
    return model


def test_pairs_and_degrees_by_hand():
    """Items 1 and 2 are labelled 3, item 2 also 1 and 3 again; item 4 by nothing."""
    known = Known(classes=5, items=6)
    known.count(torch.tensor([[1, 2], [2, 0], [2, 0]]), torch.tensor([3, 1, 3]))
    assert known.degree.tolist() == [0, 1, 0, 2, 0]
    rows, classes = known.labelling(torch.tensor([[4, 0], [1, 2], [0, 0], [2, 4]]))
    assert list(zip(rows.tolist(), classes.tolist(), strict=True)) == [(1, 3), (1, 1), (1, 3), (3, 1), (3, 3)]


@pytest.mark.parametrize("task", ["next", "shade"])
def test_a_row_s_negatives(task):
    """Neither label, class 0, nor, where classes are items, past or unseen ones, or what training saw as label of a past one;
    by degree^0.75 else. Of colours, of which each product has met nearly all, the label alone is left out."""
    model = model_of()
    layer, label = model.losses.train(), BATCH.labels[task].nan_to_num().long()
    chance, degree = layer.chances(task, label, BATCH), layer.known[task].degree
    past, seen = layer.items_of(BATCH), BATCH.observed[task]
    for row in range(40):
        anchors = set(past[row].tolist()) - {0}
        met = {int(label[other]) for other in range(40) if seen[other] and anchors & set(past[other].tolist())}
        never = {0, int(label[row])}
        never |= (met | anchors | set((~BATCH.seen).nonzero().squeeze(1).tolist())) if task == "next" else set()
        expected = [0.0 if c in never else float(degree[c]) ** 0.75 for c in range(len(degree))]
        assert chance[row].tolist() == pytest.approx(expected), row


def test_draws_follow_the_chances_and_the_mean_is_what_is_measured():
    """Over many draws the training's loss is the expectation that stands outside training, where no pairs are left out."""
    layer, logit = model_of(drawn=3).losses, torch.randn(4_000, 5)
    chance = torch.tensor([0.0, 1.0, 0.0, 2.0, 5.0]).repeat(4_000, 1)
    logit[:] = logit[0]
    drawn = layer.train().others("shade", logit, chance)
    expected = 3 * (chance[0] / 8 * F.softplus(logit[0])).sum()
    torch.testing.assert_close(layer.eval().others("shade", logit, chance)[0], expected)
    assert float(drawn.mean()) == pytest.approx(float(expected), rel=0.03) and drawn.std() > 0


def test_rows_without_a_negative_have_none():
    layer = model_of().losses
    for training in (True, False):
        found = layer.train(training).others("shade", torch.randn(3, 5), torch.zeros(3, 5))
        assert found.tolist() == [0, 0, 0]


def test_loss_by_hand():
    """softplus(−s_v) + Q Σ P_n softplus(s_n); 0 for all logits: (1 + Q) ln 2, which is the unit; Q = 0 leaves the first term."""
    model, none = model_of(on=("next",), drawn=4), model_of(on=("next",), drawn=0)
    layer = model.losses.eval()
    zero = {"next": torch.zeros(40, 10)}
    assert layer.flat(BATCH, BATCH) == {"next": pytest.approx(5 * math.log(2))}
    rows, counts = layer.rows("next", zero["next"], BATCH)
    chance = layer.chances("next", BATCH.labels["next"].nan_to_num().long(), BATCH)
    assert rows[chance.sum(dim=1) > 0].tolist() == pytest.approx([5 * math.log(2)] * int((chance.sum(dim=1) > 0).sum()))
    assert counts.sum() == (BATCH.observed["next"] & BATCH.seen[BATCH.labels["next"].nan_to_num().long()]).sum()
    logit = torch.randn(40, 10)
    each, _ = none.losses.train().rows("next", logit, BATCH)
    label = BATCH.labels["next"].nan_to_num().long()
    torch.testing.assert_close(each, -F.logsigmoid(logit.gather(1, label.unsqueeze(1)).squeeze(1)))


def test_other_tasks_keep_their_loss():
    """A click its cross-entropy; a class that is not named its softmax, with the name and the answers that go with it."""
    model, plain = model_of(on=("next",)), Blueprint(tasks=("click",)).losses
    found = {t.name: (model.blueprint.losses.named(t), model.blueprint.losses.calibrated(t),
                      model.blueprint.losses.likelihood(t)) for t in SHOP.tasks}
    assert found["next"] == ("logistic, 5 drawn", False, "none")
    assert found["shade"][0] == "softmax" and found["click"] == ("cross-entropy", True, "categorical")
    losses = model.eval()(BATCH).losses
    assert set(losses) == {"click", "next", "shade"} and plain.kind == "pointwise"


def test_a_saved_model_has_its_degrees(tmp_path):
    """They are part of the weights, since losses are told by them; pairs are counted anew for a training."""
    model = model_of()
    other = RankingModel(model.blueprint, SHOP)
    other.load_state_dict(model.state_dict())
    for task, loss in model.eval()(BATCH).losses.items():
        torch.testing.assert_close(other.eval()(BATCH).losses[task], loss)


def test_padding_changes_no_loss():
    """Whatever id stands where nothing does."""
    model = model_of().eval()
    dirty = replace(BATCH, histories={name: torch.where(BATCH.masks[name].unsqueeze(2), ids, 2)
                                      for name, ids in BATCH.histories.items()})
    for task, loss in model(BATCH).losses.items():
        torch.testing.assert_close(model(dirty).losses[task], loss)


@pytest.mark.parametrize("loss, tasks, words", [
    (Negatives(on=("click",)), ("click", "next"), "'click' does not choose among classes"),
    (Negatives(on=("hue",)), ("next",), "A loss is given for 'hue', which is no task of the model"),
    (Negatives(), ("click",), "no task of the model chooses among any")])
def test_refusals(loss, tasks, words):
    with pytest.raises(ZooError, match=words) as refused:
        Blueprint(representation=Embeddings(dim=4), sequence=(Pooling(history="past"),), towers=Classes(), tasks=tasks,
                  losses=loss).places(SHOP)
    assert refused.value.at.startswith("losses")
