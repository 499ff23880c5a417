"""`search`: the graded loss orders all grades, its score finds what is bought, and the query leaves clicks that do not fit."""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from benchmarks.bars import Bar
from rankzoo.data.load import from_world
from rankzoo.data.worlds.search import ITEMS, TASKS, WORLD
from rankzoo.document import Document
from rankzoo.inspection.score import Score
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import RECALL, TOP, evaluate, oracle, predict

ARMS = {"graded": [], "one": [("losses.mode", "single_pos"), ("tasks", ["click"])]}  # «one»: as MGDSPR trains


@lru_cache(maxsize=2)
def trained(seed: int, arm: str = "graded") -> Subject:
    """The preset with another loss, trained on the world of that seed."""
    document = Document.preset("alibaba").but([*ARMS[arm], ("settings.seed", seed)])
    dataset = from_world(WORLD, seed=seed)
    fit = Fit(document.model(dataset.schema), dataset, document.settings, checks=1)
    for _ in fit:
        pass
    fit.restore_best()
    return Subject.of(fit.model.eval(), dataset)


@lru_cache(maxsize=1)
def reached(seed: int) -> dict[str, dict[str, float]]:
    """The metrics on the test rows by task."""
    subject = trained(seed)
    rows = subject.dataset.part("test")
    return evaluate(predict(subject.model, rows), rows, subject.dataset.schema)


def way(seed: int, task: str) -> float:
    """How far recall@20 comes from chance to that of an order by the true score, over all items."""
    chance = TOP / ITEMS
    return (reached(seed)[task][RECALL] - chance) / (oracle(trained(seed).dataset)[task][RECALL] - chance)


@lru_cache(maxsize=2)
def order(seed: int, arm: str = "graded") -> Score:
    """The ladder's statistic."""
    return look(trained(seed, arm), "grades").truth


def pair(seed: int, number: int, arm: str = "graded") -> float:
    """How often two neighbouring grades stand in order."""
    return order(seed, arm).more[number].value


@lru_cache(maxsize=1)
def attention(seed: int) -> Score:
    """The score of the weights over the long-term clicks."""
    return look(trained(seed), "attention").truth


BARS: tuple[Bar, ...] = (
    *(Bar(f"recall@20 of {task}, way from chance to the true score", lambda seed, task=task: way(seed, task),
          "≥ .6 in every seed", lambda values: min(values) >= 0.6, 0.0) for task in TASKS),
    Bar("neighbouring grades in order", lambda seed: order(seed).value, "> .5 in every seed, mean ≥ .65",
        lambda values: min(values) > 0.5 and np.mean(values) >= 0.65, 0.5),
    Bar("exposure above relevance, graded − one clicked item", lambda seed: pair(seed, 1), "mean > 0",
        lambda values: np.mean(values) > 0, 0.0, lambda seed: pair(seed, 1, "one")),
    Bar("relevance above random, graded − one clicked item", lambda seed: pair(seed, 0), "mean > 0",
        lambda values: np.mean(values) > 0, 0.0, lambda seed: pair(seed, 0, "one")),
    Bar("weight on matching clicks over uniform", lambda seed: attention(seed).value / attention(seed).chance,
        "> 1 in every seed", lambda values: min(values) > 1, 1.0),
    Bar("slot of zeros, nothing matches − something does", lambda seed: attention(seed).more[-1].value, "> 0 in every seed",
        lambda values: min(values) > 0, 0.0),
)
