"""What all losses share: weights, cards and averages, and the plain loss of each kind of label.

binary      ℓ = softplus(s) − y·s (sigmoid cross entropy, computed from the logit)
share       ℓ = (sigmoid(s) − y)² for a label in [0, 1], such as the share of a video that was watched
regression  ℓ = (s − y)²
class       ℓ = ln Σ_c e^{s_c} − s_y over the classes that the training part knows: an item that it never names is no negative,
            since it would be trained down for being new
tags        the mean of that over the words of the row's item; without a word the row does not count

What towers teach beside (see `TowerLayer.taught`) joins the two sums of its task, or is a loss of its own.

L_k = Σ_rows δ·ℓ / Σ_rows δ over the rows observed for the task (Tang et al., RecSys 2020, eq. 9), L = Σ_k w_k L_k, and after t
epochs w_k = w_{k,0} γ_kᵗ (eq. 10).
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.row_losses import chosen, labels, over, plain, tagged
from rankzoo.components.slot import Slot
from rankzoo.errors import Said, ZooError, axes, closest
from rankzoo.schema import Schema, Task
from rankzoo.shape import Block, Drawing, Edge, Shape
from rankzoo.signals import Batch, Branches, tags_of

PLAIN = {"binary": "cross_entropy", "share": "squared", "regression": "squared", "class": "softmax",
         "tags": "softmax"}
SETS = {"binary": "{0, 1}", "share": "[0, 1]", "regression": "ℝ", "class": "{0, …, K}", "tags": "{0, …, K}^L"}
"""The values that a label of each kind can have."""
NAMES = {"cross_entropy": "cross-entropy", "squared": "squared error", "softmax": "softmax"}
Likelihood = Literal["categorical", "gaussian", "none"]
FORMULAS = {"cross_entropy": r"\ell=\ln(1+e^{s})-y\,s", "squared": r"\ell=(s-y)^2", "softmax": r"\ell=\ln\sum_c e^{s_c}-s_y"}
"""The loss of a row by its name, in LaTeX; a squared error of probabilities and a mean over words have their own."""
LIKELIHOODS: Mapping[str, Likelihood] = {"cross_entropy": "categorical", "squared": "gaussian", "softmax": "categorical"}
HEAVIEST = 1000
Weight = Annotated[float, Field(ge=0, le=HEAVIEST)]
Factor = Annotated[float, Field(gt=0, le=2)]


class Loss(Slot):
    """One loss per task; `weights` (1 where none is given) say how much each counts in the sum, `factors` (1 likewise) by what
    that is multiplied after each epoch.

    `grouped`: the loss compares rows of one request, so that training must keep them together.
    """

    weights: Annotated[Mapping[str, Weight], Field(title="Weight of each task")] = {}
    factors: Annotated[Mapping[str, Factor], Field(title="Factor γ of each weight, epoch by epoch")] = {}

    grouped: ClassVar[bool] = False

    def named(self, task: Task) -> str:
        """The task's loss in a word or two."""
        return NAMES[PLAIN[task.kind]]

    def written(self, task: Task) -> str:
        """The loss of a row of the task, in LaTeX."""
        return written(PLAIN[task.kind], task)

    def usual(self, task: Task) -> bool:
        """Whether the task's loss is the plain one of its kind of label."""
        return self.named(task) == NAMES[PLAIN[task.kind]]

    def uncalibrated(self, task: Task) -> str:
        """Why the task's loss is not least where what is served is the label's mean (of a binary label, where sigmoid(logit) is
        its probability): a clause, to stand behind «since»; empty where it is least there."""
        return ""

    def calibrated(self, task: Task) -> bool:
        """Whether minimising the task's loss makes what is served an estimate of the label's mean, or of its probability."""
        return not self.uncalibrated(task)

    def compares(self, task: Task) -> bool:
        """Whether the task's loss compares rows of one request, so that a row by itself has none."""
        return False

    def likelihood(self, task: Task) -> Likelihood:
        """Whose −ln p the task's loss is, but for constants: of a choice, of a normal distribution with 2σ² = 1, of none."""
        return LIKELIHOODS[PLAIN[task.kind]]

    def reads(self, shape: Shape, task: Task) -> tuple[str, ...]:
        """The tasks whose towers the task's loss reads."""
        return (task.name,)

    def weighed(self, task: Task) -> str:
        """The task's weight in a word or two."""
        factor = self.factors.get(task.name, 1.0)
        return f"weight {self.weights.get(task.name, 1.0):g}" + ("" if factor == 1 else f" · {factor:g}ᵗ")

    def after(self, shape: Shape) -> Shape:
        known_tasks(self.weights, "A weight", f"{shape.at}.weights", shape)
        known_tasks(self.factors, "A factor", f"{shape.at}.factors", shape)
        return shape

    def draw(self, shape: Shape) -> Drawing:
        blocks = tuple(Block(f"{shape.at}.{t.name}", "losses", "head", t.name, self.named(t),
                             words=(self.weighed(t),), task=t.name) for t in shape.tasks)
        known = {t.name: t for t in shape.tasks}
        edges = [Edge(shape.origin[f"tower.{name}"], f"{shape.at}.{t.name}", shape.schema.classes(known[name]),
                      times=shape.schema.tagged(known[name])[0].length if known[name].kind == "tags" else 1)
                 for t in shape.tasks for name in self.reads(shape, t)]
        wide = [node for name, node in shape.origin.items() if name.startswith("logit.")]
        edges += [Edge(node, f"towers.{t.name}", 1) for node in wide for t in shape.tasks]
        return Drawing(blocks, tuple(edges))

    def fitted(self, schema: Schema) -> tuple[Self, tuple[str, ...]]:
        tasks = {t.name for t in schema.tasks}
        gone = tuple(name for name in {**self.weights, **self.factors} if name not in tasks)
        kept = {each: {n: v for n, v in getattr(self, each).items() if n in tasks} for each in ("weights", "factors")}
        return self.model_copy(update=kept), gone


class RequestLoss(Loss):
    """A loss of binary tasks that compares the rows of one request; other tasks keep their plain loss."""

    grouped: ClassVar[bool] = True

    def compares(self, task: Task) -> bool:
        return task.kind == "binary"

    def after(self, shape: Shape) -> Shape:
        if not shape.schema.requests:
            raise ZooError("These data have no requests, within which a {kind} loss compares rows.",
                           "Choose data with requests, or set losses.kind to pointwise.", at=shape.at, kind=self.short,
                           cure=("losses.kind", "pointwise"), comes=axes(1), needs="R × n, n ≥ 2")
        if all(task.kind != "binary" for task in shape.tasks):
            raise ZooError("A {kind} loss puts rows with label 1 before rows with label 0, but no task of the model has such "
                           "labels.", "Set losses.kind to pointwise.", at=shape.at, kind=self.short,
                           cure=("losses.kind", "pointwise"), comes=valued(*shape.tasks), needs=f"y ∈ {SETS['binary']}")
        return super().after(shape)


class LossLayer(nn.Module):
    """Logits (row,) or (row, class) per task and a batch → one scalar per task, and one for each other name that is taught;
    penalties as `penalty.<name>`."""

    def __init__(self, spec: Loss, shape: Shape):
        super().__init__()
        self.kinds = {t.name: t.kind for t in shape.tasks}
        tagged = {t.name: shape.schema.tagged(t) for t in shape.tasks if t.kind == "tags"}
        self.tags = {task: (words.name, field) for task, (words, field) in tagged.items()}
        self.items = frozenset(t.name for t in shape.tasks if t.kind == "class" and shape.schema.named(t.of))
        self.weights = {t.name: spec.weights.get(t.name, 1.0) for t in shape.tasks}
        self.factors = {t.name: spec.factors.get(t.name, 1.0) for t in shape.tasks}
        self.likelihoods = {t.name: spec.likelihood(t) for t in shape.tasks}

    def weights_in(self, epoch: int) -> dict[str, float]:
        """The weight of every task in an epoch, the first being 0; none grows beyond what a weight may be."""
        return {task: min(weight * self.factors[task] ** epoch, HEAVIEST) for task, weight in self.weights.items()}

    def forward(self, logits: Mapping[str, Tensor], branches: Branches, batch: Batch,
                taught: Mapping[str, tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
        losses = {task: self.loss(task, logits, batch, taught) for task in logits if task in batch.labels}
        losses |= {name: taught[name][0] / taught[name][1].clamp(min=1) for name in taught if name not in logits}
        return losses | ({f"penalty.{name}": value for name, value in branches.penalties.items()} if losses else {})

    def loss(self, task: str, logits: Mapping[str, Tensor], batch: Batch,
             taught: Mapping[str, tuple[Tensor, Tensor]]) -> Tensor:
        """The task's loss as one number: a mean over what counts, never over the batch; 0 where nothing does."""
        summed, count = self.sums(task, logits, batch)
        if task in taught:
            summed, count = summed + taught[task][0], count + taught[task][1]
        return summed / count.clamp(min=1)

    def sums(self, task: str, logits: Mapping[str, Tensor], batch: Batch) -> tuple[Tensor, Tensor]:
        """The sum of the task's losses, and of how many (observed rows, or pairs, or requests): two scalars."""
        return over(*self.rows(task, logits[task].float(), batch))

    def rows(self, task: str, logit: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """The loss of every row, and whether it counts: (row,), (row,) bool."""
        label, seen = labels(task, batch)
        if task in self.tags:
            each, words = tagged(logit, *tags_of(batch, *self.tags[task], batch.labels[task]))
            return each, seen & words
        if self.kinds[task] != "class":
            return self.each(task, logit, label), seen
        return self.among(task, logit, batch)

    def among(self, task: str, logit: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """The loss of every row of a task that chooses among classes, and whether it counts: (row, class) → (row,), (row,)."""
        label, seen = labels(task, batch)
        known = batch.seen if task in self.items and batch.seen is not None else torch.arange(logit.shape[1]) > 0
        label = label.long()
        return chosen(logit, label, known), seen & known[label]

    def each(self, task: str, logit: Tensor, label: Tensor) -> Tensor:
        """The loss of every row: (row,), (row,) → (row,)."""
        return plain(self.kinds[task], logit, label)

    def served(self, task: str, logit: Tensor) -> Tensor:
        """What the task's kind reads as a logit (binary, share) or as the value itself (regression): (row,) → (row,)."""
        return logit

    def flat(self, batch: Batch, train: Batch) -> dict[str, float]:
        """The loss on a batch of scores that are the same for all rows, by task, where it is not that of always guessing how
        common each class is in the training rows."""
        return {}

    def start(self, task: str, logit: float) -> float:
        """The logit that is served as the given one: the inverse of `served`."""
        return logit


def written(how: str, task: Task) -> str:
    """The plain loss of that name for a row of the task, in LaTeX."""
    if how == "squared" and task.kind != "regression":
        return r"\ell=(\sigma(s)-y)^2"
    return r"\ell=\frac1M\sum_m\big(\ln\sum_c e^{s_{m,c}}-s_{m,y_m}\big)" if task.kind == "tags" else FORMULAS[how]


def valued(*tasks: Task) -> str:
    """«click: y ∈ {0, 1}»: which values the labels of some tasks can have."""
    return ", ".join(f"{task.name}: y ∈ {SETS[task.kind]}" for task in tasks)


def known_tasks(names: Iterable[str], what: str, at: str, shape: Shape) -> None:
    """Raises a ZooError where a setting names a task that the model has not."""
    tasks = [t.name for t in shape.tasks]
    for name in names:
        if name not in tasks:
            raise ZooError("{what} is given for '{name}', which is no task of the model.", closest(name, tasks) or
                           "Choose among: {tasks}.", at=f"{at}.{name}", what=Said(what), name=name, tasks=", ".join(tasks),
                           comes=f"{name}: {axes(0)}", needs=f"{name}: {axes(1)}")
