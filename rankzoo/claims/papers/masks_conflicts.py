"""Bai et al., WWW 2022 (CSRec), on the masks of Sun et al., AAAI 2020: tasks that share weights pull them apart."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rankzoo.claims.claim import Arm, Claim, Difference, Found
from rankzoo.claims.trial import document_of, rows_of
from rankzoo.data.worlds.masks import WORLD
from rankzoo.training.fit import Fit
from rankzoo.zoo.industry.tencent import SYSTEM

TWINS, HALF, NONE = "related (.9)", "half related (.45 to .5)", "unrelated (0)"
PAIRS, CHANCE = "all pairs", "chance"


def trial(claim: Claim, seed: int) -> Found:
    """Warm-up and search alone, up to the first step in turns: by then the masks are found and the gradients compared."""
    from rankzoo.inspection.masks import ALL, masks
    from rankzoo.inspection.view import Subject

    document = document_of(claim, claim.arms[0], seed)
    dataset = rows_of(claim.world, claim.rows, seed)
    fit = Fit(document.model(dataset.schema), dataset, document.settings, watching=False)
    for step in fit:
        if fit.course.at(step.number - 1).last:
            break
    view = masks(Subject.of(fit.model, dataset, rows=100))
    pairs = view.table[view.table["layer"] == ALL]
    groups = {TWINS: pairs["related"] > 0.8, HALF: pairs["related"].between(0.3, 0.8), NONE: pairs["related"] < 0.3}
    found: dict[str, Mapping[str, float]] = {
        name: {each: float(pairs.loc[rows, each].mean()) for each in ("conflict", "cosine", "overlap")}
        for name, rows in groups.items()}
    overlap, agreement, cosine = (score.value for score in (view.truth, *view.truth.more))
    first = float(np.argmax(pairs["overlap"]) == np.argmax(pairs["related"]))
    found[PAIRS] = {"correlation": -agreement, "cosine correlation": cosine, "overlap correlation": overlap, "first": first}
    return found | {CHANCE: {"correlation": 0.0, "cosine correlation": 0.0, "overlap correlation": 0.0, "first": 1 / len(pairs)}}


CLAIM = Claim(
    id="masks_conflicts", place=18, title="Conflicts follow relatedness", source=SYSTEM.source, at="abstract",
    claim="Tasks with masks of their own still pull shared weights apart, and the more so the less related they are.",
    equal="one network, one warm start, the same pruning for every task; six pairs of four tasks are compared",
    world=WORLD, arms=(Arm(PAIRS, "tencent"),), trial=trial,
    statistic="correlation: of the conflict rate of shared weights with the planted relatedness of the pair, at the weights from "
              "which the tasks take turns; overlap: |A ∩ B| / |A ∪ B| of two masks",
    differences=(Difference("correlation", (PAIRS,), (CHANCE,), "below", least=0.5),
                 Difference("cosine correlation", (PAIRS,), (CHANCE,), least=0.5),
                 Difference("conflict", (NONE,), (TWINS,), least=0.1), Difference("conflict", (NONE,), (HALF,), least=0.01),
                 Difference("overlap", (TWINS,), (NONE,), least=0.01), Difference("overlap", (HALF,), (NONE,), "none", 0.03)),
    seeds=3, seconds=20)
