"""Bars of `ids`: what collisions cost, what going on to learn gains under drift, and the items' worth found again."""
from __future__ import annotations

from functools import cache

import numpy as np

from benchmarks.bars import Bar
from rankzoo.claims.papers import collisions, online
from rankzoo.claims.trial import trained
from rankzoo.document import Document
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look
from rankzoo.training.fit import Fit
from rankzoo.training.run import finish

NAMES = ("0 %", "7.7 %", "20 %", "40 %", "60 %", "80 %")
ARMS = {arm.name: arm for arm in collisions.CLAIM.arms}


@cache
def score(arm: str, seed: int) -> float:
    """Test AUC of an arm of `collisions`."""
    return trained(collisions.CLAIM, ARMS[arm], seed).metrics["click"]["auc"]


@cache
def streams(seed: int) -> dict[str, dict[str, float]]:
    """The arms of `online`."""
    return dict(online.passes(online.CLAIM, seed))


@cache
def preset(seed: int) -> tuple[float, float, float]:
    """The share of the way from chance to the oracle, what is beyond the oracle, and the score of the picture."""
    document = Document.preset("bytedance").but([("settings.seed", seed), ("settings.data_seed", seed)])
    dataset = document.dataset()
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    for _ in fit:
        pass
    result = finish(fit, 0.0)
    found, best = result.metrics["test"]["click"]["auc"], result.oracle["click"]["auc"]
    return (found - 0.5) / (best - 0.5), found - best, look(Subject.of(fit.model, dataset), "rows").truth.value


def gains(arm: str, seed: int, statistic: str = "auc") -> float:
    """An arm of `online` over the frozen one."""
    return streams(seed)[arm][statistic] - streams(seed)["frozen"][statistic]


def below_zero(values) -> bool:
    """Whether the 95 % t interval lies below 0."""
    from rankzoo.claims.outcome import Estimate

    return Estimate("", "", tuple(values)).ci95[1] < 0


def step(one: str, other: str) -> Bar:
    """AUC falls from a rate to the next."""
    return Bar(f"AUC, {other} minus {one} lost", lambda seed: score(other, seed) - score(one, seed), "mean < 0",
               lambda values: float(np.mean(values)) < 0, 0.0)


BARS = (
    *(step(one, other) for one, other in zip(NAMES[:-1], NAMES[1:], strict=True)),
    Bar("AUC, 40 % minus 0 % lost", lambda seed: score("40 %", seed) - score("0 %", seed), "mean <= -.015, interval below 0",
        lambda values: float(np.mean(values)) <= -0.015 and below_zero(values), 0.0),
    Bar("AUC, 50 syncs minus frozen", lambda seed: gains("50", seed), "mean >= .02",
        lambda values: float(np.mean(values)) >= 0.02, 0.0),
    Bar("AUC, 50 minus 5 syncs", lambda seed: gains("50", seed) - gains("5", seed), ">= 0 in every seed",
        lambda values: min(values) >= 0, 0.0),
    Bar("AUC of the first tenth, 5 and 10 syncs minus frozen",
        lambda seed: max(abs(gains(arm, seed, "first")) for arm in ("5", "10")), "exactly 0",
        lambda values: max(values) == 0, 0.0),
    Bar("bytedance, share of the way from chance to the oracle", lambda seed: preset(seed)[0], ">= .5 in every seed",
        lambda values: min(values) >= 0.5, 0.0),
    Bar("bytedance, AUC beyond the oracle", lambda seed: preset(seed)[1], "<= .01 in every seed",
        lambda values: max(values) <= 0.01),
    Bar("bytedance, worth of items found again (rank correlation)", lambda seed: preset(seed)[2], ">= .6 in every seed",
        lambda values: min(values) >= 0.6, 0.0),
)
