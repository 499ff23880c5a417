"""The Architect in a real Chromium: an edit in the caption concerns the whole page, and a refused one leaves it as it was."""
from __future__ import annotations


def test_an_edit_beside_the_diagram_reaches_sidebar_head_and_diagram(app, visitor) -> None:
    me = visitor(app).open("architect")
    me.node("sharing.expert.0").click()
    me.settle().fill("form:sharing.experts", 6)
    assert me.key("side:sharing.experts").locator("input").input_value() == "6"
    assert me.page.locator('[data-id^="sharing.expert."]').count() == 6
    me.key("rz_head").get_by_text("1 changed").wait_for()
    assert me.node("sharing.expert.0").get_attribute("aria-pressed") == "true"


def test_a_refused_edit_gets_a_sentence_and_leaves_the_diagram(app, visitor) -> None:
    me = visitor(app).open("architect")
    me.node("sharing.expert.0").click()
    me.settle().fill("form:sharing.experts", 9_000)
    assert len(me.said()) == 1 and "sharing.experts" in me.said()[0] and "9000" in me.said()[0].replace(",", "")
    assert me.page.locator('[data-id^="sharing.expert."]').count() == 4
    assert me.key("form:sharing.experts").locator("input").input_value() == "4"
