"""`ads`: the five planted pairs are the strongest of the 45, in their order, and no decoy is among them."""
from __future__ import annotations

from functools import cache

import numpy as np

from benchmarks.bars import Bar
from rankzoo.claims.claim import Arm, Claim
from rankzoo.claims.registry import get
from rankzoo.claims.trial import trained
from rankzoo.data.worlds.ads import DECOYS
from rankzoo.inspection.score import spearman
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look
from rankzoo.training.metrics import auc

WAYS = {"cross layer": ("explicit_crosses", "cross"), "fm": ("fm_crosses", "fm"), "cin": ("vector_crosses", "cin"),
        "autoint": ("autoint_reading", "autoint")}


@cache
def pairs(way: str, seed: int):
    """The 45 pairs: what the prediction makes of each (value), what the model records of it (block), what was planted."""
    id, name = WAYS[way]
    claim: Claim = get(id)
    arm: Arm = next(arm for arm in claim.arms if arm.name == name)
    found = trained(claim, arm, seed)
    return look(Subject.of(found.model, found.dataset), "crosses").table


def precision(way: str, column: str, seed: int) -> float:
    """Planted ones among the five strongest."""
    table = pairs(way, seed)
    return float((table.nlargest(5, column)["planted"] > 0).mean())


def pair_auc(way: str, column: str, seed: int) -> float:
    """How often a planted pair stands above another."""
    table = pairs(way, seed)
    return auc((table["planted"] > 0).to_numpy().astype(float), table[column].to_numpy())


def order(way: str, column: str, seed: int) -> float:
    """Rank correlation with the strengths of the five."""
    table = pairs(way, seed).query("planted > 0")
    return spearman(table[column].to_numpy(), table["planted"].to_numpy())


def decoys(way: str, column: str, seed: int) -> float:
    """Dependent but not crossed pairs among the five strongest."""
    names = [{a, b} for a, b, _ in DECOYS]
    return float(sum({row.a, row.b} in names for row in pairs(way, seed).nlargest(5, column).itertuples()))


def null(way: str, seed: int) -> float:
    """The strongest pair that was not planted over the weakest that was."""
    table = pairs(way, seed)
    return float(table.query("planted == 0")["value"].max() / table.query("planted > 0")["value"].min())


MAPS = (("cross layer", "block"), ("fm", "block"), ("cin", "block"), ("cross layer", "value"), ("cin", "value"))
NAMES = {"block": "own map", "value": "prediction"}
BARS = (
    *(Bar(f"{way}, {NAMES[column]}: precision at 5", lambda seed, way=way, column=column: precision(way, column, seed),
          ">= .8 in every seed", lambda v: min(v) >= 0.8, 5 / 45) for way, column in MAPS),
    *(Bar(f"{way}, {NAMES[column]}: AUC over pairs", lambda seed, way=way, column=column: pair_auc(way, column, seed),
          ">= .97 on average", lambda v: np.mean(v) >= 0.97, 0.5) for way, column in MAPS),
    *(Bar(f"{way}, {NAMES[column]}: order of the five", lambda seed, way=way, column=column: order(way, column, seed),
          ">= .7 in every seed", lambda v: min(v) >= 0.7, 0.0) for way, column in (("cin", "block"), ("cross layer", "value"))),
    *(Bar(f"{way}, {NAMES[column]}: decoys among the five", lambda seed, way=way, column=column: decoys(way, column, seed),
          "none in any seed", lambda v: max(v) == 0) for way, column in (("cin", "block"), ("cross layer", "value"),
                                                                         ("cin", "value"))),
    Bar("cross layer: strongest other pair over the weakest planted", lambda seed: null("cross layer", seed),
        "<= .5 in every seed", lambda v: max(v) <= 0.5),
    Bar("autoint, own map: AUC over pairs", lambda seed: pair_auc("autoint", "block", seed), ">= .7 on average",
        lambda v: np.mean(v) >= 0.7, 0.5))
