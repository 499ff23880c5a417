"""What does the paper really say: what stands back while only that is looked at, and the facts that are left."""
from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from rankzoo.blueprint import SLOTS
from rankzoo.document import Document
from rankzoo.export.picture import assumed_blocks, blocks_below, layout_of
from rankzoo.facts import CHOSEN, DEFAULT, PROVENANCES
from rankzoo.figures import diagram
from rankzoo.inspection.provenance import SAID, assumed_parts, component_of
from rankzoo.registry import systems
from tests.visits import every

BUILT = list(systems())
ASSUMED = ("unsure", "ours")


def italic(document: Document) -> frozenset[str]:
    """The blocks whose numbers the diagram sets in italic."""
    return assumed_blocks(document, layout_of(document.blueprint, document.schema()))


@pytest.mark.parametrize("arch", BUILT)
def test_every_setting_of_every_component_has_a_tag_and_a_place(arch: str):
    """By the fields of the specs and of the training, and the tasks: nothing is left out, nothing is told twice, and what nobody
    tells of is RankZoo's default, or chosen for the preset where the value is another."""
    system = systems()[arch]
    specs = (*system.blueprint.specs(), ("settings", system.settings))
    fields = [f"{address}.{name}" for address, spec in specs for name in type(spec).model_fields]
    settings = ["tasks", *(path for path in fields if not path.endswith(".kind"))]
    usual = {f"{address}.{name}" for address, spec in specs for name, field in type(spec).model_fields.items()
             if getattr(spec, name) == field.get_default(call_default_factory=True)}
    told = {fact.path: fact for fact in system.facts if fact.path in (*fields, "tasks")}
    paths = [value.path for value in system.values]
    assert len(paths) == len(set(paths)) and set(paths) == {*settings, *told}
    for value in system.values:
        tags = {fact.tag for fact in system.facts if fact.path == value.path}
        assert value.fact.tag in PROVENANCES and value.fact.place and value.untold == (value.path not in told)
        assert value.fact.tag == min(tags or {"ours"}, key=PROVENANCES.index)
        place = DEFAULT if value.path in usual else CHOSEN
        assert not value.untold or (value.fact.tag, value.fact.place) == ("ours", place)
    assert len(system.told) == len(system.facts) + sum(value.untold for value in system.values)


@pytest.mark.parametrize("arch, path, place, value", [
    ("spotify", "settings.epochs", CHOSEN, "20"), ("spotify", "settings.clip", DEFAULT, "none"),
    ("youtube", "settings.lr", CHOSEN, "0.004"), ("youtube", "settings.weight_decay", DEFAULT, "0"),
    ("youtube", "tasks", CHOSEN, "click, completion, like, dismiss")])
def test_what_nobody_tells_of_is_a_default_only_where_it_is_one(arch: str, path: str, place: str, value: str):
    fact = next(each.fact for each in systems()[arch].values if each.path == path)
    assert (fact.untold, fact.place, fact.value) == (True, place, value)


@pytest.mark.parametrize("arch", BUILT)
def test_a_fact_that_is_nothing_but_numbers_holds_those_of_its_setting(arch: str):
    """«16, 8» or «4e-3» beside a setting would be read as its value."""
    system = systems()[arch]
    held = dict([*system.blueprint.specs(), ("settings", system.settings)])
    for fact in system.facts:
        if fact.path and re.fullmatch(r"[\d.,e −-]+", fact.value):
            slot, name = fact.path.rsplit(".", 1)
            value = getattr(held[slot], name)
            numbers = set(value.values()) if isinstance(value, Mapping) else value if isinstance(value, tuple) else (value,)
            said = [float(number.replace(",", "").replace("−", "-")) for number in fact.value.split(", ")]
            assert said == pytest.approx(list(numbers)), fact.name


@pytest.mark.parametrize("arch", BUILT)
def test_what_others_tell_of_a_paper_is_not_stated(arch: str):
    """A place in another's text, be it a quotation, is no reading of the source."""
    told = [fact for fact in systems()[arch].facts if re.search(r"quote|review|third part|notes|re-implement", fact.at)]
    assert [fact.name for fact in told if fact.tag != "code"] == []
    assert arch not in ("homedepot", "huawei") or told


@pytest.mark.parametrize("arch", BUILT)
def test_a_number_of_which_nothing_was_read_is_ours(arch: str):
    """What is not known is the paper's number: it stands in no setting, and no paper stands beside one of ours."""
    for fact in systems()[arch].facts:
        assert not (fact.path and fact.tag == "unsure" and re.fullmatch(r"[\d.,e −-]+( each)?", fact.value)), fact.name
        assert fact.tag != "ours" or fact.source is None, fact.name


def test_what_is_partly_stated_shows_the_surer_mark_only_where_the_value_is_that():
    """LinkedIn's ramp is stated and its length is ours; the shares in MGDSPR's harder negatives are stated, and none are mixed
    here; Home Depot's three sizes and ByteDance's three settings, of which nothing was read, are ours. Of LinkedIn's groups that
    of the like is not known, and PLE's two levels are its own paper's, not Snap's."""
    tags = {arch: {value.path: value.fact.tag for value in systems()[arch].values if not value.untold} for arch in BUILT}
    assert tags["linkedin"]["settings.warmup"] == tags["youtube"]["losses.weights"] == "ours"
    assert (tags["linkedin"]["sharing.groups"], tags["snapchat"]["sharing.levels"]) == ("unsure", "ours")
    assert [tags["alibaba"][f"losses.{name}"] for name in ("least", "most", "mixed")] == ["stated", "stated", "ours"]
    assert {tags["homedepot"][f"sequence.0.{name}"] for name in ("blocks", "heads", "ffn")} == {"ours"}
    assert {tags["bytedance"][f"settings.{name}"] for name in ("optimizer", "lr", "batch_size")} == {"ours"}


@pytest.mark.parametrize("arch", BUILT)
def test_badge_italics_and_filter_agree_on_what_is_assumed(arch: str):
    document = Document.preset(arch)
    sizes = {value.path for value in document.system.values if value.size and value.fact.tag in ASSUMED}
    assert document.assumed == sizes
    assert sizes <= {fact.path for fact in document.system.told if fact.tag in SAID["assumed"]}
    blocks, components = italic(document), {component_of(path) for path in sizes}
    for component in components:
        assert any(f"{block}.".startswith(f"{component}.") for block in blocks), component
    assert not [block for block in blocks if not any(f"{block}.".startswith(f"{component}.") for component in components)]


@pytest.mark.parametrize("arch, sizes", [
    ("youtube", {"representation.dim", "sharing.bottom", "sharing.experts", "sharing.widths", "towers.widths"}),
    ("lr", set()),  # one weight for each value: nothing to choose
    ("dlrm", {"representation.dim", "representation.bottom", "towers.widths"}),  # the others have no bottom network in use
    ("din", {"representation.dims", "sequence.0.token", "towers.widths"})])  # no table has the general size
def test_a_size_counts_where_it_shapes_the_model(arch: str, sizes: set[str]):
    """Neither rates nor what is switched off: another value would have to make another model."""
    document = Document.preset(arch)
    assert document.assumed == sizes
    count = document.blueprint.count(document.schema())
    for path in (path for path in sizes if "dims" not in path):
        slot, name = path.rsplit(".", 1)
        value = getattr(dict(document.blueprint.specs())[slot], name)
        larger = document.but([(path, [2 * n for n in value] if isinstance(value, tuple) else 2 * value)])
        assert larger.blueprint.count(larger.schema()) != count, path


def test_only_numbers_that_rankzoo_chose_are_italic():
    """YouTube's dense features and its one weight for each position have no size to choose."""
    blocks = italic(Document.preset("youtube"))
    assert {"representation.user_id", "sharing.bottom", "sharing.expert.3", "towers.like"} <= blocks
    assert not {"representation.dense", "towers.bias"} & blocks and not any("losses" in block for block in blocks)


@pytest.mark.parametrize("arch", BUILT)
def test_what_stands_back_has_values_and_none_of_them_is_said(arch: str):
    document = Document.preset(arch)
    values = document.system.values
    addresses = {"settings", "tasks", *(address for address, _ in document.blueprint.specs())}
    for tags in SAID.values():
        back = assumed_parts(values, tags)
        assert back <= addresses and (tags or not back)
        said = {component_of(value.path) for value in values if value.fact.tag in tags}
        assert not back & said and (not tags or back | said == {component_of(value.path) for value in values})
    strict, wide = (assumed_parts(values, SAID[name]) for name in ("stated", "supported"))
    assert wide <= strict, "who counts more as said lets less stand back"


def test_what_was_changed_by_hand_is_no_longer_the_source_s():
    values = Document.preset("youtube").system.values
    stated = [value.path for value in values if value.fact.tag == "stated" and value.path.startswith("towers.")]
    assert "towers" not in assumed_parts(values, ("stated",)) and "towers" in assumed_parts(values, ("stated",), stated)


def test_the_diagram_lets_the_assumed_stand_back():
    """YouTube's embedding sizes are not disclosed, its gates are described: the tables stand back, the experts do not."""
    document = Document.preset("youtube")
    layout = layout_of(document.blueprint, document.schema())
    back = blocks_below(assumed_parts(document.system.values, ("stated",)), layout)
    tree = diagram.draw(layout, back=back)
    classes = {node[1]["data-id"]: node[1]["class"].split() for node in every(tree) if "data-id" in node[1]}
    assert "old" in classes["representation.user_id"] and "old" not in classes["sharing.expert.0"]
    assert "said" in tree[1]["class"] and "class" not in diagram.draw(layout)[1]


def test_what_a_visitor_typed_is_not_assumed():
    """MMoE's tower widths are ours until somebody sets others."""
    preset = Document.preset("mmoe")
    blocks = [italic(each) for each in (preset, preset.but([("towers.widths", [32])]))]
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
    assert after.assumed == {path for path in preset.assumed if not path.startswith(gone)}
    assert after.gone() == {fact.path for fact in preset.system.told if fact.path.startswith(gone)}


def test_a_mapping_is_a_value_of_its_own():
    """DIN's embedding sizes by field are one setting."""
    din = Document.preset("din")
    assert "representation.dims" in {fact.path for fact in din.system.facts}
    assert "representation.dims" in din.but([("representation.dims.item", 5)]).gone()


def test_every_tag_is_either_said_or_assumed():
    assert {*SAID["supported"], *SAID["assumed"]} == set(PROVENANCES) and len(SLOTS) == 7
    assert not {*SAID["supported"]} & {*SAID["assumed"]}


def test_a_source_in_brief_keeps_a_conference_and_no_longer_place():
    """Where it appeared is told by a conference's name and year; a journal, a series or a full date leaves the year alone."""
    briefs = {arch: systems()[arch].source.brief for arch in ("youtube", "snapchat", "huawei")}
    assert briefs == {"youtube": "Zhao et al., RecSys 2019", "snapchat": "Snap Engineering, 2022", "huawei": "Bi et al., 2022"}
    assert all(len(system.source.brief) <= 40 for system in systems().values())


def test_dcn_v2_is_cited_by_what_was_read():
    """Sections 3 and 9, equations and tables of it were read; a fact names no other section."""
    places = [(arch, fact.at) for arch, system in systems().items() for fact in system.facts
              if fact.source and fact.source.title.startswith("DCN V2") and "section" in fact.at]
    assert not [place for place in places if place[1] not in ("section 3", "section 9")]
    facts = [fact for arch in ("snapchat", "dcn_v2") for fact in systems()[arch].facts if "then a plateau" in fact.value]
    assert len(facts) == 2 and all(fact.tag == "stated" and not fact.at for fact in facts)
