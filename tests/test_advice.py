"""Advice: no preset gives a reason for any, each rule sees its case, and its cure mends it."""
from __future__ import annotations

import json

import pytest
from hypothesis import assume, settings
from hypothesis import given as given_any

from rankzoo.blueprint import Blueprint
from rankzoo.document import Document
from rankzoo.inspection.advice import advice, power
from rankzoo.paths import set_at
from rankzoo.registry import systems
from tests.test_blueprint import ANY, stands

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


def test_every_rule_says_what_and_why_in_sentences():
    document = Document.preset("youtube").but([("sharing.experts", 1), ("sharing.bottom", [1])])
    said = [each.said() for each in given(document)]
    assert said == ["Layer 1 of bottom is only 1 wide. All that reaches the tasks must pass through so few numbers.",
                    "Every gate has one expert to choose from. A softmax over one number is 1 whatever it is: the gate learns "
                    "nothing."]


def test_powers():
    assert [power(n) for n in (0, 1, 2, 3, 4, 100)] == [1, 1, 2, 2, 4, 64]
