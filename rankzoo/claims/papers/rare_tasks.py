"""Caruana, 1997, and Ma et al., KDD 2018: tasks that share help each other if they are related, and hurt if they are not."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rankzoo.claims.claim import Arm, Claim, Difference, Found
from rankzoo.claims.trial import Trained, trained
from rankzoo.data.worlds.feed import WORLD
from rankzoo.zoo.ladder.mmoe import SYSTEM

RARE = ("like", "dismiss")
WORLDS = {cosine: replace(WORLD, relatedness=cosine, across=cosine) for cosine in (0.0, 0.95)}
SIZES = {"sharing.widths": [64], "settings.schedule": "constant"}


def score(trained: Trained) -> Mapping[str, float]:
    """AUC of the rare tasks that the arm has."""
    return {task: trained.metrics[task]["auc"] for task in RARE if task in trained.metrics}


def trial(claim: Claim, seed: int) -> Found:
    """Mean AUC of the two rare tasks: of one network for all four, and of a network for each."""
    found = {}
    for arm in claim.arms:
        alone = [Arm(arm.name, arm.system, {**arm.changes, "tasks": [task]}, arm.world) for task in RARE]
        of = alone if arm.name.startswith("single") else [arm]
        aucs = {task: auc for each in of for task, auc in score(trained(claim, each, seed)).items()}
        found[arm.name] = {"auc": sum(aucs[task] for task in RARE) / len(RARE)}
    return found


CLAIM = Claim(
    id="rare_tasks", place=14, title="Sharing and rare tasks", source=SYSTEM.source, at="section 3.2",
    claim="A shared network helps rare tasks where the tasks are related, and hurts them where they are not.",
    equal="rows, epochs, batch order and the sizes of each network; a single-task network has them for itself",
    world=WORLD, statistic="test AUC, mean of like and dismiss (3 % and 2 % of the rows)", trial=trial,
    arms=tuple(Arm(f"{name}, cosine {cosine:g}", "shared_bottom", SIZES, world)
               for cosine, world in WORLDS.items() for name in ("single", "shared")),
    differences=(Difference("auc", ("shared, cosine 0.95", "single, cosine 0"), ("single, cosine 0.95", "shared, cosine 0"),
                            least=0.004),
                 Difference("auc", ("shared, cosine 0.95",), ("single, cosine 0.95",), least=0.002),
                 Difference("auc", ("shared, cosine 0",), ("single, cosine 0",), "below", least=0.002)), seeds=5, seconds=20)
