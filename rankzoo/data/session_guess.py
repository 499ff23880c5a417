"""The best guess of what follows in a session of `sessions`, by Bayes' rule over what its visitor may be after.

P(next = j | i_1 … i_n) ∝ Σ_a P(a) Π_t w_a(i_t) / (Z_a − Σ_{s<t} w_a(i_s)) · w_a(j) / (Z_a − Σ_s w_a(i_s))

a: a sub-category, a price and two brands, each as likely as the other · w_a: the weights that products are drawn by · Z_a: their
sum. The popularity of a product that training can know is known, of a new one its mean. Pairs of brands are summed by which of
the session's brands they hold; those that it does not show are taken for equally common, which makes 820 pairs eleven (on 300
sessions the places correlate by .999 with those of the whole sum).
"""
from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

CHUNK = 100


class Shop(NamedTuple):
    """What a guesser knows. subcategory, brand, price: (product,) · popular: (product,) its factor · fits: (intended
    sub-category, sub-category) factors · near: (intended price, price) factors · liked: factor of an intended brand · brands: how
    many there are."""

    subcategory: np.ndarray
    brand: np.ndarray
    price: np.ndarray
    popular: np.ndarray
    fits: np.ndarray
    near: np.ndarray
    liked: float
    brands: int


def guesses(shop: Shop, past: np.ndarray) -> Iterator[np.ndarray]:
    """(session, place) products → by parts (session, product): how probable each is to follow, but for a factor of the session; 0
    of what is in it."""
    held = np.zeros((len(shop.fits), len(shop.near), shop.brands))
    np.add.at(held, (shop.subcategory, shop.price, shop.brand), shop.popular)
    held = np.einsum("as,pr,srb->apb", shop.fits, shop.near, held, optimize=True).reshape(-1, shop.brands)  # (intent, brand)
    for start in range(0, len(past), CHUNK):
        yield _part(shop, held, past[start:start + CHUNK])


def _part(shop: Shop, held: np.ndarray, past: np.ndarray) -> np.ndarray:
    rows, places, more = *past.shape, shop.liked - 1
    brand = shop.brand[past]
    alike = brand[:, :, None] == brand[:, None, :]                                           # (row, place, place)
    first = ~np.tril(alike, -1).any(axis=2)                                                  # the first product of its brand
    unseen = (shop.brands - first.sum(axis=1))[:, None]
    kinds = [(), *((place,) for place in range(places)), *combinations(range(places), 2)]
    holds = np.array([[place in kind for place in range(places)] for kind in kinds], dtype=float)   # (kind of pair, place)
    free = 2 - holds.sum(axis=1)                                                             # brands that the session lacks
    valid = (holds[None] <= first[:, None]).all(axis=2)
    many = valid * np.where(free == 0, 2, np.where(free == 1, 2 * unseen + 1, unseen ** 2))  # ordered pairs of the kind
    liked = 1 + more * (np.einsum("kt,rts->rks", holds, alike) > 0)                          # (row, kind, place)
    base = (shop.fits[:, shop.subcategory[past]].transpose(1, 2, 0)[..., None]
            * shop.near[:, shop.price[past]].transpose(1, 2, 0)[:, :, None]).reshape(rows, places, -1)
    base *= shop.popular[past][..., None]                                                    # (row, place, intent)
    own, whole = held.T[brand], held.sum(axis=1)
    rest = (whole - np.einsum("rt,rti->ri", first, own)) / np.maximum(unseen, 1)             # of a brand that it lacks, the mean
    left = whole + more * (np.einsum("kt,rti->rki", holds, own) + free[:, None] * rest[:, None])    # (row, kind, intent)
    share = many[..., None] * np.ones_like(left)
    for place in range(places):
        weight = base[:, None, place] * liked[..., place, None]
        share = share * (weight / np.maximum(left, weight))
        left = left - weight
    share /= np.maximum(left, np.finfo(float).tiny)
    return _followed(shop, past, brand, first, share, holds, np.einsum("rki,k->ri", share, free) / np.maximum(unseen, 1))


def _followed(shop: Shop, past: np.ndarray, brand: np.ndarray, first: np.ndarray, share: np.ndarray, holds: np.ndarray,
              lacking: np.ndarray) -> np.ndarray:
    """What the intents' shares (row, kind, intent) make of every product. lacking (row, intent): the share that wants one certain
    brand of those that the session lacks."""
    more, shown = shop.liked - 1, np.einsum("rki,kt->rti", share, holds) - lacking[:, None]
    parts = np.concatenate([(share.sum(axis=1) + more * lacking)[:, None], more * shown * first[..., None]], axis=1)
    parts = parts.reshape(*parts.shape[:2], len(shop.fits), len(shop.near)) @ shop.near
    cells = np.einsum("as,rnap->rnsp", shop.fits, parts, optimize=True)        # (row, 1 + place, sub-category, price)
    found = cells[:, 0, shop.subcategory, shop.price]
    for place in range(past.shape[1]):
        found = found + cells[:, 1 + place][:, shop.subcategory, shop.price] * (shop.brand == brand[:, place, None])
    found *= shop.popular
    np.put_along_axis(found, past, 0.0, axis=1)
    return found
