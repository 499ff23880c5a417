"""`readers`: whoever comes back is known by an id, which tells what a history does not, and the other way round."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rankzoo.data.world import world
from rankzoo.data.worlds.news import CANDIDATES, PER_TOPIC, TOPICS
from rankzoo.training.metrics import auc

WORLD = world("readers")


@pytest.fixture(scope="module")
def made():
    return WORLD.make(WORLD.rows, 0)


def by_id(made) -> np.ndarray:
    """(row,) the share of clicks that a reader gave to the candidate's topic in the first 24,000 rows, drawn to .2."""
    who, topic = made.table["reader"].to_numpy(), made.table["news"].to_numpy() // PER_TOPIC
    shown, clicked = np.zeros((WORLD.persons, TOPICS)), np.zeros((WORLD.persons, TOPICS))
    np.add.at(shown, (who[:24_000], topic[:24_000]), 1)
    np.add.at(clicked, (who[:24_000], topic[:24_000]), made.table["click"].to_numpy()[:24_000])
    return ((clicked + 0.6) / (shown + 3))[who, topic]


def test_readers_come_back(made):
    """Each of 150 on forty visits, some of which the training part has; the five rows of a visit are of one."""
    who = made.table["reader"].to_numpy().reshape(-1, CANDIDATES)
    assert (who == who[:, :1]).all() and (np.bincount(who[:, 0]) == 40).all()
    assert len(np.unique(who.reshape(-1)[WORLD.parts(WORLD.rows)["train"]])) == WORLD.persons
    assert WORLD.label("reader", 3) == "reader 3"


def test_id_and_history_tell_different_things(made):
    """On the last 6,000 rows either orders clicks better than chance, and the truth, which knows both, better than either;
    without what lasts an id says nothing."""
    label, rows = made.table["click"].to_numpy()[24_000:], slice(24_000, None)
    own, past = auc(label, by_id(made)[rows]), auc(label, made.truth.relevance.kernel.sum(axis=1)[rows])
    assert own > 0.65 and past > 0.55 and auc(label, made.truth.logits["click"][rows]) > max(own, past) + 0.1
    passing = replace(WORLD, lasting=0.0).make(WORLD.rows, 0)
    assert abs(auc(passing.table["click"].to_numpy()[24_000:], by_id(passing)[rows]) - 0.5) < 0.04
