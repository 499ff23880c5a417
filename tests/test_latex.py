"""Formulas in a column: no line is wider than it, nothing is lost, and every line is LaTeX by itself."""
from __future__ import annotations

import pytest

from rankzoo.blueprint import SLOTS, kinds
from rankzoo.document import Document
from rankzoo.figures.latex import SMALLER, breadth, column, lines
from rankzoo.inspection.part import anatomy, formula_of
from rankzoo.registry import systems
from rankzoo.ui.caption import COLUMN, owner
from tests.test_written import TASKS
from tests.variants import changed_once

MOST = COLUMN / SMALLER


def formulas(id: str) -> set[str]:
    """What the captions of a preset's parts and components say."""
    document = Document.preset(id)
    blueprint, schema = document.blueprint, document.schema()
    blocks, count = blueprint.blocks(schema), blueprint.count(schema)
    tasks = [schema.task(name) for name in blueprint.tasks]
    found = {formula_of(spec, tasks) for _, spec in blueprint.specs()}
    for block in blocks:
        address, spec = owner(block.address, blueprint)
        inner = spec and anatomy(block, blocks, spec, count, schema.tasks)
        found |= {inner.formula} if inner else set()
    return found - {""}


@pytest.mark.parametrize("id", list(systems()))
def test_every_formula_of_a_preset_has_room_in_its_column(id):
    for formula in formulas(id):
        assert_room(formula)


def assert_room(formula: str) -> None:
    """In lines of its column, of which each is LaTeX by itself."""
    found, laid = lines(formula, MOST), column(formula, COLUMN)
    assert "".join("".join(found).split()) == "".join(formula.split())
    for place, line in enumerate(found):
        assert breadth(line) + (place > 0) <= MOST * 1.08, (line, breadth(line))
        assert line.count("{") - line.count(r"\{") == line.count("}") - line.count(r"\}")
    assert laid.count(r"\\") == max(0, len(found) - 1) * ("aligned" in laid)


@pytest.mark.parametrize("slot", SLOTS)
def test_so_has_every_formula_of_a_component_whatever_a_setting_is(slot):
    """In five lines at most."""
    found = {said for kind in kinds(slot).values() for spec in changed_once(kind)
             for said in (spec.equation(), *(spec.written(task) for task in TASKS))}
    for formula in found:
        assert_room(formula)
        assert len(lines(formula, MOST)) <= 5, formula


def test_breadth_by_hand():
    """At a factor of 1.08: x .53, = 1.33, W .75; a script is .7 of its own; of a fraction the wider half counts; words are
    letters of .53."""
    assert breadth("x=W") == pytest.approx(1.08 * (0.53 + 1.33 + 0.75))
    assert breadth("x_{1}^2") == pytest.approx(1.08 * (0.53 + 0.7 * 0.53 * 2))
    assert breadth(r"\frac{x}{xx}") == pytest.approx(1.08 * (2 * 0.53 + 0.24))
    assert breadth(r"\mathrm{relu}") == pytest.approx(1.08 * 4 * 0.53)


def test_a_line_ends_after_a_clause_rather_than_before_an_operation_and_outside_brackets_rather_than_inside():
    long = r"h=\mathrm{relu}(Wx+b),\quad s=w^\top h+b"
    assert lines(long, 13) == [r"h=\mathrm{relu}(Wx+b),\quad", r"s=w^\top h+b"]
    assert lines("x=(a+b+c)+d", 9) == ["x=(a+b+c)", "+d"]
    assert lines(r"\mathrm{nothing to break}", 3) == [r"\mathrm{nothing to break}"]
    assert column("x=W", 15) == r"\small x=W" and r"&\quad s=w" in column(long, 10)
