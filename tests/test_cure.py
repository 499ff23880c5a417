"""What cannot be comes with the nearest thing that can: the cure is allowed, mends what was tried, and is offered once."""
from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.export.picture import up_to_the_break
from rankzoo.paths import leaves, set_at
from rankzoo.saying import nearest
from tests.test_blueprint import ANY, GARBAGE
from tests.test_cli import refusal
from tests.test_layout import LAWS


def refused(tree: object) -> ZooError:
    with pytest.raises(ZooError) as caught:
        Document.parse(json.dumps(tree)).check()
    return caught.value


@pytest.mark.parametrize("path, found, near", [
    ("sharing.experts", 9000, 64), ("sharing.experts", 0, 1), ("sharing.experts", "8", 8), ("sharing.experts", 3.7, 4),
    ("sharing.widths.0", -3, 1), ("sharing.widths.0", 10**9, 65_536), ("sharing.gate_dropout", 2, 0.999),
    ("representation.dim", None, 16), ("sharing.widths", [], [64, 32]), ("sharing.widths", [8] * 20, [8] * 8),
    ("towers.kind", "bised", "biased"), ("sharing.kind", "mmoo", "mmoe"), ("tasks.0", "<b>click</b>", "bclickb")])
def test_the_nearest_value_is_offered_and_mends(path, found, near):
    tree = json.loads(Document.preset("youtube").json())
    set_at(tree, f"blueprint.{path}", found)
    if path.endswith(".kind"):
        set_at(tree, f"blueprint.{path.rpartition('.')[0]}", {"kind": found})
    problem = refused(tree)
    assert problem.cure == (f"blueprint.{path}", near)
    if path != "tasks.0":  # a name that is allowed need not be a task's
        mended = Document.mended(problem.tried, problem.cure)
        value: object = json.loads(mended.json())["blueprint"]
        for step in path.split("."):
            value = value[int(step)] if isinstance(value, list) else value[step]
        assert value == near


@pytest.mark.parametrize("given, cure", [({"arch": "yutube"}, ("arch", "youtube")),
                                         ({"arch": "youtube", "data": "vidio"}, ("data", "video"))])
def test_a_name_that_is_nearly_right_is_offered(given, cure):
    problem = refused(given)
    assert problem.cure == cure and Document.mended(problem.tried, problem.cure) == Document.preset("youtube")


def test_the_command_line_says_it_too():
    assert "Found 9000. The nearest: sharing.experts=64." in refusal("show", "youtube", "--set", "sharing.experts=9000")
    assert refusal("show", "yutube").count("youtube") == 1


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["lr", "wide_deep", "dcn_v2", "mmoe", "din", "youtube"]), st.data())
def test_no_cure_makes_it_worse(arch, data):
    """Whatever is put into a setting: the cure, where one is offered, is a document, or is refused for another reason."""
    tree = json.loads(Document.preset(arch).json())
    path = data.draw(st.sampled_from([path for path, _ in leaves(tree) if path not in ("arch", "v", "data")]))
    set_at(tree, path, data.draw(GARBAGE))
    try:
        Document.parse(json.dumps(tree))
    except ZooError as problem:
        if problem.cure and problem.tried:
            try:
                Document.mended(problem.tried, problem.cure)
            except ZooError as other:
                assert (other.at, str(other)) != (problem.at, str(problem))


@pytest.mark.parametrize("schema, value, near", [
    ({"type": "integer", "minimum": 1, "maximum": 64}, 100, 64), ({"type": "integer", "exclusiveMinimum": 0}, -5, 1),
    ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, 0, 0.001), ({"type": "integer", "minimum": 1}, "x", 1),
    ({"enum": ["stacked", "parallel"]}, "paralel", "parallel"), ({"enum": ["stacked", "parallel"]}, "zzz", None),
    ({"type": "boolean"}, "yes", None), ({"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 2}]}, 1, 2),
    ({"type": "integer", "minimum": 0}, float("inf"), None)])
def test_nearest_by_hand(schema, value, near):
    assert nearest(schema, value) == near


def broken(arch: str, *changes: tuple[str, object]) -> tuple[Document, ZooError]:
    document = Document.preset(arch).but(changes)
    return document, document.blueprint.reached(document.schema())[1]


def test_heads_that_do_not_fit_say_both_shapes_and_the_nearest():
    document, problem = broken("bst", ("sequence.0.token", 16), ("sequence.0.heads", 7))
    assert problem.cure == ("sequence.0.heads", 8) and problem.shapes[0] == 16
    layout = up_to_the_break(document.blueprint, document.schema())
    block = layout.blocks["sequence.0"]
    assert block.form == "broken" and block.words == ("comes: 16", f"needs: {problem.shapes[1]}")
    edge = next(edge for edge in layout.edges if edge.target == "sequence.0")
    assert edge.kind == "broken" and layout.blocks[edge.source].form == "history"
    assert not {"losses.click", "concatenation"} & set(layout.blocks), "nothing behind it is drawn"


def test_a_model_that_stands_has_no_break():
    preset = Document.preset("youtube")
    assert up_to_the_break(preset.blueprint, preset.schema()) is None


@settings(max_examples=200, deadline=None)
@given(ANY)
def test_any_model_that_cannot_stand_is_drawn_up_to_its_break(drawn):
    """The layout keeps every law, one part is broken, and it is the one that the refusal names."""
    schema, blueprint = drawn
    try:
        places, problem = blueprint.reached(schema)
    except ZooError:
        return  # tasks or features that are not there: nothing can be drawn
    if problem is None:
        return
    layout = up_to_the_break(blueprint, schema)
    assert [address for address, block in layout.blocks.items() if block.form == "broken"] == [places[-1].address]
    for law in LAWS:
        law(layout)
