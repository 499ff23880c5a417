"""`conversions`: clicks on ads and the purchases after them, which are seen only where someone clicked.

Recipe of RankZoo after the setting of Ma et al. (SIGIR 2018). The click is that of `ads`. The purchase has a utility of the
same make with weights and tables of its own, mixed with the click's: who likes to click also buys a little more.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt
from typing import ClassVar

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.later import pa
from rankzoo.data.truths import Truth
from rankzoo.data.world import Made, check_rows
from rankzoo.data.worlds.ads import Ads, as_columns, impressions
from rankzoo.schema import Schema, Task


@dataclass(frozen=True)
class Conversions(Ads):
    """Clicks and purchases. alike: share of the click's utility in the purchase's, which is its cosine with it but for the dense
    fields, whose effects the two have in common · purchase: mean purchase after a click; the rest as in `ads`."""

    alike: float = 0.6
    purchase: float = 0.20

    name: ClassVar[str] = "conversions"
    title: ClassVar[str] = "Conversions: after the click"
    sentence: ClassVar[str] = "Clicks on ads, and purchases that are known only where someone clicked."
    formula: ClassVar[str] = (r"\mathrm{logit}_{\mathrm{click}} = u + b_1,\quad \mathrm{logit}_{\mathrm{purchase} \mid"
                              r" \mathrm{click}} = 0.6\,u + 0.8\,v + b_2,\quad u, v \text{ as in ads}")
    version: ClassVar[int] = 1

    @property
    def schema(self) -> Schema:
        """The fields of `ads` and two tasks."""
        return replace(super().schema, tasks=(Task("click"), Task("purchase")))

    @property
    def task_rates(self) -> Mapping[str, float]:
        """The mean label asked for, by task, over the rows where it is seen."""
        return {"click": self.rate, "purchase": self.purchase}

    def make(self, rows: int, seed: int) -> Made:
        """Fields, the click's utility, clicks, as in `ads`, then the purchase's own utility, purchases: in this order from one
        generator."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        fields, dense, _ = impressions(rng, rows)
        clicking = self.utility(rng, fields, dense)
        logits = {"click": clicking + recipes.intercept(clicking, self.rate)}
        click = recipes.labels(rng, logits["click"])
        buying = self.alike * clicking + sqrt(1 - self.alike**2) * self.utility(rng, fields, dense)
        logits["purchase"] = buying + recipes.intercept(buying[click == 1], self.purchase)
        bought = pa.array(recipes.labels(rng, logits["purchase"]), mask=click == 0)
        columns = as_columns(fields, dense) | {"click": click, "purchase": bought}
        return Made(pa.table(columns), Truth(logits, pairs=self.crossed, formula=self.formula))


WORLD = Conversions()
