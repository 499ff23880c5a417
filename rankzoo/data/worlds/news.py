"""`news`: which of five headlines a reader clicks, by the topics of what was clicked before; news are known by their titles.

Recipe of RankZoo for text as the representation of an item (after the setting of Wu et al., SIGIR 2021). 24 topics on a ring,
20 news each; a title has about twelve words, of which two carry the topic. Some titles are bait: a click on one says nothing
about its reader. Names in a title mostly are those of its category, which is three topics.
The last fifth of a topic's news comes out after training: nothing is known of it but its title.

Every reader is shown news, mostly of liked topics, and clicks or does not; of what was shown one that was clicked and four that
were not are kept. A row's true logit is that of being the clicked one, given reader and news.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rankzoo.data import headlines, recipes
from rankzoo.data.headlines import LONGEST, TAGS, TOPICS, WORDS, Headlines
from rankzoo.data.later import pa
from rankzoo.data.names import item_name
from rankzoo.data.truths import Relevance, Truth, Wording
from rankzoo.data.world import Made, World, check_rows
from rankzoo.schema import Catalogue, Feature, History, HistoryField, Schema, Task

PER_TOPIC, FRESH, LIKED = 20, 4, 3  # news of a topic, those of them that come out after training, topics that a reader likes
NEWS = TOPICS * PER_TOPIC
CANDIDATES, FEWEST, MOST = 5, 4, 10  # rows of a reader, and news clicked before
CATEGORIES = ("music", "play", "outdoors", "places", "home", "going out", "sport", "culture")


class Readers(NamedTuple):
    """liked: (reader, topic) shares of what a reader is shown · clicked: (reader, position) news, the last first · mask: of the
    same shape · taste: (reader, topic) what a topic adds to a score whatever was clicked · who: (reader,) a number by which a
    reader is known, where there is one."""

    liked: np.ndarray
    clicked: np.ndarray
    mask: np.ndarray
    taste: np.ndarray
    who: np.ndarray | None = None


@dataclass(frozen=True)
class News(World):
    """One click among five. pull: weight of the summed relevance on a candidate's score · quality: sd of a news item's own appeal
    · neighbour: relevance of the next topic on the ring · bait: share of titles that are bait · tells: chance that a name is one
    of the title's category · conflict: share of news whose category has nothing to do with the topic, and so with clicks ·
    rate: of clicks on what is shown, before one click and four others are kept."""

    pull: float = 2.2
    quality: float = 0.3
    neighbour: float = 0.3
    bait: float = 0.35
    tells: float = 0.7
    conflict: float = 0.0
    rate: float = 1 / CANDIDATES

    name: ClassVar[str] = "news"
    title: ClassVar[str] = "News: titles"
    sentence: ClassVar[str] = "Clicks among five headlines, by the topics clicked before. Two of about twelve words tell a topic."
    formula: ClassVar[str] = (r"P(\mathrm{click} \mid c) = \sigma(2.2 \sum_j r_j + q_c + b),\quad"
                              r" r_j = \mathbb{1}[\mathrm{no\ bait}_j]\,k(\mathrm{topic}_j, \mathrm{topic}_c)")
    rows: ClassVar[int] = 30_000
    test_share: ClassVar[float] = 0.2
    page: ClassVar[int] = CANDIDATES

    @property
    def schema(self) -> Schema:
        """The candidate and the news clicked before; of each the words of its title, its category and the tags of its names."""
        item = Feature("news", "categorical", NEWS + 1, "item")
        about = (item, Feature("category", "categorical", len(CATEGORIES) + 1, "item"))
        word = HistoryField("word", WORDS + 1, spelled=headlines.spelling())
        title = History("title", LONGEST, (word, HistoryField("tag", len(TAGS) + 1)))
        past = History("clicked", MOST, (HistoryField("news", NEWS + 1, "news"),))
        tasks = (Task("click"), Task("category", "class", "category"), Task("entities", "tags", "title.tag"))
        return Schema((item,), tasks, (past,), requests=True, catalogue=Catalogue("news", Schema(about, (), (title,))))

    @property
    def task_rates(self) -> Mapping[str, float]:
        """One of five is clicked."""
        return {"click": 1 / CANDIDATES}

    def label(self, field: str, value: int) -> str:
        """News by a made-up name and the topic, categories and words by theirs."""
        if field.endswith("category"):
            return CATEGORIES[value]
        if field.endswith(("word", "title")):
            return headlines.word_name(value)
        return TAGS[value] if field.endswith("tag") else item_name(value, PER_TOPIC)

    def worth(self) -> Mapping[str, Mapping[str, float]]:
        """By topic and by kind of title."""
        return {"topic": {"same": 1.0, "next on the ring": self.neighbour, "any other": 0.0},
                "title": {"says what it is about": 1.0, "bait": 0.0}}

    def make(self, rows: int, seed: int) -> Made:
        """Categories and titles of the news, their appeal, readers, what each clicked and what not: in this order from one
        generator."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        topic = np.arange(NEWS) // PER_TOPIC
        category = topic * len(CATEGORIES) // TOPICS
        category = np.where(rng.random(NEWS) < self.conflict, rng.integers(0, len(CATEGORIES), NEWS), category)
        bait = rng.random(NEWS) < self.bait
        titles = headlines.write(rng, topic, category, bait, self.tells)
        appeal = self.quality * rng.standard_normal(NEWS)
        readers = self.readers(rng, -(-rows // CANDIDATES))
        fit = (rows - len(self.parts(rows)["test"])) // CANDIDATES

        own = readers.mask * ~bait[readers.clicked]                                         # (reader, position)
        kernel = own[:, :, None] * self._likeness(topic[readers.clicked][:, :, None], np.arange(TOPICS))
        score = self.pull * kernel.sum(axis=1)[:, topic] + appeal + readers.taste[:, topic]  # (reader, news)
        odds, candidates, place = self._shown(rng, score, _offered(readers, fit))

        flat = lambda each: each.reshape(-1, *each.shape[2:])[:rows]                        # noqa: E731
        again = lambda each: np.repeat(each, CANDIDATES, axis=0)[:rows]                     # noqa: E731
        raw = flat(np.take_along_axis(score - odds[:, None], candidates, axis=1))
        kernel = flat(np.take_along_axis(kernel.transpose(0, 2, 1), topic[candidates][:, :, None], axis=1))
        news, click = flat(candidates), flat(np.arange(CANDIDATES) == place[:, None])
        columns = {"news": news, "category": category[news], "entities": news, "group": again(np.arange(len(score)))}
        columns |= {} if readers.who is None else {"reader": again(readers.who)}
        columns = {name: pa.array(values.astype(np.int32)) for name, values in columns.items()}
        columns |= {"clicked.news": recipes.lists(again(readers.clicked), again(readers.mask)), "click": click.astype(np.int8)}
        places = headlines.places(titles, topic, category, self.conflict, self.tells)
        truth = Truth({"click": raw + recipes.intercept(raw, 1 / CANDIDATES)}, ranks={"category": places[news]},
                      relevance=Relevance("clicked", kernel.astype(np.float32), again(own).astype(np.float32)),
                      wording=Wording("title", titles.carries, ("entities",)), formula=self.formula)
        return Made(pa.table(columns), truth, catalogue=_catalogue(category, titles))

    def readers(self, rng: np.random.Generator, count: int) -> Readers:
        """Readers with three liked topics each, drawn with replacement."""
        liked = rng.integers(0, TOPICS, (count, LIKED))
        return Readers(np.eye(TOPICS)[liked].mean(axis=1), *past(rng, liked), np.zeros((count, TOPICS)))

    def _shown(self, rng: np.random.Generator, score: np.ndarray, offered: np.ndarray
               ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of scores and shares (reader, news): (reader,) log-odds that a reader clicks on what is shown, (reader, candidate) one
        news item that was clicked and four others that were not, and (reader,) the place of the first."""
        mean = lambda b: (offered * recipes.sigmoid(score + b)).sum(axis=1)                 # noqa: E731
        low, high = -40.0, 40.0
        for _ in range(40):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if mean(middle).mean() < self.rate else (low, middle)
        click = recipes.sigmoid(score + low)
        keys = lambda share: np.log(np.maximum(share, 1e-30)) + rng.gumbel(size=share.shape)  # noqa: E731
        chosen = keys(offered * click).argmax(axis=1)[:, None]
        left = keys(offered * (1 - click))
        np.put_along_axis(left, chosen, -np.inf, axis=1)
        others = np.argsort(-left, axis=1)[:, :CANDIDATES - 1]
        place = rng.integers(0, CANDIDATES, len(score))
        order = np.argsort(np.arange(CANDIDATES) != place[:, None], axis=1, kind="stable").argsort(axis=1)
        happens = mean(low)
        return np.log(happens / (1 - happens)), np.take_along_axis(np.concatenate([chosen, others], axis=1), order, axis=1), place

    def _likeness(self, past: np.ndarray, candidate: np.ndarray) -> np.ndarray:
        """1 for the same topic, `neighbour` beside it on the ring, else 0."""
        apart = np.abs(past - candidate)
        apart = np.minimum(apart, TOPICS - apart)
        return np.where(apart == 0, 1.0, np.where(apart == 1, self.neighbour, 0.0))


def past(rng: np.random.Generator, liked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of topics that readers like, (reader, liked), what each clicked and which places are filled, (reader, position): of one of
    these topics with probability .7, else of any; no news item twice, and none that comes out later."""
    count = len(liked)
    which = np.take_along_axis(liked, rng.integers(0, liked.shape[1], (count, MOST)), axis=1)
    topics = np.where(rng.random((count, MOST)) < 0.7, which, rng.integers(0, TOPICS, (count, MOST)))
    order = np.argsort(rng.random((count, PER_TOPIC - FRESH)), axis=1)[:, :MOST]
    mask = np.arange(MOST) < rng.integers(FEWEST, MOST + 1, count)[:, None]
    return topics * PER_TOPIC + order, mask


def _offered(readers: Readers, fit: int) -> np.ndarray:
    """(reader, news) the share of each news item in what a reader is shown, adding to 1: .6 of liked topics, .4 of any; nothing
    that was clicked before, and to the first `fit` readers nothing that comes out later."""
    share = np.repeat(0.6 * readers.liked + 0.4 / TOPICS, PER_TOPIC, axis=1)
    share[:fit, np.arange(NEWS) % PER_TOPIC >= PER_TOPIC - FRESH] = 0.0
    np.put_along_axis(share, readers.clicked, np.take_along_axis(share, readers.clicked, axis=1) * ~readers.mask, axis=1)
    return share / share.sum(axis=1, keepdims=True)


def _catalogue(category: np.ndarray, titles: Headlines) -> pa.Table:
    there = np.arange(LONGEST) < titles.length[:, None]
    return pa.table({"news": np.arange(NEWS, dtype=np.int32), "category": category.astype(np.int32),
                     "title.word": recipes.lists(titles.words, there), "title.tag": recipes.lists(titles.tags, there)})


WORLD = News()
