"""The side tower as it is drawn: how many numbers each of its tables holds, and what it adds to."""
from __future__ import annotations

import pytest
import torch

from rankzoo.document import Document
from rankzoo.export.picture import layout_of
from rankzoo.figures.diagram import draw, sentence
from rankzoo.figures.diagram.state import State
from rankzoo.figures.layout import Layout
from rankzoo.inspection.part import anatomy
from tests.strokes import edges, texts
from tests.support import random_batch


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


@pytest.mark.parametrize(("serve", "stays", "note", "sentence"), [
    ("missing", True, "“missing” when serving", "what the tower has learnt for “missing” is added"),
    ("drop_tower", False, "left out when serving", "left out when serving")])
def test_what_is_told_of_the_side_tower_is_what_serving_does(serve: str, stays: bool, note: str, sentence: str) -> None:
    """Its weights count in the logits that are served, or do not: the note beside it and its caption say which."""
    document = Document.preset("youtube").but([("towers.serve", serve)])
    schema, blueprint = document.schema(), document.blueprint
    model, batch = document.model(schema).eval(), random_batch(schema, 8)
    with torch.no_grad():
        for parameter in model.towers.bias.parameters():
            parameter.fill_(1.0)
        before = model(batch).logits["click"]
        for parameter in model.towers.bias.parameters():
            parameter.fill_(0.0)
        assert bool((before - model(batch).logits["click"]).abs().max() > 0.1) == stays
    said = [words for words, _ in texts(draw(layout_of(blueprint, schema)))]
    assert f"added to click, completion; {note}" in said
    blocks = blueprint.blocks(schema)
    tower = next(block for block in blocks if block.form == "bias_tower")
    assert sentence in anatomy(tower, blocks, blueprint.towers, blueprint.count(schema), schema.tasks).sentence
