"""Ma et al., KDD 2018, figures 4 and 5: experts with a gate for each task are easier to train than one shared bottom."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.claims.trial import Trained
from rankzoo.data.worlds.recipe import TASKS, WORLD
from rankzoo.zoo.ladder.mmoe import SYSTEM

COMMON = {"tasks": list(TASKS), "representation.numeric": "value", "towers.kind": "mlp", "towers.widths": [8],
          "settings.lr": 3e-3, "settings.batch_size": 256, "settings.epochs": 8, "settings.schedule": "cosine"}
SHARED = COMMON | {"sharing.widths": [126]}
EXPERTS = COMMON | {"sharing.experts": 8, "sharing.widths": [16], "sharing.bottom": []}


def score(trained: Trained) -> Mapping[str, float]:
    """Mean over both tasks of ln(MSE / variance of the label) on the test part."""
    labels = trained.dataset.part("test").labels
    shares = [trained.metrics[task]["rmse"] ** 2 / float(labels[task].var()) for task in TASKS]
    return {"error": float(np.mean(np.log(shares)))}


CLAIM = Claim(
    id="mmoe_optimises", place=15, title="Experts are easier to train", source=SYSTEM.source, at="section 3.3, figures 4 and 5",
    claim="A mixture of experts with a gate for each task reaches a lower error than a shared bottom of as many parameters.",
    equal="rows, epochs, batch order, towers, and parameters to within 1 %",
    world=replace(WORLD, cosine=0.0), rows=60_000,
    arms=(Arm("shared bottom", "shared_bottom", SHARED), Arm("mmoe", "mmoe", EXPERTS)),
    statistic="ln(test MSE / variance of the label), mean of both tasks", measure=score,
    differences=(Difference("error", ("shared bottom",), ("mmoe",), least=0.05),), seeds=5, seconds=25)
