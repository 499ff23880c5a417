"""Whether a worker may go on with its run, and what becomes of the run when the worker is gone."""
from __future__ import annotations

from rankzoo.errors import ZooError
from rankzoo.runs import custody
from rankzoo.runs.limits import Limits, too_large, too_long
from rankzoo.runs.pool import Worker
from rankzoo.runs.store import Store
from rankzoo.runs.tables import Run

ANSWER = 5.0  # seconds that a worker has to answer a request, or to keep a limit by itself
SLACK = 1.1   # times the memory limit at which a worker that did not stop itself is killed


def judge(worker: Worker, row: Run | None, limits: Limits, hang: float, seconds: float) -> None:
    """Kill a worker that hangs, does not answer a request, or broke a limit that it did not notice itself.

    `row` is its run as it stands, `seconds` the time since the last look.
    """
    if worker.idle > hang and (worker.run or not worker.ready):
        worker.kill("hang", f"The training process made no step for {hang:,.0f} s.")
    if row is None or row.state != "running" or row.pid != worker.process.pid:
        return
    worker.unanswered = worker.unanswered + seconds if row.wish in ("cancel", "pause") else 0.0
    if worker.unanswered > ANSWER:
        worker.kill("wish", "")
    if row.spent + worker.worked > limits.wall + ANSWER:
        worker.kill("limit", too_long(row.spent + worker.worked, limits.wall))
    if limits.memory is not None and worker.memory > limits.memory * SLACK:
        worker.kill("limit", too_large(worker.memory, limits.memory))


def settle(store: Store, worker: Worker) -> None:
    """What becomes of the run of a worker that ended; nothing where it had none or had already ended it."""
    if not worker.run:
        return
    try:
        found = store.run(worker.run)
    except ZooError:  # deleted meanwhile
        return
    if found.state != "running" or found.pid != worker.process.pid:
        return
    kind, why = worker.verdict
    if kind == "wish":
        custody.forced(store, found, worker.worked)
    elif kind == "limit":
        custody.failed(store, found, why, worker.worked)
    else:
        code = worker.process.returncode
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        custody.crashed(store, found, why or f"The training process ended unexpectedly ({how}).", worker.worked)
