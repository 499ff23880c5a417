"""Bars of `masks`: overlap, conflicts and gradients of Tencent's masks, and how near its AUC comes to the best there is."""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from benchmarks.bars import Bar
from rankzoo.data.load import from_world
from rankzoo.data.worlds.masks import WORLD
from rankzoo.document import Document
from rankzoo.inspection.masks import ALL, masks
from rankzoo.inspection.view import Subject
from rankzoo.training.fit import Fit
from rankzoo.training.run import finish


@lru_cache(maxsize=1)
def measured(seed: int) -> dict[str, float]:
    """One training of the preset, and what its picture says."""
    dataset = from_world(WORLD, None, seed)
    document = Document.preset("tencent").but([("settings.seed", seed), ("settings.data_seed", seed)])
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    for _ in fit:
        pass
    result = finish(fit, 0.0)
    view = masks(Subject.of(fit.model, dataset))
    pairs = view.table[view.table["layer"] == ALL]
    unrelated = pairs["related"] < 0.1
    overlap, agreement, cosine = (score.value for score in (view.truth, *view.truth.more))
    way = [(result.metrics["test"][task]["auc"] - 0.5) / (result.oracle[task]["auc"] - 0.5) for task in result.oracle]
    return {"first": float(np.argmax(pairs["overlap"]) == np.argmax(pairs["related"])), "overlap": overlap,
            "more": float(pairs["overlap"].iloc[np.argmax(pairs["related"])] - pairs.loc[unrelated, "overlap"].mean()),
            "conflict": -agreement, "cosine": cosine, "way": min(way)}


BARS = (
    Bar("the related pair overlaps most (1 = yes)", lambda seed: measured(seed)["first"], "in at least 4 of 5 seeds",
        lambda values: np.mean(values) >= 0.8, 1 / 6),
    Bar("overlap of the related pair above that of unrelated ones", lambda seed: measured(seed)["more"], "> 0 in the mean",
        lambda values: np.mean(values) > 0, 0.0),
    Bar("correlation of overlap with relatedness", lambda seed: measured(seed)["overlap"], "> 0 in the mean",
        lambda values: np.mean(values) > 0, 0.0),
    Bar("correlation of the conflict rate with relatedness", lambda seed: measured(seed)["conflict"], "<= -0.8 in the mean",
        lambda values: np.mean(values) <= -0.8, 0.0),
    Bar("correlation of the gradients' cosine with relatedness", lambda seed: measured(seed)["cosine"], ">= 0.8 in the mean",
        lambda values: np.mean(values) >= 0.8, 0.0),
    Bar("way from chance to the oracle's AUC, worst task", lambda seed: measured(seed)["way"], ">= 0.5 in every seed",
        lambda values: min(values) >= 0.5, 0.0),
)
