"""Arranging a list: the Kuaishou sheet's invariants 8 to 14, on numbers that can be recomputed and on the model."""
from __future__ import annotations

from itertools import permutations
from math import inf

import numpy as np
import pytest
import torch
from torch import Tensor

from rankzoo.data.truths import Repeats
from rankzoo.data.worlds.lists import WORLD
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.serving.arrange import Arrange, Modelled, Planted, list_reward, search, stops
from tests.support import randomised, small

SPEC = Arrange(rewards={"effective_view": 1.0, "like": 2.0})
REQUESTS, SIZE, SLOTS = 5, 5, 3


def drawn(seed: int = 0, requests: int = REQUESTS, size: int = SIZE) -> Repeats:
    """Requests of a few candidates in two categories."""
    rng = np.random.default_rng(seed)
    own = {task: rng.normal(0.0, 1.5, requests * size) for task in ("has_next", "effective_view", "like")}
    return Repeats(size, own, rng.integers(0, 2, requests * size), dict.fromkeys(own, 1.0), dict.fromkeys(own, 0.5))


def score(seed: int = 0) -> Planted:
    return Planted(SPEC, drawn(seed))


def figure_4(videos: Tensor) -> tuple[Tensor, Tensor]:
    """12: what each of A, B, C, D adds behind a beginning, as printed; nobody ever leaves."""
    printed = {"": (0.7, 0.4, 0.8, 0.5), "A": (0, 0.3, 0.5, 0.6), "C": (0.4, 0.6, 0, 0.3), "AD": (0, 0.45, 0.3, 0),
               "CB": (0.4, 0, 0, 0.2)}
    gains = [[printed.get("".join("ABCD"[video] for video in beam), (0.0,) * 4) for beam in request]
             for request in videos.tolist()]
    worth = torch.tensor(gains)
    return worth, torch.ones_like(worth)


def brute_force(given: Planted, request: int) -> float:
    """The best of all lists, one by one."""
    lists = torch.tensor(list(permutations(range(SIZE), SLOTS)))
    every = torch.zeros(REQUESTS, *lists.shape, dtype=torch.long)
    every[request] = lists
    return float(list_reward(*given.of(every))[request].max())


def test_reward_by_hand():
    """8: 0.8 + 0.9·0.9 + 0.72·1.0 = 2.33; one video is worth p_ev + 2·p_like, whoever goes on."""
    view, like, going_on = torch.tensor([0.6, 0.5, 0.4]), torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.9, 0.8, 0.123])
    worth, again = SPEC.worth({"effective_view": view.logit(), "like": like.logit(), "has_next": going_on.logit()})
    torch.testing.assert_close(worth, view + 2 * like)
    assert float(list_reward(worth, again)) == pytest.approx(2.33)
    assert float(list_reward(worth[:1], again[:1])) == pytest.approx(0.8)


def test_the_last_one_may_end_the_session():
    """9: whether anyone goes on after the last video never counts."""
    worth, going_on = torch.rand(4, 3), torch.rand(4, 3)
    other = going_on.clone()
    other[:, -1] = 0.0
    assert torch.equal(list_reward(worth, going_on), list_reward(worth, other))
    other[:, 0] = 0.0
    torch.testing.assert_close(list_reward(worth, other), worth[:, 0])


def test_figure_4():
    """12: beams CBA 1.8 and ADB 1.75; stability .875, .929, .972; at .95 it stops at step 3 and shows C."""
    steps = search(figure_4, 1, 4, 4, beams=2, shown=1, threshold=0.95)
    assert [round(float(beams.stability), 3) for beams in steps] == [0.875, 0.929, 0.972]
    assert ["".join("ABCD"[v] for v in beam) for beam in steps[-1].videos[0].tolist()] == ["CBA", "ADB"]
    torch.testing.assert_close(steps[-1].reward[0], torch.tensor([1.8, 1.75]))
    assert stops(steps, 1, 0.95).tolist() == [3]


def test_one_beam_is_greedy():
    """10: k = 1: stability 1, so that it stops at step n; a whole list takes what is worth most in every slot."""
    given = score()
    assert len(search(given, REQUESTS, SIZE, SLOTS, beams=1, shown=2, threshold=0.95)) == 2
    found = SPEC.greedy().lists(given, REQUESTS, SIZE, SLOTS).videos[:, 0]
    videos = torch.zeros(REQUESTS, 1, 0, dtype=torch.long)
    for _ in range(SLOTS):
        worth = given(videos)[0].scatter(2, videos, -1.0)
        videos = torch.cat([videos, worth.argmax(dim=2, keepdim=True)], dim=2)
    assert torch.equal(found, videos[:, 0])


def test_who_never_goes_on_sees_the_best_first():
    """10: has_next ≡ 0: the best list begins with the video that is worth most."""
    given = score()
    ends = lambda videos: (given(videos)[0], torch.zeros(*videos.shape[:2], SIZE))  # noqa: E731
    first = SPEC.lists(ends, REQUESTS, SIZE, SLOTS).videos[:, 0, 0]
    assert torch.equal(first, given(torch.zeros(REQUESTS, 1, 0, dtype=torch.long))[0][:, 0].argmax(dim=1))


def test_all_beams_are_brute_force():
    """11: k ≥ the number of beginnings and no stop: the best of all 60 lists. Fewer beams never find a better one, more
    beams are not worse on average, and both are worth what they say."""
    given = score()
    best = torch.tensor([brute_force(given, request) for request in range(REQUESTS)])
    mean = []
    for beams in (1, 2, 4, 10_000):
        found = search(given, REQUESTS, SIZE, SLOTS, beams)[-1]
        torch.testing.assert_close(SPEC.true_reward(drawn(), found.videos[:, 0]), found.reward[:, 0])
        assert (found.reward[:, 0] <= best + 1e-6).all()
        mean.append(float(found.reward[:, 0].mean()))
    torch.testing.assert_close(found.reward[:, 0], best)
    assert mean == sorted(mean) and mean[-1] > mean[0]


@pytest.mark.parametrize("beams", [1, 3, 7])
def test_beams_are_distinct_lists_without_duplicates(beams):
    """13: no video twice in a beam, no beam twice, the best first, lists as long as asked; at most as many as there can be."""
    for step, found in enumerate(search(score(), REQUESTS, SIZE, SLOTS, beams), 1):
        assert found.videos.shape == (REQUESTS, min(beams, [5, 20, 60][step - 1]), step)
        assert (found.reward[:, :-1] >= found.reward[:, 1:]).all()
        for request in found.videos.tolist():
            assert all(len(set(beam)) == step for beam in request) and len(set(map(tuple, request))) == len(request)


def test_stability():
    """14: in (0, 1], and a higher threshold never stops earlier."""
    steps = search(score(), REQUESTS, SIZE, SIZE, beams=3)
    assert all(((beams.stability > 0) & (beams.stability <= 1)).all() for beams in steps)
    at = [stops(steps, 1, threshold) for threshold in (0.1, 0.6, 0.8, 0.9, 0.95)]
    late = [torch.where(step > 0, step, SIZE + 1) for step in at]
    assert all((a <= b).all() for a, b in zip(late, late[1:], strict=False)) and (late[0] < late[-1]).any()
    assert (stops(steps, 1, inf) == 0).all() and (stops(steps, 3, 0.0) == 3).all()


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
        """Take logged lists as requests of one: slot, placed videos and mask are made as the table has them."""
        batch, spec = data.part("train", 900), Modelled(SPEC, RankingModel(systems()["kuaishou"].blueprint, data.schema),
                                                        data.part("train", 900), 1)
        slot = batch.ids[:, spec.slot] - 1
        for depth in (1, 2, 3):
            rows = (slot == depth).nonzero().squeeze(1)
            before = rows.unsqueeze(1) - torch.arange(1, depth + 1)  # the last one first
            made, mask = spec.placed(rows, before), batch.masks["placed"][rows]
            assert len(rows) > 20 and torch.equal(made.masks["placed"], mask) and torch.equal(made.ids, batch.ids[rows])
            assert torch.equal(made.histories["placed"], batch.histories["placed"][rows])
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
