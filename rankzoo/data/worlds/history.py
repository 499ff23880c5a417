"""`history`: whether a viewer clicks depends on which past items are of the candidate's topic, recent and watched long.

Recipe of RankZoo for target attention (DIN, BST) and pooling. 24 topics on a ring, 480 items, 4,000 users with three
liked topics each (drawn with replacement). A user's id is not a feature: all that is known of a user is the history.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.later import pa
from rankzoo.data.names import item_name, topic_name
from rankzoo.data.truths import Relevance, Truth
from rankzoo.data.world import Made, World, check_rows
from rankzoo.schema import Feature, History, HistoryField, Schema, Task

TOPICS, PER_TOPIC, USERS, LIKED = 24, 20, 4_000, 3
ITEMS = TOPICS * PER_TOPIC
SHORTEST, LONGEST = 6, 20
AGE_EDGES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
AGES = (0.0, 1.0, 3.0, 6.0, 12.0)  # at which the fading is told


@dataclass(frozen=True)
class Histories(World):
    """Clicks after a history. pull: weight of the summed relevance on the logit · quality: sd of an item's own appeal ·
    neighbour: relevance of the next topic on the ring · fade: days after which an item counts 1/e · rate: mean click."""

    pull: float = 2.2
    quality: float = 0.5
    neighbour: float = 0.3
    fade: float = 3.0
    rate: float = 0.30

    name: ClassVar[str] = "history"
    title: ClassVar[str] = "Histories: what mattered"
    sentence: ClassVar[str] = "Clicks that depend on the past items of the candidate's topic, if recent and watched long."
    formula: ClassVar[str] = (r"\mathrm{logit} = 2.2 \sum_j r_j + q_c + b,\quad r_j = \mathbb{1}[\mathrm{long}_j]\,"
                              r"e^{-\mathrm{age}_j/3}\,k(\mathrm{topic}_j, \mathrm{topic}_c)")
    rows: ClassVar[int] = 50_000
    test_share: ClassVar[float] = 0.2

    @property
    def schema(self) -> Schema:
        """The candidate's item and topic, and past items with age (12 buckets) and dwell (short, long), newest first."""
        candidate = (Feature("item", "categorical", ITEMS + 1, "item"), Feature("topic", "categorical", TOPICS + 1, "item"))
        past = (HistoryField("item", ITEMS + 1, "item"), HistoryField("topic", TOPICS + 1, "topic"),
                HistoryField("age", len(AGE_EDGES) + 2), HistoryField("dwell", 3))
        return Schema(candidate, (Task("click"),), (History("history", LONGEST, past),))

    @property
    def task_rates(self) -> Mapping[str, float]:
        """One task."""
        return {"click": self.rate}

    def label(self, field: str, value: int) -> str:
        """Items and topics by made-up names, ages as ranges of days."""
        if field.endswith("item"):
            return item_name(value, PER_TOPIC)
        if field.endswith("topic"):
            return topic_name(value)
        if field.endswith("dwell"):
            return ("short", "long")[value]
        edges = ("0", *(f"{edge:g}" for edge in AGE_EDGES))
        return f"{edges[value]}–{edges[value + 1]} days" if value < len(AGE_EDGES) else f"over {edges[-1]} days"

    def worth(self) -> Mapping[str, Mapping[str, float]]:
        """By topic, dwell and age."""
        return {"topic": {"same": 1.0, "next on the ring": self.neighbour, "any other": 0.0},
                "dwell": {"watched long": 1.0, "watched shortly": 0.0},
                "age": {f"{days:g} d": float(np.exp(-days / self.fade)) for days in AGES}}

    def make(self, rows: int, seed: int) -> Made:
        """Users and their topics, items' appeal, candidates, pasts, labels: in this order from one generator."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        liked = rng.integers(0, TOPICS, (USERS, LIKED))
        appeal = rng.normal(0.0, 1.0, ITEMS) * self.quality
        liked_of_row = liked[rng.integers(0, USERS, rows)]                                  # (row, liked topic)
        candidate = _topics(rng, liked_of_row, 1, 0.6)[:, 0]
        item = candidate * PER_TOPIC + rng.integers(0, PER_TOPIC, rows)
        length = rng.integers(SHORTEST, LONGEST + 1, rows)
        mask = np.arange(LONGEST) < length[:, None]                                         # (row, position)
        past_topic = _topics(rng, liked_of_row, LONGEST, 0.7)
        past_item = past_topic * PER_TOPIC + rng.integers(0, PER_TOPIC, (rows, LONGEST))
        age = np.cumsum(rng.exponential(0.6, (rows, LONGEST)), axis=1)
        dwell = (rng.random((rows, LONGEST)) < 0.7).astype(np.int32)

        own = mask * dwell * np.exp(-age / self.fade)
        kernel = own * self._likeness(past_topic, candidate[:, None])
        raw = self.pull * kernel.sum(axis=1) + appeal[item]
        logit = raw + recipes.intercept(raw, self.rate)
        columns = {"item": pa.array(item.astype(np.int32)), "topic": pa.array(candidate.astype(np.int32))}
        past = {"item": past_item, "topic": past_topic, "age": np.digitize(age, AGE_EDGES), "dwell": dwell}
        columns |= {f"history.{name}": recipes.lists(values, mask) for name, values in past.items()}
        columns["click"] = pa.array(recipes.labels(rng, logit))
        relevance = Relevance("history", kernel.astype(np.float32), own.astype(np.float32))
        return Made(pa.table(columns), Truth({"click": logit}, relevance=relevance, formula=self.formula))

    def _likeness(self, past: np.ndarray, candidate: np.ndarray) -> np.ndarray:
        """1 for the same topic, `neighbour` beside it on the ring, else 0."""
        apart = np.abs(past - candidate)
        apart = np.minimum(apart, TOPICS - apart)
        return np.where(apart == 0, 1.0, np.where(apart == 1, self.neighbour, 0.0))


def _topics(rng: np.random.Generator, liked: np.ndarray, positions: int, share: float) -> np.ndarray:
    """(row, position) topics: one of the row's liked ones with probability `share`, else any."""
    rows = len(liked)
    which = rng.integers(0, LIKED, (rows, positions))
    anything = rng.integers(0, TOPICS, (rows, positions))
    return np.where(rng.random((rows, positions)) < share, np.take_along_axis(liked, which, axis=1), anything)


WORLD = Histories()
