"""Stream: training that goes on after the batch, test then train, with the serving model synced now and then.

Algorithm 1 of Monolith (Liu et al., 2022): θ ← Train(batch); for each shard i: serving ← θ, AUC_i ← Eval(serving, shard_i),
θ ← Train(θ, shard_i). A shard is scored before any gradient of it. What goes to serving is what changed: rows of tables that
were touched since the last sync at every shard, all other weights at every `dense_every`-th (the paper: minutes and a day).

What is learnt may come from a joiner: after a shard that is what left it in the shard's time, with the labels that it gave.
"""
from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from rankzoo.components.losses.sampled import Sampled
from rankzoo.model import RankingModel
from rankzoo.signals import Batch
from rankzoo.training.combine import combiner
from rankzoo.training.joiner import Joined
from rankzoo.training.metrics import predict
from rankzoo.training.optimizers import optimizers, sight
from rankzoo.training.settings import TrainSettings


@dataclass(frozen=True)
class Shard:
    """One shard of a stream: its rows start … stop, the logits (row,) per task of what served it, how many rows of tables the
    sync before it sent, how many bytes these are, and how many rows a failure before it set back."""

    number: int
    start: int
    stop: int
    logits: Mapping[str, np.ndarray]
    sent: int
    bytes: int = 0
    lost: int = 0


@dataclass(frozen=True)
class Queue:
    """Examples in the order in which a training gets them; shard i is followed by those from ends[i] to ends[i + 1]."""

    rows: Batch
    ends: Sequence[int]

    @classmethod
    def of(cls, joined: Joined, rows: Batch, task: str, bounds: Sequence[float]) -> Queue:
        """What left a joiner. rows: those of all its requests · task: whose label it gave, others come as they are · bounds:
        (shard + 1,) where shards begin in the joiner's time; what left before the first of them is not learnt."""
        taken = rows.take(torch.from_numpy(joined.request))
        labels = torch.from_numpy(joined.label).to(taken.labels[task].dtype)
        return cls(replace(taken, labels={**taken.labels, task: labels}), np.searchsorted(joined.left, bounds).tolist())

    @property
    def taught(self) -> int:
        """How many examples somebody is served by."""
        return self.ends[-2] - self.ends[0]


@dataclass(frozen=True)
class Failure:
    """After shard `after` was learnt one of `servers` that hold the tables' rows in turn fails and starts from the last snapshot,
    which is taken before every `every`-th shard. What its optimiser knows goes on."""

    servers: int
    after: int
    every: int


class Replica:
    """The model that serves: a copy of the one in training, which is told what changed.

    touched[parameter]: (row of the table,) whether it had a gradient since the last sync.
    """

    def __init__(self, model: RankingModel):
        self.model, self.serving = model, copy.deepcopy(model).eval()
        self.tables = {name: parameter for name, parameter in model.named_parameters() if name in model.looked_up()}
        self.touched = {name: torch.zeros(len(table), dtype=torch.bool) for name, table in self.tables.items()}

    def touch(self) -> None:
        """Note which rows the gradients at hand name."""
        for name, table in self.tables.items():
            if table.grad is not None:
                self.touched[name][table.grad._indices()[0]] = True

    @torch.no_grad()
    def sync_sparse(self) -> dict[str, int]:
        """Send the touched rows, and which id has which row; returns how many rows of each table were sent."""
        sent, there = {}, dict(self.serving.named_parameters())
        for name, touched in self.touched.items():
            rows = touched.nonzero().squeeze(1)
            there[name][rows] = self.tables[name][rows]
            touched.zero_()
            sent[name] = len(rows)
        for own, other in zip(self.serving.representation.buffers(), self.model.representation.buffers(), strict=True):
            own.copy_(other)
        return sent

    def bytes(self, sent: Mapping[str, int]) -> int:
        """What so many rows of tables hold."""
        return sum(rows * self.tables[name][0].nbytes for name, rows in sent.items())

    @torch.no_grad()
    def restore(self, snapshot: Mapping[str, Tensor], servers: int) -> int:
        """The rows that the first of so many servers holds are what they were in a snapshot of the tables; returns how many that
        changed. They are sent by the next sync."""
        lost = 0
        for name, table in self.tables.items():
            rows = torch.arange(0, len(table), servers)
            rows = rows[(table[rows] != snapshot[name][rows]).any(dim=1)]
            table[rows] = snapshot[name][rows]
            self.touched[name][rows] = True
            lost += len(rows)
        return lost

    @torch.no_grad()
    def sync_dense(self) -> None:
        """Send everything that is no table."""
        there = dict(self.serving.named_parameters())
        for name, parameter in self.model.named_parameters():
            if name not in self.tables:
                there[name].copy_(parameter)


class Learner:
    """A training without an end: one step per batch, at constant rates, with a randomness of its own. epochs: how many the model
    had before; the weights of tasks, w₀ γᵗ in epoch t, stay those of the next one, as a stream has no epochs."""

    def __init__(self, model: RankingModel, settings: TrainSettings, epochs: int = 0):
        self.model, self.combiner = model, combiner(settings.combine, model)
        self.combiner.begin(epochs, model)
        self.optimizers = optimizers(model, settings)
        self.rng = torch.Generator().manual_seed(settings.seed).get_state()

    def learn(self, batch: Batch, replica: Replica) -> dict[str, Tensor]:
        """One step; the replica notes what it touches. Returns the losses, detached."""
        outside = torch.get_rng_state()
        torch.set_rng_state(self.rng)
        self.model.train()
        sight(self.model, self.optimizers, batch)
        losses = self.model(batch).losses
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        self.combiner.backward(losses, self.model)
        replica.touch()
        for optimizer in self.optimizers:
            optimizer.step()
        self.combiner.stepped()
        self.rng = torch.get_rng_state()
        torch.set_rng_state(outside)
        return {name: loss.detach() for name, loss in losses.items()}


def corrected(model: RankingModel, kept: Mapping[str, float]) -> RankingModel:
    """The same model with a loss that knows which share of a task's negatives is kept: it goes on to speak of all rows."""
    losses = model.blueprint.losses
    sampled = Sampled(weights=losses.weights, factors=losses.factors, kept=kept)
    other = RankingModel(model.blueprint.model_copy(update={"losses": sampled}), model.schema)
    other.load_state_dict(model.state_dict())
    return other


def edges(rows: int, shards: int) -> list[int]:
    """Where so many shards of rows begin, and where the last ends."""
    return [rows * i // max(shards, 1) for i in range(shards + 1)]


def stream(model: RankingModel, rows: Batch, settings: TrainSettings, shards: int, dense_every: int = 1,
           epochs: int = 0, queue: Queue | None = None, failure: Failure | None = None) -> Iterator[Shard]:
    """Serve and learn from rows in the order of time, in so many shards; `model` is changed. One shard is the batch baseline: it
    is served as it was all along. epochs: those that the model was trained before · queue: what is learnt, else every row as
    soon as its shard was served, with the label that it has in the end."""
    replica, learner = Replica(model), Learner(model, settings, epochs)
    ends, lost, snapshot = edges(len(rows), shards), 0, {}
    queue = queue or Queue(rows, ends)
    for number, (start, stop) in enumerate(pairwise(ends)):
        if failure and number % failure.every == 0:
            snapshot = {name: table.detach().clone() for name, table in replica.tables.items()}
        sent = replica.sync_sparse()
        if number % dense_every == 0:
            replica.sync_dense()
        yield Shard(number, start, stop, predict(replica.serving, rows.rows(start, stop)), sum(sent.values()),
                    replica.bytes(sent), lost)
        if number == shards - 1:
            return  # nobody is served by what the last shard teaches
        first, last = queue.ends[number:number + 2]
        for at in range(first, last, settings.batch_size):
            learner.learn(queue.rows.rows(at, min(at + settings.batch_size, last)), replica)
        lost = replica.restore(snapshot, failure.servers) if failure and number == failure.after else 0
