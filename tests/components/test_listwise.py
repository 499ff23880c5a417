"""Listwise loss: the sheet's values, the softmax by request, and the correction for how often an item is drawn."""
from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rankzoo.components.losses.listwise import Frequency, Listwise, corrected, log_softmax
from rankzoo.components.row_losses import plain
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature, Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch, Branches
from rankzoo.training.fit import Fit
from rankzoo.training.settings import TrainSettings
from tests.support import logits, random_batch

TASKS = (Task("click"), Task("stars", "regression"))
ITEM = Feature("item", "categorical", 5, "item")
SCHEMA = Schema((ITEM, Feature("user", "categorical", 3, "user"), Feature("price", "numeric", side="item")), TASKS, requests=True)
SHAPE = Shape(SCHEMA, TASKS, at="losses")
SOFTMAX, LISTNET = Listwise(), Listwise(target="listnet")
ONE = torch.zeros(3, dtype=torch.long)


def batch_of(label: list[float], group: list[int], item: list[int] | None = None, seen: list[bool] | None = None) -> Batch:
    rows = len(label)
    ids = torch.zeros(rows, 2, dtype=torch.long)
    ids[:, 0] = torch.tensor(item or range(rows))
    labels = {"click": torch.tensor(label), "stars": torch.zeros(rows)}
    observed = {"click": torch.tensor(seen or [True] * rows), "stars": torch.ones(rows, dtype=torch.bool)}
    return Batch(SCHEMA, ids, torch.zeros(rows, 1), labels=labels, observed=observed, group=torch.tensor(group))


def loss_of(spec: Listwise, score: Tensor, batch: Batch, layer=None) -> Tensor:
    layer = layer or spec.build(SHAPE)
    return layer.eval()({"click": score, "stars": score}, Branches({}), batch, {})["click"]


def test_softmax_of_the_sheet():
    """Logits (2, 1, 0), positive first: 0.407606; half the temperature is twice the logits."""
    score, batch = torch.tensor([2.0, 1.0, 0.0]), batch_of([1.0, 0.0, 0.0], [4, 4, 4])
    assert float(loss_of(SOFTMAX, score, batch)) == pytest.approx(0.407606, abs=5e-7)
    assert float(loss_of(Listwise(temperature=0.5), score / 2, batch)) == pytest.approx(0.407606, abs=5e-7)


@pytest.mark.parametrize("seed", range(4))
def test_softmax_by_request(seed):
    """Segments of any length in any order, against torch's own softmax one request at a time."""
    rng = torch.Generator().manual_seed(seed)
    score, request = 20 * torch.randn(40, generator=rng), torch.randint(0, 7, (40,), generator=rng)
    found = log_softmax(score, request, 8)  # the eighth is empty
    for each in range(7):
        torch.testing.assert_close(found[request == each], torch.log_softmax(score[request == each], 0))


def test_several_positives_and_several_requests():
    """Mean of −ln softmax over the positives of a request, then over the requests that have one: three of four here, one row
    unobserved."""
    score = torch.tensor([2.0, 1.0, 0.0, 0.5, -0.5, 3.0, 1.0, 1.0])
    batch = batch_of([1.0, 1, 0, 1, 0, 0, 1, math.nan], [0, 0, 0, 1, 1, 2, 3, 3], seen=[True] * 7 + [False])
    first = -torch.log_softmax(score[:3], 0)[:2].mean()
    second = -torch.log_softmax(score[3:5], 0)[0]
    assert float(loss_of(SOFTMAX, score, batch)) == pytest.approx(float(first + second + 0) / 3)


@pytest.mark.parametrize("spec", [SOFTMAX, LISTNET], ids=["softmax", "listnet"])
def test_a_constant_per_request_changes_nothing(spec):
    """Table of section 4; a scale does change it, and cross entropy of each row changes with a constant."""
    score, batch = torch.tensor([2.0, 1, 0, 1, -1]), batch_of([1.0, 0, 0, 0, 1], [0, 0, 0, 1, 1])
    value = float(loss_of(spec, score, batch))
    assert float(loss_of(spec, score + torch.tensor([9.0, 9, 9, -9, -9]), batch)) == pytest.approx(value, rel=1e-5)
    assert float(loss_of(spec, 2 * score, batch)) != pytest.approx(value, rel=0.05)
    label = batch.labels["click"]
    assert float(plain("binary", score + 1, label).mean()) != pytest.approx(float(plain("binary", score, label).mean()), rel=0.05)


def test_gradient_is_the_softmax_minus_the_target():
    """p − 1 at the positive, p elsewhere, however large the scores."""
    score = torch.tensor([2.0, 1.0, 0.0], requires_grad=True)
    loss_of(SOFTMAX, score, batch_of([1.0, 0, 0], [0, 0, 0])).backward()
    torch.testing.assert_close(score.grad, torch.softmax(score.detach(), 0) - torch.tensor([1.0, 0, 0]))
    wild = torch.tensor([-1e4, 1e4, 0.0], requires_grad=True)
    loss_of(SOFTMAX, wild, batch_of([1.0, 0, 0], [0, 0, 0])).backward()
    assert wild.grad.tolist() == [-1.0, 1.0, 0.0]


def test_no_positive_is_zero():
    """A batch without a label 1, or without an observed row: 0 and a gradient of 0."""
    for label, seen in (([0.0, 0.0], None), ([math.nan, math.nan], [False, False])):
        for spec in (SOFTMAX, LISTNET, Listwise(log_q="item"), Listwise(log_q="item", correct="negatives")):
            score = torch.tensor([0.3, -1.0], requires_grad=True)
            loss = loss_of(spec, score, batch_of(label, [0, 0], seen=seen))
            loss.backward()
            assert float(loss.detach()) == 0.0 and score.grad.tolist() == [0.0, 0.0]


def test_listnet_of_the_sheet():
    """y = (2, 0, 1), s = (2, 1, 0): 0.987093, of which 0.154698 is the divergence; no gradient at s = y + c."""
    y, s = torch.tensor([2.0, 0, 1], dtype=torch.float64), torch.tensor([2.0, 1, 0], dtype=torch.float64, requires_grad=True)
    target = log_softmax(y, ONE, 1)
    loss = -(target.exp() * log_softmax(s, ONE, 1)).sum()
    assert float(loss.detach()) == pytest.approx(0.987093, abs=5e-7)
    assert float(loss.detach() + (target.exp() * target).sum()) == pytest.approx(0.154698, abs=5e-7)
    perfect = (y + 3).requires_grad_()
    (-(target.exp() * log_softmax(perfect, ONE, 1)).sum()).backward()
    torch.testing.assert_close(perfect.grad, torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-12)


def test_listnet_of_labels_0_and_1():
    """The target is softmax(y) over the request; its gradient P_s − P_y is 0 at s = y + c and not at a wider margin."""
    batch = batch_of([1.0, 0, 0], [0, 0, 0])
    for score, still in (([4.0, 3, 3], True), ([9.0, 0, 0], False)):
        s = torch.tensor(score, requires_grad=True)
        loss_of(LISTNET, s, batch).backward()
        torch.testing.assert_close(s.grad, torch.softmax(s.detach(), 0) - torch.softmax(batch.labels["click"], 0))
        assert bool((s.grad.abs() < 1e-6).all()) == still


# Correction for how often an item is drawn ---------------------------------------------------------------------------------

def test_log_q_of_the_sheet():
    """Q = (0.7, 0.2, 0.1): corrected logits 2.3567, 2.6094, 2.3026 → 1.174006; the two negatives alone → 1.433357."""
    s, q = torch.tensor([2.0, 1, 0], dtype=torch.float64), torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    every = corrected(s, q, 1.0)
    assert every.tolist() == pytest.approx([2.3567, 2.6094, 2.3026], abs=5e-5)
    assert float(-log_softmax(every, ONE, 1)[0]) == pytest.approx(1.174006, abs=5e-7)
    negatives = torch.cat([s[:1], every[1:]])
    assert float(-log_softmax(negatives, ONE, 1)[0]) == pytest.approx(1.433357, abs=5e-7)


def layer_with(q: list[float], **settings: object):
    """A layer whose estimate of an item's share is given."""
    layer = Listwise(log_q="item", **settings).build(SHAPE)
    layer.frequency.gap[:len(q)] = 1 / torch.tensor(q, dtype=torch.float64)
    return layer


def test_log_q_in_the_layer():
    """All rows: 1.174006, whatever n; the negatives alone, each of the two draws standing for 1 / (2·Q) items."""
    score, batch = torch.tensor([2.0, 1, 0]), batch_of([1.0, 0, 0], [0, 0, 0])
    every, negatives = layer_with([0.7, 0.2, 0.1]), layer_with([0.7, 0.2, 0.1], correct="negatives")
    assert float(loss_of(SOFTMAX, score, batch, every)) == pytest.approx(1.174006, abs=1e-6)
    others = math.exp(1) / (2 * 0.2) + math.exp(0) / (2 * 0.1)
    assert float(loss_of(SOFTMAX, score, batch, negatives)) == pytest.approx(math.log(math.exp(2) + others) - 2, abs=1e-6)


def test_uniform_q_is_the_full_softmax():
    """Before a row is seen all items count as equally frequent, and nothing is corrected."""
    score, batch = torch.tensor([2.0, 1, 0]), batch_of([1.0, 0, 0], [0, 0, 0])
    fresh = Listwise(log_q="item").build(SHAPE)
    assert float(loss_of(SOFTMAX, score, batch, fresh)) == pytest.approx(0.407606, abs=1e-6)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_the_corrected_sum_is_that_over_all_items(temperature):
    """E[Σ e^{s̃}] over n draws from Q is Σ e^{s/τ} over all items: 40 items, 20,000 draws of 8. With the temperature after the
    correction, or without one, it is another number."""
    rng = torch.Generator().manual_seed(0)
    s, q = torch.randn(40, generator=rng, dtype=torch.float64), 1 / torch.arange(1.0, 41, dtype=torch.float64)
    q, whole = q / q.sum(), (s / temperature).exp().sum()
    drawn = torch.multinomial(q, 20_000 * 8, replacement=True, generator=rng).reshape(20_000, 8)
    right = corrected(s / temperature, q, 8.0)[drawn].exp().sum(dim=1).mean()
    late = (corrected(s, q, 8.0) / temperature)[drawn].exp().sum(dim=1).mean()
    uncorrected = (s / temperature)[drawn].exp().sum(dim=1).mean() * 40 / 8
    assert float(right / whole) == pytest.approx(1.0, abs=0.02)
    assert abs(float(uncorrected / whole) - 1) > 0.05
    assert (float(late / whole) == pytest.approx(1.0, abs=0.02)) == (temperature == 1.0)


def test_the_temperature_comes_first_in_the_layer():
    """(s / τ) − ln(n·Q), by hand."""
    score, q = torch.tensor([2.0, 1, 0]), torch.tensor([0.7, 0.2, 0.1])
    layer = layer_with(q.tolist(), temperature=0.5)
    expected = -torch.log_softmax(score / 0.5 - torch.log(q), 0)[0]
    assert float(loss_of(SOFTMAX, score, batch_of([1.0, 0, 0], [0, 0, 0]), layer)) == pytest.approx(float(expected), abs=1e-5)


def test_one_row_at_a_time_is_the_paper_s_recursion():
    """B ← (1 − α) B + α (t − A), A ← t."""
    frequency, gap, last = Frequency(4, 0.1), [4.0] * 4, [0.0] * 4
    for t, item in enumerate([1, 3, 1, 1, 0, 3, 1], start=1):
        frequency.saw(torch.tensor([item]))
        gap[item] += 0.1 * (t - last[item] - gap[item])
        last[item] = float(t)
    assert frequency.gap.tolist() == pytest.approx(gap) and frequency.last.tolist() == last


def test_frequency_finds_the_shares():
    """600 batches of 256 rows: items of 20 %, 5 %, 1 % and 0.2 % by the estimate's mean over the second half; counted in batches
    the first two, which are in every one, would look alike."""
    share = torch.tensor([0.2, 0.05, 0.01, 0.002] + [(1 - 0.262) / 96] * 96)
    rng, frequency, seen = torch.Generator().manual_seed(0), Frequency(100, 0.02), []
    for step in range(600):
        frequency.saw(torch.multinomial(share, 256, replacement=True, generator=rng))
        if step >= 300:
            seen.append(frequency.gap[:4].clone())
    assert (1 / torch.stack(seen).mean(dim=0)).tolist() == pytest.approx(share[:4].tolist(), rel=0.12)


def test_the_estimate_is_learnt_in_training_only_and_kept():
    """Looking at a model does not move it; a checkpoint carries it; a model without the correction has none."""
    layer, batch = Listwise(log_q="item").build(SHAPE), batch_of([1.0, 0, 0], [0, 0, 0])
    score = {"click": torch.zeros(3), "stars": torch.zeros(3)}
    layer.eval()(score, Branches({}), batch, {})
    layer.train()(score, Branches({}), batch.unlabelled(), {})
    assert float(layer.frequency.time) == 0
    layer.train()(score, Branches({}), batch, {})
    assert float(layer.frequency.time) == 3 and (layer.frequency.gap[:3] != 5).all() and (layer.frequency.gap[3:] == 5).all()
    assert set(layer.state_dict()) == {"frequency.gap", "frequency.last", "frequency.time"}
    assert not SOFTMAX.build(SHAPE).state_dict()


def test_an_item_that_was_chosen_is_no_negative():
    """Mistake of the sheet: the same item twice in a request, once clicked: its other row does not compete."""
    score = torch.tensor([2.0, 1.0, 0.0])
    layer = layer_with([0.2] * 5)
    same = batch_of([1.0, 0, 0], [0, 0, 0], item=[3, 3, 1])
    assert float(loss_of(SOFTMAX, score, same, layer)) == pytest.approx(math.log(1 + math.exp(-2)), abs=1e-6)
    elsewhere = batch_of([1.0, 0, 0], [0, 1, 0], item=[3, 3, 1])
    assert float(loss_of(SOFTMAX, score, elsewhere, layer)) == pytest.approx(math.log(1 + math.exp(-2)), abs=1e-6)
    others = batch_of([1.0, 0, 0], [0, 0, 0], item=[3, 2, 1])
    assert float(loss_of(SOFTMAX, score, others, layer)) == pytest.approx(0.407606, abs=1e-6)


def test_served_is_the_score():
    """Mistake of the sheet: evaluating with corrected scores. Neither correction nor temperature reaches a logit."""
    preset = systems()["youtube"]
    schema = Document.preset("youtube").schema()
    batch = random_batch(schema)
    softer = Listwise(log_q="cand_id", temperature=0.1)
    plain_model, model = (RankingModel(blueprint, schema) for blueprint in (
        preset.blueprint, preset.blueprint.model_copy(update={"losses": softer})))
    for task, logit in logits(plain_model, batch).items():
        assert torch.equal(logits(model, batch)[task], logit)


def test_resumed_with_its_estimate(video):
    """A training that is taken up goes on with the frequencies of the first one, bit for bit."""
    preset = systems()["youtube"]
    blueprint = preset.blueprint.model_copy(update={"losses": Listwise(log_q="cand_id")})

    def made(state=None) -> Fit:
        return Fit(RankingModel(blueprint, video.schema), video, TrainSettings(steps=6, batch_size=252), state, watching=False)

    whole, half = made(), made()
    for step in half:
        if step.number == 3:
            break
    resumed = made(half.state())
    for _ in whole:
        pass
    for _ in resumed:
        pass
    assert float(whole.model.losses.frequency.time) == 6 * 252
    again = resumed.model.state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in whole.model.state_dict().items())


@pytest.mark.parametrize("name, words", [("user", "no categorical feature of the item"), ("price", "no categorical feature"),
                                         ("itme", "Did you mean 'item'?")])
def test_what_can_be_counted(name, words):
    """Only an item's id; the refusal names the setting, and other data let the name go."""
    with pytest.raises(ZooError) as refusal:
        Listwise(log_q=name).after(SHAPE)
    assert words in str(refusal.value) and refusal.value.at == "losses.log_q"
    assert Listwise(log_q="item").fitted(Schema((), TASKS, requests=True)) == (Listwise(), ("item",))


def test_other_tasks_and_cards():
    """A regression keeps its squared error; the card says what is done."""
    layer = SOFTMAX.build(SHAPE)
    score = torch.tensor([0.5, 2.0])
    losses = layer({"click": score, "stars": score}, Branches({}), batch_of([1.0, 0.0], [0, 0]), {})
    assert float(losses["stars"]) == pytest.approx((0.25 + 4.0) / 2)
    named = [spec.named(TASKS[0]) for spec in (SOFTMAX, LISTNET, Listwise(log_q="item"))]
    assert named == ["softmax", "ListNet", "softmax, log Q"]
    with pytest.raises(ZooError, match="These data have no requests, within which a listwise loss compares rows."):
        Document.preset("mmoe").but([("losses.kind", "listwise")]).check()
