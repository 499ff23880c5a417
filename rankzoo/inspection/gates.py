"""Gates: which experts each task listens to, and whether tasks that are related listen alike."""
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from rankzoo.data.truths import Relatedness
from rankzoo.inspection.score import Score, bootstrap
from rankzoo.inspection.view import Subject, View
from rankzoo.trace import Entry

RELATED, SAME = 0.5, 1e-9
SEGMENTS, LARGEST = 6, 60
SHARED = "(shared)"
"""In the place of a task: PLE's shared gate, which mixes for no task. No task can be called so: names hold no brackets."""


@dataclass(frozen=True)
class Level:
    """The gates of one level by task, each (row, expert) on one axis of experts; NaN where a gate does not see an expert.

    `experts` are indices, or addresses within the level (`own.click.0`). `shared` is the shared gate, where there is one.
    """

    experts: tuple[int | str, ...]
    shares: Mapping[str, np.ndarray]
    shared: np.ndarray | None = None

    @property
    def every(self) -> dict[str, np.ndarray]:
        """All gates, those of the tasks first."""
        return {**self.shares, **({} if self.shared is None else {SHARED: self.shared})}


def gates(subject: Subject, level: int = 0) -> View:
    """Mean and spread of every gate weight (task, expert, mean, sd), and the divergence between tasks' gates.

    `level` counts from 1 where a model has several (PLE); 0 is the last one, which the towers read.

    Statistic: Jensen-Shannon divergence (bits) between the gate rows of two tasks, averaged over rows; pairs of unrelated
    tasks over pairs of related ones. Chance is 1: gates that do not know which tasks are related. Mean gates would hide
    it, since rows differ where means do not. A task gives nothing to an expert that it does not see.
    """
    found = levels(subject)
    chosen = found[level - 1]
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    relatedness = truth.relatedness if truth else None
    tables = {"divergence": divergences(chosen.shares, relatedness), "effective": used(chosen)}
    if len(found) > 1:
        tables["levels"] = pd.concat([averaged(each.every, each.experts).assign(level=i) for i, each in enumerate(found, 1)],
                                     ignore_index=True)[["level", "task", "expert", "mean", "sd"]]
    return View("gates", averaged(chosen.every, chosen.experts), relatedness and scored(chosen.shares, relatedness), tables,
                f"Level {level or len(found)} of {len(found)}." if len(found) > 1 else "")


def levels(subject: Subject) -> tuple[Level, ...]:
    """The gates of the sharing slot, level by level; one level where the component has none.

    A gate's address ends in `gate.<task>`. One that serves no task is the shared gate, or, where no task has a gate of its
    own, every task's (OMoE).
    """
    found: dict[str, dict[str, Entry]] = {}
    for entry in subject.trace.of("gate"):
        slot, *steps = entry.address.split(".")
        if slot == "sharing":
            level = steps[1] if steps[0] == "level" else ""
            found.setdefault(level, {})[steps[-1] if steps[-2:-1] == ["gate"] else ""] = entry
    return tuple(_level(entries, subject.model.blueprint.tasks) for entries in found.values())


def _level(entries: dict[str, Entry], tasks: tuple[str, ...]) -> Level:
    experts = _axis([labels_of(entry) for task, entry in entries.items() if task] or [labels_of(entries[""])])
    along = {task: np.stack([_column(entry, expert) for expert in experts], axis=1) for task, entry in entries.items()}
    shared = along.pop("", None)
    return Level(experts, along, shared) if along else Level(experts, dict.fromkeys(tasks, shared))


def _axis(seen: Sequence[Sequence[int | str]]) -> tuple[int | str, ...]:
    """All experts: first those that one task alone sees, then those that several share."""
    counted = Counter(expert for labels in seen for expert in labels)
    return tuple(sorted(counted, key=lambda expert: counted[expert] > 1))


def labels_of(entry: Entry) -> tuple[int | str, ...]:
    """The experts that a gate weighs: what its labels say, else numbers from 0."""
    return entry.labels.get("expert") or tuple(range(entry.values.shape[1]))


def _column(entry: Entry, expert: int | str) -> np.ndarray:
    labels = labels_of(entry)
    if expert not in labels:
        return np.full(len(entry.values), np.nan)
    return entry.values[:, labels.index(expert)].numpy().astype(np.float64)


def averaged(shares: Mapping[str, np.ndarray], experts: Sequence[int | str] = ()) -> pd.DataFrame:
    """Columns task, expert, mean, sd: each gate weight over rows; NaN where a gate does not see an expert."""
    rows = [{"task": task, "expert": expert, "mean": float(w[:, i].mean()), "sd": float(w[:, i].std())}
            for task, w in shares.items() for i, expert in enumerate(experts or range(w.shape[1]))]
    return pd.DataFrame(rows, columns=["task", "expert", "mean", "sd"])


def used(level: Level) -> pd.DataFrame:
    """Columns task, effective (exp(entropy) of its mean gate), experts (that it sees), own (its share on experts that no other
    task sees; 0 where there are none)."""
    sees = {task: ~np.isnan(w[0]) for task, w in level.shares.items()}
    alone = sum(sees.values()) == 1 if len(sees) > 1 else np.zeros(len(level.experts), dtype=bool)
    means = {task: np.nan_to_num(w.mean(0)) for task, w in level.shares.items()}
    return pd.DataFrame([{"task": task, "effective": float(np.exp(entropy(mean))), "experts": int(sees[task].sum()),
                          "own": float(mean[alone].sum())} for task, mean in means.items()])


def splits(subject: Subject) -> tuple[str, ...]:
    """The features by which rows can be split: categorical ones of few values, a user's first, then numbers."""
    schema = subject.dataset.schema
    few = [f for f in schema.categorical if not f.bias and f.vocabulary <= LARGEST]
    return tuple(f.name for f in (*sorted(few, key=lambda f: f.side != "user"), *schema.numeric))


def segments(subject: Subject, feature: str, level: int = 0) -> pd.DataFrame:
    """The tasks' gates of parts of the rows: columns segment, rows, task, expert, mean, sd.

    Of a categorical feature the (at most six) most frequent values, a segment being its id; of a numeric one the rows' low,
    middle and high third.
    """
    values = subject.batch.features[feature].numpy()
    if subject.dataset.schema.feature(feature).kind == "categorical":
        ids, counts = np.unique(values, return_counts=True)
        chosen = {str(ids[i]): values == ids[i] for i in sorted(np.argsort(-counts, kind="stable")[:SEGMENTS])}
    else:
        low, high = np.quantile(values, [1 / 3, 2 / 3])
        chosen = {"low": values < low, "middle": (values >= low) & (values <= high), "high": values > high}
    gated = levels(subject)[level - 1]
    frames = [averaged({task: w[rows] for task, w in gated.shares.items()}, gated.experts).assign(
        segment=segment, rows=int(rows.sum())) for segment, rows in chosen.items() if rows.any()]
    return pd.concat(frames, ignore_index=True)[["segment", "rows", "task", "expert", "mean", "sd"]]


def entropy(p: np.ndarray) -> np.ndarray:
    """−Σ p ln p over the last axis, in nats."""
    return -(p * np.log(np.clip(p, 1e-12, None))).sum(-1)


def js(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence in bits over the last axis: 0 = equal, 1 = nothing in common."""
    return (entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2) / np.log(2)


def divergences(shares: Mapping[str, np.ndarray], truth: Relatedness | None) -> pd.DataFrame:
    """Columns a, b, js (mean over rows) and related (planted cosine, NaN where nothing is planted), one row per pair."""
    rows = []
    for a, b in combinations(shares, 2):
        known = truth is not None and a in truth.tasks and b in truth.tasks
        related = float(truth.cosine[truth.tasks.index(a), truth.tasks.index(b)]) if known else float("nan")
        rows.append({"a": a, "b": b, "js": float(apart(shares, a, b).mean()), "related": related})
    return pd.DataFrame(rows, columns=["a", "b", "js", "related"])


def apart(shares: Mapping[str, np.ndarray], a: str, b: str) -> np.ndarray:
    """The divergence of two tasks in every row, (row,); an expert that a task does not see gets 0 of it."""
    return js(np.nan_to_num(shares[a]), np.nan_to_num(shares[b]))


def scored(shares: Mapping[str, np.ndarray], truth: Relatedness) -> Score | None:
    """Between over within; None where the model's tasks do not have both related and unrelated pairs, or all have one gate."""
    pairs = divergences(shares, truth)
    within = [(r.a, r.b) for r in pairs.itertuples() if r.related >= RELATED]
    between = [(r.a, r.b) for r in pairs.itertuples() if r.related < RELATED]
    if not within or not between:
        return None
    inside, across = (np.mean([apart(shares, a, b) for a, b in group], axis=0) for group in (within, between))
    if max(inside.max(), across.max()) < SAME:
        return None
    more = (Score("divergence of related tasks, bits", float(inside.mean()), 0.0, None),
            Score("divergence of unrelated tasks, bits", float(across.mean()), 0.0, None))
    common = shared_only(shares)
    if common:
        pairs = (np.mean([apart(common, a, b) for a, b in group], axis=0) for group in (within, between))
        more += (_over("unrelated over related among the shared experts", *pairs),)
    return _over("divergence of unrelated over related tasks' gates", inside, across, more)


def shared_only(shares: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The gates over the experts that all tasks see, made to add to 1 again; empty where all see all, or share fewer than two.

    Own experts keep any two tasks apart, related or not, so that only here can their relation show.
    """
    seen = np.all([~np.isnan(w[0]) for w in shares.values()], axis=0)
    if seen.all() or seen.sum() < 2:
        return {}
    return {task: w[:, seen] / w[:, seen].sum(axis=1, keepdims=True).clip(1e-12) for task, w in shares.items()}


def _over(template: str, inside: np.ndarray, across: np.ndarray, more: tuple[Score, ...] = ()) -> Score:
    """The ratio of two divergences per row, (row,) each, with its interval."""
    ratio = lambda index: across[index].mean() / max(inside[index].mean(), 1e-12)  # noqa: E731
    return Score(template, float(ratio(np.arange(len(inside)))), 1.0, bootstrap(len(inside), ratio), more)
