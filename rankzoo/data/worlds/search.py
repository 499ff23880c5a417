"""`search`: what a shopper who types a few words is shown, clicks and buys, of a catalogue that was never shown as a whole.

Recipe of RankZoo for retrieval (after the setting of Zheng et al., 2022, MOPPR, and Li et al., KDD 2021). A query names a
category and two properties; an item is relevant if it is of that category and its title names one of them. In each category a
shopper likes two brands, which only past clicks tell: those in the category of the query are the ones that matter, and there
may be none. Of the relevant items twelve are shown, four of them clicked and one of these bought, each time drawn without
repetition by the one true score; twelve more that are relevant and sixteen that are not complete the list of a request.

More than 250 lines, because items, queries, shoppers and lists are drawn one from the other and read together.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.later import pa
from rankzoo.data.recipes import GRADE, LISTED
from rankzoo.data.truths import Intent, ListScores, Relevance, Suits, Truth
from rankzoo.data.world import Made, World, check_rows
from rankzoo.schema import Catalogue, Feature, Grades, History, HistoryField, Schema, Task

NAMES = ("dress", "sneaker", "phone", "lamp", "chair", "jacket", "watch", "kettle", "tent", "backpack", "blanket", "keyboard",
         "sofa", "mirror", "scarf", "camera", "bicycle", "teapot", "curtain", "helmet")
BRANDS = ("Aiko", "Belmond", "Drift", "Fjord", "Halo", "Mira")
PROPERTIES = ("red", "blue", "cotton", "leather", "slim", "large", "soft", "vintage", "summer", "waterproof", "striped", "light",
              "classic", "wireless", "portable", "handmade")
FILLERS = ("new", "sale", "gift", "original", "set", "style", "quality", "best")
EACH, PROPERTIES_EACH = 25, 3  # items of a brand in a category; properties that a title names
PER_CATEGORY = EACH * len(BRANDS)
ITEMS = PER_CATEGORY * len(NAMES)
WORDS = (*NAMES, *BRANDS, *PROPERTIES, *FILLERS)
BRANDED, PROPER, FILL = (len(NAMES), len(NAMES) + len(BRANDS), len(NAMES) + len(BRANDS) + len(PROPERTIES))
TITLE, QUERY, EARLIER = 6, 4, 9
USERS, QUERIES, LIKED, FAVOURITES, FEWEST = 2_000, 300, 2, 3, 30
LENGTHS = {"real_time": 10, "short_term": 20, "long_term": 20}
NOW = {"real_time": 0.5, "short_term": 0.0, "long_term": 0.0}  # share of clicks about what is asked for, where it is a favourite
SHOWN, CLICKED, RELEVANT, OTHERS, CHUNK = 12, 4, 12, 16, 1_000
TASKS = ("relevance", "exposure", "click", "purchase")
LOWEST = -100.0


class Items(NamedTuple):
    """The catalogue. brand, quality: (item,) · names: (item, property) bool, what its title names · titles: (item, place) words,
    −1 behind the last."""

    brand: np.ndarray
    quality: np.ndarray
    names: np.ndarray
    titles: np.ndarray


class Queries(NamedTuple):
    """What may be asked. category: (query,) · words: (query, place), −1 behind the last · shared: (query, item of its category)
    how many of the two properties its title names."""

    category: np.ndarray
    words: np.ndarray
    shared: np.ndarray


class Requests(NamedTuple):
    """Who asks what. query: (row,) · focused: (row,) whether its category is a favourite · liked: (row, category, brand) bool ·
    favourites: (row, place) categories."""

    query: np.ndarray
    focused: np.ndarray
    liked: np.ndarray
    favourites: np.ndarray


@dataclass(frozen=True)
class Search(World):
    """Requests with a list of forty. brand: what a liked brand adds to the true score of a relevant item · word: each property
    beyond the first · quality: sd of what an item has of its own · exposure, click, purchase: how sharply each choice follows the
    score · faithful: share of past clicks that are of a liked brand · focused: share of queries in a favourite category."""

    brand: float = 2.0
    word: float = 1.0
    quality: float = 0.5
    exposure: float = 0.8
    click: float = 1.2
    purchase: float = 2.0
    faithful: float = 0.85
    focused: float = 0.8

    name: ClassVar[str] = "search"
    title: ClassVar[str] = "Search: graded lists"
    sentence: ClassVar[str] = "A query, three histories of clicks, and lists of what was relevant, shown, clicked and bought."
    formula: ClassVar[str] = (r"s_i = 2\,[b_i \in B_{u,c}] + (m_i - 1) + q_i \text{ if } c_i = c,\ m_i \ge 1,\quad"
                              r" P(\text{shown}) \propto e^{0.8 s},\ P(\text{clicked}) \propto e^{1.2 s},\quad"
                              r" P(\text{bought}) \propto e^{2 s}")
    rows: ClassVar[int] = 20_000
    test_share: ClassVar[float] = 0.15

    @property
    def schema(self) -> Schema:
        """Nothing but what the shopper typed and clicked; one score for four tasks, each within the one before."""
        tasks = tuple(Task(name, "class", "item") for name in TASKS)
        words = HistoryField("word", len(WORDS) + 1, "item.title")
        clicks = tuple(History(name, length, (HistoryField("item", ITEMS + 1, "item"),)) for name, length in LENGTHS.items())
        about = (Feature("item", "categorical", ITEMS + 1, "item"), Feature("category", "categorical", len(NAMES) + 1, "item"),
                 Feature("brand", "categorical", len(BRANDS) + 1, "item"))
        title = History("title", TITLE, (HistoryField("word", len(WORDS) + 1),))
        return Schema((), tasks, (History("query", QUERY, (words,)), History("earlier", EARLIER, (words,)), *clicks),
                      catalogue=Catalogue("item", Schema(about, (), (title,))),
                      grades=Grades(SHOWN + RELEVANT + OTHERS, TASKS, "query", "title", "category"))

    @property
    def task_rates(self) -> Mapping[str, float]:
        """No task has a rate: all labels are items."""
        return {}

    def label(self, field: str, value: int) -> str:
        """Words, brands and categories as they are; an item by its category, which is all that its number tells."""
        last = field.rpartition(".")[2]
        if last == "item":
            return f"{NAMES[value // PER_CATEGORY]} {value % PER_CATEGORY + 1} · {NAMES[value // PER_CATEGORY]}"
        known = {"word": WORDS, "title": WORDS, "brand": BRANDS, "category": NAMES}
        return known[last][value] if last in known else super().label(last, value)

    def worth(self) -> Mapping[str, Mapping[str, float]]:
        """A past click says something where it is in the category that is asked for."""
        return {"category of the past click": {"that of the query": 1.0, "another": 0.0}}

    def make(self, rows: int, seed: int) -> Made:
        """Items, queries, shoppers, requests, their past, their lists, then the item of each list that a task is asked for: in
        this order from one generator."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        items = self._items(rng)
        queries = _queries(rng, items)
        asked = self._requests(rng, queries, rows)
        past = {name: self._past(rng, asked, queries, name) for name in LENGTHS}
        earlier = _earlier(rng, asked, queries)
        score = self._scores(items, queries, asked)                                              # (row, item of the category)
        listed, grades = self._lists(rng, score, queries.category[asked.query])
        labels = {task: _drawn(rng, listed, grades > i) for i, task in enumerate(TASKS)}
        words = queries.words[asked.query]
        columns = {"query.word": recipes.lists(words, words >= 0), "earlier.word": recipes.lists(earlier, earlier >= 0)}
        columns |= {f"{name}.item": recipes.lists(ids, ids >= 0) for name, ids in past.items()}
        columns |= {task: values.astype(np.int32) for task, values in labels.items()}
        everywhere = np.ones(listed.shape, dtype=bool)
        columns |= {LISTED: recipes.lists(listed, everywhere), GRADE: recipes.lists(grades, everywhere)}
        return Made(pa.table(columns), self._truth(asked, queries, past, score, listed, labels), catalogue=_catalogue(items))

    def _items(self, rng: np.random.Generator) -> Items:
        """25 items of each brand in each category; a title has the category, the brand, three properties and often a filler."""
        brand = np.tile(np.repeat(np.arange(len(BRANDS)), EACH), len(NAMES))
        chosen = rng.permuted(np.tile(np.arange(len(PROPERTIES)), (ITEMS, 1)), axis=1)[:, :PROPERTIES_EACH]
        names = np.zeros((ITEMS, len(PROPERTIES)), dtype=bool)
        np.put_along_axis(names, chosen, True, axis=1)
        filler = np.where(rng.random(ITEMS) < 0.7, FILL + rng.integers(0, len(FILLERS), ITEMS), -1)
        titles = np.column_stack([np.arange(ITEMS) // PER_CATEGORY, BRANDED + brand, PROPER + chosen, filler])
        return Items(brand, self.quality * rng.standard_normal(ITEMS), names, titles)

    def _requests(self, rng: np.random.Generator, queries: Queries, rows: int) -> Requests:
        """A shopper likes two brands in each category and has three favourite categories, in which most queries are."""
        liked = rng.random((USERS, len(NAMES), len(BRANDS))).argsort(axis=2) < LIKED
        favourites = rng.random((USERS, len(NAMES))).argsort(axis=1)[:, :FAVOURITES]
        user = rng.integers(0, USERS, rows)
        inside = favourites[user, rng.integers(0, FAVOURITES, rows)]
        focused = rng.random(rows) < self.focused
        category = np.where(focused, inside, rng.integers(0, len(NAMES), rows))
        each = QUERIES // len(NAMES)  # queries stand by category
        return Requests(category * each + rng.integers(0, each, rows), focused, liked[user], favourites[user])

    def _past(self, rng: np.random.Generator, asked: Requests, queries: Queries, name: str) -> np.ndarray:
        """(row, place) items clicked, newest first, −1 behind the last: in a favourite category, mostly of a liked brand."""
        rows, length = len(asked.query), LENGTHS[name]
        place = np.arange(rows)[:, None]
        category = asked.favourites[place, rng.integers(0, FAVOURITES, (rows, length))]
        now = (rng.random((rows, length)) < NOW[name]) & asked.focused[:, None]
        category = np.where(now, queries.category[asked.query][:, None], category)
        order = np.argsort(~asked.liked, axis=2, kind="stable")[..., :LIKED]                     # (row, category, liked brand)
        brand = order[place, category, rng.integers(0, LIKED, (rows, length))]
        brand = np.where(rng.random((rows, length)) < self.faithful, brand, rng.integers(0, len(BRANDS), (rows, length)))
        items = category * PER_CATEGORY + brand * EACH + rng.integers(0, EACH, (rows, length))
        return np.where(np.arange(length) < rng.integers(0, length + 1, (rows, 1)), items, -1)

    def _scores(self, items: Items, queries: Queries, asked: Requests) -> np.ndarray:
        """(row, item of the query's category) the true score, −100 of what is not relevant."""
        category, rows = queries.category[asked.query], np.arange(len(asked.query))
        by_category = [values.reshape(len(NAMES), PER_CATEGORY) for values in (items.brand, items.quality)]
        likes = np.take_along_axis(asked.liked[rows, category], by_category[0][category], axis=1)
        shared = queries.shared[asked.query]
        score = self.brand * likes + self.word * (shared - 1) + by_category[1][category]
        return np.where(shared > 0, score, LOWEST)

    def _lists(self, rng: np.random.Generator, score: np.ndarray, category: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(row, place) items and their grades. Gumbel noise on a sharpened score: the largest are draws without repetition."""
        rows = len(score)
        relevant = score > LOWEST

        def drawn(sharp: float, among: np.ndarray, many: int) -> np.ndarray:
            keys = np.where(among, sharp * score + rng.gumbel(size=score.shape), -np.inf)
            return np.argpartition(-keys, many - 1, axis=1)[:, :many]

        def only(places: np.ndarray) -> np.ndarray:
            found = np.zeros(score.shape, dtype=bool)
            np.put_along_axis(found, places, True, axis=1)
            return found

        shown = drawn(self.exposure, relevant, SHOWN)
        clicked = drawn(self.click, only(shown), CLICKED)
        bought = drawn(self.purchase, only(clicked), 1)
        beside = drawn(0.0, relevant & ~only(shown), RELEVANT)
        grade = only(shown) * 2 + only(clicked) * 1 + only(bought) * 1 + only(beside) * 1
        inside = np.concatenate([shown, beside], axis=1)
        listed = np.concatenate([category[:, None] * PER_CATEGORY + inside, _others(rng, relevant, category)], axis=1)
        grades = np.concatenate([np.take_along_axis(grade, inside, axis=1), np.zeros((rows, OTHERS), dtype=int)], axis=1)
        order = np.argsort(-grades, axis=1, kind="stable")
        return np.take_along_axis(listed, order, axis=1), np.take_along_axis(grades, order, axis=1)

    def _truth(self, asked: Requests, queries: Queries, past: Mapping[str, np.ndarray], score: np.ndarray, listed: np.ndarray,
               labels: Mapping[str, np.ndarray]) -> Truth:
        """The place of each asked item by the true score, what past clicks match, and the true scores of the lists."""
        category = queries.category[asked.query]
        own = {task: np.take_along_axis(score, (item % PER_CATEGORY)[:, None], axis=1) for task, item in labels.items()}
        ranks = {task: 1.0 + (score > value).sum(axis=1) for task, value in own.items()}
        matches = tuple(Relevance(name, ((ids >= 0) & (ids // PER_CATEGORY == category[:, None])).astype(float),
                                  (ids >= 0).astype(float)) for name, ids in past.items())
        inside = np.take_along_axis(score, listed % PER_CATEGORY, axis=1)
        scores = ListScores(np.where(listed // PER_CATEGORY == category[:, None], inside, LOWEST))
        adds = {"a brand that the shopper likes": self.brand, "each property beyond the first": self.word}
        whole = np.zeros((QUERIES, ITEMS), dtype=bool)
        inside = queries.category[:, None] * PER_CATEGORY + np.arange(PER_CATEGORY)
        np.put_along_axis(whole, inside, queries.shared > 0, axis=1)
        return Truth({}, ranks=ranks, relevance=matches[0], beside=matches[1:], intent=Intent(adds, self.quality), listed=scores,
                     suits=Suits(asked.query, whole), formula=self.formula)


def _queries(rng: np.random.Generator, items: Items) -> Queries:
    """Fifteen queries in each category, each with two properties that at least thirty of its items name, and often a filler."""
    category = np.repeat(np.arange(len(NAMES)), QUERIES // len(NAMES))
    own = items.names.reshape(len(NAMES), PER_CATEGORY, -1)[category]                            # (query, item, property)
    pairs = np.zeros((QUERIES, 2), dtype=int)
    for i in range(QUERIES):
        while pairs[i, 0] == pairs[i, 1] or own[i][:, pairs[i]].any(axis=1).sum() < FEWEST:
            pairs[i] = rng.integers(0, len(PROPERTIES), 2)
    shared = np.take_along_axis(own, pairs[:, None, :], axis=2).sum(axis=2)
    filler = np.where(rng.random(QUERIES) < 0.5, FILL + rng.integers(0, len(FILLERS), QUERIES), -1)
    return Queries(category, np.column_stack([PROPER + pairs[:, 0], PROPER + pairs[:, 1], category, filler]), shared)


def _earlier(rng: np.random.Generator, asked: Requests, queries: Queries) -> np.ndarray:
    """(row, place) words of up to three earlier queries in favourite categories, −1 behind the last."""
    each, rows, many = QUERIES // len(NAMES), len(asked.query), EARLIER // 3
    category = asked.favourites[np.arange(rows)[:, None], rng.integers(0, FAVOURITES, (rows, many))]
    words = queries.words[category * each + rng.integers(0, each, (rows, many)), :3]             # (row, query, place)
    return np.where(np.arange(EARLIER) < 3 * rng.integers(0, many + 1, (rows, 1)), words.reshape(rows, -1), -1)


def _others(rng: np.random.Generator, relevant: np.ndarray, category: np.ndarray) -> np.ndarray:
    """(row, place) different items, as likely one as the other, of those that are not relevant: a part of the rows at a time."""
    found = []
    for start in range(0, len(relevant), CHUNK):
        here = relevant[start:start + CHUNK]
        keys = rng.random((len(here), ITEMS), dtype=np.float32)
        own = category[start:start + CHUNK, None] * PER_CATEGORY + np.arange(PER_CATEGORY)
        np.put_along_axis(keys, own, np.where(here, 2.0, np.take_along_axis(keys, own, axis=1)), axis=1)
        found.append(np.argpartition(keys, OTHERS, axis=1)[:, :OTHERS])
    return np.concatenate(found)


def _drawn(rng: np.random.Generator, listed: np.ndarray, among: np.ndarray) -> np.ndarray:
    """(row,) one of the listed items that are marked, each as likely as the other."""
    place = np.where(among, rng.random(listed.shape), -1.0).argmax(axis=1)
    return listed[np.arange(len(listed)), place]


def _catalogue(items: Items) -> pa.Table:
    columns = {"item": np.arange(ITEMS), "category": np.arange(ITEMS) // PER_CATEGORY, "brand": items.brand}
    return pa.table({name: values.astype(np.int32) for name, values in columns.items()}
                    | {"title.word": recipes.lists(items.titles, items.titles >= 0)})


WORLD = Search()
