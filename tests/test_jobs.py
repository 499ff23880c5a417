"""Workers and dispatcher: whatever dies, hangs or is cut, a run ends as it would have ended undisturbed, and is not lost."""
from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import rankzoo
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.runs import care, custody, limits, loop, pool, process
from rankzoo.runs.dispatcher import Dispatcher
from rankzoo.runs.loop import YIELDED, run_here
from rankzoo.runs.open import opened, preparation
from rankzoo.runs.pool import Worker
from rankzoo.runs.store import Store
from rankzoo.runs.tables import Run
from rankzoo.training.fit import Step
from rankzoo.training.run import digest

SHORT = Document.preset("din").but([("settings.rows", 600), ("settings.epochs", 2), ("settings.batch_size", 64)])
LONG = SHORT.but([("settings.epochs", 40), ("settings.patience", 0)])
HOUR = SHORT.but([("settings.epochs", 1000), ("settings.patience", 0)])  # is always ended by its test


def until(what: Callable[[], object], seconds: float = 60.0) -> object:
    """What `what` returns once it is true; fails where it never is."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found


def ended(store: Store, id: str) -> Run:
    return until(lambda: not store.run(id).active and store.run(id))


def training(store: Store, id: str, pid: int = 0) -> Run:
    """The run once it has a checkpoint and is in the hands of a process other than `pid`."""
    def going() -> Run | bool:
        found = store.run(id)
        assert found.active, "it ended before it could be disturbed"
        held = found.state == "running" and found.step > 0 and found.pid != pid
        return held and store.folder(id).checkpoint.exists() and found

    return until(going)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "home", limits.LOCAL)


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Dispatcher]:
    """A dispatcher with one worker and its standby, shared by the tests that leave it whole."""
    dispatcher = Dispatcher(Store(tmp_path_factory.mktemp("home"), limits.LOCAL), workers=1)
    dispatcher.start()
    yield dispatcher
    dispatcher.stop()
    assert not dispatcher.pool and not dispatcher.alive()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> str:
    """The digest of LONG, trained in this process without any interruption."""
    store = Store(tmp_path_factory.mktemp("undisturbed"), limits.LOCAL)
    return run_here(store, store.submit(LONG, "cli", lease=process.holder())).digest


def test_a_run_is_trained_and_can_be_opened(served):
    store, steps = served.store, []
    id = served.submit(SHORT, "ann")
    found = ended(store, id)
    assert (found.state, found.message, found.step, found.steps, found.epoch) == ("done", "", found.steps, found.steps, 2)
    whole = opened(id, store)
    assert digest(whole.model) == found.digest and len(found.digest) >= 12 and not whole.model.training
    assert whole.document == SHORT and whole.result["metrics"]["test"]["click"]["auc"] > 0
    assert preparation(id, store)["labels"] and not store.folder(id).checkpoint.exists()
    assert {"validation.click.auc", "train.click.loss"} <= {point.name for point in store.points(id)}

    other = Store(store.root / "beside", limits.LOCAL)
    mine = other.submit(SHORT, "cli", lease=process.holder())
    here = run_here(other, mine, lambda step, of: steps.append((step.number, of)))
    assert here.digest == found.digest, "in a worker and here: the same run"
    assert steps[-1] == (found.steps, found.steps)
    assert other.points(here.id) == store.points(id)
    with pytest.raises(ZooError, match="This run is done, so it cannot be trained"):
        run_here(other, here.id)


def test_pause_and_resume_are_exact(served, undisturbed):
    store = served.store
    id = served.submit(LONG, "ann")
    until(lambda: store.run(id).step > 5)
    served.wish(id, "pause", "ann")
    paused = until(lambda: store.run(id).state == "paused" and store.run(id))
    assert 0 < paused.step < paused.steps and paused.lease == "" and served.submit(LONG, "ann") == id
    served.wish(id, "resume", "ann")
    assert ended(store, id).digest == undisturbed


def test_a_killed_worker_costs_nothing_and_killing_twice_is_said(served, undisturbed):
    store = served.store
    id = served.submit(LONG.but([("settings.data_seed", 0)]), "bob")
    first = training(store, id)
    os.kill(first.pid, signal.SIGKILL)
    second = training(store, id, pid=first.pid)
    assert second.attempt == 2
    os.kill(second.pid, signal.SIGKILL)
    found = ended(store, id)
    assert (found.state, found.attempt) == ("interrupted", 2)
    assert found.message.startswith("The training process ended unexpectedly (signal 9). This happened twice")
    served.wish(id, "resume", "bob")
    found = ended(store, id)
    assert (found.state, found.digest, found.attempt) == ("done", undisturbed, 1)
    assert "resumed" in [e.kind for e in store.events(id)]
    assert served.alive() and served.trouble() == ""


def test_a_damaged_checkpoint_starts_again_and_says_so(served, undisturbed):
    store = served.store
    id = served.submit(LONG, "eve")
    training(store, id)
    served.wish(id, "pause", "eve")
    until(lambda: store.run(id).state == "paused")
    path = store.folder(id).checkpoint
    path.write_bytes(path.read_bytes()[:-100])
    served.wish(id, "resume", "eve")
    assert ended(store, id).digest == undisturbed
    assert [e.text for e in store.events(id) if e.kind == "restarted"] == [
        "The saved state of this run is damaged. The run starts again from step 0."]


def test_cancel_is_answered_between_steps(served):
    id = served.submit(HOUR, "ann")
    until(lambda: served.store.points(id))
    served.wish(id, "cancel", "ann")
    assert ended(served.store, id).state == "cancelled" and not served.store.folder(id).weights.exists()


def test_a_run_that_was_paused_meanwhile_is_not_taken(store):
    id = store.submit(SHORT, "ann")
    store.wish(id, "pause", "ann")
    with pytest.raises(ZooError, match="This run is paused, so it cannot be trained."):
        run_here(store, id, paused=False)
    assert run_here(store, id).state == "done"


def test_a_worker_that_does_not_answer_is_killed(served, monkeypatch):
    monkeypatch.setattr(care, "ANSWER", 0.5)
    id = served.submit(HOUR, "ann")
    found = until(lambda: served.store.points(id) and served.store.run(id))
    os.kill(found.pid, signal.SIGSTOP)
    served.wish(id, "cancel", "ann")
    assert ended(served.store, id).state == "cancelled"
    until(lambda: not psutil.pid_exists(found.pid))


def test_a_hanging_worker_is_told_from_a_starving_one(served, monkeypatch):
    """Stopped, it uses no CPU and is killed; a process that only waits for its turn would use some."""
    id = served.submit(HOUR, "hal")
    found = training(served.store, id)
    monkeypatch.setattr(served, "hang", 0.6)
    os.kill(found.pid, signal.SIGSTOP)
    until(lambda: served.store.run(id).attempt == 2)
    monkeypatch.setattr(served, "hang", 60.0)
    assert "The training process made no step for 1 s. It was queued again." in [e.text for e in served.store.events(id)]
    served.wish(id, "cancel", "hal")
    ended(served.store, id)


def test_an_error_in_a_tick_is_recorded_and_survived(served, monkeypatch):
    def broken(store: Store) -> list[str]:
        raise RuntimeError("planted")

    with monkeypatch.context() as patch:
        patch.setattr(custody, "adopt", broken)
        until(lambda: served.trouble() == "RuntimeError: planted")
        assert served.alive()
    monkeypatch.setattr(served, "_trouble", "")
    assert ended(served.store, served.submit(SHORT.but([("settings.seed", 5)]), "ann")).state == "done"


def test_a_long_run_makes_room_for_somebody_who_has_had_nothing(served, monkeypatch):
    monkeypatch.setattr("rankzoo.runs.dispatcher.YIELD_AFTER", 0.5)
    long = served.submit(HOUR.but([("settings.seed", 3)]), "hoarder")
    until(lambda: served.store.points(long))
    short = served.submit(SHORT.but([("settings.seed", 4)]), "newcomer")
    assert ended(served.store, short).state == "done"
    assert served.store.run(long).state in ("queued", "running") and served.store.run(long).attempt == 1
    until(lambda: served.store.run(long).state == "running")
    told = [(e.kind, e.text) for e in served.store.events(long)]
    assert "yield" in [kind for kind, _ in told] and ("queued", YIELDED) in told, "who waits is told why"
    served.wish(long, "cancel", "hoarder")
    ended(served.store, long)


def test_what_is_wrong_with_a_run_is_one_sentence(store, monkeypatch):
    """Whatever the training raises, the run ends with a sentence; what the program did wrong is kept as an event."""
    memory = "There was not enough memory for this run. Use a smaller model or fewer rows."
    disk = "The disk is full; the last saved state was kept. Make room, then resume the run."
    cases = ((ZooError("The data are {how}.", how="odd"), "The data are odd."),
             (MemoryError(), memory),
             (RuntimeError("[enforce fail] can't allocate memory: you tried"), memory),
             (OSError(28, "No space left on device"), disk),
             (OSError(0, "I/O error: No space left on device (os error 28)"), disk),
             (KeyError("bug"), "The training stopped because of an error inside RankZoo (KeyError)."))
    for seed, (error, said) in enumerate(cases):
        def fail(*given: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(loop, "finish", fail)
        id = store.submit(SHORT.but([("settings.seed", seed)]), "cli", lease=process.holder())
        found = run_here(store, id)
        assert (found.state, found.message) == ("failed", said)
        assert ("traceback" in [e.kind for e in store.events(id)]) == isinstance(error, KeyError)


def test_limits_end_a_run_with_both_numbers(tmp_path):
    for changes, said in (({"memory": 10_000_000}, r"needed [\d,]+ MB of memory; the limit is 10 MB"),
                          ({"wall": 0.0}, r"worked for \d+ s; the limit is 0 s")):
        store = Store(tmp_path / next(iter(changes)), limits.Limits("class", 10_000, 10**6, 10**6, **changes))
        found = run_here(store, store.submit(HOUR, "cli", lease=process.holder()))
        assert found.state == "failed" and re.search(said, found.message)
    store = Store(tmp_path / "rows", limits.Limits("class", 500, 10**6, 10**6))
    with pytest.raises(ZooError, match="600 rows; the limit is 500."):
        store.submit(SHORT, "cli", lease=process.holder())


@pytest.fixture
def dummy() -> Iterator[Worker]:
    """A worker whose process only waits for its input to close."""
    other = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, text=True)
    yield Worker(other, psutil.Process(other.pid), ready=True)
    other.kill()
    other.wait()


@pytest.mark.parametrize(("state", "runs", "memory", "leaves"), [
    ("done", 0, 0, False), ("failed", 0, 0, True), ("done", pool.RUNS - 1, 0, True), ("done", 3, 2 * pool.GROWTH, True)])
def test_a_worker_is_replaced_after_a_failure_many_runs_or_growth(store, dummy, state, runs, memory, leaves):
    dispatcher = Dispatcher(store, workers=1)
    dispatcher.pool = [dummy]
    assert dummy.free and dummy.give("0123456789abcdef") and not dummy.free
    dummy.runs, dummy.base, dummy.memory = runs, 1000, memory
    dispatcher._heard(dummy.process.pid, {"kind": "ended", "state": state})
    assert (dummy.leaving, dummy.free, dummy.runs) == (leaves, not leaves, runs + 1)
    if leaves:
        assert dummy.process.wait(20) == 0


@pytest.mark.parametrize(("worked", "memory", "said"), [
    (126.0, 0, "The run worked for 126 s; the limit is 120 s. Use fewer epochs or fewer rows."),
    (1.0, 1_700_000_000, "The run needed 1,700 MB of memory; the limit is 1,500 MB. Use a smaller model or fewer rows."),
    (124.0, 1_600_000_000, "")])
def test_a_worker_that_breaks_a_limit_without_noticing_is_killed(store, dummy, worked, memory, said):
    id = store.submit(SHORT, "ann", lease=process.holder(dummy.process.pid))
    dummy.run, dummy.worked, dummy.memory = id, worked, memory
    care.judge(dummy, store.run(id), limits.CLASS, 60.0, 0.2)
    assert (dummy.verdict[0] == "limit") == bool(said)
    if said:
        dummy.process.wait(20)
        care.settle(store, dummy)
        assert (store.run(id).state, store.run(id).message, store.run(id).spent) == ("failed", said, worked)


def test_a_run_in_another_process_is_left_alone_until_that_is_gone(store):
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    id = store.submit(SHORT, "cli", lease=process.holder(other.pid))
    assert custody.adopt(store) == [] and store.run(id).state == "running"
    other.communicate(b"\n")
    assert custody.adopt(store) == [id]
    assert (store.run(id).state, store.run(id).attempt) == ("queued", 1), "the end of a server is no crash of the run"


def test_a_closing_process_queues_its_run_again(store, undisturbed):
    closing = threading.Event()
    id = store.submit(LONG, "cli", lease=process.holder())
    found = run_here(store, id, lambda step, steps: closing.set() if step.number == 7 else None, closing)
    assert (found.state, found.step, found.attempt, found.lease) == ("queued", 7, 1, "")
    steps: list[int] = []
    assert run_here(store, id, lambda step, of: steps.append(step.number)).digest == undisturbed
    assert steps[0] == 8, "it goes on, it does not start again"


def test_a_full_disk_fails_the_run_and_leaves_its_last_good_state(store, undisturbed):
    """From step 30 on no file may grow, and after a second there is room again: failed with the reason, then resumed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def fill(step: Step, steps: int) -> None:
        if step.number == 30:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
            room.start()

    room = threading.Timer(1.0, resource.setrlimit, (resource.RLIMIT_FSIZE, (soft, hard)))
    closing = threading.Event()
    id = store.submit(LONG, "cli", lease=process.holder())
    run_here(store, id, lambda step, steps: closing.set() if step.number == 7 else None, closing)
    assert store.folder(id).checkpoint.exists()
    try:
        found = run_here(store, id, fill)
    finally:
        room.join()
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert found.state == "failed" and "the last saved state was kept. Make room, then resume the run." in found.message
    assert store.folder(id).checkpoint.exists() and found.step > 7
    store.wish(id, "resume", "cli")
    steps: list[int] = []
    assert run_here(store, id, lambda step, of: steps.append(step.number)).digest == undisturbed
    assert steps[0] >= 8, "it goes on, it does not start again"


SERVER = """
import sys, time
from pathlib import Path
from rankzoo.runs import limits
from rankzoo.runs.dispatcher import Dispatcher
from rankzoo.runs.store import Store
Dispatcher(Store(Path(sys.argv[1]), limits.LOCAL), workers=1).start()
time.sleep(100)
"""


def test_a_killed_server_leaves_no_orphan_and_the_next_one_goes_on(store, undisturbed):
    """kill -9 of the server in the middle of a run: its workers go with it, another server ends the run exactly."""
    id = store.submit(LONG, "ann")
    path = os.pathsep.join([str(Path(rankzoo.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(store.root)], env=os.environ | {"PYTHONPATH": path})
    successor = Dispatcher(store, workers=1)
    try:
        held = training(store, id)
        successor.start()
        workers = psutil.Process(server.pid).children()
        assert held.pid in [each.pid for each in workers]
        time.sleep(0.3)
        assert not successor.holds and not successor.pool and successor.alive(), "one dispatcher for a store"
        server.kill()
        server.wait()
        until(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in workers), 5.0)
        found = ended(store, id)
        assert successor.holds and (found.state, found.digest, found.attempt) == ("done", undisturbed, 1)
        assert {"adopted", "resumed"} <= {e.kind for e in store.events(id)}
    finally:
        server.kill()
        successor.stop()


def test_workers_write_below_the_home_only(served, tmp_path):
    """The worker's open files lie in the store, beside what it reads of Python itself and of the data that ship with it."""
    id = served.submit(HOUR.but([("settings.seed", 9)]), "ann")
    found = until(lambda: served.store.points(id) and served.store.run(id))
    files = psutil.Process(found.pid).open_files()
    written = [each.path for each in files if getattr(each, "mode", "r") != "r"]
    assert written and all(path.startswith(str(served.store.root)) for path in written)
    assert psutil.Process(found.pid).nice() == 10
    served.wish(id, "cancel", "ann")
    ended(served.store, id)
