"""What the world of lists draws: short videos, what was watched before them, and what the phone alone knows."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

CATEGORIES = ("kids", "comedy", "music", "food", "pets", "sport", "travel", "news")
WATCHED, SHORTEST = 10, 4
LEVEL_EDGES = (-1.5, -0.9, -0.3, 0.3, 0.9, 1.5)
AGO_EDGES = (1.0, 3.0, 6.0, 10.0, 15.0)
FEEDBACK = ("none", "liked")
NOISE, RECEIVED = 0.3, 0.35
NETWORKS = {"wifi": (0.4, 0.0), "good": (0.3, 2.0), "weak": (0.2, 5.0), "bad": (0.1, 9.0)}
"""By name: its share of the requests, and the seconds that must be loaded for a video to play without standing still."""
LOADED = 3.0  # seconds, the mean of an exponential, whatever the network


class Videos(NamedTuple):
    """Arrays of one shape: category, true appeal and stay, and the server's noisy scores of both."""

    category: np.ndarray
    appeal: np.ndarray
    stay: np.ndarray
    view_score: np.ndarray
    stay_score: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator, means: tuple[np.ndarray, np.ndarray], shape: tuple[int, int]) -> Videos:
        """New ones; means: of appeal and of stay, by category."""
        category = rng.integers(0, len(CATEGORIES), shape)
        appeal, stay = means[0][category] + rng.normal(0.0, 0.9, shape), means[1][category] + rng.normal(0.0, 0.6, shape)
        return cls(category, appeal, stay, appeal + rng.normal(0.0, NOISE, shape), stay + rng.normal(0.0, NOISE, shape))

    def take(self, index: np.ndarray) -> Videos:
        """Some of them; the arrays are flattened first."""
        return Videos(*(values.reshape(-1)[index] for values in self))


class Watched(NamedTuple):
    """What was watched before, newest first, (list, position): category, score in levels, feedback (0 or 1), minutes, mask."""

    category: np.ndarray
    level: np.ndarray
    feedback: np.ndarray
    ago: np.ndarray
    mask: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator, lists: int) -> Watched:
        """A past for each list."""
        mask = np.arange(WATCHED) < rng.integers(SHORTEST, WATCHED + 1, lists)[:, None]
        category, score = rng.integers(0, len(CATEGORIES), mask.shape), rng.normal(0.0, 1.0, mask.shape)
        feedback = (rng.random(mask.shape) < RECEIVED) & mask
        ago = np.cumsum(rng.exponential(1.0, mask.shape), axis=1)
        return cls(category, levels(score), feedback.astype(np.int64), np.digitize(ago, AGO_EDGES), mask)

    def take(self, index: np.ndarray) -> Watched:
        """The past of some lists."""
        return Watched(*(values[index] for values in self))

    def liked(self, category: np.ndarray) -> np.ndarray:
        """(list,) → (list, position) 1 where a past video is of the list's category and had feedback."""
        return ((self.category == category[:, None]) * self.feedback).astype(np.float32)

    def matches(self, category: np.ndarray) -> np.ndarray:
        """(list, video) → the same shape: how many past videos of the video's category had feedback."""
        return np.stack([self.liked(column).sum(axis=1) for column in category.T], axis=1)


class Phone(NamedTuple):
    """Arrays of one shape, videos of a list side by side: the network, one for each list, and how many seconds are loaded."""

    network: np.ndarray
    buffer: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Phone:
        """The networks of all lists, then the buffers of their videos."""
        network = rng.choice(len(NETWORKS), (shape[0], 1), p=[share for share, _ in NETWORKS.values()])
        return cls(np.broadcast_to(network, shape), rng.exponential(LOADED, shape))

    @property
    def stalls(self) -> np.ndarray:
        """Seconds for which a video stands still: those that its network needs in advance, less those that are loaded."""
        needed = np.array([seconds for _, seconds in NETWORKS.values()])
        return np.maximum(needed[self.network] - self.buffer, 0.0)

    def take(self, index: np.ndarray) -> Phone:
        """Of some videos; the arrays are flattened first."""
        return Phone(*(values.reshape(-1)[index] for values in self))


def levels(score: np.ndarray) -> np.ndarray:
    """Scores in seven levels."""
    return np.digitize(score, LEVEL_EDGES)
