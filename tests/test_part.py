"""A part of a model speaks for itself: what it reads, what it computes, and a count whose arithmetic a reader can redo."""
from __future__ import annotations

import pytest

from rankzoo.document import Document
from rankzoo.inspection.part import Anatomy, anatomy, network
from rankzoo.registry import systems
from rankzoo.shape import Block

BUILT = list(systems())
SIGNS = str.maketrans({"×": "*", ",": "", "²": ""})


def parts(arch: str) -> list[tuple[Block, Anatomy]]:
    """Every part of a preset with its anatomy."""
    document = Document.preset(arch)
    schema, specs = document.schema(), dict(document.blueprint.specs())
    blocks, count = document.blueprint.blocks(schema), document.blueprint.count(schema)
    owner = lambda block: next(a for a in specs if block.address == a or block.address.startswith(a + "."))  # noqa: E731
    return [(block, anatomy(block, blocks, owner(block), specs[owner(block)], count)) for block in blocks]


def of(arch: str, address: str) -> Anatomy:
    return next(inner for block, inner in parts(arch) if block.address == address)


@pytest.mark.parametrize("arch", BUILT)
def test_the_count_is_the_parts_own_and_its_arithmetic_comes_out(arch):
    """As many parameters as the drawing says, by sums that come out; no parameter belongs to two parts. Deep Crossing's biases of
    all fields are one sum, which none of them owns."""
    seen = set()
    for block, inner in parts(arch):
        for part in inner.count.parts:
            if part.parameters:
                assert eval(part.working.translate(SIGNS)) == part.parameters, part
                assert (part.path not in seen), (block.address, part.path)
                seen.add(part.path)
        if arch != "deep_crossing":
            assert inner.count.parameters == block.parameters, block.address


@pytest.mark.parametrize("arch", BUILT)
def test_what_a_part_reads_is_what_flows_into_it(arch):
    """The first size is the sum of what comes, the last of a network its last layer."""
    for block, inner in parts(arch):
        if inner.reads:
            assert inner.sizes[0] == sum(width for _, width in inner.reads)
        if block.form in ("expert", "layer", "tower"):
            assert inner.sizes[-len(block.units):] == block.units and (inner.reads or block.form == "tower")
        assert block.form in ("feature", "numbers", "history", "bias") or inner.reads, block.address


def test_an_expert_a_gate_and_a_tower_of_youtube():
    expert = of("youtube", "sharing.expert.1")
    assert expert.formula == r"f_{2}(x)=\mathrm{relu}(W_2\,\mathrm{relu}(W_1x+b_1)+b_2)"
    assert (expert.reads, expert.sizes, expert.count.parameters) == ((("shared", 64),), (64, 16, 8), 65 * 16 + 17 * 8)
    gate = of("youtube", "sharing.gate.like")
    assert gate.formula == r"g^{\mathrm{like}}(x)=\mathrm{softmax}(W_{\mathrm{like}}\,x)"
    assert (gate.reads, gate.sizes, gate.count.parameters) == ((("shared", 64),), (64, 4), 64 * 4)
    tower = of("youtube", "towers.click")
    assert tower.formula.endswith(r"s_{\mathrm{click}}=w^\top h+b") and tower.count.parameters == 9 * 16 + 17
    assert of("youtube", "representation.query_id").formula == r"e=E[x],\; E\in\mathbb{R}^{301\times 16}"


def test_an_experts_own_task_a_cross_layers_own_number():
    assert of("snapchat", "sharing.level.0.own.sign_up.0").formula.startswith(r"f_{\mathrm{sign\_up},1}(x)=")
    layers = [inner.formula for block, inner in parts("xdeepfm") if block.form == "cross"]
    crosses = [inner.formula for block, inner in parts("dcn_v2") if block.form == "cross"]
    assert len(set(crosses)) == len(crosses) == 3 and r"x_{3} = x_0 \odot (W_{2} x_{2} + b_{2}) + x_{2}" in crosses
    assert layers and all(layers)


def test_what_is_asked_and_what_scores_are_counted_apart():
    """DIN's tokens belong to the candidate that is asked with, its unit to the scorer."""
    assert of("din", "sequence.0.candidate").count.parameters == 33 * 16 + 25 * 16
    assert {part.path.rpartition(".")[2] for part in of("din", "sequence.0").count.parts if part.parameters} == {"unit", "score"}


def test_many_layers_are_one_rule():
    assert network("h", "relu", 0) == "h=x" and network("h", "relu", 1) == r"h=\mathrm{relu}(Wx+b)"
    assert network("h", "dice", 5) == r"h=h_{5},\quad h_l=\mathrm{dice}(W_l h_{l-1}+b_l),\; h_0=x"
