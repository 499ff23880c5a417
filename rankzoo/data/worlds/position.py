"""`position`: pages in the order of an old ranker that follows a stale score, and a test that no slot has touched.

Recipe of RankZoo after Zhao et al. (RecSys 2019). The log's pages come first; the test part are rows drawn at random and shown
in the first slot, so that what a ranker knows can be told from what it learned of the old order.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.later import pa
from rankzoo.data.names import topic_name
from rankzoo.data.truths import Curve, Truth
from rankzoo.data.world import Made, World, check_rows
from rankzoo.data.worlds.video import DEVICES, EXAMINED, MULTIPLIERS, SLOTS
from rankzoo.schema import Feature, Schema, Side, Task

FIELDS: tuple[tuple[str, int, Side], ...] = (("user_group", 20, "user"), ("topic", 15, "item"), ("item", 300, "item"),
                                             ("hour", 24, "context"), ("device", len(DEVICES), "context"))
SIZES = {name: values for name, values, _ in FIELDS}
UNBIASED = 0.25


@dataclass(frozen=True)
class Position(World):
    """stale: weight of the stale item score in the old order · bias: factor on the examination curve · as_feature: the position
    is an input like any other, missing in the test part, as it is when a server ranks · rate: mean click, which leaves the
    first slot at about 0.40."""

    stale: float = 0.9
    bias: float = 1.0
    as_feature: bool = False
    rate: float = 0.25

    name: ClassVar[str] = "position"
    title: ClassVar[str] = "Position: a stale order"
    sentence: ClassVar[str] = "Pages of nine in an outdated order, and a random test part that shows what the order hid."
    formula: ClassVar[str] = (r"\mathrm{logit} = \tilde G[\mathrm{group}, \mathrm{topic}] + 0.6\,q_{\mathrm{item}} + "
                              r"0.3\,g_{\mathrm{group}} + b + B[\mathrm{position}]\,m_{\mathrm{device}}")
    rows: ClassVar[int] = 80_000
    test_share: ClassVar[float] = UNBIASED
    validation_share: ClassVar[float] = 0.0
    page: ClassVar[int] = SLOTS

    @property
    def schema(self) -> Schema:
        """Five fields and the position; no validation part, since the best epoch on logged clicks is the one that knows the
        old order best."""
        features = tuple(Feature(name, "categorical", values + 1, side) for name, values, side in FIELDS)
        place = Feature("position", "categorical", SLOTS + 1, "context", bias=not self.as_feature)
        return Schema((*features, place), (Task("click"),), requests=True)

    @property
    def task_rates(self) -> Mapping[str, float]:
        """One task, over log and test part."""
        return {"click": self.rate}

    def label(self, field: str, value: int) -> str:
        """Topics and devices by name; slots from 1."""
        if field == "topic":
            return topic_name(value)
        if field == "device":
            return DEVICES[value]
        return f"slot {value + 1}" if field == "position" else super().label(field, value)

    def make(self, rows: int, seed: int) -> Made:
        """Fields, utility, the old order of the log's pages, labels: in this order from one generator."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        logged = len(self.parts(rows)["train"])
        topic_of_item = rng.integers(0, SIZES["topic"], SIZES["item"])
        fields = {name: self._field(rng, name, rows, logged) for name in ("user_group", "hour", "device", "item")}
        fields["topic"] = topic_of_item[fields["item"]]
        utility = self._utility(rng, fields)
        order = np.r_[self._old_order(rng, utility[:logged], fields["item"][:logged]), np.arange(logged, rows)]
        fields, utility = {name: values[order] for name, values in fields.items()}, utility[order]
        slot = np.where(np.arange(rows) < logged, np.arange(rows) % SLOTS, 0)
        seen = self.bias * np.array(EXAMINED)[slot] * np.array(MULTIPLIERS)[fields["device"]]
        wanted = utility + recipes.intercept(utility + seen, self.rate)
        place = np.where(np.arange(rows) < logged, slot, -1) if self.as_feature else slot
        columns = {name: fields[name].astype(np.int32) for name in SIZES} | {"position": place.astype(np.int32)}
        columns["click"] = recipes.labels(rng, wanted + seen)
        group = np.where(np.arange(rows) < logged, np.arange(rows) // SLOTS, logged + np.arange(rows))
        columns["group"] = group.astype(np.int32)
        curve = Curve("position", "device", self.bias * np.array(EXAMINED), np.array(MULTIPLIERS), ("click",))
        return Made(pa.table(columns), Truth({"click": wanted + seen}, {"click": wanted}, curve=curve, formula=self.formula))

    def _field(self, rng: np.random.Generator, name: str, rows: int, logged: int) -> np.ndarray:
        """(row,) ids: a page has one group, hour and device; every row its own item."""
        if name == "item":
            return recipes.popular(rng, SIZES[name], rows, 0.4)
        by_page = rng.integers(0, SIZES[name], logged // SLOTS)
        return np.r_[np.repeat(by_page, SLOTS), rng.integers(0, SIZES[name], rows - logged)]

    def _utility(self, rng: np.random.Generator, fields: Mapping[str, np.ndarray]) -> np.ndarray:
        """(row,) what the viewer wants: group × topic of sd 1 and rank 2, the item's appeal and the group's."""
        left, right = rng.standard_normal((SIZES["user_group"], 2)), rng.standard_normal((SIZES["topic"], 2))
        liking = recipes.std((left @ right.T)[fields["user_group"], fields["topic"]])
        appeal, group = rng.standard_normal(SIZES["item"]), rng.standard_normal(SIZES["user_group"])
        return liking + 0.6 * appeal[fields["item"]] + 0.3 * group[fields["user_group"]]

    def _old_order(self, rng: np.random.Generator, utility: np.ndarray, item: np.ndarray) -> np.ndarray:
        """(row,) the rows of the log, page by page, from the best to the worst slot of the ranker that made it."""
        stale = rng.standard_normal(SIZES["item"])[item]
        score = 0.9 * (np.sqrt(1.0 - self.stale**2) * recipes.std(utility) + self.stale * stale)
        score = (score + 0.44 * rng.standard_normal(len(item))).reshape(-1, SLOTS)
        return (np.argsort(-score, axis=1, kind="stable") + SLOTS * np.arange(len(score))[:, None]).ravel()


WORLD = Position()
