"""Advice: no preset gives a reason for any, each rule sees its case, and its cure mends it."""
from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import assume, settings
from hypothesis import given as given_any

from rankzoo.blueprint import SLOTS, Blueprint, Place, kinds
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.exchange import exchanged
from rankzoo.inspection.advice import LAYERS, Advice, advice, bottleneck, layers, lonely, power, swollen, thin
from rankzoo.inspection.steps import steps
from rankzoo.paths import leaves
from rankzoo.registry import systems
from rankzoo.schema import Schema
from rankzoo.shape import Shape
from tests.test_blueprint import ANY, SHOP, stands

BUILT = list(systems())
Planted = Iterator[tuple[str, Document, Schema, str, list[tuple[str, object]]]]
"""System, document, data, the address of the warning, what plants it."""


def given(document: Document):
    return advice(document.blueprint, document.schema())


@pytest.mark.parametrize("id", BUILT)
def test_no_preset_gives_a_reason(id: str):
    assert given(Document.preset(id)) == ()


@pytest.mark.parametrize("id, changes, at", [
    ("dnn", [("towers.widths", [256, 1, 64])], "towers.widths"),
    ("youtube", [("sharing.bottom", [2])], "sharing.bottom"),
    ("din", [("sequence.0.unit", [80, 1])], "sequence.0.unit"),
    ("dnn", [("towers.widths", [4096])], "towers.widths"),
    ("shared_bottom", [("sharing.widths", [1024, 32])], "sharing.widths"),
    ("mmoe", [("sharing.experts", 1)], "sharing.experts"),
    ("ple", [("sharing.own", 1), ("sharing.shared", 0)], "sharing.shared"),
    ("ple", [("sharing.own", 0), ("sharing.shared", 1)], "sharing.own"),
    ("mmoe", [("tasks", ["click"])], "sharing.kind"),
    ("dnn", [("representation.dim", 256)], "representation.dim"),
    ("dnn", [("representation.dim", 64)], "representation.dim"),
    ("dcn_v2", [("interaction.0.rank", 164)], "interaction.0.rank"),
    ("dcn_v2", [("interaction.0.rank", 41), ("interaction.0.experts", 4)], "interaction.0.rank"),
    ("din", [("sequence", []), ("concatenation.fields", None), ("concatenation.products", [])], "sequence"),
    ("youtube", [("representation.dims", {"device": 64})], "representation.dims"),
    ("youtube", [("towers.drop_position", 0.8)], "towers.drop_position"),
    ("dnn", [("towers.dropout", 0.6)], "towers.dropout"),
    ("youtube", [("towers.widths", [20])], "towers.widths"),
    ("dcn_v2", [("interaction.0.rank", 1)], "interaction.0.rank"),
    ("mmoe", [("losses.weights", dict.fromkeys(("click", "completion", "like", "dismiss"), 0.0))], "losses.weights"),
    ("mmoe", [("losses.weights", {"like": 0.0})], "losses.weights"),
    ("microsoft", [("concatenation.fields", None), ("towers.kind", "mlp")], "concatenation.fields"),
    ("microsoft", [("concatenation.fields", ["news", "candidate"]), ("towers.kind", "mlp")], "concatenation.fields"),
    ("microsoft", [("sequence", [{"kind": "query_attention"}]), ("towers.kind", "mlp"), ("towers.widths", [64]),
                   ("concatenation.fields", None)], "concatenation.fields"),
])
def test_a_rule_sees_its_case_and_its_cure_mends_it(id, changes, at):
    document = Document.preset(id).but(changes)
    found = [each for each in given(document) if each.at == at]
    assert len(found) == 1 and found[0].said().count("{") == 0
    assert found[0].label.format(**found[0].values)
    mended = document.but(found[0].cure)
    assert at not in [each.at for each in given(mended)]


@pytest.mark.parametrize("id", [id for id in BUILT if len(Document.preset(id).blueprint.tasks) > 1])
def test_a_task_that_counts_nothing_is_taken_out_in_one_press(id):
    """Its tower and gate are counted and learn nothing; the tower of a click learns in the product that stands on it too."""
    preset = Document.preset(id)
    weights, click = dict(preset.blueprint.losses.weights), getattr(preset.blueprint.losses, "click", "")
    for task in preset.blueprint.tasks:
        other = next(name for name in preset.blueprint.tasks if name != task)
        found = given(preset.but([("losses.weights", weights | {task: 0.0, other: 3.0})]))
        if task == click:
            assert found == ()
            continue
        assert [(each.values.get("name"), each.label) for each in found] == [(task, "Take the task out")]
        left = preset.but(found[0].cure).check().blueprint
        head = next(each for each in preset.blueprint.blocks(preset.schema()) if each.address == f"losses.{task}")
        found = steps(preset.blueprint, preset.schema(), "losses", preset.blueprint.losses, head)
        if any(step.path == "tasks" for step in found):
            fewer = preset.blueprint.with_tasks(left.tasks, preset.schema())
            assert left.model_copy(update={"losses": fewer.losses}) == fewer, "as the sign of the diagram does it"
        assert left.tasks == tuple(each for each in preset.blueprint.tasks if each != task)
        assert task not in left.losses.weights and left.losses.weights[other] == 3.0


def assert_cured(blueprint: Blueprint, schema: Schema, each: Advice) -> None:
    """Its cure leads to a model that stands, in which it is said once less."""
    mended = blueprint.but(each.cure)
    assert mended.places(schema) and each.filled(each.label)
    said = [other.said() for other in advice(blueprint, schema)].count(each.said())
    assert [other.said() for other in advice(mended, schema)].count(each.said()) == said - 1, each


@settings(max_examples=100, deadline=None)
@given_any(ANY)
def test_any_model_that_stands_is_advised_and_every_cure_mends(drawn):
    """Whatever the components: no rule fails, what a cure makes of the model stands, and what was said is gone."""
    schema, blueprint = drawn
    assume(stands(schema, blueprint))
    for each in advice(blueprint, schema):
        assert_cured(blueprint, schema, each)


def test_every_size_of_a_preset_made_small_is_advised_and_mended():
    """A seeded sample of all whole numbers in all presets, each set to one."""
    sizes = [(id, path) for id in BUILT for path, value in leaves(json.loads(Document.preset(id).blueprint.model_dump_json()))
             if type(value) is int and value > 1]
    advised = 0
    for id, path in random.Random(0).sample(sizes, 60):
        try:
            document = Document.preset(id).but([(path, 1)])
        except ZooError:  # it may not be one
            continue
        if document.blueprint.reached(document.schema())[1] is None:
            for each in given(document):
                assert_cured(document.blueprint, document.schema(), each)
                advised += 1
    assert advised >= 10, advised


def layer_lists(only: tuple[str, ...] = SLOTS) -> Iterator[tuple[str, Document, Place, str, tuple[int, ...]]]:
    """Every list of layers in every preset."""
    for id in BUILT:
        document = Document.preset(id)
        for place in document.blueprint.places(document.schema()):
            for name in LAYERS if place.address.split(".")[0] in only else ():
                if widths := layers(place, name):
                    yield id, document, place, name, widths


def bottlenecks() -> Planted:
    for id, document, place, name, widths in layer_lists():
        yield id, document, document.schema(), f"{place.address}.{name}", [((f"{place.address}.{name}", [1, *widths[1:]]))]


def towers() -> Planted:
    for id, document, place, name, widths in layer_lists(("sharing", "towers")):
        read = place.shape.branch if place.address == "towers" else place.shape.joined
        if name in ("bottom", "widths") and not (name == "widths" and layers(place, "bottom")) and 2 < read < 16_000:
            wide = [(2 if read <= 64 else 4) * read + 1, *widths[1:]]
            yield id, document, document.schema(), f"{place.address}.{name}", [(f"{place.address}.{name}", wide)]


def gates() -> Planted:
    for id in BUILT:
        document = Document.preset(id)
        settings = type(document.blueprint.sharing).model_fields if "gate" in document.blueprint.sharing.keeps else {}
        if "experts" in settings:
            yield id, document, document.schema(), "sharing.experts", [("sharing.experts", 1)]
        if "own" in settings:
            yield id, document, document.schema(), "sharing.shared", [("sharing.own", 1), ("sharing.shared", 0)]


def embeddings() -> Planted:
    for id in BUILT:
        document = Document.preset(id)
        rows = {f.name: f.vocabulary for f in document.schema().categorical if f.vocabulary}
        held = document.blueprint.representation
        if getattr(held, "dim", None) and sum(8192 > 4 * each for each in rows.values()) > len(rows) / 2:
            yield id, document, document.schema(), "representation.dim", [("representation.dim", 8192)]
        for name in list(rows)[:2] if hasattr(held, "dims") else ():
            yield id, document, document.schema(), "representation.dims", [("representation.dims", {name: 4 * rows[name] + 1})]


def histories() -> Planted:
    """A history that holds one item at most is empty for whoever has done nothing."""
    for id in BUILT:
        document = Document.preset(id)
        short = replace(document.schema(), histories=tuple(replace(each, length=1) for each in document.schema().histories))
        for at, spec in document.blueprint.specs():
            if at.startswith("sequence.") and "attention" in spec.keeps and not isinstance(spec, Pooling):
                yield id, document, short, at, []


def unread_histories() -> Planted:
    """A component of the Attention column taken out, as the page does it, where a table was made for its history alone."""
    for id in BUILT:
        preset = Document.preset(id)
        for i in range(len(preset.blueprint.sequence)):
            left = exchanged(preset, "sequence", None, i)[0]
            schema = left.schema()
            if left.blueprint.reached(schema)[1] is None and any(
                    block.form == "history" and block.parameters and not block.flows for block in left.blueprint.blocks(schema)):
                yield id, left, schema, "sequence", []


def test_a_low_rank_is_advised_against_from_where_it_costs_more_than_the_full_matrix():
    """D = 164: 2 · 164 · 82 = 164², so that a rank of 82 costs the same and one of 83 more."""
    told = [rank for rank in (8, 82, 83, 164) if given(Document.preset("dcn_v2").but([("interaction.0.rank", rank)]))]
    assert told == [83, 164]


def test_every_vocabulary_smaller_than_a_vector_is_told_of():
    """The display ads have 4 to 61 values: 61 numbers for each are as many as a field has values, 62 more than any has."""
    said = [given(Document.preset("dnn").but([("representation.dim", dim)])) for dim in (16, 61, 62)]
    assert [len(each) for each in said] == [0, 0, 1] and said[2][0].what.startswith("Every field has fewer values")


@pytest.mark.parametrize("planted, least", [(unread_histories, 3), (bottlenecks, 30), (towers, 15), (gates, 6), (embeddings, 10),
                                            (histories, 8)])
def test_the_named_warnings_are_given_by_every_system_that_can_show_them(planted, least):
    """Wherever a preset can have it: it is said, with its why, and one press leads to a model that stands without it."""
    seen = 0
    for id, document, schema, at, changes in planted():
        blueprint = document.blueprint.but(changes)
        if blueprint.reached(schema)[1] is None and costs(document.blueprint, blueprint, schema):
            found = [each for each in advice(blueprint, schema) if each.at == at]
            assert found, f"{id}: nothing said of {at}, {changes}"
            assert_cured(blueprint, schema, found[0])
            seen += 1
    assert seen >= least, seen


def costs(before: Blueprint, after: Blueprint, schema: Schema) -> bool:
    """Whether it makes another model: some settings are for a way of working that is off."""
    return before == after or before.count(schema).parameters != after.count(schema).parameters


@pytest.mark.parametrize("id", ["huawei", "microsoft", "nrms", "din"])
def test_no_attention_over_an_empty_history_is_left(id):
    """The cure does not put another attention beside it."""
    _, document, short, _, _ = next(each for each in histories() if each[0] == id)
    mended = document.blueprint.but(next(each.cure for each in advice(document.blueprint, short)))
    assert not [spec for spec in mended.sequence if "attention" in spec.keeps and not isinstance(spec, Pooling)]
    assert mended.places(short)


def test_a_pooling_is_not_told_to_pool():
    document = Document.preset("spotify")
    schema = document.schema()
    short = replace(schema, histories=tuple(replace(history, length=1) for history in schema.histories))
    assert not [each for each in advice(document.blueprint, short) if "one item at most" in each.said()]


def test_a_size_that_costs_nothing_is_not_spoken_of():
    """YouTube's numbers enter as they are: the MLP for numbers has no weight, however thin it is set."""
    assert given(Document.preset("youtube").but([("representation.bottom", [1])])) == ()
    assert given(Document.preset("dlrm").but([("representation.bottom", [1])])) != ()


def test_every_kind_is_advised_of_as_it_stands_by_default():
    """No rule stumbles over a setting of another type under a name that it knows."""
    for slot in SLOTS:
        for spec in kinds(slot).values():
            place = Place(f"{slot}.0" if slot in ("sequence", "interaction") else slot, spec(), Shape(SHOP, SHOP.tasks))
            for rule in (bottleneck, thin, swollen, lonely):
                assert all(each.at.startswith(slot) for each in rule(place, Document.preset("youtube").blueprint))


def test_every_rule_says_what_and_why_in_sentences():
    document = Document.preset("youtube").but([("sharing.experts", 1), ("sharing.bottom", [1])])
    said = [each.said() for each in given(document)]
    assert said == ["Shared layers under the experts: layer 1 is only 1 wide. All that this part hands on must pass through "
                    "so few numbers.",
                    "Every gate has one expert to choose from. A softmax over one number is 1 whatever it is: the gate learns "
                    "nothing."]


def test_powers():
    assert [power(n) for n in (0, 1, 2, 3, 4, 100)] == [1, 1, 2, 2, 4, 64]
