"""Gong et al., CIKM 2022: what each kind of input is worth to the model on the phone, task by task."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.claims.trial import Trained
from rankzoo.data.worlds.lists import WORLD
from rankzoo.zoo.industry.kuaishou import BLUEPRINT, SYSTEM

TASKS = SYSTEM.blueprint.tasks
PHONE = ("slot", "network", "buffer")
"""What the phone alone knows of a candidate and of the moment."""
PLAIN = {"representation": {"kind": "embeddings", "dim": 8, "dims": dict(BLUEPRINT.representation.dims)},
         "concatenation.products": []}
PLACED = {"sequence": [BLUEPRINT.sequence[1].model_dump()], "concatenation.products": [["category", "placed"]]}
WORTH_MOST = {"has_next": "no phone", "effective_view": "no crosses", "like": "no crosses"}
"""By task the arm that loses most in the paper."""
LEFT_OUT = ("no phone", "no crosses", "no watched")


def aucs(trained: Trained) -> Mapping[str, float]:
    """AUC of every task on the test part."""
    return {task: trained.metrics[task]["auc"] for task in TASKS}


CLAIM = Claim(
    id="phone_inputs", place=33, title="What the phone knows, input by input", source=SYSTEM.source, at="ablation tables",
    claim="What the phone alone knows is worth most for going on; crosses and soft buckets are for views and likes.",
    equal="rows, epochs, batch order and every other part of the model. No phone: without slot, network and buffer. No crosses: "
          "plain numbers instead of soft buckets, no differences with past videos and no products with the category. No watched: "
          "the videos placed before alone, and the differences with the newest watched one; by the recipe likes follow what was "
          "liked before, so that these videos are worth more here than in the paper",
    world=WORLD, measure=aucs, seeds=4, seconds=100,
    arms=(Arm("full", "kuaishou"), Arm("no phone", "kuaishou", {"without": list(PHONE)}),
          Arm("no crosses", "kuaishou", PLAIN, world=replace(WORLD, crossed=False)),
          Arm("no watched", "kuaishou", PLACED)),
    statistic="AUC of each task on test rows", groups=TASKS,
    differences=(*(Difference(task, (other,), (most,), least=0.003) for task, most in WORTH_MOST.items()
                   for other in LEFT_OUT if other != most),
                 *(Difference(task, ("full",), (without,), least=0.003) for task, without in WORTH_MOST.items()),
                 Difference("effective_view", ("full",), ("no watched",), least=0.003)))
