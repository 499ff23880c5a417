"""An edit moves only what it must, as plainly defined below: presses of − and + on parts of every system and of random models."""
from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

from rankzoo.blueprint import Blueprint
from rankzoo.document import Document
from rankzoo.export.picture import layout_of
from rankzoo.figures.layout import Box, Layout
from rankzoo.figures.theme import SLOTS
from rankzoo.inspection.steps import steps
from rankzoo.paths import set_at
from rankzoo.registry import systems
from rankzoo.schema import Schema
from tests.test_blueprint import ANY, stands

EACH = 8
"""Edits that are tried of one model."""
BESIDE = ("representation", "sequence")
BY_TASK = ("sharing", "towers", "losses")


def edited(schema: Schema, blueprint: Blueprint) -> Iterator[tuple[str, Blueprint]]:
    """Some of what one press of − or + leads to: the setting and the model that then stands."""
    specs, known = dict(blueprint.specs()), {}
    for block in blueprint.blocks(schema):
        address = next((a for a in specs if block.address == a or block.address.startswith(a + ".")), None)
        for step in steps(blueprint, schema, address, specs[address], block) if address else ():
            known |= {(step.path, repr(value)): value for value in (step.less, step.more) if value is not None}
    found = 0
    for each in random.Random(0).sample(sorted(known), len(known)):
        path, value = each[0], known[each]
        tree = blueprint.model_dump(mode="json")
        set_at(tree, path, value)
        try:
            after = Blueprint.model_validate_json(json.dumps(tree))
        except ValueError:
            continue
        if stands(schema, after):
            yield path, after
            found += 1
        if found == EACH:
            return


def own(path: str, *layouts: Layout) -> tuple[str, ...]:
    """The columns that an edit may change: that of its setting; with the features the attention that stands beside its rows; of a
    task that goes, all that is by task; where experts stand in bands, before or after, towers and heads are on their lines."""
    slot = path.split(".")[0]
    sharing = BY_TASK if any(each.bands for each in layouts) else ("sharing",)
    return {"tasks": BY_TASK, "without": BESIDE, "representation": BESIDE, "sharing": sharing}.get(slot, (slot,))


def assert_still(before: Layout, after: Layout, path: str) -> None:
    """Nothing changes places in a column, but that shared experts stay in the middle where a task goes. Outside its own columns,
    and those in which a part comes or goes by it, nothing moves up or down unless the frame becomes higher or lower or all is
    drawn tighter or looser, and nothing sideways unless what stands side by side in these columns becomes wider or narrower, more
    or less."""
    both, gone = [a for a in before.boxes if a in after.boxes], before.boxes.keys() ^ after.boxes.keys()
    mine = {*own(path, before, after), *((before if a in before.boxes else after).blocks[a].slot for a in gone)}
    for slot in SLOTS:
        inside = [a for a in both if before.blocks[a].slot == slot and (path != "tasks" or before.blocks[a].task)]
        orders = [sorted(inside, key=lambda a: (round(each.boxes[a].x, 2), each.boxes[a].y)) for each in (before, after)]
        assert orders[0] == orders[1], (path, slot)
    others = [a for a in both if before.blocks[a].slot not in mine]
    if before.frame.h == after.frame.h and before.scale == after.scale:
        assert [a for a in others if not near(before.boxes[a].cy, after.boxes[a].cy)] == [], path
    if all(ranks(before, slot) == ranks(after, slot) for slot in mine):
        assert [a for a in others if not near(before.boxes[a].x, after.boxes[a].x)] == [], path


def ranks(layout: Layout, slot: str) -> list[tuple[int, float, tuple[str, ...]]]:
    """What stands beside one another in a column: how wide it is, and of which forms, which decide upon the room between."""
    inside = [(round(box.cx), box.w, layout.blocks[a].form) for a, box in layout.boxes.items() if layout.blocks[a].slot == slot]
    places = sorted({x for x, _, _ in inside})
    return [(i, round(max(w for at, w, _ in inside if at == x), 1), tuple(sorted({form for at, _, form in inside if at == x})))
            for i, x in enumerate(places)]


def near(one: float, other: float) -> bool:
    return abs(one - other) < 0.01


@pytest.mark.parametrize("id", systems())
def test_an_edit_of_a_system_moves_only_what_it_must(id: str) -> None:
    document = Document.preset(id)
    schema = document.schema()
    before, count = layout_of(document.blueprint, schema), 0
    for path, after in edited(schema, document.blueprint):
        assert_still(before, layout_of(after, schema), path)
        count += 1
    assert count


@settings(max_examples=60, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))
@given(ANY)
def test_an_edit_of_any_model_moves_only_what_it_must(drawn) -> None:
    schema, blueprint = drawn
    assume(stands(schema, blueprint))
    before = layout_of(blueprint, schema)
    for path, after in edited(schema, blueprint):
        assert_still(before, layout_of(after, schema), path)


def test_what_moves_is_seen() -> None:
    """The law can fail: a head a little lower, a row among others."""
    document = Document.preset("youtube")
    before = layout_of(document.blueprint, document.schema())
    for address, dx, dy in (("losses.click", 0, 1), ("towers.like", 3, 0), ("representation.hour", 0, -200)):
        box = before.boxes[address]
        moved = before.boxes | {address: Box(box.x + dx, box.y + dy, box.w, box.h)}
        with pytest.raises(AssertionError):
            assert_still(before, replace(before, boxes=moved), "sharing.experts")
