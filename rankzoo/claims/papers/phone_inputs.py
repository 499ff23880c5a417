"""Gong et al., CIKM 2022: what each kind of input is worth to the model on the phone, beside the server's own scores."""
from __future__ import annotations

from rankzoo.claims.claim import Arm, Claim, Difference, Found
from rankzoo.claims.trial import rows_of, trained
from rankzoo.data.worlds.lists import WORLD
from rankzoo.training.metrics import auc
from rankzoo.zoo.industry.kuaishou import BLUEPRINT, SYSTEM

SERVER = "server's scores"
TOLD = {"effective_view": "view_score"}
"""Which of the server's scores predicts a task. It predicts nobody's going on, and of the like these data have no score."""
TASKS = SYSTEM.blueprint.tasks
PLACED = {"sequence": [BLUEPRINT.sequence[1].model_dump()], "concatenation.products": [["category", "placed"]]}
PLAIN = {"representation": {"kind": "embeddings", "dim": 8, "dims": {"category": 16}}, "concatenation.products": []}
POOLED = {"sequence": [{"kind": "pooling", "history": history} for history in ("watched", "placed")],
          "sharing": {"kind": "shared_bottom", "widths": [32]}}


def trial(claim: Claim, seed: int) -> Found:
    """AUC of each task on the test part; the server's scores are ranked as they came."""
    found, rows = {}, rows_of(claim.world, claim.rows, seed).part("test")
    for arm in claim.arms:
        if arm.name == SERVER:
            seen = {task: rows.observed[task].numpy() for task in TOLD}
            found[arm.name] = {task: auc(rows.labels[task].numpy()[seen[task]], rows.features[told].numpy()[seen[task]])
                               for task, told in TOLD.items()}
        else:
            metrics = trained(claim, arm, seed).metrics
            found[arm.name] = {task: metrics[task]["auc"] for task in TASKS}
    return found


CLAIM = Claim(
    id="phone_inputs", place=33, title="What the phone knows, input by input", source=SYSTEM.source, at="ablation tables",
    claim="Crosses with soft buckets, and what was just watched, each add to what the phone's model tells.",
    equal="rows, epochs, batch order and every other part of the model. Without crosses: plain numbers instead of soft "
          "buckets, no products with the category. Simple: both histories averaged, no experts. Of the slot no difference is "
          "expected here: it tells nothing that the videos placed before do not tell. On the phone it comes with network and "
          "buffer, which these data lack, as they lack the server's score of a like",
    world=WORLD, trial=trial, seeds=3, seconds=100,
    arms=(Arm(SERVER, "kuaishou"), Arm("simple", "kuaishou", PLAIN | POOLED), Arm("all", "kuaishou"),
          Arm("no slot", "kuaishou", {"without": ["slot"]}), Arm("no crosses", "kuaishou", PLAIN),
          Arm("no watched", "kuaishou", PLACED)),
    statistic="AUC of each task on test rows", groups=TASKS,
    differences=(Difference("effective_view", ("all",), ("no crosses",), least=0.003),
                 Difference("effective_view", ("all",), ("no watched",), least=0.003),
                 Difference("like", ("all",), ("no watched",), least=0.003),
                 Difference("has_next", ("all",), ("no slot",), "none", least=0.003),
                 Difference("effective_view", ("all",), ("simple",), least=0.003),
                 Difference("effective_view", ("all",), (SERVER,), least=0.003)))
