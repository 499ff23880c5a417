"""What fits: the model line in every window, a class's figure on a projector, the ladder in one strip; and the three routes."""
from __future__ import annotations

import pytest

from rankzoo import link
from rankzoo.document import Document
from rankzoo.export import picture
from rankzoo.registry import systems
from tests.browser.driving import FOCUS, expert

PROJECTOR, PHONE, TABLET = (1280, 720), (390, 844), (820, 1180)
TALL = [("snapchat", 12.0), ("alibaba", 12.0), ("ple", 12.9)]
FITTING = [("youtube", 13.3), ("din", 13.3), *TALL]
"""Diagrams that stand above their readout, the tallest of all among them, with the least type in a projector's window."""
CUT = """() => { const line = document.querySelector(".st-key-rz_model p");
    const whole = [line, ...line.children].filter((each) => !each.matches("strong + span"));
    return [Math.max(...whole.map((each) => each.scrollWidth - each.clientWidth)), line.getBoundingClientRect().height,
            document.querySelector(".st-key-rz_head").getBoundingClientRect().height]; }"""
OVERLAPS = """() => { const head = document.querySelector(".st-key-rz_head"), boxes = [], found = [];
    const walk = head ? document.createTreeWalker(head, NodeFilter.SHOW_TEXT) : { nextNode: () => null };
    for (let node; (node = walk.nextNode());) {
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const { left, right, top, bottom } of range.getClientRects())
            if (node.textContent.trim() && right > left) boxes.push({ left, right, top, bottom, said: node.textContent });
    }
    boxes.forEach((a, i) => boxes.slice(0, i).forEach((b) => {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        if (wide > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2)
            found.push(`${a.said} | ${b.said}`); }));
    found.push(...boxes.filter((each) => each.right > innerWidth).map((each) => each.said));
    const main = document.querySelector(".stMain");
    return [found, main.scrollWidth - main.clientWidth, boxes.length]; }"""


def opened(me, arch: str, **query: str):
    """The Architect with a preset in hand."""
    return me.open("architect", c=link.encode(Document.preset(arch)), **query)


def bottom(me, key: str) -> float:
    """Where a drawing ends, in pixels from the window's upper edge."""
    box = me.page.locator(f".st-key-{key} .rz-frame svg").bounding_box()
    return box["y"] + box["height"]


def test_the_model_line_is_one_line_in_a_small_window(app, visitor) -> None:
    """For the longest names, sources and costs; only the grey words may be cut."""
    me = visitor(app, size=PROJECTOR)
    for arch in ("linkedin", "kuaishou", "snapchat", "dlrm", "shared_bottom"):
        over, line, head = me.page.evaluate(CUT) if opened(me, arch) else (1, 0, 0)
        assert over <= 0 and line < 36 and head < 50, arch
        for name in ("Share", "Export"):
            box = me.key("rz_head").get_by_role("button", name=name).bounding_box()
            assert box["x"] + box["width"] <= PROJECTOR[0]
        assert "assumed" in me.key("rz_head").inner_text()
    me.fill("side:towers.widths", "16, 8")
    assert "1 changed" in me.key("rz_head").inner_text() and me.page.evaluate(CUT)[0] <= 0


@pytest.mark.parametrize("pages", [("", "architect", "train"), pytest.param(
    ("inside", "claims", "learn", "interview", "data"), marks=pytest.mark.slow)], ids=["three", "others"])
def test_nothing_in_the_head_stands_on_anything_else_in_a_narrow_window(app, visitor, pages) -> None:
    """What has no room beside the model line stands below it, and no page scrolls sideways."""
    me, written = visitor(app, size=PHONE), 0
    for page in pages:
        me.page.set_viewport_size(dict(zip(("width", "height"), PHONE, strict=True)))
        me.open(page)
        me.page.locator("[data-testid=stAppViewContainer] p").first.wait_for()
        for size in (PHONE, TABLET):
            me.page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
            over, beyond, texts = me.settle().page.evaluate(OVERLAPS)
            written += texts
            assert (over, beyond) == ([], 0), (page, size)
    assert written > 5 * len(pages)


def type_size(me) -> float:
    """Pixels of the diagram's type of 12 units, as they are on the screen."""
    return 12 * me.page.locator(".st-key-architect_diagram .rz-frame svg").evaluate("svg => svg.getScreenCTM().a")


def sides(me, key: str, part: str = "frame") -> tuple[int, int]:
    """Where what is drawn begins and ends."""
    box = me.page.locator(f".st-key-{key} .rz-{part} svg").bounding_box()
    return round(box["x"]), round(box["x"] + box["width"])


@pytest.mark.parametrize("mode", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_a_class_sees_line_diagram_and_readout_without_scrolling(app, visitor, mode) -> None:
    """The lowest and the tallest diagrams, with the row of signs; type of 18 pixels and no sidebar."""
    me = visitor(app, mode, size=PROJECTOR)
    for arch, least in FITTING:
        opened(me, arch, **{"class": "1"})
        assert bottom(me, "readout") <= PROJECTOR[1] and me.key("rz_caption").count() == 0, arch
        assert type_size(me) >= least and sides(me, "architect_diagram") == sides(me, "readout"), arch
        assert sides(me, "architect_diagram", "steps") == sides(me, "architect_diagram"), arch
    assert me.page.evaluate("getComputedStyle(document.documentElement).fontSize") == "18px"
    assert not me.page.locator("[data-testid=stSidebar]").is_visible() or (
        me.page.locator("[data-testid=stSidebar]").bounding_box()["x"] < -100)


@pytest.mark.parametrize("size", [PROJECTOR, (1440, 900)])
def test_every_readout_is_in_a_class_s_window(app, visitor, size) -> None:
    """Of every system: the tallest diagrams have the least room, and are asked."""
    me, heights = visitor(app, size=size), {}
    for arch in systems():
        document = Document.preset(arch)
        heights[arch] = picture.layout_of(document.blueprint, document.schema()).height
    for arch in sorted(heights, key=heights.get)[-3:]:
        opened(me, arch, **{"class": "1"})
        assert bottom(me, "readout") <= size[1] and type_size(me) >= 12, arch


@pytest.mark.parametrize("arch, least", TALL)
def test_a_press_moves_no_tall_diagram_out_of_a_class_s_window(app, visitor, arch, least) -> None:
    """The row of signs has its place before; the line of what is selected stands where the readout stood."""
    me = opened(visitor(app, size=PROJECTOR), arch, **{"class": "1"})
    frame = me.page.locator(".st-key-architect_diagram .rz-frame svg")
    before = frame.bounding_box()
    me.node("losses.click" if arch != "snapchat" else "losses.swipe").click()
    me.settle()
    assert me.page.locator("[data-step]").count() and frame.bounding_box() == before
    line = me.key("rz_line").bounding_box()
    assert line["y"] + line["height"] <= PROJECTOR[1] and type_size(me) >= least


def test_a_press_shows_a_class_what_it_is_at_the_same_size(app, visitor) -> None:
    """Its name and count in a line, without scrolling, and the picture stays as large; on a tour too, whose strip is one line."""
    me = opened(visitor(app, size=PROJECTOR), "youtube", **{"class": "1"})
    before = type_size(me)
    me.node("sharing.expert.1").click()
    me.settle()
    line = me.key("rz_line").bounding_box()
    assert before >= 12.6 and type_size(me) == pytest.approx(before, abs=0.02)
    assert bottom(me, "architect_diagram") <= line["y"] and line["y"] + line["height"] <= PROJECTOR[1] and line["height"] < 36
    assert me.key("rz_line").inner_text().startswith("Expert 2") and f"{expert()} parameters" in me.key("rz_line").inner_text()
    opened(me, "youtube", **{"class": "1", "tour": "3", "sel": "sharing.gate.click"})
    strip, line = me.key("rz_tour").bounding_box(), me.key("rz_line").bounding_box()
    assert type_size(me) >= 12 and strip["height"] < 45 and line["y"] + line["height"] <= PROJECTOR[1]


def test_a_class_is_left_from_the_model_line(app, visitor) -> None:
    me = opened(visitor(app, size=PROJECTOR), "linkedin", **{"class": "1"})
    way_out = me.key("rz_class_out").get_by_role("button")
    assert way_out.is_visible() and way_out.bounding_box()["x"] + way_out.bounding_box()["width"] <= PROJECTOR[0]
    way_out.click()
    me.settle()
    assert "class" not in me.query() and way_out.count() == 0


def test_a_class_is_entered_kept_and_left(app, visitor) -> None:
    me = visitor(app, size=PROJECTOR).open()
    me.key("route:class").get_by_role("button").click()
    me.page.wait_for_url("**/architect*class=1*")
    me.settle()
    for page in ("Train", "Inside", "Learn", "Data", "Architect"):
        me.go(page)
        assert me.query()["class"] == "1"
    assert me.page.evaluate("getComputedStyle(document.documentElement).fontSize") == "18px"
    me.page.locator("[data-testid=stExpandSidebarButton]").click()
    me.settle().key("rz_class_leave").get_by_role("button").click()
    me.settle()
    assert "class" not in me.query()
    assert me.page.evaluate("getComputedStyle(document.documentElement).fontSize") == "16px"


def test_the_tour_leads_from_page_to_page(app, visitor) -> None:
    me = visitor(app, size=PROJECTOR).open()
    me.key("route:tour").get_by_role("button").click()
    for at, page in enumerate(("learn", "architect", "architect", "architect", "train"), 1):
        me.page.wait_for_url(f"**/{page}*tour={at}*")
        me.settle()
        assert f"{at} of 8" in me.key("rz_tour").inner_text()
        me.page.wait_for_function("document.querySelector('.stMain').scrollTop === 0")
        assert me.key("rz_tour").bounding_box()["y"] >= 0
        me.page.evaluate("document.querySelector('.stMain').scrollTop = 400")
        me.key("tour_next").get_by_role("button").dispatch_event("click")  # a real one would scroll to the button first
    me.page.wait_for_url("**/inside*")
    me.settle().go("Data")
    assert "goes on where you left it" in me.key("rz_tour").inner_text()


@pytest.mark.parametrize("page", ["learn", "interview", "data", "inside"])
def test_a_drawing_that_fits_does_not_fade(app, visitor, page) -> None:
    """A rim of some pixels beyond the edge is nothing to scroll to."""
    frames = visitor(app, size=PROJECTOR).open(page).page.locator(".rz-frame")
    frames.first.wait_for()
    for frame in frames.all():
        beyond, fades = frame.evaluate("frame => [frame.scrollWidth - frame.clientWidth, /before|after/.test(frame.className)]")
        assert beyond < 24 and not fades, (page, beyond)


def test_the_ladder_is_one_strip_that_fades_where_it_goes_on(app, visitor) -> None:
    me = visitor(app, size=PROJECTOR).open()
    frame = me.page.locator(".st-key-zoo_ladder .rz-frame")
    wide, seen = frame.evaluate("frame => [frame.scrollWidth, frame.clientWidth]")
    tops = {round(box.bounding_box()["y"]) for box in frame.locator("[data-id]").all()}
    assert wide > seen > 700 and len(tops) == 1
    me.page.locator(".st-key-zoo_ladder .rz-frame.after:not(.before)").wait_for()
    me.node("lr").focus()
    for _ in range(len(frame.locator("[data-id]").all()) - 1):
        me.page.keyboard.press("ArrowRight")
    me.page.locator(".st-key-zoo_ladder .rz-frame.before:not(.after)").wait_for()
    assert me.page.evaluate(FOCUS) == "nrms", "the keys reach the last rung, and the strip goes along"
    me.node("nrms").click()
    me.settle()
    assert "NRMS" in me.key("rz_card").inner_text()
    box = me.node("nrms").bounding_box()
    assert box["x"] + box["width"] <= PROJECTOR[0] and bottom(me, "zoo_ladder") > 0
