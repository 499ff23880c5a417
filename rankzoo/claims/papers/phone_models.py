"""Gong et al., CIKM 2022: the model on the phone beside the server's own scores, a simple network, and EdgeRec.

EdgeRec (Gong et al., CIKM 2020) reads the server's order up to the candidate by a GRU, and not what is really placed before it.
"""
from __future__ import annotations

from dataclasses import replace

from rankzoo.claims.claim import Arm, Claim, Difference, Found
from rankzoo.claims.papers.list_context import built
from rankzoo.claims.papers.phone_inputs import PLAIN, TASKS, aucs
from rankzoo.claims.trial import rows_of, trained
from rankzoo.data.worlds.lists import WORLD
from rankzoo.training.metrics import auc
from rankzoo.zoo.industry.kuaishou import BLUEPRINT, SYSTEM

SERVER = "server's scores"
POOLED = {"sequence": [{"kind": "pooling", "history": history} for history in ("watched", "placed")],
          "sharing": {"kind": "shared_bottom", "widths": [32]}}
STALE = {"sequence": [BLUEPRINT.sequence[0].model_dump(), {"kind": "gru", "history": "ahead", "width": 16}],
         "concatenation.products": [["category", "watched"]]}
"""Changes that make EdgeRec's context: the server's order up to the candidate, whatever is placed."""


def trial(claim: Claim, seed: int) -> Found:
    """AUC of each task on the test part, and the true reward of the lists that a beam search builds with the model; the server's
    scores are ranked as they came: it predicts nobody's going on, and of the like these data have no score."""
    found, rows = {}, rows_of(claim.world, claim.rows, seed).part("test")
    for arm in claim.arms:
        if not arm.model:
            seen = {task: rows.observed[task].numpy() for task in WORLD.forecasts}
            found[arm.name] = {task: auc(rows.labels[task].numpy()[seen[task]], rows.features[told].numpy()[seen[task]])
                               for task, told in WORLD.forecasts.items()}
        else:
            done = trained(claim, arm, seed)
            found[arm.name] = {**aucs(done), "reward": built(done)["beam 4"]}
    return found


CLAIM = Claim(
    id="phone_models", place=34, title="The phone's model and its rivals", source=SYSTEM.source, at="table 2",
    claim="A small model on the phone that reads what is really placed before predicts better than the server's scores, a simple "
          "network, and EdgeRec, which reads the order that the server had sent.",
    equal="rows, epochs, batch order, the inputs of a video, and the requests. EdgeRec's GRU stands for the attention over the "
          "videos placed and its product, all else is the phone's. Simple: both histories averaged, no experts, plain numbers, "
          "no products. Of the like these data hold no score of the server. Nobody was shown the server's order: lists were made "
          "by chance",
    world=replace(WORLD, ordered=True), trial=trial, seeds=3, seconds=70,
    arms=(Arm(SERVER, "kuaishou", model=False), Arm("simple", "kuaishou", PLAIN | POOLED), Arm("EdgeRec", "kuaishou", STALE),
          Arm("phone", "kuaishou")),
    statistic="AUC of each task on test rows; true reward of a list of four by a beam search (expected views)", groups=TASKS,
    differences=(*(Difference(task, ("phone",), ("EdgeRec",), least=0.003) for task in TASKS),
                 Difference("reward", ("phone",), ("EdgeRec",), least=0.02),
                 *(Difference(task, ("phone",), ("simple",), least=0.003) for task in TASKS),
                 Difference("effective_view", ("phone",), (SERVER,), least=0.003)))
