"""`feed`: four tasks over the same 48 signals, of which two pairs want nearly the same and the pairs nothing of each other.

Recipe of RankZoo after Ma et al. (KDD 2018). Like and dismiss are rare, so that sharing has something to give.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rankzoo.data import recipes, related
from rankzoo.data.later import pa
from rankzoo.data.truths import Truth
from rankzoo.data.world import Made, World, check_rows
from rankzoo.schema import Schema, Task


@dataclass(frozen=True)
class Feed(World):
    """Four binary tasks. relatedness: cosine of two tasks' directions inside a cluster · across: between clusters ·
    strength: sd of the planted component on each logit · then the mean label of each task."""

    relatedness: float = 0.95
    across: float = 0.0
    strength: float = 1.6
    click: float = 0.20
    completion: float = 0.30
    like: float = 0.03
    dismiss: float = 0.02

    name: ClassVar[str] = "feed"
    title: ClassVar[str] = "Feed: related tasks"
    sentence: ClassVar[str] = "Four tasks in two pairs: related inside a pair, unrelated across, two of them rare."
    formula: ClassVar[str] = (r"\mathrm{logit}_k = 1.6\,z\bigl(w_k^\top x + \sum_{i \le 4} \sin(\alpha_i w_k^\top x"
                              r" + \beta_i)\bigr) + b_k,\quad \cos(w_k, w_l) = R_{kl}")
    rows: ClassVar[int] = 40_000
    test_share: ClassVar[float] = 0.5
    validation_share: ClassVar[float] = 0.2

    @property
    def schema(self) -> Schema:
        """48 signals and four tasks."""
        return Schema(related.signal_features(), tuple(Task(task) for task in related.TASKS))

    @property
    def task_rates(self) -> Mapping[str, float]:
        """The mean label asked for, by task."""
        return {task: getattr(self, task) for task in related.TASKS}

    def make(self, rows: int, seed: int) -> Made:
        """Signals, directions, labels task by task: in this order from one generator."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        planted = related.relatedness(self.relatedness, self.across)
        signals, raw = related.planted_signals(rng, rows, planted, self.strength)
        rates = enumerate(self.task_rates.items())
        logits = {task: raw[:, i] + recipes.intercept(raw[:, i], rate) for i, (task, rate) in rates}
        drawn = {task: recipes.labels(rng, logit) for task, logit in logits.items()}
        columns = related.signal_columns(signals) | drawn
        return Made(pa.table(columns), Truth(logits, relatedness=planted, formula=self.formula))


WORLD = Feed()
