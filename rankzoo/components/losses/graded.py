"""Graded softmax: nested objectives on one score, over a list of items with grades (after Zheng et al., 2022, MOPPR).

An item of grade g goes with the first g tasks. Task o: P_o = {g ≥ o}, N_o = {g < o} and random items, s the scores over τ_o.

moppr            L_o = −1/|P_o| Σ_{p ∈ P_o} ln( e^{s_p} / (e^{s_p} + Σ_{n ∈ N_o} e^{s_n}) )
plain_multi_pos  all other positives stand in the denominator too, so that they fight each other
unique_softmax   −Σ_{g_i = o} (2^o − 1) ln( e^{s_i} / (e^{s_i} + Σ_{g_j < o} e^{s_j}) ): each item once, against all lower grades
single_pos       one item that goes with the task against random ones (Li et al., KDD 2021, MGDSPR) and, ours, grade 0

MOPPR's own text was not found: its form is reconstructed from its abstract. Random items are one set for the whole batch, drawn
from those that training knows; one that is in a row's own list is no random item for that row. Of the others `words` tell: one
of the list's own kind that has so many of the query's words in its title is relevant, which is grade 1, though not listed.

`mixed` adds MGDSPR's harder negatives to single_pos: α v_p + (1 − α) v_n for the best of the random items, whose score is
α s_p + (1 − α) s_n.

Averaged over the rows with something in P_o and in N_o; another row has no loss, and no NaN.

More than 250 lines, since four forms of one loss read the same lists.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from rankzoo.components.losses.base import Loss, LossLayer, known_tasks
from rankzoo.components.row_losses import labels
from rankzoo.components.shared_words import shared_words
from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch

Mode = Literal["moppr", "plain_multi_pos", "unique_softmax", "single_pos"]
Temperature = Annotated[float, Field(ge=1e-3, le=1000)]
NAMES: Mapping[str, str] = {"moppr": "graded softmax", "plain_multi_pos": "softmax, several", "unique_softmax": "unique softmax",
                            "single_pos": "softmax, one"}
LIST = "a softmax over a list and some random items says nothing of all the others"
MANY = 1_000  # rows from which the loss of equal scores is told


class Graded(Loss):
    """The tasks of the data's graded lists; others keep their plain loss. `random` items are drawn for each batch."""

    kind: Literal["graded"] = "graded"
    mode: Annotated[Mode, Field(title="Positives and negatives")] = "moppr"
    temperature: Annotated[Temperature, Field(title="Temperature τ")] = 1.0
    temperatures: Annotated[Mapping[str, Temperature], Field(title="Temperature by task")] = {}
    random: Annotated[int, Field(ge=0, le=4096, title="Random items for each batch")] = 128
    words: Annotated[int, Field(ge=0, le=16, title="Words of the query that make a random item relevant (0: none do)")] = 0
    mixed: Annotated[int, Field(ge=0, le=4096, title="Harder negatives (single_pos)")] = 0
    least: Annotated[float, Field(ge=0, le=1, title="Least share α of the positive in them")] = 0.4
    most: Annotated[float, Field(ge=0, le=1, title="Largest share α")] = 0.6

    main: ClassVar = ("mode", "temperature", "random")
    short: ClassVar = "graded"
    title: ClassVar = "Graded softmax"
    sentence: ClassVar = "Each objective is a softmax of its positives against what has a lower grade; all share one score."
    source: ClassVar = Source("Zheng et al.", 2022, "Multi-objective personalized product retrieval in Taobao search",
                              "arXiv 2210.04170", "10.48550/arXiv.2210.04170")

    def described(self) -> str:
        return {"moppr": self.sentence,
                "plain_multi_pos": "Each objective is a softmax in which its positives oppose each other; all share one score.",
                "unique_softmax": "Each item counts once, for its own grade, against what has a lower one; all share one score.",
                "single_pos": "Each objective is a softmax of one item against random ones and grade 0; all share one score.",
                }[self.mode]

    def graded(self, shape: Shape) -> tuple[str, ...]:
        """The model's tasks that lists have grades for."""
        return tuple(t.name for t in shape.tasks if shape.schema.grades and t.name in shape.schema.grades.tasks)

    def named(self, task: Task) -> str:
        return NAMES[self.mode] if task.kind == "class" else super().named(task)

    def written(self, task: Task) -> str:
        if task.kind != "class":
            return super().written(task)
        share = r"\ln\frac{e^{s_p/\tau}}{e^{s_p/\tau}+\sum_{n\in N_o}e^{s_n/\tau}}"
        match self.mode:
            case "plain_multi_pos":
                return r"L_o=-\frac{1}{|P_o|}\sum_{p\in P_o}\ln\frac{e^{s_p/\tau}}{\sum_{j\in P_1\cup N_o}e^{s_j/\tau}}"
            case "unique_softmax":
                return rf"L_o=-(2^o-1)\sum_{{g_p=o}}{share}"
            case "single_pos" if self.mixed:
                harder = share.replace("N_o", r"N_o\cup\tilde N_p")
                return rf"L_o=-{harder},\quad s_{{\tilde n}}=\alpha s_p+(1-\alpha)s_n"
            case "single_pos":
                return f"L_o=-{share}"
        return rf"L_o=-\frac{{1}}{{|P_o|}}\sum_{{p\in P_o}}{share}"

    def uncalibrated(self, task: Task) -> str:
        return LIST if task.kind == "class" else super().uncalibrated(task)

    def after(self, shape: Shape) -> Shape:
        if not self.graded(shape):
            raise ZooError("A graded loss needs lists of items with grades, and these data or tasks have none.",
                           "Choose data with graded lists, or set losses.kind to pointwise.", at=shape.at,
                           cure=("losses.kind", "pointwise"), comes=axes(0), needs=axes("n") + ", n ≥ 1")
        if self.least > self.most:
            raise ZooError("The least share {least} is above the largest, {most}.", "Exchange them.", at=f"{shape.at}.least",
                           least=self.least, most=self.most, cure=(f"{shape.at}.least", self.most),
                           comes=f"{self.least:g}", needs=f"0 … {self.most:g}")
        if self.words and not shape.schema.grades.query:
            raise ZooError("These data do not tell by words what is relevant.", "Set losses.words to 0.", at=f"{shape.at}.words",
                           cure=(f"{shape.at}.words", 0), comes="0", needs=str(self.words))
        known_tasks(self.temperatures, "A temperature", f"{shape.at}.temperatures", shape)
        return super().after(shape)

    def build(self, shape: Shape) -> GradedLayer:
        return GradedLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[Self, tuple[str, ...]]:
        spec, gone = super().fitted(schema)
        tasks = {t.name for t in schema.tasks}
        lost = tuple(name for name in self.temperatures if name not in tasks and name not in gone)
        kept = {"temperatures": {n: v for n, v in self.temperatures.items() if n in tasks}}
        if not (schema.grades and schema.grades.query):
            kept["words"] = 0
        return spec.model_copy(update=kept), gone + lost


class Lists(NamedTuple):
    """Scores over τ and what they are of. score, grade, there: (row, place), of a row's own list · others, random: (row,
    drawn), of the random items, and whether one is random for the row · right: (row, place), the item that the label names."""

    score: Tensor
    grade: Tensor
    there: Tensor
    others: Tensor
    random: Tensor
    right: Tensor


class Picked(NamedTuple):
    """What all tasks of a pass that share a score read of it: of the own list (row, place), then of the random items (row,
    drawn), whether these are random for the row, and which of them have grade 1 all the same (None: of none is it known)."""

    score: Tensor
    others: Tensor
    random: Tensor
    relevant: Tensor | None


class GradedLayer(LossLayer):
    """Logits (row, item) and a batch with lists → one loss per task."""

    def __init__(self, spec: Graded, shape: Shape):
        super().__init__(spec, shape)
        self.mode, self.random, self.mixed, self.least, self.most = spec.mode, spec.random, spec.mixed, spec.least, spec.most
        self.words, self.grades = spec.words, shape.schema.grades
        self.level = {name: shape.schema.grades.level(name) for name in spec.graded(shape)}
        self.temperature = {name: spec.temperatures.get(name, spec.temperature) for name in self.level}
        self.seed = 0
        self.known: tuple[Tensor, Picked] | None = None

    def forward(self, logits, branches, batch, taught):
        if self.training and batch.labels:
            self.seed = int(torch.randint(2**31, ()))  # the same random items for all tasks of a batch
        shared = list(logits.values())
        if batch.labels and batch.listed is not None and len(shared) > 1 and all(each is shared[0] for each in shared):
            self.known = shared[0], self.picked(shared[0], batch)  # one score for all tasks is looked up once
        losses = super().forward(logits, branches, batch, taught)
        self.known = None
        return losses

    def rows(self, task: str, logit: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        if task not in self.level:
            return super().rows(task, logit, batch)
        lists = self.lists(task, logit, batch)
        each, positives = self.terms(self.level[task], lists)
        many = positives.sum(dim=1)
        weighed = torch.where(positives, each, 0).sum(dim=1)
        if self.mode == "unique_softmax":
            weighed = weighed * (2 ** self.level[task] - 1)
        else:
            weighed = weighed / many.clamp(min=1)
        return weighed, labels(task, batch)[1] & (many > 0) & self.opposed(self.level[task], lists)

    def lists(self, task: str, logit: Tensor, batch: Batch) -> Lists:
        """What the terms are made of, from the scores of all items."""
        tau = self.temperature[task]
        found = self.known[1] if self.known and self.known[0] is logit else self.picked(logit, batch)
        right = batch.listed == labels(task, batch)[0].long().unsqueeze(1)
        below = found.random  # of grade 0, or 1 where words tell: neither is right for a task beyond the first
        if found.relevant is not None and self.floor(self.level[task]) == 1:
            below = below & ~found.relevant
        return Lists(found.score / tau, batch.grades, seen(logit, batch)[batch.listed], found.others / tau, below, right)

    def picked(self, logit: Tensor, batch: Batch) -> Picked:
        """The scores of a row's own items and of random ones, and which of these stand in no list of the row's."""
        drawn = self.drawn(seen(logit, batch))
        own = torch.zeros(logit.shape, dtype=torch.bool).scatter(1, batch.listed, True)  # (row, item)
        relevant = self.relevant(drawn, batch) if self.words and len(drawn) else None
        return Picked(logit.gather(1, batch.listed), logit.index_select(1, drawn), ~own.index_select(1, drawn), relevant)

    def relevant(self, drawn: Tensor, batch: Batch) -> Tensor:
        """Which items are as the row's best one and have enough words of its query: (row, drawn) bool."""
        best = batch.listed.gather(1, batch.grades.argmax(dim=1, keepdim=True))  # (row, 1)
        kinds = batch.catalogue.features[self.grades.kind]
        words = shared_words(batch, self.grades.query, batch.catalogue, self.grades.title)[0].index_select(1, drawn)
        return (words >= self.words) & (kinds[drawn] == kinds[best]) & (batch.grades > 0).any(dim=1, keepdim=True)

    def drawn(self, known: Tensor) -> Tensor:
        """Numbers of items that training knows: (drawn,). Outside training always the same."""
        items = known.nonzero().squeeze(1)
        rng = torch.Generator().manual_seed(self.seed if self.training else 0)
        return items[torch.randint(len(items), (self.random,), generator=rng)] if len(items) else items

    def negatives(self, level: int, lists: Lists) -> Tensor:
        """N_o within the list: (row, place) bool."""
        return lists.there & (lists.grade < self.floor(level))

    def floor(self, level: int) -> int:
        """The grade below which an item is a negative."""
        return 1 if self.mode == "single_pos" else level

    def opposed(self, level: int, lists: Lists) -> Tensor:
        """Which rows have anything in N_o: (row,) bool."""
        return self.negatives(level, lists).any(dim=1) | lists.random.any(dim=1)

    def terms(self, level: int, lists: Lists) -> tuple[Tensor, Tensor]:
        """−ln of the share of each item, and which of them are P_o: (row, place), (row, place) bool."""
        score, grade, mode = lists.score, lists.grade, self.mode
        if mode == "plain_multi_pos":
            every = log_sum(score, lists.there, lists.others, lists.random)
            return every.unsqueeze(1) - score, lists.there & (grade >= level)
        below = log_sum(score, self.negatives(level, lists), lists.others, lists.random).unsqueeze(1)  # (row, 1)
        if mode == "single_pos":
            below = self.hardened(below, lists) if self.mixed else below
            return F.softplus(below - score), lists.there & lists.right & (grade >= level)
        return F.softplus(below - score), lists.there & (grade == level if mode == "unique_softmax" else grade >= level)

    def hardened(self, below: Tensor, lists: Lists) -> Tensor:
        """ln Σ_n e^{s_n} with the mixtures of each positive and the best of the random items: (row, 1) → (row, place)."""
        best = lists.others.masked_fill(~lists.random, lowest(lists.others)).topk(min(self.mixed, lists.others.shape[1]))
        rng = torch.Generator().manual_seed(self.seed if self.training else 0)
        alpha = self.least + (self.most - self.least) * torch.rand(best.values.shape, generator=rng)
        there = lists.random.gather(1, best.indices).unsqueeze(1)
        mixed = mixture(lists.score.unsqueeze(2), best.values.unsqueeze(1), alpha.unsqueeze(1))  # (row, place, hard)
        return torch.logaddexp(below, mixed.masked_fill(~there, lowest(mixed)).logsumexp(dim=2)) if mixed.shape[2] else below

    @torch.no_grad()
    def flat(self, batch: Batch, train: Batch) -> dict[str, float]:
        """The loss of equal scores, by task: the unit in which a loss is told."""
        if batch.listed is None or not len(batch):
            return {}
        few, training = batch.rows(0, MANY), self.training
        equal = torch.zeros(1, 1).expand(len(few), len(few.seen))
        self.eval()
        found = {task: float(self.loss(task, {task: equal}, few, {})) for task in self.level if task in few.labels}
        self.train(training)
        return {task: loss for task, loss in found.items() if loss > 0}


def seen(logit: Tensor, batch: Batch) -> Tensor:
    """(item,) bool: what training knows; all but item 0 where nothing is said of it."""
    return batch.seen if batch.seen is not None else torch.arange(logit.shape[1]) > 0


def mixture(positive: Tensor, hard: Tensor, alpha: Tensor) -> Tensor:
    """The score of α v_p + (1 − α) v_n, which for an inner product lies between both scores."""
    return alpha * positive + (1 - alpha) * hard


def lowest(scores: Tensor) -> float:
    """As good as −∞, which would make NaN of a row in which nothing is left."""
    return torch.finfo(scores.dtype).min


def log_sum(score: Tensor, within: Tensor, others: Tensor, random: Tensor) -> Tensor:
    """ln Σ e^s over what is marked in the list and among the random items: (row, place), (row, drawn) → (row,)."""
    marked = torch.cat([score.masked_fill(~within, lowest(score)), others.masked_fill(~random, lowest(others))], dim=1)
    return marked.logsumexp(dim=1)
