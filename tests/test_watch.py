"""What is watched of attention: the mean weight by how recent an item is, from the rows to the diagram."""
from __future__ import annotations

import pytest
import torch

from rankzoo.document import Document
from rankzoo.export.picture import drawn, layout_of, learned
from rankzoo.runs.tables import Point
from rankzoo.training.fit import Fit
from rankzoo.training.watch import ITEMS, by_age
from tests.support import small
from tests.visits import words


def test_by_age_by_hand():
    """Two rows of three places; the second row holds one item: its weight counts among the newest alone."""
    weights = torch.tensor([[0.2, 0.3, 0.5], [1.0, 9.0, 9.0]])
    mask = torch.tensor([[True, True, True], [True, False, False]])
    assert by_age(weights, mask) == pytest.approx([(0.5 + 1.0) / 2, 0.3, 0.2])
    assert by_age(weights, torch.zeros_like(mask)) == [] and by_age(weights[:0], mask[:0]) == []
    assert len(by_age(torch.ones(1, 30), torch.ones(1, 30, dtype=torch.bool))) == ITEMS


def test_a_training_watches_it_and_the_diagram_shows_it():
    """DIN: as many points as rows of its history are drawn, and the diagram has their numbers, the newest item last."""
    document = Document.preset("din").but([("settings.steps", 2)])
    dataset = small("history", 600)
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    last = [step for step in fit if step.points][0].points
    found = [last[f"item.sequence.0.weight.{k}"] for k in range(ITEMS)]
    inside = learned(document.schema(), [Point(1, name, value) for name, value in last.items()], {})
    assert inside.attention == {"sequence.0": tuple(reversed(found))}
    said = words(drawn(document, inside))
    rows = [block for block in layout_of(document.blueprint, document.schema()).blocks.values() if block.form == "history"]
    assert len(rows) == 1 and [each for each in said if each == f"{found[0]:.2f}"]
    assert any("by how recent" in each for each in said) and not any("by how recent" in each for each in words(drawn(document)))


def test_a_run_from_before_it_was_watched_is_drawn_as_ever():
    document = Document.preset("din")
    inside = learned(document.schema(), [Point(1, "attention.sequence.0.weight", 0.5)], {})
    assert inside.attention == {} and drawn(document, inside) == drawn(document)
