"""`readers`: the headlines of `news`, for readers who come back and are known by an id.

Recipe of RankZoo for long- and short-term interests (after the setting of An et al., ACL 2019, LSTUR). Each of 150 readers has
three topics for good, and every visit draws three for the day, each from all topics: two may be the same, or one for good. What
was clicked before is mostly of the day's topics; what is shown is of both; and a topic for good adds to a score, whatever was
clicked. So a history tells what a reader wants today, and an id tells what it cannot.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from rankzoo.data.worlds.news import LIKED, TOPICS, News, Readers, past
from rankzoo.schema import Feature, Schema


@dataclass(frozen=True)
class Returning(News):
    """Beside the knobs of `news`: persons: how many readers there are · lasting: what a topic for good adds to a score."""

    persons: int = 150
    lasting: float = 3.5
    pull: float = 1.5

    name: ClassVar[str] = "readers"
    title: ClassVar[str] = "News: readers who return"
    sentence: ClassVar[str] = ("Clicks among five headlines: past clicks tell the topics of the day, the reader's id those that "
                               "last.")
    formula: ClassVar[str] = (r"P(\mathrm{click} \mid c) = \sigma(1.5 \sum_j r_j + 3.5\,\mathbb{1}[\mathrm{topic}_c \in "
                              r"\mathrm{lasting}_u] + q_c + b)")

    @property
    def schema(self) -> Schema:
        """That of `news`, and the reader."""
        known = super().schema
        return replace(known, features=(*known.features, Feature("reader", "categorical", self.persons + 1, "user")))

    def label(self, field: str, value: int) -> str:
        """Readers by their number, all else as in `news`."""
        return f"reader {value}" if field == "reader" else super().label(field, value)

    def readers(self, rng: np.random.Generator, count: int) -> Readers:
        """Visits, in any order: whose, the day's topics, and what was clicked of those."""
        who = rng.permutation(np.arange(count) % self.persons)
        for_good = np.argsort(rng.random((self.persons, TOPICS)), axis=1)[:, :LIKED][who]
        today = rng.integers(0, TOPICS, (count, LIKED))
        taste = np.eye(TOPICS)[for_good].sum(axis=1)
        liked = (np.eye(TOPICS)[today].mean(axis=1) + taste / LIKED) / 2
        return Readers(liked, *past(rng, today), self.lasting * taste, who)


WORLD = Returning()
