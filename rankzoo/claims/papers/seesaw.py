"""Tang et al., RecSys 2020: hard sharing raises one task as another falls; CGC and PLE gain for both."""
from __future__ import annotations

from rankzoo.claims.claim import Arm, Claim, Difference, Found
from rankzoo.claims.trial import trained
from rankzoo.data.worlds.goals import WORLD
from rankzoo.zoo.industry.snapchat import PLE_PAPER

PAIR = ("swipe", "purchase")  # planted to have nothing to do with each other
NETWORK = {"kind": "shared_bottom", "widths": [64, 32]}
WORSE = "the worse of both"


def trial(claim: Claim, seed: int) -> Found:
    """AUC of both tasks over that of a network for each, and the smaller of the two gains."""
    first, *others = claim.arms
    single = {task: trained(claim, Arm(first.name, first.system, {**first.changes, "tasks": [task]}), seed).metrics[task]["auc"]
              for task in PAIR}
    found = {first.name: single}
    found |= {arm.name: {task: metrics["auc"] for task, metrics in trained(claim, arm, seed).metrics.items()} for arm in others}
    gains = {name: {f"gain of {task}": aucs[task] - single[task] for task in PAIR} for name, aucs in found.items()}
    return {name: {**each, WORSE: min(each.values())} for name, each in gains.items()}


CLAIM = Claim(
    id="seesaw", place=28, title="Seesaw of two tasks", source=PLE_PAPER, at="section 3.2, figure 3",
    claim="Where tasks are unrelated, hard sharing raises one as another falls; with experts of its own for each task both gain.",
    equal="rows, epochs, batch order, towers for user and ad; the networks differ in size (the numbers of parameters stand"
          " beside the arms; a network for one task alone has one tower of the two counted)",
    world=WORLD, rows=24_000, trial=trial,
    statistic="test AUC of swipe and of purchase minus that of a network for each alone, and the smaller of the two gains",
    arms=(Arm("single", "snapchat", {"tasks": list(PAIR), "sharing": NETWORK}),
          Arm("shared bottom", "snapchat", {"tasks": list(PAIR), "sharing": NETWORK}),
          Arm("MMoE", "snapchat", {"tasks": list(PAIR), "sharing": {"kind": "mmoe", "experts": 5, "widths": [32]}}),
          Arm("CGC", "snapchat", {"tasks": list(PAIR), "sharing.levels": 1}),
          Arm("PLE", "snapchat", {"tasks": list(PAIR)})),
    differences=(Difference(WORSE, ("PLE",), ("shared bottom",), least=0.002),
                 Difference(WORSE, ("PLE",), ("single",), least=0.002),
                 Difference(WORSE, ("CGC",), ("shared bottom",), least=0.002),
                 Difference(f"gain of {PAIR[0]}", ("shared bottom",), ("single",)),
                 Difference(f"gain of {PAIR[1]}", ("shared bottom",), ("single",), expected="below")),
    seeds=3, seconds=30, plane=tuple(f"gain of {task}" for task in PAIR))
