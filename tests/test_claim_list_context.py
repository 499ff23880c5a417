"""The claims `list_context` and `list_null`: their arms differ in what they say, and their statistic is the world's."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rankzoo.claims.papers import list_context, list_null
from rankzoo.claims.papers.list_context import VIEWS, built
from rankzoo.claims.registry import get
from rankzoo.claims.trial import document_of, trained
from rankzoo.data.load import from_world
from rankzoo.serving.arrange import Planted, list_reward, search

CLAIM, NULL = get("list_context"), get("list_null")


def test_arms_differ_by_the_context_alone():
    """Without context: one attention and one product less; everything else is the system's."""
    documents = {arm.name: document_of(CLAIM, arm) for arm in CLAIM.arms}
    assert list(documents) == ["no context, greedy", "no context, beam 4", "context, greedy", "context, beam 4"]
    full, none = documents["context, greedy"], documents["no context, beam 4"]
    assert full == documents["context, beam 4"] and none == documents["no context, greedy"]
    assert [spec.history for spec in none.blueprint.sequence] == ["watched"]
    assert full.blueprint == none.blueprint.model_copy(update={
        "sequence": full.blueprint.sequence, "concatenation": full.blueprint.concatenation})
    assert full.settings == none.settings and (list_context.SEARCHES["greedy"].beams, VIEWS.beams) == (1, 4)


def test_lists_of_four_by_views_alone():
    """The reward here counts effective views, as the truth's figures do; the searches are not adaptive."""
    done = trained(replace(CLAIM, rows=1_000), CLAIM.arms[2], 0)
    rewards = built(done)
    assert set(rewards) == {"greedy", "beam 4"} and all(0 < reward < 4 for reward in rewards.values())
    assert dict(VIEWS.rewards) == {"effective_view": 1.0} and VIEWS.slots(done.dataset.candidates) == 4


def test_true_probabilities_build_lists_that_no_model_s_beat():
    """Bars of truth 8: with the true probabilities greedy < 4 beams ≤ brute force, far above lists in any order."""
    data = from_world(CLAIM.world, 2_000)
    repeats, requests = data.truth.repeats, CLAIM.world.requests
    given = Planted(VIEWS, repeats)
    greedy, four, every = (search(given, requests, 9, 4, beams)[-1].reward[:, 0] for beams in (1, 4, 1_000_000))
    anyhow = list_reward(*given.of(torch.arange(4).repeat(requests, 1))).mean()
    assert anyhow + 0.5 < greedy.mean() + 0.05 < four.mean() <= every.mean() and (four <= every + 1e-6).all()


def test_the_null_world_has_nothing_to_search_for():
    """Everyone goes on equally and nothing repeats: with the true probabilities greedy is brute force in every request."""
    assert (NULL.world.repeats, NULL.world.stay) == (0.0, 0.0) and NULL.differences[0].expected == "none"
    data = from_world(NULL.world, 2_000)
    given = Planted(VIEWS, data.truth.repeats)
    greedy, every = (search(given, NULL.world.requests, 9, 4, beams)[-1].reward[:, 0] for beams in (1, 1_000_000))
    torch.testing.assert_close(greedy, every)
    assert list_null.CLAIM.arms[0].changes == {}


@pytest.mark.slow
def test_one_seed_of_each():
    """Seed 0: the context and the beam pay, and the beam does not where there is nothing to win."""
    found = CLAIM.trial(CLAIM, 0)
    assert all(difference.of(found) > 0 for difference in CLAIM.differences)
    assert abs(NULL.differences[0].of(NULL.trial(NULL, 0))) < 0.02
