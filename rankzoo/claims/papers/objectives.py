"""Zheng et al., 2022 (MOPPR), and Li et al., KDD 2021 (MGDSPR): what weights and temperature do to relevance and to recall.

Weights and temperature act in training alone: serving has one score, so that each arm is trained for itself.
"""
from __future__ import annotations

from collections.abc import Mapping

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.data.worlds.search import TASKS, WORLD
from rankzoo.inspection.retrieval import GOOD, found
from rankzoo.zoo.industry.alibaba import PAPER

FEW = {"settings.epochs": 3}


def arm(name: str, weights: Mapping[str, float] | None = None, temperature: float = 1.0) -> Arm:
    """The preset with other weights of its objectives, or another temperature."""
    return Arm(name, "alibaba", {**FEW, "losses.weights": dict(weights or {}), "losses.temperature": temperature})


CLAIM = Claim(
    id="objectives", place=30, title="Relevance beside clicks", source=PAPER, at="abstract",
    claim="With relevance, exposure and purchase beside clicks in the loss, more of what is found first is relevant.",
    equal="rows, epochs, batch order, learning rate and everything but the weights of the four objectives and the temperature",
    world=WORLD, rows=10_000,
    arms=(arm("all four"), arm("clicks alone", dict.fromkeys((task for task in TASKS if task != "click"), 0.0)),
          arm("relevance × 4", {"relevance": 4.0}), arm("purchase × 4", {"purchase": 4.0}),
          arm("τ = 0.5", temperature=0.5), arm("τ = 2", temperature=2.0), arm("τ = 4", temperature=4.0)),
    statistic="share of relevant products among the first twenty of all; recall@20 of each objective",
    measure=lambda trained: found(trained.model, trained.dataset), scatter=(GOOD, *TASKS),
    differences=(Difference(GOOD, ("all four",), ("clicks alone",), least=0.02),
                 Difference(GOOD, ("τ = 2",), ("all four",), least=0.005),
                 Difference(GOOD, ("τ = 4",), ("all four",), least=0.005),
                 Difference("purchase", ("τ = 2",), ("all four",), "below"),
                 Difference("purchase", ("relevance × 4",), ("all four",), "below")),
    seeds=3, seconds=155,
    why="Where one clicked product is the only positive, MGDSPR found more relevant products at a temperature of 2 than at 1. "
        "Here relevance stands in the loss by itself, and a hotter softmax lowers relevance and recall alike, the more the "
        "hotter.")
