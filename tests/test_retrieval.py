"""Retrieval: who knows relevance fills the list with it, who knows the contrary or nothing does not."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rankzoo.claims.outcome import outcome
from rankzoo.claims.papers.objectives import CLAIM
from rankzoo.claims.trial import document_of
from rankzoo.data.truths import Suits
from rankzoo.data.worlds.search import ITEMS, NAMES, PER_CATEGORY, PROPER, TASKS, WORLD
from rankzoo.document import Document
from rankzoo.inspection.retrieval import GOOD, OUT, found, good, retrieved
from rankzoo.inspection.view import Subject
from rankzoo.serving.terms import Terms
from rankzoo.training.metrics import RECALL, evaluate, predict
from rankzoo.ui.claim_pictures import plane
from tests.support import small

SUITS = Suits(np.array([0, 1, 0]), np.arange(40) < np.array([[5], [30]]))


def test_by_hand():
    """Forty items, of which five, or thirty, suit. Who puts them first has 5 / 20 and all; who puts them last what does not fit
    into the others' places; the unknown item is never first."""
    score = torch.zeros(3, 41)
    score[:, 1:] = torch.from_numpy(SUITS.items[SUITS.kind]).float()
    score[:, 0] = 9.0
    rows = np.arange(3)
    assert good(score, SUITS, rows).tolist() == [0.25, 1.0, 0.25]
    assert good(-score, SUITS, rows).tolist() == [0.0, 0.5, 0.0]
    assert good(score[1:2], SUITS, rows[1:2]).tolist() == [1.0]
    drawn = torch.randn(3000, 41, generator=torch.Generator().manual_seed(0))
    assert good(drawn, Suits(np.zeros(3000, dtype=int), SUITS.items), np.arange(3000)).mean() == pytest.approx(5 / 40, abs=0.01)


def test_what_suits_a_request_is_the_recipe():
    """Of the query's category, with one of its two properties in the title; every listed item of a grade, and none of 0."""
    made = WORLD.make(400, 0)
    suits, words = made.truth.suits, made.table["query.word"].to_pylist()
    titles = [set(title) for title in made.catalogue["title.word"].to_pylist()]
    for row in (0, 17, 399):
        category = next(word for word in words[row] if word < len(NAMES))
        wanted = {word for word in words[row] if PROPER <= word < PROPER + 16}
        right = [item // PER_CATEGORY == category and bool(wanted & titles[item]) for item in range(ITEMS)]
        assert len(wanted) == 2 and np.array_equal(suits.items[suits.kind[row]], right)
    listed, grades = (np.array(made.table[name].to_pylist()) for name in made.table.column_names[-2:])
    assert np.array_equal(suits.items[suits.kind[:, None], listed], grades > 0)


def test_the_check_of_words_is_counting():
    """A title holds two of the query's words, or all of a shorter query; by sets, row by row. An item without a title never, not
    even for an empty query, which keeps all others."""
    rows = small("search", 1_500).part("test").rows(0, 20)
    one_word = {name: mask.clone() for name, mask in rows.masks.items()}
    one_word["query"][0, 1:] = False
    one_word["query"][1] = False
    rows = replace(rows, masks=one_word)
    stays, titles = Terms().holds(rows), rows.catalogue
    words = [set(titles.histories["title"][item, titles.masks["title"][item], 0].tolist()) for item in range(len(titles))]
    for row in range(20):
        asked = set(rows.histories["query"][row, rows.masks["query"][row], 0].tolist())
        expected = [len(asked & title) >= min(2, len(asked)) for title in words]
        assert stays[row, 1:].tolist() == expected[1:] and (0 < sum(expected[1:]) < len(words) - 1 or row == 1)
    assert not stays[:, 0].any() and stays[1, 1:].all() and not words[0] and all(words[1:])


def test_what_stays_is_more_often_relevant():
    """Of an untrained model: the check takes out nearly all that it found, and what follows is far more relevant than by lot."""
    dataset, document = small("search", 1_500), Document.preset("alibaba")
    subject = Subject.of(document.model(dataset.schema).eval(), dataset, rows=50, serving=document.system.serving)
    frame = retrieved(subject).set_index("what")
    whole = document.system.serving.holds(dataset.part("test"))[:, 1:]
    assert len(whole) > subject.rows and frame.loc[OUT, "chance"] == pytest.approx(1 - float(whole.float().mean()), abs=1e-6)
    assert list(frame.index) == [*TASKS, GOOD, OUT] and isinstance(document.system.serving, Terms)
    assert frame.loc[OUT, "value"] == pytest.approx(frame.loc[OUT, "chance"], abs=0.03) and frame.loc[OUT, "value"] > 0.8
    assert frame.loc[GOOD, "checked"] > 5 * frame.loc[GOOD, "value"]
    plain = retrieved(Subject.of(subject.model, dataset, rows=50))
    assert list(plain["what"]) == [*TASKS, GOOD] and "checked" not in plain


def test_of_a_model():
    """Recalls are those of the metrics, and P_good of an untrained one is chance: as much as a list by lot holds."""
    dataset, document = small("search", 1_500), Document.preset("alibaba")
    model = document.model(dataset.schema)
    told, rows = found(model, dataset), dataset.part("test")
    metrics = evaluate(predict(model, rows), rows, dataset.schema)
    assert {task: told[task] for task in TASKS} == pytest.approx({task: metrics[task][RECALL] for task in TASKS})
    truth = dataset.truth_of("test")
    assert told[GOOD] == pytest.approx(truth.suits.items[truth.suits.kind].mean(), abs=0.02)


def test_the_arms_differ_in_weights_and_temperature_alone():
    found_in = {arm.name: document_of(CLAIM, arm).blueprint for arm in CLAIM.arms}
    plain = {name: b.model_copy(update={"losses": b.losses.model_copy(update={"weights": {}, "temperature": 1.0})})
             for name, b in found_in.items()}
    assert len({b.json() for b in plain.values()}) == 1 and len({b.json() for b in found_in.values()}) == len(CLAIM.arms) == 7
    assert found_in["all four"].losses == Document.preset("alibaba").blueprint.losses


def test_the_scatter_has_each_objective_against_relevance():
    x, *others = CLAIM.scatter
    assert x == GOOD and tuple(others) == TASKS
    seeds = [{arm.name: {GOOD: 0.1 * i, **{task: 0.2 for task in TASKS}} for i, arm in enumerate(CLAIM.arms)} for _ in range(3)]
    frame = plane(outcome(CLAIM, seeds, {}, 0.0), x, "purchase").set_index("label")
    assert frame.loc["τ = 4", "x"] == pytest.approx(0.6) and np.allclose(frame["y"], 0.2) and len(frame) == 7
