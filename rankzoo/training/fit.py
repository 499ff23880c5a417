"""Fit: the training loop, as an iterator over optimiser steps.

    for step in Fit(model, dataset, settings): ...

Pause = stop asking; stop = leave the loop; resume = a new Fit with the state of the old one, which goes on bit for bit.
Tensors are prepared once: a permutation per epoch, slices per step, no per-row Python, no `.item()` per step.
"""
from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from rankzoo.data.dataset import Dataset
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.signals import Batch
from rankzoo.training.combine import combiner
from rankzoo.training.course import Course
from rankzoo.training.guess import costs, guesses, spread
from rankzoo.training.metrics import both, evaluate, losses
from rankzoo.training.optimizers import Dense, cut, optimizers, sight
from rankzoo.training.precision import Precision
from rankzoo.training.requests import by_request, edges
from rankzoo.training.settings import TrainSettings
from rankzoo.training.tagging import answers
from rankzoo.training.watch import pulls, watched

REPORTS_PER_EPOCH, CHECKS_PER_EPOCH, TOLD_PER_EPOCH, TOLD_PER_RUN = 20, 2, 4, 100
BLOCK = 64  # batches that are gathered at once


@dataclass(frozen=True)
class Step:
    """One optimiser step: its number (0 = before the first), its epoch, and what was measured at it.

    points: `train.<task>.loss`, `validation.<task>.loss`: the task's loss relative to what always guessing costs there (see
    `guess`), `validation.<task>.auc` and the like, `train.<task>.weight` if it moves, what `watched`, `pulls` and the combiner
    see, what layers tell; empty at most steps.
    """

    number: int
    epoch: int
    points: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """Everything a Fit needs to go on exactly: tensors by name, and numbers that fit into JSON."""

    tensors: dict[str, Tensor]
    numbers: dict[str, object]


class Fit:
    """A training of `model` on `dataset`, `steps` optimiser steps over `epochs` at most; see the module's head. checks: how often
    an epoch is validated, the last time at its end."""

    def __init__(self, model: RankingModel, dataset: Dataset, settings: TrainSettings, state: State | None = None,
                 watching: bool = True, checks: int = CHECKS_PER_EPOCH):
        self.model, self.dataset, self.settings, self.watching, self.checks = model, dataset, settings, watching, checks
        self.train, self.validation = dataset.part("train"), dataset.part("validation")
        if not len(self.train):
            raise ZooError("There is no row to train on.", "Use more rows.", at="settings.rows")
        group, size = self.train.group, settings.batch_size
        self.grouped = model.blueprint.losses.grouped
        self.per_epoch = len(edges(group[by_request(group)], size)) - 1 if self.grouped else math.ceil(len(self.train) / size)
        wanted = self.per_epoch * settings.epochs
        self.steps = min(wanted, settings.steps or wanted)
        self.epochs = math.ceil(self.steps / self.per_epoch)
        self.variance = {t.name: spread(answers(self.train, t)) for t in dataset.schema.tasks if not t.metric.rises}
        self.combiner, self.optimizers = combiner(settings.combine, model), optimizers(model, settings)
        own = list(self.combiner.parameters())
        self.optimizers += [Dense([{"params": own, "lr": settings.lr}], settings.optimizer)] if own else []
        self.course = Course(model, self.steps, {t: int(seen.sum()) for t, seen in self.train.observed.items()}, self.validation)
        self.base = [[group["lr"] for group in optimizer.param_groups] for optimizer in self.optimizers]
        guess = guesses(model, self.train)
        model.fit(self.train, settings.seed, anew=state is None)
        model.begin({task: float(logit) for task, logit in guess.items() if not logit.dim()})
        parts = {"train": self.train, "validation": self.validation} if watching else {}
        self.units = {part: costs(model, guess, self.train, rows) for part, rows in parts.items()}
        self.done, self.examples, self.stale, self.missed, self.best_step = 0, 0, 0, math.inf, 0
        self.best: dict[str, Tensor] = {}
        self.rng = torch.Generator().manual_seed(settings.seed).get_state()
        self.precision = Precision(settings.precision)
        if state is not None:
            self._restore(state)

    def __iter__(self) -> Iterator[Step]:
        if not self.done and self.watching:
            yield Step(0, 0, self._check())
        while self.done < self.steps and not self.stopped:
            epoch = self.done // self.per_epoch
            gathered: list[dict[str, Tensor]] = []
            for at, batch in self._batches(epoch, self.done % self.per_epoch):
                gathered.append(self._step(batch))
                yield Step(self.done, epoch + 1, self._points(gathered, at + 1))
                if self.done >= self.steps:
                    break

    @property
    def stopped(self) -> bool:
        """Whether validation has not become better for `patience` epochs: mean over tasks of 1 − AUC, of 1 − recall where a label
        is a class, of the relative loss where it is a number."""
        return bool(self.settings.patience) and self.stale >= self.settings.patience

    def state(self) -> State:
        """A copy of everything that the rest of the training depends on."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()} | {"rng": self.rng}
        tensors |= {f"combiner.{name}": tensor for name, tensor in self.combiner.state_dict().items()}
        tensors |= {f"course.{name}": tensor for name, tensor in self.course.start.items()}
        for i, optimizer in enumerate(self.optimizers):
            for j, values in optimizer.state_dict().items():
                tensors |= {f"optimizer.{i}.{j}.{key}": value for key, value in values.items()}
        numbers = {"done": self.done, "examples": self.examples, "stale": self.stale,
                   "missed": self.missed if math.isfinite(self.missed) else None, "best_step": self.best_step,
                   "precision": self.precision.name if self.precision.decided else self.settings.precision}
        return State({name: tensor.detach().clone() for name, tensor in tensors.items()}, numbers)

    def restore_best(self) -> None:
        """Give the model the weights of the epoch with the fewest misses on the validation part, where one was measured."""
        if self.best:
            self.model.load_state_dict(self.best)

    def _batches(self, epoch: int, first: int) -> Iterator[tuple[int, Batch]]:
        """The batches of an epoch from number `first` on, gathered a block at a time: the first step need not wait for all."""
        order, size, rows = self._order(epoch), self.settings.batch_size, len(self.train)
        ends = edges(self.train.group[order], size) if self.grouped else [*range(0, rows, size), rows]
        for at in range(first, self.per_epoch):
            if at == first or at % BLOCK == 0:
                start = ends[at]
                block = self.train.take(order[start:ends[min((at // BLOCK + 1) * BLOCK, self.per_epoch)]])
            yield at, block.rows(ends[at] - start, ends[at + 1] - start)

    def _order(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed((self.settings.seed * 1_000_003 + epoch) % 2**63)
        if self.grouped:
            return by_request(self.train.group, generator)
        return torch.randperm(len(self.train), generator=generator)

    def _step(self, batch: Batch) -> dict[str, Tensor]:
        """One step with the run's own randomness; returns the losses, detached."""
        progress = self.course.progress(self.done)
        factor = 0.5 * (1 + math.cos(math.pi * progress)) if self.settings.schedule == "cosine" else 1.0
        factor *= min(1.0, (self.done + 1) / (self.settings.warmup + 1))
        outside, begun = torch.get_rng_state(), time.perf_counter()
        torch.set_rng_state(self.rng)
        self.model.train()
        self.course.begin(self.done, self.optimizers, self.train)
        sight(self.model, self.optimizers, batch)
        with self.precision.forward():
            losses = self.model(batch).losses
        for optimizer, rates in zip(self.optimizers, self.base, strict=True):
            optimizer.zero_grad()
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
        self.combiner.begin(self.done // self.per_epoch, self.model)
        alone = self.course.backward(self.done, losses, self.combiner)
        cut(self.optimizers, self.settings.clip)
        with self.course.moving(alone):
            for optimizer in self.optimizers:
                optimizer.step()
        self.combiner.stepped()
        self.rng = torch.get_rng_state()
        torch.set_rng_state(outside)
        if not self.precision.decided:
            self.precision.took(time.perf_counter() - begun)
        self.done += 1
        self.examples += len(batch)
        if self.done % self.per_epoch == 0:
            self.combiner.epoch_ended()
        self.course.ended(self.done)
        return {name: loss.detach() for name, loss in losses.items() if name not in self.course.idle(self.done - 1)}

    def _points(self, gathered: list[dict[str, Tensor]], at: int) -> dict[str, float]:
        """What is reported after step `at` of an epoch: mean training losses now and then, a check at its marks."""
        if not self.watching:
            gathered.clear()
            return {}
        points: dict[str, float] = {}
        last = at == self.per_epoch or self.done == self.steps
        if last or at % max(1, self.per_epoch // REPORTS_PER_EPOCH) == 0:
            for name in dict.fromkeys(name for losses in gathered for name in losses):
                mean = float(torch.stack([losses[name] for losses in gathered if name in losses]).mean())
                if not math.isfinite(mean):
                    raise ZooError("The loss of '{task}' is no longer a finite number (step {step}).",
                                   "Lower the learning rate.", at="settings.lr", task=name, step=self.done)
                points |= self._told("train", {name: mean})
            gathered.clear()
        if last or at % max(1, min(self.per_epoch // TOLD_PER_EPOCH, self.steps // TOLD_PER_RUN)) == 0:
            points |= self.combiner.told() | self.model.told()
        if last or at % max(1, self.per_epoch // self.checks) == 0:
            points |= self._check(ended=last)
        return points

    def _check(self, ended: bool = False) -> dict[str, float]:
        """Validation metrics; at the end of an epoch also what early stopping and the best weights need."""
        if not len(self.validation):
            return {}
        logits, raw = both(self.model, self.validation)
        points, missed = self._told("validation", losses(self.model, raw, self.validation)), []
        for task, metrics in evaluate(logits, self.validation, self.dataset.schema, self.model.blueprint.losses).items():
            missed.append(self._missed(task, metrics))
            points |= {f"validation.{task}.{name}": value for name, value in metrics.items() if name != "log_loss"}
        points |= {f"train.{task}.weight": value for task, value in self.combiner.moving(self.model).items()}
        points = {name: value for name, value in points.items() if name.split(".")[1] not in self.course.idle(self.done - 1)}
        points |= watched(self.model, self.validation) | pulls(self.model, self.validation)
        if ended and self.course.at(self.done - 1).last:
            known = [value for value in missed if math.isfinite(value)]
            self._keep_best(sum(known) / len(known) if known else math.inf)
        return {name: value for name, value in points.items() if math.isfinite(value)}

    def _told(self, part: str, found: Mapping[str, float]) -> dict[str, float]:
        """Losses relative to what always guessing costs there; as they are where that costs nothing."""
        return {f"{part}.{task}.loss": loss / self.units[part].get(task, 1.0) for task, loss in found.items()}

    def _missed(self, task: str, metrics: Mapping[str, float]) -> float:
        """1 − AUC or 1 − recall, or the squared error relative to that of always guessing the mean."""
        value = metrics.get(self.dataset.schema.task(task).metric.key, math.nan)
        return value**2 / self.variance[task] if task in self.variance else 1 - value

    def _keep_best(self, missed: float) -> None:
        if missed < self.missed:
            self.missed, self.best_step, self.stale = missed, self.done, 0
            self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        else:
            self.stale += 1

    def _restore(self, state: State) -> None:
        tensors, numbers = state.tensors, state.numbers
        of = lambda prefix: {k[len(prefix):]: v.clone() for k, v in tensors.items() if k.startswith(prefix)}  # noqa: E731
        self.model.load_state_dict(of("model."))
        self.best, self.rng = of("best."), tensors["rng"].clone()
        self.combiner.load_state_dict(of("combiner."))
        self.course.start = of("course.")
        for i, optimizer in enumerate(self.optimizers):
            saved: dict[int, dict[str, Tensor]] = {}
            for key, value in of(f"optimizer.{i}.").items():
                index, name = key.split(".", 1)
                saved.setdefault(int(index), {})[name] = value
            optimizer.load_state_dict(saved)
        self.done, self.examples = int(numbers["done"]), int(numbers["examples"])
        self.stale, self.best_step = int(numbers["stale"]), int(numbers["best_step"])
        self.missed = math.inf if numbers["missed"] is None else float(numbers["missed"])
        self.precision = Precision(numbers.get("precision", "float32"))
