"""The training loop around `Fit`: reports, checkpoints, requests and limits between two steps, in whatever process it runs.

A worker calls it for one run after another; the command line calls `run_here` in its own process. Both hold the run by a
lease, so pages, requests and a restart treat them alike.
"""
from __future__ import annotations

import dataclasses
import errno
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from rankzoo.data.dataset import Dataset
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.runs import checkpoint, limits
from rankzoo.runs.database import Busy, Unstored
from rankzoo.runs.lease import Ending, Lease, Lost
from rankzoo.runs.store import Store
from rankzoo.runs.tables import Point, Run
from rankzoo.runs.upkeep import retain
from rankzoo.training.fit import Fit, State, Step
from rankzoo.training.run import finish

WRITE_EVERY = 0.5   # seconds between two reports: at most two writes a second for a run
LOOK_EVERY = 0.25   # seconds between two looks at the requests
SAVE_EVERY = 5.0    # seconds between two checkpoints
SAVE_EPOCH = 1.0    # the same at the end of an epoch
INSIST = 40.0       # seconds for which the end of a run is tried to be written
SAVE_SHARE = 20.0   # a checkpoint may take one part in so many of the time
YIELDED = "Its state is kept: it makes room for somebody who has had nothing, and goes on by itself."
OnStep = Callable[[Step, int], None]


def _ignore(step: Step, steps: int) -> None:
    """The callback of whoever does not watch."""


def run_here(store: Store, id: str, on_step: OnStep = _ignore, closing: threading.Event | None = None,
             beat: Callable[[int], None] = lambda step: None, paused: bool = True) -> Run:
    """Train a run in this process until it ends, is paused, or `closing` is set (it is queued again then).

    `on_step(step, steps)` is called after every optimiser step, `beat(number)` a few times a second; `paused`: whether a
    paused run is resumed, too. Returns the run as it stands afterwards. Raises a ZooError where the run cannot be taken,
    Unstored where its end could not be written.
    """
    held = Lease.take(store, id, paused)
    closing = closing or threading.Event()
    try:
        _end(held, _guarded(held, lambda: _train(held, on_step, closing, beat)), closing)
        retain(store)
    except Lost:
        pass
    return store.run(id)


def _end(held: Lease, ending: Ending, closing: threading.Event) -> None:
    """Write the ending; where there is no room for it, the reason instead, as soon as there is room for that."""
    until = time.monotonic() + INSIST
    while True:
        try:
            held.end(ending)
            return
        except Unstored as error:
            if closing.wait(1.0) or time.monotonic() > until:
                raise
            ending = ending if isinstance(error, Busy) or ending.state != "done" else Ending("failed", _unstored(error))
        except OSError as error:
            ending = Ending("failed", _full(error))


def _guarded(held: Lease, train: Callable[[], Ending]) -> Ending:
    """The ending of a training, whatever happens in it, as a sentence."""
    try:
        return train()
    except Lost:
        raise
    except Unstored as error:
        return Ending("failed", _unstored(error))
    except ZooError as error:
        return Ending("failed", str(error))
    except MemoryError:
        return Ending("failed", "There was not enough memory for this run. Use a smaller model or fewer rows.")
    except OSError as error:
        return Ending("failed", _full(error))
    except KeyboardInterrupt:
        return Ending("paused", "Stopped by the person at the keyboard; it can be resumed.")
    except Exception as error:
        if "allocate memory" in str(error):
            return Ending("failed", "There was not enough memory for this run. Use a smaller model or fewer rows.")
        held.note("traceback", traceback.format_exc())
        return Ending("failed", f"The training stopped because of an error inside RankZoo ({type(error).__name__}).")


def _train(held: Lease, on_step: OnStep, closing: threading.Event, beat: Callable[[int], None]) -> Ending:
    document = Document.parse(held.run.config)
    ceilings = held.store.limits
    limits.check(document, ceilings)
    limits.check_installed(document)
    dataset = document.dataset()
    limits.check_rows(len(dataset), ceilings)
    model, fit = _resumed(held, document, dataset)
    held.plan(fit.steps, fit.epochs)
    watch = Watch(held, fit, closing, beat)
    for step in fit:
        on_step(step, fit.steps)
        if ending := watch.after(step):
            return ending
    watch.write()
    result = finish(fit, held.worked)
    tensors = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    checkpoint.save(held.folder.weights, State(tensors=tensors, numbers={"digest": result.digest}))
    return Ending("done", digest=result.digest, result=dataclasses.asdict(result),
                  preparation=dataset.preparation.model_dump(mode="json"))


def _resumed(held: Lease, document: Document, dataset: Dataset) -> tuple[RankingModel, Fit]:
    """A model and its training where the checkpoint stands; from step 0, and said so, where the checkpoint is damaged."""
    path = held.folder.checkpoint
    if path.exists():
        model = document.model(dataset.schema)
        try:
            fit = Fit(model, dataset, document.settings, checkpoint.load(path))
            held.note("resumed", f"From step {fit.done:,}.")
            return model, fit
        except (ZooError, KeyError, TypeError, ValueError, RuntimeError):  # of another version, as far as Fit can tell
            held.note("restarted", str(checkpoint.damaged()))
            path.unlink(missing_ok=True)
    model = document.model(dataset.schema)
    return model, Fit(model, dataset, document.settings)


def _full(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "A file that this run needs is no longer there."
    full = error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)
    reason = "The disk is full" if full else f"A file could not be written ({error.strerror})"
    return f"{reason}; the last saved state was kept. Make room, then resume the run."


def _unstored(error: Unstored) -> str:
    return f"{error.found}; the last saved state was kept. Make room, then resume the run."


@dataclass
class Watch:
    """What is done between two steps, and when it was last done (seconds of a monotonic clock)."""

    held: Lease
    fit: Fit
    closing: threading.Event
    beat: Callable[[int], None]
    points: list[Point] = field(default_factory=list)
    step: int = 0
    epoch: int = -1
    shown: bool = False
    written: float = 0.0
    looked: float = 0.0
    saved: float = field(default_factory=lambda: time.monotonic() - SAVE_EPOCH)  # so the first epoch's end is saved
    pause: float = SAVE_EVERY

    def after(self, step: Step) -> Ending | None:
        """Report, save and look as far as it is due; the ending where the run must stop now."""
        now = time.monotonic()
        epoch_over = self.epoch >= 0 and step.epoch != self.epoch
        self.step, self.epoch = step.number, step.epoch
        self.points += [Point(step.number, name, float(value)) for name, value in step.points.items()]
        first = bool(self.points) and not self.shown
        if first or now - self.written >= WRITE_EVERY:
            self.write()
        if now - self.saved >= (self.pause / SAVE_EVERY * SAVE_EPOCH if epoch_over else self.pause):
            self.save()
        if self.closing.is_set() or now - self.looked >= LOOK_EVERY:
            self.looked = now
            return self.look()
        return None

    def write(self) -> None:
        """Report what was measured, and how far the run is; where the store is busy, with the next report."""
        try:
            self.held.report(self.points, self.step, max(self.epoch, 0))
            self.shown = self.shown or bool(self.points)
            self.points = []
        except Busy:
            pass
        self.written = time.monotonic()

    def save(self) -> None:
        """Write a checkpoint; a slow one makes the next ones rarer."""
        began = time.monotonic()
        checkpoint.save(self.held.folder.checkpoint, self.fit.state())
        self.saved = time.monotonic()
        self.pause = max(SAVE_EVERY, SAVE_SHARE * (self.saved - began))

    def look(self) -> Ending | None:
        """Answer the owner, the dispatcher and the limits."""
        self.beat(self.step)
        wish, ceilings = self.held.wish(), self.held.store.limits
        if self.held.worked > ceilings.wall:
            self.save()
            return self._stop("failed", limits.too_long(self.held.worked, ceilings.wall))
        used = psutil.Process().memory_info().rss
        if ceilings.memory is not None and used > ceilings.memory:
            return self._stop("failed", limits.too_large(used, ceilings.memory))
        if wish == "cancel":
            return self._stop("cancelled", "")
        if wish == "pause":
            self.save()
            return self._stop("paused", "")
        if wish == "yield" or self.closing.is_set():
            self.save()
            return self._stop("queued", YIELDED if wish == "yield" else "")
        return None

    def _stop(self, state: str, message: str) -> Ending:
        self.write()
        return Ending(state, message)
