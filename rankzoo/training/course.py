"""Course: the stages of a training and what happens between them; most models have one, in which all tasks are trained.

A layer that asks for stages (`components/stages.py`) gets them: a stage trains some tasks, together or in turns, lets slots
rest, and may begin with the weights with which the first such stage began. Everything it remembers is part of a training's
state, so that a training goes on bit for bit from the middle of any stage.
"""
from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import accumulate

import torch
from torch import Tensor

from rankzoo.components.losses.base import LossLayer
from rankzoo.components.stages import Stage
from rankzoo.model import RankingModel
from rankzoo.signals import Batch, Branches
from rankzoo.training import metrics
from rankzoo.training.combine import Combiner, weighted_sum
from rankzoo.training.combine.base import gradients
from rankzoo.training.optimizers import Optimizer

COMPARED = 8_192


class Course:
    """The course of `steps` optimiser steps. rows: how many rows each task has, for turns that are drawn · validation: the rows
    on which a layer may judge what a stage has left."""

    def __init__(self, model: RankingModel, steps: int, rows: Mapping[str, int], validation: Batch):
        self.model, self.rows, self.validation = model, rows, validation
        self.layer = next((module for module in model.modules() if hasattr(module, "stages")), None)
        whole = Stage("training", steps, model.blueprint.tasks, last=True)
        self.stages: tuple[Stage, ...] = self.layer.stages(steps) if self.layer else (whole,)
        self.starts = (0, *accumulate(stage.steps for stage in self.stages))
        self.start: dict[str, Tensor] = {}  # the weights that stages are rewound to
        self.resting: tuple[str, ...] = ()
        self.learning = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}

    def at(self, done: int) -> Stage:
        """The stage of the step after `done` steps; after the last step, the last stage."""
        return self.stages[self._number(done)]

    def progress(self, done: int) -> float:
        """How much of the last stage lies behind, from 0 to 1, which is where a learning rate may fall: what comes before is a
        search, and weights that hardly move find nothing."""
        return 0.0 if not self.at(done).last else (done - self.starts[self._number(done)]) / self.at(done).steps

    def begin(self, done: int, optimizers: list[Optimizer], train: Batch) -> None:
        """Before the step after `done`: at the start of a stage that rewinds, the weights and the optimisers begin anew; before
        the last one the layer is told what every task wants of its weights there."""
        stage = self.at(done)
        if stage.resting != self.resting:
            self.resting = stage.resting
            for name, parameter in self.learning.items():
                parameter.requires_grad_(name.split(".")[0] not in stage.resting)
        if stage.rewinds and done == self.starts[self._number(done)]:
            self.start = self.start or {name: parameter.detach().clone() for name, parameter in self.learning.items()}
            with torch.no_grad():
                for name, parameter in self.learning.items():
                    parameter.copy_(self.start[name])
            for optimizer in optimizers:
                optimizer.forget()
            if stage.last:
                self._compare(train.rows(0, COMPARED))

    def _compare(self, rows: Batch) -> None:
        """Every task's gradient at these weights, its level set right: a network that was just pruned expects too much or too
        little of all rows alike, and that one error would turn the gradients of any two tasks towards or against each other."""
        raw = self.model.eval()(rows).raw
        raised = levelled(raw, self.model.losses, rows)
        levels = {task: (raised[task] - raw[task]).detach() for task in raw}
        losses = self.model.losses(raised, Branches({}), rows, {})

        @torch.no_grad()
        def losses_now() -> dict[str, float]:
            now = {task: logit + levels[task] for task, logit in self.model(rows).raw.items()}
            return {task: float(loss) for task, loss in self.model.losses(now, Branches({}), rows, {}).items()}

        found = gradients(list(losses.values()), list(self.layer.weights))
        self.layer.compared(dict(zip(losses, found, strict=True)), losses_now)
        self.model.train()

    def idle(self, done: int) -> set[str]:
        """The tasks that the stage after `done` steps leaves out."""
        return set(self.model.blueprint.tasks) - set(self.at(done).tasks)

    def backward(self, done: int, losses: Mapping[str, Tensor], combiner: Combiner) -> str:
        """The backward pass of the tasks whose turn it is; returns the task that is trained alone, "" where several are."""
        stage = self.at(done)
        alone = stage.tasks[0] if len(stage.tasks) == 1 else ""
        if stage.turns == "round_robin":
            alone = stage.tasks[(done - self.starts[self._number(done)]) % len(stage.tasks)]
        elif stage.turns == "proportional":
            counts = torch.tensor([float(self.rows[task]) for task in stage.tasks])
            alone = stage.tasks[int(torch.multinomial(counts, 1))]
        waiting = self.idle(done) | (set(stage.tasks) - {alone} if alone else set())
        trained = {name: loss for name, loss in losses.items() if name not in waiting}
        if waiting:
            weighted_sum(trained, combiner.fixed).backward()
        else:
            combiner.backward(trained, self.model)
        return alone

    def moving(self, alone: str) -> AbstractContextManager[None]:
        """Around the optimisers' step."""
        return self.layer.moving(alone) if self.layer and alone else nullcontext()

    def ended(self, done: int) -> None:
        """After `done` steps: a stage that ends here is left."""
        number = self._number(done - 1)
        if self.layer and done == self.starts[number + 1]:
            self.layer.left(self.stages[number], self._judged)

    def _judged(self) -> dict[str, float]:
        """Every task's loss on validation rows, as the weights stand."""
        rows = self.validation
        return metrics.losses(self.model, metrics.both(self.model, rows)[1], rows) if len(rows) else {}

    def _number(self, done: int) -> int:
        return next((i for i in range(len(self.stages)) if done < self.starts[i + 1]), len(self.stages) - 1)


def levelled(logits: Mapping[str, Tensor], losses: LossLayer, rows: Batch) -> dict[str, Tensor]:
    """Each task's logits and the constant with which its loss is least."""
    level = torch.zeros(len(logits), requires_grad=True)
    fixed = {task: logit.detach() for task, logit in logits.items()}
    optimizer = torch.optim.LBFGS([level], max_iter=50, line_search_fn="strong_wolfe")

    def raised(onto: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {task: logit + constant for (task, logit), constant in zip(onto.items(), level, strict=True)}

    def loss() -> Tensor:
        optimizer.zero_grad()
        total = torch.stack(list(losses(raised(fixed), Branches({}), rows, {}).values())).sum()
        total.backward()
        return total

    optimizer.step(loss)
    level.requires_grad_(False)
    return raised(logits)
