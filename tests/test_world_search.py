"""`search`: the recipe is in the rows: relevance by rule, choices that follow the true score, past clicks that tell who asks."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rankzoo.data.load import from_world
from rankzoo.data.world import world
from rankzoo.data.worlds.search import (
    BRANDED,
    BRANDS,
    ITEMS,
    LENGTHS,
    LOWEST,
    NAMES,
    PER_CATEGORY,
    PROPER,
    PROPERTIES,
    TASKS,
    Search,
)
from rankzoo.training.metrics import TOP, oracle

WORLD = world("search")


@pytest.fixture(scope="module")
def made():
    return WORLD.make(3_000, 0)


@pytest.fixture(scope="module")
def dataset():
    return from_world(WORLD)


def lists(made, name: str) -> list[list[int]]:
    return made.table[name].to_pylist()


def test_relevance_is_the_rule(made):
    """An item is relevant if it is of the category that is asked for and its title names one of the two properties."""
    titles = [set(words) for words in made.catalogue["title.word"].to_pylist()]
    category = made.catalogue["category"].to_numpy()
    for row in range(0, 3_000, 50):
        words = lists(made, "query.word")[row]
        asked, wanted = next(w for w in words if w < BRANDED), {w for w in words if PROPER <= w < PROPER + len(PROPERTIES)}
        assert len(wanted) == 2
        for item, grade in zip(lists(made, "list.item")[row], lists(made, "list.grade")[row], strict=True):
            assert (category[item] == asked and bool(wanted & titles[item])) == (grade > 0)


def test_lists_are_as_long_as_said_and_hold_no_item_twice(made):
    """1 bought, 3 clicked, 8 shown, 12 relevant, 16 others; a task is asked for one of those for which it holds."""
    listed, grades = np.array(lists(made, "list.item")), np.array(lists(made, "list.grade"))
    assert [int((grades[0] == g).sum()) for g in (4, 3, 2, 1, 0)] == [1, 3, 8, 12, 16]
    assert (np.sort(grades, axis=1)[:, ::-1] == grades).all() and (grades == grades[0]).all()
    assert (np.diff(np.sort(listed, axis=1), axis=1) > 0).all() and listed.max() < ITEMS
    for level, task in enumerate(TASKS, 1):
        place = (listed == made.table[task].to_numpy()[:, None]).argmax(axis=1)
        assert (grades[np.arange(len(grades)), place] >= level).all()
        assert level == 4 or len(np.unique(place)) == (grades[0] >= level).sum()


def test_choices_follow_the_true_score(made):
    """What is bought has a higher score than what is only clicked, and so on; sharpness 0 makes a choice blind."""
    scores, grades = made.truth.listed.scores, np.array(lists(made, "list.grade"))
    means = [scores[grades == g].mean() for g in range(5)]
    assert means == sorted(means) and (scores[grades == 0] == LOWEST).all() and (scores[grades > 0] > LOWEST).all()
    blind = replace(WORLD, exposure=0.0, click=0.0, purchase=0.0).make(2_000, 0)
    scores, grades = blind.truth.listed.scores, np.array(lists(blind, "list.grade"))
    assert np.ptp([scores[grades == g].mean() for g in range(1, 5)]) < 0.15


def test_past_clicks_tell_the_brands(made):
    """Brands of past clicks in the category of the query are those of what is bought, far more often than of others."""
    category, brand = (made.catalogue[name].to_numpy() for name in ("category", "brand"))
    past, found, chance = [lists(made, f"{name}.item") for name in LENGTHS], [], []
    for row in range(3_000):
        bought = int(made.table["purchase"][row].as_py())
        clicks = np.array([item for history in past for item in history[row]], dtype=int)
        inside = clicks[category[clicks] == category[bought]]
        if len(inside):
            found.append((brand[inside] == brand[bought]).mean())
            chance.append((brand[inside] == brand[(bought * 7 + 31) % ITEMS]).mean())
    assert np.mean(found) > 2 * np.mean(chance) and 0.5 < len(found) / 3_000 < 0.95


def test_truth_says_which_past_clicks_match(made):
    """By category, history by history, padding apart."""
    category = made.catalogue["category"].to_numpy()
    for name in LENGTHS:
        relevance = made.truth.relevance_of(name)
        for row in (0, 7, 100):
            past = lists(made, f"{name}.item")[row]
            asked = category[made.table["purchase"][row].as_py()]
            assert (relevance.kernel[row, :len(past)] == (category[past] == asked)).all()
            assert relevance.own[row].sum() == len(past)
    assert made.truth.relevance_of("query") is None
    taken = made.truth.take(np.array([7, 3]))
    assert np.array_equal(taken.relevance_of("long_term").kernel[0], made.truth.relevance_of("long_term").kernel[7])
    assert np.array_equal(taken.listed.scores, made.truth.listed.scores[[7, 3]])


def test_oracle(dataset):
    """By the true score nearly all that is bought is among twenty, of what is relevant less than half: there is more of it."""
    best = oracle(dataset)
    found = [best[task][f"recall@{TOP}"] for task in TASKS]
    assert found == sorted(found) and 0.3 < found[0] < 0.6 and found[3] > 0.95
    assert dataset.batch.seen[1:].all()


def test_names():
    assert WORLD.label("real_time.item", PER_CATEGORY) == f"{NAMES[1]} 1 · {NAMES[1]}"
    assert WORLD.label("query.word", 0) == NAMES[0]
    assert WORLD.label("item.brand", 2) == BRANDS[2] and WORLD.label("item.title", PROPER) == PROPERTIES[0]
    assert isinstance(WORLD, Search) and WORLD.label("item.category", 3) == NAMES[3]
