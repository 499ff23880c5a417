"""What the world of lists draws: short videos, what was watched before them, and what the phone alone knows.

How long videos last and were watched, and where they stood, come from a generator of their own: all else is as it was without.
"""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

CATEGORIES = ("kids", "comedy", "music", "food", "pets", "sport", "travel", "news")
WATCHED, SHORTEST = 10, 4
LEVEL_EDGES = (-1.5, -0.9, -0.3, 0.3, 0.9, 1.5)
AGO_EDGES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0)  # minutes
LENGTH_EDGES = (7.0, 15.0, 30.0, 60.0, 120.0, 300.0)  # seconds
SEEN_EDGES = (3.0, 7.0, 12.0, 20.0, 30.0, 60.0)  # seconds
LENGTHS = (4.0, 11.0, 22.0, 44.0, 85.0, 185.0, 600.0)
"""Seconds that stand for an interval of durations: about its median."""
COUNTS = np.array([3.0, 5.0, 8.0, 12.0, 18.0, 25.0, 30.0])
"""Seconds from which a view counts as one, by interval of durations."""
TYPICAL, SPREAD, LONGEST = 22.0, 0.9, 1800.0  # seconds: median and spread of the logarithm; cut there
PASSED = 0.6  # share of the videos shown that were watched; the others only move on the position
FARTHEST_BACK = 24
FEEDBACK = ("none", "liked")
NOISE, RECEIVED = 0.3, 0.35
NETWORKS, SHARES = ("wifi", "good", "weak", "bad"), (0.4, 0.3, 0.2, 0.1)
NEEDED = np.array([0.0, 2.0, 5.0, 9.0])  # seconds that must be loaded for a video to play without standing still, by network
LOADED = 3.0  # seconds, the mean of an exponential, whatever the network


class Videos(NamedTuple):
    """Arrays of one shape: category, true appeal and stay, the server's noisy scores of both, interval of the duration."""

    category: np.ndarray
    appeal: np.ndarray
    stay: np.ndarray
    view_score: np.ndarray
    stay_score: np.ndarray
    duration: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator, clock: np.random.Generator, means: tuple[np.ndarray, np.ndarray],
              shape: tuple[int, int]) -> Videos:
        """New ones; means: of appeal and of stay, by category."""
        category = rng.integers(0, len(CATEGORIES), shape)
        appeal, stay = means[0][category] + rng.normal(0.0, 0.9, shape), means[1][category] + rng.normal(0.0, 0.6, shape)
        return cls(category, appeal, stay, appeal + rng.normal(0.0, NOISE, shape), stay + rng.normal(0.0, NOISE, shape),
                   np.digitize(seconds(clock, shape), LENGTH_EDGES))

    @property
    def ids(self) -> dict[str, np.ndarray]:
        """What a video's columns of ids hold, and those of the histories of such videos."""
        return {"category": self.category, "duration": self.duration, "view_level": levels(self.view_score),
                "stay_level": levels(self.stay_score)}

    def take(self, index: np.ndarray) -> Videos:
        """Some of them; the arrays are flattened first."""
        return Videos(*(values.reshape(-1)[index] for values in self))


class Watched(NamedTuple):
    """What was watched before, newest first, (list, position): category, score in levels, feedback (0 or 1), minutes since it
    began, mask; intervals of its duration and of the seconds watched, the share of it that was watched, and how many places
    before the list it stood."""

    category: np.ndarray
    level: np.ndarray
    feedback: np.ndarray
    ago: np.ndarray
    mask: np.ndarray
    duration: np.ndarray
    seen: np.ndarray
    share: np.ndarray
    back: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator, clock: np.random.Generator, lists: int) -> Watched:
        """A past for each list."""
        mask = np.arange(WATCHED) < rng.integers(SHORTEST, WATCHED + 1, lists)[:, None]
        category, score = rng.integers(0, len(CATEGORIES), mask.shape), rng.normal(0.0, 1.0, mask.shape)
        feedback = (rng.random(mask.shape) < RECEIVED) & mask
        ago = np.cumsum(rng.exponential(1.0, mask.shape), axis=1)
        lasts = seconds(clock, mask.shape)
        share = clock.beta(np.where(feedback, 3.0, 1.5), 1.5)  # who likes a video has seen more of it
        back = np.minimum(np.cumsum(clock.geometric(PASSED, mask.shape), axis=1), FARTHEST_BACK)
        return cls(category, levels(score), feedback.astype(np.int64), ago, mask, np.digitize(lasts, LENGTH_EDGES),
                   np.digitize(share * lasts, SEEN_EDGES), share, back)

    def take(self, index: np.ndarray) -> Watched:
        """The past of some lists."""
        return Watched(*(values[index] for values in self))

    def own(self, fade: float) -> np.ndarray:
        """(list, position) what a past video says for its category: something where it was liked, the more of it was watched and
        the newer it is. fade: minutes in which it falls to 1 / e; 0 takes all likes for alike."""
        return self.feedback * (np.exp(-self.ago / fade) * self.share if fade else 1.0)

    def says(self, category: np.ndarray, fade: float) -> np.ndarray:
        """(list,) → (list, position) the same where a past video is of the list's category, elsewhere 0."""
        return ((self.category == category[:, None]) * self.own(fade)).astype(np.float32)

    def matches(self, category: np.ndarray, fade: float) -> np.ndarray:
        """(list, video) → the same shape: what all past videos say for the video's category."""
        return np.stack([self.says(column, fade).sum(axis=1) for column in category.T], axis=1)


class Phone(NamedTuple):
    """Arrays of one shape, videos of a list side by side: the network, one for each list, and how many seconds are loaded."""

    network: np.ndarray
    buffer: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Phone:
        """The networks of all lists, then the buffers of their videos."""
        network = rng.choice(len(NETWORKS), (shape[0], 1), p=SHARES)
        return cls(np.broadcast_to(network, shape), rng.exponential(LOADED, shape))

    @property
    def stalls(self) -> np.ndarray:
        """Seconds for which a video stands still: those that its network needs in advance, less those that are loaded."""
        return np.maximum(NEEDED[self.network] - self.buffer, 0.0)

    def take(self, index: np.ndarray) -> Phone:
        """Of some videos; the arrays are flattened first."""
        return Phone(*(values.reshape(-1)[index] for values in self))


def seconds(clock: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Durations, cut at half an hour."""
    return np.minimum(clock.lognormal(np.log(TYPICAL), SPREAD, shape), LONGEST)


def levels(score: np.ndarray) -> np.ndarray:
    """Scores in seven levels."""
    return np.digitize(score, LEVEL_EDGES)
