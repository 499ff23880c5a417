"""The line in front of the workers: who is next, and how long it takes. Least time used in the last five minutes first,
then age, so that somebody who queued ten runs does not stand before somebody who queued one."""
from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from rankzoo.runs.store import Store
from rankzoo.runs.tables import Run, event, run

WINDOW = 300.0   # seconds in which time used counts
GUESS = 20.0     # seconds of a run, before any was measured here


@dataclass(frozen=True)
class Place:
    """Where a queued run stands: `position` 1 is next; `waiting` in all; `seconds` until it starts, estimated."""

    position: int
    waiting: int
    seconds: float


def order(queued: Iterable[Run], used: Mapping[str, float], mean: float = GUESS) -> list[Run]:
    """The queued runs as they will start: each start adds a mean run to what its owner has used."""
    waiting, spent, line = sorted(queued, key=lambda each: each.number), dict(used), []
    while waiting:
        chosen = min(waiting, key=lambda each: (spent.get(each.owner, 0.0), each.number))
        waiting.remove(chosen)
        spent[chosen.owner] = spent.get(chosen.owner, 0.0) + mean
        line.append(chosen)
    return line


def startable(line: Iterable[Run], running: Iterable[Run], limit: int | None) -> list[Run]:
    """Those of the line whose owner has fewer than `limit` runs in training, counting the ones before them."""
    busy: dict[str, int] = {}
    for each in running:
        busy[each.owner] = busy.get(each.owner, 0) + 1
    chosen = []
    for each in line:
        if limit is None or busy.get(each.owner, 0) < limit:
            busy[each.owner] = busy.get(each.owner, 0) + 1
            chosen.append(each)
    return chosen


def used(store: Store, now: float | None = None) -> dict[str, float]:
    """Seconds of work by owner within the window: stretches that ended, and what is training now."""
    now = time.time() if now is None else now
    query = (select(run.c.owner, event.c.at, event.c.text).join(run, run.c.id == event.c.run_id)
             .where(event.c.kind == "ran", event.c.at > now - WINDOW))
    stretches = [(owner, at, float(text)) for owner, at, text in store.db.read(lambda c: c.execute(query).all())]
    stretches += [(each.owner, now, now - each.began) for each in store.select(run.c.state == "running")]
    total: dict[str, float] = {}
    for owner, at, seconds in stretches:
        inside = min(seconds, at - (now - WINDOW), WINDOW)
        total[owner] = total.get(owner, 0.0) + max(0.0, inside)
    return total


def mean_seconds(store: Store) -> float:
    """Mean work of the last twenty finished runs."""
    done = store.select(run.c.state == "done", limit=20)
    return sum(each.spent for each in done) / len(done) if done else GUESS


def place(store: Store, id: str, workers: int) -> Place | None:
    """Where a queued run stands in line, or None where it is not in line."""
    queued = store.select(run.c.state == "queued")
    mean = mean_seconds(store)
    line = order(queued, used(store), mean)
    at = next((i for i, each in enumerate(line) if each.id == id), None)
    if at is None:
        return None
    now = time.time()
    training = sorted(min(mean, max(1.0, mean - (now - each.began))) for each in store.select(run.c.state == "running"))
    free = [0.0] * max(0, workers - len(training)) + training[:workers]
    for _ in range(at):  # each one ahead takes the worker that is free first
        free.sort()
        free[0] += mean
    return Place(position=at + 1, waiting=len(line), seconds=min(free))
