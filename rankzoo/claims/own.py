"""Claims that are made of the systems: each against itself with what is its own at its simplest, then with one component after
the other at its plainest, and beside the textbook model that it grew out of, on its own data: a rung of the ladder, or where none
can stand there, what its own file names.

The same rows in the same order, the same epochs and batches. A difference is told whichever way it comes out.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from rankzoo.baselines import Baseline, baselines
from rankzoo.claims.ablation import ablations
from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.data.world import world
from rankzoo.registry import systems
from rankzoo.schema import Schema, Task
from rankzoo.system import System
from rankzoo.training.metrics import RECALL, evaluate, predict, sigmoid

if TYPE_CHECKING:
    from rankzoo.claims.trial import Metrics, Trained

FIRST = 100  # the places of papers' claims stand before
STATISTIC = ("mean over the judged tasks: test AUC (where a position is planted, of labels drawn without it); recall@20 of "
             "items, MRR of classes, F1 of tags; numbers are left out")


def made() -> tuple[Claim, ...]:
    """The claims of every system of the industry, in the table's order."""
    found = []
    for system in systems().values():
        if system.kind == "industry":
            found += [plain(system)] if system.plain else []
            found += [grown(system, before)] if (before := baselines(system)) else []
            found += [ablated(system, plainer)] if (plainer := ablations(system.id)) else []
    return tuple(found)


def measure(trained: Trained, judged: tuple[str, ...] = ()) -> Mapping[str, float]:
    """score: the mean, over the tasks that are judged (by default all), of the metric of each, where more is better."""
    schema, metrics = trained.dataset.schema, unplaced(trained)
    tasks = [schema.task(name) for name in judged or metrics]
    values = [metrics[task.name][key(task, schema)] for task in tasks if task.metric.rises]
    return {"score": sum(values) / len(values)}


def unplaced(trained: Trained) -> Metrics:
    """The metrics on the test part; where a position was planted, with labels drawn anew as they would be without it. What was
    logged rewards a model that guesses from its other inputs where an item stood."""
    truth, rows, labels = trained.dataset.truth_of("test"), trained.dataset.part("test"), {}
    rng = np.random.default_rng(0)
    for task, utility in truth.utilities.items() if truth else ():
        if trained.dataset.schema.task(task).kind == "binary":
            labels[task] = torch.from_numpy(rng.random(len(utility)) < sigmoid(utility)).to(rows.labels[task].dtype)
    if not labels:
        return trained.metrics
    rows, model = replace(rows, labels={**rows.labels, **labels}), trained.model
    return evaluate(predict(model, rows), rows, trained.dataset.schema, model.blueprint.losses)


def key(task: Task, schema: Schema) -> str:
    """The metric of a task: of one that chooses an item the recall, since such a list is handed on as a set."""
    return RECALL if task.kind == "class" and schema.named(task.of) else task.metric.key


def plain(system: System) -> Claim:
    """The system against itself with `plain` changed."""
    return Claim(
        id=f"plain_{system.id}", place=FIRST + 3 * system.place, system=system.id, title=f"{system.brand} against its plain form",
        claim=f"Does {system.title} rank better than the same model with {told(system.plain)}?", source=system.source,
        at="RankZoo's own question", equal="all but what is changed: rows, epochs, batch order, learning rate",
        world=world(system.dataset), rows=system.settings.rows, measure=partial(measure, judged=system.judged),
        statistic=STATISTIC, arms=(Arm("plain", system.id, system.plain), Arm(system.id, system.id)),
        differences=(Difference("score", (system.id,), ("plain",)),), seeds=5, seconds=0)


def grown(system: System, found: Sequence[Baseline]) -> Claim:
    """The system beside what it grew out of, on its own data with its own epochs and batches, by the tasks that it is judged by
    and that all have; the verdict is that over the first, the textbook model."""
    schema, tasks, first = world(system.dataset).schema, system.judged or system.blueprint.tasks, found[0]
    judged = tuple(task for task in tasks if all(task in each.changes.get("tasks", tasks) for each in found))
    items = all(key(schema.task(task), schema) == RECALL for task in judged)
    recall = f"test recall@20 among all items, {'mean over ' * (len(judged) > 1)}{', '.join(judged)}"
    arms = (Arm(each.id, each.system, {"tasks": list(judged)} if each.rule else budget(system, each), model=each.rule is None,
                rule=each.rule) for each in found)
    return Claim(
        id=f"grew_{system.id}", place=FIRST + 3 * system.place + 1, system=system.id, title=f"{system.brand} beside {first.name}",
        source=system.source, claim=f"Does {system.title} rank better than {first.told}?", at="RankZoo's own question",
        equal=alike(system, found), world=world(system.dataset), rows=system.settings.rows,
        measure=partial(measure, judged=judged), statistic=recall if items else STATISTIC,
        arms=(*arms, Arm(system.id, system.id)),
        differences=tuple(Difference("score", (system.id,), (each.id,)) for each in found), seeds=5,
        seconds=system.before.seconds if system.before else 0, why=system.before.why if system.before else "")


def ablated(system: System, plainer: Mapping[str, Mapping[str, object]]) -> Claim:
    """The system against itself with one component after the other at its plainest; a verdict for each."""
    return Claim(
        id=f"ablate_{system.id}", place=FIRST + 3 * system.place + 2, system=system.id,
        title=f"{system.brand}, component by component",
        claim=f"Does {system.title} rank better than with one component at its plainest, one after the other?",
        source=system.source,
        at="RankZoo's own question", equal="all but the one component: rows, epochs, batch order, learning rate",
        world=world(system.dataset), rows=system.settings.rows, measure=partial(measure, judged=system.judged),
        statistic=STATISTIC,
        arms=(*(Arm(name, system.id, changes) for name, changes in plainer.items()), Arm(system.id, system.id)),
        differences=tuple(Difference("score", (system.id,), (name,)) for name in plainer), seeds=5, seconds=0)


def budget(system: System, each: Baseline) -> Mapping[str, object]:
    """What a baseline changes; of another system also what puts it on this one's tasks and budget."""
    if each.system == system.id:
        return each.changes
    return {"tasks": list(system.blueprint.tasks), "settings.epochs": system.settings.epochs,
            "settings.batch_size": system.settings.batch_size, **each.changes}


def alike(system: System, found: Sequence[Baseline]) -> str:
    """What all arms have in common, and what not."""
    if found[0].system != system.id:
        given = f"; {found[0].name} with {told(found[0].changes)}" if found[0].changes else ""
        return f"rows, epochs and batches; each has its own layers and learning rate{given}"
    rules = ", ".join(f"{each.name} ({each.told})" for each in found if each.rule)
    untrained = f". Not trained, and without what a row shows already: {rules}" if rules else ""
    return f"rows, epochs, batches and learning rate{untrained}"


def told(changes: Mapping[str, object]) -> str:
    """Changes in a few words: «sharing = shared_bottom, sequence = pooling»."""
    return ", ".join(f"{path} = {_kinds(value)}" for path, value in changes.items())


def _kinds(value: object) -> str:
    if isinstance(value, Mapping):
        return str(value["kind"]) if "kind" in value else " and ".join(f"{name} {_kinds(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return " + ".join(map(_kinds, value)) or "none"
    return str(value)
