"""Bench: how fast a model trains on a table of any size, measured in one process from its start to the hold-out.

Speed is the median over windows of steps after a warm-up, without evaluation. Nothing is imported or computed before the
first step that the first step does not need.
"""
from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Literal

from rankzoo.errors import ZooError, closest

if TYPE_CHECKING:
    from rankzoo.blueprint import Blueprint
    from rankzoo.components.slot import Slot
    from rankzoo.data.dataset import Dataset
    from rankzoo.training.fit import Fit

WARM, WINDOWS = 10, 20
TABLES = 3.0
"""How much larger the tables' learning rate is: a short training sees most ids only a few times."""
SPREAD = 0.01
"""Of the starting embeddings, where a preset has no reason for another: most ids of a large table keep theirs."""


@dataclass(frozen=True)
class Order:
    """What is measured; `hidden` as it was written: widths by commas."""

    model: str
    file: Path
    batch_size: int = 1024
    steps: int = 200
    embedding_dim: int = 16
    hidden: str = "256,128,64"
    labels: tuple[str, ...] = ("label",)
    lr: float = 1e-3
    seed: int = 0
    threads: int = 1
    precision: Literal["float32", "bfloat16", "auto"] = "auto"


def measure(order: Order) -> dict[str, object]:
    """Train `steps` steps and say how it went.

    examples_per_second · seconds_to_first_step: since the process started · peak_rss_mb · auc: on the held-out rows, the
    mean over labels where there are several · and what these depend on. Raises a ZooError for a file, model or size that
    cannot be measured.
    """
    widths = widths_of(order.hidden)
    _check(order)
    import torch

    torch.set_num_threads(order.threads)
    from rankzoo.bench_table import read
    from rankzoo.model import RankingModel
    from rankzoo.training.allocator import keep_memory
    from rankzoo.training.fit import Fit
    from rankzoo.training.settings import TrainSettings

    keep_memory()
    dataset, held = read(order.file, order.labels)
    blueprint = blueprint_of(order.model, dataset, order.embedding_dim, widths)
    rows = len(dataset.parts["train"])
    settings = TrainSettings(seed=order.seed, epochs=min(1000, order.steps * order.batch_size // rows + 1), steps=order.steps,
                             batch_size=order.batch_size, lr=order.lr, table_lr=min(10.0, TABLES * order.lr), patience=0,
                             threads=order.threads, precision=order.precision)
    fit = Fit(RankingModel(blueprint, dataset.schema, order.seed), dataset, settings, watching=False)
    first, speed = _timed(fit, order.batch_size)
    count = blueprint.count(dataset.schema)
    aucs = _held_out(fit)
    return {"examples_per_second": speed, "seconds_to_first_step": first, "peak_rss_mb": peak_rss_mb(),
            "auc": sum(aucs.values()) / len(aucs) if aucs else float("nan"), "auc_by_label": aucs, "model": order.model,
            "steps": fit.done, "rows": len(dataset), "held_out": held, "parameters": count.parameters,
            "embedding": count.embedding, "dense": count.dense, "batch_size": order.batch_size, "threads": order.threads,
            "precision": fit.precision.name}


def widths_of(hidden: str) -> tuple[int, ...]:
    """«256,128» as widths."""
    parts = [part.strip() for part in hidden.split(",")]
    if not all(part.isdecimal() and 1 <= int(part) <= 65_536 for part in parts):
        raise ZooError("The hidden widths '{hidden}' cannot be read.", "Write whole numbers from 1 to 65,536 with commas, as in "
                       "256,128.", at="hidden", hidden=hidden[:60])
    return tuple(map(int, parts))


def blueprint_of(model: str, dataset: Dataset, dim: int, widths: tuple[int, ...]) -> Blueprint:
    """A system's blueprint fitted to the table, with the sizes that were asked for where it has such sizes."""
    from rankzoo.registry import systems

    if model not in systems():
        raise ZooError("Unknown model '{name}'.", closest(model, list(systems())) or "Choose one of: {known}.", at="model",
                       name=model[:60], known=", ".join(systems()))
    return _sized(systems()[model].blueprint, dataset, dim, widths)


def _sized(preset: Blueprint, dataset: Dataset, dim: int, widths: tuple[int, ...]) -> Blueprint:
    """The preset on the table, in the sizes asked for; where it cannot stand, only another model helps: bench sets no kinds.

    Every column is joined, numbers as their values; what pairs vectors pairs those of the ids. A sharing network takes all
    widths but the last, which is then the towers'; experts in levels are one of each task and one shared.
    """
    from rankzoo.components.representation.embeddings import Embeddings

    try:
        fitted, _ = preset.fitted(dataset.schema)
        lower, upper = (widths[:-1], widths[-1:]) if hasattr(fitted.sharing, "widths") and len(widths) > 1 else (widths, widths)
        ids = tuple(f.name for f in dataset.schema.categorical)
        interaction = tuple(_but(spec, {"fields": ids}) for spec in fitted.interaction)
        spread = fitted.representation.init if hasattr(fitted.representation, "init") else 0.0
        asked = {"dim": dim} | ({"init": SPREAD} if spread == Embeddings().init else {})
        slots = {"representation": _but(fitted.representation, asked),
                 "sharing": _but(fitted.sharing, {"widths": lower, "own": 1, "shared": 1}),
                 "towers": _but(fitted.towers, {"widths": upper, "units": upper}), "interaction": interaction}
        if interaction != fitted.interaction:  # only ids are paired, so that numbers need no vectors
            slots["representation"] = _but(slots["representation"], {"numeric": "value"})
        if fitted.concatenation.fields != ():  # else its fields reach the logit by other ways
            slots["concatenation"] = _but(fitted.concatenation, {"fields": None})
        made = fitted.model_copy(update={"tasks": tuple(task.name for task in dataset.schema.tasks)} | slots)
        made.places(dataset.schema)
    except ZooError as error:
        raise ZooError(error.what, "Measure another model.", at=error.at, **error.values) from None
    return made


def _but(spec: Slot, sizes: dict[str, object]) -> Slot:
    """The settings with those sizes that they have."""
    return spec.model_copy(update={name: size for name, size in sizes.items() if name in type(spec).model_fields})


def _check(order: Order) -> None:
    for name, value, most in (("batch-size", order.batch_size, 65_536), ("steps", order.steps, 10_000_000),
                              ("embedding-dim", order.embedding_dim, 65_536), ("threads", order.threads, 64)):
        if not 1 <= value <= most:
            raise ZooError("--{name} is {value}.", "It must be a whole number from 1 to {most:,}.", at=name,
                           name=name, value=value, most=most)
    if not 0 < order.lr <= 10:
        raise ZooError("--lr is {value}.", "It must be above 0 and at most 10.", at="lr", value=order.lr)


def _timed(fit: Fit, batch_size: int) -> tuple[float, float]:
    """Seconds from the start of the process to the end of the first step, and examples a second: the median over windows."""
    warm = min(WARM, max(1, fit.steps // 4))
    size = max(1, (fit.steps - warm) // WINDOWS)
    first, marks, begun = 0.0, [], time.perf_counter()
    for step in fit:
        if step.number == 1:
            first = since_start()
        if step.number >= warm and (step.number - warm) % size == 0:
            marks.append((time.perf_counter(), fit.examples))
    if len(marks) < 2:
        return first, fit.examples / (time.perf_counter() - begun)
    return first, median((b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(marks, marks[1:], strict=False))


def _held_out(fit: Fit) -> dict[str, float]:
    import numpy as np

    from rankzoo.training.metrics import evaluate, predict

    rows = fit.dataset.part("test")
    logits = predict(fit.model, rows)
    if not all(np.isfinite(values).all() for values in logits.values()):
        raise ZooError("The training has diverged: its logits are no longer finite numbers.", "Lower --lr.", at="lr")
    metrics = evaluate(logits, rows, fit.dataset.schema)
    return {task: values["auc"] for task, values in metrics.items() if "auc" in values}


def since_start() -> float:
    """Seconds since this process was started: to 10 ms by the kernel's own clock where there is one."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        import os

        return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        import psutil

        return time.time() - psutil.Process().create_time()


def peak_rss_mb() -> float:
    """The most memory that this process ever held, in MB of 10⁶ bytes."""
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
