"""Ma et al., KDD 2018: gates of tasks that have little in common come to use different experts."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.claims.trial import Trained
from rankzoo.data.worlds.feed import WORLD
from rankzoo.zoo.ladder.mmoe import SYSTEM


def score(trained: Trained) -> Mapping[str, float]:
    """ln of the divergence of unrelated tasks' gates over that of related ones."""
    from rankzoo.inspection.view import Subject
    from rankzoo.inspection.views import look

    return {"ratio": float(np.log(look(Subject.of(trained.model, trained.dataset), "gates").truth.value))}


CLUSTERS = replace(WORLD, like=0.2, dismiss=0.3)
CLAIM = Claim(
    id="gates_follow", place=16, title="Gates follow relatedness", source=SYSTEM.source, at="section 3.4",
    claim="Gates of unrelated tasks differ more, row by row, than gates of related ones.",
    equal="one model with small experts: its unrelated pairs of tasks beside its related ones; chance is 0, the same divergence",
    world=CLUSTERS, rows=50_000, arms=(Arm("mmoe", "mmoe", {"sharing.widths": [8]}),), measure=score,
    statistic="ln of the ratio of Jensen-Shannon divergences, unrelated over related pairs",
    differences=(Difference("ratio", ("mmoe",), (), least=0.1),), seeds=5, seconds=10)
