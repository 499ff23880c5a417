"""`sessions`: new products are found by their attributes, and a model comes near to what a session lets anybody guess."""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from benchmarks.bars import Bar, surely_above
from rankzoo.claims.papers.cold_items import CLAIM
from rankzoo.claims.trial import trial
from rankzoo.data.worlds.sessions import BRANDS, PRICES, PRODUCTS, SUBCATEGORIES, WORLD
from rankzoo.training.metrics import TOP

ROWS = 200  # test rows over which the best guess is worked out


@lru_cache(maxsize=1)
def arms(seed: int) -> dict[str, dict[str, float]]:
    """Recalls of the three arms of the claim."""
    return trial(CLAIM, seed)


def guessed(seed: int, known: bool) -> float:
    """Recall@20 of the best guess from a session: Bayes' rule over every intent (sub-category, price, two brands), given the four
    products in their order; popularity is known to it, or no product is taken to have any."""
    made, products = WORLD.make(WORLD.rows, seed), WORLD._products(np.random.default_rng(seed))
    test = WORLD.parts(WORLD.rows)["test"]
    test = test[::len(test) // ROWS][:ROWS]
    past = np.array([made.table["session.product"][int(row)].as_py() for row in test])       # (row, place)
    target = made.table["next_item"].to_numpy()[test]
    popularity = np.exp(products.popularity) if known else np.ones(PRODUCTS)
    intent, price = (each.ravel() for each in np.meshgrid(range(SUBCATEGORIES), range(PRICES), indexing="ij"))
    fits = WORLD.fits * (products.subcategory == intent[:, None])
    fits = fits + WORLD.complements * (products.subcategory == products.complement[intent][:, None])
    base = np.exp(fits - WORLD.price * np.abs(products.price - price[:, None])) * popularity  # (intent, product)
    first, second = (each.ravel() for each in np.meshgrid(range(BRANDS), range(BRANDS), indexing="ij"))
    more, of_brand = np.exp(WORLD.brand) - 1, base @ np.eye(BRANDS)[products.brand]          # (intent, brand)
    total = base.sum(axis=1)[:, None] + more * (of_brand[:, first] + np.where(first == second, 0, of_brand[:, second]))
    hits = [_hit(*row, base, total, more, products.brand, first, second) for row in zip(past, target, strict=True)]
    return float(np.mean(hits))


def _hit(past, target, base, total, more, brand, first, second) -> bool:
    """Whether the target is among the 20 most probable: total (intent, brands) is what all weights add up to."""
    drawn, logs = np.zeros_like(total), np.zeros_like(total)
    for item in past:
        weight = base[:, item][:, None] * (1 + more * ((brand[item] == first) | (brand[item] == second)))
        logs += np.log(weight) - np.log(total - drawn)
        drawn += weight
    share = np.exp(logs - logs.max()) / (total - drawn)
    table = share.reshape(len(base), BRANDS, BRANDS)
    own = table.sum(axis=2) + table.sum(axis=1) - np.einsum("hii->hi", table)                # (intent, brand)
    probable = (base * (share.sum(axis=1)[:, None] + more * own[:, brand])).sum(axis=0)
    probable[past] = 0
    return int((probable > probable[target]).sum()) < TOP


def way(seed: int) -> float:
    """How far metadata come from chance to the best guess that knows popularity, over all test rows."""
    found, new = arms(seed)["metadata"], 0.15
    reached, chance = (1 - new) * found["warm"] + new * found["cold"], TOP / PRODUCTS
    return (reached - chance) / (guessed(seed, True) - chance)


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
