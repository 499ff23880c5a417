"""`professional`: five responses to posts of colleagues, each a sum of the same five threshold trees over 20 numbers, and whether
the post's creator gives feedback on its being shown.

Recipe of RankZoo for the setting of Ackerman and Kataria (2021): what people do follows thresholds in raw counts, and passive and
active responses want different things; what moves a creator is mostly something else again. The trees split alike for all tasks;
what a leaf is worth is the task's own.

A creator sees that a post is shown and may come back to it for that: feedback is drawn for every row, by what the row is, and
independently of what its viewer did. It is no answer to a comment.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.later import pa
from rankzoo.data.truths import Forest, Relatedness, Truth
from rankzoo.data.world import Made, World, check_rows
from rankzoo.schema import Feature, Schema, Side, Task

COUNTS: Mapping[str, Side] = {"connections": "user", "followers": "user", "days_active": "user", "posts_written": "user",
                              "update_likes": "item", "update_comments": "item", "update_reshares": "item",
                              "update_views": "item", "update_age": "item", "author_followers": "item",
                              "author_clicks": "context", "author_likes": "context", "author_comments": "context"}
SCORES: Mapping[str, Side] = {"seniority": "user", "openness": "user", "text_quality": "item", "image_quality": "item",
                              "topic_match": "context", "skill_match": "context", "hour": "context"}
NUMBERS: Mapping[str, Side] = {**COUNTS, **SCORES}
PASSIVE, ACTIVE = ("click", "long_dwell"), ("like", "comment", "reshare")
CREATOR = ("creator_feedback",)
TASKS = PASSIVE + ACTIVE
EVERY = TASKS + CREATOR
TREES, DEPTH = 5, 3


@dataclass(frozen=True)
class Professional(World):
    """Six binary tasks. relatedness: cosine of two tasks' utilities inside a group · across: between passive and active ones ·
    creator: of the creator's feedback with an active one (with a passive one 0) · strength: sd of each utility on the logit ·
    skew: sd of the logarithm of a count · then the mean label of each task."""

    relatedness: float = 0.9
    across: float = 0.0
    creator: float = 0.3
    strength: float = 1.6
    skew: float = 1.5
    click: float = 0.20
    long_dwell: float = 0.15
    like: float = 0.08
    comment: float = 0.04
    reshare: float = 0.02
    creator_feedback: float = 0.01

    name: ClassVar[str] = "professional"
    title: ClassVar[str] = "Professional feed: thresholds"
    sentence: ClassVar[str] = "Passive and active responses, and the creator's feedback on a showing; thresholds in raw numbers."
    formula: ClassVar[str] = (r"\mathrm{logit}_k = \sum_{t \le 5} v_{t,\,\mathrm{leaf}_t(x),\,k} + b_k,\quad"
                              r" \mathrm{cov}(\mathrm{logit}_k, \mathrm{logit}_l) = 1.6^2 R_{kl},\quad"
                              r" \mathrm{leaf}_t \text{ by three questions } x_f > \theta")
    rows: ClassVar[int] = 40_000
    test_share: ClassVar[float] = 0.25
    version: ClassVar[int] = 2

    @property
    def schema(self) -> Schema:
        """Twenty numbers and six tasks."""
        return Schema(tuple(Feature(name, "numeric", side=side) for name, side in NUMBERS.items()),
                      tuple(Task(task) for task in EVERY))

    @property
    def task_rates(self) -> Mapping[str, float]:
        """The mean label asked for, by task."""
        return {task: getattr(self, task) for task in EVERY}

    @property
    def related(self) -> Relatedness:
        """`relatedness` inside {click, long_dwell} and {like, comment, reshare}, `across` between; `creator` for the reply."""
        group = np.array([task in PASSIVE for task in TASKS])
        cosine = np.eye(len(EVERY))
        cosine[:-1, :-1] = np.where(group[:, None] == group[None, :], self.relatedness, self.across)
        cosine[-1, :-1] = cosine[:-1, -1] = np.where(group, 0.0, self.creator)
        np.fill_diagonal(cosine, 1.0)
        return Relatedness(EVERY, cosine)

    def make(self, rows: int, seed: int) -> Made:
        """Numbers, splits tree by tree, values of the leaves, labels task by task: in this order from one generator; what is the
        creator's from another."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        numbers = rng.standard_normal((rows, len(NUMBERS)), dtype=np.float32)
        numbers[:, :len(COUNTS)] = np.exp(np.float32(self.skew) * numbers[:, :len(COUNTS)])
        related, aside = self.related, np.random.default_rng([seed, 1])
        forest = planted_forest(rng, numbers, self.strength**2 * related.cosine[:-1, :-1])
        forest = one_task_more(aside, forest, self.strength, related.cosine[-1, :-1])
        raw = forest.utilities()
        rates = self.task_rates.items()
        logits = {task: raw[:, k] + recipes.intercept(raw[:, k], rate) for k, (task, rate) in enumerate(rates)}
        columns = {name: numbers[:, i] for i, name in enumerate(NUMBERS)}
        columns |= {task: recipes.labels(aside if task in CREATOR else rng, logit) for task, logit in logits.items()}
        return Made(pa.table(columns), Truth(logits, relatedness=related, forest=forest, formula=self.formula))


def planted_forest(rng: np.random.Generator, numbers: np.ndarray, covariance: np.ndarray) -> Forest:
    """Trees of full depth that ask seven different numbers each, at a quantile from .2 to .8, and leaves' values with which the
    tasks' utilities have mean 0 and exactly this covariance under the data."""
    nodes, leaves = 2**DEPTH - 1, 2**DEPTH
    feature = np.stack([rng.permutation(numbers.shape[1])[:nodes] for _ in range(TREES)])       # (tree, node)
    quantile = rng.uniform(0.2, 0.8, feature.shape)
    threshold = np.array([[np.quantile(numbers[:, f], q) for f, q in zip(*tree, strict=True)]
                          for tree in zip(feature, quantile, strict=True)]).astype(np.float32)  # (tree, node)
    leaf = np.stack([descended(numbers[:, f], t) for f, t in zip(feature, threshold, strict=True)], axis=1)
    worth = rng.standard_normal((TREES, leaves, len(covariance)))                               # (tree, leaf, task)
    worth -= np.stack([worth[t][leaf[:, t]].mean(axis=0) for t in range(TREES)])[:, None]
    drawn = Forest(tuple(NUMBERS), feature, threshold, quantile, worth, leaf).utilities()
    whitened = np.linalg.inv(np.linalg.cholesky(drawn.T @ drawn / len(drawn))).T
    return Forest(tuple(NUMBERS), feature, threshold, quantile, worth @ whitened @ np.linalg.cholesky(covariance).T, leaf)


def one_task_more(rng: np.random.Generator, forest: Forest, strength: float, toward: np.ndarray) -> Forest:
    """The same trees with leaves' values for another task, whose utility has mean 0, this strength as sd, and with those that are
    there the cosines `toward`, (task,), exactly and under the data."""
    there, own = forest.utilities(), rng.standard_normal((*forest.worth.shape[:2], 1))          # (tree, leaf, 1)
    own -= np.stack([own[t][leaf].mean(axis=0) for t, leaf in enumerate(forest.leaf.T)])[:, None]
    drawn = replace(forest, worth=own).utilities()
    own -= forest.worth @ np.linalg.lstsq(there, drawn, rcond=None)[0]
    own /= replace(forest, worth=own).utilities().std()
    pulls = np.linalg.solve(np.corrcoef(there.T), toward)
    new = strength * (np.sqrt(1 - toward @ pulls) * own + (forest.worth / there.std(axis=0)) @ pulls[:, None])
    return replace(forest, worth=np.concatenate([forest.worth, new], axis=2))


def descended(asked: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """The leaf of each row in a full tree whose node i asks column i, of (row, node): right where x > θ. (row,)"""
    node = np.zeros(len(asked), dtype=np.int64)
    for _ in range(DEPTH):
        right = asked[np.arange(len(asked)), node] > threshold[node]
        node = 2 * node + 1 + right
    return node - len(threshold)


WORLD = Professional()
