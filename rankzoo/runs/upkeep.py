"""Keeping the store in order: forgetting runs, retention, and filling an empty store from the runs' own folders."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, delete, insert
from sqlalchemy.exc import SQLAlchemyError

from rankzoo.runs.record import folders, read_points, read_record, row_of
from rankzoo.runs.tables import ACTIVE, ENDED, event, point, run

if TYPE_CHECKING:
    from rankzoo.runs.store import Store


def forget(c: Connection, id: str, *where: ColumnElement[bool]) -> bool:
    """Remove a run's rows, if it meets the conditions."""
    gone = c.execute(delete(run).where(run.c.id == id, *where)).rowcount == 1
    if gone:
        c.execute(delete(point).where(point.c.run_id == id))
        c.execute(delete(event).where(event.c.run_id == id))
    return gone


def retain(store: Store) -> list[str]:
    """Delete ended runs beyond the newest `kept` of each person, then the oldest until all fit `stored`; returns the ids."""
    seen: dict[str, int] = {}
    room = store.limits.stored - sum(each.bytes for each in store.select(run.c.state.in_(ACTIVE), limit=100_000))
    gone = []
    for each in store.select(run.c.state.in_(ENDED), limit=100_000):  # newest first
        seen[each.owner] = seen.get(each.owner, 0) + 1
        room -= each.bytes
        if seen[each.owner] <= store.limits.kept and room >= 0:
            continue
        if store.db.write(lambda c, id=each.id: forget(c, id, run.c.state.in_(ENDED))):
            store.folder(each.id).remove()
            gone.append(each.id)
    return gone


def rebuild(c: Connection, root: Path) -> int:
    """Fill an empty store from the folders below `root`, oldest run first; returns how many were found."""
    found = [(row_of(whole), each) for each in folders(root)
             if (whole := read_record(each)) and whole["run"].get("id") == each.id]
    kept = 0
    for row, each in sorted(found, key=lambda pair: str(pair[0].get("created", ""))):
        try:
            with c.begin_nested():
                c.execute(insert(run).values(**row))
        except SQLAlchemyError:  # a record full of nonsense must not cost all others
            continue
        kept += 1
        curve = [{"run_id": each.id, "step": s, "name": n, "value": v} for (s, n), v in read_points(each).items()]
        if curve:
            c.execute(insert(point), curve)
    return kept
