"""Headlines: a grammar of 600 words for the titles of news, with what each word is there for.

A title has two words of its topic, up to two names, a word of bait where it is bait, and words that say nothing. A name is a
first and a last name, or one word. A last name by itself is an ordinary word («Park»), so that a tag depends on what stands
before it.
"""
from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from rankzoo.data.names import TOPICS as TOPIC_NAMES

TOPICS, OWN = 24, 10  # topics, and words of each
FIRST, LAST, SINGLE, BAIT, PLAIN = 48, 32, 24, 16, 240
STARTS = np.cumsum((0, TOPICS * OWN, FIRST, LAST, SINGLE, BAIT, PLAIN)).tolist()
WORDS = STARTS[-1]
NAMES = FIRST + SINGLE
SHORTEST, LONGEST = 10, 14
TAGS = ("O", "B", "I")
_SYLLABLES = tuple(a + b for a in "bdfgklmnprstv" for b in "aeiou")


class Headlines(NamedTuple):
    """words, tags, carries (whether a word carries the topic): (item, place) · length: (item,) · names: (item, 2), −1 for
    none."""

    words: np.ndarray
    tags: np.ndarray
    carries: np.ndarray
    length: np.ndarray
    names: np.ndarray


def write(rng: np.random.Generator, topic: np.ndarray, category: np.ndarray, bait: np.ndarray, tells: float) -> Headlines:
    """Titles for news of these topics and categories: (item,) each."""
    count, categories = len(topic), int(category.max()) + 1
    words, tags = np.zeros((count, LONGEST), dtype=int), np.zeros((count, LONGEST), dtype=int)
    carries, names = np.zeros((count, LONGEST), dtype=bool), np.full((count, 2), -1)
    length = rng.integers(SHORTEST, LONGEST + 1, count)
    for i in range(count):
        pieces = [[word] for word in topic[i] * OWN + rng.permutation(OWN)[:2]]
        pieces += [[STARTS[4] + rng.integers(BAIT)]] if bait[i] else []
        for place in range(rng.choice(3, p=(0.2, 0.6, 0.2))):
            alike = rng.random() < tells
            among = np.flatnonzero(category_of(np.arange(NAMES), categories) == category[i]) if alike else np.arange(NAMES)
            names[i, place] = rng.choice(among)
            pieces.append(spelled(names[i, place]))
        left = length[i] - sum(map(len, pieces))
        pieces += [[STARTS[2] + rng.integers(LAST) if rng.random() < 0.1 else STARTS[5] + rng.integers(PLAIN)]
                   for _ in range(left)]
        order = [pieces[k] for k in rng.permutation(len(pieces))]
        words[i, :length[i]] = [word for piece in order for word in piece]
        tags[i, :length[i]] = [tag for piece in order for tag in _tags(piece)]
        carries[i, :length[i]] = words[i, :length[i]] < STARTS[1]
    return Headlines(words, tags, carries, length, names)


def spelled(name: int) -> list[int]:
    """The words of a name: a first and a last one, or one by itself."""
    return [STARTS[1] + name, STARTS[2] + name * 5 % LAST] if name < FIRST else [STARTS[3] + name - FIRST]


def category_of(name: np.ndarray, categories: int) -> np.ndarray:
    """The category that a name belongs to: as many two-word and one-word names for each."""
    return np.where(name < FIRST, name * categories // FIRST, (name - FIRST) * categories // SINGLE)


def _tags(piece: list[int]) -> list[int]:
    """O for a word that is no name, B for the first word of one, I for the second."""
    named = STARTS[1] <= piece[0] < STARTS[2] or STARTS[3] <= piece[0] < STARTS[4]
    return [1, 2][:len(piece)] if named else [0]


def places(titles: Headlines, topic: np.ndarray, category: np.ndarray, conflict: float, tells: float) -> np.ndarray:
    """(item,) the place of a title's category by its true probability given topic and names, ties sharing theirs."""
    categories = int(category.max()) + 1
    mass = np.full((len(topic), categories), conflict / categories)
    mass[np.arange(len(topic)), topic * categories // TOPICS] += 1 - conflict
    belongs = np.eye(categories)[category_of(np.arange(NAMES), categories)]                  # (name, category)
    told = tells * belongs / (NAMES // categories) + (1 - tells) / NAMES
    for each in titles.names.T:
        mass *= np.where((each >= 0)[:, None], told[each], 1.0)
    own = mass[np.arange(len(topic)), category][:, None]
    like = np.isclose(mass, own, rtol=1e-9)
    return 0.5 + ((mass > own) & ~like).sum(axis=1) + like.sum(axis=1) / 2


@cache
def spelling() -> tuple[str, ...]:
    """Every word by its name."""
    return tuple(map(word_name, range(WORDS)))


def word_name(word: int) -> str:
    """«jazz-4» for a word of a topic, «Deko» and «Lubason» for names, «wow-2» for bait, «nali» for the rest."""
    group = int(np.searchsorted(STARTS, word, side="right")) - 1
    number = word - STARTS[group]
    if group == 0:
        return f"{TOPIC_NAMES[number // OWN].replace(' ', '-')}-{number % OWN + 1}"
    made = _SYLLABLES[number * 7 % len(_SYLLABLES)] + _SYLLABLES[(number * 11 + number // len(_SYLLABLES) + 3) % len(_SYLLABLES)]
    return {1: made.title(), 2: f"{made.title()}son", 3: f"{made.title()}ville", 4: f"wow-{number + 1}", 5: made}[group]
