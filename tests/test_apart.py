"""Apart: of two pictures, one above the other, what is set off differs, and what stands back is alike, block by block."""
from __future__ import annotations

import json
from itertools import pairwise

import pytest

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.export.apart import Drawn, apart
from rankzoo.export.picture import two_layouts
from rankzoo.figures.diagram import called, draw
from rankzoo.figures.layout import Layout
from rankzoo.inspection.changes import changes
from rankzoo.inspection.provenance import component_of
from rankzoo.paths import leaves
from rankzoo.registry import systems
from tests.visits import every

BUILT = list(systems())


def both(one: Document, other: Document) -> tuple[Drawn, Drawn]:
    layouts = two_layouts(*((each.blueprint, each.schema()) for each in (one, other)))
    return Drawn(one.blueprint, layouts[0]), Drawn(other.blueprint, layouts[1])


def said(layout: Layout) -> dict[str, str]:
    """What is said of each node to those who don't see it: its title, sizes and parameters; not what tells it from its likes,
    which is the picture's."""
    blocks = layout.blocks
    labels = {each[1]["data-id"]: each[1]["aria-label"] for each in every(draw(layout)) if "data-id" in each[1]}
    names = {address: called(block, blocks.values(), str) for address, block in blocks.items()}
    assert all(label.startswith(names.get(address, "")) for address, label in labels.items())
    return {address: (blocks[address].title if address in blocks else "") + label.removeprefix(names.get(address, ""))
            for address, label in labels.items()}


def single(document: Document) -> list[Document]:
    """A system with one setting changed at a time: every size one more, every switch turned."""
    found = []
    for path, value in leaves(json.loads(document.blueprint.model_dump_json())):
        more = not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else None
        try:
            found += [document.but([(path, more)]).check()] if more is not None else []
        except ZooError:  # it cannot stand so
            continue
    return found


@pytest.mark.parametrize("id", BUILT)
def test_what_stands_back_is_alike_and_what_is_set_off_differs(id: str):
    """In nothing that is said of it, or else nothing at all is said otherwise in the component that a change is about."""
    preset = Document.preset(id)
    assert apart(*both(preset, preset)) == (frozenset(), frozenset())
    for other in single(preset):
        drawn = both(preset, other)
        there, here = map(said, (each.layout for each in drawn))
        about = {component_of(change.address) for change in changes(preset.blueprint, other.blueprint)}
        mine, theirs = apart(*drawn)
        assert theirs or mine, about
        for own, lit, foreign in ((there, mine, here), (here, theirs, there)):
            moved = {address for address, words in own.items() if foreign.get(address) != words}
            for address in own.keys() - lit:
                assert address not in moved or drawn[0].layout.blocks[address].form == "left", (about, address)
            for address in lit - moved:
                below = {each for each in own if component_of(each) == component_of(address)}
                assert component_of(address) in about and not below & moved, (about, address)


@pytest.mark.parametrize("one, other", pairwise(BUILT))
def test_of_any_two_systems_what_is_lit_is_named_alike_nowhere(one: str, other: str):
    """A block that stands back in one picture has a block in the other of which the same is said."""
    drawn = both(Document.preset(one), Document.preset(other))
    for own, lit, foreign in zip(drawn, apart(*drawn), drawn[::-1], strict=True):
        alike = set(said(foreign.layout).values())
        assert all(words in alike for address, words in said(own.layout).items()
                   if address not in lit and address in own.layout.blocks)


def test_youtube_with_wider_tables_and_narrower_experts():
    """Numbers and the side way are as they were, though they stand in the same column as what is not."""
    preset = Document.preset("youtube")
    mine, theirs = apart(*both(preset, preset.but([("representation.dim", 64), ("sharing.widths", [16])])))
    assert mine == theirs and {"representation.hour", "concatenation", "sharing.expert.0", "sharing.bottom"} <= mine
    blocks = both(preset, preset)[0].layout.blocks
    alike = {"representation.position", "sharing.gate.click", "towers.bias", "losses.click",
             *(address for address, block in blocks.items() if block.form == "numbers")}
    assert len(alike) == 5 and alike <= blocks.keys() and not mine & alike


def test_what_no_number_shows_sets_its_component_off():
    preset = Document.preset("youtube")
    mine, _ = apart(*both(preset, preset.but([("towers.dropout", 0.5)])))
    assert mine == {"towers.bias", *(f"towers.{task}" for task in preset.blueprint.tasks)}
    mine, _ = apart(*both(preset, preset.but([("losses.weights", {"like": 2.0})])))
    assert mine == {"losses.like"} or mine == {"losses.like", "losses.completion"}


def test_a_component_is_found_again_at_another_place():
    """The factorisation machine alone: it is the same as behind a linear part."""
    preset = Document.preset("deepfm")
    fm = next(each for each in preset.blueprint.interaction if each.kind == "fm").model_dump(mode="json")
    mine, theirs = apart(*both(preset, preset.but([("interaction", [fm])])))
    assert mine == {"interaction.0"} and not theirs


def test_what_each_has_alone_is_set_off():
    wide, deep = Document.preset("wide_deep"), Document.preset("dnn")
    mine, theirs = apart(*both(wide, deep.on(wide.data)[0]))
    assert "interaction.0" in mine and not any(each.startswith("interaction") for each in theirs)
    fewer = Document.preset("youtube")
    fewer = fewer.model_copy(update={"blueprint": fewer.blueprint.with_tasks(("click", "like"), fewer.schema())})
    mine, theirs = apart(*both(Document.preset("youtube"), fewer))
    assert {"losses.dismiss", "sharing.gate.completion"} <= mine and not any("dismiss" in each for each in theirs)


def test_a_feature_left_out_is_set_off_where_it_is_read():
    preset = Document.preset("youtube")
    mine, theirs = apart(*both(preset, preset.but([("without", ["hour"])])))
    assert mine - theirs == {"representation.hour"} and theirs == {"concatenation", "sharing.bottom"}
