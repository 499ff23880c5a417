"""What cannot be comes with the nearest thing that can: the cure is allowed, mends what was tried, and is offered once."""
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise, product

import pytest
from hypothesis import HealthCheck, given, settings

from rankzoo import mending
from rankzoo.blueprint import SLOTS, Blueprint
from rankzoo.components.losses.pairwise import Pairwise
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.tree_leaves import TreeLeaves
from rankzoo.components.sequence.gru import Gru
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sequence.query_attention import QueryAttention
from rankzoo.document import Document, lacking
from rankzoo.errors import ZooError
from rankzoo.export.picture import BROKEN_WIDTH, HEADS, up_to_the_break, way_to_the_break
from rankzoo.figures.diagram import draw, excerpt
from rankzoo.figures.layout import Layout
from rankzoo.figures.tree import Tree
from rankzoo.figures.way import WIDTH
from rankzoo.inspection.advice import advice
from rankzoo.paths import leaves, set_at
from rankzoo.registry import systems
from rankzoo.runs import limits
from rankzoo.saying import nearest
from rankzoo.schema import Schema
from rankzoo.ui.broken import last_columns
from tests.drawings import walk
from tests.support import shop
from tests.test_blueprint import ANY, SHOP
from tests.test_cli import refusal
from tests.test_layout import LAWS


def refused(tree: object) -> ZooError:
    with pytest.raises(ZooError) as caught:
        Document.parse(json.dumps(tree)).check()
    return caught.value


@pytest.mark.parametrize("path, found, near", [
    ("sharing.experts", 9000, 64), ("sharing.experts", 0, 1), ("sharing.experts", "8", 8), ("sharing.experts", 3.7, 4),
    ("sharing.widths.0", -3, 8), ("sharing.widths.0", 1.5, 8), ("sharing.widths.0", 10**9, 65_536),
    ("sharing.gate_dropout", 2, 0.999),
    ("representation.dim", None, 16), ("sharing.widths", [], [16, 8]), ("sharing.widths", [8] * 20, [8] * 8),
    ("towers.kind", "bised", "biased"), ("sharing.kind", "mmoo", "mmoe"), ("tasks.0", "<b>click</b>", "click")])
def test_the_nearest_value_is_offered_and_mends(path, found, near):
    tree = json.loads(Document.preset("youtube").json())
    set_at(tree, f"blueprint.{path}", found)
    if path.endswith(".kind"):
        set_at(tree, f"blueprint.{path.rpartition('.')[0]}", {"kind": found})
    problem = refused(tree)
    assert (problem.cure[0][0].removeprefix("blueprint."), problem.cure[0][1]) == (path, near)
    mended = Document.mended(problem.tried, problem.cure)
    value: object = json.loads(mended.json())["blueprint"]
    for step in path.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    assert value == near


@pytest.mark.parametrize("given, cure", [({"arch": "yutube"}, ("arch", "youtube")),
                                         ({"arch": "youtube", "data": "vidio"}, ("data", "video"))])
def test_a_name_that_is_nearly_right_is_offered(given, cure):
    problem = refused(given)
    assert problem.cure == (cure,) and Document.mended(problem.tried, problem.cure) == Document.preset("youtube")


def test_the_command_line_says_it_too():
    assert "Found 9000. The nearest: sharing.experts=64." in refusal("show", "youtube", "--set", "sharing.experts=9000")
    assert refusal("show", "yutube").count("youtube") == 1


@pytest.mark.parametrize("schema, value, near", [
    ({"type": "integer", "minimum": 1, "maximum": 64}, 100, 64), ({"type": "integer", "exclusiveMinimum": 0}, -5, 1),
    ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, 0, 0.001), ({"type": "integer", "minimum": 1}, "x", 1),
    ({"enum": ["stacked", "parallel"]}, "paralel", "parallel"), ({"enum": ["stacked", "parallel"]}, "zzz", None),
    ({"type": "boolean"}, "yes", None), ({"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 2}]}, 1, 2),
    ({"type": "integer", "minimum": 0}, float("inf"), None)])
def test_nearest_by_hand(schema, value, near):
    assert nearest(schema, value) == near


def broken(arch: str, *changes: tuple[str, object]) -> tuple[Document, ZooError]:
    document = Document.preset(arch).but(changes)
    return document, document.blueprint.reached(document.schema())[1]


def test_heads_that_do_not_fit_say_both_shapes_and_the_nearest():
    document, problem = broken("bst", ("sequence.0.token", 16), ("sequence.0.heads", 7))
    assert problem.cure == (("sequence.0.heads", 8),) and (problem.comes, problem.needs) == ("B × L × 16", "B × L × 7·n")
    layout = up_to_the_break(document.blueprint, document.schema())
    block = layout.blocks["sequence.0"]
    assert block.form == "broken" and block.words == ("comes: B × L × 16", "needs: B × L × 7·n")
    assert "It gets B × L × 16 and needs B × L × 7·n." in str(problem)
    edge = next(edge for edge in layout.edges if edge.target == "sequence.0")
    assert edge.kind == "broken" and layout.blocks[edge.source].form == "history"
    assert not {"losses.click", "concatenation"} & set(layout.blocks), "nothing behind it is drawn"


@pytest.mark.parametrize("kind", ["transformer", "query_attention", "target_attention"])
def test_tokens_of_two_widths_need_one_which_the_cure_sets(kind):
    """What is needed names no width that the cure does not set; whatever else it changes has its reason said."""
    heads = {} if kind == "target_attention" else {"heads": 7}
    with pytest.raises(ZooError) as caught:
        Document.of({"arch": "bst", "blueprint": {"sequence": [{"kind": kind, **heads}]}}).check()
    problem = caught.value
    assert (problem.comes, problem.needs) == ("B × 20 × 32, B × 24", "B × 20 × d, B × d")
    assert problem.cure[0] == ("sequence.0.token", 32) and Document.mended(problem.tried, problem.cure).check()
    reasons = Document.behind(problem)
    assert all(each.at.startswith(path) for each, (path, _) in zip(reasons, problem.cure[1:], strict=True))
    assert all("cannot be compared" not in str(each) for each in reasons) and bool(reasons) == bool(heads)


@pytest.mark.parametrize("arch, path, name", [
    ("youtube", "tasks", ["clik"]), ("youtube", "towers.by", ["positon"]), ("youtube", "towers.on", ["clik"]),
    ("youtube", "without", ["devise"]), ("dnn", "representation.dims", {"itm": 4}), ("linkedin", "sharing.groups", [["clik"]]),
    ("mmoe", "losses.weights", {"clik": 2.0}), ("huawei", "representation.text", "titel"), ("nrms", "towers.item", "candidat"),
    ("homedepot", "representation.items", ["brnd"]), ("wide_deep", "interaction.0.crosses", [["itm", "user"]]),
    ("din", "concatenation.fields", ["itm"]), ("bst", "concatenation.products", [["histry", "item"]]),
    ("esmm", "losses.click", "clik")])
def test_a_name_that_nothing_has_has_no_shape(arch, path, name):
    """The sentence ends with what may be meant, or what there is; that nothing comes of the name is drawn."""
    document = Document.preset(arch)
    with pytest.raises(ZooError) as caught:
        document.but([(path, name)]).check()
    problem = caught.value
    assert "It gets" not in str(problem) and not problem.misfit and str(problem).endswith((".", "?"))
    assert problem.comes and problem.needs


def test_what_asks_and_what_is_asked_need_one_width():
    at = next(i for i, spec in enumerate(Document.preset("alibaba").blueprint.sequence) if spec.kind == "ask")
    with pytest.raises(ZooError) as caught:
        Document.preset("alibaba").but([(f"sequence.{at}.token", 16)]).check()
    problem = caught.value
    assert (problem.comes, problem.needs) == ("B × L × 32, B × L × 16", "2 × B × L × d")
    assert problem.cure == ((f"sequence.{at}.token", 32),) and Document.behind(problem) == ()
    tried, _ = broken("alibaba", (f"sequence.{at}.token", 16))
    said = [tree[2] for tree, _, _ in walk(way_to_the_break(tried.blueprint, tried.schema())) if tree[0] == "text"]
    assert any(re.fullmatch(r"B × \d+ × 32, B × \d+ × 32, \+ \d", each) for each in said), "two histories, and how many more"


def test_the_picture_of_a_break_is_no_larger_than_what_stands_in_it():
    """As high as its boxes, without a column that holds nothing; a page has room for the columns at the break."""
    document, _ = broken("bst", ("sequence.0.token", 16), ("sequence.0.heads", 7))
    layout = up_to_the_break(document.blueprint, document.schema())
    assert [column.slot for column in layout.columns] == ["representation", "sequence"] and layout.columns[0].used
    assert layout.frame.h == max(box.bottom for box in layout.boxes.values()) - min(box.y for box in layout.boxes.values()) < 346
    preset = Document.preset("snapchat")
    deep = up_to_the_break(preset.blueprint.model_copy(update={"tasks": ("swipe", "nobody")}), preset.schema())
    shown = excerpt(deep, last_columns(deep))
    said = {tree[2] for tree, _, _ in walk(shown) if tree[0] == "text"}
    assert deep.width > BROKEN_WIDTH and float(shown[1]["viewBox"].split()[2]) <= BROKEN_WIDTH + 20
    left = float(shown[1]["viewBox"].split()[0])
    assert {"needs: nobody: B × 1"} <= said and left < deep.boxes["losses"].x and last_columns(deep)[-1] == "losses"


def test_a_model_that_stands_has_no_break():
    preset = Document.preset("youtube")
    assert up_to_the_break(preset.blueprint, preset.schema()) is None


def test_a_question_passes_a_broken_part_below_the_candidate():
    """The second component cannot stand, and is drawn in the rank of the first one's candidate, which is narrower."""
    document, problem = broken("din", ("sequence", [{"kind": "query_attention", "token": 4}, {"kind": "pooling", "token": 4}]))
    assert_drawn_up_to_the_break(document.blueprint, document.schema(), problem)
    for kind in (TreeLeaves(), Embeddings()):
        asked = QueryAttention(token=4, heads=2), Pooling(token=4)
        blueprint = Blueprint(representation=kind, sequence=asked, tasks=("click",))
        assert_drawn_up_to_the_break(blueprint, shop(), blueprint.reached(shop())[1])


def assert_drawn_up_to_the_break(blueprint: Blueprint, schema: Schema, problem: ZooError) -> None:
    """The layout keeps every law; one part is broken, with edges into it; both shapes stand there whole, and in
    the sentence where they are shapes of something."""
    layout = up_to_the_break(blueprint, schema)
    broken, = (address for address, block in layout.blocks.items() if block.form == "broken")
    assert problem.comes and problem.needs and problem.comes != problem.needs
    assert (f"It gets {problem.comes} and needs {problem.needs}." in str(problem)) == problem.misfit
    assert all(edge.kind == "broken" for edge in layout.edges if edge.target == broken)
    assert any(edge.target == broken for edge in layout.edges)
    words = {tree[2] for tree, _, _ in walk(draw(layout)) if tree[0] == "text"}
    assert {f"comes: {problem.comes}", f"needs: {problem.needs}"} <= words
    for law in LAWS:
        law(layout)
    assert_in_one_line(way_to_the_break(blueprint, schema), layout, problem)


def test_a_column_without_a_part_stands_in_no_way():
    """ESMM with one task: its towers read the joined vector, and no sharing network stands between."""
    preset = Document.preset("esmm")
    blueprint = preset.blueprint.model_copy(update={"tasks": preset.blueprint.tasks[:1]})
    assert blueprint.reached(preset.schema())[1] and not blueprint.used("sharing")
    said = [tree[2] for tree, _, _ in walk(way_to_the_break(blueprint, preset.schema())) if tree[0] == "text"]
    assert [word for word in said if word in HEADS.values()] == ["Features", "Concat", "Deep"]


def assert_in_one_line(line: Tree, layout: Layout, problem: ZooError) -> None:
    """The same columns from the left, the last ones at least, one behind the other within the page; both shapes whole."""
    words = [(tree[2], x + float(tree[1]["x"])) for tree, x, _ in walk(line) if tree[0] == "text"]
    said = [word for word, _ in words]
    standing = {block.slot for block in layout.blocks.values() if block.form != "broken"}
    heads = ["Data"] if "representation" in layout.blocks else [HEADS[slot] for slot in SLOTS if slot in standing]
    named = [word for word in said if word in ("Data", *HEADS.values())]
    assert named and named == heads[-len(named):] and (named == heads) == ("…" not in said)
    assert {f"comes: {problem.comes}", f"needs: {problem.needs}", "cannot stand here"} <= set(said)
    assert not any(word.endswith("…") and word != "…" for word in said), "a shape or a name that is cut off"
    boxes = [(x, x + float(tree[1]["width"])) for tree, x, _ in walk(line) if tree[0] == "rect"]
    assert all(right < left for (_, right), (left, _) in pairwise(boxes)) and boxes[-1][1] <= WIDTH


def test_any_model_that_cannot_stand_shows_both_shapes_and_can_be_mended():
    """Drawn up to its break, with both shapes on the edge; one cure leads to a model that stands, or now and then there is none
    near."""
    mended = []

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(ANY)
    def each(drawn):
        schema, blueprint = drawn
        problem = blueprint.reached(schema)[1]
        if problem:
            assert_drawn_up_to_the_break(blueprint, schema, problem)
            found = mending.cure(blueprint, mending.Case(schema, blueprint))
            assert not found or blueprint.but(found).places(schema)
            mended.append(bool(found))

    each()
    assert len(mended) > 50 and sum(mended) > 0.9 * len(mended)


def pairs() -> Iterator[tuple[str, str, ZooError]]:
    """Every exchange for a component that pairs vectors which have not one width, or are none at all."""
    for arch, preset in ((arch, Document.preset(arch)) for arch in systems()):
        for i, kind in product(range(len(preset.blueprint.interaction)), ("fm", "dot_pairs", "self_attention", "cin")):
            try:
                limits.check(preset.but([(f"interaction.{i}.kind", kind)]), limits.LOCAL, preset.blueprint)
            except ZooError as problem:
                if problem.what.startswith("Vectors can be paired"):
                    yield arch, kind, problem


def test_what_is_offered_for_pairs_is_what_their_sentence_says():
    """Numeric features enter as vectors, fields are embedded; nothing is made so narrow that an expert would object."""
    count = 0
    for arch, kind, problem in pairs():
        mended, preset = Document.mended(problem.tried, problem.cure), Document.preset(arch)
        assert kind in [spec.kind for spec in mended.blueprint.interaction]
        says = {"as vector": ("representation.numeric", "vector"), "Choose embeddings": ("representation.kind", "embeddings"),
                "take out one": ("interaction", [json.loads(mended.blueprint.interaction[0].model_dump_json())])}
        assert any(change in problem.cure and words in str(problem) for words, change in says.items()), (arch, kind, problem.cure)
        known = {each.said() for each in advice(preset.blueprint, preset.schema())}
        assert {each.said() for each in advice(mended.blueprint, mended.schema())} <= known
        count += 1
    assert count > 20


def test_what_nobody_objects_to_is_offered_before_what_is_nearer():
    """Where the nearest is objected to another is found; where all are, the nearest is still offered."""
    preset = Document.preset("wide_deep")
    blueprint, schema = preset.but([("interaction.0.kind", "fm")]).blueprint, preset.schema()

    def offered(better) -> Blueprint:
        objected = lambda model: () if better(model) else ((("tasks", []),),)  # noqa: E731
        return blueprint.but(mending.cure(blueprint, mending.Case(schema, preset.blueprint, preset.blueprint, amends=objected)))

    nearest = offered(lambda model: True)
    other = offered(lambda model: model != nearest)
    assert nearest.representation.numeric == "vector" and other != nearest and other.places(schema)
    assert offered(lambda model: False) == nearest


@pytest.mark.parametrize("arch, path, value", [
    ("youtube", "tasks", ["click", "click"]), ("youtube", "tasks", ["clik"]), ("youtube", "without", ["position"]),
    ("youtube", "without", ["nobody"]), ("wide_deep", "sequence.0.kind", "pooling"),
    ("wide_deep", "representation.kind", "neighbours"), ("youtube", "tasks", ["xyz"]),
    ("lr", "towers.kind", "mlp"), ("dcn_v2", "concatenation.fields", ["nobody"]), ("esmm", "tasks", ["click"]),
    ("dcn_v2", "representation.kind", "one_hot")])
def test_a_name_or_a_kind_that_cannot_be_is_drawn_and_mended(arch, path, value):
    tree = json.loads(Document.preset(arch).json())
    set_at(tree, f"blueprint.{path}", value)
    document = Document.parse(json.dumps(tree))
    with pytest.raises(ZooError) as caught:
        document.check()
    problem = caught.value
    assert_drawn_up_to_the_break(document.blueprint, document.schema(), problem)
    assert Document.mended(problem.tried, problem.cure).check() != document


@pytest.mark.parametrize("arch, path, found, cure", [
    ("youtube", "blueprint.sharing.widths", "64, 32", ("blueprint.sharing.widths", [64, 32])),
    ("youtube", "blueprint.sequence", {"kind": "pooling"}, ("sequence", [])),
    ("youtube", "blueprint.towers.widths", [65_536] * 3, ("towers.widths", [7902] * 3)),
    ("youtube", "blueprint.tasks", [], ("blueprint.tasks", ["click", "completion", "like", "dismiss"])),
    ("youtube", "settings.lr", float("nan"), ("settings.lr", 0.004)),
    ("youtube", "blueprint.concatenation.products", [[float("nan"), "x"]], ("blueprint.concatenation.products", [])),
    ("youtube", "blueprint.losses.weights", {"clicks": 2.0}, ("losses.weights", {"click": 2.0})),
    ("esmm", "blueprint.losses.conversion", "click", ("losses.conversion", "purchase")),
    ("din", "blueprint.representation.dims", {"itm": 8}, ("representation.dims", {"item": 8})),
    ("din", "data", "ads", ("sequence", []))])
def test_what_was_damaged_is_offered_as_it_was_meant(arch, path, found, cure):
    tree = {"arch": "din", "data": "ads"} if path == "data" else json.loads(Document.preset(arch).json())
    set_at(tree, path, found)
    with pytest.raises(ZooError) as caught:
        limits.check(Document.parse(json.dumps(tree)), limits.LOCAL)
    assert caught.value.cure[0] == cure
    limits.check(Document.mended(caught.value.tried, caught.value.cure), limits.LOCAL)


@pytest.mark.parametrize("arch", list(systems()))
def test_numbers_with_no_comma_between_them_are_all_offered(arch):
    """Every list of several numbers of every preset, as people write it: no layer is thrown away. Words keep spaces."""
    preset = json.loads(Document.preset(arch).json())
    for path, numbers in leaves(preset["blueprint"]):
        if not isinstance(numbers, list) or len(numbers) < 2 or not all(isinstance(each, int) for each in numbers):
            continue
        for between in (" ", ";", " ; ", "  "):
            written = between.join(map(str, numbers))
            for typed in ([written], written, [numbers[0], between.join(map(str, numbers[1:]))] if len(numbers) > 2 else written):
                tree = json.loads(json.dumps(preset))
                set_at(tree, f"blueprint.{path}", typed)
                problem = refused(tree)
                assert problem.cure[0] == (f"blueprint.{path}", numbers)
                assert Document.mended(problem.tried, problem.cure) == Document.preset(arch)
    assert nearest({"type": "array", "items": {"type": "string"}}, "time of day, place") == ["time of day", "place"]


def test_of_several_numbers_each_is_the_nearest():
    tree = json.loads(Document.preset("youtube").json())
    set_at(tree, "blueprint.sharing.widths", [32, "0;9000000"])
    assert refused(tree).cure[0] == ("blueprint.sharing.widths", [32, 8, 65_536])
    set_at(tree, "blueprint.sharing.widths", ["16 of 8"])
    assert refused(tree).cure[0] == ("blueprint.sharing.widths.0", 16)


@pytest.mark.parametrize("found", [None, True, 4])
def test_what_is_no_word_is_like_no_kind(found):
    """Nothing is not nearly called «one_hot»: the preset's component is offered."""
    preset = Document.preset("spotify")
    problem = refused({"arch": "spotify", "blueprint": {"representation": {"kind": found}}})
    assert Document.mended(problem.tried, problem.cure) == preset


@pytest.mark.parametrize("path", ["sharing.expertts", "towers", "colour"])
def test_a_group_that_is_no_group_and_a_field_that_is_none_are_mended_whole(path):
    """The preset's settings take the place of nothing, and an unknown field goes or is called as it was meant."""
    preset = Document.preset("youtube")
    tree = json.loads(preset.json())
    set_at(tree, path if path == "colour" else f"blueprint.{path}", None if path == "towers" else 4)
    if path == "sharing.expertts":
        del tree["blueprint"]["sharing"]["experts"]
    problem = refused(tree)
    assert Document.mended(problem.tried, problem.cure) == preset


def test_too_large_says_where_and_what_fits():
    """The largest that fits: one more of each width, and it would not."""
    document = Document.preset("youtube").but([("towers.widths", [65_536] * 3)])
    (at, value), = mending.shrunk(document.blueprint, document.schema(), 500_000_000)
    largest, more = (document.but([(at, [width + n for width in value])]).counted().parameters for n in (0, 1))
    assert at == "towers.widths" and largest <= 500_000_000 < more


def test_where_no_single_size_is_enough_all_are_made_smaller():
    document = Document.preset("youtube").but([("towers.widths", [65_536] * 3), ("sharing.widths", [65_536] * 3)])
    found = mending.shrunk(document.blueprint, document.schema(), 20_000_000)
    assert {"towers.widths", "sharing.widths"} <= {path for path, _ in found}
    assert 10_000_000 < document.but(found).counted().parameters <= 20_000_000


@pytest.mark.parametrize("arch, change, cure", [
    ("snapchat", ("losses.kind", "entire_space"), (("losses.click", "swipe"),)),
    ("microsoft", ("interaction.0.kind", "cross"), (("towers.kind", "bare"),)),
    ("mmoe", ("sharing.kind", "direct"), None),
    ("nrms", ("sharing.kind", "ple"), (("concatenation.fields", None), ("towers.kind", "mlp"))),
    ("dnn", ("representation.kind", "one_hot"), (("interaction.0.kind", "linear"), ("towers.kind", "bare"))),
    ("ple", ("losses.kind", "listwise"), (("data", "video"),)),
    ("homedepot", ("towers.kind", "mlp"), (("towers", "as before"),))])
def test_what_is_offered_makes_room_for_what_was_exchanged(arch, change, cure):
    """Who exchanges a component is offered what makes room for it, where anything does, several changes at one press; else other
    data on which it stands, and only where there are none the component of before."""
    before = Document.preset(arch)
    after = before.but([change])
    if cure is None:
        limits.check(after, limits.LOCAL, before.blueprint)
        return
    with pytest.raises(ZooError) as caught:
        limits.check(after, limits.LOCAL, before.blueprint)
    mended = Document.mended(caught.value.tried, caught.value.cure)
    assert mended.check() and (mended == before) == (cure[0][1] == "as before")
    if mended != before:
        assert set(map(str, cure)) <= set(map(str, caught.value.cure))
        slot, _, last = change[0].rpartition(".")
        assert dict(leaves(json.loads(mended.json())["blueprint"]))[f"{slot}.{last}"] == change[1]


@pytest.mark.parametrize("arch", ["din", "bst"])
def test_a_mended_model_goes_on_reading_the_candidate(arch):
    """Pooling makes no vector of the candidate: all that is there is joined then, not the history alone."""
    document = Document.preset(arch).but([("sequence", [{"kind": "pooling"}])])
    blueprint, schema = document.blueprint, document.schema()
    blueprint = blueprint.but(mending.cure(blueprint, mending.Case(schema, blueprint)))
    assert blueprint.concatenation.fields is None and schema.histories[0].fields[0].table in blueprint.offered(schema)


def test_a_slot_in_which_no_kind_can_stand_says_what_the_data_lack():
    """Where every kind is refused, and only there; the systems that are named have such a component and what it needs."""
    for arch, preset in ((arch, Document.preset(arch)) for arch in systems()):
        for slot in ("sequence", "interaction"):
            if preset.blueprint.used(slot):
                continue
            problem, having = lacking(preset, slot)
            assert (problem is not None) == (slot == "sequence" and not preset.schema().histories), (arch, slot)
            if problem:
                assert problem.what == "These data have no history." and having
                assert all(system.blueprint.sequence and Document.preset(system.id).schema().histories for system in having)


def test_what_leaves_a_candidate_stays_level_past_the_corner_of_the_part_below_it():
    """A bar is narrower than the box that it stands on: a steep line from it would run behind the box."""
    blueprint = Blueprint(sequence=(Gru(token=4, width=0, candidate=True),), losses=Pairwise(), tasks=("stars",))
    layout = up_to_the_break(blueprint, SHOP)
    for law in LAWS:
        law(layout)
    edge = next(each for each in layout.edges if each.source == "sequence.0.candidate" and each.target == "concatenation")
    below = layout.boxes["sequence.0"]
    assert edge.start.x < below.right and edge.via[0].right >= below.right and edge.via[0].y == edge.start.y
