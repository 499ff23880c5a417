"""Rings: what is selected has one around it, which no word of the drawing crosses."""
from __future__ import annotations

import pytest

from rankzoo.document import Document
from rankzoo.export.picture import layout_of
from rankzoo.figures.diagram import draw
from rankzoo.figures.layout import Box
from rankzoo.registry import systems
from tests.drawings import walk
from tests.strokes import apart, texts

HALF = 1.25
"""Half of a ring's line."""
BESIDE = ("candidate", "expert", "layer")


def grown(box: Box, by: float) -> Box:
    return Box(box.x - by, box.y - by, box.w + 2 * by, box.h + 2 * by)


def within(box: Box, other: Box) -> bool:
    return other.x <= box.x and box.right <= other.right and other.y <= box.y and box.bottom <= other.bottom


@pytest.mark.parametrize("id", systems())
def test_no_word_is_crossed_by_a_ring(id: str) -> None:
    """DIN's «query» was cut by the ring of its candidate, «MMoE» touched by that of its column. Of parts with words beside them
    one each, and every column."""
    document = Document.preset(id)
    layout = layout_of(document.blueprint, document.schema())
    forms = {block.form: address for address, block in layout.blocks.items() if block.form in BESIDE}
    for chosen in (*forms.values(), *layout.spans):
        drawing = draw(layout, selected=chosen)
        (ring,) = [Box(x + part[1]["x"], y + part[1]["y"], part[1]["width"], part[1]["height"])
                   for part, x, y in walk(drawing) if part[1].get("class") == "ring"]
        for words, box in texts(drawing):
            assert apart(box, grown(ring, HALF)) or within(box, grown(ring, -HALF)), (chosen, words)


@pytest.mark.parametrize("id, column", [("youtube", "sharing"), ("microsoft", "concatenation")])
def test_the_ring_of_a_column_leaves_room_beside_its_words(id: str, column: str) -> None:
    document = Document.preset(id)
    drawing = draw(layout_of(document.blueprint, document.schema()), selected=column)
    node = next(part for part, _, _ in walk(drawing) if part[1].get("data-id") == column)
    ring = next(part for part, _, _ in walk(node) if part[1].get("class") == "ring")
    left, right = ring[1]["x"], ring[1]["x"] + ring[1]["width"]
    starts, ends = zip(*((box.x, box.right) for _, box in texts(["g", {}, node[2]])), strict=True)
    assert min(starts) - left >= 6 and right - max(ends) >= 6
