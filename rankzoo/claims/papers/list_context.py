"""Gong et al., CIKM 2022: what was placed before changes what comes next, so model it, and search for lists."""
from __future__ import annotations

from collections.abc import Mapping

from rankzoo.claims.claim import Arm, Claim, Difference, Found
from rankzoo.claims.trial import Trained, trained
from rankzoo.data.worlds.lists import WORLD
from rankzoo.serving.arrange import Arrange, Modelled
from rankzoo.zoo.industry.kuaishou import BLUEPRINT, SYSTEM

NONE = {"sequence": [BLUEPRINT.sequence[0].model_dump()], "concatenation.products": [["category", "watched"]]}
"""Changes that take the videos placed before out of the model."""
VIEWS = Arrange(rewards={"effective_view": 1.0})
"""The reward of this experiment: the expected number of effective views."""
SEARCHES = {"greedy": VIEWS.greedy(), "beam 4": VIEWS}


def built(trained: Trained) -> Mapping[str, float]:
    """Mean true reward of the lists of four that each search builds for all waiting requests with the model's predictions."""
    candidates, repeats = trained.dataset.candidates, trained.dataset.truth.repeats
    score, requests = Modelled(VIEWS, trained.model, candidates, repeats.size), len(candidates) // repeats.size
    slots, found = VIEWS.slots(candidates), {}
    for name, spec in SEARCHES.items():
        lists = spec.lists(score, requests, repeats.size, slots).videos[:, 0]
        found[name] = float(spec.true_reward(repeats, lists).mean())
    return found


def trial(claim: Claim, seed: int) -> Found:
    """Each model trained once, its lists built by every search; the AUC belongs to the model, whatever the search."""
    found: dict[str, dict[str, float]] = {}
    for arm in claim.arms:
        model, _, search = arm.name.rpartition(", ")
        if search == "greedy":
            done = trained(claim, arm, seed)
            aucs = {f"auc of {task}": done.metrics[task]["auc"] for task in ("effective_view", "has_next")}
            rewards = built(done)
        found[arm.name] = {"reward": rewards[search], **aucs}
    return found


CLAIM = Claim(
    id="list_context", place=13, title="Context of a list, and beam search", source=SYSTEM.source,
    at="equations 4 to 6, algorithm 1",
    claim="A model that sees what is placed before predicts better and builds better lists, and a beam search better ones still.",
    equal="rows, epochs, batch order, the other inputs and the requests; without context one attention less",
    world=WORLD, trial=trial, seeds=3, seconds=30,
    arms=tuple(Arm(f"{name}, {search}", "kuaishou", changes) for name, changes in (("no context", NONE), ("context", {}))
               for search in SEARCHES),
    statistic="true reward of a list of four (expected views), and test AUC",
    differences=(Difference("reward", ("context, beam 4",), ("context, greedy",), least=0.02),
                 Difference("reward", ("context, beam 4",), ("no context, beam 4",), least=0.02),
                 Difference("reward", ("context, greedy",), ("no context, greedy",), least=0.02),
                 Difference("reward", ("no context, beam 4",), ("no context, greedy",), least=0.02),
                 Difference("auc of effective_view", ("context, greedy",), ("no context, greedy",), least=0.003),
                 Difference("auc of has_next", ("context, greedy",), ("no context, greedy",), least=0.003)))
