"""Features that a model leaves out: nothing is made of them, nothing counts them, and the columns of the others stay theirs."""
from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from rankzoo import link
from rankzoo.blueprint import Blueprint
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from tests.support import flops, logits, numel, random_batch, rich, trained_loss
from tests.test_cli import answer
from tests.wiring import assert_wired

BUILT = list(systems())


@pytest.mark.parametrize("arch", BUILT)
def test_any_feature_that_may_go_goes_alone(arch: str):
    """Every system without its first and without its last spare feature: built, counted, wired; the feature moves no logit."""
    document = Document.preset(arch)
    schema = document.schema()
    for name in dict.fromkeys((schema.spare or (None,))[i] for i in (0, -1)):
        if name is None:
            continue
        try:
            blueprint = document.blueprint.leaving((name,), schema)
            blueprint.places(schema)
        except ZooError as problem:
            assert problem.at, name
            continue
        count, model, batch = blueprint.count(schema), RankingModel(blueprint, schema), random_batch(schema)
        assert count.parameters == numel(model) and count.flops + count.once / len(batch) == pytest.approx(flops(model, batch))
        drawn = [block.form for block in blueprint.blocks(schema) if block.address == f"representation.{name}"]
        assert drawn == (["left"] if schema.feature(name).kind == "categorical" else [])
        assert count.parameters <= document.blueprint.count(schema).parameters
        assert_wired(blueprint, schema)
        before, after = logits(model, batch), logits(model, turned(batch, name))
        reads_aside = name in getattr(blueprint.towers, "by", ()) or name == getattr(blueprint.losses, "log_q", "")
        assert reads_aside or all(torch.equal(before[task], after[task]) for task in before), name


def turned(batch, name: str):
    """The same rows with one feature's values in another order."""
    ids, numbers = batch.ids.clone(), batch.numbers.clone()
    for i, f in enumerate(batch.schema.categorical):
        if f.name == name:
            ids[:, i] = ids[:, i].flip(0)
    for i, f in enumerate(batch.schema.numeric):
        if f.name == name:
            numbers[:, i] = numbers[:, i].flip(0)
    return replace(batch, ids=ids, numbers=numbers)


def test_its_table_is_not_counted():
    """YouTube without the user's id: 16 numbers less for each of its rows, and 16 × 64 weights of the shared layer."""
    document = Document.preset("youtube")
    schema = document.schema()
    rows = schema.feature("user_id").vocabulary
    count = document.blueprint.leaving(("user_id",), schema).count(schema)
    assert document.blueprint.count(schema).parameters - count.parameters == 16 * rows + 16 * 64


def test_what_named_it_lets_it_go_and_it_learns():
    schema = rich()
    blueprint = Blueprint(tasks=("click",)).model_copy(update={"concatenation": Blueprint.model_validate_json(json.dumps(
        {"tasks": ["click"], "concatenation": {"kind": "join", "fields": ["user", "device"]}})).concatenation})
    left = blueprint.leaving(("device",), schema)
    assert left.concatenation.fields == ("user",) or left.concatenation.fields is None
    loss = trained_loss(RankingModel(left, schema), random_batch(schema))
    loss.backward()


@pytest.mark.parametrize("names, said", [(("item",), "cannot be left out"), (("position",), "cannot be left out"),
                                         (("nothing",), "have no feature 'nothing'"), (("user", "user"), "named twice")])
def test_what_cannot_be_left_out(names, said):
    with pytest.raises(ZooError, match=said) as caught:
        Blueprint(tasks=("click",), without=names).places(rich())
    assert caught.value.at.startswith("without")


def test_documents_from_before_stay_the_same_and_a_link_carries_it():
    preset = Document.preset("youtube")
    assert "without" not in preset.json() and "without" not in preset.blueprint.json()
    less = preset.but([("without", ["device"])])
    assert link.decode(link.encode(less)) == less and less.changed() == ("without",)
    assert less.but([("without", [])]) == preset and less.hash != preset.hash


def test_other_data_drop_what_they_lack():
    less = Document.preset("dnn").but([("without", [Document.preset("dnn").schema().spare[0]])])
    other, dropped = less.on("video")
    assert other.blueprint.without == () and any(name.startswith("without: ") for name in dropped)


def test_from_the_command_line():
    whole, less = answer("show", "youtube"), answer("show", "youtube", "--set", "without=user_id")
    assert less["changed"] == ["without"] and less["parameters"]["total"] < whole["parameters"]["total"]
