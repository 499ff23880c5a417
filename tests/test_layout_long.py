"""What stands in a node keeps to it however many layers it has, and however many nodes it stands for."""
from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.export.picture import layout_of
from rankzoo.figures.layout import Layout, arrange
from rankzoo.inspection.provenance import is_size
from rankzoo.paths import leaves
from rankzoo.registry import systems
from tests import test_layout as drawn
from tests.test_layout import of_system

INSIDE = (drawn.test_a_network_shows_all_of_its_layers_or_that_some_are_left_out, drawn.test_no_badge_covers_a_word,
          drawn.test_words_fit_their_nodes)
WIDTHS = (8, 1024, 16, 20_000, 64, 256, 4, 32)


@pytest.mark.parametrize("id", systems())
def test_longer_networks_keep_to_their_nodes(id: str) -> None:
    """Every network of a preset with three to eight layers, in whatever node it has there: high, low or narrow."""
    before = of_system(id)
    for many in (3, 4, 8):
        after = arrange([replace(block, units=(*WIDTHS[:many - 1], *block.units[-1:])) if block.units and not block.skips and
                         block.form in ("expert", "tower", "bias_tower", "scorer") else block
                         for block in before.blocks.values()], before.columns)
        assert after.boxes.keys() == before.boxes.keys()
        for law in INSIDE:
            law(after)


def repeated(preset: Document) -> Iterator[Layout]:
    """A preset with one to eight of its blocks, cross layers or equal maps."""
    for path, value in leaves(json.loads(preset.blueprint.model_dump_json())):
        counted = path.endswith((".blocks", ".layers"))
        if path.startswith(("sequence", "interaction")) and (counted or isinstance(value, list) and value and is_size(value)):
            for many in range(1, 9):
                try:
                    document = preset.but([(path, many if counted else value[:1] * many)])
                except ZooError:  # there may not be as many
                    continue
                yield layout_of(document.blueprint, document.schema())


@pytest.mark.parametrize("id", systems())
def test_what_stands_for_several_keeps_its_name_and_its_number_apart(id: str) -> None:
    badges = 0
    for layout in repeated(Document.preset(id)):
        badges += sum(layout.blocks[address].form in ("cross", "scorer") for address in layout.counts)
        for law in INSIDE:
            law(layout)
    assert badges or id not in ("bst", "homedepot", "dcn", "dcn_v2", "snapchat")
