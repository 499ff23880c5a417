"""`masks`: four tasks over the same crosses of ids; two are nearly one, the third is half of them, the fourth stands alone.

Recipe of RankZoo for the setting of Sun et al. (AAAI 2020) and Bai et al. (WWW 2022), where each task keeps its own part of
one network. A task's utility is a mixture of four hidden ones of one make, and the mixture decides how related two tasks are.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.later import pa
from rankzoo.data.names import TOPICS, topic_name
from rankzoo.data.truths import Pair, Relatedness, Truth
from rankzoo.data.world import Made, World, check_rows
from rankzoo.schema import Feature, Schema, Side, Task

FIELDS: Mapping[str, tuple[int, Side]] = {"user_group": (60, "user"), "topic": (40, "item"), "creator": (120, "item"),
                                          "duration": (8, "item"), "hour": (24, "context"), "device": (4, "context")}
CROSSED = (Pair("user_group", "topic", 1.0), Pair("user_group", "creator", 0.6), Pair("topic", "hour", 0.5),
           Pair("user_group", "duration", 0.6))
DEVICES = ("phone", "tablet", "desktop", "television")
TASKS = ("click", "read", "share", "hide")
SAME = ((1.0, 0.9, 0.5, 0.0), (0.9, 1.0, 0.45, 0.0), (0.5, 0.45, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Masks(World):
    """Four binary tasks. relatedness: cosine of two tasks' utilities, task by task · main: sd of each field's effect ·
    strength: factor on all crosses · rate: mean label of every task."""

    relatedness: tuple[tuple[float, ...], ...] = field(default=SAME)
    main: float = 0.4
    strength: float = 1.0
    rate: float = 0.30

    name: ClassVar[str] = "masks"
    title: ClassVar[str] = "Masks: from twins to strangers"
    sentence: ClassVar[str] = "Four tasks over ids: two nearly the same, one half related to them, one unrelated."
    formula: ClassVar[str] = (r"u_l = \sum_f 0.4\,\tilde w_{lf}[x_f] + \sum_{(a,b)} s_{ab}\,\tilde G_{lab}[x_a, x_b],\quad"
                              r" \mathrm{logit}_k = \sum_l L_{kl}\,u_l + b_k,\quad L L^\top = R")
    rows: ClassVar[int] = 40_000
    test_share: ClassVar[float] = 0.25

    @property
    def schema(self) -> Schema:
        """Six fields and four tasks."""
        return Schema(tuple(Feature(name, "categorical", values + 1, side) for name, (values, side) in FIELDS.items()),
                      tuple(Task(task) for task in TASKS))

    @property
    def task_rates(self) -> Mapping[str, float]:
        """The mean label asked for, by task."""
        return dict.fromkeys(TASKS, self.rate)

    @property
    def crossed(self) -> tuple[Pair, ...]:
        """The pairs that cross, at this strength, in every task."""
        return tuple(Pair(pair.a, pair.b, self.strength * pair.strength) for pair in CROSSED)

    def label(self, field: str, value: int) -> str:
        """Topics and devices by name, hours as on a clock."""
        if field == "topic" and value < len(TOPICS):
            return topic_name(value)
        if field == "device":
            return DEVICES[value]
        return f"{value}:00" if field == "hour" else super().label(field, value)

    def make(self, rows: int, seed: int) -> Made:
        """Ids, hidden utilities, labels task by task: in this order from one generator."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        ids = {name: recipes.popular(rng, values, rows, 0.4) for name, (values, _) in FIELDS.items()}
        cosine = np.array(self.relatedness)
        hidden = np.stack([self._utility(rng, ids) for _ in TASKS], axis=1)                  # (row, hidden utility)
        raw = hidden @ np.linalg.cholesky(cosine).T                                          # (row, task)
        logits = {task: raw[:, k] + recipes.intercept(raw[:, k], self.rate) for k, task in enumerate(TASKS)}
        columns = {name: values.astype(np.int32) for name, values in ids.items()}
        columns |= {task: recipes.labels(rng, logit) for task, logit in logits.items()}
        return Made(pa.table(columns), Truth(logits, pairs=self.crossed, relatedness=Relatedness(TASKS, cosine),
                                             formula=self.formula))

    def _utility(self, rng: np.random.Generator, ids: Mapping[str, np.ndarray]) -> np.ndarray:
        """(row,) one hidden utility: an effect of every field, and the crosses."""
        total = sum(self.main * recipes.std(rng.standard_normal(FIELDS[name][0])[values]) for name, values in ids.items())
        for pair in self.crossed:
            sizes = FIELDS[pair.a][0], FIELDS[pair.b][0]
            total = total + pair.strength * recipes.cross(rng, ids[pair.a], ids[pair.b], sizes)
        return total


WORLD = Masks()
