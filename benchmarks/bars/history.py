"""`history`: attention lies on what mattered, ranks it rightly, and is worth more than a mean."""
from __future__ import annotations

from functools import cache

import numpy as np

from benchmarks.bars import Bar, surely_above
from rankzoo.claims.registry import get
from rankzoo.claims.trial import trained
from rankzoo.inspection.view import Subject, View
from rankzoo.inspection.views import look

AWARE = ("din", "dot product", "bst")


@cache
def _arm(name: str, seed: int):
    claims = [get("target_attention"), get("learned_pooling")]
    claim, arm = next((claim, arm) for claim in claims for arm in claim.arms if arm.name == name)
    return trained(claim, arm, seed)


@cache
def view(name: str, seed: int) -> View:
    """What an arm attends to."""
    found = _arm(name, seed)
    return look(Subject.of(found.model, found.dataset), "attention")


def gain(name: str, seed: int) -> float:
    """AUC over that of the mean of the past."""
    return _arm(name, seed).metrics["click"]["auc"] - _arm("mean", seed).metrics["click"]["auc"]


def times(name: str, seed: int) -> float:
    """Weight on relevant items, in units of what uniform weights give them."""
    truth = view(name, seed).truth
    return truth.value / truth.chance


def rho(name: str, seed: int) -> float:
    """Rank correlation of the weights with what an item is worth, |ρ| for weights without a sign of their own."""
    return abs(view(name, seed).truth.more[0].value)


def age(name: str, seed: int) -> float:
    """Pearson's r of the mean weight by age with the planted e^(−age/3)."""
    by_age = view(name, seed).tables["ages"].dropna()
    return abs(float(np.corrcoef(by_age["learned"], by_age["planted"])[0, 1]))


BARS = (
    *(Bar(f"{name}: AUC minus the mean's", lambda seed, name=name: gain(name, seed), ">= .04 on average, interval above 0",
          lambda v: np.mean(v) >= 0.04 and surely_above(0)(v), 0.0) for name in AWARE),
    Bar("additive: AUC minus the mean's", lambda seed: gain("additive", seed), "interval above 0", surely_above(0), 0.0),
    *(Bar(f"{name}: weight on relevant items, times uniform", lambda seed, name=name: times(name, seed), ">= 2.2 in every seed",
          lambda v: min(v) >= 2.2, 1.0) for name in AWARE),
    *(Bar(f"{name}: |rank correlation| with the kernel", lambda seed, name=name: rho(name, seed), ">= .45 in every seed",
          lambda v: min(v) >= 0.45, 0.0) for name in AWARE),
    Bar("additive: rank correlation with an item's own worth", lambda seed: rho("additive", seed), ">= .7 in every seed",
        lambda v: min(v) >= 0.7, 0.0),
    *(Bar(f"{name}: |r| of the age curve", lambda seed, name=name: age(name, seed), ">= .9 in every seed",
          lambda v: min(v) >= 0.9, 0.0) for name in (*AWARE, "additive")))
