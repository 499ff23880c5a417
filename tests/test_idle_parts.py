"""What nothing reads is drawn as such: a history without attention, a feature that is left out, a concatenation of nothing."""
from __future__ import annotations

import pytest

from rankzoo.blueprint import SLOTS
from rankzoo.document import Document
from rankzoo.export.picture import changed_blocks, layout_of
from rankzoo.figures.diagram import draw
from rankzoo.figures.layout import Layout, arrange
from rankzoo.inspection.part import anatomy
from rankzoo.inspection.steps import steps
from rankzoo.registry import systems
from rankzoo.shape import Block
from tests.drawings import columns, mmoe, walk
from tests.strokes import texts


def laid(id: str, *changes: tuple[str, object]) -> Layout:
    document = Document.preset(id).but(list(changes))
    return layout_of(document.blueprint, document.schema())


def test_a_history_that_nothing_reads_is_dashed() -> None:
    """DIN without its attention keeps the tables of its past items, which no part reads."""
    without = [("sequence", []), ("concatenation", {"kind": "join"})]
    for changes, idle in (([], False), (without, True)):
        layout = laid("din", *changes)
        assert ("History: nothing reads it" in [words for words, _ in texts(draw(layout))]) is idle
        part = next(tree for tree, _, _ in walk(draw(layout)) if tree[1].get("data-id") == "representation.history")
        assert any(each[1].get("class") == "off" for each, _, _ in walk(part)) is idle


def test_a_feature_that_is_left_out_stays_in_its_place_as_a_dashed_row_that_brings_it_back() -> None:
    """YouTube's device: its row keeps its place, its table is gone, and one press reads it again."""
    document, name = Document.preset("youtube"), "representation.device"
    before, after = laid("youtube"), laid("youtube", ("without", ["device"]))
    assert after.blocks[name].form == "left" and before.boxes[name] == after.boxes[name]
    assert not after.blocks[name].parameters and not any(link.source == name for link in after.links)
    other = document.but([("without", ["device"])])
    blocks, schema = other.blueprint.blocks(other.schema()), other.schema()
    block = next(b for b in blocks if b.address == name)
    (step,) = steps(other.blueprint, schema, "representation", other.blueprint.representation, block)
    assert (step.path, step.less, step.more) == ("without", None, [])
    said = anatomy(block, blocks, other.blueprint.representation, other.blueprint.count(schema), ())
    assert said.sentence.endswith("the side way reads it still.") and said.count.parameters == 0
    assert changed_blocks(other, after) == {name}


def test_many_that_are_left_out_are_one_row() -> None:
    """Where they have room beside what is read each has a row, else one stands for all."""
    out = tuple(Block(f"representation.out{i}", "representation", "left", f"out{i}", "left out", group="user") for i in range(4))
    for inputs, titles in ((9, ["out0", "out1", "out2", "out3"]), (12, ["4 left out"])):
        blocks = (*out, *mmoe(inputs=inputs))
        layout = arrange(blocks, columns(blocks))
        assert [b.title for b in layout.blocks.values() if b.form == "left"] == titles


@pytest.mark.parametrize("id", systems())
def test_every_component_can_be_picked_in_the_diagram(id: str) -> None:
    """Microsoft's concatenation joins nothing: a head that said «x · 0» and was no button."""
    layout = laid(id)
    picked = {str(tree[1]["data-id"]).split(".")[0]: tree for tree, _, _ in walk(draw(layout)) if tree[1].get("role") == "button"}
    assert list(SLOTS) == sorted(picked, key=SLOTS.index)
    said = [words for words, _ in texts(draw(layout))]
    joins = any(block.form == "concat" and block.slot == "concatenation" for block in layout.blocks.values())
    assert ("nothing" in said) is not joins and "x · 0" not in said
    chosen = [tree for tree, _, _ in walk(draw(layout, selected="concatenation")) if tree[1].get("class") == "ring"]
    assert len(chosen) == 1
