"""What each vector of a query reads: weights with the slot of zeros add to 1, and the slot takes more where nothing matches."""
from __future__ import annotations

import numpy as np
import pytest

from rankzoo.components.sequence.query_unit import GRAINS
from rankzoo.document import Document
from rankzoo.figures.asks import maps
from rankzoo.inspection.asks import ZERO, asked, asks, zeros
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look
from rankzoo.model import RankingModel
from rankzoo.ui.views.history import candidate
from tests.support import random_subject, small
from tests.visits import every

HISTORIES = ["long_term", "short_term", "real_time"]


@pytest.fixture(scope="module")
def subject() -> Subject:
    return random_subject("alibaba", small("search", 1_000), rows=100)


def test_every_vector_and_history_of_a_row(subject):
    """In the order in which they are asked; a past item has its place, the slot of zeros −1; each adds to 1."""
    frame = asks(subject, 3)
    assert list(frame["history"].unique()) == HISTORIES and list(frame["vector"].unique()) == list(GRAINS)
    assert frame.groupby(["history", "vector"])["weight"].sum().to_numpy() == pytest.approx(1.0, abs=1e-5)
    for name in HISTORIES:
        places = sorted(frame["place"][frame["history"] == name].unique())
        assert places == [ZERO, *subject.batch.masks[name][3].nonzero().flatten().tolist()]
    truth = subject.dataset.truth_of("test", 100).relevance_of("long_term").kernel[3]
    right = frame[(frame["history"] == "long_term") & (frame["vector"] == "mix") & (frame["place"] != ZERO)]
    assert right["relevant"].tolist() == (truth[right["place"].to_numpy()] > 0).tolist()


def test_slot_of_zeros_by_hand(subject):
    """Rows with a past, parted by whether anything in it matches; the statistic compares rows with as many items, by pairs."""
    table, score = zeros(subject)
    truth, entries = subject.dataset.truth_of("test", 100), dict(asked(subject))
    weights, mask = entries["short_term"].values.numpy(), subject.batch.masks["short_term"].numpy()
    matches = (truth.relevance_of("short_term").kernel > 0).any(axis=1)
    left = 1 - weights.sum(axis=2).mean(axis=1)
    found = table.set_index(["history", "matches"])["weight"]
    assert found["short_term", True] == pytest.approx(left[matches & mask.any(axis=1)].mean(), abs=1e-5)
    assert found["short_term", False] == pytest.approx(left[~matches & mask.any(axis=1)].mean(), abs=1e-5)
    summed = pairs = 0.0
    for name in HISTORIES:
        left = 1 - entries[name].values.numpy().sum(axis=2).mean(axis=1)
        lengths, right = subject.batch.masks[name].sum(dim=1).numpy(), (truth.relevance_of(name).kernel > 0).any(axis=1)
        for i in range(100):
            for j in np.flatnonzero(right[i] & ~right & (lengths == lengths[i]) & (lengths > 0)):
                summed, pairs = summed + left[j] - left[i], pairs + 1
    assert score.value == pytest.approx(summed / pairs, abs=1e-6) and score.chance == 0 and pairs > 100
    view = look(subject, "attention")
    assert view.truth.more[-1].value == score.value and len(view.tables["zeros"]) == 6


def test_others_are_asked_by_the_candidate():
    """Nothing to show where the candidate asks."""
    document = Document.preset("din")
    dataset = small("history", 400)
    found = Subject.of(RankingModel(document.blueprint, dataset.schema), dataset, rows=5)
    assert not asked(found) and "zeros" not in look(found, "attention").tables


def test_who_asks_is_called_by_its_words(subject):
    words = candidate(subject, 3).name.split()
    assert len(words) == int(subject.batch.masks["query"][3].sum()) and all(word.isalpha() for word in words)


def test_picture(subject):
    """Matching items are outlined, once a history and item; without the truth none is."""
    frame = asks(subject, 3)
    frame = frame.assign(name="x")
    matching = frame[frame["relevant"]].drop_duplicates(["history", "place"])
    assert str(maps(frame)).count("'truth'") == len(matching) > 0
    assert str(maps(frame.drop(columns="relevant"))).count("'truth'") == 0


def test_the_oldest_item_stands_left_behind_the_slot_of_zeros(subject):
    """Places count from the newest item: the slot of zeros, then the others downwards, as the strip above draws them."""
    frame = asks(subject, 3).query("vector == 'mix' and history == 'long_term'").copy()
    frame["name"] = [str(place) for place in frame["place"]]
    cells = [inside for tag, _, inside in every(maps(frame)) if tag == "g" and inside and inside[0][0] == "title"]
    left = {int(title[2].split(", ")[1].split(":")[0]): float(cell[1]["x"]) for title, cell, *_ in cells}
    assert sorted(left, key=left.get) == [ZERO, *sorted(set(left) - {ZERO}, reverse=True)] and len(left) == len(frame) > 3
