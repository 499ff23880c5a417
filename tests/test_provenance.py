"""What does the paper really say: what stands back while only that is looked at, and the facts that are left."""
from __future__ import annotations

import pytest

from rankzoo.blueprint import SLOTS
from rankzoo.document import Document
from rankzoo.export.picture import assumed_blocks, blocks_below, layout_of
from rankzoo.facts import PROVENANCES
from rankzoo.figures import diagram
from rankzoo.inspection.provenance import SAID, assumed_parts, component_of
from rankzoo.registry import systems
from tests.visits import every

BUILT = list(systems())


@pytest.mark.parametrize("arch", BUILT)
def test_what_stands_back_has_values_and_none_of_them_is_said(arch: str):
    document = Document.preset(arch)
    facts = [fact for fact in document.system.facts if fact.path and "." in fact.path]
    addresses = {address for address, _ in document.blueprint.specs()}
    for tags in SAID.values():
        back = assumed_parts(facts, tags)
        assert back <= addresses and (tags or not back)
        for component in back:
            assert not any(fact.tag in tags for fact in facts if component_of(fact.path) == component)
    strict, wide = (assumed_parts(facts, SAID[name]) for name in ("stated", "supported"))
    assert wide <= strict, "who counts more as said lets less stand back"


def test_what_was_changed_by_hand_is_no_longer_the_source_s():
    facts = Document.preset("youtube").system.facts
    stated = [fact.path for fact in facts if fact.tag == "stated" and fact.path.startswith("towers.")]
    assert "towers" not in assumed_parts(facts, ("stated",)) and "towers" in assumed_parts(facts, ("stated",), stated)


def test_the_diagram_lets_the_assumed_stand_back():
    """YouTube's embedding sizes are not disclosed, its gates are described: the tables stand back, the experts do not."""
    document = Document.preset("youtube")
    layout = layout_of(document.blueprint, document.schema())
    back = blocks_below(assumed_parts(document.system.facts, ("stated",)), layout)
    tree = diagram.draw(layout, back=back)
    classes = {node[1]["data-id"]: node[1]["class"].split() for node in every(tree) if "data-id" in node[1]}
    assert "old" in classes["representation.user_id"] and "old" not in classes["sharing.expert.0"]
    assert "said" in tree[1]["class"] and "class" not in diagram.draw(layout)[1]


def test_what_a_visitor_typed_is_not_assumed():
    """MMoE's tower widths are ours until somebody sets others."""
    preset = Document.preset("mmoe")
    blocks = [assumed_blocks(each, layout_of(each.blueprint, each.schema()))
              for each in (preset, preset.but([("towers.widths", [32])]))]
    assert {"towers.click", "sharing.expert.0"} <= blocks[0]
    assert not any(block.startswith("towers.") for block in blocks[1]) and "sharing.expert.0" in blocks[1]


@pytest.mark.parametrize("arch, changes, gone", [
    ("youtube", [("sharing.kind", "ple")], "sharing."), ("mmoe", [("sharing.kind", "omoe")], "sharing."),
    ("din", [("sequence", [])], "sequence."), ("dcn_v2", [("interaction.0.kind", "cross")], "interaction.0."),
    ("youtube", [("settings.lr", 0.5)], "settings.lr")])
def test_what_was_exchanged_away_is_not_assumed(arch: str, changes: list, gone: str):
    """Not even where the new kind has a setting of the same name and value, as OMoE has MMoE's experts."""
    preset = Document.preset(arch)
    after = preset.model_copy(update={"blueprint": preset.blueprint}).but(changes)
    assert preset.assumed == preset.system.assumed
    assert after.assumed == {path for path in preset.assumed if not path.startswith(gone)}
    told = {*(fact.path for fact in preset.system.facts), *preset.assumed}
    assert after.gone() == {path for path in told if path.startswith(gone)}


def test_a_value_without_a_fact_is_ours():
    """YouTube's paper tells no learning rate, and no fact of ours does: it counts as assumed, until somebody sets another. What
    stands as it does by default, what a fact tells and the name of a column do not."""
    preset = Document.preset("youtube")
    assert preset.settings.lr != type(preset.settings)().lr and "settings.lr" in preset.system.untold <= preset.assumed
    assert "settings.lr" not in preset.but([("settings.lr", 0.5)]).assumed
    assert not {"settings.batch_size", "sharing.gate_dropout", "representation.init"} & preset.system.untold
    kuaishou = Document.preset("kuaishou")
    assert kuaishou.blueprint.sequence[0].history and "sequence.0.history" not in kuaishou.assumed
    assert all(not {fact.path for fact in system.facts} & system.untold for system in systems().values())


def test_a_mapping_is_a_value_of_its_own():
    """DIN's embedding sizes by field are one setting."""
    din = Document.preset("din")
    assert "representation.dims" in {fact.path for fact in din.system.facts}
    assert "representation.dims" in din.but([("representation.dims.item", 5)]).gone()


def test_every_tag_is_either_said_or_assumed():
    assert set(SAID["supported"]) | {"unsure", "ours"} == set(PROVENANCES) and len(SLOTS) == 7
