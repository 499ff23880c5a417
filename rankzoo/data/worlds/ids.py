"""`ids`: many users and items in the order of time, each with a taste of its own, while what an item is worth moves on.

Recipe of RankZoo for tables of ids (collisions) and for training on a stream (freshness). Nothing but the two ids is known
of a row: whoever shares a vector with somebody else is taken for them. The rows stand in the order of time, in 20 blocks.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.later import pa
from rankzoo.data.truths import Drift, Truth
from rankzoo.data.world import Made, World, check_rows
from rankzoo.schema import Feature, Schema, Task

USERS, ITEMS, TASTES, BLOCKS = 4_000, 2_000, 4, 20


@dataclass(frozen=True)
class Ids(World):
    """Clicks in the order of time. person, bias, taste: sd of the user's bias, of the item's, and of their match · drift: sd of
    what is new in an item's bias in each of the 20 blocks (0: it stays; `bias`: all of it) · rate: mean click · held: the last
    share of the rows, held out."""

    person: float = 0.6
    bias: float = 0.8
    taste: float = 1.0
    drift: float = 0.1
    rate: float = 0.35
    held: float = 0.2

    name: ClassVar[str] = "ids"
    title: ClassVar[str] = "Ids: collisions and drift"
    sentence: ClassVar[str] = "Clicks of users on items, known by their ids alone, while the items' appeal drifts."
    formula: ClassVar[str] = (r"\mathrm{logit} = 0.6\,\tilde a_u + 0.8\,\tilde b_i(t) + \tilde m_{ui} + c,\quad"
                              r" m_{ui} = \langle p_u, q_i\rangle,\quad b_i(t) = \rho\,b_i(t-1) + \sqrt{1-\rho^2}\,\varepsilon")
    rows: ClassVar[int] = 120_000
    test_share: ClassVar[float] = 0.2

    @property
    def schema(self) -> Schema:
        """Two ids and one task."""
        fields = (Feature("user_id", "categorical", USERS + 1, "user"), Feature("item_id", "categorical", ITEMS + 1, "item"))
        return Schema(fields, (Task("click"),))

    @property
    def task_rates(self) -> Mapping[str, float]:
        """One task."""
        return {"click": self.rate}

    def label(self, field: str, value: int) -> str:
        """«user 17»: the number is the rank of how often it occurs."""
        return f"{field.removesuffix('_id')} {value}"

    def parts(self, rows: int) -> dict[str, np.ndarray]:
        """In the order of time: train, validation, and the last share, `held`, as test."""
        test = rows - round(rows * self.held)
        train = test - round(test * self.validation_share)
        return {"train": np.arange(train), "validation": np.arange(train, test), "test": np.arange(test, rows)}

    def make(self, rows: int, seed: int) -> Made:
        """Users, items, the users' biases, the items' and how they move, tastes, labels: in this order from one generator."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        user, item = recipes.popular(rng, USERS, rows, 0.4), recipes.popular(rng, ITEMS, rows, 0.7)
        person = recipes.std(rng.standard_normal(USERS)[user])
        drift = self._moving(rng, item)
        match = recipes.std(np.einsum("rk,rk->r", _tastes(rng, user, USERS), _tastes(rng, item, ITEMS)))
        raw = self.person * person + drift.values[drift.block, item] + self.taste * match
        logit = raw + recipes.intercept(raw, self.rate)
        columns = {"user_id": user.astype(np.int32), "item_id": item.astype(np.int32), "click": recipes.labels(rng, logit)}
        return Made(pa.table(columns), Truth({"click": logit}, drift=drift, formula=self.formula))

    def _moving(self, rng: np.random.Generator, item: np.ndarray) -> Drift:
        """A stationary AR(1) per item over the blocks, moved and scaled so that its sd over the rows is `bias`."""
        new = min(self.drift / self.bias, 1.0) if self.bias else 0.0
        values = rng.standard_normal((BLOCKS, ITEMS))  # (block, item)
        for block in range(1, BLOCKS):
            values[block] = sqrt(1 - new**2) * values[block - 1] + new * values[block]
        block = np.arange(len(item)) * BLOCKS // len(item)
        seen = values[block, item]
        return Drift("item_id", self.bias * (values - seen.mean()) / seen.std(), block)


def _tastes(rng: np.random.Generator, ids: np.ndarray, values: int) -> np.ndarray:
    """(row, taste) of the row's id, centred over the rows: their product then has no main effect of either id, as if the whole
    table were double-centred."""
    vectors = rng.standard_normal((values, TASTES))[ids]
    return vectors - vectors.mean(axis=0)


WORLD = Ids()
