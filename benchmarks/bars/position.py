"""`position`: the side tower finds the examination curve, and the ranker behind it what people want."""
from __future__ import annotations

from functools import cache

from benchmarks.bars import Bar, inside, surely_above
from rankzoo.claims.registry import get
from rankzoo.claims.trial import trained
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look


@cache
def auc(arm: str, seed: int) -> float:
    """AUC on the random rows of one arm of the claim `side_tower`."""
    return _arm(arm, seed).metrics["click"]["auc"]


@cache
def _arm(name: str, seed: int):
    claim = get("side_tower")
    return trained(claim, next(arm for arm in claim.arms if arm.name == name), seed)


@cache
def curve(seed: int) -> dict[str, float]:
    """The tower's curve against the planted one."""
    tower = _arm("tower", seed)
    view = look(Subject.of(tower.model, tower.dataset), "position")
    error, r = (score.value for score in view.truth.more)
    return {"r": r, "error": error, "range": view.truth.value, "nearer": abs(view.truth.chance - 1) - abs(view.truth.value - 1),
            "falls": float((view.table["learned"].diff().iloc[1:] < 0).all())}


BARS = (
    Bar("correlation with the planted curve", lambda seed: curve(seed)["r"], ">= .98 in every seed",
        lambda v: min(v) >= 0.98, 0.0),
    Bar("largest error of a slot", lambda seed: curve(seed)["error"], "<= .35 in every seed", lambda v: max(v) <= 0.35),
    Bar("range over the planted range", lambda seed: curve(seed)["range"], ".85 to 1.3 in every seed", inside(0.85, 1.3)),
    Bar("nearer to 1 than the naive curve's range", lambda seed: curve(seed)["nearer"], "in at least four of five seeds",
        lambda v: sum(each > 0 for each in v) >= 0.8 * len(v), 0.0),
    Bar("the curve falls from slot to slot", lambda seed: curve(seed)["falls"], "in every seed", lambda v: min(v) == 1),
    Bar("tower minus none, AUC", lambda seed: auc("tower", seed) - auc("none", seed), "interval above 0", surely_above(0), 0.0),
    Bar("tower minus position as a feature, AUC", lambda seed: auc("tower", seed) - auc("feature", seed), "interval above 0",
        surely_above(0), 0.0))
