"""Joiner: impressions and what came of them, paired by the key of their request where two streams meet, neither in order
(Monolith, Liu et al., 2022).

features   wait in memory, the newest `cache` of them; what is older is moved to a store
action     looks for its features in memory, then in the store, and the two leave together, as a positive
window     features that waited for longer leave without an action, as a negative, kept with probability r; an action that comes
           after that is too late, and what was learnt of its impression stays wrong

An action may come before its features, and then waits for them. What is joined depends on keys and times alone, never on where
features waited. Times are counted in requests: one comes in every unit of time.
"""
from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import inf
from typing import Literal, NamedTuple

import numpy as np

Place = Literal["memory", "store", "action"]
"""Where a pair met: its features waited in memory or in the store, or the action waited for them."""
JITTER = 5.0
"""How late an event reaches the joiner on average, in requests: enough to mix up neighbours."""


@dataclass(frozen=True)
class Arrivals:
    """Events in the order in which they arrive, (event,) each: the key of the request, when, and whether it is an action (else
    features)."""

    request: np.ndarray
    time: np.ndarray
    action: np.ndarray


class Example(NamedTuple):
    """What leaves a joiner: a request with its label, when it left, when its features had come, and where a pair met (of a
    negative: where its features waited)."""

    request: int
    label: int
    left: float
    came: float
    place: Place


@dataclass(frozen=True)
class Joined:
    """All that left a joiner, (example,) each, in that order (see `Example`), and the requests whose action came too late. place:
    None where nobody asked where features waited."""

    request: np.ndarray
    label: np.ndarray
    left: np.ndarray
    came: np.ndarray
    late: np.ndarray
    place: np.ndarray | None = None


class Joiner:
    """Examples gather in `left`. kept, drawn: a negative leaves if its request's number of `drawn` (uniform in [0, 1)) is below
    `kept`; all do where nothing is drawn."""

    def __init__(self, cache: int, window: float = inf, kept: float = 1.0, drawn: np.ndarray | None = None):
        self.cache, self.window, self.kept, self.drawn = cache, window, kept, drawn
        self.memory: OrderedDict[int, float] = OrderedDict()  # request → when its features came, the oldest first
        self.store: OrderedDict[int, float] = OrderedDict()  # the same, all older than what is in memory
        self.early: set[int] = set()  # actions that wait for their features
        self.gone: dict[int, int] = {}  # request → the label it left with; a simulation may remember them all
        self.left: list[Example] = []
        self.late: list[int] = []
        self.due = -inf  # before then nobody's window is over

    def features(self, request: int, now: float) -> None:
        """The features of a request arrive; times never fall."""
        self.expire(now)
        if request in self.early:
            self.early.remove(request)
            self._leave(request, 1, now, now, "action")
            return
        self.memory[request] = now
        if len(self.memory) > self.cache:
            oldest, came = self.memory.popitem(last=False)
            self.store[oldest] = came

    def action(self, request: int, now: float) -> None:
        """The action of a request arrives; a second one changes nothing."""
        self.expire(now)
        if request in self.memory:
            self._leave(request, 1, now, self.memory.pop(request), "memory")
        elif request in self.store:
            self._leave(request, 1, now, self.store.pop(request), "store")
        elif request not in self.gone:
            self.early.add(request)
        elif not self.gone[request]:
            self.late.append(request)

    def expire(self, now: float) -> None:
        """Who waited for longer than the window leaves, the oldest first."""
        if now <= self.due:
            return
        places: tuple[tuple[Place, OrderedDict[int, float]], ...] = (("store", self.store), ("memory", self.memory))
        for place, waiting in places:
            while waiting:
                request, came = next(iter(waiting.items()))
                self.due = came + self.window
                if self.due >= now:
                    return
                del waiting[request]
                self._leave(request, 0, self.due, came, place)
        self.due = -inf

    def close(self) -> None:
        """Nothing will come any more: whoever still waits leaves as if its window were over."""
        self.expire(inf)
        for place, waiting in (("store", self.store), ("memory", self.memory)):  # of a window without end
            while waiting:
                request, came = waiting.popitem(last=False)
                self._leave(request, 0, inf, came, place)

    def _leave(self, request: int, label: int, now: float, came: float, place: Place) -> None:
        self.gone[request] = label
        if label or self.drawn is None or self.drawn[request] < self.kept:
            self.left.append(Example(request, label, now, came, place))


def arrivals(labels: np.ndarray, delay: float, seed: int = 0, jitter: float = JITTER) -> Arrivals:
    """Two streams about requests whose labels (request,) are known in the end: request i is made at time i, its features come
    soon after, and of a positive an action comes, exponentially distributed with mean `delay`. No sample says when an action
    came, so that times are drawn here, by a generator of their own."""
    rng, made, acted = np.random.default_rng((seed, 1)), np.arange(len(labels), dtype=float), np.flatnonzero(labels > 0.5)
    came = made + jitter * rng.standard_exponential(len(made))
    waits = delay * rng.standard_exponential(len(made)) + jitter * rng.standard_exponential(len(made))
    time = np.concatenate([came, (made + waits)[acted]])
    order = np.argsort(time, kind="stable")
    request = np.concatenate([np.arange(len(made)), acted])
    return Arrivals(request[order], time[order], order >= len(made))


def join(events: Arrivals, cache: int, window: float = inf, kept: float = 1.0, seed: int = 0) -> Joined:
    """All events one by one through a joiner that is closed at the end."""
    joiner = Joiner(cache, window, kept, _drawn(events, seed))
    for request, now, action in zip(events.request.tolist(), events.time.tolist(), events.action.tolist(), strict=True):
        (joiner.action if action else joiner.features)(request, now)
    joiner.close()
    columns = list(zip(*joiner.left, strict=True)) or [()] * len(Example._fields)
    request, label, left, came, place = (np.array(column, kind) for column, kind in
                                         zip(columns, (int, int, float, float, "<U6"), strict=True))
    return Joined(request, label, left, came, np.array(joiner.late, int), place)


def pairs(events: Arrivals, window: float = inf, kept: float = 1.0, seed: int = 0) -> Joined:
    """What `join` joins with a cache of any size, all at once: a request leaves with its action, if that came within the window
    after the features or before them, else when the window is over."""
    many = int(events.request.max(initial=-1)) + 1
    came, acted = np.full(many, inf), np.full(many, inf)
    for times, some in ((came, ~events.action), (acted, events.action)):
        times[events.request[some]] = events.time[some]
    label = (acted <= came + window) & np.isfinite(acted)
    left = np.where(label, np.maximum(came, acted), came + window)
    late = np.flatnonzero(np.isfinite(acted) & ~label)
    request = np.lexsort((came, ~label, left))
    request = request[label[request] | (_drawn(events, seed)[request] < kept)]
    return Joined(request, label[request].astype(int), left[request], came[request], late[np.argsort(acted[late])])


def _drawn(events: Arrivals, seed: int) -> np.ndarray:
    """(request,) by which a negative is kept or not: by seed and request alone, whenever it leaves."""
    return np.random.default_rng((seed, 2)).random(int(events.request.max(initial=-1)) + 1)
