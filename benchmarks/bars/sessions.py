"""`sessions`: new products are found by their attributes, and a model comes near to what a session lets anybody guess."""
from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from benchmarks.bars import Bar, inside, surely_above
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


@lru_cache(maxsize=2)
def guessed(fits: float, seed: int) -> tuple[float, float]:
    """How far the best guess, and a guess by attributes alone, come from chance to the planted order, over all test rows."""
    world = replace(WORLD, fits=fits)
    made, rows = world.make(world.rows, seed), world.parts(world.rows)["test"]
    planted, best = (truth["next_item"][rows] for truth in (made.truth.ranks, made.truth.guesses))
    found = [float((places <= TOP).mean()) - TOP / PRODUCTS for places in (planted, best, world.by_attributes(made, rows)[:, 0])]
    return found[1] / found[0], found[2] / found[0]


BARS = (
    Bar("metadata, cold products among all", lambda seed: arms(seed)["metadata"]["cold"], "mean >= .22",
        lambda values: np.mean(values) >= 0.22, TOP / PRODUCTS),
    Bar("metadata, cold products among the cold", lambda seed: arms(seed)["metadata"]["pool"], "mean >= .55",
        lambda values: np.mean(values) >= 0.55, TOP / (WORLD.new * PRODUCTS)),
    Bar("metadata − id, cold among all", lambda seed: arms(seed)["metadata"]["cold"] - arms(seed)["id"]["cold"], "every seed > 0",
        lambda values: min(values) > 0, 0.0),
    Bar("id, cold among all", lambda seed: arms(seed)["id"]["cold"], "every seed <= .02", lambda values: max(values) <= 0.02,
        TOP / PRODUCTS),
    Bar("both − metadata, warm", lambda seed: arms(seed)["both"]["warm"] - arms(seed)["metadata"]["warm"], "interval > 0",
        surely_above(0.0), 0.0),
    Bar("metadata, way from chance to the best guess", way, "mean >= .6", lambda values: np.mean(values) >= 0.6, 0.0),
    Bar("best guess, way from chance to the planted order", lambda seed: guessed(WORLD.fits, seed)[0], "mean >= .85",
        lambda values: np.mean(values) >= 0.85, 0.0),
    Bar("guess by attributes alone, the same way", lambda seed: guessed(WORLD.fits, seed)[1], "mean >= .75",
        lambda values: np.mean(values) >= 0.75, 0.0),
    Bar("fits 4: best guess", lambda seed: guessed(4.0, seed)[0], "every seed .65 to .85", inside(0.65, 0.85), 0.0),
    Bar("fits 4: guess by attributes alone", lambda seed: guessed(4.0, seed)[1], "every seed .5 to .7", inside(0.5, 0.7), 0.0),
)
