"""Idle settings: what another value does nothing to is not offered, and marks no part as changed."""
from __future__ import annotations

import pytest

from rankzoo.document import Document
from rankzoo.export.picture import changed_blocks, layout_of
from rankzoo.inspection.provenance import idle, is_size, shapes
from rankzoo.link import encode
from rankzoo.registry import systems
from tests.visits import visit, without_workers

IN_TRAINING = {"representation.samples", "losses.random"}
"""Sizes of what is drawn by chance while a model learns: no part of it."""


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    without_workers(monkeypatch)


@pytest.mark.parametrize("id", systems())
def test_every_main_size_makes_another_model_or_is_idle(id):
    """DIN's sidebar began with an embedding size that none of its tables had: 16 and 64 made 15,442 parameters."""
    document = Document.preset(id)
    schema = document.schema()
    for place in document.blueprint.places(schema):
        for name in place.spec.main:
            path, value = f"{place.address}.{name}", getattr(place.spec, name)
            if name in idle(place):
                other = document.but([(path, 4 * value)])
                assert other.blueprint.count(schema) == document.blueprint.count(schema)
                assert other.blueprint.blocks(schema) == document.blueprint.blocks(schema)
                assert changed_blocks(other, layout_of(other.blueprint, schema)) == frozenset()
            elif is_size(value) and path not in IN_TRAINING:
                assert shapes(place, path)


def test_a_size_of_some_tables_is_offered_and_marks_those():
    """DIN's topics without a size of their own have the one of all."""
    document = Document.preset("din")
    dims = document.blueprint.representation.dims
    assert idle(document.blueprint.places(document.schema())[0]) == ("dim",)
    some = document.but([("representation.dims", {name: width for name, width in dims.items() if name != "topic"}),
                         ("representation.dim", 24)])
    assert idle(some.blueprint.places(some.schema())[0]) == ()
    assert "representation.topic" in changed_blocks(some, layout_of(some.blueprint, some.schema()))


@pytest.mark.parametrize("id, offered", [("din", False), ("dnn", True)])
def test_the_sidebar_and_the_caption_offer_what_does_something(id, offered):
    app = visit("architect", c=encode(Document.preset(id)), sel="representation")
    sizes = {"side:representation.dim", "form:representation.dim"}
    assert sizes & {each.key for each in app.number_input} == (sizes if offered else set())
