"""Bars of `professional`: what the tasks' gradients know of the groups, calibration, and how near LinkedIn's model comes to the
best there is."""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from benchmarks.bars import Bar, inside
from rankzoo.data.load import from_world
from rankzoo.data.worlds.professional import WORLD
from rankzoo.document import Document
from rankzoo.inspection.tasks import tasks
from rankzoo.inspection.view import Subject
from rankzoo.training.fit import Fit
from rankzoo.training.run import finish


@lru_cache(maxsize=1)
def measured(seed: int) -> dict[str, float]:
    """One training of the preset, and what its picture says."""
    dataset = from_world(WORLD, None, seed)
    document = Document.preset("linkedin").but([("settings.seed", seed), ("settings.data_seed", seed)])
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    for _ in fit:
        pass
    result = finish(fit, 0.0)
    view = tasks(Subject.of(fit.model, dataset, rows=10_000))
    ratio = view.tables["calibration"].set_index("task")["ratio"]
    way = {task: (result.metrics["test"][task]["auc"] - 0.5) / (best["auc"] - 0.5) for task, best in result.oracle.items()}
    beyond = max(result.metrics["test"][task]["auc"] - best["auc"] for task, best in result.oracle.items())
    return {"apart": view.truth.value, "across": float(view.table.loc[~view.table["together"], "cosine"].mean()),
            "dense": float(np.abs(ratio[["click", "long_dwell"]] - 1).max()), "rare": float(np.abs(ratio - 1).max()),
            "way": min(way.values()), "beyond": beyond}


BARS = (
    Bar("gradients' cosine within groups minus across", lambda seed: measured(seed)["apart"], ">= 0.5 in every seed",
        lambda values: min(values) >= 0.5, 0.0),
    Bar("gradients' cosine across groups", lambda seed: measured(seed)["across"], "-0.3 to 0.3 in every seed", inside(-0.3, 0.3)),
    Bar("largest |O/E - 1| of click and long dwell", lambda seed: measured(seed)["dense"], "<= 0.1 in the mean",
        lambda values: np.mean(values) <= 0.1),
    Bar("largest |O/E - 1| of all tasks", lambda seed: measured(seed)["rare"], "<= 0.25 in the mean",
        lambda values: np.mean(values) <= 0.25),
    Bar("way from chance to the oracle's AUC, worst task", lambda seed: measured(seed)["way"], ">= 0.6 in every seed",
        lambda values: min(values) >= 0.6, 0.0),
    Bar("AUC above the oracle's, worst task", lambda seed: measured(seed)["beyond"], "<= 0.01 in every seed",
        lambda values: max(values) <= 0.01),
)
