"""`feed`: sharing helps rare tasks by how related tasks are, and gates of unrelated tasks differ more."""
from __future__ import annotations

from functools import cache

import numpy as np

from benchmarks.bars import Bar, surely_above
from rankzoo.claims.claim import Arm
from rankzoo.claims.registry import get
from rankzoo.claims.trial import trained, trial
from rankzoo.document import Document
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look
from rankzoo.training.fit import Fit

NARROW = {"sharing.widths": [16], "settings.schedule": "constant"}
MIXED = {"sharing.experts": 4, "sharing.widths": [16], "towers.widths": [8]}
LEVELS = {"sharing.own": 1, "sharing.shared": 1, "sharing.widths": [16], "sharing.levels": 2}


@cache
def shared(seed: int) -> dict[str, float]:
    """Mean AUC of like and dismiss by arm of the claim `rare_tasks`."""
    return {arm: values["auc"] for arm, values in trial(get("rare_tasks"), seed).items()}


@cache
def rare(system: str, changes: tuple, cosine: str, seed: int) -> float:
    """The same of another network for all four tasks."""
    claim = get("rare_tasks")
    world = next(arm.world for arm in claim.arms if arm.name == f"shared, cosine {cosine}")
    found = trained(claim, Arm(system, system, dict(changes), world), seed).metrics
    return (found["like"]["auc"] + found["dismiss"]["auc"]) / 2


def effect(system: str, changes: dict, seed: int) -> float:
    """What relatedness is worth to the rare tasks: at .95 minus at 0, each beside networks of one task."""
    single = shared(seed)
    of = {cosine: rare(system, _frozen(changes), cosine, seed) - single[f"single, cosine {cosine}"] for cosine in ("0", "0.95")}
    return of["0.95"] - of["0"]


def _frozen(changes: dict) -> tuple:
    return tuple((path, tuple(value) if isinstance(value, list) else value) for path, value in changes.items())


def shared_effect(seed: int) -> float:
    """The same for the shared bottom of 64."""
    found = shared(seed)
    return (found["shared, cosine 0.95"] - found["single, cosine 0.95"]) - (found["shared, cosine 0"] - found["single, cosine 0"])


def ratio(seed: int) -> float:
    """Divergence of unrelated over related tasks' gates, of MMoE's preset; the seed makes weights and order."""
    document = Document.preset("mmoe").but([("settings.seed", seed)])
    dataset = document.dataset()
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    for _ in fit:
        pass
    fit.restore_best()
    return look(Subject.of(fit.model, dataset), "gates").truth.value


BARS = (
    Bar("relatedness effect, shared bottom of 64", shared_effect, ">= .008, interval above 0",
        lambda v: np.mean(v) >= 0.008 and surely_above(0)(v), 0.0),
    Bar("relatedness effect, shared bottom of 16", lambda seed: effect("shared_bottom", NARROW, seed),
        ">= .015, interval above 0", lambda v: np.mean(v) >= 0.015 and surely_above(0)(v), 0.0),
    Bar("relatedness effect, MMoE 4 × 16", lambda seed: effect("mmoe", MIXED, seed), ">= .015, interval above 0",
        lambda v: np.mean(v) >= 0.015 and surely_above(0)(v), 0.0),
    Bar("relatedness effect, PLE 1 + 1 of 16", lambda seed: effect("ple", LEVELS, seed), "interval above 0",
        surely_above(0), 0.0),
    Bar("gates: divergence of unrelated over related tasks", ratio, "above 1 in four of five seeds, mean >= 1.4",
        lambda v: sum(each > 1 for each in v) >= 0.8 * len(v) and np.mean(v) >= 1.4, 1.0))
