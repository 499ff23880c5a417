"""The dispatcher's side of a worker process: starting it, speaking to it, seeing whether it still moves, ending it."""
from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import psutil

import rankzoo
from rankzoo.runs.store import Store

LOG_LIMIT = 1_000_000   # bytes of logs/worker.log, after which it starts anew
GROWTH = 400_000_000    # bytes that a worker may keep beyond what it had when ready
RUNS = 50               # runs after which a worker is replaced
MOVED = 0.02            # seconds of CPU that count as a sign of life


@dataclass
class Worker:
    """A worker process and what is known of it. `idle`: seconds without a step and without CPU while it should work;
    `unanswered`: seconds since a request was seen; `worked`: seconds on the present run. All are sums of ticks, so that
    neither a stopped machine nor a clock that jumps adds to them. `verdict`: why it was killed, and the sentence."""

    process: subprocess.Popen
    about: psutil.Process
    ready: bool = False
    run: str = ""
    runs: int = 0
    leaving: bool = False
    verdict: tuple[str, str] = ("", "")
    step: int = -1
    cpu: float = 0.0
    idle: float = 0.0
    unanswered: float = 0.0
    worked: float = 0.0
    memory: int = 0
    base: int = 0

    @property
    def free(self) -> bool:
        """Whether it can take a run now."""
        return self.ready and not self.run and not self.leaving and self.process.poll() is None

    def give(self, id: str) -> bool:
        """Hand it a run; False where it died meanwhile."""
        try:
            self.process.stdin.write(json.dumps({"run": id}) + "\n")
            self.process.stdin.flush()
        except OSError:
            return False
        self.run, self.step, self.idle, self.unanswered, self.worked = id, -1, 0.0, 0.0, 0.0
        return True

    def tick(self, seconds: float) -> None:
        """Look whether it moved since the last tick: a step, or CPU used (starvation is no hang)."""
        self.worked += seconds
        try:
            times = self.about.cpu_times()
            self.memory = self.about.memory_info().rss
        except psutil.Error:
            return
        moved = times.user + times.system - self.cpu >= MOVED
        self.idle = 0.0 if moved else self.idle + seconds
        if moved:
            self.cpu = times.user + times.system

    def beat(self, step: int) -> None:
        """It said at which step it is."""
        if step != self.step:
            self.step, self.idle = step, 0.0

    def done(self) -> None:
        """Its run is over."""
        self.run, self.runs = "", self.runs + 1

    @property
    def worn(self) -> bool:
        """Whether it did enough, or kept too much memory."""
        return self.runs >= RUNS or (self.base > 0 and self.memory > self.base + GROWTH)

    def leave(self) -> None:
        """Close its input: it saves the run in hand, if there is one, and ends."""
        self.leaving = True
        try:
            self.process.stdin.close()
        except OSError:
            return

    def kill(self, kind: str, why: str) -> None:
        """End it at once, for a reason that the run's owner will read."""
        if not self.verdict[0]:
            self.verdict = (kind, why)
        self.process.kill()


def spawn(store: Store, inbox: queue.SimpleQueue) -> Worker:
    """Start a worker; what it says arrives in `inbox` as (worker's pid, message)."""
    logs = store.root / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / "worker.log"
    mode = "wb" if log.exists() and log.stat().st_size > LOG_LIMIT else "ab"
    with open(log, mode) as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "rankzoo.runs.worker", str(os.getpid())], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=errors, text=True, env=_environment(store))
    threading.Thread(target=_relay, args=(process, inbox), daemon=True, name=f"worker {process.pid}").start()
    return Worker(process, psutil.Process(process.pid))


def _relay(process: subprocess.Popen, inbox: queue.SimpleQueue) -> None:
    with process.stdout as said:
        for line in said:
            try:
                inbox.put((process.pid, json.loads(line)))
            except ValueError:
                continue
    inbox.put((process.pid, {"kind": "gone"}))


def _environment(store: Store) -> dict[str, str]:
    """The server's environment with one thread, this store, and this RankZoo first on the path."""
    one = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONDONTWRITEBYTECODE")}
    here = str(Path(rankzoo.__file__).resolve().parent.parent)
    path = os.pathsep.join(part for part in (here, os.environ.get("PYTHONPATH", "")) if part)
    return os.environ | one | {"PYTHONPATH": path, "RANKZOO_HOME": str(store.root), "RANKZOO_PROFILE": store.limits.profile}
