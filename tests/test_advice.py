"""Advice: no preset gives a reason for any, each rule sees its case, and its cure mends it."""
from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import assume, settings
from hypothesis import given as given_any

from rankzoo.blueprint import SLOTS, Blueprint, Place, kinds
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.inspection.advice import advice, bottleneck, lonely, power, swollen, thin
from rankzoo.paths import leaves, set_at
from rankzoo.registry import systems
from rankzoo.schema import Shape
from tests.test_blueprint import ANY, SHOP, stands

BUILT = list(systems())


def given(document: Document):
    return advice(document.blueprint, document.schema())


@pytest.mark.parametrize("id", BUILT)
def test_no_preset_gives_a_reason(id: str):
    assert given(Document.preset(id)) == ()


@pytest.mark.parametrize("id, changes, at", [
    ("dnn", [("towers.widths", [256, 1, 64])], "towers.widths"),
    ("youtube", [("sharing.bottom", [2])], "sharing.bottom"),
    ("din", [("sequence.0.unit", [80, 1])], "sequence.0.unit"),
    ("dnn", [("towers.widths", [4096])], "towers.widths"),
    ("shared_bottom", [("sharing.widths", [1024, 32])], "sharing.widths"),
    ("mmoe", [("sharing.experts", 1)], "sharing.experts"),
    ("ple", [("sharing.own", 1), ("sharing.shared", 0)], "sharing.shared"),
    ("ple", [("sharing.own", 0), ("sharing.shared", 1)], "sharing.own"),
    ("mmoe", [("tasks", ["click"])], "sharing.kind"),
    ("dnn", [("representation.dim", 256)], "representation.dim"),
    ("youtube", [("representation.dims", {"device": 64})], "representation.dims"),
    ("youtube", [("towers.drop_position", 0.8)], "towers.drop_position"),
    ("dnn", [("towers.dropout", 0.6)], "towers.dropout"),
])
def test_a_rule_sees_its_case_and_its_cure_mends_it(id, changes, at):
    document = Document.preset(id).but(changes)
    found = [each for each in given(document) if each.at == at]
    assert len(found) == 1 and found[0].said().count("{") == 0
    assert found[0].label.format(**found[0].values)
    mended = document.but(found[0].cure)
    assert at not in [each.at for each in given(mended)]


@settings(max_examples=150, deadline=None)
@given_any(ANY)
def test_any_model_that_stands_is_advised_and_every_cure_stands(drawn):
    """Whatever the components: no rule fails, and what a cure makes of the model can be built."""
    schema, blueprint = drawn
    assume(stands(schema, blueprint))
    for each in advice(blueprint, schema):
        tree = json.loads(blueprint.model_dump_json())
        for path, value in each.cure:
            set_at(tree, path, list(value) if isinstance(value, tuple) else value)
        assert Blueprint.model_validate_json(json.dumps(tree)).places(schema)


NAMED = {"a bottleneck": ("towers.widths", [1]), "a gate": ("sharing.experts", 1), "a tower": ("towers.widths", [8192]),
         "an embedding": ("representation.dim", 8192)}
BUILT_WITH_ATTENTION = [id for id in BUILT if any("attention" in spec.keeps and spec.kind != "pooling"
                                                  for spec in Document.preset(id).blueprint.sequence)]


@pytest.mark.parametrize("name", NAMED)
def test_the_named_warnings_are_given_by_every_system_that_can_show_them(name):
    """And one press leads to a model that stands, in which the warning is gone."""
    path, value = NAMED[name]
    seen = 0
    for id in BUILT:
        preset = Document.preset(id)
        before = dict(leaves(json.loads(preset.blueprint.model_dump_json())))
        rows = [f.vocabulary for f in preset.schema().categorical]
        if before.get(path) in (None, []) or name == "an embedding" and sum(8192 > 4 * n for n in rows) <= len(rows) / 2:
            continue  # no such setting in this system, or tables that can fill it
        try:
            document = preset.but([(path, value)]).check()
        except ZooError:
            continue  # no such size
        found = [each for each in given(document) if each.at == path]
        assert found, f"{id}: no warning of {name}"
        mended = document.but(found[0].cure).check()
        assert path not in [each.at for each in given(mended)], id
        seen += 1
    assert seen >= 4, seen


@pytest.mark.parametrize("id", BUILT_WITH_ATTENTION)
def test_attention_over_an_empty_history_becomes_a_pooling_with_what_hangs_on_it(id):
    document = Document.preset(id)
    schema = document.schema()
    schema = replace(schema, histories=tuple(replace(history, length=1) for history in schema.histories))
    tree = json.loads(document.blueprint.model_dump_json())
    found = [each for each in advice(document.blueprint, schema) if each.at.startswith("sequence.")]
    assert found and "one item at most" in found[0].said()
    for path, value in found[0].cure:
        set_at(tree, path, list(value) if isinstance(value, tuple) else value)
    assert Blueprint.model_validate_json(json.dumps(tree)).places(schema)


def test_a_pooling_is_not_told_to_pool():
    document = Document.preset("spotify")
    schema = document.schema()
    short = replace(schema, histories=tuple(replace(history, length=1) for history in schema.histories))
    assert not [each for each in advice(document.blueprint, short) if "one item at most" in each.said()]


def test_a_size_that_costs_nothing_is_not_spoken_of():
    """YouTube's numbers enter as they are: the MLP for numbers has no weight, however thin it is set."""
    assert given(Document.preset("youtube").but([("representation.bottom", [1])])) == ()
    assert given(Document.preset("dlrm").but([("representation.bottom", [1])])) != ()


def test_every_kind_is_advised_of_as_it_stands_by_default():
    """No rule stumbles over a setting of another type under a name that it knows."""
    for slot in SLOTS:
        for spec in kinds(slot).values():
            place = Place(f"{slot}.0" if slot in ("sequence", "interaction") else slot, spec(), Shape(SHOP, SHOP.tasks))
            for rule in (bottleneck, thin, swollen, lonely):
                assert all(each.at.startswith(slot) for each in rule(place, Document.preset("youtube").blueprint))


def test_every_rule_says_what_and_why_in_sentences():
    document = Document.preset("youtube").but([("sharing.experts", 1), ("sharing.bottom", [1])])
    said = [each.said() for each in given(document)]
    assert said == ["Layer 1 of bottom is only 1 wide. All that reaches the tasks must pass through so few numbers.",
                    "Every gate has one expert to choose from. A softmax over one number is 1 whatever it is: the gate learns "
                    "nothing."]


def test_powers():
    assert [power(n) for n in (0, 1, 2, 3, 4, 100)] == [1, 1, 2, 2, 4, 64]
