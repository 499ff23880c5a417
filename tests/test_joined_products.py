"""A product that is joined is a part of its own: its segment is as high as it is wide, and both its factors lead to it."""
from __future__ import annotations

import pytest

from rankzoo.document import Document
from rankzoo.export.picture import layout_of
from rankzoo.inspection.part import anatomy


@pytest.mark.parametrize("id", ["din", "bst"])
def test_history_candidate_and_their_product_are_thirds(id: str) -> None:
    """16 numbers each of 48."""
    document = Document.preset(id)
    layout = layout_of(document.blueprint, document.schema())
    heights = {source: lower - upper for source, upper, lower in layout.segments["concatenation"]}
    assert len(heights) == 3 and "concatenation.product.0" in heights
    assert list(heights.values()) == pytest.approx([sum(heights.values()) / 3] * 3)
    into = {edge.source for edge in layout.edges if edge.target == "concatenation.product.0"}
    assert into | {"concatenation.product.0"} == set(heights)


def test_what_is_joined_adds_up_to_the_width_of_the_bar() -> None:
    """In every model with products, whatever else it joins."""
    document = Document.preset("din")
    bar = next(b for b in document.blueprint.blocks(document.schema()) if b.form == "concat")
    widths = [flow.width for b in document.blueprint.blocks(document.schema()) for flow in b.flows if flow.to == bar.address]
    assert sum(widths) == bar.units[0] == 48


def test_a_product_says_what_it_multiplies() -> None:
    document = Document.preset("din")
    blocks, spec = document.blueprint.blocks(document.schema()), document.blueprint.concatenation
    part = next(b for b in blocks if b.form == "product")
    said = anatomy(part, blocks, spec, document.blueprint.count(document.schema()), ())
    assert said.formula == r"p=\mathrm{history}\odot \mathrm{candidate}" and said.count.parameters == 0
    assert [width for _, width in said.inputs.reads] == [16, 16] and said.sizes == (32, 16)
