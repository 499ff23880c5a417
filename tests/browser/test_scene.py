"""The scene in a real Chromium: picking, keyboard, focus, hover, both themes, and words that stay words."""
from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pytest
from PIL import Image

from rankzoo.document import Document
from rankzoo.export.picture import drawn
from rankzoo.figures.svg import to_svg
from rankzoo.figures.theme import stylesheet, theme
from rankzoo.figures.tree import Tree
from tests.browser.driving import PATIENCE, ROOT, Server

ACTIVE = """() => { let node = document.activeElement;
    while (node && node.shadowRoot) node = node.shadowRoot.activeElement;
    return node ? node.getAttribute("data-id") : null; }"""
OUTSIDE = """() => [...document.querySelectorAll("*")].filter((host) => host.shadowRoot).flatMap((host) =>
    [...host.shadowRoot.querySelectorAll("svg.rz-scene .nodes [data-id]")].flatMap((node) => {
      const shapes = [...node.querySelectorAll(":scope > rect, :scope > circle")].map((each) => each.getBBox());
      const left = Math.min(...shapes.map((b) => b.x)), right = Math.max(...shapes.map((b) => b.x + b.width));
      return [...node.querySelectorAll(":scope > text")].filter((each) => {
        const box = each.getBBox(), out = /candidate$|bottom$/.test(node.getAttribute("data-id")) ? 16 : 2;
        return box.x < left - out || box.x + box.width > right + out;
      }).map((each) => `${node.getAttribute("data-id")}: ${each.textContent}`); }))"""


RINGS = """(node) => [...node.getRootNode().querySelectorAll(".ring")].map((ring) => [ring.parentNode.dataset.id,
    ...["x", "y", "width", "height", "rx"].map((name) => Number(ring.getAttribute(name)))])"""


@pytest.fixture(scope="module")
def drawings(chromium, tmp_path_factory) -> Iterator[Server]:
    """The drawings' own small app."""
    app = ROOT / "tests" / "browser" / "scene_app.py"
    server = Server(["streamlit", "run", str(app), "--server.headless", "true", "--server.address", "127.0.0.1"],
                    tmp_path_factory.mktemp("scene"))
    yield server
    server.stop()


@pytest.fixture
def visit(drawings, visitor) -> Callable[..., object]:
    """A function that opens a model's page."""
    def go(model: str = "mmoe", mode: str = "light", width: int = 1440, still: bool = False):
        page = visitor(drawings, mode, (width, 900), still).page
        page.goto(f"{drawings.url}/?model={model}")
        page.wait_for_selector("text=picked: None", timeout=PATIENCE)
        page.locator('[data-id^="losses."]').first.wait_for(timeout=PATIENCE)
        return page

    return go


def test_a_click_selects_and_the_node_keeps_its_ring(visit) -> None:
    page = visit()
    page.locator('[data-id="sharing.expert.2"]').click()
    page.wait_for_selector("text=selected: sharing.expert.2", timeout=PATIENCE)
    assert page.locator('[data-id="sharing.expert.2"]').get_attribute("aria-pressed") == "true"
    page.locator('[data-id="sharing.expert.2"] .ring').wait_for(timeout=PATIENCE)
    assert page.locator(".ring").count() == 1


def test_a_picked_part_is_marked_before_the_answer_and_where_the_ring_stays(visit) -> None:
    page = visit()
    for part in ("sharing.expert.2", "sharing.gate.like", "towers.like", "sequence"):
        node = page.locator(f'[data-id="{part}"]')
        at_once = node.evaluate("node => { node.dispatchEvent(new MouseEvent('click', {bubbles: true, composed: true}));"
                                f"return ({RINGS})(node); }}")
        assert [ring[0] for ring in at_once] == [part]
        page.wait_for_selector(f"text=selected: {part}", timeout=PATIENCE)
        page.wait_for_timeout(200)
        assert node.evaluate(RINGS) == at_once


@pytest.mark.parametrize("key", ["Enter", " "])
def test_a_key_selects_and_focus_outlives_the_rerun(visit, key: str) -> None:
    page = visit()
    page.locator('[data-id="towers.like"]').focus()
    page.keyboard.press(key)
    page.wait_for_selector("text=selected: towers.like", timeout=PATIENCE)
    page.locator('[data-id="towers.like"] .ring').wait_for(timeout=PATIENCE)
    assert page.evaluate(ACTIVE) == "towers.like"


def test_arrow_keys_follow_edges_and_neighbours(visit) -> None:
    page = visit()
    page.locator('[data-id="sharing.gate.watch"]').focus()
    way = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        way.append(page.evaluate(ACTIVE))
    assert way == ["towers.watch", "losses.watch", "towers.watch", "towers.click"]


def test_nodes_are_moved_not_made_anew_when_the_model_changes(visit) -> None:
    page = visit()
    node = page.locator('[data-id="losses.dismiss"]')
    node.evaluate("each => { each.marked = true; }")
    page.get_by_role("spinbutton").fill("8")
    page.get_by_role("spinbutton").press("Enter")
    page.locator('[data-id="sharing.expert.7"]').wait_for(timeout=PATIENCE)
    assert node.evaluate("each => each.marked") is True
    assert page.locator('[data-id="sharing.expert.1"]').count() == 1


def test_hover_dims_what_is_not_joined(visit) -> None:
    page = visit(still=True)
    page.locator('[data-id="sharing.expert.0"]').hover()
    page.locator("svg.hovering").wait_for(timeout=PATIENCE)
    shown = {name: float(page.locator(f'[data-id="{name}"]').evaluate("each => getComputedStyle(each).opacity"))
             for name in ("sharing.expert.0", "sharing.gate.like", "sharing.expert.1", "losses.like")}
    assert shown == {"sharing.expert.0": 1.0, "sharing.gate.like": 1.0, "sharing.expert.1": 0.32, "losses.like": 0.32}


def test_a_pick_acts_once(visit) -> None:
    page = visit()
    page.locator('[data-id="cell.2"]').click()
    page.wait_for_selector("text=1 times", timeout=PATIENCE)
    page.locator('[data-id="towers.like"]').click()
    page.wait_for_selector("text=selected: towers.like", timeout=PATIENCE)
    page.wait_for_selector("text=picked: None", timeout=PATIENCE)
    assert page.locator("text=picked: None, 1 times").count() == 1


def test_a_drawing_between_press_and_release_loses_no_click(visit) -> None:
    page = visit()
    node = page.locator('[data-id="towers.like"]')
    box = node.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    node.evaluate("each => each.parentNode.append(each)")  # as where it comes after another now
    page.mouse.up()
    page.wait_for_selector("text=selected: towers.like", timeout=PATIENCE)
    assert node.get_attribute("aria-pressed") == "true"


def test_a_press_that_wanders_off_picks_nothing(visit) -> None:
    page = visit()
    box = page.locator('[data-id="cell.2"]').bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 5, box["y"] + 60)
    page.mouse.up()
    page.locator('[data-id="cell.1"]').click()
    page.wait_for_selector("text=1 times", timeout=PATIENCE)
    assert page.locator("text=picked: cell.1, 1 times").count() == 1


def test_a_name_with_markup_stays_text(visit) -> None:
    page = visit("evil")
    assert page.locator("img[src=x]").count() == 0
    head = page.locator('[data-id^="losses.<img"]')
    assert head.get_attribute("aria-label").startswith("<img") and head.locator("text").first.text_content()[:4] == "<img"
    head.click()
    page.wait_for_selector("text=selected: losses.", timeout=PATIENCE)
    assert page.title() != "1"


def test_both_themes_colour_the_same_node_by_their_own_palette(visit) -> None:
    colours = {}
    for mode in ("light", "dark"):
        page = visit(mode=mode)
        fill = "each => getComputedStyle(each).fill"
        colours[mode] = [page.locator(f'[data-id="{name}"] .mark').first.evaluate(fill)
                         for name in ("losses.click", "losses.watch", "representation.f0")]
    assert colours == {"light": ["rgb(19, 57, 157)", "rgb(168, 56, 32)", "rgb(34, 58, 112)"],
                       "dark": ["rgb(52, 188, 255)", "rgb(199, 100, 8)", "rgb(82, 194, 255)"]}


@pytest.mark.parametrize("model", ["mmoe", "din", "dcn", "ple", "mmoe, 8 experts", "three histories"])
def test_words_as_rendered_stay_in_their_nodes(visit, model: str) -> None:
    page = visit(model)
    page.evaluate("() => document.fonts.ready")
    assert page.evaluate(OUTSIDE) == []


def test_a_narrow_page_scrolls_instead_of_shrinking_the_type(visit) -> None:
    page = visit(width=640)
    width = page.locator("svg.rz-scene").first.evaluate("each => each.getBoundingClientRect().width")
    assert width == pytest.approx(0.848 * 1080, abs=1), "what 1280 px leave beside the sidebar"
    frame = page.locator(".rz-frame").first
    assert frame.evaluate("each => each.scrollWidth > each.clientWidth")


def test_a_file_shows_what_the_page_shows(chromium) -> None:
    """The flat file beside the drawing styled by the page's rules, pixel by pixel in the same browser."""
    page = chromium.new_page(viewport={"width": 1160, "height": 560})
    for mode in ("light", "dark"):
        colours = theme(mode)
        variables = "".join(f"{name}:{value};" for name, value in colours.variables().items())
        for id in ("youtube", "snapchat", "din", "kuaishou"):
            tree = drawn(Document.preset(id))
            seen = []
            for body in (f"<style>.rz-scene{{{variables}}}{stylesheet()}</style>{styled(tree, mode)}", to_svg(tree, colours)):
                page.set_content(f"<body style='margin:20px;width:1080px;background:{colours.page}'>{body}")
                seen.append(np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int))
            apart = np.abs(seen[0] - seen[1]).max(2)
            assert seen[0].std() > 10 and (apart > 3).mean() < 1e-4, (id, mode, (apart > 3).sum())
    page.close()


def styled(tree: Tree, mode: str) -> str:
    """A scene as the page's script builds it, by classes; what is for pressing alone is no part of a file."""
    tag, attributes, inside = tree
    return written([tag, {**attributes, "class": f"rz-scene {attributes.get('class', '')} {mode}"}, inside])


def written(part: Tree) -> str:
    """An element as HTML."""
    tag, attributes, inside = part
    held = (escape(inside) if isinstance(inside, str) else
            "".join(written(each) for each in inside if each[1].get("class") != "control"))
    return f"<{tag}{''.join(f' {name}={quoteattr(str(value))}' for name, value in attributes.items())}>{held}</{tag}>"
