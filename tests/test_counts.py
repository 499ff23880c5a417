"""The arithmetic that is told of a count is its arithmetic: every working, of every system and of any blueprint, adds up."""
from __future__ import annotations

import ast

import pytest
from hypothesis import HealthCheck, assume, given, settings

from rankzoo.blueprint import Blueprint
from rankzoo.components.mlp import sum_part
from rankzoo.document import Document
from rankzoo.inspection.counts import components, modules, parts, shaped
from rankzoo.inspection.memory import memory
from rankzoo.registry import systems
from rankzoo.schema import Schema
from rankzoo.shape import Part, side_by_side
from tests.test_blueprint import ANY, stands

BUILT = list(systems())


def value(working: str) -> int:
    """What a working comes to: «26 × 16 + 13»."""
    signs = {",": "", "×": "*", "·": "*", "−": "-", "²": "**2"}
    tree = ast.parse("".join(signs.get(sign, sign) for sign in working), mode="eval")
    assert all(isinstance(node, (ast.Expression, ast.BinOp, ast.Constant, ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Div,
                                 ast.Pow)) for node in ast.walk(tree)), working
    return eval(compile(tree, "working", "eval"))


def assert_adds_up(blueprint: Blueprint, schema: Schema) -> None:
    for part in blueprint.count(schema).parts:
        assert bool(part.working) or not part.parameters, f"{part.path} holds {part.parameters} and does not say why"
        assert not part.working or value(part.working) == part.parameters, (part.path, part.working, part.parameters)
        told, each = part.flops_working, part.flops + part.once
        assert bool(told) == bool(each), f"{part.path} takes {each} FLOPs and does not say why"
        assert not told or value(told) == each, (part.path, told, each)
        assert part.output, f"{part.path} does not say what leaves it"


@pytest.mark.parametrize("arch", BUILT)
def test_every_working_of_a_system_adds_up(arch: str):
    document = Document.preset(arch)
    assert_adds_up(document.blueprint, document.schema())


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(ANY)
def test_every_working_of_any_blueprint_adds_up(drawn):
    schema, blueprint = drawn
    assume(stands(schema, blueprint))
    assert_adds_up(blueprint, schema)


@pytest.mark.parametrize("arch", BUILT)
def test_components_and_modules_add_up_to_the_whole(arch: str):
    document = Document.preset(arch)
    blueprint, schema = document.blueprint, document.schema()
    count, rows = blueprint.count(schema), components(blueprint, schema, 64)
    for name, whole in (("parameters", count.parameters), ("flops", count.flops), ("activations", count.activations)):
        assert sum(row[name] for row in rows) == sum(row[name] for row in parts(blueprint, schema)) == whole
    for name, whole in memory(count, 64).items():
        assert sum(row[name] for row in rows) == whole
    assert all(row["leaves"] for row in rows)


def assert_widths_add_up(blueprint: Blueprint, schema: Schema) -> None:
    """Where two vectors or more stand side by side, their widths are added up: each as often as a segment has it."""
    for place in blueprint.places(schema):
        if place.address == "concatenation":
            joined, = blueprint.count(schema).within("concatenation").parts
            widths = list(place.spec.after(place.shape).segments.values())
            assert bool(joined.width) == (len(widths) > 1)
            assert not joined.width or value(joined.width) == joined.output[0] == sum(widths)
            for width in set(widths) - {1} if joined.width else ():
                many = widths.count(width)
                assert (f"{many:,} × {width:,}" if many > 1 else f"{width:,}") in joined.width.split(" + ")


@pytest.mark.parametrize("arch", BUILT)
def test_the_width_of_what_is_joined_is_told_as_a_sum(arch: str):
    document = Document.preset(arch)
    assert_widths_add_up(document.blueprint, document.schema())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(ANY)
def test_the_width_of_what_any_blueprint_joins_is_told_as_a_sum(drawn):
    schema, blueprint = drawn
    assume(stands(schema, blueprint))
    assert_widths_add_up(blueprint, schema)


def test_widths_by_hand():
    """26 fields of 16 numbers and 13 numbers beside them are 429; in the zoo YouTube joins 177, DNN 164, and DIN 48, of which one
    part is a product."""
    assert side_by_side([16] * 26 + [1] * 13) == "26 × 16 + 13" and value("26 × 16 + 13") == 429
    assert side_by_side([400]) == "" and side_by_side([8, 1, 1_200, 8]) == "2 × 8 + 1,200 + 1"
    told = {arch: shaped(next(row for row in parts(document.blueprint, document.schema()) if row["path"] == "concatenation"))
            for arch in ("youtube", "dnn", "din") for document in (Document.preset(arch),)}
    assert told == {"youtube": "8 × 16 + 49 = 177", "dnn": "10 × 16 + 4 = 164", "din": "3 × 16 = 48"}
    titles = {each["path"]: shaped(each) for document in (Document.preset("microsoft"),)
              for each in parts(document.blueprint, document.schema())}
    assert (titles["representation.positions"], titles["representation.block.1.attention.maps"]) == (
        "15 × 32 per item", "4 × 15 × 15 per item") and titles["representation.pooled"] == "32 per item"
    table = modules(*(lambda document: (document.blueprint, document.schema()))(Document.preset("din")))
    assert "3 × 16 = 48" in set(table["output_shape"])


def test_flops_by_hand():
    """Two for each product, as often as the part is used."""
    assert Part("a", 429, 832, (16,), "26 × 16 + 13").flops_working == "2 × 26 × 16"
    deep = Part("a", 50, 2 * 20 * (8 * 4 + 4 * 2), (20, 2), "8 × 4 + 4 + 4 × 2 + 2")
    assert deep.flops_working == "2 × (8 × 4 + 4 × 2) × 20" and deep.for_items(1_500).flops_working.endswith(") × 20 × 1,500")
    assert sum_part("a", 6, 1_024).flops_working == "2 × 6 × 1,024" and Part("a", 7, 0, (), "7").flops_working == ""
