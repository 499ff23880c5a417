"""Task masks over one network (sparse sharing; Sun et al., AAAI 2020), and CSRec's way with conflicts (Bai et al., WWW 2022).

E_t(x) = E(x; M_t ⊙ θ), M_t ∈ {0, 1} for every weight of the shared network; biases are never masked. Per task, M_t is found by
iterative magnitude pruning: train k steps, drop the α smallest of the weights that are left (one cut-off over all layers),
rewind the rest to where they began, until a share S is left. The task keeps the last mask, or the best: of the M_t that a
round left, the one with the least loss on validation rows once θ is trained under it (ties: fewest weights); one more round
trains the last. Then the tasks take turns, and each moves its own weights only.

A weight of several tasks may be pulled in opposite directions, sign g_1 ≠ sign g_2: a conflict. With c_t = |θ g_t| (what the
loss of t would change without the weight, to first order; g and c are moving averages), a step of task t then moves it by a_t:

soft     a_t = c_t / Σ_owners c         winner   a_t = 1 for the owner with the largest c, else 0         none     a_t = 1

What a weight contributes may also be measured exactly, c_t = |L_t(M_t without j) − L_t(M_t)|, with j all weights of a unit at
once: where the tasks begin to take turns, and for good.

The move is scaled, not the gradient: an optimiser with momentum would else move weights that the task does not own. Of Bai et
al. only the abstract was read: score and weights are a reconstruction of its words.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import Mlp, mlp_part
from rankzoo.components.sharing.owned import Conflict, conflicts, pruned, shares
from rankzoo.components.slot import Slot, Width, needs_input
from rankzoo.components.stages import Stage
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Edge, Part, Shape
from rankzoo.signals import Branches
from rankzoo.trace import Trace

MEMORY = 0.9
SEARCH = 0.75
Contribution = Literal["first_order", "without_unit"]
Asked = Callable[[], Mapping[str, float]]
"""Every task's loss as the masks stand now."""


class TaskMasks(Slot):
    """An MLP of `widths` of which each task keeps a share of the weights; steps are those of the optimiser."""

    kind: Literal["task_masks"] = "task_masks"
    widths: Annotated[tuple[Width, ...], Field(min_length=1, max_length=8, title="Shared layers")] = (64, 32)
    kept: Annotated[float, Field(gt=0, le=1, title="Share of the weights that a task keeps")] = 0.31
    alpha: Annotated[float, Field(gt=0, lt=1, title="Share of the rest that a round prunes")] = 0.33
    warmup_steps: Annotated[int, Field(ge=0, le=100_000, title="Steps of all tasks before pruning")] = 300
    round_steps: Annotated[int, Field(ge=1, le=100_000, title="Steps of a pruning round")] = 250
    pick: Annotated[Literal["last", "best"], Field(title="Of its rounds' masks, a task keeps the")] = "last"
    prune_score: Annotated[Literal["magnitude", "contrast"], Field(title="Pruned are the smallest by")] = "magnitude"
    conflict: Annotated[Conflict, Field(title="Where tasks disagree on a weight")] = "soft"
    contribution: Annotated[Contribution, Field(title="A task's stake in a weight")] = "first_order"
    alternate: Annotated[Literal["round_robin", "proportional"], Field(title="Tasks take turns")] = "round_robin"

    main: ClassVar = ("widths", "kept", "conflict")
    short: ClassVar = "task masks"
    keeps: ClassVar = ("mask",)
    outside: ClassVar = ("how the masks are found, task by task, and what moves a weight on which tasks disagree: until kept "
                         "weights are read every mask is ones, and all tasks have one and the same network")
    title: ClassVar = "Task masks"
    sentence: ClassVar = "One network in which every task keeps its own part of the weights."
    formula: ClassVar = r"f^t(x) = E(x;\, M_t \odot \theta)"
    source: ClassVar = Source("Sun et al.", 2020, "Learning sparse sharing architectures for multiple tasks", "AAAI 2020",
                              "10.48550/arXiv.1911.05034")

    @property
    def rounds(self) -> int:
        """Rounds until no more than `kept` is left: the z with (1 − α)^z ≤ S."""
        return math.ceil(math.log(self.kept) / math.log(1 - self.alpha) - 1e-9)

    def told(self) -> tuple[str, ...]:
        return ("conflict",)

    def after(self, shape: Shape) -> Shape:
        needs_input(shape)
        into = {f"branch.{task.name}": f"{shape.at}.mask.{task.name}" for task in shape.tasks}
        return shape.but(branch=self.widths[-1], origin={**shape.origin, **into})

    def count(self, shape: Shape) -> Count:
        """One network's weights, never T copies; one masked pass per task."""
        one, tasks = mlp_part("base", shape.joined, self.widths), len(shape.tasks)
        return Count((Part("base", one.parameters, tasks * one.flops, (tasks, *one.output), one.working,
                           inside=tuple((tasks, *hidden) for hidden in one.inside)),))

    def draw(self, shape: Shape) -> Drawing:
        at, count = shape.at, self.count(shape)
        base = Block(f"{at}.base", "sharing", "layer", "shared weights", "a mask for each task", self.widths, count.parameters)
        share = f"{self.kept:.0%} of the weights" + (" at least" if self.pick == "best" else "")
        masks = tuple(Block(f"{at}.mask.{task.name}", "sharing", "expert", "own part", share, self.widths, task=task.name)
                      for task in shape.tasks)
        return Drawing((base, *masks), (Edge(shape.origin["joined"], base.address, shape.joined),
                                        *(Edge(base.address, mask.address, self.widths[-1]) for mask in masks)))

    def build(self, shape: Shape) -> TaskMasksLayer:
        return TaskMasksLayer(self, shape)


class TaskMasksLayer(nn.Module):
    """(row, width) → (row, last width) per task; keeps `mask.<layer>` as (task, unit, input), kind mask.

    Buffers by layer, (task, unit, input) each: `mask` (bool); `pull` (mean gradient) and `worth` (mean |θ g|) of the last steps;
    `first`, the gradient over many rows at the weights from which the tasks take turns, with each task's mean prediction set
    right: there all tasks stand on one point, and noise is small, while later each has settled where its gradient is near zero.
    """

    def __init__(self, spec: TaskMasks, shape: Shape):
        super().__init__()
        self.spec, self.tasks = spec, tuple(task.name for task in shape.tasks)
        self.base = Mlp(shape.joined, spec.widths)
        self.linear = tuple(layer for layer in self.base if isinstance(layer, nn.Linear))
        shapes = [(len(self.tasks), *layer.weight.shape) for layer in self.linear]
        self.mask = Kept([torch.ones(shape, dtype=torch.bool) for shape in shapes])
        self.pull, self.worth, self.first = (Kept([torch.zeros(shape) for shape in shapes]) for _ in range(3))
        if spec.pick == "best":
            self.best = Kept([torch.ones(shape, dtype=torch.bool) for shape in shapes])
            self.least = Kept([torch.full((len(self.tasks),), torch.inf)])
        if spec.contribution == "without_unit":
            self.register_buffer("measured", torch.tensor(False))

    def forward(self, x: Tensor, trace: Trace) -> Branches:
        vectors = {}
        for at, task in enumerate(self.tasks):  # task by task: the backward pass of one need not go through the others
            h = x
            for layer, mask in zip(self.linear, self.mask, strict=True):
                h = torch.relu(F.linear(h, layer.weight * mask[at], layer.bias))
            vectors[task] = h
        for i, mask in enumerate(self.mask):
            trace.keep(f"mask.{i}", "mask", ("task", "unit", "input"), mask, {"task": self.tasks})
        return Branches(vectors)

    def stages(self, steps: int) -> tuple[Stage, ...]:
        """All tasks together, then every task's rounds, then the tasks in turns. What comes before the turns takes three quarters
        of the steps at most: with fewer steps all of it shrinks, and where none is left for a round, nothing is pruned."""
        spec, tasks = self.spec, self.tasks
        trial = ("trial",) * (spec.pick == "best" and spec.rounds > 0)
        rounds = len(tasks) * (spec.rounds + len(trial))
        scale = min(1.0, SEARCH * steps / max(1, spec.warmup_steps + rounds * spec.round_steps))
        warm, each = int(scale * spec.warmup_steps), int(scale * spec.round_steps)
        search = tuple(Stage(name, each, (task,), resting=("representation",), rewinds=True)
                       for task in tasks for name in (*("search",) * spec.rounds, *trial))
        left = steps - warm - rounds * each
        found = (Stage("warm-up", warm, tasks), *search, Stage("turns", left, tasks, spec.alternate, rewinds=True, last=True))
        return tuple(stage for stage in found if stage.steps)

    def compared(self, gradients: Mapping[str, Sequence[Tensor]], losses_now: Asked) -> None:
        """Before the tasks take turns: every task's gradient of each weight matrix, from one point and the same rows."""
        for at, task in enumerate(self.tasks):
            remembered = zip(self.weights, gradients[task], self.first, self.pull, self.worth, strict=True)
            for weight, found, first, pull, worth in remembered:
                first[at] = pull[at] = found
                worth[at] = (weight.detach() * found).abs()
        if self.spec.contribution == "without_unit":
            self.measure(losses_now)

    def measure(self, losses_now: Asked) -> None:
        """c_t of a unit's weights: how much the loss of t changes when it loses all that it owns of them."""
        whole = losses_now()
        for mask, worth in zip(self.mask, self.worth, strict=True):
            for unit in range(mask.shape[1]):
                kept = mask[:, unit].clone()
                mask[:, unit] = False
                without = losses_now()
                mask[:, unit] = kept
                for at, task in enumerate(self.tasks):
                    worth[at, unit] = abs(without[task] - whole[task]) * kept[at]
        self.measured.fill_(True)

    def told(self) -> dict[str, float]:
        """While tasks take turns: `conflict.<task>.own`, of the weights that a task shares the share on which owners pull apart,
        and `conflict.weights.all`, of all shared weights (two owners and more)."""
        mask, pull = (torch.cat([each.flatten(1) for each in kept], dim=1) for kept in (self.mask, self.pull))
        shared, apart = mask.sum(0) > 1, conflicts(mask, pull)
        if not shared.any() or pull.any(1).sum() < 2:  # in a search one task alone pulls
            return {}
        parts = {f"{task}.own": own & shared for task, own in zip(self.tasks, mask, strict=True)} | {"weights.all": shared}
        return {f"conflict.{name}": float(apart[part].float().mean()) for name, part in parts.items() if part.any()}

    @property
    def weights(self) -> tuple[nn.Parameter, ...]:
        """What is masked: the weight matrix of each layer."""
        return tuple(layer.weight for layer in self.linear)

    @contextmanager
    def moving(self, task: str) -> Iterator[None]:
        """A step of one task: what it does to the weights is cut down to those that the task owns, and to its say in them."""
        at, before = self.tasks.index(task), [weight.detach().clone() for weight in self.weights]
        for weight, pull, worth in zip(self.weights, self.pull, self.worth, strict=True):
            gradient = weight.grad if weight.grad is not None else torch.zeros_like(weight)
            pull[at].lerp_(gradient, 1 - MEMORY)
            if not (self.spec.contribution == "without_unit" and self.measured):  # what was measured stays
                worth[at].lerp_((weight.detach() * gradient).abs(), 1 - MEMORY)
        yield
        with torch.no_grad():
            for weight, old, mask, pull, worth in zip(self.weights, before, self.mask, self.pull, self.worth, strict=True):
                weight.copy_(old + shares(self.spec.conflict, mask, pull, worth)[at] * (weight - old))

    def left(self, stage: Stage, losses_now: Asked) -> None:
        """After a round of a task: judge the mask that it trained, prune, or pick; and forget the round's gradients."""
        if stage.name in ("search", "trial"):
            at = self.tasks.index(stage.tasks[0])
            if self.spec.pick == "best" and any(not mask[at].all() for mask in self.mask):  # the whole network is none
                self.judge(at, losses_now().get(self.tasks[at], math.nan))
            chosen = [best[at] for best in self.best] if stage.name == "trial" else self.pruned(at)
            for mask, kept in zip(self.mask, chosen, strict=True):
                mask[at] = kept
        if not stage.last:
            for each in (*self.pull, *self.worth):
                each.zero_()

    def judge(self, at: int, loss: float) -> None:
        """Remember a task's mask if none was better; a later one has fewer weights. Without a loss (no row) it is the last."""
        (least,) = self.least
        if not loss > float(least[at]):
            least[at] = torch.inf if math.isnan(loss) else loss
            for best, mask in zip(self.best, self.mask, strict=True):
                best[at] = mask[at]

    def pruned(self, at: int) -> list[Tensor]:
        """What a round leaves of a task's masks."""
        scores = [worth[at] if self.spec.prune_score == "contrast" else weight.detach().abs()
                  for weight, worth in zip(self.weights, self.worth, strict=True)]
        return pruned([mask[at] for mask in self.mask], scores, self.spec.alpha)


class Kept(nn.Module):
    """Tensors that are remembered but not learnt, one per layer."""

    def __init__(self, tensors: list[Tensor]):
        super().__init__()
        for i, tensor in enumerate(tensors):
            self.register_buffer(str(i), tensor)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.buffers())
