"""`sessions`: what a visitor of a shop looks at next, where some products are new and were never seen in training.

Recipe of RankZoo for cold starts (after the setting of Shalaby et al., RecSys 2022). A session has an intent: a sub-category and
what complements it, two brands, a price. Its products are drawn without repetition by how well they fit and by a popularity
of their own, which no attribute tells. A session that holds a new product stands in no part but the test part, and there the
new product is the one to predict. The true places know the intent, which a model can only guess from what was looked at:
beside them stand, of the test rows, the places by the best guess that a session allows. From chance to the true places among
the first twenty that guess comes .89 of the way, and one that knows no popularity, as attributes do not, .79; with `fits` at 4
they come .75 and .61 (`python -m benchmarks.bars sessions`).
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.later import pa
from rankzoo.data.session_guess import Shop, guesses
from rankzoo.data.truths import Completes, Intent, Truth
from rankzoo.data.world import Made, World, check_rows
from rankzoo.schema import Catalogue, Feature, History, HistoryField, Schema, Task

PRODUCTS, CATEGORIES, PER_CATEGORY, BRANDS, PRICES = 1_500, 8, 5, 40, 8
SUBCATEGORIES = CATEGORIES * PER_CATEGORY
WORDS, OWN, TITLE = 500, 10, 5  # words in all, of a sub-category, of a title at most
SEEN, CHUNK = 4, 1_000
NAMES = ("tools", "lumber", "paint", "plumbing", "lighting", "garden", "flooring", "kitchen")


class Products(NamedTuple):
    """The catalogue: (product,) each; complement: (sub-category,) the one that is bought with it."""

    subcategory: np.ndarray
    brand: np.ndarray
    price: np.ndarray
    popularity: np.ndarray
    new: np.ndarray
    complement: np.ndarray


@dataclass(frozen=True)
class Sessions(World):
    """Sessions of five. fits, complements, brand, price: what a product of the intended sub-category, of its complement, of an
    intended brand, and a step away from the price adds to the logarithm of its weight · popularity: sd of a product's own
    · new: share of products that are never seen in training."""

    fits: float = 5.0
    complements: float = 2.5
    brand: float = 2.0
    price: float = 0.35
    popularity: float = 1.0
    new: float = 0.15

    name: ClassVar[str] = "sessions"
    title: ClassVar[str] = "Sessions: new products"
    sentence: ClassVar[str] = "Products looked at in a shop, and the next one, which may be new: never seen in training."
    rows: ClassVar[int] = 30_000
    version: ClassVar[int] = 2
    test_share: ClassVar[float] = 0.15
    page: ClassVar[int] = SEEN

    @property
    def formula(self) -> str:
        """With the weights of this world."""
        return (rf"\ln w_i = {self.fits:g}\,[s_i = a] + {self.complements:g}\,[s_i = \bar a] + {self.brand:g}\,[b_i \in B]"
                rf" - {self.price:g}\,|p_i - p| + q_i,\quad q_i \sim N(0, {self.popularity ** 2:g})")

    @property
    def schema(self) -> Schema:
        """Nothing but the session: one to four products, and what is known of each; three tasks about the next."""
        tasks = (Task("next_item", "class", "product"), Task("category", "class", "category"),
                 Task("subcategory", "class", "subcategory"))
        past = History("session", SEEN, (HistoryField("product", PRODUCTS + 1, "product"),))
        sizes = {"product": PRODUCTS, "category": CATEGORIES, "subcategory": SUBCATEGORIES, "brand": BRANDS, "price": PRICES}
        about = tuple(Feature(name, "categorical", size + 1, "item") for name, size in sizes.items())
        title = History("title", TITLE, (HistoryField("word", WORDS + 1),))
        return Schema((), tasks, (past,), catalogue=Catalogue("product", Schema(about, (), (title,))))

    @property
    def task_rates(self) -> Mapping[str, float]:
        """No task has a rate: all labels are classes."""
        return {}

    def label(self, field: str, value: int) -> str:
        """Categories by name; the rest by number."""
        if field.endswith("subcategory"):
            return f"{NAMES[value // PER_CATEGORY]} {value % PER_CATEGORY + 1}"
        return NAMES[value] if field.endswith("category") else super().label(field.rpartition(".")[2], value)

    def make(self, rows: int, seed: int) -> Made:
        """Products, their titles, then sessions, as many as it takes: in this order from one generator. A session to learn from
        is four rows: what was looked at second, third, fourth and fifth; one to be tested with is its last row alone."""
        check_rows(rows)
        rng, fit = np.random.default_rng(seed), rows - len(self.parts(rows)["test"])
        products = self._products(rng)
        titles, length = _titles(rng, products.subcategory)
        learnt, known = self._sessions(rng, products, fit // SEEN, range(1, SEEN + 1), only_known=True)
        tested, found = self._sessions(rng, products, rows - fit, (SEEN,), only_known=False)
        items = np.concatenate([np.repeat(learnt, SEEN, axis=0), tested])                   # (row, place)
        seen = np.concatenate([np.tile(np.arange(1, SEEN + 1), len(learnt)), np.full(len(tested), SEEN)])
        target = np.take_along_axis(items, seen[:, None], axis=1)[:, 0]
        labels = {"next_item": target, "category": products.subcategory[target] // PER_CATEGORY,
                  "subcategory": products.subcategory[target]}
        columns = {"session.product": recipes.lists(items[:, :SEEN], np.arange(SEEN) < seen[:, None])}
        columns |= {task: values.astype(np.int32) for task, values in labels.items()}
        ranks = dict(zip(labels, np.concatenate([known, found]).T, strict=True))
        guessed = np.full((rows, len(labels)), np.nan)
        if len(tested):
            guessed[len(target) - len(tested):] = self._guessed(products, tested)
        intent = Intent({"its sub-category": self.fits, "what completes it": self.complements, "one of two brands": self.brand,
                         "each step from its price": -self.price}, self.popularity)
        return Made(pa.table(columns), Truth({}, ranks=ranks, guesses=dict(zip(labels, guessed.T, strict=True)), intent=intent,
                                              completes=Completes("subcategory", products.complement), formula=self.formula),
                    catalogue=_catalogue(products, titles, length))

    def _products(self, rng: np.random.Generator) -> Products:
        subcategory = rng.integers(0, SUBCATEGORIES, PRODUCTS)
        brand, price = rng.integers(0, BRANDS, PRODUCTS), rng.integers(0, PRICES, PRODUCTS)
        popularity = self.popularity * rng.standard_normal(PRODUCTS)
        new = np.zeros(PRODUCTS, dtype=bool)
        new[rng.permutation(PRODUCTS)[:round(self.new * PRODUCTS)]] = True
        # Each sub-category is completed by one of another category.
        complement = (np.arange(SUBCATEGORIES) + PER_CATEGORY * rng.integers(1, CATEGORIES)) % SUBCATEGORIES
        return Products(subcategory, brand, price, popularity, new, complement)

    def _sessions(self, rng: np.random.Generator, products: Products, wanted: int, prefixes: Sequence[int],
                  only_known: bool) -> tuple[np.ndarray, np.ndarray]:
        """(session, place) products, and (session × prefix, task) ranks of what follows the first products by the true weights. A
        session with a new product among those that are seen is left out, and with `only_known` one whose last is new, too."""
        items, ranks, kept = [], [], 0
        while kept < wanted:
            drawn, weights = self._draw(rng, products)
            new = products.new[drawn]
            good = np.flatnonzero(~(new if only_known else new[:, :SEEN]).any(axis=1))[:wanted - kept]
            drawn, weights = drawn[good], np.exp(weights[good])
            items.append(drawn)
            each = [_ranks(drawn, weights, products.subcategory, seen) for seen in prefixes]
            ranks.append(np.stack(each, axis=1).reshape(-1, 3))
            kept += len(good)
        return np.concatenate(items), np.concatenate(ranks)

    def _guessed(self, products: Products, items: np.ndarray) -> np.ndarray:
        """(session, task) ranks of the last product by what the others tell."""
        own, steps = np.eye(SUBCATEGORIES), np.abs(np.subtract.outer(np.arange(PRICES), np.arange(PRICES)))
        popular = np.exp(np.where(products.new, self.popularity ** 2 / 2, products.popularity))
        shop = Shop(*products[:3], popular, np.exp(self.fits * own + self.complements * own[products.complement]),
                    np.exp(-self.price * steps), float(np.exp(self.brand)), BRANDS)
        ranks, start = [], 0
        for found in guesses(shop, items[:, :-1]):
            ranks.append(_places(found, items[start:start + len(found), -1], products.subcategory))
            start += len(found)
        return np.concatenate(ranks)

    def by_attributes(self, made: Made, rows: np.ndarray) -> np.ndarray:
        """(row, task) places of what follows by the best guess of one who knows no product's popularity; rows: those of whom four
        products are known."""
        about = [made.catalogue[name].to_numpy() for name in ("subcategory", "brand", "price")]
        products = Products(*about, np.zeros(PRODUCTS), np.zeros(PRODUCTS, dtype=bool), made.truth.completes.partner)
        past = np.array(made.table["session.product"].take(rows).to_pylist())
        return self._guessed(products, np.column_stack([past, made.table["next_item"].to_numpy()[rows]]))

    def _draw(self, rng: np.random.Generator, products: Products) -> tuple[np.ndarray, np.ndarray]:
        """(session, place) products of a chunk of sessions, and (session, product) logarithms of their weights."""
        intent = rng.integers(0, SUBCATEGORIES, CHUNK)[:, None]
        first, second = rng.integers(0, BRANDS, CHUNK)[:, None], rng.integers(0, BRANDS, CHUNK)[:, None]
        price = rng.integers(0, PRICES, CHUNK)[:, None]
        weights = (self.fits * (products.subcategory == intent) + self.complements * (
            products.subcategory == products.complement[intent]) + self.brand * (
            (products.brand == first) | (products.brand == second)) - self.price * np.abs(products.price - price)
            + products.popularity)
        # Gumbel noise on the logarithms: the five largest, from the largest on, are draws without repetition.
        keys = weights + rng.gumbel(size=weights.shape)
        top = np.argpartition(-keys, SEEN + 1, axis=1)[:, :SEEN + 1]
        order = np.argsort(-np.take_along_axis(keys, top, axis=1), axis=1)
        return np.take_along_axis(top, order, axis=1), weights


def _ranks(items: np.ndarray, weights: np.ndarray, subcategory: np.ndarray, seen: int) -> np.ndarray:
    """(session, task) the places of what follows the first `seen` by the weights of all products but those."""
    left = weights.copy()
    np.put_along_axis(left, items[:, :seen], 0.0, axis=1)
    return _places(left, items[:, seen], subcategory)


def _places(mass: np.ndarray, target: np.ndarray, subcategory: np.ndarray) -> np.ndarray:
    """(session, product) amounts, (session,) what follows → (session, task) its place, and that of its category and sub-category
    by what their products add up to."""
    within = mass @ np.eye(SUBCATEGORIES)[subcategory]                                       # (session, sub-category)
    whole = within.reshape(-1, CATEGORIES, PER_CATEGORY).sum(axis=2)
    classes = ((mass, target), (whole, subcategory[target] // PER_CATEGORY), (within, subcategory[target]))
    return np.stack([1.0 + (mass > np.take_along_axis(mass, own[:, None], axis=1)).sum(axis=1) for mass, own in classes], axis=1)


def _titles(rng: np.random.Generator, subcategory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(product, place) words and (product,) their number: two of the sub-category's ten, then up to three of a hundred others."""
    own = subcategory[:, None] * OWN + rng.integers(0, OWN, (PRODUCTS, 2))
    other = rng.integers(SUBCATEGORIES * OWN, WORDS, (PRODUCTS, TITLE - 2))
    return np.concatenate([own, other], axis=1), rng.integers(2, TITLE + 1, PRODUCTS)


def _catalogue(products: Products, titles: np.ndarray, length: np.ndarray) -> pa.Table:
    columns = {"product": np.arange(PRODUCTS), "category": products.subcategory // PER_CATEGORY,
               "subcategory": products.subcategory, "brand": products.brand, "price": products.price}
    return pa.table({name: values.astype(np.int32) for name, values in columns.items()}
                    | {"title.word": recipes.lists(titles, np.arange(TITLE) < length[:, None])})


WORLD = Sessions()
