"""Gong et al., CIKM 2022, with its reasons taken away: if none ends a session or repeats, greedy is optimal."""
from __future__ import annotations

from dataclasses import replace

from rankzoo.claims.claim import Arm, Claim, Difference, Found
from rankzoo.claims.papers.list_context import SEARCHES, built
from rankzoo.claims.trial import trained
from rankzoo.data.worlds.lists import WORLD
from rankzoo.zoo.industry.kuaishou import SYSTEM


def trial(claim: Claim, seed: int) -> Found:
    """One model, its lists built by every search."""
    return {search: {"reward": reward} for search, reward in built(trained(claim, claim.arms[0], seed)).items()}


CLAIM = Claim(
    id="list_null", place=21, title="When beam search has nothing to win", source=SYSTEM.source, at="equations 4 to 6",
    claim="Where every video keeps a viewer equally well and repetition costs nothing, a beam search builds no better lists.",
    equal="one model builds both lists", world=replace(WORLD, repeats=0.0, stay=0.0, stall=0.0), trial=trial, seeds=3, seconds=15,
    arms=tuple(Arm(search, "kuaishou") for search in SEARCHES), statistic="true reward of a list of four (expected views)",
    differences=(Difference("reward", ("beam 4",), ("greedy",), "none", least=0.02),),
    why="With the true probabilities both searches build lists of the same worth, to the last digit. A model's beam can only "
        "lose: it leans on differences in going on that are noise.")
