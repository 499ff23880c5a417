"""Requests in a training: no batch of a loss that compares their rows cuts one, and other trainings know nothing of it."""
from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rankzoo.components.losses.base import Loss
from rankzoo.components.losses.listwise import Listwise
from rankzoo.components.losses.pairwise import Pairwise
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.data.dataset import Dataset
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.fit import BLOCK, Fit
from rankzoo.training.requests import by_request, edges
from rankzoo.training.run import digest
from rankzoo.training.settings import TrainSettings

SIZES = st.lists(st.integers(1, 12) | st.integers(1, 90), min_size=1, max_size=40)


def rows_of(sizes: list[int]) -> torch.Tensor:
    """The request of every row."""
    return torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))


@given(SIZES, st.integers(1, 60))
def test_batches_end_where_a_request_ends(sizes, size):
    """Whatever the sizes: every row once, no request in two batches, none empty, fewer rows than a batch and the largest request
    together."""
    group = rows_of(sizes)
    found = edges(group, size)
    assert found[0] == 0 and found[-1] == len(group) and all(a < b for a, b in pairwise(found))
    assert all(group[edge] != group[edge - 1] for edge in found[1:-1])
    assert max(b - a for a, b in pairwise(found)) < size + max(sizes)
    if max(sizes) <= size:
        assert len(found) - 1 == math.ceil(len(group) / size), "as many as of single rows"
        assert all(size * k - max(sizes) < edge <= size * k for k, edge in enumerate(found[:-1])), "near where those would end"


@given(SIZES, st.integers(1, 60), st.randoms(use_true_random=False))
def test_there_are_as_many_in_every_epoch(sizes, size, random):
    """The order of the requests does not matter, so that an epoch has a fixed number of steps and a training can be resumed."""
    shuffled = random.sample(sizes, len(sizes))
    assert len(edges(rows_of(sizes), size)) == len(edges(rows_of(shuffled), size))


def test_by_hand():
    """Five requests of 3, 4, 2, 6 and 1 rows in batches of 6: 3 | 4 + 2 | 6 + 1; those of one row, or of a batch, are exact."""
    assert edges(rows_of([3, 4, 2, 6, 1]), 6) == [0, 3, 9, 16]
    assert edges(rows_of([1] * 7), 3) == [0, 3, 6, 7] and edges(rows_of([9] * 4), 18) == [0, 18, 36]
    assert edges(rows_of([50, 2, 2, 50]), 4) == [0, 50, 54, 104], "a request larger than a batch is one"


def ragged(video: Dataset) -> Dataset:
    """The pages of `video` cut into requests of 1 to 40 rows, their rows anywhere in the table."""
    rng = torch.Generator().manual_seed(0)
    sizes = torch.randint(1, 41, (len(video),), generator=rng)
    group = torch.arange(len(sizes)).repeat_interleave(sizes)[:len(video)]
    return replace(video, batch=replace(video.batch, group=group[torch.randperm(len(video), generator=rng)] * 7 + 3))


def fit_of(data: Dataset, loss: Loss, state=None, **changes: object) -> Fit:
    blueprint = systems()["youtube"].blueprint.model_copy(update={"losses": loss})
    settings = TrainSettings(**{"batch_size": 30, "epochs": 2, "patience": 0, **changes})
    return Fit(RankingModel(blueprint, data.schema), data, settings, state, watching=False)


@pytest.mark.parametrize("loss", [Pairwise(), Listwise()], ids=lambda loss: loss.kind)
def test_no_epoch_cuts_a_request(video, loss):
    """More batches than are gathered at once: each request is whole in one of them, in every epoch in another order."""
    fit, orders = fit_of(ragged(video), loss), []
    assert fit.per_epoch > BLOCK
    for epoch in (0, 1):
        batches = [batch for _, batch in fit._batches(epoch, 0)]
        assert len(batches) == fit.per_epoch and sum(map(len, batches)) == len(fit.train)
        groups = [set(batch.group.tolist()) for batch in batches]
        assert sum(map(len, groups)) == len(set.union(*groups)) == len(fit.train.group.unique())
        orders.append([min(each) for each in groups])
        later = [batch for _, batch in fit._batches(epoch, BLOCK + 3)]
        assert [batch.group.tolist() for batch in later] == [batch.group.tolist() for batch in batches[BLOCK + 3:]]
    assert orders[0] != orders[1]


def test_a_training_with_whole_requests_goes_on_bit_for_bit(video):
    """Stopped in the second epoch, whose batches end elsewhere than the first one's."""
    data = ragged(video)
    stop = fit_of(data, Pairwise(), batch_size=300).per_epoch + 3
    whole, half = fit_of(data, Pairwise(), batch_size=300), fit_of(data, Pairwise(), batch_size=300)
    for step in half:
        if step.number == stop:
            break
    resumed = fit_of(data, Pairwise(), half.state(), batch_size=300)
    for fit in (whole, resumed):
        for _ in fit:
            pass
    assert digest(resumed.model) == digest(whole.model) and resumed.examples == whole.examples == 2 * len(whole.train)


def test_other_trainings_take_slices_of_a_permutation(video):
    """A loss of single rows in data with requests: batches of the set size, as a plain loop would have them."""
    fit = fit_of(ragged(video), Pointwise(), batch_size=256, seed=5)
    order = torch.randperm(len(fit.train), generator=torch.Generator().manual_seed(5 * 1_000_003 + 1))
    found = [batch for _, batch in fit._batches(1, 0)]
    assert [len(batch) for batch in found[:-1]] == [256] * (fit.per_epoch - 1) and fit.per_epoch == math.ceil(len(order) / 256)
    for batch, rows in zip(found, order.split(256), strict=True):
        assert torch.equal(batch.numbers, fit.train.numbers[rows]) and torch.equal(batch.ids, fit.train.ids[rows])


def test_by_request_without_a_generator():
    """The order of their numbers, rows of one in the order of the table."""
    assert by_request(torch.tensor([40, 7, 40, 7, 7, 3])).tolist() == [5, 1, 3, 4, 0, 2]
