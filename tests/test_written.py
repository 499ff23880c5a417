"""What is written of a component holds with its settings: one that changes what is computed changes formula or sentence."""
from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import torch

from rankzoo.blueprint import SLOTS, kinds
from rankzoo.components.interaction.cross_v2 import CrossV2, LowRankCross
from rankzoo.components.representation.growing_table import GrowingTable
from rankzoo.components.representation.neighbours import Neighbours
from rankzoo.components.representation.text_encoder import TextEncoder
from rankzoo.components.sequence.ask import Ask
from rankzoo.components.sequence.encoder import Encoder
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sequence.self_attention import SelfAttention
from rankzoo.components.sequence.transformer import TransformerBlock, block_rule
from rankzoo.components.sharing.ple import PLE
from rankzoo.components.slot import Slot
from rankzoo.components.towers.classes import Classes
from rankzoo.components.towers.dot_product import DotProduct
from rankzoo.components.towers.text_heads import TextHeads
from rankzoo.components.towers.two_towers import TwoTowers
from rankzoo.document import Document
from rankzoo.schema import Task
from tests.support import OFF, randomised
from tests.test_part import dissected, of
from tests.variants import changed_once, choices, others, variants

TASKS = (Task("t"), Task("t", "share"), Task("t", "regression"), Task("t", "class", "item"), Task("t", "tags", "title.tag"))
KINDS = [(slot, name) for slot in SLOTS for name in kinds(slot)]
OF_PARTS = {
    "numeric": "numbers have a node of their own, which says how they enter",
    "relu": "a table's own node has the ReLU; here items are what is written",
    "first_order": "the weights beside vectors are a node of their own",
    "candidate": "the candidate that is handed on is a node of its own",
    "structure": "the crosses stay the same: who reads them has another formula",
    "activation": "the towers of the tasks have it, not what stands beside them",
    "head_bias": "the towers of the tasks have it, not what stands beside them"}
"""Settings of which another part tells than the component as a whole, and why."""
ELSEWHERE = {
    ("text_encoder", "norm"): "Enc stands for all its layers, of which the norm is one detail",
    ("gru", "width"): "a size, of which 0 stands for another one",
    ("graded", "words"): "which items are positives, as the data have it",
    ("tree_leaves", "labels"): "how the forest is grown, before any step",
    ("growing_table", "admit"): "who gets a row in training", ("text_heads", "over"): "what the heads learn from",
    ("neighbours", "sampling"): "which neighbours are drawn in training",
    **{("task_masks", name): "how masks are found, and how a step moves what tasks share"
       for name in ("pick", "prune_score", "conflict", "contribution", "alternate")}}
"""Settings that change nothing that a formula has, and why; sizes, counts, rates, dropout and starting values are never asked."""


def written(spec: Slot) -> tuple[str, ...]:
    """All that is written of a component, whatever its tasks are."""
    return (spec.called(), spec.described(), spec.equation(), *(spec.written(task) for task in TASKS))


def asked(kind: type[Slot]) -> Iterator[str]:
    """Settings that choose among forms: a word, on or off, or a number of which 0 is none."""
    for name, field in kind.model_fields.items():
        if name != "kind" and (choices(field) and not isinstance(field.get_default(call_default_factory=True), dict)
                               or "(0:" in (field.title or "")):
            yield name


@pytest.mark.parametrize("slot, name", KINDS)
def test_a_setting_that_changes_what_is_computed_changes_what_is_written(slot, name):
    """With the other settings as they come, or with one of them changed, where it does nothing without that."""
    kind = kinds(slot)[name]
    silent = set()
    bases = list(changed_once(kind))
    for setting in asked(kind):
        values = {value for other, value in others(kind()) if other == setting} | {getattr(kind(), setting)}
        for value in values if choices(kind.model_fields[setting]) else {0, 8}:
            changed = ((base, base.model_copy(update={setting: value})) for base in bases)
            if value != getattr(kind(), setting) and all(written(base) == written(other) for base, other in changed):
                silent.add(setting)
    known = {setting for setting in kind.model_fields if setting in OF_PARTS or (name, setting) in ELSEWHERE}
    assert silent <= known and silent >= {setting for each, setting in ELSEWHERE if each == name}


@pytest.mark.parametrize("arch, changes", [
    ("youtube", {"towers.activation": "tanh"}), ("youtube", {"towers.head_bias": False}),
    ("dcn", {"interaction.0.structure": "stacked"}), ("autoint", {"interaction.0.structure": "parallel"}),
    ("dlrm", {"representation.numeric": "vector"}), ("deep_crossing", {"representation.relu": False}),
    ("bytedance", {"representation.first_order": False}), ("bytedance", {"representation.index": "hash"})])
def test_a_part_tells_of_a_setting_that_its_component_leaves_to_it(arch, changes):
    before, after = Document.preset(arch), Document.preset(arch).but(changes.items())
    assert len({frozenset((block.address, inner.formula) for block, inner in dissected(each.blueprint, each.schema()))
                for each in (before, after)}) == 2


def test_presets_by_hand():
    """What the papers' sheets have: Huawei's vector is the state at [CLS], NRMS divides by √d, Home Depot norms before."""
    assert of("huawei", "representation.news").formula.startswith(r"h=r_0,")
    assert r"/\sqrt{d_k}" in of("nrms", "sequence.0").formula and r"/\sqrt{d_k}" in of("alibaba", "sequence.1").formula
    assert r"z'=x+\mathrm{MH}(\mathrm{LN}(x))" in of("homedepot", "sequence.0.block.0").formula
    assert of("bytedance", "representation.user_id").formula.startswith(r"e=E[\mathrm{row}(x)],")
    assert of("bytedance", "representation.first_order").formula == r"s=\sum_i w[\mathrm{row}(x_i)]"
    assert of("alibaba", "representation.item").formula == r"x=[e_1;\dots;e_{4}]"
    mean, read = of("alibaba", "representation.item.title"), of("huawei", "representation.news.title")
    assert mean.formula.startswith(r"e=\frac{1}{n}\sum_j E[x_j],") and mean.sentence.endswith("of a list items have the mean.")
    assert read.formula.startswith("e=E[x],") and "mean" not in read.sentence, "an encoder reads the words one by one"


def test_formulas_by_hand():
    assert Pooling(how="sum").equation() == r"u = \sum_{j=1}^{n} h_j"
    assert Pooling(token=8).equation() == r"u = \frac{1}{n}\sum_{j=1}^{n} h_j,\quad h_j=W_0x_j+b_0"
    assert Ask(zero=False, scale=True).equation() == r"H=\mathrm{softmax}(QR^\top/\sqrt{d})\,R"
    assert "slot" in Ask().called() and "slot" not in Ask(zero=False).called()
    assert r"\sqrt" not in SelfAttention(scale=False).equation() and "b_V^k" in SelfAttention(bias=True).equation()
    assert Encoder(read="last", positions="none").equation().startswith(r"u=z_n,\quad z'=\mathrm{LN}(x+\mathrm{MH}(x))")
    assert "[" not in Neighbours(aggregator="gcn", normalize=False).equation(), "nothing is joined"
    assert GrowingTable(index="quotient").equation() == r"e_i = E[x_i\bmod r]+E[r+\lfloor x_i/r\rfloor]"
    assert TextEncoder(pooling="average", project=4).equation() == (
        r"h=W_p\,\frac{1}{M}\sum_m r_m+b_p,\quad r=\mathrm{Enc}(w_1 \dots w_M)")
    assert PLE(own=0, shared=1).equation() == r"g^{k,j}=f^{s,j}(g^{s,j-1})"
    assert DotProduct(scale=True, bias=False).equation() == r"s = \gamma\,\langle u, c\rangle"
    assert TextHeads().written(Task("t", "class", "topic")) == r"p=\mathrm{softmax}(W_c c+b_c)"
    assert Classes(mapped=False, scale=5.0).equation() == r"s_j = \gamma\,h^\top x_j"
    assert TwoTowers(own=False).equation().endswith(r"v_j = \tanh(W\bar x_j+b)")


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_the_rule_of_a_block_is_what_it_computes(norm):
    """Read as arithmetic, its two clauses are the block's output."""
    block = randomised(TransformerBlock(4, 2, 6, norm)).eval()
    x, seen = torch.randn(2, 3, 4), torch.ones(2, 3, dtype=torch.bool)
    known = {"S": x, "MH": lambda rows: block.attention(rows, rows, seen)[0], "FFN": block.ffn}
    for clause, own_norm in zip(block_rule(norm, 1, "S", "S'", "S''").split(r",\quad "), (block.norm_attention, block.norm_ffn),
                                strict=True):
        name, rule = re.sub(r"\\mathrm\{(\w+)\}", r"\1", clause).replace("S''", "S2").replace("S'", "S1").split("=")
        known[name] = eval(rule, {"LN": own_norm}, known)
    assert torch.allclose(known["S2"], block(x, seen)[0], atol=1e-6)


@pytest.mark.parametrize("core", [False, True])
def test_the_rule_of_a_low_rank_cross_is_what_it_computes(core):
    layer = randomised(LowRankCross(5, 2, 1, core))
    x0, x = torch.randn(5), torch.randn(5)
    said = CrossV2(rank=2, core=core).equation().partition(" = ")[2]
    for sign, means in ((r"\odot", "*"), (r"V_l^\top x_l", "(V_l.T @ x_l)"), ("U_l (", "U_l @ ("), (r"\tanh", "@ tanh")):
        said = said.replace(sign, means)
    known = {"x_0": x0, "x_l": x, "U_l": layer.u[0], "V_l": layer.v[0], "C_l": layer.core[0] if core else None,
             "b_l": layer.bias, "tanh": torch.tanh}
    assert torch.allclose(eval(said, known), layer(x0[None], x[None], OFF)[0], atol=1e-5), said


def test_whatever_the_settings_are_a_sentence_is_short():
    """At most 20 words, as a component's own."""
    said = {spec.described() for slot, name in KINDS for spec in variants(kinds(slot)[name])}
    assert len(said) > len(KINDS) + 20 and [each for each in said if not 0 < len(each.split()) <= 20] == []
