"""The row of − and +: within its width, with a sentence for each sign, and a second press at one place is the same press."""
from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from rankzoo.blueprint import SLOTS, Blueprint
from rankzoo.document import Document
from rankzoo.figures.diagram import stepper
from rankzoo.figures.diagram.stepper import Stepped
from rankzoo.figures.tree import Tree
from rankzoo.inspection.steps import Step, heir, steps
from rankzoo.paths import set_at
from rankzoo.registry import systems
from rankzoo.schema import Schema
from tests.strokes import apart, texts
from tests.test_blueprint import stands

PRESSES = 3
SIGN = stepper.SIGN
Corner = tuple[float, float]


def signs(tree: Tree) -> dict[str, Corner]:
    """The upper left corner of every sign."""
    return {part[1]["data-step"]: tuple(map(float, re.findall(r"-?[\d.]+", part[1]["transform"])))
            for part in tree[2] if "data-step" in part[1]}


def row(blueprint: Blueprint, schema: Schema, address: str, preset: Blueprint | None = None) -> tuple[Tree, tuple[Step, ...]]:
    """The row of a part, or of a column without a part of its name, as the page draws it, and its steps."""
    block = next((each for each in blueprint.blocks(schema) if each.address == address), None)
    owner, spec = next((a, s) for a, s in blueprint.specs() if f"{address}.".startswith(f"{a}.") or a == f"{address}.0")
    found = steps(blueprint, schema, owner, spec, block, preset)
    lines = [Stepped(s.key, s.title, s.shown, s.less is not None, s.more is not None, s.gone) for s in found]
    return stepper.draw(lines, block.title if block else address), found


def pressed(blueprint: Blueprint, schema: Schema, step: Step, way: str) -> Blueprint | None:
    """The model after a press; None where it is refused."""
    tree = blueprint.model_dump(mode="json")
    set_at(tree, step.path, getattr(step, way))
    try:
        after = Blueprint.model_validate_json(json.dumps(tree))
    except ValueError:
        return None
    return after if stands(schema, after) else None


def parts(id: str) -> Iterator[str]:
    """Every part of a system, one of those that are told apart by their number or their name alone."""
    document = Document.preset(id)
    schema, seen = document.schema(), set()
    for block in document.blueprint.blocks(schema):
        if not any(block.address == a or block.address.startswith(a + ".") for a, _ in document.blueprint.specs()):
            continue
        _, found = row(document.blueprint, schema, block.address)
        kind = block.slot, block.form, tuple((step.title, step.shown) for step in found)
        if found and kind not in seen:
            seen.add(kind)
            yield block.address


@pytest.mark.parametrize("id", systems())
def test_a_second_press_at_one_place_is_the_same_press(id: str) -> None:
    """Every − and + of every part of every system, pressed three times: the point that was pressed first stays on the sign."""
    document = Document.preset(id)
    schema, tried = document.schema(), 0
    for part in parts(id):
        for sign in signs(row(document.blueprint, schema, part)[0]):
            tried += again(document.blueprint, schema, part, sign)
    assert tried


def again(blueprint: Blueprint, schema: Schema, part: str, sign: str, presses: int = PRESSES) -> int:
    """Press where the sign was until its setting ends, or the part goes and leaves its column; how often it was there."""
    key, way = sign.rsplit(".", 1)
    places = []
    while blueprint and len(places) < presses:
        there = [block.address for block in blueprint.blocks(schema)]
        before, part = part, heir(part, there)
        if part in SLOTS and (part != before or part not in there):
            break
        tree, found = row(blueprint, schema, part)
        step = next((each for each in found if each.key == key), None)
        if step is None or getattr(step, way) is None:
            assert sign not in signs(tree) and step, (part, sign)
            break
        places.append(signs(tree)[sign])
        assert abs(places[-1][0] - places[0][0]) < SIGN / 2 and places[-1][1] == places[0][1], (part, sign, places)
        blueprint = pressed(blueprint, schema, step, way)
    return len(places)


@pytest.mark.parametrize("id", [id for id, each in systems().items() if "experts" in type(each.blueprint.sharing).model_fields])
def test_minus_can_be_pressed_from_sixteen_experts_to_one_where_it_stands(id: str) -> None:
    """The last expert goes with each press, and its number has two digits at first: the next press is on the same sign."""
    document = Document.preset(id).but([("sharing.experts", 16)])
    assert again(document.blueprint, document.schema(), "sharing.expert.15", "sharing.experts.less", 16) == 15


@pytest.mark.parametrize("id", systems())
def test_layers_that_are_all_gone_come_back_where_they_went(id: str) -> None:
    """− of a list of widths to its end, and + from there: its line stays, or goes to the column, and + is the last − undone."""
    document = Document.preset(id)
    schema, seen = document.schema(), set()
    for part in parts(id):
        for key in {step.key for step in row(document.blueprint, schema, part)[1] if step.part == "length"} - seen:
            seen.add(key)
            before, blueprint, held = None, document.blueprint, part
            while blueprint:
                held = heir(held, [block.address for block in blueprint.blocks(schema)])
                tree, found = row(blueprint, schema, held, document.blueprint)
                step, = (each for each in found if each.key == key)
                if before is not None:
                    after = pressed(blueprint, schema, step, "more")
                    assert f"{key}.more" in signs(tree) and (after == before or step.shown != "0"), (held, step)
                before, blueprint = blueprint, pressed(blueprint, schema, step, "less") if step.less is not None else None
            assert before


LINES = [Stepped("a.experts", "Experts", "4", True, True), Stepped("a.widths.0", "Units", "64", False, True),
         Stepped("tasks", "Take it out", "", True, False, True)]


def test_signs_are_buttons_with_a_sentence() -> None:
    found = [part for part in stepper.draw(LINES, "Expert 1")[2] if "data-step" in part[1]]
    assert [part[1]["data-step"] for part in found] == ["a.experts.less", "a.experts.more", "a.widths.0.more", "tasks.less"]
    assert [part[1]["data-first"] for part in found if "data-first" in part[1]] == ["less", "more"], "for the keys − and +"
    assert all(part[1]["role"] == "button" and part[1]["aria-label"] for part in found)


def test_a_sign_that_has_come_to_its_end_stays_and_reports_nothing() -> None:
    """It keeps its key, so that the browser keeps it, and the focus on it."""
    ended, = (part for part in stepper.draw(LINES, "Expert 1")[2] if part[1].get("aria-disabled"))
    assert ended[1]["data-key"] == "step.a.widths.0.less" and ended[1]["tabindex"] == 0 and ended[1]["aria-label"]
    assert "data-step" not in ended[1]


def test_the_row_is_labelled_by_what_it_holds() -> None:
    labels = [stepper.draw(lines, name)[1]["aria-label"] for lines, name in ((LINES, "Expert 1"), ((), "Gate click"), ((), ""))]
    assert labels[0] == "The selected part's settings" and labels[1].startswith("Gate click: ") and "Click a part" in labels[2]


@pytest.mark.parametrize("count", [0, 1, 4, 12])
def test_everything_of_the_row_is_inside_it_and_nothing_covers_anything(count: int) -> None:
    """Of as many settings as there are; those that have no room are told by their number."""
    tree = stepper.draw([Stepped(f"a.{i}", f"Units, layer {i}", "8,192", True, True) for i in range(count)], "Expert 1")
    assert_inside(tree)
    shown = len(signs(tree)) // 2
    said = [words for words, _ in texts(tree) if words.endswith("below the drawing") and words[0].isdigit()]
    assert shown == min(count, shown or count) and said == ([f"{count - shown} more below the drawing"] if shown < count else [])
    assert count < 5 or 5 <= shown < count


def assert_inside(tree: Tree) -> None:
    *_, width, height = map(float, tree[1]["viewBox"].split())
    drawn = [box for _, box in texts(tree)]
    assert drawn and all(0 <= box.x and box.right <= width and 0 <= box.y and box.bottom <= height for box in drawn)
    assert all(apart(one, other) for i, one in enumerate(drawn) for other in drawn[:i])
    assert all(0 <= x <= width - SIGN and 0 <= y <= height - SIGN for x, y in signs(tree).values())
    assert (width, height) == (stepper.WIDTH, stepper.HEIGHT)


@pytest.mark.parametrize("id", systems())
def test_the_row_is_as_high_whatever_is_selected(id: str) -> None:
    """Every part of every system, one without settings, and none: a click moves nothing below it."""
    document = Document.preset(id)
    for tree in (stepper.draw((), ""), stepper.draw((), "Gate click"),
                 *(row(document.blueprint, document.schema(), part)[0] for part in parts(id))):
        assert_inside(tree)


def test_the_hint_can_be_read_on_a_phone_without_scrolling() -> None:
    """390 pixels less the page's margins, where the row is drawn as small as it may be."""
    assert max(box.right for _, box in texts(stepper.draw((), ""))) * 0.848 < 358


def test_what_went_by_a_press_leaves_the_one_before_it() -> None:
    there = ["sharing.expert.0", "sharing.expert.2", "sharing.level.0.own.click.0", "losses.like"]
    assert heir("sharing.expert.2", there) == "sharing.expert.2" and heir("sharing.expert.4", there) == "sharing.expert.2"
    assert heir("sharing.level.1.own.click.0", there) == "sharing.level.0.own.click.0"
    assert heir("losses.click", there) == "losses" and heir("", there) == "", "else its column"
    assert heir("interaction.1.layer.2", ["interaction.0.layer.2", "interaction.1.layer.0"]) == "interaction.1.layer.0"
    assert heir("interaction.1.layer.0", ["interaction.0.layer.0"]) == "interaction", "another component is no part's heir"
