"""Presses faster than answers: what a browser tells beside them, fields and address, may be several answers old."""
from __future__ import annotations

import pytest

from tests.test_page_architect import DIAGRAM, document, opened
from tests.test_page_edits import pressed
from tests.visits import pick, said, without_workers


@pytest.fixture(autouse=True)
def idle(monkeypatch, home):
    without_workers(monkeypatch)


def test_a_press_that_tells_a_fields_old_value_changes_what_was_pressed_alone():
    """A browser sends all fields with each press, some as they were before the last answer. Typed alone the same value counts."""
    app = pressed(pick(opened("mmoe"), DIAGRAM, "sharing.expert.1"), "sharing.experts.more", "sharing.experts.more")
    assert document(app).blueprint.sharing.experts == 6
    pressed(app, "sharing.experts.more")
    app.number_input("side:sharing.experts").set_value(6)
    pressed(app, "losses.weights.click.more", "sharing.widths.0.more")
    assert document(app).blueprint.sharing.experts == 7 == app.number_input("side:sharing.experts").value
    app.number_input("side:sharing.experts").set_value(6)
    app.button("undo").click().run()
    assert document(app).blueprint.sharing.experts == 7 and document(app).blueprint.sharing.widths == (32, 16)
    app.number_input("side:sharing.experts").set_value(9).run()
    app.number_input("side:sharing.experts").set_value(6).run()
    assert document(app).blueprint.sharing.experts == 6


@pytest.mark.parametrize("behind", [1, 2, 5])
def test_a_field_may_be_several_answers_behind(behind):
    """Who presses faster than answers come tells what a field had that many presses ago."""
    app = pick(opened("mmoe"), DIAGRAM, "sharing.expert.1")
    for way in ("more", "more", "less", "more", "more"):
        app = pressed(app, f"sharing.experts.{way}")
    had = [4, 5, 6, 5, 6, 7]
    app.number_input("side:sharing.experts").set_value(had[-1 - behind])
    app = pressed(app, "sharing.experts.less")
    assert document(app).blueprint.sharing.experts == 6
    app.number_input("side:sharing.experts").set_value(had[-1 - behind]).run()
    assert document(app).blueprint.sharing.experts == had[-1 - behind], "alone it was typed"


def test_an_address_may_be_several_answers_behind():
    """With a press a browser tells the address that it has: an old one asks for nothing until it has told the last."""
    app, told = pick(opened("mmoe"), DIAGRAM, "sharing.expert.1"), []
    for behind in (0, 1, 2, 2, 3):
        told.append(app.query_params["c"])
        app.query_params["c"] = told[-1 - behind]
        app = pressed(app, "sharing.experts.more")
    assert document(app).blueprint.sharing.experts == 9 and len(app.session_state["rz_past"]) == 5
    app.run()
    app.query_params["c"] = told[0]
    assert document(app.run()).blueprint.sharing.experts == 4, "told after the last one it is asked for"


def test_a_field_that_tells_its_old_value_beside_what_is_typed_keeps_neither_it_nor_the_refusal():
    app = pressed(pick(opened("youtube"), DIAGRAM, "sharing.expert.1"), "sharing.experts.more")
    app.number_input("side:sharing.experts").set_value(4)
    app.number_input("side:representation.dim").set_value(24).run()
    assert document(app).blueprint.sharing.experts == 5 and document(app).blueprint.representation.dim == 24
    app.number_input("side:sharing.experts").set_value(4)
    app.number_input("side:representation.dim").set_value(70_000_000).run()
    assert document(app).blueprint.sharing.experts == 5 and "65,536" in said(app)[0]
