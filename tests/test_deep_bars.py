"""A deep network is drawn as it runs: a bar for each of its layers, as wide as what leaves it, and a way past the layers of each
residual unit."""
from __future__ import annotations

import re

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from torch import nn

from rankzoo.blueprint import Blueprint
from rankzoo.document import Document
from rankzoo.export.picture import layout_of
from rankzoo.figures.diagram import draw
from rankzoo.figures.diagram.marks import side_bars
from rankzoo.figures.layout.sizes import shown_skips
from rankzoo.figures.layout.types import Box
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Schema
from rankzoo.signals import Batch
from tests.drawings import walk
from tests.support import OFF, random_batch
from tests.test_blueprint import ANY, BATCHES, stands
from tests.test_layout import LAWS


def ran(model: RankingModel, batch: Batch) -> dict[str, list[tuple[int, int]]]:
    """What every linear map of the towers read and made, (numbers, numbers), in the order in which they ran, by their path."""
    found: dict[str, list[tuple[int, int]]] = {}
    linear = [(path, module) for path, module in model.towers.named_modules() if isinstance(module, nn.Linear)]
    hooks = [module.register_forward_hook(lambda _, given, made, path=path: found.setdefault(path, []).append(
        (given[0].shape[-1], made.shape[-1]))) for path, module in linear]
    with torch.no_grad():
        model.eval()(batch, OFF)
    for hook in hooks:
        hook.remove()
    return found


def assert_drawn_as_run(blueprint: Blueprint, schema: Schema, batch: Batch) -> int:
    """Every hidden layer of every tower is a bar of its width, in order; how many towers have one."""
    maps = ran(RankingModel(blueprint, schema), batch)
    towers = [b for b in blueprint.blocks(schema) if b.address.startswith("towers.") and b.task and b.form == "tower"]
    seen = 0
    for block in towers:
        name = re.escape(block.address.removeprefix("towers."))
        hidden = [sizes for path, runs in maps.items() if re.match(rf"(deep\.)?{name}\.", path) for sizes in runs[:1]]
        widths = [made for _, made in hidden]
        first = [hidden[0][0]] if block.skips else []
        assert list(block.units[:-1]) == first + widths, (block, hidden)
        seen += bool(hidden)
    return seen


@pytest.mark.parametrize("id", list(systems()))
def test_bars_are_the_layers_that_run(id: str) -> None:
    document = Document.preset(id)
    schema = document.schema()
    assert assert_drawn_as_run(document.blueprint, schema, random_batch(schema, 4)) or not getattr(
        document.blueprint.towers, "widths", ())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(ANY)
def test_bars_are_the_layers_that_run_for_every_kind_of_tower(drawn) -> None:
    schema, blueprint = drawn
    assume(stands(schema, blueprint))
    assert_drawn_as_run(blueprint, schema, BATCHES[schema])


def pluses(tree) -> int:
    """How many ⊕ a drawing has."""
    return sum(part[1].get("class") == "sign" for part, _, _ in walk(tree))


def test_a_residual_unit_has_a_way_past_its_layers() -> None:
    """164 → 256 → 164 → 128 → 164 → 64 → 164 → 1, and three times what enters is added to what leaves; DNN has the same hidden
    widths and none of it."""
    document, plain = Document.preset("deep_crossing"), Document.preset("dnn")
    block = next(b for b in document.blueprint.blocks(document.schema()) if b.address == "towers.click")
    assert block.units == (164, 256, 164, 128, 164, 64, 164, 1) and block.skips == ((0, 2), (2, 4), (4, 6))
    assert [pluses(draw(layout_of(each.blueprint, each.schema()))) for each in (document, plain)] == [3 + 3, 3]


@pytest.mark.parametrize("units", [(8,), (8, 4), (256, 128, 64, 32, 16, 8, 4, 2)])
@pytest.mark.parametrize("id, tasks", [("deep_crossing", 1), ("shared_bottom", 2), ("ple", 8)])
def test_any_number_of_units_keeps_the_laws_of_a_layout(units: tuple[int, ...], id: str, tasks: int) -> None:
    document = Document.preset(id).but([("towers", {"kind": "residual", "units": units})])
    layout = layout_of(document.blueprint, document.schema())
    for law in LAWS:
        law(layout)
    assert pluses(draw(layout)) >= len(document.blueprint.tasks)


def test_ways_past_what_has_no_room_are_one() -> None:
    """Of eight bars three are shown, the first and the last two: all three units lie between the first two of them."""
    assert shown_skips((9,) * 7 + (1,), ((0, 2), (2, 4), (4, 6))) == [(0, 1)]
    assert shown_skips((9, 4, 9), ((0, 2),)) == [(0, 2)]
    assert shown_skips((9, 4, 2, 1), ()) == []


@pytest.mark.parametrize("width, begins", [(200.0, 14.0), (100.0, 12.0)])
def test_a_low_box_shows_the_way_past_layers_too(width: float, begins: float):
    """From the first of three bars, or from the dashed arrow where that is left out, to the third; a plain network has none."""
    box = Box(10, 22, width, 16)
    wires = [each for each in side_bars((32, 64, 32), box, ((0, 2),)) if each[1].get("class") == "wire"]
    assert len(wires) == 1 and wires[0][1]["d"].startswith(f"M{begins} 22.0v-2H")
    assert not [each for each in side_bars((32, 64, 32), box) if each[1].get("class") == "wire"]
