"""`ads`: ten categorical fields of which five pairs really cross, and four dense fields with main effects only.

Recipe of RankZoo. Two pairs of fields depend on each other without crossing (decoys): an advertiser fixes its category,
a country its device.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.later import pa
from rankzoo.data.truths import Pair, Truth
from rankzoo.data.world import Made, World, check_rows
from rankzoo.schema import Feature, Schema, Side, Task

FIELDS: tuple[tuple[str, int, Side], ...] = (
    ("gender", 3, "user"), ("age", 7, "user"), ("country", 20, "user"), ("interest", 30, "user"), ("device", 8, "context"),
    ("category", 24, "item"), ("advertiser", 60, "item"), ("creative", 6, "item"), ("placement", 5, "context"),
    ("hour", 24, "context"))
DENSE: tuple[tuple[str, int], ...] = (("price", -1), ("quality", 1), ("age_days", -1), ("length", 1))
SIZES = {name: size for name, size, _ in FIELDS}
PAIRS = (Pair("interest", "category", 0.9), Pair("country", "advertiser", 0.75), Pair("age", "category", 0.6),
         Pair("device", "creative", 0.5), Pair("hour", "placement", 0.4))
# (the field that decides, the field that follows, how often)
DECOYS = (("advertiser", "category", 0.7), ("country", "device", 0.6))


@dataclass(frozen=True)
class Effects:
    """What the fields of a row add to a utility. main[field]: (value,) · dense[name]: factor, and the numbers that it was
    standardised by · crosses: a pair of fields and its table (value of a, value of b)."""

    main: Mapping[str, np.ndarray]
    dense: Mapping[str, tuple[float, np.ndarray]]
    crosses: tuple[tuple[str, str, np.ndarray], ...]

    def of(self, fields: Mapping[str, np.ndarray], dense: Mapping[str, np.ndarray]) -> np.ndarray:
        """(row,) of any rows, not only of those that it was drawn for."""
        raw = sum(table[fields[name]] for name, table in self.main.items())
        raw = raw + sum(factor * recipes.std_like(dense[name].astype(np.float64), among)
                        for name, (factor, among) in self.dense.items())
        for a, b, table in self.crosses:
            raw = raw + table[fields[a], fields[b]]
        return raw


@dataclass(frozen=True)
class Ads(World):
    """Clicks on ads. strength: factor on all five crosses · main: sd of each categorical main effect on the logit ·
    dense: sd of each dense one · rate: mean click."""

    strength: float = 1.0
    main: float = 0.25
    dense: float = 0.1
    rate: float = 0.20

    name: ClassVar[str] = "ads"
    title: ClassVar[str] = "Ads: planted crosses"
    sentence: ClassVar[str] = "Clicks on ads that depend on five pairs of fields, which no sum over fields can express."
    formula: ClassVar[str] = (r"\mathrm{logit} = \sum_f 0.25\,\tilde w_f[x_f] + \sum_{(a,b)} s_{ab}\,\tilde G_{ab}[x_a, x_b]"
                              r" + \sum_d \pm 0.1\,\tilde x_d + b")
    rows: ClassVar[int] = 80_000
    test_share: ClassVar[float] = 0.25

    @property
    def schema(self) -> Schema:
        """Ten fields and four dense features; one task."""
        fields = tuple(Feature(name, "categorical", size + 1, side) for name, size, side in FIELDS)
        return Schema(fields + tuple(Feature(name, "numeric", side="item") for name, _ in DENSE), (Task("click"),))

    @property
    def task_rates(self) -> Mapping[str, float]:
        """One task."""
        return {"click": self.rate}

    def make(self, rows: int, seed: int) -> Made:
        """Fields, dense features, main effects, crosses, labels: in this order from one generator."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        fields, dense, _ = impressions(rng, rows)
        raw = self.utility(rng, fields, dense)
        logit = raw + recipes.intercept(raw, self.rate)
        columns = as_columns(fields, dense) | {"click": recipes.labels(rng, logit)}
        return Made(pa.table(columns), Truth({"click": logit}, pairs=self.crossed, formula=self.formula))

    def utility(self, rng: np.random.Generator, fields: Mapping[str, np.ndarray], dense: Mapping[str, np.ndarray]) -> np.ndarray:
        """(row,) main effects and crosses, with weights and tables drawn anew at every call."""
        return self.drawn(rng, fields, dense).of(fields, dense)

    def drawn(self, rng: np.random.Generator, fields: Mapping[str, np.ndarray], dense: Mapping[str, np.ndarray]) -> Effects:
        """A utility whose parts have their strength as sd on these rows."""
        weights = {name: rng.standard_normal(size) for name, size in SIZES.items()}
        main = {name: self.main * recipes.std_like(each, each[fields[name]]) for name, each in weights.items()}
        crosses = tuple((pair.a, pair.b, pair.strength * recipes.cross_table(
            rng, fields[pair.a], fields[pair.b], (SIZES[pair.a], SIZES[pair.b]))) for pair in self.crossed)
        return Effects(main, {name: (self.dense * sign, dense[name].astype(np.float64)) for name, sign in DENSE}, crosses)

    @property
    def crossed(self) -> tuple[Pair, ...]:
        """The pairs of fields that cross, with the strength that this world gives them."""
        return tuple(Pair(pair.a, pair.b, self.strength * pair.strength) for pair in PAIRS)


Followers = tuple[np.ndarray, ...]
"""For each decoy: the value that follows each value of the field that decides."""


def impressions(rng: np.random.Generator, rows: int,
                follows: Followers | None = None) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], Followers]:
    """The categorical and the dense fields of every row, (row,) each, and what follows what: drawn unless it is given, as for
    further rows of the same world."""
    fields, follows = _fields(rng, rows, follows)
    return fields, _dense(rng, rows), follows


def as_columns(fields: Mapping[str, np.ndarray], dense: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The fields as columns of a table."""
    return {name: ids.astype(np.int32) for name, ids in fields.items()} | dict(dense)


def _fields(rng: np.random.Generator, rows: int, follows: Followers | None) -> tuple[dict[str, np.ndarray], Followers]:
    fields = {name: recipes.popular(rng, size, rows, 0.6) for name, size in SIZES.items()}
    used = []
    for i, (leader, follower, share) in enumerate(DECOYS):
        used.append(follows[i] if follows else rng.integers(0, SIZES[follower], SIZES[leader]))
        here = rng.random(rows) < share
        fields[follower] = np.where(here, used[i][fields[leader]], fields[follower])
    return fields, tuple(used)


def _dense(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Price in units of money, quality in [0, 1], age of the ad in days, length of its text in words."""
    made = {"price": np.exp(rng.normal(2.0, 0.4, rows)), "quality": rng.random(rows),
            "age_days": rng.gamma(2.0, 10.0, rows), "length": rng.gamma(4.0, 8.0, rows)}
    return {name: values.astype(np.float32) for name, values in made.items()}


WORLD = Ads()
