"""Joiner: six events by hand, what no order of arrival changes, and the training behind it: where nothing waits, as without."""
from __future__ import annotations

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rankzoo.data.dataset import Dataset
from rankzoo.data.load import from_world
from rankzoo.data.world import world
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.joiner import Arrivals, Joined, Joiner, arrivals, join, pairs
from rankzoo.training.metrics import sigmoid
from rankzoo.training.settings import TrainSettings
from rankzoo.training.stream import Failure, Learner, Queue, Replica, corrected, edges, stream

SETTINGS = TrainSettings(batch_size=100, lr=1e-2)
FIRST = [(0, 0.0, False), (1, 1.0, False), (2, 2.0, False), (1, 3.0, True), (0, 4.0, True), (2, 9.0, True)]
"""Three requests, and then their actions: of 1, of 0, and, late, of 2."""


def played(events: list[tuple[int, float, bool]], cache: int, window: float) -> Joiner:
    joiner = Joiner(cache, window)
    for request, now, action in events:
        (joiner.action if action else joiner.features)(request, now)
    return joiner


def streamed(labels: np.ndarray, order: list[int]) -> Arrivals:
    """Features of all requests and actions of the positive ones, arriving in an order, one in every unit of time."""
    acted = np.flatnonzero(labels)
    request = np.concatenate([np.arange(len(labels)), acted])[order]
    return Arrivals(request, np.arange(len(order), dtype=float), np.array(order) >= len(labels))


class TestByHand:
    def test_six_events_and_a_cache_of_two(self):
        """0 is moved to the store when 2 comes; 1 is found in memory, 0 in the store; 2 waited for 5 and left at 7, so that its
        action is late."""
        joiner = played(FIRST, 2, 5.0)
        assert [tuple(each) for each in joiner.left] == [(1, 1, 3.0, 1.0, "memory"), (0, 1, 4.0, 0.0, "store"),
                                                         (2, 0, 7.0, 2.0, "memory")]
        assert joiner.late == [2] and not joiner.memory and not joiner.store

    def test_a_longer_window_waits_for_it(self):
        """With 7 it is just in time."""
        joiner = played(FIRST, 2, 7.0)
        assert [each.label for each in joiner.left] == [1, 1, 1] and joiner.late == []

    def test_without_a_cache_all_is_read_from_the_store(self):
        joiner = played(FIRST, 0, 7.0)
        assert {each.place for each in joiner.left} == {"store"} and [each.request for each in joiner.left] == [1, 0, 2]

    def test_an_action_may_come_first_and_twice(self):
        joiner = played([(0, 0.0, True), (0, 1.0, False), (0, 2.0, True)], 2, 5.0)
        assert [tuple(each) for each in joiner.left] == [(0, 1, 1.0, 1.0, "action")] and joiner.late == []

    def test_whoever_waits_at_the_end_leaves(self):
        """The oldest first: 0 from the store, 1 and 2 from memory."""
        for window in (5.0, math.inf):
            joiner = played(FIRST[:3], 2, window)
            assert joiner.left == []
            joiner.close()
            assert [(each.request, each.label, each.place) for each in joiner.left] == [
                (0, 0, "store"), (1, 0, "memory"), (2, 0, "memory")]
            assert [each.left for each in joiner.left] == [window, window + 1, window + 2]


@st.composite
def cases(draw):
    """Labels, two orders of arrival, two sizes of a cache."""
    labels = np.array(draw(st.lists(st.booleans(), min_size=1, max_size=12)), dtype=int)
    events = range(len(labels) + labels.sum())
    return labels, *(draw(st.permutations(events)) for _ in range(2)), *(draw(st.integers(0, 13)) for _ in range(2))


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from([1.0, 0.5, 0.1]))
def test_neither_order_nor_cache_changes_what_is_joined(case, kept):
    """Where the window is long enough: each request leaves once with its label, of the negatives the same ones."""
    labels, *orders, one, other = case
    found = [join(streamed(labels, order), cache, window, kept) for order, cache, window in
             ((orders[0], one, math.inf), (orders[1], other, math.inf), (orders[1], one, len(orders[0])))]
    pairs = [sorted(zip(each.request.tolist(), each.label.tolist(), strict=True)) for each in found]
    assert pairs[0] == pairs[1] == pairs[2] and not any(len(each.late) for each in found)
    assert [request for request, label in pairs[0] if label] == np.flatnonzero(labels).tolist()
    assert kept < 1 or pairs[0] == list(enumerate(labels.tolist()))


@settings(max_examples=40, deadline=None)
@given(cases(), st.integers(0, 30))
def test_a_window_turns_late_positives_into_negatives_and_nothing_else(case, window):
    """Every request leaves once; wrong are those whose action is late; times never fall; the cache changes where, not what."""
    labels, order, _, one, other = case
    found, same = (join(streamed(labels, order), cache, window) for cache in (one, other))
    assert sorted(found.request.tolist()) == list(range(len(labels))) and (np.diff(found.left) >= 0).all()
    wrong = found.request[found.label != labels[found.request]]
    assert sorted(wrong.tolist()) == sorted(found.late.tolist()) and labels[wrong].all()
    assert_same(found, same)


def assert_same(one: Joined, other: Joined) -> None:
    for column in ("request", "label", "left", "came", "late"):
        assert np.array_equal(getattr(one, column), getattr(other, column)), column


@settings(max_examples=40, deadline=None)
@given(cases(), st.integers(0, 30), st.sampled_from([1.0, 0.4]))
def test_all_at_once_is_one_by_one(case, window, kept):
    """The closed form against the events: the same examples in the same order at the same times, ties apart."""
    labels, order, _, cache, _ = case
    events = streamed(labels, order)
    events = Arrivals(events.request, events.time + np.random.default_rng(0).uniform(0, 0.5, len(order)), events.action)
    assert_same(pairs(events, window, kept), join(events, cache, window, kept))
    drawn = arrivals(labels, 5.0)
    assert_same(pairs(drawn, window, kept), join(drawn, cache, window, kept))


class TestArrivals:
    def test_late_are_those_who_wait_longer_than_the_window(self):
        """Of exponential waits with mean 300 a window of 450 is too short for e^(−1.5), four standard errors allowed."""
        labels = np.ones(20_000)
        share = len(join(arrivals(labels, 300.0, jitter=0.0), 100, 450.0).late) / len(labels)
        assert share == pytest.approx(math.exp(-1.5), abs=4 * math.sqrt(0.223 * 0.777 / 20_000))

    def test_streams_are_not_in_order(self):
        """Neighbours change places, some actions come before their features; the same seed draws the same times."""
        labels = np.arange(2_000) % 2
        events, again, other = arrivals(labels, 10.0), arrivals(labels, 10.0), arrivals(labels, 10.0, seed=1)
        assert (np.diff(events.time) >= 0).all() and (np.diff(events.request[~events.action]) < 0).any()
        assert (join(events, 100, 50.0).place == "action").any()
        assert np.array_equal(events.time, again.time) and not np.array_equal(events.time, other.time)
        assert sorted(events.request[events.action].tolist()) == np.flatnonzero(labels).tolist()

    def test_negatives_are_kept_with_probability_r(self):
        """Four standard errors allowed; of a smaller r a part of those of a larger one."""
        events = arrivals(np.zeros(10_000), 0.0)
        few, more = (set(join(events, 10, 5.0, kept).request.tolist()) for kept in (0.2, 0.6))
        assert few < more and len(few) / 10_000 == pytest.approx(0.2, abs=0.016)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return from_world(replace(world("ids"), held=0.5), 2_000)


@pytest.fixture
def model(dataset) -> RankingModel:
    return RankingModel(systems()["bytedance"].blueprint, dataset.schema)


def same(one: RankingModel, other: RankingModel) -> bool:
    there = other.state_dict()
    return all(torch.equal(tensor, there[name]) for name, tensor in one.state_dict().items())


class TestTraining:
    def test_where_nothing_waits_the_stream_is_as_without_a_joiner(self, model, dataset):
        """Actions at once, no window, all negatives: the same weights and scores to the last bit."""
        rows, other = dataset.part("test"), copy.deepcopy(model)
        labels = rows.labels["click"].numpy()
        events = arrivals(labels, 0.0, jitter=0.0)
        assert_same(pairs(events, 0.0), join(events, 10, 0.0))
        queue = Queue.of(pairs(events, 0.0), rows, "click", edges(len(rows), 4))
        ones, others = list(stream(model, rows, SETTINGS, 4)), list(stream(other, rows, SETTINGS, 4, queue=queue))
        assert all(np.array_equal(a.logits["click"], b.logits["click"]) for a, b in zip(ones, others, strict=True))
        assert same(model, other)

    def test_without_an_end_of_waiting_the_same_is_learnt(self, model, dataset):
        """However the streams are mixed: put back into the order of the requests, what was joined teaches what the rows teach."""
        rows, other = dataset.part("test"), copy.deepcopy(model)
        joined = join(arrivals(rows.labels["click"].numpy(), 200.0), 50)
        queue = Queue.of(joined, rows, "click", [0, math.inf])
        back = queue.rows.take(torch.from_numpy(np.argsort(joined.request)))
        for each, taught in ((model, rows), (other, back)):
            learner, replica = Learner(each, SETTINGS), Replica(each)
            for at in range(0, len(rows), 100):
                learner.learn(taught.rows(at, at + 100), replica)
        assert same(model, other)

    def test_a_shard_is_followed_by_what_left_in_its_time(self, dataset):
        """Bounds at 100 and 300: nothing that left before the first, labels as joined, features of their own rows."""
        rows = dataset.part("test")
        joined = join(arrivals(rows.labels["click"].numpy(), 50.0), 50, 80.0)
        queue = Queue.of(joined, rows, "click", [100, 200, 300])
        first, middle, last = queue.ends
        assert (joined.left[:first] < 100).all() and (joined.left[first:middle] >= 100).all() and joined.left[last] >= 300
        assert queue.rows.labels["click"].tolist() == joined.label.tolist() != rows.labels["click"].tolist()
        assert torch.equal(queue.rows.ids, rows.ids[joined.request])

    def test_after_the_correction_probabilities_are_of_all_rows(self):
        """A fifth of the negatives: served probabilities mean what the unsampled rows' rate is, ranking stays; without the
        correction the log-odds are off by −ln r."""
        dataset = from_world(replace(world("ids"), held=0.5, drift=0.0), 24_000)
        model, rows = RankingModel(systems()["bytedance"].blueprint, dataset.schema), dataset.part("test")
        labels = rows.labels["click"].numpy()
        model.begin({"click": math.log(labels.mean() / (1 - labels.mean()))})
        queue = Queue.of(join(arrivals(labels, 20.0), 100, 400.0, 0.2), rows, "click", edges(len(rows), 20))
        means = {}
        for name, taught in (("right", corrected(model, {"click": 0.2})), ("wrong", copy.deepcopy(model))):
            shards = list(stream(taught, rows, SETTINGS, 20, queue=queue))
            means[name] = sigmoid(np.concatenate([shard.logits["click"] for shard in shards[10:]])).mean()
        rate = labels[6_000:].mean()
        assert means["right"] == pytest.approx(rate, rel=0.03)
        odds = [p / (1 - p) for p in (means["wrong"], rate)]
        assert math.log(odds[0] / odds[1]) == pytest.approx(-math.log(0.2), abs=0.2)

    def test_keeping_all_is_the_plain_loss(self, model, dataset):
        rows, other = dataset.part("test"), corrected(model, {"click": 1.0})
        for each in (model, other):
            list(stream(each, rows, SETTINGS, 3))
        assert same(model, other)


class TestFailure:
    def test_a_server_falls_back_to_the_snapshot_and_the_others_go_on(self, model, dataset):
        """Of ten servers the first: its rows are those of the start, and serving gets them; all others are as without failure."""
        rows, other = dataset.part("test"), copy.deepcopy(model)
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        calm = list(stream(model, rows, SETTINGS, 4))
        fails = stream(other, rows, SETTINGS, 4, failure=Failure(10, after=1, every=4))
        shards = [next(fails) for _ in range(3)]
        name = "representation.tables.8"
        table = other.state_dict()[name]
        assert torch.equal(table[::10], before[name][::10]) and not torch.equal(table[1::10], before[name][1::10])
        named = torch.cat([rows.ids[:500, 0] - 1, rows.ids[:500, 1] + 3_999]).unique()
        assert [shard.lost for shard in shards] == [0, 0, 2 * int((named[named >= 0] % 10 == 0).sum())]
        assert np.array_equal(shards[1].logits["click"], calm[1].logits["click"])
        assert not np.array_equal(shards[2].logits["click"], calm[2].logits["click"])

    def test_serving_gets_what_was_set_back(self, model, dataset):
        """Rows that were sent already are sent once more, as the snapshot has them."""
        replica, learner, name = Replica(model), Learner(model, SETTINGS), "representation.tables.8"
        snapshot = {each: table.detach().clone() for each, table in replica.tables.items()}
        learner.learn(dataset.part("test").rows(0, 100), replica)
        replica.sync_sparse()
        assert not torch.equal(replica.serving.get_parameter(name)[::2], snapshot[name][::2])
        lost = replica.restore(snapshot, 2)
        assert 0 < lost == sum(replica.sync_sparse().values())
        assert torch.equal(replica.serving.get_parameter(name)[::2], snapshot[name][::2])
        assert torch.equal(replica.serving.get_parameter(name), model.get_parameter(name))

    def test_right_after_a_snapshot_nothing_is_lost(self, model, dataset):
        """Snapshots before every shard: a failure costs one shard's updates of that server."""
        rows = dataset.part("test")
        lost = [max(shard.lost for shard in stream(copy.deepcopy(model), rows, SETTINGS, 4, failure=Failure(1, 2, every)))
                for every in (1, 4)]
        assert 0 < lost[0] < lost[1]

    def test_what_a_sync_sends_in_bytes(self, model, dataset):
        """Of each touched id a vector of eight and a weight, four bytes a number."""
        shards = list(stream(model, dataset.part("test"), SETTINGS, 4))
        assert [shard.bytes for shard in shards] == [shard.sent // 2 * 9 * 4 for shard in shards] and shards[1].sent > 0
