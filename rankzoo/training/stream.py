"""Stream: training that goes on after the batch, test then train, with the serving model synced now and then.

Algorithm 1 of Monolith (Liu et al., 2022): θ ← Train(batch); for each shard i: serving ← θ, AUC_i ← Eval(serving, shard_i),
θ ← Train(θ, shard_i). A shard is scored before any gradient of it. What goes to serving is what changed: rows of tables that
were touched since the last sync at every shard, all other weights at every `dense_every`-th (the paper: minutes and a day).
"""
from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rankzoo.model import RankingModel
from rankzoo.signals import Batch
from rankzoo.training.combine import combiner
from rankzoo.training.metrics import predict
from rankzoo.training.optimizers import optimizers, sight
from rankzoo.training.settings import TrainSettings


@dataclass(frozen=True)
class Shard:
    """One shard of a stream: its rows start … stop, the logits (row,) per task of what served it, and how many rows of tables
    the sync before it sent."""

    number: int
    start: int
    stop: int
    logits: Mapping[str, np.ndarray]
    sent: int


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
    def sync_sparse(self) -> int:
        """Send the touched rows, and which id has which row; returns how many rows were sent."""
        sent, there = 0, dict(self.serving.named_parameters())
        for name, touched in self.touched.items():
            rows = touched.nonzero().squeeze(1)
            there[name][rows] = self.tables[name][rows]
            touched.zero_()
            sent += len(rows)
        for own, other in zip(self.serving.representation.buffers(), self.model.representation.buffers(), strict=True):
            own.copy_(other)
        return sent

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


def stream(model: RankingModel, rows: Batch, settings: TrainSettings, shards: int, dense_every: int = 1,
           epochs: int = 0) -> Iterator[Shard]:
    """Serve and learn from rows in the order of time, in so many shards; `model` is changed. One shard is the batch baseline: it
    is served as it was all along. epochs: those that the model was trained before."""
    replica, learner = Replica(model), Learner(model, settings, epochs)
    ends = [len(rows) * i // max(shards, 1) for i in range(shards + 1)]
    for number, (start, stop) in enumerate(zip(ends[:-1], ends[1:], strict=True)):
        sent = replica.sync_sparse()
        if number % dense_every == 0:
            replica.sync_dense()
        yield Shard(number, start, stop, predict(replica.serving, rows.rows(start, stop)), sent)
        if number == shards - 1:
            return  # nobody is served by what the last shard teaches
        for at in range(start, stop, settings.batch_size):
            learner.learn(rows.rows(at, min(at + settings.batch_size, stop)), replica)
