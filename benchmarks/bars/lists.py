"""`lists`: what is gained by seeing what was placed before, and by searching for lists. Every seed trains each model once."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from benchmarks.bars import Bar
from rankzoo.claims.outcome import Estimate
from rankzoo.claims.papers.list_context import SEARCHES, VIEWS, built
from rankzoo.claims.papers.list_null import CLAIM as NULL
from rankzoo.claims.registry import get
from rankzoo.claims.trial import Trained, rows_of, trained
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look
from rankzoo.serving.arrange import Planted, search
from rankzoo.training.metrics import auc

TASKS = ("has_next", "effective_view", "like")


@lru_cache(maxsize=1)
def claimed(seed: int) -> Mapping[str, Mapping[str, float]]:
    """What the claim's trial finds, by model and search, and under «inside» what the full model looks like inside."""
    claim, found = get("list_context"), {}
    for arm in (claim.arms[0], claim.arms[2]):
        done = trained(claim, arm, seed)
        aucs = {f"auc of {task}": done.metrics[task]["auc"] for task in TASKS}
        found |= {f"{arm.name.split(', ')[0]}, {search}": {"reward": reward, **aucs} for search, reward in built(done).items()}
    return found | {"inside": inside(done)}


def inside(done: Trained) -> Mapping[str, float]:
    """How far the system's lists, its attention and the worst of its tasks come."""
    subject, truth, test = Subject.of(done.model, done.dataset), done.dataset.truth_of("test"), done.dataset.part("test")
    way = [(done.metrics[task]["auc"] - 0.5) / (auc(test.labels[task].numpy(), truth.logits[task]) - 0.5) for task in TASKS]
    attention = look(subject, "attention").truth
    return {"lists": look(subject, "lists").truth.value, "mass": attention.value / attention.chance, "way": min(way)}


@lru_cache(maxsize=1)
def truly(seed: int) -> Mapping[str, np.ndarray]:
    """(request,) rewards of lists by the true probabilities: greedy, by 4 beams, and the best of all."""
    claim = get("list_context")
    repeats = rows_of(claim.world, None, seed).truth.repeats
    given, requests = Planted(VIEWS, repeats), claim.world.requests
    return {str(k): search(given, requests, repeats.size, 4, k)[-1].reward[:, 0].numpy() for k in (1, 4, 1_000_000)}


def gain(statistic: str, plus: str, minus: str):
    """A paired difference of the claim."""
    return lambda seed: claimed(seed)[plus][statistic] - claimed(seed)[minus][statistic]


def above(least: float):
    """The mean is at least that, and the whole 95 % interval above 0."""
    def holds(values: Sequence[float]) -> bool:
        found = Estimate("", "", tuple(values))
        return found.mean >= least and found.ci95 is not None and found.ci95[0] > 0
    return holds


def every(least: float):
    """In every seed."""
    return lambda values: min(values) >= least


def null(seed: int) -> float:
    """Beam minus greedy where there is nothing to win."""
    found = NULL.trial(NULL, seed)
    return found["beam 4"]["reward"] - found["greedy"]["reward"]


def worst(seed: int) -> float:
    """The least of brute force minus 4 beams over all requests, by the true probabilities."""
    return float((truly(seed)["1000000"] - truly(seed)["4"]).min())


BARS: tuple[Bar, ...] = (
    Bar("AUC of effective_view, context − none", gain("auc of effective_view", "context, greedy", "no context, greedy"),
        "≥ .005, interval above 0", above(0.005), 0.0),
    Bar("AUC of has_next, context − none", gain("auc of has_next", "context, greedy", "no context, greedy"),
        "≥ .005, interval above 0", above(0.005), 0.0),
    *(Bar(f"true reward, beam − greedy, {model}", gain("reward", f"{model}, beam 4", f"{model}, greedy"),
          "≥ .05, interval above 0", above(0.05), 0.0) for model in ("context", "no context")),
    *(Bar(f"true reward, context − none, {name}", gain("reward", f"context, {name}", f"no context, {name}"),
          "≥ .05, interval above 0", above(0.05), 0.0) for name in SEARCHES),
    Bar("true reward, lists by the truth − by the model, beam 4",
        lambda seed: float(truly(seed)["4"].mean()) - claimed(seed)["context, beam 4"]["reward"], "≥ 0 in the mean",
        lambda values: float(np.mean(values)) >= 0),
    Bar("true reward, brute force − 4 beams, least over requests", worst, "≥ 0 in every seed", every(-1e-5)),
    Bar("true reward, beam − greedy under the null", null, "inside ± .02, interval too",
        lambda values: max(abs(x) for x in Estimate("", "", tuple(values)).ci95 or (1.0,)) < 0.02, 0.0),
    *(Bar(name, lambda seed, key=key: claimed(seed)["inside"][key], f"≥ {least:g} in every seed", every(least), chance)
      for name, key, least, chance in (("way of the lists from any order to the best", "lists", 0.7, 0.0),
                                       ("attention: mass on relevant items over uniform", "mass", 1.5, 1.0),
                                       ("way from chance to the oracle, worst task", "way", 0.6, 0.0))),
)
