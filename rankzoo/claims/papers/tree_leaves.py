"""Ackerman and Kataria, 2021: leaves of a forest as embeddings stand in for numbers that would have to be normalised."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.claims.trial import Trained
from rankzoo.data.worlds.professional import WORLD
from rankzoo.zoo.industry.linkedin import SYSTEM

WORLDS = {"skewed": WORLD, "even": replace(WORLD, skew=0.3)}
READS = {"leaves": {}, "numbers": {"representation": {"kind": "embeddings"}, "settings.epochs": 8}}


def score(trained: Trained) -> Mapping[str, float]:
    """Mean AUC of the five tasks."""
    return {"auc": sum(metrics["auc"] for metrics in trained.metrics.values()) / len(trained.metrics)}


CLAIM = Claim(
    id="tree_leaves", place=24, title="Leaves instead of numbers", source=SYSTEM.source, at="list of salient features",
    claim="A network that reads the leaves of a forest needs no normalised numbers, and finds the thresholds that they hide.",
    equal="rows, networks behind and batch order; numbers are standardised and trained twice as long, leaves have a table and "
          "trees that were grown before",
    world=WORLD, rows=20_000, measure=score, statistic="test AUC, mean of five tasks",
    arms=tuple(Arm(f"{reads}, {name}", "linkedin", changes, world) for name, world in WORLDS.items()
               for reads, changes in READS.items()),
    differences=(Difference("auc", ("leaves, skewed",), ("numbers, skewed",), least=0.02),
                 Difference("auc", ("leaves, even",), ("numbers, even",), least=0.02),
                 Difference("auc", ("leaves, even",), ("leaves, skewed",), "none", 0.005),
                 Difference("auc", ("numbers, even",), ("numbers, skewed",), least=0.005)),
    seeds=3, seconds=15)
