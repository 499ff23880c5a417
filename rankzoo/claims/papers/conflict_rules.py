"""Bai et al., WWW 2022 (CSRec): a weight on which tasks disagree relies more on the task that it impacts more."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rankzoo.claims.claim import Arm, Claim, Course, Difference, Found
from rankzoo.claims.trial import document_of, rows_of
from rankzoo.data.worlds.masks import TASKS, WORLD
from rankzoo.training.fit import Fit, State
from rankzoo.zoo.industry.tencent import SYSTEM

RULES = ("none", "soft", "winner")
PLACES = tuple(range(0, 101, 10))
"""Where the turns are looked at, in per cent of their steps."""


def trial(claim: Claim, seed: int) -> Found:
    """One warm-up and one search for all arms, since no two tasks take turns in them; then each arm's turns from there."""
    dataset, document = rows_of(claim.world, claim.rows, seed), document_of(claim, claim.arms[0], seed)
    fit = Fit(document.model(dataset.schema), dataset, document.settings, watching=False)
    for step in fit:
        if fit.course.at(step.number).last:
            break
    searched = fit.state()
    return {arm.name: turns(claim, arm, seed, searched) for arm in claim.arms}


def turns(claim: Claim, arm: Arm, seed: int, state: State) -> Mapping[str, float]:
    """auc: mean test AUC of the tasks · conflict: mean rate over the turns · conflict@k, <task>@k: at the k-th place."""
    from rankzoo.training.metrics import evaluate, predict

    dataset, document = rows_of(claim.world, claim.rows, seed), document_of(claim, arm, seed)
    model = document.model(dataset.schema)
    fit = Fit(model, dataset, document.settings, state, watching=False)
    begun, validation, found = fit.done, dataset.part("validation"), {}

    def looked(rows) -> dict[str, float]:
        return {task: each["auc"] for task, each in evaluate(predict(model, rows), rows, dataset.schema).items()}

    marks = {begun + round((fit.steps - begun) * share / 100): k for k, share in enumerate(PLACES, 1)}
    found |= {f"{task}@1": value for task, value in looked(validation).items()}
    for step in fit:
        if step.number == begun + 1:  # before it no task has moved a weight
            found["conflict@1"] = model.told()["conflict.weights.all"]
        if k := marks.get(step.number):
            found[f"conflict@{k}"] = model.told()["conflict.weights.all"]
            found |= {f"{task}@{k}": value for task, value in looked(validation).items()}
    rates = [value for name, value in found.items() if name.startswith("conflict@")]
    return {"auc": float(np.mean(list(looked(dataset.part("test")).values()))), "conflict": float(np.mean(rates))} | found


AXIS = "per cent of the steps in turns"
CLAIM = Claim(
    id="conflict_rules", place=29, title="Who has the say in a conflict", source=SYSTEM.source, at="abstract",
    claim="Where tasks pull a shared weight apart, giving more say to the task that depends on it more makes tasks better.",
    equal="one warm-up, one search and so the same masks; then the same steps in turns from the same weights",
    world=WORLD, arms=tuple(Arm(rule, "tencent", {"sharing.conflict": rule}) for rule in RULES), trial=trial,
    statistic="auc: mean test AUC of the tasks; conflict: share of shared weights that owners pull apart, mean over the turns",
    differences=(Difference("auc", ("soft",), ("none",), least=0.003), Difference("auc", ("winner",), ("none",), least=0.003),
                 Difference("conflict", ("soft",), ("none",), "below", least=0.01)),
    courses=(Course("conflict", "Shared weights that tasks pull apart", AXIS, PLACES),
             *(Course(task, f"AUC of {task} on validation rows", AXIS, PLACES) for task in TASKS)), seeds=3, seconds=70,
    why="About as many shared weights are pulled apart under each rule, and who has the say hardly moves the mean AUC.")
