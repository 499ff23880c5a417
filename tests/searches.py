"""Searches on numbers: small requests with a planted truth, the tree of Gong et al.'s figure 4, the best of all lists."""
from __future__ import annotations

from itertools import permutations

import numpy as np
import torch
from torch import Tensor

from rankzoo.data.truths import Repeats
from rankzoo.serving.arrange import Arrange, Planted, list_reward

SPEC = Arrange(rewards={"effective_view": 1.0, "like": 2.0})
REQUESTS, SIZE, SLOTS = 5, 5, 3


def drawn(seed: int = 0, requests: int = REQUESTS, size: int = SIZE) -> Repeats:
    """Requests of a few candidates in two categories."""
    rng = np.random.default_rng(seed)
    own = {task: rng.normal(0.0, 1.5, requests * size) for task in ("has_next", "effective_view", "like")}
    return Repeats(size, own, rng.integers(0, 2, requests * size), dict.fromkeys(own, 1.0), dict.fromkeys(own, 0.5))


def score(seed: int = 0) -> Planted:
    return Planted(SPEC, drawn(seed))


def figure_4(videos: Tensor) -> tuple[Tensor, Tensor]:
    """What each of A, B, C, D adds behind a beginning, as printed; nobody ever leaves."""
    printed = {"": (0.7, 0.4, 0.8, 0.5), "A": (0, 0.3, 0.5, 0.6), "C": (0.4, 0.6, 0, 0.3), "AD": (0, 0.45, 0.3, 0),
               "CB": (0.4, 0, 0, 0.2)}
    gains = [[printed.get("".join("ABCD"[video] for video in beam), (0.0,) * 4) for beam in request]
             for request in videos.tolist()]
    worth = torch.tensor(gains)
    return worth, torch.ones_like(worth)


def brute_force(given: Planted, request: int) -> float:
    """The best of all lists, one by one."""
    lists = torch.tensor(list(permutations(range(SIZE), SLOTS)))
    every = torch.zeros(REQUESTS, *lists.shape, dtype=torch.long)
    every[request] = lists
    return float(list_reward(*given.of(every))[request].max())
