"""The press that mends says what comes of it: the label holds the value that stands there when it was pressed."""
from __future__ import annotations

import pytest

from rankzoo.document import Document
from tests.test_page_architect import document, opened
from tests.test_page_bad_links import j
from tests.visits import said, visit, without_workers


@pytest.fixture(autouse=True)
def service(monkeypatch, home):
    without_workers(monkeypatch)


@pytest.mark.parametrize(("typed", "widths"), [("99999, 8", (65_536, 8)), ("1.5, 8", (8, 8)), ("24, -3", (24, 8))])
def test_the_press_that_mends_a_list_names_the_whole_list(typed: str, widths: tuple[int, ...]):
    """And no layer becomes one to which the page then objects, being hardly any."""
    app = opened()
    app.text_input("side:sharing.widths").set_value(typed).run()
    label = app.button("rz_mend").label.replace("\\", "")
    assert label == f"Set Sharing · Expert widths to {', '.join(map(str, widths))}"
    if max(widths) < 1_000:
        app.button("rz_mend").click().run()
        assert said(app) == [] and document(app).blueprint.sharing.widths == widths


@pytest.mark.parametrize("beside", [{}, {"towers": {"kind": "mlp", "widths": [24]}}])
def test_a_number_in_a_link_that_was_written_as_text_leaves_its_other_edits_alone(beside: dict):
    """«"4"» means 4, and whatever else the link changes comes with it."""
    written = {"v": 1, "arch": "youtube", "blueprint": {"sharing": {"kind": "mmoe", "experts": "4"}, **beside}}
    app = visit("architect", c=j(written))
    label = app.button("rz_mend").label.replace("\\", "")
    assert len(said(app)) == 1 and label == ("Set Sharing · Experts to 4" if beside else "Leave it as it was")
    app.button("rz_mend").click().run()
    wanted = Document.preset("youtube").but([(f"blueprint.{slot}", value) for slot, value in beside.items()])
    assert said(app) == [] and document(app) == wanted
