"""The side tower as it is drawn: how many numbers each of its tables holds, and what it adds to."""
from __future__ import annotations

from rankzoo.document import Document
from rankzoo.export.picture import layout_of
from rankzoo.figures.diagram import draw, sentence
from rankzoo.figures.diagram.state import State
from rankzoo.figures.layout import Layout
from tests.strokes import edges, texts


def youtube() -> Layout:
    document = Document.preset("youtube")
    return layout_of(document.blueprint, document.schema())


def test_the_side_way_shows_the_numbers_that_it_has() -> None:
    """10 of positions, 4 of devices, 10 × 4 of both: 54 in all, as the tower counts them."""
    layout = youtube()
    block = next(b for b in layout.blocks.values() if b.form == "bias")
    assert block.units == (10, 4, 40) and sum(block.units) == layout.blocks["towers.bias"].parameters == 54
    said = [words for words, _ in texts(draw(layout))]
    assert "10 + 4 + 40" in said and "added to click, completion; “missing” when serving" in said
    state = State(layout, "", {}, {}, {}, *[frozenset()] * 4, {}, {}, str)
    assert sentence(block, state) == "position, device, a bias feature, 10 + 4 + 40 numbers."


def test_a_dashed_line_shows_what_the_gates_read() -> None:
    """Of the shared layer, over the experts, to every gate."""
    lines = [set(ends) for ends, _ in edges(draw(youtube())) if "sharing.bottom" in ends]
    assert any({f"sharing.gate.{task}" for task in youtube().tasks} | {"sharing.bottom"} == each for each in lines)
