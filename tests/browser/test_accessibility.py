"""Every page in both themes and two sizes: nothing from outside, nothing cut off, named figures, a keyboard is enough."""
from __future__ import annotations

import pytest

from tests.browser.driving import COLOURS, FOCUS, GROUND, Visitor, dark, expert, grave

SIZES = [{"width": 1440, "height": 900}, {"width": 1280, "height": 720}]
PAGES = ("zoo", "architect", "train", "inside", "claims", "learn", "interview", "data")
WIDER = """() => { const main = document.querySelector("[data-testid=stMain]");
    return main.scrollWidth - main.clientWidth; }"""
SMALL = """() => [...document.querySelectorAll("*")].filter((host) => host.shadowRoot).flatMap((host) =>
    [...host.shadowRoot.querySelectorAll("svg.rz-scene:not(.thumbnail) text")].filter((each) => each.textContent.trim()
        && parseFloat(getComputedStyle(each).fontSize) < 12).map((each) => each.textContent))"""
UNNAMED = """() => [...document.querySelectorAll("*")].filter((host) => host.shadowRoot).flatMap((host) =>
    [...host.shadowRoot.querySelectorAll("svg.rz-scene, [role=button]")]).filter((each) => !each.getAttribute("aria-label"))
    .map((each) => each.outerHTML.slice(0, 80))"""
PALE = """() => { const ink = (each) => getComputedStyle(each).color.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => { const f = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
    const ground = light(ink0(document.querySelector("[data-testid=stApp]")));
    function ink0(each) { return getComputedStyle(each).backgroundColor.match(/[\\d.]+/g).map(Number); }
    return [...document.querySelectorAll("[data-testid=stMain] [data-testid=stMarkdownContainer] p")]
        .filter((each) => each.innerText.trim() && !each.closest("button, [data-testid=stAlert], [data-testid=stBadge]"))
        .map((each) => { const one = light(ink(each)), [high, low] = one > ground ? [one, ground] : [ground, one];
            return [(high + 0.05) / (low + 0.05), each.innerText.slice(0, 40)]; })
        .filter(([contrast]) => contrast < 4.5); }"""


def stands(me: Visitor, page: str) -> bool:
    """Nothing beyond the window's edge, no type too small, no drawing without a name, no pale words."""
    assert me.said() == [] and "Traceback" not in me.text(), page
    assert me.page.evaluate(WIDER) <= 0, page
    found = [me.page.evaluate(script) for script in (SMALL, UNNAMED, PALE)]
    assert found == [[], [], []], (page, found)
    return True


def test_every_page_stands_whole(app, visitor, axe) -> None:
    """In both themes and two sizes, drawn from one into the other; axe finds nothing serious and nothing critical."""
    me = visitor(app)
    for page in PAGES:
        me.page.set_viewport_size(SIZES[0])
        me.open(page)
        assert stands(me, page) and grave(me, axe) == [], page
        me.page.set_viewport_size(SIZES[1])
        assert stands(me.settle(), page)
        with dark(me):
            assert stands(me, page) and grave(me, axe, COLOURS) == [], page


@pytest.mark.slow
@pytest.mark.parametrize("mode, sizes", [("light", SIZES), ("dark", SIZES[::-1])], ids=["light", "dark"])
def test_every_page_stands_whole_as_it_is_opened(app, visitor, axe, mode, sizes) -> None:
    """In either theme, and in the other size first."""
    me = visitor(app, mode)
    for page in PAGES:
        me.page.set_viewport_size(sizes[0])
        me.open(page).page.wait_for_function(GROUND, arg=mode == "dark")
        for size in sizes:
            me.page.set_viewport_size(size)
            assert stands(me.settle(), page)
        assert grave(me, axe) == [], page


def test_the_keyboard_alone_reaches_and_changes_a_part(app, visitor) -> None:
    me = visitor(app).open("architect")
    me.node("representation.query_id").focus()
    for _ in range(12):
        me.page.keyboard.press("ArrowRight")
        if me.page.evaluate(FOCUS).startswith("sharing.expert."):
            break
    assert me.page.evaluate(FOCUS).startswith("sharing.expert.")
    me.page.keyboard.press("Enter")
    me.settle().key("rz_caption").get_by_text(expert(), exact=True).wait_for()
    assert me.page.evaluate(FOCUS).startswith("sharing.expert.")  # the redraw did not lose the focus


def test_tab_reaches_menu_settings_and_diagram(app, visitor) -> None:
    me = visitor(app).open("architect")
    seen = []
    for _ in range(60):
        me.page.keyboard.press("Tab")
        seen.append(me.page.evaluate(FOCUS))
    assert any("Train" in each for each in seen) and any(each.startswith("representation.") for each in seen), seen


def tab_to(me, key: str):
    """Tab until the focus is in what has the key."""
    inside = me.key(key).first
    for _ in range(150):
        me.page.keyboard.press("Tab")
        if inside.evaluate("each => each.contains(document.activeElement)"):
            return me
    raise AssertionError(f"Tab does not reach {key}")


def test_exchange_put_back_compare_and_undo_without_a_mouse(app, visitor) -> None:
    """From a selected expert Tab leads to the menu of kinds, to what differs and its way back, to the menu of models beside."""
    me = visitor(app).open("architect")
    shared = lambda: me.page.locator('[data-id^="sharing.expert."]').count()  # noqa: E731
    me.node("sharing.expert.1").focus()
    me.page.keyboard.press("Enter")
    tab_to(me.settle(), "form:sharing.kind").page.keyboard.type("PLE")
    me.page.keyboard.press("Enter")
    assert me.settle().node("sharing.level.0.gate.click").count() == 1 and shared() == 0
    tab_to(me, "rz_changed").page.keyboard.press("Enter")
    tab_to(me, "back:all").page.keyboard.press("Enter")
    assert me.settle().key("rz_changed").count() == 0 and shared() == 4
    for keys, left in (("Alt+z", 0), ("Alt+Shift+z", 4)):
        me.page.keyboard.press(keys)
        assert me.settle() and shared() == left, keys
    tab_to(me, "rz_with_menu").page.keyboard.type("Snapchat")
    me.page.keyboard.press("Enter")
    me.settle().key("rz_two").locator("svg").first.wait_for()
