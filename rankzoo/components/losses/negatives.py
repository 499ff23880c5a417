"""Drawn negatives: a class is told from a few others that are drawn for each row (Mikolov et al., NIPS 2013; on graphs
Hamilton et al., NIPS 2017, GraphSAGE, eq. 1).

J(u, v) = −ln σ(s_v) − Q · E_{n ∼ P_n} ln σ(−s_n),  P_n ∝ degree(n)^0.75

u is what the row holds, v its label, s_c the logit of class c (for a graph z_u·z_c, times a scale that the tower sets where
vectors have length 1). The degree of a class is how many training rows it labels. No negative is the label; where classes are
items, neither is an item that the row names as past, or one that training saw as the label of such an item. Classes that are few,
as categories are, keep all others: an item has met nearly each of them. Q negatives are drawn anew at every step, and none of a
class that nobody ever labelled. Outside training nothing is drawn: the expectation is taken, over all but label and past items.

Cheaper than a softmax over millions of classes; what it learns is how much more often than by chance a class is right.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.by_task import ByTask
from rankzoo.components.losses.base import known_tasks
from rankzoo.components.losses.pointwise import Pointwise, PointwiseLayer
from rankzoo.components.row_losses import labels
from rankzoo.components.slot import once
from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch

RATIO = "a logistic loss against drawn negatives learns how much more often than by chance a class is right"


class Negatives(Pointwise):
    """The tasks `on`, or all that choose a class; others have the loss that `how` gives, or their plain one. `drawn` is Q."""

    kind: Literal["negatives"] = "negatives"
    on: Annotated[tuple[str, ...], Field(max_length=8, title="Tasks with drawn negatives (empty: all of classes)")] = ()
    drawn: Annotated[int, Field(ge=0, le=1000, title="Negatives for each row")] = 5
    power: Annotated[float, Field(ge=0, le=2, title="Power of the degree by which they are drawn")] = 0.75

    main: ClassVar = ("drawn", "power")
    short: ClassVar = "negatives"
    outside: ClassVar = ("the count of the training rows by which negatives are drawn: until kept weights are read every class "
                         "is as likely, and none is spared for being right in another row")
    title: ClassVar = "Logistic, drawn negatives"
    sentence: ClassVar = "The right class is told from a few that are drawn, frequent ones more often, instead of from all."
    source: ClassVar = Source("Hamilton et al.", 2017, "Inductive representation learning on large graphs", "NIPS 2017",
                              "10.48550/arXiv.1706.02216")

    def described(self) -> str:
        return self.sentence if self.power else (
            "The right class is told from a few that are drawn, all as often, instead of from all.")

    def draws(self, task: Task) -> bool:
        """Whether a task has negatives drawn."""
        return task.kind == "class" and (task.name in self.on if self.on else task.name not in self.how)

    def named(self, task: Task) -> str:
        return f"logistic, {self.drawn} drawn" if self.draws(task) else super().named(task)

    def written(self, task: Task) -> str:
        if not self.draws(task):
            return super().written(task)
        return rf"J=-\ln\sigma(s_v)-Q\,\mathbb{{E}}_{{n\sim P_n}}\ln\sigma(-s_n),\quad P_n\propto d_n^{{{self.power:g}}}"

    def uncalibrated(self, task: Task) -> str:
        return RATIO if self.draws(task) else super().uncalibrated(task)

    def likelihood(self, task: Task) -> Literal["categorical", "gaussian", "none"]:
        """Σ of Q + 1 binary choices, of which no one distribution is the −ln."""
        return "none" if self.draws(task) else super().likelihood(task)

    def after(self, shape: Shape) -> Shape:
        once(self.on, f"{shape.at}.on")
        known_tasks(self.on, "A loss", f"{shape.at}.on", shape)
        for i, name in enumerate(self.on):
            if shape.schema.task(name).kind != "class":
                raise ZooError("'{task}' does not choose among classes, of which negatives could be drawn.",
                               "Take it out, or choose a task whose labels are classes.", at=f"{shape.at}.on.{i}", task=name,
                               cure=(f"{shape.at}.on", [each for each in self.on if each != name]),
                               comes=f"{name}: {axes(1)}", needs=f"{name}: {axes('n')}, n ≥ 2")
        if not any(self.draws(task) for task in shape.tasks):
            raise ZooError("Negatives are drawn among classes, and no task of the model chooses among any.",
                           "Set losses.kind to pointwise.", at=shape.at, cure=("losses.kind", "pointwise"), comes=axes(1),
                           needs=axes("n") + ", n ≥ 2")
        return super().after(shape)

    def build(self, shape: Shape) -> NegativesLayer:
        return NegativesLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[Self, tuple[str, ...]]:
        spec, gone = super().fitted(schema)
        kept = tuple(name for name in self.on if any(t.name == name and t.kind == "class" for t in schema.tasks))
        return spec.model_copy(update={"on": kept}), gone + tuple(n for n in self.on if n not in (*kept, *gone))


class Known(nn.Module):
    """What training knows of a task's classes. degree: (class,) rows with it as label, all alike before that is counted · paired,
    start: the items that label an item, item after item, and (item + 1,) where those of each begin; none before that, and none
    of categories."""

    def __init__(self, classes: int, items: int):
        super().__init__()
        self.register_buffer("degree", (torch.arange(classes) > 0).float())
        self.register_buffer("paired", torch.zeros(0, dtype=torch.long), persistent=False)
        self.register_buffer("start", torch.zeros(items + 1, dtype=torch.long), persistent=False)

    def count(self, items: Tensor, label: Tensor) -> None:
        """From rows' past items (row, place), 0 where there is none, and labels (row,)."""
        classes = len(self.degree)
        self.degree = torch.bincount(label, minlength=classes).float()
        pairs = (items * classes + label.unsqueeze(1))[items > 0].unique()
        self.paired = pairs % classes
        self.start = torch.searchsorted(pairs, torch.arange(len(self.start)) * classes)

    def labelling(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """(row, place) items → (pair,) rows, and classes that label one of the row's items."""
        flat = items.flatten()
        first, many = self.start[flat], self.start[flat + 1] - self.start[flat]
        rows = torch.arange(len(items)).repeat_interleave(items.shape[1]).repeat_interleave(many)
        within = torch.arange(len(rows)) - (many.cumsum(0) - many).repeat_interleave(many)
        return rows, self.paired[first.repeat_interleave(many) + within]


class NegativesLayer(PointwiseLayer):
    """Logits (row, class) of the tasks `known` → a logistic loss against drawn classes."""

    def __init__(self, spec: Negatives, shape: Shape):
        super().__init__(spec, shape)
        schema = shape.schema
        self.drawn, self.power = spec.drawn, spec.power
        self.past = tuple((h.name, i) for h in schema.histories for i, f in enumerate(h.fields) if schema.named(f.table))
        items = schema.catalogue.rows if schema.catalogue else 0
        self.known = ByTask({t.name: Known(schema.classes(t), items) for t in shape.tasks if spec.draws(t)})

    def tally(self, train: Batch) -> None:
        """Count degrees in the training rows, and pairs where classes are items."""
        for task, known in self.known.items():
            label, seen = labels(task, train)
            past = self.items_of(train)[seen]
            known.count(past if task in self.items else past[:, :0], label[seen].long())

    def items_of(self, batch: Batch) -> Tensor:
        """The items that rows name as past: (row, place), 0 where there is none."""
        each = [batch.histories[name][:, :, field] * batch.masks[name] for name, field in self.past]
        return torch.cat(each, dim=1) if each else torch.zeros(len(batch), 0, dtype=torch.long)

    def rows(self, task: str, logit: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        if task not in self.known:
            return super().rows(task, logit, batch)
        label, seen = labels(task, batch)
        label = label.long()
        right = F.softplus(-logit.gather(1, label.unsqueeze(1))).squeeze(1)
        counts = seen & (batch.seen[label] if task in self.items and batch.seen is not None else label > 0)
        return right + self.others(task, logit, self.chances(task, label, batch)), counts

    def chances(self, task: str, label: Tensor, batch: Batch) -> Tensor:
        """P_n of each row, not yet divided by its sum: (row, class); 0 for what is no negative of the row."""
        items, known = self.items_of(batch), self.known[task]
        chance = (known.degree ** self.power * (known.degree > 0)).repeat(len(label), 1)
        chance.scatter_(1, label.unsqueeze(1), 0.0)
        if task in self.items:
            chance.scatter_(1, items, 0.0)
            chance = chance if batch.seen is None else chance * batch.seen
            if self.training:
                chance[known.labelling(items)] = 0.0
        return chance

    def others(self, task: str, logit: Tensor, chance: Tensor) -> Tensor:
        """−Σ ln σ(−s) over Q drawn negatives, outside training Q times the mean over P_n: (row,). 0 where a row has none."""
        whole = chance.sum(dim=1, keepdim=True)
        if not self.training:
            return self.drawn * (chance * F.softplus(logit)).sum(dim=1) / whole.squeeze(1).clamp(min=1e-12)
        if not self.drawn:
            return logit.new_zeros(len(logit))
        drawn = torch.multinomial(chance + (whole == 0), self.drawn, replacement=True)  # (row, Q)
        return F.softplus(logit.gather(1, drawn)).sum(dim=1) * (whole.squeeze(1) > 0)

    def flat(self, batch: Batch, train: Batch) -> dict[str, float]:
        """(1 + Q) ln 2: all logits 0."""
        return {task: (1 + self.drawn) * float(torch.tensor(2.0).log()) for task in self.known}
