"""A run that this process holds: what it reports to the store, and what it is asked. Every write is fenced by the lease,
so that a process that was thought dead can no longer change a run that somebody else has taken over."""
from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from rankzoo.errors import ZooError
from rankzoo.runs.process import holder, living
from rankzoo.runs.record import Folder, append_points, write_record
from rankzoo.runs.store import Store
from rankzoo.runs.tables import Point, Run, State, event, point, run


class Lost(Exception):
    """The run is no longer ours: it was taken over or deleted. Nothing more may be written."""


@dataclass(frozen=True)
class Ending:
    """How a stretch of work ended: the state to enter, the sentence to show, and the result of a run that is done."""

    state: State
    message: str = ""
    digest: str = ""
    result: dict | None = None
    preparation: dict | None = None


class Lease:
    """The right to work on one run, taken in the store."""

    def __init__(self, store: Store, found: Run):
        self.store, self.run = store, found
        self.folder: Folder = store.folder(found.id)
        self._began = time.monotonic()
        self._mine = (run.c.id == found.id, run.c.lease == found.lease, run.c.state == "running")

    @classmethod
    def take(cls, store: Store, id: str, paused: bool = True) -> Lease:
        """Take a run that is queued (or paused), that was given to this process at submit, or whose process is gone.

        Raises a ZooError where another process holds it, it has ended, or it is paused and such are not to be taken.
        """
        found, me, now = store.run(id), holder(), time.time()
        if found.state == "running" and found.lease != me and living(found.lease):
            raise ZooError("This run is already being trained by process {pid}.", pid=found.pid)
        if not found.active or (found.state == "paused" and not paused):
            raise ZooError("This run is {state}, so it cannot be trained.", state=found.state)
        values = {"state": "running", "lease": me, "pid": os.getpid(), "wish": "", "message": "", "began": now, "beat": now,
                  "started": found.started or now}
        if not store.change(id, values, "started", f"Process {os.getpid()}.", run.c.state == found.state,
                            run.c.lease == found.lease):
            raise ZooError("This run was just taken by another process.")
        return cls(store, store.run(id))

    @property
    def worked(self) -> float:
        """Seconds of work so far, earlier stretches included, by a clock that does not jump."""
        return self.run.spent + time.monotonic() - self._began

    def plan(self, steps: int, epochs: int) -> None:
        """Say how long the run is planned to be."""
        self._update({"steps": steps, "epochs": epochs})

    def report(self, points: Sequence[Point], step: int, epoch: int) -> None:
        """Store the values measured since the last report and how far the run is; raises Lost or Unstored."""
        if points:
            append_points(self.folder, points)
        rows = [{"run_id": self.run.id, "step": p.step, "name": p.name,
                 "value": p.value if math.isfinite(p.value) else None} for p in points]

        def work(c: Connection) -> int:
            changed = c.execute(update(run).where(*self._mine).values(step=step, epoch=epoch, beat=time.time())).rowcount
            if changed and rows:
                c.execute(insert(point).prefix_with("OR REPLACE"), rows)
            return changed

        if not self.store.db.write(work):
            raise Lost

    def wish(self) -> str:
        """What the owner asks for: `cancel`, `pause`, `yield` (make room for another) or nothing."""
        found = self.store.db.read(lambda c: c.execute(select(run.c.wish).where(*self._mine)).scalar())
        if found is None:
            raise Lost
        return found

    def note(self, kind: str, text: str) -> None:
        """Add an event to the run."""
        self.store.note(self.run.id, kind, text)

    def end(self, ending: Ending) -> bool:
        """Leave the run in its new state; False where it was no longer ours. Raises Unstored where it cannot be written."""
        now = time.time()
        ended = ending.state not in ("queued", "paused")
        stretch = time.monotonic() - self._began
        values: dict[str, object] = {
            "state": ending.state, "message": ending.message, "wish": "", "lease": "", "beat": now, "pid": 0,
            "spent": self.run.spent + stretch, "ended": now if ended else 0.0}
        if ending.state == "done":
            values |= {"digest": ending.digest, "result": json.dumps(ending.result or {})}
            write_record(self.folder, Run(**{**vars(self.run), **values}), ending.preparation or {})
        if ending.state in ("done", "cancelled"):
            self.folder.checkpoint.unlink(missing_ok=True)
        values["bytes"] = self.folder.size()

        def work(c: Connection) -> bool:
            if c.execute(update(run).where(*self._mine).values(**values)).rowcount != 1:
                return False
            c.execute(insert(event).values(run_id=self.run.id, at=now, kind="ran", text=f"{stretch:.3f}"))
            c.execute(insert(event).values(run_id=self.run.id, at=now, kind=ending.state, text=ending.message))
            return True

        if not self.store.db.write(work):
            return False
        self.store.keep_record(self.run.id)
        return True

    def _update(self, values: dict) -> None:
        if not self.store.db.write(lambda c: c.execute(update(run).where(*self._mine).values(**values)).rowcount):
            raise Lost
