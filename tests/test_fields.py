"""Fields for numbers: a fraction or a number out of range is met with the server's sentence, never with the browser's own."""
from __future__ import annotations

import ast
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import rankzoo
from tests.trees import tree_of
from tests.visits import said

ROOM = Path(rankzoo.__file__).parent
FILES = [*ROOM.rglob("ui/**/*.py"), *(ROOM.parent / "pages").glob("*.py"), ROOM.parent / "app.py"]
WHOLE, ANY = "a whole number of at least 1 and at most 9", "a number of at least 0 and at most 100"


def bounded(tree: ast.AST) -> list[int]:
    """The lines on which a field for a number is given bounds: by name, or behind its title."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "number_input"]
    return [call.lineno for call in calls
            if len(call.args) > 1 or {keyword.arg for keyword in call.keywords} & {"min_value", "max_value", None}]


def test_no_field_leaves_its_bounds_to_the_browser():
    trees = {path: tree_of(path) for path in FILES}
    assert any("number_input" in path.read_text(encoding="utf-8") for path in FILES)
    assert {path.name: lines for path, tree in trees.items() if (lines := bounded(tree))} == {}


@pytest.mark.parametrize(("call", "found"), [("(a, 1)", [1]), ("(a, max_value=2)", [1]), ("(a, **b)", [1]),
                                             ("(a, step=1.0)", [])])
def test_a_bounded_field_is_found(call, found):
    assert bounded(ast.parse(f"st.number_input{call}")) == found


def fields_page() -> None:
    """A field of each sort, and what is done with it."""
    import streamlit as st

    from rankzoo.ui import fields

    got = [fields.asked("Seed, 1 to 9", "seed", 1, 9, 4, called="Seed"), fields.asked("Row", "row", 1, 9, 4, linked=True),
           fields.asked("Rows", "rows", 1, 9, None, empty="all"), fields.asked("Worth", "worth", 0, 100, 1.5, whole=False)]
    st.caption(repr(got))


@pytest.mark.parametrize(("key", "name", "typed", "allowed", "near"), [
    ("seed", "Seed", 3.7, WHOLE, 4), ("seed", "Seed", 10, WHOLE, 9), ("row", "Row", 3.7, WHOLE, 4), ("row", "Row", 0, WHOLE, 1),
    ("rows", "Rows", 3.7, WHOLE, 4), ("rows", "Rows", -2, WHOLE, 1), ("worth", "Worth", 100.5, ANY, 100)])
def test_what_cannot_be_is_a_sentence_the_last_stays_and_the_nearest_is_a_press_away(key, name, typed, allowed, near):
    app = AppTest.from_function(fields_page, default_timeout=30).run()
    place = ("seed", "row", "rows", "worth").index(key)

    def got() -> list[float | None]:
        return ast.literal_eval(app.caption[0].value)

    assert not app.exception and said(app) == [] and got() == [4, 4, None, 1.5]
    app.number_input(key=key).set_value(2.0).run()
    assert said(app) == [] and got()[place] == 2
    app.number_input(key=key).set_value(typed).run()
    assert said(app) == [f"{name}: {allowed}. Found {typed:,}."] and got()[place] == 2
    press = app.button(f"{key}:near")
    assert press.label == f"Set {name} to {near:,}"
    press.click().run()
    assert not app.exception and said(app) == [] and got()[place] == near == app.number_input(key=key).value
    assert key != "row" or app.query_params["row"] == str(near), "without a point behind it"


def test_an_address_out_of_range_is_said_and_a_field_may_be_left_empty():
    app = AppTest.from_function(fields_page, default_timeout=30)
    app.query_params["row"] = "12"
    app.run()
    assert said(app) == [f"Row: {WHOLE}. Found 12."] and ast.literal_eval(app.caption[0].value)[1] == 4
    app.number_input(key="rows").set_value(5.0).run()
    app.number_input(key="rows").set_value(None).run()
    assert ast.literal_eval(app.caption[0].value)[2] is None and len(said(app)) == 1


def test_worth_takes_fractions():
    app = AppTest.from_function(fields_page, default_timeout=30).run()
    app.number_input(key="worth").set_value(3.7).run()
    assert said(app) == [] and ast.literal_eval(app.caption[0].value)[3] == 3.7
