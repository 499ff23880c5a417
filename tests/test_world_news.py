"""`news`: the grammar is in the titles, the kernel in the clicks, names tell categories, what comes out later stays untrained."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rankzoo.data import headlines
from rankzoo.data.headlines import BAIT, FIRST, LONGEST, NAMES, SHORTEST, SINGLE, STARTS, WORDS
from rankzoo.data.load import from_world
from rankzoo.data.world import world
from rankzoo.data.worlds.news import CANDIDATES, CATEGORIES, FRESH, NEWS, PER_TOPIC
from rankzoo.training.metrics import auc, gauc, oracle

WORLD = world("news")
TOPIC = np.arange(NEWS) // PER_TOPIC


@pytest.fixture(scope="module")
def made():
    return WORLD.make(WORLD.rows, 0)


@pytest.fixture(scope="module")
def titles(made):
    return [(item["title.word"], item["title.tag"]) for item in made.catalogue.to_pylist()]


def columns(made) -> tuple[np.ndarray, ...]:
    """(impression, candidate) news and clicks, and (impression,) lists of what was clicked before."""
    news, click = (made.table[name].to_numpy().reshape(-1, CANDIDATES) for name in ("news", "click"))
    return news, click, made.table["clicked.news"].to_pylist()[::CANDIDATES]


def test_two_words_of_about_twelve_carry_the_topic(made, titles):
    """600 words; two of a title's ten to fourteen are of its topic, none of another, and they are the truth's."""
    assert WORDS == 600 and len({headlines.word_name(word) for word in range(WORDS)}) == WORDS
    carries = made.truth.wording.carries
    for item, (words, _) in enumerate(titles):
        told = [word // 10 for word in words if word < STARTS[1]]
        assert told == [TOPIC[item]] * 2 and SHORTEST <= len(words) <= LONGEST
        assert np.flatnonzero(carries[item]).tolist() == [place for place, word in enumerate(words) if word < STARTS[1]]
    assert np.mean([len(words) for words, _ in titles]) == pytest.approx(12, abs=0.2)


def test_bait_has_its_word_and_is_worth_nothing(made, titles):
    """A word of bait stands in 35 % of the titles, and where it does the item is worth nothing to anybody."""
    bait = np.array([any(STARTS[4] <= word < STARTS[5] for word in words) for words, _ in titles])
    assert bait.mean() == pytest.approx(WORLD.bait, abs=0.06) and STARTS[5] - STARTS[4] == BAIT
    own = made.truth.relevance.own[::CANDIDATES]
    for row, past in enumerate(columns(made)[2][:400]):
        assert np.array_equal(own[row, :len(past)], ~bait[past]) and not own[row, len(past):].any()


def test_the_kernel_is_in_the_rows(made):
    """r_j is 1 for the same topic, 0.3 beside it on the ring, else 0, times what the item is worth by itself."""
    news, _, clicked = columns(made)
    planted = made.truth.relevance
    kernel, own = (each.reshape(-1, CANDIDATES, each.shape[1]) for each in (planted.kernel, planted.own))
    for row in range(200):
        for place, candidate in enumerate(news[row]):
            for position, past in enumerate(clicked[row]):
                near = {0: 1.0, 1: 0.3, 23: 0.3}.get(abs(int(TOPIC[past]) - int(TOPIC[candidate])), 0.0)
                assert kernel[row, place, position] == pytest.approx(near * own[row, place, position])


def test_an_impression(made):
    """Five news of one reader, one of them clicked, in every place alike; nothing stands twice in it, nor was clicked before."""
    news, click, clicked = columns(made)
    assert (click.sum(axis=1) == 1).all() and np.abs(click.mean(axis=0) - 0.2).max() < 0.03
    assert all(len({*five, *past}) == 5 + len(past) for five, past in zip(news.tolist(), clicked, strict=True))
    assert np.array_equal(made.table["group"].to_numpy(), np.repeat(np.arange(len(news)), CANDIDATES))
    assert {len(past) for past in clicked} == set(range(4, 11))


def test_news_that_come_out_later(made):
    """A fifth of each topic's news: in no training row, candidates in the test part, clicked before by nobody."""
    fresh = np.arange(NEWS) % PER_TOPIC >= PER_TOPIC - FRESH
    news, _, clicked = columns(made)
    fit = (WORLD.rows - len(WORLD.parts(WORLD.rows)["test"])) // CANDIDATES
    assert not fresh[news[:fit]].any() and fresh[news[fit:]].mean() == pytest.approx(0.2, abs=0.02)
    assert not any(fresh[past].any() for past in clicked)


def test_names_and_tags(titles):
    """I follows B alone; a name's words are those of its spelling; a last name by itself is an ordinary word."""
    spelled = {tuple(headlines.spelled(name)) for name in range(NAMES)}
    lone = 0
    for words, tags in titles:
        for place, tag in enumerate(tags):
            if tag == 2:
                assert tags[place - 1] == 1 and (words[place - 1], words[place]) in spelled
            if tag == 1 and words[place] >= STARTS[3]:
                assert (words[place],) in spelled and tags[place + 1:place + 2] != [2]
            lone += tag == 0 and STARTS[2] <= words[place] < STARTS[3]
    assert lone > 100 and len(spelled) == NAMES == FIRST + SINGLE


def test_names_tell_the_category(made, titles):
    """About 7 + 3/8 of ten names belong to the title's category; with tells = 1 all."""
    belong, category = [], made.catalogue["category"].to_numpy()
    for item, (words, tags) in enumerate(titles):
        for word, tag in zip(words, tags, strict=True):
            if tag == 1:
                name = word - STARTS[1] if word < STARTS[2] else FIRST + word - STARTS[3]
                belong.append(headlines.category_of(np.array(name), len(CATEGORIES)) == category[item])
    assert np.mean(belong) == pytest.approx(0.7 + 0.3 / 8, abs=0.06)
    assert np.array_equal(category, TOPIC // 3) and np.array_equal(made.truth.ranks["category"], np.ones(WORLD.rows))


def test_conflict_parts_category_and_clicks():
    """At 1 the category says nothing about the topic; names still tell it, so that its true place is above chance and below 1."""
    made = replace(WORLD, conflict=1.0).make(5_000, 0)
    category = made.catalogue["category"].to_numpy()
    assert (category == TOPIC // 3).mean() < 0.22
    places = made.truth.ranks["category"]
    assert 1.3 < places.mean() < 3.5 and places.min() >= 1
    found = made.truth.logits["click"]
    assert auc(made.table["click"].to_numpy(), found) > 0.85


@pytest.mark.parametrize("seed", range(3))
def test_measured_numbers(seed):
    """Oracle AUC .89, inside an impression .86; 58 % of the rows have a relevant item, a quarter of whose items are."""
    made = WORLD.make(10_000, seed)
    label, logit = made.table["click"].to_numpy(), made.truth.logits["click"]
    assert auc(label, logit) == pytest.approx(0.89, abs=0.012)
    assert gauc(label, logit, made.table["group"].to_numpy()) == pytest.approx(0.86, abs=0.015)
    relevant = made.truth.relevance.kernel > made.truth.relevance.threshold
    length = np.array([len(past) for past in made.table["clicked.news"].to_pylist()])
    some = relevant.any(axis=1)
    assert some.mean() == pytest.approx(0.58, abs=0.02) and (relevant.sum(axis=1) / length)[some].mean() == pytest.approx(
        0.26, abs=0.015)


def test_a_clicked_one_is_drawn_by_its_true_odds():
    """Without pull and quality nobody prefers anything: logits are equal but for what readers were shown, and AUC is chance."""
    made = replace(WORLD, pull=0.0, quality=0.0).make(10_000, 0)
    assert np.ptp(made.truth.logits["click"]) < 1e-9
    found = oracle(from_world(replace(WORLD, pull=0.0, quality=0.5), 10_000))["click"]
    assert 0.5 < found["auc"] < 0.7


def test_labels_of_the_tasks_about_text():
    """The category is that of the row's news, and the tags of `entities` are those of its title."""
    dataset = from_world(WORLD, 1_000)
    batch = dataset.batch
    news, task = batch.features["news"], dataset.schema.task("entities")
    assert np.array_equal(batch.labels["category"].numpy(), batch.catalogue.features["category"][news].numpy())
    tags, there = batch.tags(task)
    assert np.array_equal(tags.numpy(), batch.catalogue.histories["title"][news][:, :, 1].numpy()) and there.sum() > 10_000
    assert dataset.schema.classes(task) == 4 and set(tags[there].tolist()) <= {0, 1, 2, 3}


def test_words_as_people_read_them():
    assert WORLD.label("title.word", 3) == "jazz-4" and WORLD.label("news.title", 357).startswith("wow-")
    assert WORLD.label("category", 6) == "sport" and WORLD.label("clicked.news", 0) == "Amber harbour · jazz"
