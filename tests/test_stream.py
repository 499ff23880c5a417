"""Stream: scored before it is learnt, synced by what was touched; the sheet's invariants: systems/test_bytedance.py."""
from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from rankzoo.data.dataset import Dataset
from rankzoo.data.load import from_world
from rankzoo.data.world import world
from rankzoo.document import Document
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.metrics import auc, predict
from rankzoo.training.settings import TrainSettings
from rankzoo.training.stream import Learner, Replica, stream

SETTINGS = TrainSettings(batch_size=100, lr=1e-2)
DENSE = "towers.head.click.weight"
TABLE = "representation.tables.8"


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return from_world(replace(world("ids"), held=0.5), 2_000)


@pytest.fixture
def model(dataset) -> RankingModel:
    return RankingModel(systems()["bytedance"].blueprint, dataset.schema)


def weights(model: RankingModel) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


class TestSync:
    @pytest.fixture
    def taught(self, model, dataset):
        """A model, its replica after two steps in training, and which rows of the table the two batches name."""
        replica, learner, rows = Replica(model), Learner(model, SETTINGS), dataset.part("test")
        for at in (0, 100):
            learner.learn(rows.rows(at, at + 100), replica)
        users, items = rows.ids[:200].unbind(1)
        return model, replica, {*(users[users > 0] - 1).tolist(), *(items[items > 0] + 3_999).tolist()}

    def test_touched_rows_are_those_of_the_ids(self, taught):
        _, replica, named = taught
        assert set(replica.touched[TABLE].nonzero().squeeze(1).tolist()) == named

    def test_who_has_which_row_is_sent_too(self, dataset):
        """A table whose ids come: the serving model reads zeros until the sync."""
        document = Document.preset("bytedance").but([("representation.min_count", 1)])
        model = RankingModel(document.blueprint, dataset.schema)
        replica, learner, rows = Replica(model), Learner(model, SETTINGS), dataset.part("test")
        for at in (0, 100, 200):
            learner.learn(rows.rows(at, at + 100), replica)
        index = model.representation.tenants["8"].index
        assert len(index) > 0 and len(replica.serving.representation.tenants["8"].index) == 0
        replica.sync_sparse()
        assert len(replica.serving.representation.tenants["8"].index) == len(index)
        replica.sync_dense()
        first = rows.rows(0, 50)
        assert np.array_equal(predict(replica.serving, first)["click"], predict(model, first)["click"])


class TestPrequential:
    def test_shards_cover_the_stream_in_its_order(self, model, dataset):
        found = [(shard.start, shard.stop) for shard in stream(model, dataset.part("test"), SETTINGS, 3)]
        assert found == [(0, 333), (333, 666), (666, 1_000)]

    def test_the_first_shard_is_served_alike(self, model, dataset):
        """Whoever syncs more often starts from the same model."""
        rows = dataset.part("test")
        first = [next(iter(stream(copy.deepcopy(model), rows, SETTINGS, shards))).logits["click"] for shards in (1, 5, 10)]
        assert np.array_equal(first[0][:200], first[1]) and np.array_equal(first[0][:100], first[2])

    def test_dense_every_second_shard(self, model, dataset):
        """Between its own syncs the dense part that serves stands still, though the tables move."""
        at_start, served = weights(model)[DENSE], []
        for shard in stream(model, dataset.part("test"), SETTINGS, 4, dense_every=10):
            served.append(shard)
        assert not torch.equal(weights(model)[DENSE], at_start) and all(shard.sent > 0 for shard in served[1:])

    def test_the_same_seed_the_same_stream(self, model, dataset):
        one, same = ([shard.logits["click"] for shard in stream(copy.deepcopy(model), dataset.part("test"), SETTINGS, 4)]
                     for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))


def test_an_outside_generator_is_left_as_it_was(model, dataset):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    list(stream(model, dataset.part("test"), SETTINGS, 3))
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_learnt_helps():
    """From random weights, on 12,000 rows: the last fifth of a stream is ranked better than by the model that never learnt."""
    dataset = from_world(replace(world("ids"), held=0.5), 24_000)
    model = RankingModel(systems()["bytedance"].blueprint, dataset.schema)
    rows, labels = dataset.part("test"), dataset.part("test").labels["click"].numpy()
    frozen = predict(model, rows)["click"]
    logits = np.concatenate([shard.logits["click"] for shard in stream(model, rows, SETTINGS, 20)])
    assert auc(labels[-2_400:], logits[-2_400:]) > auc(labels[-2_400:], frozen[-2_400:]) + 0.03
