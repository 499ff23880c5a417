"""Tasks: how alike two tasks pull at their common input, how calibrated each one is, and what weighing them differently costs."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from rankzoo.blueprint import Blueprint
from rankzoo.data.truths import Relatedness
from rankzoo.inspection.masks import planted
from rankzoo.inspection.score import Score, bootstrap, ordered
from rankzoo.inspection.view import Subject, View
from rankzoo.schema import Schema
from rankzoo.serving.utility import Utility
from rankzoo.trace import Trace
from rankzoo.training.metrics import sigmoid

RELATED, UNRELATED, DRAWS, TOP = 0.5, 0.1, 200, 0.1
ALPHAS = tuple(2.0**power for power in range(-6, 7))
"""What α is multiplied with: 1 is α as it is served."""
NOTE = ("The cosine is that of two tasks' logits' gradients at the joined vector, row by row, averaged: 1 = what raises one "
        "raises the other. The intervals are over rows, not over trainings.")
POOLED = "The trade-off ranks all rows as one list and takes its best tenth"
SESSIONS = {False: f"{POOLED}: these data have no sessions whose best could be taken.",
            True: f"{POOLED}, not the best of each request."}
APART = "Tasks of different groups read tables of their own: they pull at nothing in common and have no cosine."


def compares(blueprint: Blueprint, schema: Schema) -> bool:
    """Whether at least two tasks with one logit each read one joined vector."""
    joined = next(place.shape.joined for place in blueprint.places(schema) if place.address == "sharing")
    return joined > 0 and sum(schema.task(task).single for task in blueprint.tasks) > 1


def tasks(subject: Subject) -> View:
    """Columns a, b, cosine, related (planted, or missing), together (whether one group of the model has both): a row per pair.

    Tables: `calibration` (task, rows, observed, expected, ratio O/E, low, high: where 95 % of the ratios lie by chance if the
    probabilities are right), and `trade` for models of passive and active tasks in two groups (alpha, served: whether it is the
    system's, passive, active, and where a task is neither other; true_passive …, per row of the tenth that ranks highest of all
    rows together, as they may have no sessions). Statistic: mean cosine of related pairs minus that of unrelated ones, where both
    kinds have a common input; chance is 0.
    """
    schema, blueprint = subject.dataset.schema, subject.model.blueprint
    names = tuple(task for task in blueprint.tasks if schema.task(task).single)
    cosines = pulled(subject, names)  # (row, pair)
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    related = pairs_of(names, truth.relatedness if truth else None)
    groups = grouped(subject)
    frame = pd.DataFrame([{"a": a, "b": b} for a, b in combinations(names, 2)], columns=["a", "b"])
    meet = np.array([bool(both.any()) for both in common(subject, names)], dtype=bool)
    frame["cosine"], frame["related"] = np.where(meet, averaged(cosines), np.nan), related
    frame["together"] = [groups[a] == groups[b] for a, b in combinations(names, 2)]
    tables = {"calibration": calibration(subject, names)}
    utility = weighed(subject, groups)
    if utility is not None and all(subject.probable(name) for name in names):
        tables["trade"] = trade(subject, utility, names)
    said = (NOTE, "" if meet.all() else APART, SESSIONS[schema.requests] if "trade" in tables else "")
    note = " ".join(filter(None, said))
    return View("tasks", frame, scored(cosines[:, meet], related[meet]), tables, note, tuple(tables),
                utility if "trade" in tables else None)


def grouped(subject: Subject) -> dict[str, int]:
    """The number of each task's group; all tasks are one where the model has no groups."""
    members = getattr(subject.model.sharing, "members", (subject.model.blueprint.tasks,))
    return {task: g for g, group in enumerate(members) for task in group}


def weighed(subject: Subject, groups: Mapping[str, int]) -> Utility | None:
    """The system's utility, of the model's tasks. Those that the system calls active or other are; where it calls none active,
    the second group is (of those with tasks that are not other), and a third one is other. None where there are not two or three
    groups."""
    served = subject.serving if isinstance(subject.serving, Utility) else Utility()
    other = tuple(task for task in groups if task in served.other)
    rest: dict[int, tuple[str, ...]] = {}
    for task, group in groups.items():
        rest |= {} if task in other else {group: (*rest.get(group, ()), task)}
    if len(rest) not in (2, 3):
        return None
    _, second, *third = rest.values()
    active = tuple(task for task in groups if task in served.active) or second
    other += tuple(task for group in third for task in group if task not in served.active)
    return replace(served, active=active, other=other, worth={t: worth for t, worth in served.worth.items() if t in groups})


def common(subject: Subject, names: tuple[str, ...]) -> list[Tensor]:
    """For each pair of tasks, which numbers of the joined vector both read, (width,) bool: all, unless groups have their own."""
    shape = next(place.shape for place in subject.model.blueprint.places(subject.dataset.schema) if place.address == "sharing")
    groups, every = grouped(subject), torch.arange(shape.joined)
    read = {name: sum((every >= start) & (every < stop) for start, stop in shape.stretches(groups[name])) > 0 for name in names}
    return [read[a] & read[b] for a, b in combinations(names, 2)]


def averaged(cosines: np.ndarray) -> np.ndarray:
    """(row, pair) → (pair,) mean over the rows that have one; 0 where none has."""
    seen = ~np.isnan(cosines)
    return np.where(seen, cosines, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)


def pulled(subject: Subject, names: tuple[str, ...]) -> np.ndarray:
    """(row, pair) cosine of the gradients of two tasks' logits at what both read of the joined vector; NaN where one has none."""
    model, off = subject.model, Trace(on=False)
    with torch.no_grad():
        signal, joined = model.read(subject.batch.unlabelled(), off)
    # The gradient is asked for as an answer and kept in no parameter; the model stays in eval mode, as the subject was traced.
    with torch.enable_grad():
        joined = joined.detach().clone().requires_grad_()
        logits = model.towers(model.sharing(joined, off), signal, off)
        toward = {name: torch.autograd.grad(logits[name].sum(), joined, retain_graph=True)[0] for name in names}
    found = []
    for (a, b), both in zip(combinations(names, 2), common(subject, names), strict=True):
        one, other = toward[a][:, both], toward[b][:, both]
        cosine = F.cosine_similarity(one, other, dim=1)
        found.append(torch.where((one.norm(dim=1) > 0) & (other.norm(dim=1) > 0), cosine, torch.nan).double().numpy())
    return np.stack(found, axis=1)


def pairs_of(names: tuple[str, ...], truth: Relatedness | None) -> np.ndarray:
    """The planted cosine of every pair, NaN where nothing was planted: (pair,)."""
    matrix, pairs = planted(names, truth), np.triu_indices(len(names), 1)
    return np.full(len(pairs[0]), np.nan) if matrix is None else matrix[pairs]


def scored(cosines: np.ndarray, related: np.ndarray) -> Score | None:
    """(row, pair), (pair,): how far related tasks pull together more than unrelated ones, and whether all pairs do in the order
    in which they are related; None unless both kinds of pairs are planted. Partly related ones are neither, and count in the
    order alone."""
    near, far = related >= RELATED, related <= UNRELATED
    if np.isnan(related).any() or not near.any() or not far.any():
        return None
    mean = lambda index: averaged(cosines[index])  # noqa: E731
    apart = lambda index: float(mean(index)[near].mean() - mean(index)[far].mean())  # noqa: E731
    rank = lambda index: ordered(mean(index), related)  # noqa: E731
    every = np.arange(len(cosines))
    more = Score("rank correlation of the gradients' cosine with relatedness", rank(every), 0.0,
                 bootstrap(len(every), rank, draws=DRAWS))
    return Score("gradients' cosine of related tasks minus that of unrelated ones", apart(every), 0.0,
                 bootstrap(len(every), apart, draws=DRAWS), (more,))


def calibration(subject: Subject, names: tuple[str, ...]) -> pd.DataFrame:
    """Observed over expected of every task that predicts a probability."""
    rows = []
    for name in (name for name in names if subject.probable(name)):
        seen = subject.batch.observed[name].numpy()
        p = sigmoid(subject.trace[f"logit.{name}"].values.double().numpy()[seen])
        expected, observed = float(p.sum()), float(subject.batch.labels[name].numpy()[seen].sum())
        reach = 1.96 * float(np.sqrt((p * (1 - p)).sum())) / expected if expected else np.nan
        rows.append({"task": name, "rows": len(p), "observed": observed, "expected": expected,
                     "ratio": observed / expected if expected else np.nan, "low": max(1 - reach, 0.0), "high": 1 + reach})
    return pd.DataFrame(rows, columns=["task", "rows", "observed", "expected", "ratio", "low", "high"])


def trade(subject: Subject, utility: Utility, names: tuple[str, ...]) -> pd.DataFrame:
    """For each α around the one that is served, λ as it is, what the tenth of the rows that ranks highest is worth, as the model
    has it and (where planted) in truth."""
    logits = {name: subject.trace[f"logit.{name}"].values.double() for name in names}
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    known: Mapping[str, np.ndarray] = truth.logits if truth and set(names) <= set(truth.logits) else {}
    groups = ("passive", "active", "other") if set(utility.other) & set(names) else ("passive", "active")
    real = utility.parts({name: torch.from_numpy(known[name]) for name in names}) if known else None
    parts, best, rows = utility.parts(logits), max(1, round(TOP * subject.rows)), []
    for alpha in (utility.alpha * factor for factor in ALPHAS):
        top = torch.argsort(replace(utility, alpha=alpha).score(logits), descending=True, stable=True)[:best]
        rows.append({"alpha": alpha, "served": alpha == utility.alpha}
                    | {name: float(part[top].mean()) for name, part in zip(groups, parts, strict=False)}
                    | {f"true_{name}": float(real[i][top].mean()) if real else np.nan for i, name in enumerate(groups)})
    return pd.DataFrame(rows)
