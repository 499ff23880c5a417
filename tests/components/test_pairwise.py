"""Pairwise losses: the sheet's values, which rows are a pair, and requests that stay together in a training."""
from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rankzoo.components.losses.pairwise import MOST, Pairwise, pairs
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch, Branches
from rankzoo.training.fit import Fit
from rankzoo.training.requests import by_request
from rankzoo.training.settings import TrainSettings

TASKS = (Task("click"), Task("stars", "regression"))
SCHEMA = Schema((), TASKS, requests=True)
BPR, HINGE = Pairwise(), Pairwise(how="hinge")


def batch_of(label: list[float], group: list[int], seen: list[bool] | None = None) -> Batch:
    rows = len(label)
    labels = {"click": torch.tensor(label), "stars": torch.zeros(rows)}
    observed = {"click": torch.tensor(seen or [True] * rows), "stars": torch.ones(rows, dtype=torch.bool)}
    return Batch(SCHEMA, torch.zeros(rows, 0, dtype=torch.long), torch.zeros(rows, 0), labels=labels, observed=observed,
                 group=torch.tensor(group))


def loss_of(spec: Pairwise, score: Tensor, batch: Batch) -> Tensor:
    layer = spec.build(Shape(SCHEMA, TASKS, at="losses"))
    return layer({"click": score, "stars": score}, Branches({}), batch, {})["click"]


def of_difference(spec: Pairwise, difference: float) -> float:
    return float(loss_of(spec, torch.tensor([difference, 0.0]), batch_of([1.0, 0.0], [7, 7])))


@pytest.mark.parametrize("difference, value", [(1.0, 0.313262), (-1.0, 1.313262), (0.0, math.log(2))])
def test_bpr_values(difference, value):
    """The sheet's; a tie costs ln 2."""
    assert of_difference(BPR, difference) == pytest.approx(value, abs=1e-6)


def test_bpr_is_cross_entropy_of_the_difference_and_a_softmax_over_two():
    for difference in (-3.0, -0.2, 0.0, 1.7):
        d = torch.tensor([difference])
        assert of_difference(BPR, difference) == pytest.approx(float(F.binary_cross_entropy_with_logits(d, torch.ones(1))))
        assert of_difference(BPR, difference) == pytest.approx(float(-torch.log_softmax(torch.tensor([difference, 0.0]), 0)[0]))


def test_hinge_values():
    """Δ = 0.3, margin 1: 0.7; beyond the margin nothing, and no gradient either."""
    assert of_difference(HINGE, 0.3) == pytest.approx(0.7)
    assert of_difference(Pairwise(how="hinge", margin=2.0), 0.3) == pytest.approx(1.7)
    score = torch.tensor([1.5, 0.0], requires_grad=True)
    loss = loss_of(HINGE, score, batch_of([1.0, 0.0], [0, 0]))
    loss.backward()
    assert float(loss.detach()) == 0.0 and score.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("difference", [-100.0, -1000.0])
def test_far_in_the_wrong_order(difference):
    """Mistake of the sheet: −ln(sigmoid(Δ)) is infinite from Δ = −89 on in single precision, and its gradient NaN."""
    score = torch.tensor([difference, 0.0], requires_grad=True)
    loss = loss_of(BPR, score, batch_of([1.0, 0.0], [0, 0]))
    loss.backward()
    assert float(loss.detach()) == -difference and score.grad.tolist() == [-1.0, 1.0]


def test_gradient_of_bpr():
    """∂/∂s_i = −sigmoid(−Δ), which is not 0 at the right order: table of section 4."""
    score = torch.tensor([2.0, 0.5], requires_grad=True)
    loss_of(BPR, score, batch_of([1.0, 0.0], [0, 0])).backward()
    push = 1 / (1 + math.exp(1.5))
    assert score.grad.tolist() == pytest.approx([-push, push])


@pytest.mark.parametrize("spec", [BPR, HINGE], ids=["bpr", "hinge"])
def test_a_constant_per_request_changes_nothing(spec):
    """Table of section 4: scores are free up to a constant of their request."""
    score, batch = torch.randn(6), batch_of([1.0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1])
    moved = score + torch.tensor([5.0, 5, 5, -3, -3, -3])
    assert float(loss_of(spec, moved, batch)) == pytest.approx(float(loss_of(spec, score, batch)), rel=1e-5)


def test_mean_over_all_pairs_of_a_request():
    """Two requests, rows mixed: (0, 2), (4, 2) of request 5 and (1, 3) of request 9; none across."""
    score = torch.tensor([0.5, 2.0, -1.0, 0.0, 1.0, 9.0])
    batch = batch_of([1.0, 1, 0, 0, 1, 1], [5, 9, 5, 9, 5, 4])
    differences = [1.5, 2.0, 2.0]
    assert float(loss_of(BPR, score, batch)) == pytest.approx(sum(math.log1p(math.exp(-d)) for d in differences) / 3)


@pytest.mark.parametrize("seed", range(5))
def test_pairs_against_a_double_loop(seed):
    """Every (label 1, label 0) of one request, both observed, once; equal labels never."""
    rng = torch.Generator().manual_seed(seed)
    label = (torch.rand(60, generator=rng) < 0.3).float()
    seen, group = torch.rand(60, generator=rng) < 0.8, torch.randint(0, 9, (60,), generator=rng) * 1000
    expected = {(i, j) for i in range(60) for j in range(60) if label[i] == 1 and label[j] == 0 and group[i] == group[j]
                and seen[i] and seen[j]}
    winners, losers, stands = pairs(label, seen, group)
    assert len(winners) == len(expected) and set(zip(winners.tolist(), losers.tolist(), strict=True)) == expected
    assert (stands == 1).all()


@pytest.mark.parametrize("label, group, seen", [
    ([1.0, 1.0, 1.0], [0, 0, 0], None), ([0.0, 0.0, 0.0], [0, 0, 0], None), ([1.0, 0.0, 0.0], [0, 1, 2], None),
    ([1.0, 0.0, math.nan], [0, 0, 0], [False, True, False])])
def test_no_pair_is_zero(label, group, seen):
    """All labels equal, each request alone, or nothing to compare with: 0 and a gradient of 0, never 0/0."""
    for spec in (BPR, HINGE):
        score = torch.tensor([0.3, 1.0, -2.0], requires_grad=True)
        loss = loss_of(spec, score, batch_of(label, group, seen))
        loss.backward()
        assert float(loss.detach()) == 0.0 and score.grad.tolist() == [0.0] * 3


def test_other_tasks_keep_their_loss():
    """A regression beside it has its squared error."""
    layer = BPR.build(Shape(SCHEMA, TASKS, at="losses"))
    score = torch.tensor([0.5, 2.0])
    losses = layer({"click": score, "stars": score}, Branches({}), batch_of([1.0, 0.0], [0, 0]), {})
    assert float(losses["stars"]) == pytest.approx((0.25 + 4.0) / 2)
    assert [BPR.named(task) for task in TASKS] == ["BPR, pairs", "squared error"] and HINGE.named(TASKS[0]) == "hinge, pairs"


def test_what_it_needs():
    """Requests in the data and a task with labels 0 and 1; the refusal names the slot."""
    with pytest.raises(ZooError, match="These data have no requests") as refusal:
        Document.preset("mmoe").but([("losses.kind", "pairwise")]).check()
    assert refusal.value.at == "losses" and "set losses.kind to pointwise" in str(refusal.value)
    with pytest.raises(ZooError, match="no task of the model has such labels") as refusal:
        BPR.after(Shape(SCHEMA, TASKS[1:], at="losses"))
    assert refusal.value.at == "losses"
    document = Document.preset("youtube").but([("losses.kind", "pairwise"), ("losses.weights.click", 2.0)]).check()
    assert document.blueprint.losses == Pairwise(weights={"click": 2.0})


# Large requests -----------------------------------------------------------------------------------------------------------

class Largest(TorchDispatchMode):
    """Keeps the number of elements of the largest tensor that any operation makes, those of the backward pass included."""

    def __init__(self):
        super().__init__()
        self.size = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        found = [each.numel() for each in tree_leaves(made) if isinstance(each, Tensor)]
        self.size = max([self.size, *found])
        return made


def one_request(rows: int, seed: int = 0) -> tuple[Tensor, Batch]:
    """Scores and a batch of one request, every other row with label 1."""
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, generator=rng), batch_of([float(i % 2) for i in range(rows)], [3] * rows)


@pytest.mark.parametrize("training", [True, False])
def test_a_request_of_20_000_rows_builds_few_pairs(training):
    """100 million pairs: no tensor, forwards or backwards, is larger than MOST. The loss is that of all pairs to 1 in 100."""
    torch.manual_seed(0)
    score, batch = one_request(20_000)
    layer, moved = BPR.build(Shape(SCHEMA, TASKS, at="losses")).train(training), score.clone().requires_grad_()
    with Largest() as seen:
        loss = layer.loss("click", {"click": moved}, batch, {})
        loss.backward()
    assert seen.size == MOST < 10_000 ** 2 / 1000
    assert torch.isfinite(moved.grad).all() and (moved.grad != 0).sum() > 19_000
    ones, zeros = score[1::2], score[::2]
    whole = sum(float(F.softplus(zeros - one).sum()) for one in ones) / 10_000 ** 2
    assert float(loss.detach()) == pytest.approx(whole, rel=0.01)


def test_drawn_pairs_are_pairs_each_as_likely():
    """Of 12 × 12 pairs 20 are drawn 3,000 times: only pairs of that request, each 417 times, give or take 5 deviations."""
    label = torch.tensor([1.0] * 12 + [0.0] * 12 + [1.0, 0.0])
    seen, group = torch.ones(26, dtype=torch.bool), torch.tensor([8] * 24 + [2, 2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rankzoo.components.losses.pairwise.MOST", 20)
        drawn = [pairs(label, seen, group, torch.Generator().manual_seed(i)) for i in range(3000)]
    counts = torch.zeros(26, 26)
    for winners, losers, stands in drawn:
        assert len(winners) == 21 and (winners[0], losers[0]) == (24, 25) and stands.tolist() == [1.0] + [pytest.approx(7.2)] * 20
        counts.index_put_((winners, losers), torch.ones(21), accumulate=True)
    assert counts[:12, 12:24].sum() == 60_000 and counts[24, 25] == 3000 == counts.sum() - 60_000
    assert float((counts[:12, 12:24] - 60_000 / 144).abs().max()) < 5 * math.sqrt(60_000 / 144)


def test_a_drawn_loss_is_right_on_average():
    """A request of 144 pairs of which 20 are drawn beside one of a single pair keeps 144 parts of 145 in the mean."""
    score = torch.cat([one_request(24)[0], torch.tensor([-4.0, 4.0])])
    batch = batch_of([float(i % 2) for i in range(24)] + [1.0, 0.0], [8] * 24 + [2, 2])
    whole, layer = float(loss_of(BPR, score, batch)), BPR.build(Shape(SCHEMA, TASKS, at="losses")).train()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rankzoo.components.losses.pairwise.MOST", 20)
        torch.manual_seed(0)
        drawn = torch.stack([layer.loss("click", {"click": score}, batch, {}) for _ in range(2000)])
    assert float(drawn.std()) > 0.01
    assert float(drawn.mean()) == pytest.approx(whole, abs=4 * float(drawn.std()) / math.sqrt(2000))


def test_who_draws():
    """A training from torch's numbers, which a Fit sets to its own; a validation always the same, from none of them; and nobody
    for ordinary requests, whose 65,536 pairs are all there."""
    score, batch = one_request(2000)
    layer = BPR.build(Shape(SCHEMA, TASKS, at="losses"))

    def drawn(training: bool, seed: int) -> tuple[float, bool]:
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        loss = float(layer.train(training).loss("click", {"click": score}, batch, {}))
        return loss, torch.equal(torch.get_rng_state(), before)

    assert drawn(True, 1) == drawn(True, 1) != drawn(True, 2) and not drawn(True, 1)[1]
    assert drawn(False, 1) == drawn(False, 2) and drawn(False, 1)[1]
    score, batch = one_request(512)
    assert drawn(True, 1) == drawn(True, 2) and drawn(True, 1)[1]
    winners, _, stands = pairs(*(batch.labels["click"], batch.observed["click"]), batch.group)
    assert len(winners) == 256 * 256 == MOST and (stands == 1).all()


# Requests in a training -------------------------------------------------------------------------------------------------

def fit_of(video, **changes: object) -> Fit:
    preset = systems()["youtube"]
    blueprint = preset.blueprint.model_copy(update={"losses": Pairwise()})
    return Fit(RankingModel(blueprint, video.schema), video, TrainSettings(**{"steps": 40, "batch_size": 252, **changes}))


def test_requests_stay_together(video):
    """A permutation of whole pages, a new one every epoch; pages of nine in batches of 252 are never cut."""
    fit = fit_of(video)
    orders = [fit._order(epoch) for epoch in (0, 1)]
    for order in orders:
        assert torch.equal(order.sort().values, torch.arange(len(fit.train)))
        group = fit.train.group[order]
        assert int((group[1:] != group[:-1]).sum()) == len(group.unique()) - 1
    assert not torch.equal(*orders) and torch.equal(orders[0], fit_of(video)._order(0))
    for _, batch in fit._batches(0, 0):
        assert (torch.bincount(batch.group[batch.group >= 0]).unique().tolist() == [0, 9])


def test_rows_of_a_pointwise_model_are_dealt_singly(video):
    """Only a loss of requests asks for them."""
    preset = systems()["youtube"]
    fit = Fit(RankingModel(preset.blueprint, video.schema), video, TrainSettings(steps=1))
    group = fit.train.group[fit._order(0)]
    assert int((group[1:] != group[:-1]).sum()) > 0.9 * len(group)


def test_by_request_keeps_the_order_inside():
    """Requests of any number, anywhere in the table: rows of one stay in their order."""
    group = torch.tensor([40, 7, 40, 7, 7, 3])
    for seed in range(6):
        order = by_request(group, torch.Generator().manual_seed(seed)).tolist()
        text = "".join(map(str, order))
        assert all(block in text for block in ("02", "134", "5")) and len(text) == 6


def test_a_training_orders_its_requests(video):
    """After 40 steps more pairs stand in the right order, on rows that it never saw."""
    fit = fit_of(video, lr=4e-3)
    rows = fit.validation
    winners, losers, _ = pairs(rows.labels["click"], rows.observed["click"], rows.group)

    def right() -> float:
        with torch.no_grad():
            score = fit.model.eval()(replace(rows, labels={}, observed={})).logits["click"]
        return float((score[winners] > score[losers]).float().mean())

    before = right()
    for _ in fit:
        pass
    assert 0.4 < before < 0.6 and right() > 0.6
