"""Gong et al., CIKM 2022: the model on the phone beside the server's own scores and a simple network."""
from __future__ import annotations

from rankzoo.claims.claim import Arm, Claim, Difference, Found
from rankzoo.claims.papers.phone_inputs import PLAIN, TASKS, aucs
from rankzoo.claims.trial import rows_of, trained
from rankzoo.data.worlds.lists import WORLD
from rankzoo.training.metrics import auc
from rankzoo.zoo.industry.kuaishou import SYSTEM

SERVER = "server's scores"
TOLD = {"effective_view": "view_score"}
"""Which of the server's scores predicts a task. It predicts nobody's going on, and of the like these data have no score."""
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
            found[arm.name] = aucs(trained(claim, arm, seed))
    return found


CLAIM = Claim(
    id="phone_models", place=34, title="The phone's model and its rivals", source=SYSTEM.source, at="table 2",
    claim="A small model on the phone, which reads the server's scores and the context, predicts better than those scores "
          "and than a simple network.",
    equal="rows, epochs, batch order and inputs. Simple: both histories averaged, no experts, plain numbers, no products with "
          "the category. Of the like these data hold no score of the server",
    world=WORLD, trial=trial, seeds=3, seconds=60,
    arms=(Arm(SERVER, "kuaishou"), Arm("simple", "kuaishou", PLAIN | POOLED), Arm("phone", "kuaishou")),
    statistic="AUC of each task on test rows", groups=TASKS,
    differences=(Difference("effective_view", ("phone",), (SERVER,), least=0.003),
                 *(Difference(task, ("phone",), ("simple",), least=0.003) for task in TASKS)))
