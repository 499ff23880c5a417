"""The drawing says what the model is: a tree that names every node, hides no markup, and whose ink is a quantity."""
from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping

import pytest
from streamlit.testing.v1 import AppTest

from rankzoo.document import Document
from rankzoo.export.picture import drawn as drawn_of
from rankzoo.figures import readout
from rankzoo.figures.diagram import draw, excerpt, thumbnail
from rankzoo.figures.layout import Layout, arrange
from rankzoo.figures.svg import to_svg
from rankzoo.figures.theme import CONFIG, SLOTS, family, stylesheet, theme
from rankzoo.figures.tree import Tree, brief, compact, fit, width_of
from rankzoo.registry import systems
from tests.drawings import MODELS, columns, dcn, din, mmoe, ple, walk

EVIL = '<img src=x onerror="alert(1)">'
WEIGHTS = {"sharing.gate.click": (0.5, 0.25, 0.2, 0.05)}


def laid(blocks: tuple, **more: object) -> Layout:
    return arrange(blocks, columns(blocks), **more)


def elements(tree: Tree) -> list[Tree]:
    return [element for element, _, _ in walk(tree)]


def node(tree: Tree, address: str) -> Tree:
    return next(element for element in elements(tree) if element[1].get("data-id") == address)


def words(tree: Tree) -> list[str]:
    return [element[2] for element in elements(tree) if element[0] == "text"]


def classed(tree: Tree, name: str) -> list[Mapping]:
    return [element[1] for element in elements(tree) if name in str(element[1].get("class", "")).split()]


@pytest.fixture(params=list(MODELS))
def drawn(request: pytest.FixtureRequest) -> Tree:
    return draw(laid(MODELS[request.param]))


def test_every_node_is_a_button_with_a_sentence(drawn: Tree) -> None:
    nodes = [element for element in elements(drawn) if "data-id" in element[1]]
    assert nodes
    for tag, attributes, inside in nodes:
        assert (tag, attributes["role"], attributes["tabindex"], attributes["aria-pressed"]) == ("g", "button", 0, "false")
        assert attributes["aria-label"].endswith(".") and ["title", {}, attributes["aria-label"]] in inside


@pytest.mark.parametrize("name", MODELS)
def test_what_can_be_picked_is_a_block_or_a_slot_and_stands_once(name: str) -> None:
    layout = laid(MODELS[name])
    ids = [element[1]["data-id"] for element in elements(draw(layout)) if "data-id" in element[1]]
    assert len(ids) == len(set(ids))
    assert set(ids) <= {*layout.order, *SLOTS}
    assert {column.slot for column in layout.columns if not column.used} <= set(ids)


def test_a_tree_is_plain_data_without_a_colour(drawn: Tree) -> None:
    text = json.dumps(drawn)
    assert json.loads(text) == drawn
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b|rgb\(|hsl\(|style", text)


def test_edges_say_what_they_join(drawn: Tree) -> None:
    keys = [a["data-key"] for a in classed(drawn, "edge")]
    assert len(keys) == len(set(keys))
    for tag, attributes, _ in elements(drawn):
        if tag == "g" and ">" in str(attributes.get("data-key", "")):
            assert attributes["data-rel"].split("\n") == attributes["data-key"].split(">")


def test_what_a_person_named_never_becomes_markup() -> None:
    blocks = mmoe(tasks=(EVIL, "b"), bias=False)
    tree = draw(laid(blocks), metrics={EVIL: f"{EVIL} AUC"}, label=EVIL)
    text = to_svg(tree, theme("light"))
    root = ET.fromstring(text)
    assert "<img" not in text and "img" not in {element.tag.rpartition("}")[2] for element in root.iter()}
    assert any(element.get("aria-label", "").startswith(EVIL) for element in root.iter())


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_an_exported_file_stands_alone(mode: str) -> None:
    text = to_svg(draw(laid(dcn())), theme(mode))
    root = ET.fromstring(text)
    width, height = root.get("viewBox").split()[2:]
    assert (root.get("width"), root.get("height"), root.tag) == (width, height, "{http://www.w3.org/2000/svg}svg")
    used = {family(slot) for slot in SLOTS if any(block.slot == slot for block in dcn())}
    assert all((colour in text) == (number in used) for number, colour in enumerate(theme(mode).families, 1))
    assert not re.search(r"(href|url\(|@import)", text)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_file_that_is_taken_away_brings_its_page(mode: str) -> None:
    """Its first shape is the page in the theme's colour, which covers the whole view, a margin wider than the drawing."""
    bare, root = (ET.fromstring(to_svg(draw(laid(dcn())), theme(mode), margin)) for margin in (0, 32))
    view, (_, _, *inner) = ([float(each) for each in tree.get("viewBox").split()] for tree in (root, bare))
    page = root[0]
    assert page.tag.endswith("rect") and page.get("fill") == theme(mode).page
    assert [float(page.get(name)) for name in ("x", "y", "width", "height")] == view
    assert view == [-32, -32, inner[0] + 64, inner[1] + 64]
    assert [float(root.get("width")), float(root.get("height"))] == view[2:]
    covering = [each for each in bare.iter() if each.get("fill") == theme(mode).page and each.get("height") == bare.get("height")]
    assert covering == [], "a report is a page itself"


def test_a_gates_stack_and_ribbons_are_as_thick_as_its_weights() -> None:
    tree = draw(laid(mmoe()), weights=WEIGHTS)
    stacks = classed(node(tree, "sharing.gate.click"), "stack")
    assert [round(part["height"] + 1, 1) for part in stacks] == [20, 10, 8, 2]
    assert not classed(node(tree, "sharing.gate.click"), "untrained")
    ribbon = next(e for e in elements(tree) if e[1].get("data-key") == "sharing.expert.0>sharing.gate.click")
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", ribbon[2][0][1]["d"])]
    upper, lower = numbers[7], numbers[9]
    assert lower - upper == pytest.approx(20, abs=0.2)


def test_a_gate_without_weights_is_even_and_dashed() -> None:
    tree = draw(laid(mmoe()), weights=WEIGHTS)
    gate = node(tree, "sharing.gate.like")
    assert {part["height"] for part in classed(gate, "stack")} == {9} and classed(gate, "untrained")


def test_a_stand_in_takes_the_weights_of_all_it_hides() -> None:
    weights = tuple([0.6] + [0.4 / 39] * 39)
    tree = draw(laid(mmoe(40)), weights={"sharing.gate.click": weights})
    heights = [part["height"] + 1 for part in classed(node(tree, "sharing.gate.click"), "stack")]
    assert heights[0] == pytest.approx(24, abs=0.1)
    assert heights[4] == pytest.approx(40 * 0.4 * 36 / 39, abs=0.1)


def test_attention_bars_have_their_weights() -> None:
    weights = (0.9, 0.06, 0.03, 0.21, 0.02, 0.37, 0.05, 0.22, 0.04)
    tree = draw(laid(din()), attention={"sequence.0": weights})
    assert [word for word in words(tree) if word in {f"{w:.2f}" for w in weights}] == [f"{w:.2f}" for w in weights[1:]]
    edge = next(e for e in elements(tree) if e[1].get("data-key") == "sequence.0>sequence.0.sum")
    longest = max(bar["width"] for bar in classed(edge, "mark"))
    assert [round(bar["width"] / longest, 2) for bar in classed(edge, "mark")][4] == 1.0
    assert classed(draw(laid(din())), "dashed") and not classed(tree, "dashed")


def test_a_head_shows_its_metric_and_nothing_before_training() -> None:
    layout = laid(mmoe())
    assert {"0.742", "AUC"} <= set(words(node(draw(layout, metrics={"click": "0.742 AUC"}), "losses.click")))
    assert words(node(draw(layout), "losses.click")) == ["click", "cross-entropy", "weight 1"]


def test_the_selected_node_has_a_ring_also_when_another_stands_for_it() -> None:
    tree = draw(laid(mmoe(40)), selected="sharing.expert.20")
    pressed = [element[1]["data-id"] for element in elements(tree) if element[1].get("aria-pressed") == "true"]
    assert pressed == ["sharing.expert.4"] and len(classed(tree, "ring")) == 1


def test_changed_assumed_and_new_parts_are_marked() -> None:
    tree = draw(laid(mmoe()), changed=frozenset({"sharing.bottom"}), assumed=frozenset({"sharing.expert.0"}),
                added=frozenset({"sharing.gate.click"}))
    assert len(classed(tree, "changed")) == 1 and classed(node(tree, "sharing.bottom"), "changed")
    assert [a["data-id"] for a in classed(tree, "assumed")] == ["sharing.expert.0"]
    assert [a["data-id"] for a in classed(tree, "added")] == ["sharing.gate.click"]
    assert "italic: size assumed by RankZoo" in words(tree)
    assert "italic: size assumed by RankZoo" not in words(draw(laid(mmoe())))


def test_a_line_under_a_node_is_its_share() -> None:
    layout = laid(mmoe(inputs=3, bias=False))
    tree = draw(layout)
    width = layout.boxes["representation.f0"].w - 2
    lines = [classed(node(tree, f"representation.f{i}"), "mark")[0]["width"] for i in range(3)]
    assert lines == pytest.approx([width * share for share in (1 / 6, 2 / 6, 3 / 6)], abs=0.02)


def test_a_wide_part_and_a_bias_tower_meet_the_head_in_a_plus() -> None:
    keys = {a.get("data-key") for a in classed(draw(laid(dcn())), "edge")}
    assert "losses.click.plus" in keys
    keys = {a.get("data-key") for a in classed(draw(laid(mmoe())), "edge")}
    assert "losses.click.plus" in keys and "losses.watch.plus" not in keys


def test_forbidden_paths_are_not_drawn() -> None:
    keys = {str(a.get("data-key")) for a in classed(draw(laid(ple())), "edge")}
    assert "sharing.level.0.expert.install.0>sharing.level.0.gate.install" in keys
    assert not any("expert.install" in key and "gate.swipe" in key for key in keys)


def test_hovering_a_node_keeps_what_it_is_joined_to() -> None:
    related = node(draw(laid(mmoe())), "sharing.expert.1")[1]["data-rel"].split("\n")
    assert set(related) == {"sharing.expert.1", "sharing.bottom", *(f"sharing.gate.{t}" for t in laid(mmoe()).tasks)}


def test_a_thumbnail_is_an_image_without_words_or_buttons(drawn: Tree) -> None:
    small = thumbnail(laid(mmoe()))
    assert small[1]["role"] == "img" and not words(small)
    assert not any(name in element[1] for element in elements(small)[1:] for name in ("data-id", "tabindex", "role"))
    assert len(classed(small, "flow")) == len(classed(draw(laid(mmoe())), "flow"))


def test_an_excerpt_shows_some_columns_with_words_and_nothing_to_press() -> None:
    layout = laid(mmoe())
    part = excerpt(layout, ("concatenation", "sharing"))
    left, top, width, height = map(float, part[1]["viewBox"].split())
    spans = layout.spans
    assert part[1]["role"] == "img" and left < spans["concatenation"].x and left + width > spans["sharing"].right
    assert top == 0 and height < layout.height  # without the way to the side tower, which is not among the columns
    assert float(excerpt(layout, ("towers",))[1]["viewBox"].split()[3]) == layout.height
    assert "Expert 1" in words(part) and not any(element[0] == "title" for element in elements(part))
    assert not any(name in element[1] for element in elements(part)[1:] for name in ("data-id", "tabindex", "aria-label"))


@pytest.mark.parametrize("id", list(systems()))
def test_no_word_of_a_system_is_cut(id: str) -> None:
    assert not [said for said in words(drawn_of(Document.preset(id))) if "…" in said]


def test_who_shares_no_experts_has_none_that_a_task_could_read() -> None:
    """Tencent's tasks have masks on one network, PLE's have experts behind gates."""
    masks, ple = (" ".join(words(drawn_of(Document.preset(id)))) for id in ("tencent", "ple"))
    assert "A task reads its own part only." in masks and "experts" not in masks
    assert "A task reads its own experts and the shared ones" in ple


def test_a_thumbnail_can_set_off_what_is_new() -> None:
    small = thumbnail(laid(mmoe()), added=frozenset({"sharing.expert.0"}))
    assert len(classed(small, "added")) == 1 and classed(small, "old") and not words(small)


def test_the_readout_adds_up_to_scale() -> None:
    parts = [(5, "shared", 300), (5, "experts", 600), (6, "towers", 100)]
    tree = readout.draw(4000, 3000, 1000, parts)
    bars = [bar for bar in classed(tree, "bar")]
    tables, dense, *inner = [bar["width"] for bar in bars]
    assert tables + dense == pytest.approx(1079, abs=1.1) and tables / (tables + dense) == pytest.approx(0.75, abs=0.002)
    assert sum(w + 1.5 for w in inner) == pytest.approx(1080 - 454, abs=0.2)
    assert (inner[1] - inner[2]) / (inner[0] - inner[2]) == pytest.approx(500 / 200, abs=0.01)
    assert {"experts 600", "dense 1,000 (25.00%)"} <= set(words(tree))


@pytest.mark.parametrize(("embedding", "dense", "said"), [(0, 500, "dense 500 (100%)"), (10**9, 3, "dense 3 (< 0.01%)")])
def test_the_readout_bears_extremes(embedding: int, dense: int, said: str) -> None:
    tree = readout.draw(embedding + dense, embedding, dense, [(6, "towers", dense)])
    assert said in words(tree)
    assert all(bar["x"] >= 0 and bar["x"] + bar["width"] <= 1080.01 for bar in classed(tree, "bar"))


def test_a_flat_readout_has_the_same_numbers_beside_each_other() -> None:
    parts = [(5, "shared", 900), (6, "towers", 100)]
    flat, high = (readout.draw(4000, 3000, 1000, parts, flat=flat) for flat in (True, False))
    assert set(words(high)) - set(words(flat)) == {"dense part, enlarged"} and flat[1]["aria-label"] == high[1]["aria-label"]
    tables, dense, *inner = classed(flat, "bar")
    assert tables["width"] / (tables["width"] + dense["width"]) == pytest.approx(0.75, abs=0.002)
    assert dense["x"] + dense["width"] < inner[0]["x"] and inner[-1]["x"] + inner[-1]["width"] <= 1080
    assert all(bar["y"] + bar["height"] <= readout.FLAT < readout.HEIGHT for bar in (tables, dense, *inner))


def test_the_palette_is_the_apps() -> None:
    light, dark = theme("light"), theme("dark")
    assert CONFIG.is_file() and len(light.families) == len(dark.families) == 7 and len(light.tasks) == 6
    assert len({*light.families, *light.tasks}) == 13 and light.page != dark.page
    assert [family(slot) for slot in SLOTS] == list(range(1, 8))


def test_no_type_is_smaller_than_twelve_units() -> None:
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", stylesheet())]
    assert sizes and min(sizes) >= 12


def test_the_style_has_a_rule_for_every_class_of_a_drawing(drawn: Tree) -> None:
    used = {name for element in elements(drawn) for name in str(element[1].get("class", "")).split()}
    plain = {"t1", "grey", "stack", "size", "bands", "edges", "heads", "unused", "nodes", "pluses", "notes", "box", "gate",
             "control"}
    assert not {name for name in used - plain if f".{name}" not in stylesheet()}


@pytest.mark.parametrize(("number", "said"), [(480, "480"), (3_000, "3k"), (12_500, "12.5k"), (10**6, "1M"), (10**9, "1B")])
def test_sizes_are_short(number: int, said: str) -> None:
    assert compact(number) == said


def test_names_are_cut_only_where_they_must() -> None:
    assert fit("user_id", 100) == "user_id" and fit("a very long feature name", 60).endswith("…")
    assert width_of(fit("a very long feature name", 60)) <= 60 and fit("wide", 5) == ""
    assert brief("Expert 12", 40) == "E12" and brief("Tower of likes", 60) == "Tower"
    assert width_of("이름") > width_of("ab")


def test_a_selection_reaches_python_before_the_drawing() -> None:
    def page() -> None:
        import streamlit as st

        from rankzoo.figures.tree import button, rect, svg
        from rankzoo.ui.component import scene, selected

        before = selected("figure")
        picked = scene(svg(100, 50, "two", [button("a", "A.", [rect(0, 0, 9, 9)]), button("b", "B.", [rect(20, 0, 9, 9)])]),
                       key="figure", alt="Two squares")
        st.write(f"before {before or 'nothing'}, after {picked}")

    app = AppTest.from_function(page).run(timeout=30)
    assert not app.exception and app.markdown[0].value == "before nothing, after None"
    app.session_state["figure"] = {"selected": "b"}
    app.run(timeout=30)
    assert not app.exception and app.markdown[0].value == "before b, after b"


@pytest.mark.parametrize("id, faint", [("dcn_v2", 0), ("dcn", 16), ("snapchat", 0)])
def test_the_grid_of_a_cross_is_a_path_for_each_kind_of_cell(id: str, faint: int) -> None:
    """Six by six cells, of a low rank those beyond the first two rows and columns faint: an element for each kind."""
    for block in elements(drawn_of(Document.preset(id))):
        inside = block[2] if "data-id" in block[1] else []
        grids = [(each[1]["class"], each[1]["d"].count("M")) for each in inside if each[1].get("class") in ("grid", "grid faint")]
        assert sorted(grids) in ([], [("grid", 36 - faint), *([("grid faint", faint)] if faint else [])])
