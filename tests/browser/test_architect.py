"""The Architect in a real Chromium: an edit in the caption concerns the whole page, and a refused one leaves it as it was."""
from __future__ import annotations

import pytest
from PIL import Image

from rankzoo import link
from rankzoo.document import Document
from tests.browser.driving import FOCUS, dark

LABEL = """() => { let node = document.activeElement;
    while (node && node.shadowRoot) node = node.shadowRoot.activeElement;
    return node.getAttribute("aria-label") || ""; }"""


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


def steps(me) -> list[str]:
    """The − and + that are drawn."""
    return me.page.locator("[data-step]").evaluate_all("all => all.map((each) => each.dataset.step)")


def test_plus_and_minus_stand_on_the_selected_part_and_act_once(app, visitor) -> None:
    me = visitor(app).open("architect")
    assert steps(me) == []
    me.node("sharing.expert.0").click()
    me.settle()
    assert steps(me) == [f"sharing.{key}.{way}" for key in ("experts", "widths.length", "widths.0", "widths.1")
                         for way in ("less", "more")]
    for experts in (5, 6):
        me.page.locator('[data-step="sharing.experts.more"]').click()
        me.settle()
        assert me.page.locator('[data-id^="sharing.expert."]').count() == experts
    me.page.locator('[data-step="sharing.widths.0.less"]').click()
    me.settle()
    assert me.key("side:sharing.widths").locator("input").input_value() == "8, 8"
    me.page.keyboard.press("Escape")
    me.settle()
    assert me.node("sharing.expert.0").get_attribute("aria-pressed") == "false" and steps(me) == []


@pytest.mark.parametrize(("arch", "part", "setting", "presses"), [
    ("youtube", "sharing.expert.1", "experts", 5), ("snapchat", "sharing.level.1.own.swipe.0", "levels", 2)])
def test_presses_at_one_spot_are_one_setting(app, visitor, arch, part, setting, presses) -> None:
    """Where the first + was, and nothing else: eight experts make the drawing higher, levels make it wider than the page of a
    small window."""
    preset = Document.preset(arch)
    me = visitor(app, size=(1280, 720)).open("architect", c=link.encode(preset))
    extent = lambda: me.page.locator(".st-key-architect_diagram .rz-frame svg").get_attribute("viewBox")  # noqa: E731
    extents = {extent()}
    me.node(part).click()
    box = me.settle().page.locator(f'[data-step="sharing.{setting}.more"]').bounding_box()
    for _ in range(presses):
        me.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        me.settle()
        extents.add(extent())
    after = link.decode(me.query()["c"])
    assert after.changed() == (f"sharing.{setting}",) and len(extents) > 1
    assert getattr(after.blueprint.sharing, setting) == getattr(preset.blueprint.sharing, setting) + presses


def test_presses_faster_than_answers_count_once_each(app, visitor) -> None:
    """With each press a browser tells fields and an address that may be several answers old: neither is a wish. Its own way back
    is one."""
    me = visitor(app).open("architect")
    me.node("sharing.expert.1").click()
    me.settle()
    for i in range(16):
        me.page.locator(f'[data-step="sharing.widths.1.{"less" if i % 2 else "more"}"]').click()
        me.page.wait_for_timeout(80)
    for _ in range(3):
        me.page.locator('[data-step="sharing.experts.more"]').click()
    me.settle()
    experts, widths = me.key("side:sharing.experts").locator("input"), me.key("side:sharing.widths").locator("input")
    me.key("side:sharing.experts").locator("input[value='7']").wait_for()
    me.settle()
    assert (experts.input_value(), widths.input_value()) == ("7", "16, 8")
    assert link.decode(me.query()["c"]).changed() == ("sharing.experts",)
    me.page.go_back()
    me.settle()
    assert experts.input_value() != "7" or widths.input_value() != "16, 8"


def test_the_whole_edit_by_keys_alone(app, visitor) -> None:
    """Enter selects, + adds an expert, Tab reaches the −, Alt+Z takes one back and Alt+Shift+Z brings it again."""
    me = visitor(app).open("architect")
    count = lambda: me.page.locator('[data-id^="sharing.expert."]').count()  # noqa: E731
    me.node("sharing.expert.3").focus()
    me.page.keyboard.press("Enter")
    me.settle().page.keyboard.press("+")
    me.settle()
    assert count() == 5 and me.page.evaluate(FOCUS) == "sharing.expert.3"
    me.page.keyboard.press("-")
    me.settle().page.keyboard.press("-")
    me.settle()
    assert count() == 3 and me.page.evaluate(FOCUS) == "sharing.expert.2", "the part went, the one before it is in hand"
    me.page.locator('[data-step="sharing.experts.more"]').focus()
    me.page.keyboard.press("Enter")
    me.settle()
    assert count() == 4
    for keys, left in (("Alt+z", 3), ("Alt+z", 4), ("Alt+Shift+z", 3)):
        me.page.keyboard.press(keys)
        me.settle()
        assert count() == left, keys


def test_minus_goes_on_when_the_part_in_hand_is_gone(app, visitor) -> None:
    """Expert 4 by keys, − three times; the ended sign keeps the focus, + and Escape go on from it, and × leaves a dashed row."""
    me = visitor(app).open("architect")
    count = lambda: me.page.locator('[data-id^="sharing.expert."]').count()  # noqa: E731
    me.node("sharing.expert.3").focus()
    me.page.keyboard.press("Enter")
    me.settle()
    for left in (3, 2):
        me.page.keyboard.press("-")
        assert me.settle() and count() == left and me.page.evaluate(FOCUS) == f"sharing.expert.{left - 1}"
    me.page.locator('[data-step="sharing.experts.less"]').focus()
    me.page.keyboard.press("Enter")
    assert me.settle() and count() == 1 and "less than" in me.page.evaluate(LABEL)
    assert me.page.locator('[data-key="step.sharing.experts.less"][aria-disabled=true]').count() == 1
    for more in (2, 3):
        me.page.locator('[data-step="sharing.experts.more"]').click()
        assert me.settle() and count() == more
    assert me.node("sharing.expert.0").get_attribute("aria-pressed") == "true", "the browser's own selection went along"
    me.page.keyboard.press("Escape")
    assert me.settle() and steps(me) == [] and me.page.evaluate(FOCUS) == "sharing.expert.0"
    me.node("representation.device").click()
    me.settle().page.locator('[data-step="without.device.less"]').focus()
    me.page.keyboard.press("Enter")
    assert me.settle() and me.node("representation.device").get_attribute("aria-pressed") == "true"
    me.page.locator('[data-step="without.device.more"]').click()
    assert me.settle() and me.page.locator('[data-step="without.device.less"]').count() == 1, "read again, and in hand"


def test_the_part_of_an_address_can_be_pressed_at_once(app, visitor) -> None:
    me = visitor(app).open("architect", sel="sharing.expert.1")
    me.page.locator('[data-step="sharing.experts.more"]').click()
    assert me.settle() and me.page.locator('[data-id^="sharing.expert."]').count() == 5
    assert me.node("sharing.expert.1").get_attribute("aria-pressed") == "true"


def test_what_is_typed_is_taken_back_and_the_model_stays(app, visitor) -> None:
    """Ctrl+Z belongs to the text field that one types in."""
    me = visitor(app).open("architect")
    me.fill("side:sharing.experts", 5)
    field = me.settle().key("side:sharing.widths").locator("input")
    field.click()
    me.page.keyboard.type("9")
    me.page.keyboard.press("Control+z")
    me.settle()
    assert me.page.locator('[data-id^="sharing.expert."]').count() == 5 and field.input_value() == "16, 8"


def test_several_steps_back(app, visitor) -> None:
    """Edits one after the other and all of them back; that fifty are kept is in tests/test_state.py."""
    me = visitor(app).open("architect")
    me.node("losses.click").click()
    me.settle()
    weight = lambda value: me.node("losses.click").get_by_text(f"weight {value:g}", exact=True)  # noqa: E731
    for i in range(1, 5):
        me.page.locator('[data-step="losses.weights.click.more"]').click()
        weight(1 + i / 2).wait_for()
        me.settle()
    for i in range(3, -1, -1):
        me.key("undo").locator("button").click()
        weight(1 + i / 2).wait_for()
        me.settle()
    assert me.key("rz_changed").count() == 0 and me.key("undo").locator("button").is_disabled()


def test_the_diagram_is_taken_away_as_a_png(app, visitor) -> None:
    """Twice as many pixels as the drawing has units, in the colours of the page."""
    me = visitor(app).open("architect")
    view = me.page.locator(".st-key-architect_diagram .rz-frame svg").get_attribute("viewBox").split()
    grounds = [taken(me, view)]
    with dark(me):
        grounds.append(taken(me, view))
    assert grounds[0] > 200 and grounds[1] < 60


def taken(me, view: list[str]) -> float:
    """How bright the corner of the picture is that Export gives."""
    me.key("rz_head").get_by_role("button", name="Export").click()
    me.settle()
    with me.page.expect_download() as caught:
        me.page.get_by_role("button", name="Diagram (PNG)").click()
    assert caught.value.suggested_filename == "youtube.png"
    picture = Image.open(caught.value.path()).convert("L")
    assert list(picture.size) == [2 * round(64 + float(size)) for size in view[2:]]
    assert len(picture.getcolors()) > 50, "drawn, not blank"
    me.page.keyboard.press("Escape")
    me.settle()
    return picture.getpixel((0, 0))
