"""− and + of a part: every one that is offered leads to a model that stands, and back."""
from __future__ import annotations

import random

import pytest

from rankzoo.blueprint import SLOTS
from rankzoo.document import Document
from rankzoo.exchange import asked, leaving
from rankzoo.inspection.steps import Step, steps
from rankzoo.registry import systems
from rankzoo.runs import limits
from rankzoo.shape import Block

BUILT = list(systems())


def offered(document: Document) -> list[tuple[Block, Step]]:
    """Every step of every part of a model."""
    schema, specs, found = document.schema(), dict(document.blueprint.specs()), []
    for block in document.blueprint.blocks(schema):
        address = next((a for a in specs if block.address == a or block.address.startswith(a + ".")), None)
        if address:
            found += [(block, step) for step in steps(document.blueprint, schema, address, specs[address], block)]
    return found


def of(document: Document, address: str) -> dict[str, Step]:
    """The steps of one part by their titles."""
    return {step.title: step for block, step in offered(document) if block.address == address}


def pressed(document: Document, step: Step, value: object) -> Document:
    """The model after a press, as the page takes it; raises what it would be told."""
    if step.path == "tasks":
        return asked(document, tuple(value)).check()
    if step.path == "without":
        return leaving(document, tuple(value))[0].check()
    return document.but([(step.path, value)]).check()


@pytest.mark.parametrize("arch", BUILT)
def test_every_sign_that_can_be_pressed_leads_to_another_model_that_stands(arch: str):
    """Every − and + of every part; and again behind one of these presses."""
    document, tried = Document.preset(arch), set()
    first = [(step, value) for _, step in offered(document) for value in (step.less, step.more) if value is not None]
    for step, value in first:
        if (step.path, repr(value)) not in tried:
            tried.add((step.path, repr(value)))
            after = pressed(document, step, value)
            limits.check(after, limits.LOCAL)
            assert after != document, step
    assert {path.split(".")[0] for path, _ in tried} >= {"losses"} & set(SLOTS)
    step, value = random.Random(0).choice(first)
    after = pressed(document, step, value)
    assert [pressed(after, step, value) for _, step in offered(after) for value in (step.less, step.more) if value is not None]


@pytest.mark.parametrize("id, part, title, less, more", [
    ("homedepot", "sequence.0.block.0", "Heads", 2, 8), ("bst", "sequence.0.candidate", "Heads", 1, 4),
    ("alibaba", "sequence.3", "Token width (0: fields side by side)", None, 32), ("dcn_v2", "interaction.0.layer.0",
                                                                                 "Low-rank experts", None, None),
    ("alibaba", "sequence.1", "Heads", None, None), ("fm", "representation.gender", "Embedding size", 8, 32)])
def test_a_number_goes_on_to_the_next_with_which_the_model_stands(id, part, title, less, more):
    """Heads that share a token's 32 numbers evenly, a token as wide as what asks; one width of all fields that are paired."""
    step = of(Document.preset(id), part)[title]
    assert (step.less, step.more) == (less, more)


@pytest.mark.parametrize("id", ["esmm", "huawei"])
def test_a_task_without_which_nothing_stands_is_not_offered_to_be_taken_out(id: str):
    assert "Take the task out" not in of(Document.preset(id), "losses.click")


@pytest.mark.parametrize("arch", BUILT)
def test_a_key_names_one_step_and_only_the_last_lines_grow(arch: str):
    """The keys of a part's steps are unlike each other, free of spaces, and its widths stand behind all else."""
    document, parts = Document.preset(arch), {}
    for block, step in offered(document):
        parts.setdefault(block.address, []).append(step)
    for address, found in parts.items():
        keys = [step.key for step in found]
        assert len(set(keys)) == len(keys) and not any(set(key) & set(" \"'") for key in keys), address
        grown = [step.title.startswith("Units") for step in found]
        assert grown == sorted(grown), (address, keys)


def test_an_expert_as_wide_as_the_layer_below_all_has_its_own_settings_only():
    """Widths are a part's own where other widths would change it, not where two numbers are the same by chance."""
    document = Document.preset("youtube").but([("sharing.bottom", [64]), ("sharing.widths", [64])])
    found = [step.path for block, step in offered(document) if block.address == "sharing.expert.0"]
    assert "sharing.widths" in found and "sharing.bottom" not in found
    below = [step.path for block, step in offered(document) if block.address == "sharing.bottom"]
    assert set(below) == {"sharing.bottom"}


def test_experts_units_and_layers_of_an_expert():
    document = Document.preset("youtube")
    found = of(document, "sharing.expert.1")
    assert (found["Experts"].less, found["Experts"].shown, found["Experts"].more) == (3, "4", 5)
    assert (found["Units, layer 1"].less, found["Units, layer 2"].more) == ([8, 8], [16, 16])
    assert (found["Layers"].less, found["Layers"].more) == ([16], [16, 8, 8])
    assert of(document, "sharing.expert.0").keys() == found.keys()
    assert set(of(document, "sharing.bottom")) == {"Units", "Layers"} and of(document, "sharing.bottom")["Units"].more == [128]


def test_heads_and_cross_layers():
    bst = Document.preset("bst")
    assert of(bst, "sequence.0.block.0")["Heads"].more == 2 * bst.blueprint.sequence[0].heads, "3 would not share a token evenly"
    cross = of(Document.preset("dcn_v2"), "interaction.0.layer.0")
    assert cross["Cross layers" if "Cross layers" in cross else "Layers"].less == 2


def test_a_step_ends_where_the_setting_ends():
    one = Document.preset("mmoe").but([("sharing.experts", 1)])
    assert of(one, "sharing.expert.0")["Experts"].less is None
    most = Document.preset("mmoe").but([("sharing.experts", 64)])
    assert of(most, "sharing.expert.0")["Experts"].more is None


def test_a_task_weighs_more_less_or_goes():
    document = Document.preset("mmoe")
    found = of(document, "losses.click")
    assert (found["Weight"].less, found["Weight"].more) == ({"click": 0.5}, {"click": 1.5})
    assert found["Take the task out"].less == ["completion", "like", "dismiss"] and found["Take the task out"].gone
    half = document.but([("losses.weights", {"click": 0.5})])
    assert of(half, "losses.click")["Weight"].more == {}, "1 is what no weight says"
    alone = Document.preset("dnn")
    assert "Take the task out" not in of(alone, f"losses.{alone.blueprint.tasks[0]}")


def test_a_field_has_its_own_width_and_may_go():
    document = Document.preset("youtube")
    found = of(document, "representation.device")
    assert found["Embedding size"].more == {"device": 32} and found["Leave the feature out"].less == ["device"]
    din = Document.preset("din")
    assert "Leave the feature out" not in of(din, "representation.item"), "past items are read from its table"


def test_what_owns_no_weights_and_is_as_wide_as_its_values_has_no_steps():
    """The embedding size of the tables is none of numbers that are read as they are, nor of what a side way reads."""
    youtube, dlrm = Document.preset("youtube"), Document.preset("dlrm")
    assert not of(youtube, "representation.numbers") and not of(youtube, "representation.position")
    assert "Embedding size" in of(dlrm, "representation.numbers"), "there a network makes one vector of them"
