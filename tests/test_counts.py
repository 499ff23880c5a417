"""The arithmetic that is told of a count is its arithmetic: every working, of every system and of any blueprint, adds up."""
from __future__ import annotations

import ast

import pytest
from hypothesis import HealthCheck, assume, given, settings

from rankzoo.blueprint import Blueprint
from rankzoo.document import Document
from rankzoo.inspection.counts import components, flops_working, memory, parts
from rankzoo.registry import systems
from rankzoo.schema import Schema
from rankzoo.shape import Part
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
        told = flops_working(part)
        assert not told or value(told) == part.flops, (part.path, told, part.flops)


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


def test_flops_by_hand():
    """Two for each product, as often as the part is used."""
    assert flops_working(Part("a", 429, 832, (16,), "26 × 16 + 13")) == "2 × 26 × 16"
    assert flops_working(Part("a", 0, 2 * 20 * (8 * 4 + 4 * 2), (20, 2), "8 × 4 + 4 + 4 × 2 + 2")) == "2 × (8 × 4 + 4 × 2) × 20"
    assert flops_working(Part("a", 0, 7, (), "")) == ""
