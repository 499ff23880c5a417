"""Arranging a list: what a search asks of the model, and when it is of no use. Its rules by the numbers of the Kuaishou sheet:
tests/systems/test_kuaishou.py."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from rankzoo.data.truths import Repeats
from rankzoo.data.worlds.lists import WORLD
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.serving.arrange import Modelled, Planted, search, stops
from tests.searches import REQUESTS, SIZE, SLOTS, SPEC, drawn, score
from tests.support import randomised, small


def test_greedy_is_optimal_under_the_null():
    """With one chance of going on for all and nothing lost to repetition, no list beats the greedy one."""
    given, chance = drawn(), np.zeros(REQUESTS * SIZE)
    null = Planted(SPEC, Repeats(SIZE, {**given.own, "has_next": chance}, given.category, dict.fromkeys(given.own, 0.0),
                                 dict.fromkeys(given.own, 0.0)))
    greedy = SPEC.greedy().lists(null, REQUESTS, SIZE, SLOTS).reward[:, 0]
    torch.testing.assert_close(greedy, search(null, REQUESTS, SIZE, SLOTS, 10_000)[-1].reward[:, 0])
    assert (SPEC.greedy().lists(score(), REQUESTS, SIZE, SLOTS).reward[:, 0] < SPEC.lists(
        score(), REQUESTS, SIZE, SLOTS).reward[:, 0] - 1e-3).any()


class TestModelled:
    """The model's scores in a search are those that it would give to the same row of a table."""

    @pytest.fixture(scope="class")
    def data(self):
        return small("lists", 2_000)

    @pytest.fixture(scope="class")
    def model(self, data):
        return randomised(RankingModel(systems()["kuaishou"].blueprint, data.schema))

    def test_rows_are_those_of_the_table(self, data):
        """Take logged lists as requests of one: slot, placed videos and mask are made as the table has them; network and buffer
        are the request's own."""
        batch, spec = data.part("train", 900), Modelled(SPEC, RankingModel(systems()["kuaishou"].blueprint, data.schema),
                                                        data.part("train", 900), 1)
        slot = batch.ids[:, spec.slot] - 1
        for depth in (1, 2, 3):
            rows = (slot == depth).nonzero().squeeze(1)
            before = rows.unsqueeze(1) - torch.arange(1, depth + 1)  # the last one first
            made, mask = spec.placed(rows, before), batch.masks["placed"][rows]
            assert len(rows) > 20 and torch.equal(made.masks["placed"], mask) and torch.equal(made.ids, batch.ids[rows])
            assert torch.equal(made.histories["placed"], batch.histories["placed"][rows])
            assert torch.equal(made.numbers, batch.numbers[rows]) and "buffer" in [f.name for f in data.schema.numeric]
            assert not made.labels and torch.equal(made.histories["watched"], batch.histories["watched"][rows])

    def test_scores_are_the_model_s(self, data, model):
        """Videos 4, then 2, placed in every request: each other candidate against its row by hand; those placed say nothing."""
        waiting, size = data.candidates.rows(0, 27), 9
        given = Modelled(SPEC, model, waiting, size)
        worth, going_on = given(torch.tensor([[[4, 2]]] * 3))
        for request in range(3):
            for video in (0, 8):
                row = given.placed(torch.tensor([9 * request + video]), torch.tensor([[9 * request + 2, 9 * request + 4]]))
                logits = model(row).logits
                p = {task: float(torch.sigmoid(value.detach())) for task, value in logits.items()}
                assert float(worth[request, 0, video]) == pytest.approx(p["effective_view"] + 2 * p["like"], abs=1e-5)
                assert float(going_on[request, 0, video]) == pytest.approx(p["has_next"], abs=1e-5)
        assert (worth[:, 0, [4, 2]] == 0).all()

    def test_beam_is_never_better_than_all_lists(self, data, model):
        """By the model's own reward: greedy ≤ brute force, 4 beams ≤ brute force, in every request."""
        waiting = data.candidates.rows(0, 4 * 9)
        given = Modelled(SPEC, model, waiting, 9)
        greedy, four, every = (search(given, 4, 9, 3, beams)[-1].reward[:, 0] for beams in (1, 4, 10_000))
        assert (greedy <= every + 1e-5).all() and (four <= every + 1e-5).all()

    def test_next_videos(self, data, model):
        """One request: as many videos as are shown, the first of the best beam at the step where it settled."""
        waiting = data.candidates.rows(0, 9)
        videos, steps = SPEC.next_videos(model, waiting)
        found = search(Modelled(SPEC, model, waiting, 9), 1, 9, 4, 4)
        stop = int(stops(found, 1, SPEC.threshold)) or 4
        assert videos.tolist() == found[stop - 1].videos[0, 0, :1].tolist() and steps == stop
        assert SPEC.slots(waiting) == 4

    def test_true_reward_is_the_world_s(self, data):
        """A list of the first request by hand: survival times what each video is worth behind those before it."""
        repeats, lists = data.truth.repeats, torch.tensor([[5, 0, 7, 1]])
        cost = {"has_next": (1.0, 0.4), "effective_view": (1.2, 0.5), "like": (0.6, 0.25)}
        expected, reached, category = 0.0, 1.0, repeats.category
        for slot, video in enumerate(lists[0].tolist()):
            before = [int(category[v]) == int(category[video]) for v in lists[0, :slot].tolist()]
            p = {}
            for task, (near, each) in cost.items():
                logit = repeats.own[task][video] - near * (slot > 0 and before[-1]) - each * sum(before)
                p[task] = 1 / (1 + np.exp(-logit))
            expected += reached * (p["effective_view"] + 2 * p["like"])
            reached *= p["has_next"]
        assert float(SPEC.true_reward(repeats, lists)) == pytest.approx(expected, abs=1e-5)
        assert WORLD.requests == 300
