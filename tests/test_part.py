"""A part of a model speaks for itself: what it reads, what it computes, and a count whose arithmetic a reader can redo."""
from __future__ import annotations

import math
from collections import Counter
from math import prod

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings

from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.entire_space import EntireSpace
from rankzoo.components.losses.graded import Graded
from rankzoo.components.losses.listwise import Listwise
from rankzoo.components.losses.pairwise import Pairwise
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.losses.sampled import Sampled
from rankzoo.components.row_losses import plain
from rankzoo.document import Document
from rankzoo.inspection import part
from rankzoo.inspection.formula import network
from rankzoo.inspection.part import Anatomy, anatomy
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Schema, Task
from rankzoo.shape import Block
from tests.support import random_batch
from tests.test_blueprint import ANY, stands
from tests.wiring import assert_widths, ending

BUILT = list(systems())
UNSIZED = {("huawei", "towers.entities"), ("huawei", "towers.category"), ("alibaba", "towers.item")}
"""A map for each word and for each piece of news, and an item tower that reads a part of what comes: no chain of layers for a
row."""
SIGNS = str.maketrans({"×": "*", ",": "", "²": ""})


def parts(arch: str) -> list[tuple[Block, Anatomy]]:
    """Every part of a preset with its anatomy."""
    document = Document.preset(arch)
    return dissected(document.blueprint, document.schema())


def dissected(blueprint: Blueprint, schema: Schema) -> list[tuple[Block, Anatomy]]:
    """Every part of a model with its anatomy."""
    specs, blocks, count = dict(blueprint.specs()), blueprint.blocks(schema), blueprint.count(schema)
    owner = lambda block: next(a for a in specs if block.address == a or block.address.startswith(a + "."))  # noqa: E731
    return [(block, anatomy(block, blocks, specs[owner(block)], count, schema.tasks)) for block in blocks]


def of(arch: str, address: str) -> Anatomy:
    return next(inner for block, inner in parts(arch) if block.address == address)


@pytest.mark.parametrize("arch", BUILT)
def test_a_tasks_tower_ends_with_as_many_numbers_as_its_loss_reads(arch):
    """One logit, or one for each class: of an item of the catalogue, a category, a word's tag."""
    document = Document.preset(arch)
    schema = document.schema()
    for block in document.blueprint.blocks(schema):
        if block.form == "tower" and block.task:
            assert block.units[-1] == schema.classes(schema.task(block.task)), block.address


def test_a_columns_formula_is_its_tasks_where_they_have_one():
    document = Document.preset("youtube")
    click, completion = (document.schema().task(name) for name in ("click", "completion"))
    spec = document.blueprint.losses
    assert part.formula_of(spec, [completion]) == spec.written(completion) != spec.written(click)
    assert part.formula_of(spec, [click, completion]) == (
        rf"\mathrm{{click}}:\; {spec.written(click)},\quad \mathrm{{completion}}:\; {spec.written(completion)}")
    sharing = document.blueprint.sharing
    assert part.formula_of(sharing, [click, completion]) == sharing.equation() != ""


@pytest.mark.parametrize("arch", BUILT)
def test_the_count_is_the_parts_own_and_its_arithmetic_comes_out(arch):
    """As many parameters as the drawing says, by sums that come out; no parameter belongs to two parts."""
    seen = set()
    for block, inner in parts(arch):
        for each in inner.count.parts:
            if each.parameters:
                assert eval(each.working.translate(SIGNS)) == each.parameters, each
                assert (each.path not in seen), (block.address, each.path)
                seen.add(each.path)
        assert inner.count.parameters == block.parameters, block.address


def assert_all_in_one(blueprint: Blueprint, schema: Schema, parted: list[tuple[Block, Anatomy]]) -> None:
    """Whatever is counted stands in the caption of exactly one part that is drawn; a concatenation of nothing has no caption."""
    count = blueprint.count(schema)
    told = Counter(each.path for _, inner in parted for each in inner.count.parts)
    assert told == Counter(each.path for each in count.parts if any(map(prod, each.shapes)) or each.parameters)
    for what in ("parameters", "flops", "once", "elementwise", "activations"):
        assert sum(getattr(inner.count, what) for _, inner in parted) == getattr(count, what), what


@pytest.mark.parametrize("arch", BUILT)
def test_the_captions_of_a_model_tell_all_that_is_counted_once(arch):
    document = Document.preset(arch)
    assert_all_in_one(document.blueprint, document.schema(), parts(arch))


def test_products_and_mixes_stand_where_they_are_made():
    """Spotify's towers: 64 × 64, and 64 numbers times those of 2,001 items; a gate of YouTube: 64 × 4, and four vectors of 8."""
    tower, gate = of("spotify", "towers.co_occurrence"), of("youtube", "sharing.gate.like")
    assert tower.count.flops == 2 * 64 * 64 + 2 * 64 * 2_001 and gate.count.flops == 2 * 64 * 4 + 2 * 4 * 8
    assert of("nrms", "towers.click").count.flops == 2 * 24


def test_the_bias_of_a_field_is_its_own():
    """Deep Crossing: a table of 9 rows and a bias, which are as many parameters as the biases of all ten fields together."""
    device = of("deep_crossing", "representation.device")
    assert [each.working for each in device.count.parts] == ["9 × 16", "16"] and device.count.parameters == 160
    assert device.formula == r"e=\mathrm{relu}(E[x]+b),\; E\in\mathbb{R}^{9\times 16}"


def assert_tokens_are_whose_they_are(parted: list[tuple[Block, Anatomy]]) -> int:
    """The map of the candidate is the candidate's, that of past items belongs to who reads them; how many maps there are."""
    maps, reading = 0, {flow.to for block, _ in parted if block.form in ("history", "scorer") for flow in block.flows}
    for block, inner in parted:
        made = [each.path.rpartition(".tokens.")[2] for each in inner.count.parts if ".tokens." in each.path]
        assert made in ([], ["candidate"]) if block.form == "candidate" else "candidate" not in made, block.address
        assert "item" not in made or block.address in reading, block.address
        maps += len(made)
    return maps


@pytest.mark.parametrize("arch", BUILT)
def test_a_candidate_owns_its_own_map_alone(arch):
    document = Document.preset(arch)
    paths = [each.path for each in document.blueprint.count(document.schema()).parts if ".tokens." in each.path]
    assert assert_tokens_are_whose_they_are(parts(arch)) == len(paths)


@pytest.mark.parametrize("arch", BUILT)
def test_the_width_at_an_edge_is_that_of_what_flows(arch):
    """By the drawing alone, and into a loss as many numbers as torch hands on for a row."""
    document = Document.preset(arch)
    blueprint, schema = document.blueprint, document.schema()
    assert_widths(blueprint, schema)
    if many := [name for name in blueprint.tasks if not schema.task(name).single]:
        made = RankingModel(blueprint, schema).eval()(random_batch(schema, 2).unlabelled()).logits
        assert [made[name][0].numel() for name in many] == [ending(blueprint, schema, name) for name in many]


def test_what_a_softmax_and_a_sum_read():
    """Home Depot: 1,501 products, four past items of 32 numbers; Huawei: four tags for each of 14 words."""
    loss, total, tags = of("homedepot", "losses.next_item"), of("homedepot", "sequence.0.sum"), of("huawei", "losses.entities")
    assert loss.reads == (("Tower next_item", 1_501),) and of("alibaba", "losses.click").reads == (("⟨u, v⟩", 3_001),)
    assert (total.reads, total.inputs.many) == ((("transformer", 32),), (("transformer", 4),))
    assert (tags.reads, tags.inputs.many) == ((("Tower entities", 4),), (("Tower entities", 14),))


@pytest.mark.parametrize("arch", BUILT)
def test_a_candidate_is_as_wide_as_what_leaves_it(arch):
    for block, inner in parts(arch):
        if block.form == "candidate":
            assert {block.units[-1], inner.sizes[-1]} == {flow.width for flow in block.flows}, block.address


def test_the_candidates_of_kuaishou_are_narrower_than_past_items():
    """Each is the fields that share a table with its history, side by side: four of 16 numbers, and three."""
    units = {block.address: block.units for block, _ in parts("kuaishou") if block.form == "candidate"}
    assert set(units.values()) == {(64,), (48,)}


def test_the_candidate_of_din_by_hand():
    """Item and topic, 24 numbers, to 16; the activation unit holds the other map, of past items' 32 numbers, and its layers."""
    candidate, unit = of("din", "sequence.0.candidate"), of("din", "sequence.0")
    assert [each.working for each in candidate.count.parts] == ["24 × 16 + 16"] and candidate.count.parameters == 400
    assert unit.count.parts[0].working == "32 × 16 + 16" and unit.count.parts[0].parameters == 528


def assert_sized(block: Block, inner: Anatomy) -> None:
    """The sizes of a network are those of its count: two neighbours are a matrix in its arithmetic, in that order, and the last
    may read what bypasses the others. What its first layer reads makes the first size; whatever comes is told once."""
    if inner.sizes and inner.reads:
        assert inner.sizes[0] == sum(width for _, width in inner.reads), block.address
    if inner.sizes and block.form in ("expert", "layer", "tower"):
        bypass = sum(width for _, width in inner.inputs.last)
        enter = [*inner.sizes[:-2], inner.sizes[-2] + bypass]
        wanted = [f"{a:,} × {b:,}" for a, b in zip(enter, inner.sizes[1:], strict=True)]
        working = " + ".join(part.working for part in inner.count.parts if part.parameters)
        assert [term for term in working.split(" + ") if "×" in term] == wanted, (block.address, working)


@pytest.mark.parametrize("arch", BUILT)
def test_the_sizes_of_a_network_are_the_matrices_of_its_count(arch):
    parted = parts(arch)
    for block, inner in parted:
        assert_sized(block, inner)
        come = sorted(each.title for each, _ in parted for flow in each.flows if flow.to == block.address)
        told = sorted([title for title, _ in (*inner.reads, *inner.inputs.last, *inner.inputs.compared)] + [*inner.inputs.added])
        assert told == come or block.form == "gate", block.address
        assert block.form in ("feature", "numbers", "history", "bias") or inner.reads, block.address
        plain = block.form in ("expert", "layer", "tower") and block.parameters > 1 and (arch, block.address) not in UNSIZED
        assert inner.sizes or not plain, block.address


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(ANY)
def test_any_part_has_the_count_that_is_drawn_and_sizes_that_its_arithmetic_holds(drawn):
    schema, blueprint = drawn
    assume(stands(schema, blueprint))
    parted = dissected(blueprint, schema)
    assert_tokens_are_whose_they_are(parted)
    assert_all_in_one(blueprint, schema, parted)
    for block, inner in parted:
        assert_sized(block, inner)
        assert inner.count.parameters == block.parameters, block.address


def test_what_bypasses_a_tower_is_no_part_of_what_it_reads():
    deepfm, dcn, spotify = of("deepfm", "towers.click"), of("dcn", "towers.click"), of("spotify", "towers.co_occurrence")
    assert (deepfm.reads, deepfm.sizes) == ((("concat", 224),), (224, 256, 128, 64, 1))
    assert deepfm.inputs.added == ("linear", "FM") and deepfm.formula.endswith(
        r"=w^\top h+b+s_{\mathrm{linear}}+s_{\mathrm{FM}}")
    assert dcn.inputs.last == (("x₀·xᵀw 3", 164),) and dcn.sizes[0] == 164 and dcn.formula.endswith(r"w^\top [c;h]+b")
    assert of("wide_deep", "towers.click").formula.endswith(r"w^\top h+s_{\mathrm{linear}}"), "its head has no bias"
    residual = Document.preset("deep_crossing").but([("interaction", [{"kind": "cross"}])])
    said = {block.address: inner.formula for block, inner in dissected(residual.blueprint, residual.schema())}
    assert said["towers.click"].endswith(r"s=w^\top [c;X]+b")
    assert (spotify.sizes, spotify.inputs.compared) == ((64, 64), (("track", 64),))
    assert of("nrms", "towers.click").sizes == (), "a dot product is no layer"


def test_a_formula_has_the_terms_that_the_part_has():
    assert of("autoint", "towers.click").formula == r"s_{\mathrm{click}}=w^\top x+b", "449 parameters: 448 × 1 + 1"
    assert of("fm", "towers.click").formula == r"s = \sum_i s_i"
    assert of("fm", "representation.numbers").formula == r"e_j=x_j\,v_j"
    assert of("dlrm", "representation.numbers").sizes == (4, 64, 16)
    linear = of("lr", "interaction.0")
    assert linear.formula == r"s=b+\sum_i w_{i,x_i}+\sum_j w_j x_j" and dict(linear.reads)["gender"] == 1
    assert of("youtube", "towers.bias").formula == (
        r"b=w_{\mathrm{position}}+w_{\mathrm{device}}+W_{\mathrm{position},\mathrm{device}}")
    assert of("microsoft", "towers.click").formula == r"s = \langle u, c\rangle", "it has no bias"


def test_a_table_is_said_of_what_holds_one():
    assert of("youtube", "representation.query_id").table and not of("huawei", "representation.news").table
    assert not of("spotify", "representation.track").table and not of("homedepot", "representation.product").table
    position = of("youtube", "representation.position")
    assert (position.sizes, position.held, position.formula) == ((), (("Bias tower", 54),), "")


def test_an_expert_and_a_gate_say_whose_they_are():
    said = lambda arch, address: of(arch, address).sentence  # noqa: E731
    assert "every task may use" in said("mmoe", "sharing.expert.0") == said("ple", "sharing.level.0.shared.0")
    assert "this task's own" in said("ple", "sharing.level.0.own.click.0") and "group" in said("linkedin", "sharing.group.0")
    assert "owns no weights" in said("tencent", "sharing.mask.click")
    assert "this task" in said("mmoe", "sharing.gate.click") and "same for all tasks" in said("omoe", "sharing.gate")
    assert "next level" in said("ple", "sharing.level.0.shared_gate")
    assert of("ple", "sharing.level.1.gate.like").reads == (("gate like", 16),)


def test_a_sentence_is_true_of_its_part():
    """Numbers own a vector, a network, or nothing; a candidate that no scorer reads asks nothing."""
    said = lambda arch: of(arch, "representation.numbers").sentence  # noqa: E731
    assert said("youtube") == said("lr") and "no vector" in said("youtube")
    assert "one vector" in said("fm") and "small network" in said("dlrm")
    assert "asks the past items" in of("din", "sequence.0.candidate").sentence
    assert "asks nothing" in of("nrms", "sequence.1.candidate").sentence


def value(said: str, **symbols: float) -> float:
    """A loss's LaTeX as a number, for the few signs that losses of one logit use."""
    said = said.removeprefix(r"\ell=").replace(r"0,\,", "0,")
    for sign, means in ((r"\ln\sigma", "log_sigmoid"), (r"\ln", "log"), (r"\sigma", "sigmoid"), (r"\max", "max"), (r"\,", "*"),
                        ("^2", "**2"), ("e^{s}", "exp(s)"), ("s_i-s_j", "d")):
        said = said.replace(sign, means)
    sigmoid = lambda x: 1 / (1 + math.exp(-x))  # noqa: E731
    known = {"log": math.log, "exp": math.exp, "max": max, "sigmoid": sigmoid, "log_sigmoid": lambda x: math.log(sigmoid(x))}
    return eval(said, known, symbols)


@pytest.mark.parametrize(("loss", "kind"), [(Pointwise(), "binary"), (Pointwise(), "share"), (Pointwise(), "regression"),
                                            (Pointwise(how={"t": "squared"}), "binary"), (Sampled(), "binary"),
                                            (Pairwise(), "regression"), (Listwise(), "share"), (EntireSpace(), "binary")])
def test_the_formula_of_a_plain_loss_is_what_it_computes(loss, kind):
    """The LaTeX, read as arithmetic, is the loss that torch computes from one logit and one label."""
    how = getattr(loss, "how", None)
    as_computed = "share" if isinstance(how, dict) and how and kind == "binary" else kind
    computed = float(plain(as_computed, torch.tensor(0.7), torch.tensor(1.0)))
    assert value(loss.written(Task("t", kind)), s=0.7, y=1.0) == pytest.approx(computed, rel=1e-5)


def test_every_loss_writes_its_own_formula():
    pair, hinge = Pairwise().written(Task("t", "binary")), Pairwise(how="hinge", margin=2.0).written(Task("t", "binary"))
    assert value(pair, d=0.3) == pytest.approx(math.log(1 + math.exp(-0.3))) and value(hinge, d=0.3) == pytest.approx(1.7)
    assert r"\ln\sum_c e^{s_c}-s_y" in Pointwise().written(Task("t", "class"))
    assert "ln r" in Sampled(kept={"t": 0.1}).written(Task("t", "binary"))
    assert "softmax" in Listwise().written(Task("t", "binary"))
    assert "Q_j" in Listwise(log_q="item").written(Task("t", "binary")), "the correction for frequency"
    modes = {Graded(mode=mode).written(Task("t", "class"))
             for mode in ("moppr", "plain_multi_pos", "unique_softmax", "single_pos")}
    hows = {Pointwise(how={"t": how}).written(Task("t", "regression")) for how in ("squared", "huber", "weighted_logistic")}
    assert (len(modes), len(hows)) == (4, 3)


def test_a_head_has_the_loss_of_its_task():
    assert of("esmm", "losses.purchase").formula != of("esmm", "losses.click").formula == of("lr", "losses.click").formula
    assert r"\sum_c" in of("huawei", "losses.category").formula and r"\sum_m" in of("huawei", "losses.entities").formula
    assert of("esmm", "losses.purchase").sizes == (), "two logits that meet are no vector"


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
    """DIN's candidate owns its map, its scorer that of past items and the unit; a candidate of tokens is mapped."""
    assert of("din", "sequence.0.candidate").formula == "c=W[e_1;e_2]+b" == of("bst", "sequence.0.candidate").formula
    assert of("din", "sequence.0.candidate").count.parameters == 25 * 16
    scorer = {part.path.rpartition(".")[2] for part in of("din", "sequence.0").count.parts if part.parameters}
    assert scorer == {"item", "unit", "score"}


def test_many_layers_are_one_rule():
    assert network("h", "relu", 0) == "h=x" and network("h", "relu", 1) == r"h=\mathrm{relu}(Wx+b)"
    assert network("h", "dice", 5) == r"h=h_{5},\quad h_l=\mathrm{dice}(W_l h_{l-1}+b_l),\; h_0=x"
