"""axe on the states of the architect, in both themes: nothing serious and nothing critical. Every page as it opens: see
test_accessibility."""
from __future__ import annotations

from tests.browser.driving import grave, grave_in_both


def test_nothing_grave_on_the_architect_of_a_phone(app, visitor, axe) -> None:
    """The row of − and + and the readout scroll there, and hold nothing to which Tab leads while no part is selected."""
    me = visitor(app, size=(390, 844)).open("architect")
    rows = me.page.locator(".st-key-architect_diagram .rz-steps, .st-key-readout .rz-frame")
    assert [rows.nth(i).get_attribute("tabindex") for i in range(2)] == ["0", "0"] and grave(me, axe) == []
    me.node("sharing.expert.0").click()
    assert me.settle() and rows.first.get_attribute("tabindex") is None, "its signs are there for that"


def test_nothing_grave_on_a_tour_of_a_class(app, visitor, axe) -> None:
    me = visitor(app).open("architect", **{"class": "1", "tour": "3", "sel": "sharing.expert.0"})
    assert me.key("rz_tour").is_visible() and grave_in_both(me, axe) == []


def test_nothing_grave_in_any_state_of_the_architect(app, visitor, axe) -> None:
    """A part in hand with its − and +, everything opened, what differs, two models, the source's words, a refused edit, and the
    picture of a model that cannot stand."""
    me = visitor(app).open("architect", **{"with": "mmoe"})
    me.node("sharing.expert.1").click()
    me.settle().fill("side:sharing.experts", 6)
    me.page.get_by_text("What the source says").click()
    me.settle()
    for name in ("rz_counted", "rz_costs", "twin:modules"):
        me.key(name).locator("summary").click()
        me.settle()
    assert grave_in_both(me, axe) == []
    me.key("rz_head").get_by_role("button", name="Export").click()
    me.settle()
    assert me.key("take:svg").is_visible() and grave_in_both(me, axe) == []
    me.page.keyboard.press("Escape")
    me.settle().key("rz_changed").get_by_role("button").first.click()
    me.settle()
    assert grave_in_both(me, axe) == []
    me.page.keyboard.press("Escape")
    me.settle().fill("side:sharing.experts", 9_000)
    assert me.said() and grave_in_both(me, axe) == []
    me.node("towers.click").click()
    me.settle().choose("form:towers.kind", "Dot product")
    me.key("rz_broken").locator("summary").click()
    assert me.settle().page.locator(".st-key-broken svg").is_visible() and grave_in_both(me, axe) == []
