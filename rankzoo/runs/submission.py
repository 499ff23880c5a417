"""What becomes of a document when it is submitted: its row, the run it may already be, and the limits of the line."""
from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from rankzoo.errors import ZooError
from rankzoo.runs.ids import new_id
from rankzoo.runs.limits import Limits
from rankzoo.runs.record import versions
from rankzoo.runs.tables import ACTIVE, Run, run

if TYPE_CHECKING:
    from rankzoo.document import Document


def row_of_document(document: Document, owner: str, lease: str) -> dict[str, object]:
    """Every column of a new run but its number; with a lease it starts as running in that process.

    data_hash is over what the table is made from; shape_hash over what its speed depends on (model, table, batch size).
    """
    now, settings = time.time(), document.settings
    table = f"{document.data}|{settings.rows}|{settings.data_seed}"
    model = f"{document.arch}|{document.blueprint.json()}|{settings.batch_size}|{table}"
    row: dict[str, object] = {name: column.default.arg for name, column in run.c.items() if column.default is not None}
    return row | {
        "id": new_id(), "owner": owner, "arch": document.arch, "data": document.data, "config": document.json(),
        "config_hash": document.hash, "data_hash": _hash(table), "shape_hash": _hash(model), "seed": settings.seed,
        "code_version": versions()["rankzoo"], "state": "running" if lease else "queued", "epochs": settings.epochs,
        "created": now, "began": now if lease else 0.0, "started": now if lease else 0.0, "lease": lease,
        "pid": int(lease.partition("-")[0]) if lease else 0}


def same(c: Connection, row: dict) -> str | None:
    """The id of the same run by the same owner, if it is still active: pressing twice starts one run."""
    return c.execute(select(run.c.id).where(
        run.c.owner == row["owner"], run.c.config_hash == row["config_hash"], run.c.data_hash == row["data_hash"],
        run.c.seed == row["seed"], run.c.state.in_(ACTIVE))).scalar()


def check_line(c: Connection, owner: str, limits: Limits) -> None:
    """Refuse one more run of this person, or one more in line, inside the transaction that would add it."""
    counted = select(func.count()).select_from(run)
    mine = c.execute(counted.where(run.c.owner == owner, run.c.state.in_(("queued", "running")))).scalar() or 0
    waiting = c.execute(counted.where(run.c.state == "queued")).scalar() or 0
    if limits.active is not None and mine >= limits.active:
        raise ZooError("You have {mine} runs queued or running; the limit is {limit}.", "Wait for one to end or cancel one.",
                       mine=mine, limit=limits.active)
    if limits.waiting is not None and waiting >= limits.waiting:
        raise ZooError("{waiting} runs are waiting; the limit is {limit}.", "Try again in a minute.", waiting=waiting,
                       limit=limits.waiting)


def seconds_needed(document: Document, done: Sequence[Run]) -> float | None:
    """Seconds that a run cannot do without, at the fastest rate of finished runs of the same shape; None without any.

    An early stop may come after `patience` epochs without gain, so after `patience` + 1 at the earliest.
    """
    done = [each for each in done if each.step > 0 and each.steps > 0 and each.epochs > 0]
    if not done:
        return None
    settings = document.settings
    epochs = min(settings.epochs, settings.patience + 1) if settings.patience else settings.epochs
    steps = min(epochs * max(each.steps / each.epochs for each in done), settings.steps or float("inf"))
    return steps * min(each.spent / each.step for each in done)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
