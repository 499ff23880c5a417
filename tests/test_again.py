"""x₀ enters the layers of a cross network again: the drawing and the caption say so of exactly those that read it."""
from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from torch import Tensor

from rankzoo.blueprint import Blueprint
from rankzoo.document import Document
from rankzoo.export.picture import layout_of
from rankzoo.figures.diagram import draw
from rankzoo.figures.layout import Layout
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Schema
from rankzoo.signals import Batch
from tests.drawings import walk
from tests.strokes import along
from tests.support import OFF, random_batch
from tests.test_blueprint import ANY, BATCHES, stands
from tests.test_layout import LAWS
from tests.test_part import dissected


def read_twice(model: RankingModel, batch: Batch) -> dict[str, int]:
    """By the address of a cross network's layer: how many numbers of a row what the first of these layers read has, where it is
    read once more beside another vector; else 0."""
    found: dict[str, int] = {}
    began: dict[str, Tensor] = {}

    def look(address: str, given: tuple[object, ...]) -> None:
        read = [each for each in given if isinstance(each, Tensor)]
        if read:
            first = began.setdefault(address.rpartition(".")[0], read[0])
            again = any(each is first for each in read) and not all(each is first for each in read)
            found[address] = first[0].numel() if again else 0

    hooks = [module.register_forward_pre_hook(lambda _, given, path=path: look(path, given))
             for path, module in model.named_modules() if path.startswith("interaction.")]
    with torch.no_grad():
        model.eval()(batch, OFF)
    for hook in hooks:
        hook.remove()
    return found


def assert_read_again(blueprint: Blueprint, schema: Schema, batch: Batch) -> int:
    """Every cross whose module reads x₀ beside another vector says so, with as many numbers, and no other does; how many."""
    blocks = [each for each in blueprint.blocks(schema) if each.form == "cross"]
    found = read_twice(RankingModel(blueprint, schema), batch) if blocks else {}
    told = {block.address: inner.inputs.again for block, inner in dissected(blueprint, schema)}
    for block in blocks:
        assert block.again == found.get(block.address, 0), block
        assert told[block.address] == ((("x₀", block.again),) if block.again else ())
    return sum(block.again > 0 for block in blocks)


def assert_drawn(layout: Layout) -> None:
    """A dashed line ends at the top of every such layer, in the order of the layers, and at no other."""
    again = [address for address, block in layout.blocks.items() if block.again]
    ends = set()
    for part, _, _ in walk(draw(layout)):
        if str(part[1].get("data-key", "")).endswith(".again"):
            line = next(each for each in part[2] if each[0] == "path")
            points = list(along(line[1]["d"]))
            ends |= {address for address in again for x, y in points
                     if abs(x - layout.boxes[address].cx) < 0.1 and abs(y - layout.boxes[address].y) < 0.1}
            assert set(part[1]["data-rel"].split("\n")) & set(again)
    assert ends == set(again)


@pytest.mark.parametrize("id", list(systems()))
def test_what_reads_x0_again_says_so(id: str) -> None:
    document = Document.preset(id)
    schema = document.schema()
    assert_read_again(document.blueprint, schema, random_batch(schema, 3))
    assert_drawn(layout_of(document.blueprint, schema))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(ANY)
def test_any_cross_that_reads_x0_again_says_so(drawn) -> None:
    schema, blueprint = drawn
    assume(stands(schema, blueprint))
    assume(blueprint.interaction)
    assert_read_again(blueprint, schema, BATCHES[schema])
    assert_drawn(layout_of(blueprint, schema))


def test_by_hand() -> None:
    """Snapchat crosses 64 numbers of the user and 52 of the item, twice each; xDeepFM's second layer multiplies 8 maps with all
    14 fields of 16 numbers, as its count of 8 × 8 × 14 says."""
    def again(id: str) -> dict[str, int]:
        document = Document.preset(id)
        return {b.address: b.again for b in document.blueprint.blocks(document.schema()) if b.again}
    assert again("snapchat") == {"interaction.0.user.cross.1": 64, "interaction.0.item.cross.1": 52}
    assert again("xdeepfm") == {"interaction.1.layer.1": 14 * 16}
    assert again("dcn_v2") and not again("autoint") and not again("dlrm") and not again("deepfm")


@pytest.mark.parametrize("kinds", [["cross", "cross_v2"], ["cross_v2", "cin"], ["sided", "cross_v2"], ["cin", "sided", "cross"]])
def test_several_networks_of_crosses_keep_the_laws_of_a_layout(kinds: list[str]) -> None:
    document = Document.preset("xdeepfm").but([("interaction", [{"kind": kind} for kind in kinds])])
    layout = layout_of(document.blueprint, document.schema())
    assert_drawn(layout)
    for law in LAWS:
        law(layout)
