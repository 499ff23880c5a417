"""What the dispatcher does with a run whose process is gone: queue it again, or end it with a sentence.

Every change names the dead process's lease as its condition, so a run that somebody took over meanwhile stays as it is.
"""
from __future__ import annotations

import time

from sqlalchemy import func, select

from rankzoo.runs.process import living
from rankzoo.runs.store import Store
from rankzoo.runs.tables import Run, event, run

ATTEMPTS = 2      # a run that took its process down twice is not tried a third time
ADOPTIONS = 20    # how often a run may be queued again because the whole server was gone


def crashed(store: Store, found: Run, why: str, seconds: float) -> None:
    """The run's process ended by itself or was killed because it hung: once more from the checkpoint, then `interrupted`."""
    if found.attempt < ATTEMPTS:
        _move(store, found, {"state": "queued", "attempt": found.attempt + 1, "message": ""}, seconds,
              f"{why} It was queued again.")
    else:
        _move(store, found, {"state": "interrupted", "message": f"{why} This happened twice, so the run was not started "
                             "again. What was learned so far is kept; it can be resumed."}, seconds, why)


def forced(store: Store, found: Run, seconds: float) -> None:
    """The process did not answer a request and was killed: the request is fulfilled for it."""
    state = {"cancel": "cancelled", "pause": "paused"}.get(found.wish, "queued")
    _move(store, found, {"state": state, "message": ""}, seconds, "The training process did not answer and was ended.")


def failed(store: Store, found: Run, why: str, seconds: float) -> None:
    """The process was killed because it broke a limit."""
    _move(store, found, {"state": "failed", "message": why}, seconds, why)


def adopt(store: Store) -> list[str]:
    """Queue every run again whose process is gone with its server, and fulfil what was asked meanwhile; returns their ids.

    That is no crash of the run, so its attempts stay; after many such ends it is interrupted nevertheless.
    """
    adopted = []
    for found in store.select(run.c.state == "running"):
        if living(found.lease):
            continue
        seconds = max(0.0, found.beat - found.began)
        if found.wish in ("cancel", "pause"):
            forced(store, found, seconds)
        elif _adoptions(store, found.id) >= ADOPTIONS:
            _move(store, found, {"state": "interrupted", "message": f"The server ended more than {ADOPTIONS} times while "
                                 "this run was training. What was learned so far is kept; it can be resumed."}, seconds, "")
        else:
            _move(store, found, {"state": "queued", "message": ""}, seconds, "Its process was gone. It was queued again.",
                  kind="adopted")
        adopted.append(found.id)
    return adopted


def _adoptions(store: Store, id: str) -> int:
    query = select(func.count()).where(event.c.run_id == id, event.c.kind == "adopted")
    return store.db.read(lambda c: c.execute(query).scalar()) or 0


def _move(store: Store, found: Run, values: dict, seconds: float, text: str, kind: str = "") -> None:
    now, state = time.time(), values["state"]
    whole = {"wish": "", "lease": "", "pid": 0, "spent": found.spent + seconds,
             "ended": 0.0 if state in ("queued", "paused") else now} | values

    if store.change(found.id, whole, kind or state, text, run.c.state == "running", run.c.lease == found.lease):
        store.note(found.id, "ran", f"{seconds:.3f}")
