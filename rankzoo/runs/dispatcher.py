"""The dispatcher: one thread per RANKZOO_HOME that gives queued runs to warm workers and looks after both.

`submit`, `wish` and `alive` are all that the app needs; everything else is in the store. A lock file makes it the only one;
where another process holds the lock this one stands by, and takes over when that one is gone.
"""
from __future__ import annotations

import os
import queue
import threading
import time
import traceback
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from rankzoo.errors import ZooError
from rankzoo.runs import care, custody, line
from rankzoo.runs.pool import Worker, spawn
from rankzoo.runs.store import Store
from rankzoo.runs.tables import Run, run
from rankzoo.runs.upkeep import retain

if TYPE_CHECKING:
    from rankzoo.document import Document

TICK = 0.2          # seconds between two looks at the store
YIELD_AFTER = 15.0  # seconds of work after which a run makes room for somebody who has had nothing
ADOPT_EVERY = 2.0
RETAIN_EVERY = 60.0
SILENT = 10.0       # seconds without a good tick after which the dispatcher counts as not answering


class Dispatcher:
    """Looks after the runs of one store. `workers` run at once, and one more stands by warm."""

    def __init__(self, store: Store, workers: int | None = None, hang: float | None = None):
        self.store = store
        self.workers = _whole("RANKZOO_WORKERS", max(1, (os.cpu_count() or 1) - 1)) if workers is None else workers
        self.hang = float(_whole("RANKZOO_HANG_S", 60)) if hang is None else hang
        self.inbox: queue.SimpleQueue[tuple[int, dict]] = queue.SimpleQueue()
        self.pool: list[Worker] = []
        self.holds = False
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._good = time.monotonic()
        self._trouble = ""
        self._failed_starts, self._spawn_after, self._adopted, self._retained = 0, 0.0, 0.0, 0.0

    def start(self) -> None:
        """Start the thread; a second call does nothing."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping.clear()
            self._thread = threading.Thread(target=self._serve, daemon=True, name="dispatcher")
            self._thread.start()

    def stop(self, seconds: float = 8.0) -> None:
        """Let every run save itself, end every worker, and return when none is left."""
        self._stopping.set()
        self.inbox.put((0, {"kind": "wake"}))
        if self._thread is not None:
            self._thread.join(seconds)

    def submit(self, document: Document, owner: str) -> str:
        """Queue a run and return its id; raises a ZooError where it is refused (nothing was started then)."""
        id = self.store.submit(document, owner)
        self.inbox.put((0, {"kind": "wake"}))
        return id

    def wish(self, id: str, what: str, owner: str) -> None:
        """Ask for `cancel`, `pause` or `resume`; raises a ZooError where that cannot be."""
        self.store.wish(id, what, owner)
        self.inbox.put((0, {"kind": "wake"}))

    def alive(self) -> bool:
        """Whether queued runs are being looked after, by this thread or by that of another process."""
        thread = self._thread is not None and self._thread.is_alive()
        return thread and time.monotonic() - self._good < SILENT and self._failed_starts < 3

    def trouble(self) -> str:
        """The last thing that went wrong in the dispatcher itself, or an empty string."""
        return self._trouble

    def place(self, id: str) -> line.Place | None:
        """The place of a queued run in line, and an estimate; None where it is not in line."""
        return line.place(self.store, id, self.workers)

    def _serve(self) -> None:
        lock = FileLock(self.store.root / "dispatcher.lock")
        last = time.monotonic()
        try:
            while not self._stopping.is_set():
                now = time.monotonic()
                try:
                    if self.holds or self._locked(lock):
                        self._tick(min(now - last, 1.0))
                    self._good = time.monotonic()
                except Exception as error:
                    self._record(error)
                last = now
                self._hear(TICK if self.holds else 1.0)
        finally:
            self._close()
            lock.release()
            self.holds = False

    def _locked(self, lock: FileLock) -> bool:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        self.holds = True
        return True

    def _record(self, error: Exception) -> None:
        self._trouble = f"{type(error).__name__}: {error}"
        try:
            self.store.note("", "dispatcher", traceback.format_exc())
        except Exception:
            return

    def _hear(self, seconds: float) -> None:
        """Wait for a message, then take all that are there."""
        try:
            pid, message = self.inbox.get(timeout=seconds)
            while True:
                self._heard(pid, message)
                pid, message = self.inbox.get_nowait()
        except queue.Empty:
            return

    def _heard(self, pid: int, message: dict) -> None:
        worker = next((each for each in self.pool if each.process.pid == pid), None)
        if worker is None:
            return
        if message["kind"] == "ready":
            worker.ready, self._failed_starts = True, 0
            worker.tick(0.0)
            worker.base = worker.memory
        elif message["kind"] == "beat":
            worker.beat(message["step"])
        elif message["kind"] == "ended":
            worker.done()
            if message["state"] == "failed" or worker.worn:
                worker.leave()

    def _tick(self, seconds: float) -> None:
        """One round: bury the dead, watch the living, give out work, keep the pool full, tidy up."""
        rows = {each.id: each for each in self.store.select(run.c.state.in_(("queued", "running")))}
        for worker in list(self.pool):
            if worker.process.poll() is not None:
                self._bury(worker)
            else:
                worker.tick(seconds)
                care.judge(worker, rows.get(worker.run), self.store.limits, self.hang, seconds)
        self._assign(rows)
        self._fill()
        now = time.monotonic()
        if now - self._adopted > ADOPT_EVERY:
            self._adopted = now
            custody.adopt(self.store)
        if now - self._retained > RETAIN_EVERY:
            self._retained = now
            retain(self.store)

    def _bury(self, worker: Worker) -> None:
        """Settle the run of a worker that ended, then forget the worker; on an error it stays to be tried again."""
        care.settle(self.store, worker)
        if not worker.ready and not worker.leaving:
            self._failed_starts += 1
            self._spawn_after = time.monotonic() + min(30.0, 2.0 ** self._failed_starts)
            self._trouble = "A training worker ended before it was ready; logs/worker.log says why."
        worker.leave()
        self.pool.remove(worker)

    def _assign(self, rows: dict[str, Run]) -> None:
        """Give the first of the line to free workers; where none is free, ask a long run to make room."""
        given = {each.run for each in self.pool if each.run}
        queued = [each for each in rows.values() if each.state == "queued" and each.id not in given]
        if not queued:
            return
        running = [each for each in rows.values() if each.state == "running" or each.id in given]
        used = line.used(self.store)
        ready = line.startable(line.order(queued, used), running, self.store.limits.running)
        free = [each for each in self.pool if each.free][:max(0, self.workers - len(given))]
        for chosen, worker in zip(ready, free, strict=False):
            worker.give(chosen.id)
        if not free and ready and not used.get(ready[0].owner):
            self._make_room(ready[0], running)

    def _make_room(self, newcomer: Run, running: list[Run]) -> None:
        """Ask the longest run of somebody else to yield at a checkpoint, one at a time."""
        ours = {each.run: each.worked for each in self.pool if each.run and not each.leaving}
        others = [each for each in running if each.id in ours and each.owner != newcomer.owner]
        if any(each.wish for each in others) or not others:
            return
        longest = max(others, key=lambda each: ours[each.id])
        if ours[longest.id] > YIELD_AFTER:
            self.store.change(longest.id, {"wish": "yield"}, "yield", "Asked to make room for somebody who has had nothing.",
                              run.c.state == "running", run.c.wish == "", run.c.lease == longest.lease)

    def _fill(self) -> None:
        """Start one worker at a time until all and the standby are there."""
        staying = [each for each in self.pool if not each.leaving]
        if len(staying) <= self.workers and all(each.ready for each in staying) and time.monotonic() >= self._spawn_after:
            self.pool.append(spawn(self.store, self.inbox))

    def _close(self) -> None:
        """End every worker: first by closing its input, then by force; then queue again what could not save itself."""
        for worker in self.pool:
            worker.leave()
        until = time.monotonic() + care.ANSWER
        for worker in self.pool:
            try:
                worker.process.wait(max(0.0, until - time.monotonic()))
            except Exception:
                worker.process.kill()
                worker.process.wait()
        self.pool.clear()
        if self.holds:
            try:
                custody.adopt(self.store)
            except Exception as error:
                self._record(error)


def _whole(name: str, default: int) -> int:
    """A whole number from the environment; raises a ZooError for anything else."""
    text = os.environ.get(name, "")
    if not text:
        return default
    if not text.isdigit() or int(text) < 1:
        raise ZooError("{name} is '{text}'.", "It must be a whole number of at least 1.", name=name, text=text[:40])
    return int(text)
