"""Stream: how impressions meet their actions at an online joiner, and what a model learns that goes on training behind it: by how
long features wait, which negatives are kept, and what a server that fails loses."""
from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from rankzoo.blueprint import Blueprint
from rankzoo.inspection.score import bootstrap
from rankzoo.inspection.view import Subject, View
from rankzoo.model import RankingModel
from rankzoo.schema import Schema
from rankzoo.serving.online import Online
from rankzoo.signals import Batch
from rankzoo.training.joiner import Arrivals, arrivals, join, pairs
from rankzoo.training.metrics import auc, sigmoid
from rankzoo.training.settings import TrainSettings
from rankzoo.training.stream import Failure, Queue, Shard, corrected, edges
from rankzoo.training.stream import stream as streamed

SETTINGS = TrainSettings(batch_size=512, lr=5e-3)
CACHES, WINDOWS, STEPS = (0.0, 1 / 8, 1 / 4, 1 / 2, 1.0), (0.25, 1, 2, 4, 8), 40
SAMPLED = 0.1
"""The share of negatives that is shown where the setting keeps all."""
FAILS = 1e-4
"""How probably a server fails on a day, by the paper."""
FROZEN, AT_ONCE, JOINED = "frozen", "at once", "joiner"
NOTE = ("The test rows are a stream in their order; the joiner is filled by the rows before them, which validation holds. When "
        "actions come is drawn for this picture: exponential, with the mean that is set.")


def awaited(blueprint: Blueprint, schema: Schema) -> str:
    """The task whose action is waited for: the first that says yes or no; empty where no task does, or where a loss is not the
    plain one, for which sampled negatives can be put right."""
    losses, tasks = blueprint.losses, [schema.task(name) for name in blueprint.tasks]
    if losses.grouped or not all(losses.usual(task) and losses.calibrated(task) for task in tasks):
        return ""
    return next((task.name for task in tasks if task.kind == "binary"), "")


def streams(blueprint: Blueprint, schema: Schema) -> bool:
    """Whether a model can go on learning from a stream: its table takes ids as they come, and an action is waited for."""
    return "rows" in blueprint.representation.keeps and bool(awaited(blueprint, schema))


@dataclass(frozen=True)
class Course:
    """The test part as a stream. rows: all requests at the joiner, of which the first `lead` come before the stream · ends:
    where shards begin and the last ends, in rows of the test part · events: features and actions as they arrive."""

    task: str
    rows: Batch
    lead: int
    ends: Sequence[int]
    events: Arrivals

    @classmethod
    def of(cls, subject: Subject, spec: Online) -> Course:
        dataset, task = subject.dataset, awaited(subject.model.blueprint, subject.dataset.schema)
        parts = [dataset.parts[name] for name in ("validation", "test")]
        rows = dataset.batch.take(dataset.batch.ids.new_tensor(np.concatenate(parts)))
        ends = edges(len(parts[1]), min(spec.syncs, max(1, len(parts[1]))))
        return cls(task, rows, len(parts[0]), ends, arrivals(rows.labels[task].nan_to_num().numpy(), spec.delay))

    @property
    def test(self) -> Batch:
        """The rows that are served."""
        return self.rows.rows(self.lead, len(self.rows))

    def late(self, requests: np.ndarray) -> float:
        """The share of served positives that is among some requests."""
        labels = self.rows.labels[self.task].nan_to_num().numpy()[self.lead:] > 0.5
        return float((requests >= self.lead).sum() / max(1, labels.sum()))

    def queue(self, window: int, kept: float) -> tuple[Queue, np.ndarray]:
        """What the training gets, and the requests whose action came too late."""
        found = pairs(self.events, window, kept)
        return Queue.of(found, self.rows, self.task, [self.lead + end for end in self.ends]), found.late


def served(subject: Subject) -> Online:
    """How its system learns online, with a window that the rows before the stream can fill."""
    spec = subject.serving if isinstance(subject.serving, Online) else Online()
    before = len(subject.dataset.parts["validation"])
    return replace(spec, window=min(spec.window, before)) if before else spec


def stream(subject: Subject, spec: Online | None = None) -> View:
    """Columns way (frozen: not trained on; at once: what will come of an impression is known when it is served, which nobody can;
    joiner), window (requests), own (whether it is the setting), examples (learnt), late (share of positives whose action came too
    late), auc (mean over shards, each scored before it is learnt), change (of it against at once), low, high (95 % over shards),
    predicted, rate (mean probability and mean label of all served rows).

    Tables: `cache` and `waits` (see `joins`), `negatives`, `failure` and `syncs` (see `learnt`).
    """
    spec = served(subject) if spec is None else spec
    taught = learnt(subject, spec)
    return View("stream", taught["windows"], tables=joins(subject, spec) | {
        name: table for name, table in taught.items() if name != "windows"}, note=NOTE,
        beside=("cache", "negatives", "failure"), serving=spec)


def joins(subject: Subject, spec: Online) -> dict[str, pd.DataFrame]:
    """`cache`: by its size (own: the setting), the share of joins that found features in `memory`, in the `store`, or whose
    `action` had come first. `waits`: by `waited` (requests) how many of all positives had been joined by then, and how many of
    them from memory, shares; the last row is the window."""
    course, sizes = Course.of(subject, spec), {round(spec.window * share) for share in CACHES} | {spec.cache}
    found = {size: join(course.events, size, spec.window) for size in sorted(sizes)}
    cache, total = [], int((course.rows.labels[course.task] > 0.5).sum())
    for size, each in found.items():
        places = each.place[each.label > 0]
        cache.append({"cache": size, "own": size == spec.cache} | {
            place: float((places == place).mean()) if len(places) else 0.0 for place in ("memory", "store", "action")})
    own = found[spec.cache]
    positive = own.label > 0
    waited, memory = (own.left - own.came)[positive], own.place[positive] != "store"
    waits = [{"waited": at, "joined": float((waited <= at).sum() / max(1, total)),
              "memory": float(((waited <= at) & memory).sum() / max(1, total))}
             for at in np.unique(np.linspace(0, spec.window, STEPS + 1).round().astype(int)).tolist()]
    return {"cache": pd.DataFrame(cache), "waits": pd.DataFrame(waits)}


def learnt(subject: Subject, spec: Online) -> dict[str, pd.DataFrame]:
    """`windows`: the table of `stream`. `negatives`: kept (r), corrected, rise (−ln r), examples, auc, predicted, rate, at the
    window of the settings. `failure`: servers, days (between two failures of any), rows (that one set back), auc (of the shards
    after it), calm (the same without failure), change, low, high. `syncs`: sync (from 0), requests (before it), rows, bytes
    (sent), tables, dense (bytes of all of either)."""
    course, model = Course.of(subject, spec), subject.model
    taught = corrected(model, {course.task: spec.kept}) if spec.kept < 1 else model
    frozen, at_once = _run(model, course, spec, shards=1), _run(model, course, spec)
    multiples = {round(spec.delay * times) for times in WINDOWS}
    queues = {window: course.queue(window, spec.kept)
              for window in sorted({spec.window} | {each for each in multiples if 0 < each <= course.lead})}
    joined = {window: _run(taught, course, spec, queue) for window, (queue, _) in queues.items()}
    own = joined[spec.window]
    rows = [_way(course, FROZEN, frozen, at_once),
            _way(course, AT_ONCE, at_once, at_once) | {"examples": course.ends[-2], "late": 0.0}]
    rows += [_way(course, JOINED, joined[window], at_once)
             | {"window": window, "own": window == spec.window, "examples": queue.taught, "late": course.late(late)}
             for window, (queue, late) in queues.items()]
    return {"windows": pd.DataFrame(rows), "negatives": _negatives(model, course, spec, own),
            "failure": _failure(taught, course, spec, queues[spec.window][0], own), "syncs": _syncs(model, own)}


def _run(model: RankingModel, course: Course, spec: Online, queue: Queue | None = None, failure: Failure | None = None,
         shards: int = 0) -> list[Shard]:
    """A copy of the model through the stream."""
    return list(streamed(copy.deepcopy(model), course.test, SETTINGS, shards or len(course.ends) - 1, spec.daily,
                         queue=queue, failure=failure))


def _aucs(course: Course, shards: Sequence[Shard]) -> np.ndarray:
    """(shard,) AUC of each, of a frozen model too; NaN where only one label is there."""
    rows, logits = course.test, np.concatenate([shard.logits[course.task] for shard in shards])
    seen, labels = rows.observed[course.task].numpy(), rows.labels[course.task].numpy()
    return np.array([auc(labels[a:b][seen[a:b]], logits[a:b][seen[a:b]]) for a, b in pairwise(course.ends)])


def _mean(values: np.ndarray) -> float:
    return float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else float("nan")


def _way(course: Course, way: str, shards: Sequence[Shard], best: Sequence[Shard]) -> dict[str, object]:
    """A row of the table of `stream`, in the order of its columns."""
    return {"way": way, "window": np.nan, "own": False, "examples": 0, "late": np.nan} | _told(course, shards) | _change(
        _aucs(course, shards), _aucs(course, best))


def _told(course: Course, shards: Sequence[Shard]) -> dict[str, float]:
    """What all shards come to: auc, predicted, rate."""
    seen = course.test.observed[course.task].numpy()
    p = sigmoid(np.concatenate([shard.logits[course.task] for shard in shards]))[seen]
    return {"auc": _mean(_aucs(course, shards)), "predicted": float(p.mean()),
            "rate": float(course.test.labels[course.task].numpy()[seen].mean())}


def _change(aucs: np.ndarray, others: np.ndarray) -> Mapping[str, float]:
    """The mean difference over shards, with its interval."""
    gained = (aucs - others)[np.isfinite(aucs - others)]
    low, high = bootstrap(len(gained), lambda index: float(gained[index].mean())) if len(gained) > 1 else (np.nan, np.nan)
    return {"change": _mean(gained), "low": low, "high": high}


def _negatives(model: RankingModel, course: Course, spec: Online, own: Sequence[Shard]) -> pd.DataFrame:
    """All negatives, and a share of them with and without the correction."""
    share = spec.kept if spec.kept < 1 else SAMPLED
    found = []
    for kept, right in ((1.0, True), (share, True), (share, False)):
        queue, _ = course.queue(spec.window, kept)
        known = right and kept == spec.kept
        taught = corrected(model, {course.task: kept}) if right and kept < 1 else model
        shards = own if known else _run(taught, course, spec, queue)
        found.append({"kept": kept, "corrected": right, "rise": abs(float(np.log(kept))), "examples": queue.taught}
                     | _told(course, shards))
    return pd.DataFrame(found)


def _failure(model: RankingModel, course: Course, spec: Online, queue: Queue, own: Sequence[Shard]) -> pd.DataFrame:
    """A server fails at the worst time, just before the next snapshot."""
    after = max(0, min(spec.daily, len(course.ends) - 2) - 1)
    shards = _run(model, course, spec, queue, Failure(spec.servers, after, spec.daily))
    aucs, calm = (_aucs(course, each)[after + 1:] for each in (shards, own))
    return pd.DataFrame([{"servers": spec.servers, "days": 1 / (FAILS * spec.servers), "auc": _mean(aucs), "calm": _mean(calm),
                          "rows": sum(shard.lost for shard in shards)} | _change(aucs, calm)])


def _syncs(model: RankingModel, shards: Sequence[Shard]) -> pd.DataFrame:
    """What each sync but the first sent, beside what there is."""
    tables = model.looked_up()
    held = {name: parameter.nbytes for name, parameter in model.named_parameters()}
    whole = sum(size for name, size in held.items() if name in tables)
    return pd.DataFrame([{"sync": shard.number, "requests": shard.start, "rows": shard.sent, "bytes": shard.bytes,
                          "tables": whole, "dense": sum(held.values()) - whole} for shard in shards[1:]],
                        columns=["sync", "requests", "rows", "bytes", "tables", "dense"])
