"""What is watched of attention: the mean weight by how recent an item is, from the rows to the diagram."""
from __future__ import annotations

import re

import pytest
import torch

from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.document import Document
from rankzoo.export.picture import Learned, drawn, layout_of, learned
from rankzoo.figures.diagram.nodes import history_rows
from rankzoo.registry import systems
from rankzoo.runs.tables import Point
from rankzoo.training.fit import Fit
from rankzoo.training.watch import ITEMS, by_age, watched
from tests.support import small
from tests.visits import every, words


def test_by_age_by_hand():
    """Two rows of three places; the second row holds one item: its weight counts among the newest alone."""
    weights = torch.tensor([[0.2, 0.3, 0.5], [1.0, 9.0, 9.0]])
    mask = torch.tensor([[True, True, True], [True, False, False]])
    assert by_age(weights, mask) == pytest.approx([(0.5 + 1.0) / 2, 0.3, 0.2])
    assert by_age(weights, torch.zeros_like(mask)) == [] and by_age(weights[:0], mask[:0]) == []
    assert len(by_age(torch.ones(1, 30), torch.ones(1, 30, dtype=torch.bool))) == ITEMS


def test_a_training_watches_it_and_the_diagram_shows_it():
    """DIN: as many points as rows of its history are drawn, and the diagram has their numbers, the newest item last."""
    document = Document.preset("din").but([("settings.steps", 2)])
    dataset = small("history", 600)
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    last = [step for step in fit if step.points][0].points
    found = [last[f"item.sequence.0.weight.{k}"] for k in range(ITEMS)]
    inside = learned(document.schema(), [Point(1, name, value) for name, value in last.items()], {})
    assert inside.attention == {"sequence.0": tuple(reversed(found))}
    said = words(drawn(document, inside))
    rows = [block for block in layout_of(document.blueprint, document.schema()).blocks.values() if block.form == "history"]
    assert len(rows) == 1 and [each for each in said if each == f"{found[0]:.2f}"]
    assert any("by how recent" in each for each in said) and not any("by how recent" in each for each in words(drawn(document)))


NUMBER = re.compile(r"−?\d\.\d\d|1/n|[01]")


def shown(document: Document, inside: Learned) -> tuple[int, int]:
    """How many weights a diagram writes: into the rows of its histories, and on the way from a scorer into its sum."""
    trees = [each for each in every(drawn(document, inside)) if "data-id" in each[1] or "data-key" in each[1]]
    layout = layout_of(document.blueprint, document.schema())
    past = {address for address, block in layout.blocks.items() if block.form == "history"}
    ways = {f"{edge.source}>{edge.target}" for edge in layout.edges if edge.kind == "attend"}
    counted = [sum(bool(NUMBER.fullmatch(word)) for tree in trees if tree[1].get(name) in these for word in words(tree))
               for name, these in (("data-id", past), ("data-key", ways))]
    return counted[0], counted[1]


def watching(document: Document) -> tuple[Learned, list[int]]:
    """What a first look into a model finds, and how many rows each history that it weighs shows."""
    dataset, layout = small(document.data, 300), layout_of(document.blueprint, document.schema())
    points = watched(document.model(dataset.schema), dataset.part("train"))
    weighed = [block.past for place in document.blueprint.places(dataset.schema) if "attention" in place.spec.keeps
               for block in place.spec.draw(place.shape).blocks if block.past]
    return (learned(document.schema(), [Point(1, name, value) for name, value in points.items()], {}),
            [history_rows(layout.boxes[f"representation.{name}"]) for name in weighed])


@pytest.mark.parametrize("id", [id for id, system in systems().items()
                                if any("attention" in spec.keeps for spec in system.blueprint.sequence)])
def test_a_trained_attention_writes_a_number_for_every_row_of_its_history(id: str):
    """Whoever weighs, and whatever stands between the history and it; what is said of the numbers stands where they do."""
    document = Document.preset(id)
    inside, rows = watching(document)
    assert rows and len(rows) == len(inside.attention) and sum(shown(document, inside)) == sum(rows)
    fixed = all(spec.kind == "pooling" for spec in document.blueprint.sequence)
    assert any("by how recent" in each for each in words(drawn(document, inside))) is not fixed
    assert sum(shown(document, Learned())) == (sum(rows) if fixed else 0)


@pytest.mark.parametrize("read, said", [("mean", ["1/n"] * 4), ("last", ["0", "0", "0", "1"])])
def test_what_is_fixed_is_written_before_and_after_training(read: str, said: list[str]):
    """Home Depot's encoder: nothing is learned of how its items are read, so nothing is dashed, nor called attention."""
    document = Document.preset("homedepot").but([("sequence.0.read", read)])
    for inside in (Learned(), watching(document)[0]):
        tree = drawn(document, inside)
        way = next(each for each in every(tree) if str(each[1].get("data-key", "")).endswith(">sequence.0.sum"))
        assert words(way) == said and not any("dashed" in str(each[1].get("class")) for each in every(way))
        assert not any("by how recent" in each for each in words(tree))


def test_an_encoder_that_asks_its_items_shows_what_it_learned():
    document = Document.preset("homedepot").but([("sequence.0.read", "attention")])
    inside, rows = watching(document)
    assert shown(document, inside) == (0, sum(rows)) == (0, 4) and shown(document, Learned()) == (0, 0)


def test_what_rewrote_a_history_before_it_was_weighed_is_named():
    notes = {id: [each for each in words(drawn(document, watching(document)[0])) if "by how recent" in each]
             for id, document in ((id, Document.preset(id)) for id in ("din", "nrms", "alibaba"))}
    assert notes["nrms"][0].endswith("of what self attention made of it") and notes["din"][0].endswith("recent the item is")
    assert notes["alibaba"][0].endswith("of what LSTM, self attention made of it")


def test_answers_to_a_query_are_no_items():
    """What attention weighs behind a query's answers, or its ways of reading, has no row in the history that they are made of."""
    asks = [spec for spec in Document.preset("alibaba").blueprint.sequence if spec.kind in ("query_unit", "ask")][:2]
    behind = AdditiveAttention(history=asks[1].history)
    document = Document.preset("alibaba")
    places, _ = document.blueprint.model_copy(update={"sequence": (*asks, behind)}).reached(document.schema())
    asking, answers = ([block.past for block in place.spec.draw(place.shape).blocks if block.past]
                       for place in places if place.address in ("sequence.1", "sequence.2"))
    assert asking == [asks[1].history] and not answers


def test_a_run_from_before_it_was_watched_is_drawn_as_ever():
    document = Document.preset("din")
    inside = learned(document.schema(), [Point(1, "attention.sequence.0.weight", 0.5)], {})
    assert inside.attention == {} and drawn(document, inside) == drawn(document)
