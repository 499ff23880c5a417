"""The run store: what people and pages ask of it. Workers write through lease.py, the dispatcher through custody.py."""
from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, func, insert, select, true, update

from rankzoo.data.home import home
from rankzoo.errors import Said, ZooError
from rankzoo.runs import limits as ceilings
from rankzoo.runs.database import Busy, Database, Unstored
from rankzoo.runs.ids import matched, no_such_run
from rankzoo.runs.process import living
from rankzoo.runs.record import Folder, write_record
from rankzoo.runs.submission import check_line, row_of_document, same, seconds_needed
from rankzoo.runs.tables import Event, Point, Run, dataset, event, meta, point, run
from rankzoo.runs.upkeep import forget, rebuild

if TYPE_CHECKING:
    from rankzoo.document import Document


@dataclass(frozen=True)
class Wish:
    """What a request leads to: the state, the word for it, and the states in which no process has to be asked."""

    state: str
    word: str
    waits: tuple[str, ...]


WISHES = {"cancel": Wish("cancelled", "cancelled", ("queued", "paused")), "pause": Wish("paused", "paused", ("queued",)),
          "resume": Wish("queued", "resumed", ("paused", "interrupted", "failed"))}


class Store:
    """All runs below one RANKZOO_HOME; safe to share between threads, and to open in several processes at once."""

    def __init__(self, root: Path | None = None, limits: ceilings.Limits | None = None):
        self.root = home() if root is None else root
        self.limits = ceilings.profile() if limits is None else limits
        self.db = Database(self.root / "runs.sqlite", lambda c: rebuild(c, self.root / "runs"))

    def folder(self, id: str) -> Folder:
        """The files of a run; raises the ZooError of an unknown run for a malformed id."""
        return Folder(self.root / "runs", matched(id))

    def run(self, id: str) -> Run:
        """One run; raises the same ZooError for a malformed id and an unknown one."""
        found = self.select(run.c.id == matched(id), limit=1)
        if not found:
            raise no_such_run()
        return found[0]

    def runs(self, owner: str | None = None, limit: int = 200) -> list[Run]:
        """Runs of one person or of all, newest first."""
        return self.select(*([] if owner is None else [run.c.owner == owner]), limit=limit)

    def select(self, *where: ColumnElement[bool], limit: int = 1000) -> list[Run]:
        """Runs that meet every condition, newest first."""
        query = select(run).where(true(), *where).order_by(run.c.number.desc()).limit(limit)
        return self.db.read(lambda c: [Run(**row._mapping) for row in c.execute(query)])

    def busy(self) -> dict[str, int]:
        """How many runs train and how many wait, by state."""
        query = select(run.c.state, func.count()).where(run.c.state.in_(("queued", "running"))).group_by(run.c.state)
        return {state: number for state, number in self.db.read(lambda c: c.execute(query).all())}

    def points(self, id: str, since: int = 0) -> list[Point]:
        """The curve from step `since` on, in order of steps; all values of one step appear at once."""
        query = select(point.c.step, point.c.name, point.c.value).where(point.c.run_id == matched(id), point.c.step >= since)
        rows = self.db.read(lambda c: c.execute(query.order_by(point.c.step, point.c.name)).all())
        return [Point(step, name, float("nan") if value is None else value) for step, name, value in rows]

    def events(self, id: str) -> list[Event]:
        """What happened to a run, oldest first."""
        query = select(event.c.at, event.c.kind, event.c.text).where(event.c.run_id == matched(id)).order_by(event.c.number)
        return self.db.read(lambda c: [Event(*row) for row in c.execute(query)])

    def submit(self, document: Document, owner: str, lease: str = "") -> str:
        """Store a run and return its id once it is safe on the disk; the same run that is still active is returned instead.

        With `lease` (the command line) the run starts as running in that process, so that no dispatcher takes it.
        Raises a ZooError where a limit stands against it or where it could not be stored; nothing was started then.
        """
        row = row_of_document(document, owner, lease)
        if present := self.db.read(lambda c: same(c, row)):
            return present
        ceilings.check(document, self.limits)
        ceilings.check_installed(document)
        done = self.select(run.c.shape_hash == row["shape_hash"], run.c.state == "done", limit=5)
        ceilings.check_time(seconds_needed(document, done), document.settings.epochs, self.limits)
        folder = self.folder(row["id"])
        try:
            self._room()
            write_record(folder, Run(number=0, **row))
            id = self.db.write(lambda c: self._insert(c, row))
        except Busy as error:
            folder.remove()
            raise Busy("The run could not be stored, nothing was started: the store is busy.",
                       "Try again in a moment.") from error
        except (OSError, Unstored) as error:
            folder.remove()
            raise Unstored("The run could not be stored, nothing was started ({reason}).", "Make room on the disk, then try "
                           "again.", reason=error.strerror if isinstance(error, OSError) else error.found) from error
        except ZooError:
            folder.remove()
            raise
        if id != row["id"]:
            folder.remove()  # somebody pressed twice, and the other press was first
        return id

    def wish(self, id: str, what: str, owner: str) -> None:
        """Ask that a run be cancelled, paused or resumed; the process that holds it answers between two steps.

        Raises a ZooError where it is somebody else's run, or where it is in no state for that.
        """
        if what not in WISHES:
            raise ZooError("A run can be cancelled, paused or resumed, not '{what}'.", what=str(what)[:40])
        found = self.run(id)
        self._allow(found, owner, what)
        for _ in range(5):  # a worker may take the run, or end it, between our look and our change
            if found.state == WISHES[what].state or self._asked(found, what):
                return
            before, found = found, self.run(id)
            if (found.state, found.lease) == (before.state, before.lease):
                break
        raise ZooError("This run is {state}, so it cannot be {now}.", state=found.state, now=WISHES[what].word)

    def _asked(self, found: Run, what: str) -> bool:
        """Ask the process that holds the run, or do it where none does; False where the run's state is in the way."""
        if found.state == "running" and (what == "resume" or living(found.lease)):
            wish = "" if what == "resume" else what
            return self.change(found.id, {"wish": wish}, what, "Asked for.", run.c.state == "running")
        if found.state == "running" or found.state in WISHES[what].waits:
            return self._fulfil(found, what)
        return False

    def _fulfil(self, found: Run, what: str) -> bool:
        """Change a run that no process holds; False where one took it meanwhile."""
        wished = WISHES[what]
        values = {"state": wished.state, "wish": "", "message": "", "lease": "", "pid": 0,
                  "ended": time.time() if what == "cancel" else 0.0}
        if found.state in ("interrupted", "failed"):
            values["attempt"] = 1

        def check(c: Connection) -> None:
            if what == "resume":
                check_line(c, found.owner, self.limits)
                if found.state != "paused" and same(c, vars(found)):
                    raise ZooError("The same run was started anew; it is still going on.")

        return self.change(found.id, values, wished.state, "", run.c.state == found.state, run.c.lease == found.lease,
                           check=check)

    def delete(self, id: str, owner: str) -> None:
        """Remove a run and its files for good; raises a ZooError for somebody else's run and for one that is running."""
        found = self.run(id)
        self._allow(found, owner, "delete")
        if not self.db.write(lambda c: forget(c, id, run.c.state != "running")):
            raise ZooError("This run is running.", "Cancel it first, then delete it.")
        self.folder(id).remove()

    def change(self, id: str, values: dict, kind: str, text: str, *where: ColumnElement[bool],
               check: Callable[[Connection], None] | None = None) -> bool:
        """Change one row where it meets every condition, note the event, and bring `run.json` up to date.

        False where another process was first. `check(connection)` may refuse inside the same transaction.
        """
        def work(c: Connection) -> bool:
            if check is not None:
                check(c)
            changed = c.execute(update(run).where(run.c.id == id, *where).values(**values)).rowcount == 1
            if changed:
                c.execute(insert(event).values(run_id=id, at=time.time(), kind=kind, text=text))
            return changed

        if not self.db.write(work):
            return False
        if "state" in values:
            self.keep_record(id)
        return True

    def keep_record(self, id: str) -> None:
        """Bring `run.json` up to date; on a full disk it waits for the next change: the database holds the truth."""
        try:
            write_record(self.folder(id), self.run(id))
        except OSError:
            return

    def note(self, id: str, kind: str, text: str) -> None:
        """Add an event; an empty id is the store itself."""
        self.db.write(lambda c: c.execute(insert(event).values(run_id=id, at=time.time(), kind=kind, text=text)))

    def notice(self) -> str:
        """One sentence where the list had to be rebuilt, else an empty string."""
        return self.db.read(lambda c: c.execute(select(meta.c.value).where(meta.c.key == "notice")).scalar()) or ""

    def add_dataset(self, hash: str, owner: str, name: str, rows: int, columns: int) -> None:
        """Note whose an uploaded table is; the same table again changes nothing."""
        row = {"hash": hash, "owner": owner, "name": name, "rows": rows, "columns": columns}
        self.db.write(lambda c: c.execute(insert(dataset).prefix_with("OR IGNORE").values(**row)))

    def datasets(self, owner: str | None = None) -> Sequence[dict]:
        """The uploaded tables of one person or of all: hash, owner, name, rows, columns."""
        query = select(dataset) if owner is None else select(dataset).where(dataset.c.owner == owner)
        return self.db.read(lambda c: [dict(row._mapping) for row in c.execute(query)])

    def _allow(self, found: Run, owner: str, what: str) -> None:
        if self.limits.shared and found.owner != owner:
            raise ZooError("Only the person who started this run can {what} it.", what=Said(what))

    def _room(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.root).free
        if free < self.limits.free:
            raise OSError(0, f"{free // 1_000_000:,} MB are free; the limit is {self.limits.free // 1_000_000:,} MB")

    def _insert(self, c: Connection, row: dict) -> str:
        if present := same(c, row):
            return present
        if not row["lease"]:
            check_line(c, str(row["owner"]), self.limits)
        c.execute(insert(run).values(**row))
        c.execute(insert(event).values(run_id=row["id"], at=row["created"], kind="submitted", text=""))
        return str(row["id"])
