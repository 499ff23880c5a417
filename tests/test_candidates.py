"""A request's FLOPs: what reads no candidate is computed once, told by the drawing and found again by torch."""
from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from itertools import islice

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.sided import Sided
from rankzoo.components.representation.minilm import kept
from rankzoo.data.gaps import refilled
from rankzoo.data.load import schema_of
from rankzoo.document import Document
from rankzoo.export.report import report
from rankzoo.figures.words import memory
from rankzoo.inspection.candidates import Work, work
from rankzoo.inspection.scale import Scaled, costs
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature, Schema, Task
from rankzoo.signals import Batch
from tests.one_setting import Edit, edits, made
from tests.support import random_batch
from tests.test_cli import answer, run

Product = tuple[int, list[torch.Tensor]]


class Products(TorchDispatchMode):
    """Every product of matrices that torch makes: its FLOPs and what it multiplied."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Product] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if func.overloadpacket in flop_registry:
            count = flop_registry[func.overloadpacket](*args, **(kwargs or {}), out_val=out)
            self.found.append((count, [each.clone() for each in args if isinstance(each, torch.Tensor)]))
        return out


def products(model: RankingModel, batch: Batch) -> list[Product]:
    """Those of one pass."""
    kept.cache_clear()
    with torch.no_grad(), Products() as watched:
        model(batch.unlabelled())
    return watched.found


def by_torch(blueprint: Blueprint, schema: Schema) -> Work:
    """The same row with another candidate: a product is the request's where both times the same was multiplied. Rows are two,
    because one would be a product of a vector; both are of the same user."""
    torch.manual_seed(0)
    model, rows = RankingModel(blueprint, schema).eval(), random_batch(schema, rows=6)
    one = rows.take(torch.tensor([1, 1]))
    ids, numbers = one.ids.clone(), one.numbers.clone()
    for column, names in ((ids, schema.categorical), (numbers, schema.numeric)):
        for i, feature in enumerate(names):
            if feature.side != "user":
                column[:, i] = 1 + (column[:, i] % (feature.vocabulary - 1)) if feature.vocabulary > 2 else column[:, i] + 1
    pairs = zip(*(products(model, refilled(each)) for each in (one, replace(one, ids=ids, numbers=numbers))), strict=True)
    found = [(flops, all(map(torch.equal, one, other))) for (flops, one), (_, other) in pairs]
    same, other = (sum(flops for flops, alike in found if alike is wanted) for wanted in (True, False))
    return Work((same - blueprint.count(schema).once) // 2, other // 2)


@cache
def whole(id: str) -> bool:
    """Whether a row of a system scores all items, so that it is a request."""
    system = systems()[id]
    schema = schema_of(system.dataset)
    return any(schema.named(schema.task(task).of) for task in system.blueprint.tasks)


@pytest.mark.parametrize("id", list(systems()))
def test_what_a_request_computes_once_is_what_torch_computes_alike_for_two_candidates(id: str):
    """A law over all systems, part by part in what torch multiplied; data that know no candidate tell no two rows apart."""
    system = systems()[id]
    schema, blueprint = schema_of(system.dataset), system.blueprint
    found, count = work(blueprint, schema), blueprint.count(schema)
    assert found.once + found.each == count.flops and found.of(1_000) - found.of(999) == found.each
    if whole(id):
        assert found == Work(count.flops, 0)
    elif any(feature.side != "user" for feature in schema.features):
        assert found == by_torch(blueprint, schema)
    else:
        assert found == Work(0, count.flops)


def assert_told(edit: Edit) -> bool:
    """The same of a model that is one setting away from a preset; whether it stands and has candidates."""
    document = None if whole(edit[0]) else made(edit)
    if document is None or all(feature.side == "user" for feature in document.schema().features):
        return False
    assert work(document.blueprint, document.schema()) == by_torch(document.blueprint, document.schema()), edit
    return True


def test_the_same_one_setting_away_from_a_preset():
    """Twelve of them that stand, the same ones in every run."""
    every = list(edits())
    assert len(list(islice(filter(assert_told, random.Random(0).sample(every, len(every))), 12))) == 12


@pytest.mark.slow
def test_the_same_wherever_one_setting_leads():
    assert sum(map(assert_told, edits())) > 500


def test_a_map_of_the_candidate_is_the_candidates_though_nothing_in_its_component_reads_it():
    """NRMS with tokens of 16 numbers: the candidate's 24 × 16 and the product, for each; the rest once."""
    changed = made(("nrms", "sequence.1.token", 16))
    assert work(changed.blueprint, changed.schema()) == Work(168_320, 2 * 24 * 16 + 2 * 16)


def test_nrms_and_snapchat_by_hand():
    """NRMS: 48 of 163,568 FLOPs know the candidate. Snapchat: two crosses of 64 × 64 for the user."""
    large = {id: costs(Document.preset(id).industry(), 256) for id in ("nrms", "snapchat")}
    assert large["nrms"]["flops_per_request"] == 163_520 + 1_000 * 48 == 211_520
    assert large["snapchat"]["flops_request"] == 2 * 2 * 64 * 64
    assert large["snapchat"]["flops_per_request"] == 557_224_384
    assert answer("show", "nrms", "--scale", "industry")["scale"]["costs"]["flops_per_request"] == 211_520


def test_a_user_s_tower_is_computed_once_beside_numbers_of_both_sides():
    """The numbers are drawn as one node; a tower reads those of its own side alone."""
    schema = Schema((Feature("user", "categorical", 9, "user"), Feature("age", "numeric", side="user"),
                     Feature("item", "categorical", 9, "item"), Feature("price", "numeric", side="item")), (Task("click"),))
    blueprint = Blueprint(interaction=(Sided(layers=1, widths=(5,)),), tasks=("click",))
    found = work(blueprint, schema)
    assert found.once == blueprint.count(schema).within("interaction.0.user").flops > 0 and found == by_torch(blueprint, schema)


def test_the_report_says_what_is_once_and_what_is_each():
    document = Document.preset("nrms")
    text, cost = report(document), costs(Scaled("", document.blueprint, document.schema(), 1), 256)
    assert (cost["flops_request"], cost["flops_candidate"]) == (163_520, 48)
    assert "FLOPs once a request" in text and ">48 FLOP<" in text and "FLOPs for each candidate" in text


def test_show_says_in_words_what_a_model_of_that_size_takes():
    """YouTube: bytes by format, training and its cards, a request; NRMS what is once and what is each."""
    said, cost = run("show", "youtube", "--scale", "industry").stdout, costs(Document.preset("youtube").industry(), 256)
    for words in ("Counted, not built", "9.004 GB in float32", "4.502 GB in bfloat16", "2.251 GB in int8", "row-wise for tables",
                  "cards of 80 GB that hold it: 1", f"{memory(cost['training'])} in training"):
        assert words in said
    nrms = run("show", "nrms", "--scale", "industry").stdout
    assert "0.21 MFLOP a request of 1,000 candidates: 0.16 MFLOP once a request, 48 FLOP for each candidate" in nrms
    assert "Counted, not built" not in run("show", "nrms").stdout
