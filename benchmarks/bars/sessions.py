"""`sessions`: new products are found by their attributes, and a model comes near to what a session lets anybody guess."""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from benchmarks.bars import Bar, surely_above
from rankzoo.claims.papers.cold_items import CLAIM
from rankzoo.claims.trial import rows_of, trial
from rankzoo.data.worlds.sessions import PRODUCTS, WORLD
from rankzoo.training.metrics import RECALL, TOP, oracle


@lru_cache(maxsize=1)
def arms(seed: int) -> dict[str, dict[str, float]]:
    """Recalls of the three arms of the claim."""
    return trial(CLAIM, seed)


def way(seed: int) -> float:
    """How far metadata come from chance to the best guess that a session allows, over all test rows."""
    dataset = rows_of(CLAIM.world, CLAIM.rows, seed)
    rows, found = dataset.part("test"), arms(seed)["metadata"]
    new = float((~rows.seen[rows.labels["next_item"].long()]).float().mean())
    reached, chance = (1 - new) * found["warm"] + new * found["cold"], TOP / PRODUCTS
    return (reached - chance) / (oracle(dataset)["next_item"][f"{RECALL}_served"] - chance)


BARS = (
    Bar("metadata, cold products among all", lambda seed: arms(seed)["metadata"]["cold"], "mean >= .12",
        lambda values: np.mean(values) >= 0.12, TOP / PRODUCTS),
    Bar("metadata, cold products among the cold", lambda seed: arms(seed)["metadata"]["pool"], "mean >= .35",
        lambda values: np.mean(values) >= 0.35, TOP / (WORLD.new * PRODUCTS)),
    Bar("metadata − id, cold among all", lambda seed: arms(seed)["metadata"]["cold"] - arms(seed)["id"]["cold"], "every seed > 0",
        lambda values: min(values) > 0, 0.0),
    Bar("id, cold among all", lambda seed: arms(seed)["id"]["cold"], "every seed <= .02", lambda values: max(values) <= 0.02,
        TOP / PRODUCTS),
    Bar("both − metadata, warm", lambda seed: arms(seed)["both"]["warm"] - arms(seed)["metadata"]["warm"], "interval > 0",
        surely_above(0.0), 0.0),
    Bar("metadata, way from chance to the best guess", way, "mean >= .6", lambda values: np.mean(values) >= 0.6, 0.0),
)
