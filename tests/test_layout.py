"""The layout of the architecture diagram keeps its laws for every shape of model."""
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise, product

import pytest
from hypothesis import HealthCheck, assume, given, settings

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.export.picture import blocks_below, changed_blocks, layout_of, two_layouts
from rankzoo.export.picture import columns as headed
from rankzoo.figures.diagram import draw
from rankzoo.figures.diagram.state import parameter_shares
from rankzoo.figures.layout import Box, Layout, arrange
from rankzoo.figures.layout.types import SHARED
from rankzoo.figures.theme import SLOTS
from rankzoo.figures.tree import Tree
from rankzoo.inspection.provenance import component_of, idle, is_size
from rankzoo.paths import leaves
from rankzoo.registry import systems
from rankzoo.shape import Block
from tests.drawings import MODELS, columns, dcn, din, mmoe, ple, walk
from tests.strokes import Point, apart, edges, extent, texts
from tests.test_blueprint import ANY, stands

BUILT = list(systems())
BELOW = ("bias", "bias_tower", "adversary")
"""Forms of what stands below the frame, beside no column."""


def laid(blocks: tuple[Block, ...], **more: object) -> Layout:
    return arrange(blocks, columns(blocks), **more)


def of_system(id: str) -> Layout:
    document = Document.preset(id)
    return layout_of(document.blueprint, document.schema())


@pytest.fixture(params=[*MODELS, *BUILT])
def layout(request: pytest.FixtureRequest) -> Layout:
    """Drawn by hand for the test, and every system of the zoo."""
    return laid(MODELS[request.param]) if request.param in MODELS else of_system(request.param)


def test_no_two_boxes_overlap(layout: Layout) -> None:
    for (one, a), (other, b) in combinations(layout.boxes.items(), 2):
        assert apart(a, b), f"{one} {a} overlaps {other} {b}"


def test_boxes_keep_clear_of_unused_columns(layout: Layout) -> None:
    off = [layout.spans[column.slot] for column in layout.columns if not column.used]
    inside = [box for address, box in layout.boxes.items() if layout.blocks[address].form not in BELOW]
    assert all(box.right <= span.x or box.x >= span.right for span in off for box in inside)


def test_everything_is_inside_the_canvas(layout: Layout) -> None:
    for address, box in layout.boxes.items():
        assert box.x >= -0.01 and box.right <= layout.width + 0.01 and box.y >= 44 and box.bottom <= layout.height, address
    assert all(span.x >= 0 and span.right <= layout.width + 0.01 for span in layout.spans.values())


def test_every_edge_runs_left_to_right_and_touches_its_boxes(layout: Layout) -> None:
    """But for what an adversary reads, which stands below the frame and may be further left."""
    for edge in layout.edges:
        a, b = layout.boxes[edge.source], layout.boxes[edge.target]
        assert edge.start.x < edge.end.x or layout.blocks[edge.target].form == "adversary", edge
        assert a.y - 0.01 <= edge.start.y - edge.start.t / 2 and edge.start.y + edge.start.t / 2 <= a.bottom + 0.01, edge
        assert b.y - 0.01 <= edge.end.y - edge.end.t / 2 and edge.end.y + edge.end.t / 2 <= b.bottom + 0.01, edge


def test_columns_stand_in_the_fixed_order_and_do_not_touch(layout: Layout) -> None:
    spans = [layout.spans[column.slot] for column in layout.columns]
    assert list(layout.spans) == [slot for slot in SLOTS if slot in layout.spans]
    assert all(one.right < other.x for one, other in zip(spans, spans[1:], strict=False))


def test_every_block_is_drawn_or_stood_for(layout: Layout) -> None:
    assert set(layout.order) <= {*layout.boxes, *layout.hidden}
    assert all(standing in layout.boxes for standing in layout.hidden.values())


def test_words_fit_their_nodes(layout: Layout) -> None:
    """Except for a bar's own label, which may stand out by half a word, words stay in their node."""
    roots = {name: box for name, box in layout.boxes.items()}
    for tree, left, _ in walk(draw(layout)):
        address = tree[1].get("data-id")
        if address not in roots:
            continue
        box, out = roots[address], 16 if layout.blocks[address].form in ("candidate", "layer", "gate") else 2
        for part, x, _ in walk(tree, left - box.x, 0):
            if part[0] == "text":
                start, end = extent(part)
                assert -out <= start + x - left and end + x - left <= box.w + out, (address, part, box)


def test_no_name_of_a_task_is_cut_for_its_metric(layout: Layout) -> None:
    """A name that was whole before training is whole behind it, the metric below it if need be, and its unit with it."""
    heads = [address for address, block in layout.blocks.items() if block.form == "head"]
    metrics = {layout.blocks[address].task: "0.7421 AUC" for address in heads}
    nodes = [{tree[1]["data-id"]: tree for tree, *_ in walk(drawn) if "data-id" in tree[1]}
             for drawn in (draw(layout), draw(layout, metrics=metrics))]
    for address in heads:
        before, after = ([part[2] for part, *_ in walk(each[address]) if part[0] == "text"] for each in nodes)
        assert before[0] == after[0] and "0.7421 AUC" in " ".join(after[1:]), (address, after)


def test_no_edge_runs_behind_a_box(layout: Layout) -> None:
    """As it is drawn, curves and all: a box that it neither leaves nor enters has no point of it inside."""
    for ends, points in edges(draw(layout)):
        for address, box in layout.boxes.items():
            if address not in ends:
                inside = [(x, y) for x, y in points if box.x + 1 < x < box.right - 1 and box.y + 1 < y < box.bottom - 1]
                assert not inside, (ends, address, inside[:3])


def dashed(tree: Tree) -> Iterator[list[Point]]:
    """Every dashed line with its corners, of the level and upright lines that it is made of."""
    for part, _, _ in walk(tree):
        if part[0] == "path" and part[1].get("class") == "thread":
            x = y = 0.0
            corners: list[Point] = []
            for command, given in re.findall(r"([MHV])([^MHVC]+)", part[1]["d"]):
                numbers = [float(each) for each in given.split()]
                x, y = numbers if command == "M" else (numbers[0], y) if command == "H" else (x, numbers[0])
                if command == "M" and corners:
                    yield corners
                corners = [(x, y)] if command == "M" else [*corners, (x, y)]
            yield corners


def over(one: list[Point], other: list[Point]) -> bool:
    """Whether a piece of one lies over a piece of the other."""
    for (a, b), (c, d) in product(pairwise(one), pairwise(other)):
        for flat, along in ((0, 1), (1, 0)):
            if a[flat] == b[flat] == c[flat] == d[flat]:
                ends = sorted((a[along], b[along])), sorted((c[along], d[along]))
                if min(ends[0][1], ends[1][1]) - max(ends[0][0], ends[1][0]) > 1:
                    return True
    return False


def test_dashes_do_not_fill_each_other_s_gaps(layout: Layout) -> None:
    """Two dashed lines that run over one another begin at one place, so that their dashes are the same: else they would be
    drawn as a solid line, which is a path that is there when serving."""
    for one, other in combinations(dashed(draw(layout)), 2):
        assert one[0] == other[0] or not over(one, other), (one, other)


@pytest.mark.parametrize("id", ["youtube", "ple", "shared_bottom"])
def test_what_an_adversary_reads_is_one_dashed_line(id: str) -> None:
    """Whatever it reads, with the name of what it guesses beside it."""
    document = Document.preset(id).on("video")[0].but([("towers.kind", "adversarial")])
    layout = layout_of(document.blueprint, document.schema())
    test_dashes_do_not_fill_each_other_s_gaps(layout)
    name = next(a for a, b in layout.blocks.items() if b.form == "adversary")
    lines = [tuple(ends) for ends, _ in edges(draw(layout)) if name in ends]
    assert any({name, *(link.source for link in layout.links if link.target == name)} - set(ends) <= {"representation.position"}
               for ends in lines)
    assert any(words.startswith("guesses position;") for words, _ in texts(draw(layout)))


def nodes(layout: Layout) -> Iterator[tuple[Block, Box, Tree]]:
    """Every node as it is drawn, with its block and its place."""
    for tree, _, _ in walk(draw(layout)):
        if (address := tree[1].get("data-id")) in layout.boxes:
            yield layout.blocks[address], layout.boxes[address], tree


def test_a_network_shows_all_of_its_layers_or_that_some_are_left_out(layout: Layout) -> None:
    """A bar for each layer, or a dashed arrow among fewer; a name alone where a node is too low for bars."""
    for block, box, tree in nodes(layout):
        if block.form in ("layer", "expert", "tower", "bias_tower", "adversary", "scorer"):
            classes = [str(part[1].get("class", "")).split() for part, _, _ in walk(tree)]
            seen, dashes = sum("bar" in each for each in classes), sum({"arrow", "dashed"} <= set(each) for each in classes)
            assert (seen, dashes) == (len(block.units), 0) or (0 < seen < len(block.units) and dashes == 1) or (
                box.h < 34 and (seen, dashes) == (0, 0)), (block, box, seen, dashes)


def test_no_badge_covers_a_word(layout: Layout) -> None:
    """«×3» on the corner of a node and the words of the node keep apart, but for its own."""
    for block, _, tree in nodes(layout):
        parts = [part for part, _, _ in walk(tree)]
        for i, part in enumerate(parts):
            if part[0] == "rect" and part[1].get("class") == "badge":
                badge = Box(*(float(part[1][side]) for side in ("x", "y", "width", "height")))
                others = [each for each in parts[:i] + parts[i + 2:] if each[0] == "text"]
                assert parts[i + 1][2].startswith("×") and others
                for each in others:
                    start, end = extent(each)
                    assert apart(badge, Box(start, float(each[1]["y"]) - 11, end - start, 14)), (block, each, badge)


LAWS = (test_no_two_boxes_overlap, test_boxes_keep_clear_of_unused_columns, test_everything_is_inside_the_canvas,
        test_every_edge_runs_left_to_right_and_touches_its_boxes, test_columns_stand_in_the_fixed_order_and_do_not_touch,
        test_every_block_is_drawn_or_stood_for, test_words_fit_their_nodes, test_no_edge_runs_behind_a_box,
        test_dashes_do_not_fill_each_other_s_gaps, test_a_network_shows_all_of_its_layers_or_that_some_are_left_out,
        test_no_badge_covers_a_word)


@pytest.mark.parametrize("id", BUILT)
def test_every_preset_fits_a_page(id: str) -> None:
    """1080 units, of which the smallest that is drawn, 0.85, fits beside the sidebar of a window 1280 wide."""
    layout = of_system(id)
    assert layout.width == pytest.approx(1080) and tuple(layout.spans) == SLOTS


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(ANY)
def test_any_blueprint_that_stands_keeps_every_law(drawn) -> None:
    schema, blueprint = drawn
    assume(stands(schema, blueprint))
    layout = layout_of(blueprint, schema)
    assert tuple(layout.spans) == SLOTS and layout.boxes
    for law in LAWS:
        law(layout)


@pytest.mark.parametrize("one, other", [("youtube", "mmoe"), ("din", "bst"), ("dcn_v2", "lr"), ("alibaba", "snapchat")])
def test_two_models_are_drawn_at_equal_scale(one: str, other: str) -> None:
    """As wide as each other, and a layer of as many units as high in both."""
    documents = [Document.preset(id) for id in (one, other)]
    found = two_layouts(*((each.blueprint, each.schema()) for each in documents))
    assert found[0].width == found[1].width and found[0].scale.bar == found[1].scale.bar
    for each in found:
        for law in LAWS:
            law(each)


@pytest.mark.parametrize("name", MODELS)
def test_the_same_blocks_give_the_same_layout(name: str) -> None:
    assert laid(MODELS[name]) == laid(MODELS[name])


@pytest.mark.parametrize("change", [{"widths": (256, 128)}, {"bottom": 64}])
def test_a_width_moves_only_what_it_must(change: dict) -> None:
    before, after = laid(mmoe()), laid(mmoe(**change))
    moved = {address for address, box in before.boxes.items() if after.boxes[address] != box}
    assert moved <= {"sharing.bottom"}


def test_a_new_feature_keeps_the_order_of_the_others() -> None:
    before, after = laid(mmoe(inputs=9)), laid(mmoe(inputs=10))
    rows = [name for name in before.boxes if name.startswith("representation.f")]
    assert sorted(rows, key=lambda name: after.boxes[name].y) == sorted(rows, key=lambda name: before.boxes[name].y)
    assert {after.boxes[name].x for name in rows} == {0.0}


def test_sixty_features_become_fourteen_rows_and_no_width_is_lost() -> None:
    layout = laid(mmoe(inputs=60))
    rows = [b for b in layout.blocks.values() if b.form == "feature"]
    assert len(rows) == 14
    more = [b for b in rows if b.title.endswith("more")]
    assert sum(layout.counts[b.address] for b in more) + 14 - len(more) == 60
    assert sum(edge.width for edge in layout.edges if edge.target == "concatenation") == 60 * 16
    assert {b.group for b in rows} == {"user", "item", "context"}
    assert sum(b.parameters for b in rows) == sum(100 * (i + 1) * 16 for i in range(60))


def test_of_forty_experts_the_four_busiest_stay() -> None:
    busy = {f"sharing.expert.{i}": float(i in (3, 7, 30, 39)) for i in range(40)}
    layout = laid(mmoe(40), busiest=busy)
    drawn = [name for name, block in layout.blocks.items() if block.form == "expert"]
    assert set(drawn) - {"sharing.expert.0"} == {f"sharing.expert.{i}" for i in (3, 7, 30, 39)}
    assert layout.blocks["sharing.expert.0"].title == "×36 more" and layout.shown("sharing.expert.20") == "sharing.expert.0"


def test_experts_lose_height_as_they_gain_number() -> None:
    assert [laid(mmoe(n)).boxes["sharing.expert.0"].h for n in (4, 8, 12)] == [68, 40, 24]


def test_segments_of_the_joined_bar_are_as_high_as_their_widths() -> None:
    blocks = mmoe(inputs=3)
    wide = tuple(replace(b, flows=(replace(b.flows[0], width=64),)) if b.title == "feature_1" else b for b in blocks)
    low, high, other = [lower - upper for _, upper, lower in laid(wide).segments["concatenation"]]
    assert low == pytest.approx(other) and (high - 1.5) / (low - 1.5) == pytest.approx(4)


def test_three_equal_crosses_become_one_two_do_not() -> None:
    assert laid(dcn(2)).counts == {} and laid(dcn(3)).counts == {"interaction.0.layer.0": 3}


def test_fields_are_joined_once_before_the_crosses() -> None:
    layout = laid(dcn())
    into = {edge.target for edge in layout.edges if edge.source.startswith("representation")}
    assert into == {"interaction"}
    assert [name for name, _, _ in layout.segments["concatenation"]] == ["interaction", "interaction.0.layer.1"]
    assert {edge.kind for edge in layout.edges if edge.source == "interaction.1"} == {"wide"}


def test_the_scorer_stands_beside_its_history() -> None:
    layout = laid(din())
    past, scorer = layout.boxes["representation.past0"], layout.boxes["sequence.0"]
    assert scorer.bottom == pytest.approx(past.bottom) and scorer.y == pytest.approx(past.y + 18)


def test_shared_experts_stand_between_the_tasks_own() -> None:
    layout = laid(ple())
    assert [name for name, _ in layout.bands] == ["install", SHARED, "swipe"]
    bands = dict(layout.bands)
    for address, block in layout.blocks.items():
        if block.form == "expert":
            box, band = layout.boxes[address], bands[block.task or SHARED]
            assert band.y <= box.y and box.bottom <= band.bottom and band.x <= box.x and box.right <= band.right
    lefts = [layout.boxes[f"sharing.level.{k}.expert.swipe.0"].x for k in (0, 1)]
    assert lefts[0] < layout.boxes["sharing.level.0.gate.shared"].x < lefts[1]


def test_a_task_stays_on_one_line_from_gate_to_head() -> None:
    layout = laid(mmoe())
    for task in layout.tasks:
        assert layout.boxes[f"towers.{task}"].cy == layout.boxes[f"losses.{task}"].cy
        edge = next(e for e in layout.edges if e.source == f"sharing.gate.{task}")
        assert edge.start.y == pytest.approx(edge.end.y)


def test_the_side_lane_is_below_the_frame() -> None:
    layout = laid(mmoe())
    assert all(layout.boxes[name].y > layout.frame.bottom for name in ("representation.position", "towers.bias"))


def test_flows_to_unknown_addresses_are_left_out_and_prefixes_found() -> None:
    blocks = dcn(wide=False)
    first = replace(blocks[0], flows=(*blocks[0].flows, replace(blocks[0].flows[0], to="nowhere")))
    prefixed = replace(blocks[1], flows=(replace(blocks[1].flows[0], to="interaction.0"),))
    layout = laid((first, prefixed, *blocks[2:]))
    assert ("representation.f1", "interaction") in {(link.source, link.target) for link in layout.links}
    assert "nowhere" not in {link.target for link in layout.links}


def test_a_narrow_width_widens_the_canvas_rather_than_overlap() -> None:
    layout = arrange(mmoe(), columns(mmoe()), width=400)
    assert layout.width > 400
    assert max(box.right for box in layout.boxes.values()) <= layout.width + 0.01


def test_shares_add_to_one_among_tables_and_among_the_rest() -> None:
    layout = laid(mmoe())
    shares = parameter_shares(layout)
    tables = sum(share for name, share in shares.items() if name.startswith("representation"))
    assert tables == pytest.approx(1) and sum(shares.values()) == pytest.approx(2)


def test_a_box_knows_its_sides() -> None:
    box = Box(2, 3, 10, 20)
    assert (box.right, box.bottom, box.cx, box.cy) == (12, 23, 7, 13)


def test_one_input_is_one_input():
    found = {arch: headed(document.blueprint, document.schema())[0].detail for arch in ("spotify", "homedepot", "youtube")
             for document in (Document.preset(arch),)}
    assert found == {"spotify": "1 input, 12 attributes", "homedepot": "1 input, 5 attributes", "youtube": "57 inputs"}


def marked(arch: str, *changes: tuple[str, object]) -> set[str]:
    document = Document.preset(arch).but(list(changes))
    return set(changed_blocks(document, layout_of(document.blueprint, document.schema())))


def test_another_loss_of_one_task_marks_that_task_alone():
    assert marked("youtube", ("losses.how", {"like": "focal"})) == {"losses.like"}
    assert marked("youtube", ("losses.weights", {"like": 2.0})) == {"losses.like", "losses.completion"}
    assert marked("youtube", ("representation.dims", {"hour": 4})) == {"representation.hour"}
    assert len(marked("youtube", ("losses.gamma", 3.0))) == 4


def test_a_size_marks_the_parts_that_it_is_the_size_or_the_number_of():
    experts = {f"sharing.expert.{i}" for i in range(4)}
    gates = {f"sharing.gate.{task}" for task in Document.preset("mmoe").blueprint.tasks}
    assert marked("mmoe", ("sharing.widths", [24])) == experts
    assert marked("mmoe", ("sharing.bottom", [24])) == {"sharing.bottom"}
    assert marked("mmoe", ("sharing.bottom", [24]), ("sharing.widths", [24])) == {"sharing.bottom"} | experts
    assert marked("youtube", ("sharing.bottom", [24])) == {"sharing.bottom"}
    assert marked("youtube", ("sharing.experts", 3)) == {f"sharing.expert.{i}" for i in range(3)} | gates
    own = marked("ple", ("sharing.own", 3))
    assert own and not [each for each in own if ".shared." in each and ".gate" not in each]
    assert "towers.bias" in marked("youtube", ("towers.dropout", 0.5)), "no size: all of the component"


@pytest.mark.parametrize("arch", BUILT)
def test_no_changed_size_is_left_without_a_mark(arch: str):
    """Every size of a preset that can be one more alone: its component is marked, and no other, unless no part has the size."""
    preset, seen = Document.preset(arch), 0
    for path, size in leaves(json.loads(preset.blueprint.model_dump_json())):
        if not is_size(size):
            continue
        try:
            document = preset.but([(path, [n + 1 for n in size] if isinstance(size, list) else size + 1)]).check()
        except ZooError:  # it may not be one more
            continue
        layout = layout_of(document.blueprint, document.schema())
        below = blocks_below((component_of(path),), layout)
        found = changed_blocks(document, layout)
        none = {f"{place.address}.{name}" for place in document.blueprint.places(document.schema()) for name in idle(place)}
        assert found <= below and bool(found) == (bool(below) and path not in none), path
        seen += 1
    assert seen


def test_a_forest_stands_between_its_numbers_and_their_leaves() -> None:
    """LinkedIn: 20 numbers enter 50 trees, which give 50 × 8 numbers; the trees own the table, the row owns nothing."""
    layout = of_system("linkedin")
    block, box = layout.blocks["representation.forest"], layout.boxes["representation.forest"]
    assert (layout.blocks["representation.numbers"].parameters, block.parameters) == (0, 50 * 16 * 8)
    assert {(each.source, each.target, each.width) for each in layout.edges if block.address in (each.source, each.target)} == {
        ("representation.numbers", block.address, 20), (block.address, "concatenation", 400)}
    assert layout.boxes["representation.numbers"].right < box.x and box.right < layout.boxes["concatenation"].x
    inside = next(part for part, _, _ in walk(draw(layout)) if part[1].get("data-id") == block.address)
    assert {"50 trees", "up to 16 leaves", "50 × 8"} <= {part[2] for part, _, _ in walk(inside) if part[0] == "text"}


@pytest.mark.parametrize("changes", [{"pooling": "sum"}, {"share_table": False}, {"trees": 1, "leaves": 2, "dim": 1}])
def test_any_forest_keeps_every_law(changes: dict) -> None:
    document = Document.preset("linkedin").but([(f"representation.{name}", value) for name, value in changes.items()])
    layout = layout_of(document.blueprint, document.schema())
    assert sum(block.form == "forest" for block in layout.blocks.values()) == 1 + (changes == {"share_table": False})
    for law in LAWS:
        law(layout)
