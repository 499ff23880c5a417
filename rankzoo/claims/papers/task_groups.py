"""Ackerman and Kataria, 2021, and Borisyuk et al., KDD 2024: a network for each group of tasks that belong together."""
from __future__ import annotations

from collections.abc import Mapping

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.claims.trial import Trained
from rankzoo.data.worlds.professional import ACTIVE, PASSIVE, TASKS, WORLD
from rankzoo.zoo.industry.linkedin import LIRANK

RARE = ("comment", "reshare")
GROUPS = {"groups": [list(PASSIVE), list(ACTIVE)], "mixed groups": [["click", "like"], ["long_dwell", "comment", "reshare"]],
          "one network": [list(TASKS)], "a network each": [[task] for task in TASKS]}


def score(trained: Trained) -> Mapping[str, float]:
    """Mean AUC of all five tasks, and of the two rare ones."""
    aucs = {task: metrics["auc"] for task, metrics in trained.metrics.items()}
    return {"auc": sum(aucs.values()) / len(aucs), "rare": sum(aucs[task] for task in RARE) / len(RARE)}


CLAIM = Claim(
    id="task_groups", place=25, title="Tasks in groups", source=LIRANK, at="ablation: MTL grouping +0.75 % contributions",
    claim="Two networks, for passive and for active responses, rank better than one for all tasks.",
    equal="rows, batch order, trees and the widths of a network; more groups have more networks",
    world=WORLD, rows=20_000, measure=score, statistic="auc: test AUC, mean of five tasks; rare: mean of comment and reshare",
    arms=tuple(Arm(name, "linkedin", {"sharing.groups": groups}) for name, groups in GROUPS.items()),
    differences=(Difference("auc", ("groups",), ("one network",), least=0.001),
                 Difference("auc", ("groups",), ("mixed groups",), least=0.001),
                 Difference("rare", ("groups",), ("one network",), least=0.001),
                 Difference("rare", ("groups",), ("a network each",), least=0.001)), seeds=5, seconds=35,
    why="Against a network for each task the gain is in size alone: two networks rank as well as five. The trees, of which each "
        "task has its own, already tell a rare task what it needs; what is shared behind them adds nothing that five seeds show.")
