"""Views over all systems: they are where the components say, and stand on a row or two."""
from __future__ import annotations

import math

import pytest

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.inspection.example import example
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import KINDS, look, reason
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from tests.support import small


def model_of(arch: str) -> RankingModel:
    document = Document.preset(arch)
    return document.model(document.schema())


def test_the_whole_way_of_a_row_is_in_its_table():
    """Inputs first, then what was recorded, then probability, label and loss: −ln p of what happened."""
    din = Subject.of(model_of("din"), small("history", 400), rows=20)
    table = example(din, 5).table.set_index("address")["values"]
    label, p = table["label.click"][0], table["probability.click"][0]
    assert table["input.topic"] == [int(din.batch.features["topic"][5])]
    assert p == pytest.approx(1 / (1 + math.exp(-table["logit.click"][0])), abs=1e-5)
    assert table["loss.click"][0] == pytest.approx(-math.log(p if label else 1 - p), abs=1e-4)


@pytest.mark.parametrize("arch", list(systems()))
def test_a_component_keeps_what_it_says_it_keeps(arch):
    """Views are found by what the components say of themselves, so that must be what their layers record."""
    document = Document.preset(arch)
    subject = Subject.of(model_of(arch), small(document.data, 400), rows=20)
    said = {kind for _, spec in document.blueprint.specs() for kind in spec.keeps} - {"table", "gradient"}
    assert set(subject.trace.kinds()) & {"attention", "map", "gate", "mask", "cross", "bias", "rows", "words"} == said


@pytest.mark.parametrize("rows", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("arch", list(systems()))
def test_every_view_of_a_row_or_two_is_a_table_or_a_sentence(arch, rows):
    document = Document.preset(arch)
    subject = Subject.of(model_of(arch), small(document.data, 400), rows=rows)
    for view in (view for view in KINDS if not reason(document.blueprint, document.schema(), view)):
        try:
            assert len(look(subject, view).table)
        except ZooError as problem:
            assert view == "crosses" and rows == 1 and "between two rows" in str(problem)
