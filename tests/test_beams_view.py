"""The view of a beam search: the tree of Gong et al.'s figure 4 by hand, and what holds for any search."""
from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pandas as pd
import pytest
import torch

from rankzoo.figures import beams as figure
from rankzoo.figures.lists import lift as lift_figure
from rankzoo.inspection.beams import steps, weighed
from rankzoo.inspection.lists import ANY, build, lift, lists, searched
from rankzoo.serving.arrange import Arrange, search, stops
from rankzoo.ui.views.lists import _why
from tests.drawings import walk
from tests.searches import REQUESTS, SIZE, SLOTS, figure_4, score
from tests.support import random_subject, small


@pytest.fixture(scope="module")
def printed() -> pd.DataFrame:
    """Figure 4: candidates A to D, two beams, all four steps; the search stops at .95."""
    found = search(figure_4, 1, 4, 4, beams=2)
    return weighed(found, 0, int(stops(found, 1, 0.95)[0]), "ABCD")


def test_figure_4_by_hand(printed):
    """Kept and dropped beginnings with their rewards, which beam each goes on from, where it stops and what leads to C."""
    at = printed[printed["step"] <= 3].set_index(["step", "list"])
    kept = at[at["kept"]]
    assert kept.index.tolist() == [(1, "C"), (1, "A"), (2, "C → B"), (2, "A → D"), (3, "C → B → A"), (3, "A → D → B")]
    assert kept["reward"].tolist() == pytest.approx([0.8, 0.7, 1.4, 1.3, 1.8, 1.75])
    assert kept["parent"].tolist() == [0, 0, 1, 2, 1, 2] and kept["beam"].tolist() == [1, 2] * 3
    assert at.loc[2, "reward"].to_dict() == pytest.approx({"C → B": 1.4, "A → D": 1.3, "C → A": 1.2, "A → C": 1.2, "C → D": 1.1,
                                                           "A → B": 1.0})
    assert at.loc[2, "gain"].to_dict() == pytest.approx({"C → B": 0.6, "A → D": 0.6, "C → A": 0.4, "A → C": 0.5, "C → D": 0.3,
                                                         "A → B": 0.3})
    assert at.index[at["leads"]].tolist() == [(1, "C"), (2, "C → B"), (3, "C → B → A")]
    table = steps(printed)
    assert table["stability"].round(3).tolist()[:3] == [0.875, 0.929, 0.972] and table["stops"].tolist() == [False, False, True,
                                                                                                            False]
    assert table[["weighed", "kept", "dropped"]].to_numpy().tolist() == [[4, 2, 2], [6, 2, 4], [4, 2, 2], [2, 2, 0]]
    assert table["next"].tolist()[:3] == pytest.approx([0.5, 1.2, 1.6])


@pytest.mark.parametrize("beams", [1, 3, 7])
def test_what_is_weighed_and_kept(beams):
    """Each step weighs every beam with every video that it has not; what is kept is the best of it, gains add up to the reward,
    and a survivor's name is its parent's with one more."""
    found = search(score(), REQUESTS, SIZE, SLOTS, beams)
    for request in range(REQUESTS):
        frame = weighed(found, request, 0, "abcde")
        before = pd.DataFrame({"beam": [0], "list": [""], "reward": [0.0]})
        for step, each in frame.groupby("step"):
            kept = each[each["kept"]]
            assert len(each) == len(before) * (SIZE - step + 1) and each["list"].is_unique
            assert sorted(each["reward"], reverse=True)[:len(kept)] == kept["reward"].tolist()
            assert kept["beam"].tolist() == [*range(1, len(kept) + 1)] and each["rank"].tolist() == [*range(1, len(each) + 1)]
            of = before.set_index("beam").loc[each["parent"]]
            np.testing.assert_allclose(of["reward"].to_numpy() + each["gain"].to_numpy(), each["reward"], atol=1e-6)
            names = [f"{first} → {one}".removeprefix(" → ") for first, one in zip(of["list"], each["candidate"], strict=True)]
            assert each["list"].tolist() == names
            before = kept
        way = frame.loc[frame["leads"], "list"].tolist()
        assert frame["stops"].equals(frame["step"] == SLOTS)
        assert way == [kept["list"].iloc[0][:len("a → ") * step - 3] for step in range(1, SLOTS + 1)]


def test_the_picture_draws_each_beam_once(printed):
    """A box for each beam, an edge for each beginning that is drawn, the bold way to what is shown, the step that stops by name;
    behind it boxes are empty. A search that is never stable ends where the list is full."""
    drawn = figure.tree(printed, 0.95)
    nodes = [node for node, _, _ in walk(drawn)]
    classes = [str(node[1].get("class", "")) for node in nodes]
    assert classes.count("family-4 node") == 6 and classes.count("row") == 2
    assert classes.count("thread") == 2 + 3 + 2 and classes.count("hair") == 2 + 1  # of step 4, and the line behind step 3
    assert sum(node[1].get("stroke-width") == 4 for node in nodes) == 3
    said = [node[2] for node in nodes if node[0] == "text"]
    assert "Step 3: the search stops here" in said and "Step 4, for whole lists only" in said and "and 1 more dropped" in said
    titles = [node[2] for node in nodes if node[0] == "title"]
    assert "C → B: reward 1.400, of which 0.600 by the last; kept as beam 1" in titles
    assert "A → C: reward 1.200, of which 0.500 by the last; dropped" in titles
    full = figure.tree(printed.assign(stops=printed["step"] == 4), inf)
    assert "Step 4: the list is full" in [node[2] for node, _, _ in walk(full) if node[0] == "text"]


def test_the_view_tells_the_search_of_a_request():
    """Its tables are those of the lists that were built: the beams of every step, the step that stops, the video that is
    shown."""
    seen = random_subject("kuaishou", small("lists", 600), 20)
    built = build(seen)
    for request in (0, 7):
        view, every = lists(seen, request), searched(seen, built, request)
        assert view.beside == ("steps", "beams") and view.tables["weighed"].equals(every)
        assert view.note.startswith(f"Request {request + 1} of 300.")
        kept = view.tables["beams"]
        for step, found in enumerate(built.steps, 1):
            here = kept[kept["step"] == step]
            numbers = [[int(name.split()[0]) - 1 for name in each.split(" → ")] for each in here["list"]]
            assert numbers == found.videos[request].tolist()
            np.testing.assert_allclose(here["reward"], found.reward[request], atol=1e-6)
            np.testing.assert_allclose(here["survival"], found.survival[request], atol=1e-6)
        stop = int(built.stopped[request]) or len(built.steps)
        assert view.tables["steps"].set_index("step")["stops"].idxmax() == stop
        first = every[every["leads"] & (every["step"] == 1)]["candidate"].iloc[0]
        shown, taken = built.spec.next_videos(seen.model, seen.dataset.candidates.rows(9 * request, 9 * request + 9))
        assert first.split()[0] == str(int(shown) + 1) and taken == stop
    ends = torch.where(built.stopped > 0, built.stopped, 4).double().mean()
    assert built.mean_steps == pytest.approx(float(ends), abs=1e-5)


def test_a_system_says_how_many_beams_it_keeps():
    """Beams, threshold and rewards are those of the system that serves, for the tasks that the model has."""
    seen = random_subject("kuaishou", small("lists", 600), 20)
    other = replace(seen, serving=Arrange({"like": 1.0, "follow": 9.0}, beams=2, threshold=0.5))
    built = build(other)
    assert built.spec.rewards == {"like": 1.0} and all(found.videos.shape[1] == 2 for found in built.steps)
    assert (built.stopped[built.steps[0].stability >= 0.5] == 1).all() and build(seen).spec == Arrange()


def test_lift_by_slot_by_hand():
    """Two requests, two slots: (3 + 1) / (2 + 2) − 1 = 0 in the first slot, (2 + 4) / (1 + 3) − 1 = .5 in the second; what all
    slots bring together is what a list is worth."""
    adds = {"greedy": np.array([[3.0, 2.0], [1.0, 4.0]]), "beam": np.array([[2.0, 1.0], [2.0, 3.0]]),
            ANY: np.array([[2.0, 1.0], [2.0, 3.0]])}
    frame = lift(adds).set_index(["search", "slot"])
    assert frame["lift"].to_dict() == pytest.approx({("greedy", 1): 0.0, ("greedy", 2): 0.5, ("beam", 1): 0.0, ("beam", 2): 0.0})
    assert (frame.loc["beam", ["low", "high"]] == 0).all().all() and frame.loc[("greedy", 1), "low"] < 0
    seen = random_subject("kuaishou", small("lists", 600), 20)
    built = build(seen)
    for name in ("greedy", "beam"):
        np.testing.assert_allclose(built.adds[name].sum(axis=1), built.true[name], rtol=1e-6)
        videos = (built.greedy if name == "greedy" else built.steps[-1]).videos[:, 0]
        np.testing.assert_allclose(built.true[name], built.spec.true_reward(seen.dataset.truth.repeats, videos), rtol=1e-5)
    np.testing.assert_allclose(built.adds[ANY].sum(axis=1), built.chance, rtol=1e-6)
    drawn = lift_figure(frame.reset_index(), {"greedy": "greedy", "beam": "beam search"})
    classes = [str(node[1].get("class", "")) for node, _, _ in walk(drawn)]
    assert classes.count("family-4 mark") == classes.count("family-4 open") == 2
    assert "greedy, slot 2: 50.0 %" in " ".join(str(node[2]) for node, _, _ in walk(drawn) if node[0] == "title")


def test_a_search_that_ends_below_the_threshold_says_why():
    """Its list is full: else «0.95 is asked for» and 0.945 contradict each other."""
    assert _why(0.96, 0.95) == _why(0.95, 0.95) == "0.95 is asked for"
    assert _why(0.945, 0.95) == "0.95 is asked for, but the list is full"
