"""What makes the vectors of items is drawn as parts: the tables of attributes or words, and the node that makes items of them."""
from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.attributes import Attributes
from rankzoo.document import Document
from rankzoo.export.picture import layout_of
from rankzoo.figures.diagram import draw
from rankzoo.figures.diagram.state import parameter_shares
from rankzoo.figures.layout import arrange
from rankzoo.inspection.embeddings import computed
from rankzoo.inspection.part import anatomy
from rankzoo.inspection.steps import steps
from rankzoo.model import RankingModel
from rankzoo.paths import set_at
from rankzoo.registry import systems
from rankzoo.shape import Block
from tests.drawings import columns
from tests.strokes import texts

ITEMS = [id for id in systems() if Document.preset(id).schema().catalogue]


def blocks_of(id: str) -> dict[str, Block]:
    document = Document.preset(id)
    return {block.address: block for block in document.blueprint.blocks(document.schema())}


def test_these_systems_have_items() -> None:
    assert {"spotify", "homedepot", "huawei", "microsoft", "alibaba"} <= set(ITEMS)


@pytest.mark.parametrize("id", ITEMS)
def test_no_table_is_drawn_that_the_model_has_not(id: str) -> None:
    """Rows and width of every table of the drawing are those of a table that is counted, and none is missing."""
    document = Document.preset(id)
    counted = {f"representation.{part.path}": part.parameters
               for part in document.blueprint.representation.count(document.blueprint.places(document.schema())[0].shape).parts
               if part.table}
    drawn = {address: block.units[0] * block.units[-1] for address, block in blocks_of(id).items()
             if block.form == "feature" and block.parameters}
    assert drawn == counted


@pytest.mark.parametrize("id, reads, units, own", [
    ("spotify", {"dense ×12": 12}, (128, 64), 2 * 12 * 128 + 2 * 128 * 64),
    ("homedepot", {"category": 16, "subcategory": 16, "brand": 16, "price": 16, "title": 16}, (80,), 0),
    ("alibaba", {"item": 32, "category": 8, "brand": 8, "title": 32}, (80,), 0), ("microsoft", {"title": 32}, (32,), 18688)])
def test_an_item_s_node_reads_its_attributes_and_owns_what_makes_its_vector(id: str, reads: dict, units: tuple, own: int) -> None:
    document = Document.preset(id)
    blocks, count = blocks_of(id), document.blueprint.count(document.schema())
    node = next(block for block in blocks.values() if block.form == "item")
    said = anatomy(node, tuple(blocks.values()), document.blueprint.representation, count, ())
    assert dict(said.inputs.reads) == reads and node.units == units
    assert said.count.parameters == node.parameters == own and said.sizes == (sum(reads.values()), *units)


def test_what_makes_items_is_dense_as_in_the_readout() -> None:
    """Spotify has no table at all: its layers are a share of the dense parameters, beside the towers."""
    document = Document.preset("spotify")
    layout, count = layout_of(document.blueprint, document.schema()), document.blueprint.count(document.schema())
    assert count.embedding == 0
    assert parameter_shares(layout)["representation.track"] == pytest.approx(19_456 / count.dense)


@pytest.mark.parametrize("id, words", [("spotify", "2 layers over neighbours · mean"), ("spotify", "128 → 64"),
                                       ("homedepot", "side by side"), ("microsoft", "our encoder ×2 · attention pooling"),
                                       ("huawei", "our encoder ×2 · [CLS]")])
def test_how_items_are_made_is_said_in_full(id: str, words: str) -> None:
    document = Document.preset(id)
    assert words in [said for said, _ in texts(draw(layout_of(document.blueprint, document.schema())))]


@pytest.mark.parametrize("id, address, rows", [("homedepot", "representation.product.brand", 41),
                                               ("microsoft", "representation.news.title", 601),
                                               ("alibaba", "representation.item.item", 3001),
                                               ("din", "representation.history", 0)])
def test_a_size_of_a_part_is_that_of_its_own_tables(id: str, address: str, rows: int) -> None:
    """Every size that is offered for a row of the first column is a size that it has, and changes its own table."""
    document = Document.preset(id)
    schema, block, spec = document.schema(), blocks_of(id)[address], document.blueprint.representation
    found = [step for step in steps(document.blueprint, schema, "representation", spec, block) if not step.gone]
    assert [step.path for step in found] == ["representation.dims"] * len(found) and found
    for step in found:
        tree = document.blueprint.model_dump(mode="json")
        set_at(tree, step.path, step.more)
        wider = Blueprint.model_validate_json(json.dumps(tree)).representation.tables(schema)
        was = spec.tables(schema)
        assert {name for name in was if wider[name] != was[name]} == {step.part}
        assert wider[step.part] == (rows or was[step.part][0], 2 * int(step.shown))
    if id == "din":
        assert [step.title for step in found] == ["Embedding size, age", "Embedding size, dwell"]


@pytest.mark.parametrize("id, said", [("alibaba", "5 inputs, 4 attributes"), ("homedepot", "1 input, 5 attributes"),
                                      ("microsoft", "2 inputs, 1 attribute"), ("din", "2 inputs")])
def test_the_head_of_the_column_counts_attributes_too(id: str, said: str) -> None:
    document = Document.preset(id)
    column = layout_of(document.blueprint, document.schema()).columns[0]
    assert column.detail.startswith(said) if id != "din" else "attribute" not in column.detail


@pytest.mark.parametrize("id, name, of", [("spotify", "track", True), ("homedepot", "product", True), ("microsoft", "news", True),
                                          ("alibaba", "item", False), ("din", "item", False)])
def test_a_vector_belongs_to_an_item_or_is_computed(id: str, name: str, of: bool) -> None:
    """Alibaba's items have their id's row among others, DIN's nothing else."""
    document = Document.preset(id)
    model = RankingModel(document.blueprint, document.schema())
    assert computed(SimpleNamespace(dataset=SimpleNamespace(schema=document.schema()), model=model), name) is of


def test_the_words_of_a_query_are_no_past_items() -> None:
    document = Document.preset("alibaba")
    said = [words for words, _ in texts(draw(layout_of(document.blueprint, document.schema())))]
    assert "word 4" in said and "past item 4" not in said and "past item 20" in said


def test_what_only_past_items_read_stands_back_too() -> None:
    """The line from an attribute to its node passes beside every row between them."""
    document = Document.preset("alibaba")
    place = document.blueprint.places(document.schema())[0]
    blocks = Attributes(items=("category",)).draw(place.shape).blocks
    layout = arrange(blocks, columns(blocks))
    rows = [address for address, block in layout.blocks.items() if block.group == "made" and block.form != "item"]
    assert len(rows) == 2 and {layout.boxes[address].x for address in rows} == {14.0}
