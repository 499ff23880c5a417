"""A warm worker: a process that has torch loaded and trains one run after another (`python -m rankzoo.runs.worker`).

It reads JSON lines from standard input, `{"run": id}`, and answers `{"kind": "ready" | "beat" | "ended", …}` on standard
output. It ends when its input closes or its parent is gone, so none is left over after the server was killed. What takes
seconds to import is imported after that is arranged.
"""
from __future__ import annotations

import ctypes
import gc
import json
import os
import queue
import signal
import sys
import threading
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rankzoo.runs.store import Store

GRACE = 4.0  # seconds that a run gets to save itself when the input closes


def main() -> int:
    """Die with the parent, warm up, then serve until the input closes."""
    die_with(int(sys.argv[1]))
    if os.name == "posix":
        os.nice(10)
    answers = _answers()
    orders: queue.SimpleQueue[dict | None] = queue.SimpleQueue()
    closing = threading.Event()
    threading.Thread(target=_listen, args=(orders, closing), daemon=True).start()
    _warm()
    from rankzoo.runs.store import Store

    store = Store()
    _say(answers, kind="ready")
    while (order := orders.get()) is not None and not closing.is_set():
        _work(store, str(order["run"]), closing, answers)
    return 0


def _work(store: Store, id: str, closing: threading.Event, answers: TextIO) -> None:
    """Train one run and say how it stands; a run whose end could not be stored is given up with this process."""
    from rankzoo.errors import ZooError
    from rankzoo.runs.database import Unstored
    from rankzoo.runs.loop import run_here

    def beat(step: int) -> None:
        _say(answers, kind="beat", step=step)

    try:
        state = run_here(store, id, closing=closing, beat=beat, paused=False).state
    except Unstored:
        state = "failed"
    except ZooError:  # somebody else has it, or it ended before it started
        state = ""
    gc.collect()
    _say(answers, kind="ended", state=state)


def _warm() -> None:
    """Load everything that a run needs, and make one optimiser step: it costs 7 to 11 s cold on a busy machine."""
    import torch

    from rankzoo.runs import loop  # noqa: F401  for what it imports
    from rankzoo.training.allocator import keep_memory
    from rankzoo.training.optimizers import Dense

    keep_memory()
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    table, dense = torch.nn.Embedding(8, 4), torch.nn.Linear(4, 1)
    optimizer = Dense([{"params": [*table.parameters(), *dense.parameters()], "lr": 1e-3}], "adam")
    dense(table(torch.arange(4))).sum().backward()
    optimizer.step()
    gc.collect()
    gc.freeze()


def _listen(orders: queue.SimpleQueue, closing: threading.Event) -> None:
    """Hand on each order; when the input closes, let the run save itself, but not for long."""
    for line in sys.stdin:
        orders.put(json.loads(line))
    closing.set()
    orders.put(None)
    last = threading.Timer(GRACE, os._exit, (0,))
    last.daemon = True
    last.start()


def _answers() -> TextIO:
    """The pipe to the parent, private: what a library prints goes to standard error instead of between our lines."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return answers


def _say(answers: TextIO, kind: str, step: int = 0, state: str = "") -> None:
    try:
        answers.write(json.dumps({"kind": kind, "step": step, "state": state}) + "\n")
    except OSError:  # the parent is gone: our input is closed too, and the run in hand is about to be saved
        return


def die_with(parent: int) -> None:
    """On Linux the kernel kills us with our parent; a parent that died before we asked is noticed by its pid."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the server's terminal is the server's to handle
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG
    if os.name == "posix" and os.getppid() != parent:
        os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
