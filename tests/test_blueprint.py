"""Any blueprint at all: it stands and its formulas hold, or it is refused with an address and a sentence."""
from __future__ import annotations

import json
from contextlib import suppress

import pytest
import torch
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from rankzoo.blueprint import SLOTS, Blueprint, kinds
from rankzoo.components.concatenation.join import Join
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.representation import minilm
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.towers.bare import Bare
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.paths import leaves, set_at
from rankzoo.registry import systems
from rankzoo.schema import Schema
from tests.drawing import OPTIONAL, blueprints
from tests.support import OFF, c0, copied, fill, flops, logits, numel, random_batch, rich, shop, trained_loss
from tests.test_document import assert_plain
from tests.wiring import assert_wired, ending

SCHEMA, SHOP = rich(), shop()
BATCHES = {SCHEMA: random_batch(SCHEMA, 6), SHOP: random_batch(SHOP, 6)}
ANY = st.sampled_from((SCHEMA, SHOP)).flatmap(lambda schema: st.tuples(st.just(schema), blueprints(schema)))
ALL = [(slot, kind) for slot in SLOTS for kind in kinds(slot)]


def stands(schema: Schema, blueprint: Blueprint) -> bool:
    """Whether the components fit, and all that they need is installed; a refusal must be a plain sentence with an address of the
    blueprint."""
    try:
        blueprint.places(schema)
        for address, spec in blueprint.specs():
            spec.installed(address)
    except ZooError as error:
        assert_plain(error)
        assert error.at.split(".")[0] in (*SLOTS, "tasks", "without")
        return False
    return True


def of_kind(blueprint: Blueprint, slot: str, kind: str) -> bool:
    value = getattr(blueprint, slot)
    return any(spec.kind == kind for spec in (value if isinstance(value, tuple) else (value,)))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(ANY)
def test_any_blueprint_that_stands_works(drawn):
    """Builds, runs, learns with finite gradients; predicted parameters and FLOPs are the real ones; the diagram is wired."""
    schema, blueprint = drawn
    assume(stands(schema, blueprint))
    count, model, batch = blueprint.count(schema), RankingModel(blueprint, schema), BATCHES[schema]
    assert count.parameters == numel(model)
    assert count.flops + count.once / 6 == pytest.approx(flops(model, batch))
    loss = trained_loss(model, batch)
    assert torch.isfinite(loss)
    if loss.requires_grad:
        loss.backward()
    assert all(torch.isfinite(p.grad.to_dense()).all() for p in model.parameters() if p.grad is not None)
    for task, logit in logits(model, batch).items():
        classes = schema.classes(schema.task(task))
        assert logit.shape == ((6,) if schema.task(task).kind != "class" else (6, classes)) and torch.isfinite(logit).all()
        assert logit[0].numel() == ending(blueprint, schema, task)
    if any(block.flows for block in blueprint.blocks(schema)):
        assert_wired(blueprint, schema)
    assert Blueprint.model_validate_json(blueprint.json()) == blueprint


class Enough(Exception):
    """All that was wanted is found."""


def standing(wanted: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Every (slot, kind) that stands in one of so many drawn blueprints, the same ones in every run: some kinds stand in few. No
    more are drawn once all that is wanted stands."""
    found: set[tuple[str, str]] = set()

    @settings(max_examples=4000, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(ANY)
    def draw(drawn) -> None:
        new = {(slot, kind) for slot, kind in ALL if of_kind(drawn[1], slot, kind)} - found
        if new and stands(*drawn):
            found.update(new)
        if wanted <= found:
            raise Enough

    with suppress(Enough):
        draw()
    return found


@pytest.mark.slow
def test_every_kind_is_drawn():
    """Of every slot, every kind stands somewhere among what is drawn: the law above leaves none out. Without the optional weights
    a pretrained encoder stands nowhere."""
    absent = {("representation", "pretrained_encoder")} if minilm.problem() else set()
    assert set(ALL) - standing(set(ALL) - absent) == absent


GARBAGE = st.sampled_from([0, -1, 1.5, 10**9, 10**15, True, None, "", "x", "<b>", [], {}, [[]], ["a", "b"], {"kind": "none"}])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["lr", "wide_deep", "dcn_v2", "mmoe", "din", "youtube"]), st.data())
def test_any_wrong_setting_is_refused_in_words(arch, data):
    """One setting of a preset replaced by something else: still a document, or a plain refusal with an address."""
    tree = json.loads(Document.preset(arch).json())
    path = data.draw(st.sampled_from([path for path, _ in leaves(tree)]))
    set_at(tree, path, data.draw(GARBAGE))
    try:
        document = Document.parse(json.dumps(tree)).check()
    except ZooError as error:
        assert_plain(error)
        assert error.at
        return
    assert document.blueprint.count(document.schema()).parameters >= 0


def test_slots_and_menus():
    """Seven slots; every kind has a title and a sentence of at most 20 words; sequence and interaction may be empty."""
    assert len(SLOTS) == 7
    for slot, kind in ALL:
        spec = kinds(slot)[kind]
        assert spec.title and 0 < len(spec.sentence.split()) <= 20, kind
        assert set(spec.main) <= set(spec.model_fields)
    plain = Blueprint(tasks=("click",))
    assert [slot for slot in SLOTS if not plain.used(slot)] == ["sequence", "interaction", "sharing"]
    assert OPTIONAL == ("sequence", "interaction")


def test_address_is_submodule():
    """House: one address for the setting, the submodule, the count and the diagram."""
    blueprint = Blueprint(tasks=("click",), sharing=MMoE(experts=4, widths=(3,)))
    model, count = RankingModel(blueprint, SCHEMA), blueprint.count(SCHEMA)
    assert count.within("sharing.expert.3").parameters == numel(model.get_submodule("sharing.expert.3"))
    block = next(b for b in blueprint.blocks(SCHEMA) if b.address == "sharing.expert.3")
    assert block.parameters == count.within("sharing.expert.3").parameters > 0
    assert count.within("sharing.expert").parameters == 4 * block.parameters  # and not those of a longer name


def test_with_tasks_drops_what_named_a_gone_task():
    """Dropping a task takes its tower, its gate and its place in the side tower with it."""
    youtube, video = systems()["youtube"].blueprint, Document.preset("youtube").schema()
    fewer = youtube.with_tasks(("click", "like"), video)
    assert fewer.tasks == ("click", "like") and fewer.towers.on == ("click",)
    assert fewer.count(video).parameters == numel(RankingModel(fewer, video))
    assert_wired(fewer, video)
    with pytest.raises(ZooError, match="A model needs at least one task"):
        youtube.with_tasks((), video)


# Feature-crossing sheet, k: what different architectures have in common ------------------------------------------------

C0 = c0()
FIELDS = random_batch(C0, 16)


def model_of(**slots: object) -> RankingModel:
    return RankingModel(Blueprint(tasks=("t0",), **slots), C0, seed=1)


def test_dnn_is_stacked_dcn_v2_without_crosses():
    """k.1: same tables, same deep network: DNN = DCN-V2 stacked with W = b = 0 = DCN-V2 stacked with L = 0."""
    deep = MlpTower(widths=(8, 4))
    dnn = model_of(towers=deep)
    for layers in (0, 2):
        crossed = model_of(interaction=(CrossV2(layers=layers, structure="stacked"),), towers=deep)
        copied(dnn, crossed)
        fill(crossed.interaction, 0.0)
        assert torch.equal(logits(crossed, FIELDS)["t0"], logits(dnn, FIELDS)["t0"])


@pytest.mark.parametrize("layers", [0, 2])
def test_parallel_without_crosses_is_not_the_dnn(layers):
    """k.2: parallel with W = b = 0 (or L = 0) still sees x_0 linearly: D weights more in the head."""
    deep = MlpTower(widths=(8, 4))
    dnn, crossed = model_of(towers=deep), model_of(interaction=(CrossV2(layers=layers),), towers=deep)
    fill(crossed.interaction, 0.0)
    for name, parameter in crossed.named_parameters():
        if "head" not in name and "interaction" not in name:
            parameter.data.copy_(dict(dnn.named_parameters())[name])
    head, plain = crossed.towers.head["t0"], dnn.towers.head["t0"]
    head.weight.data[:, 160:].copy_(plain.weight)
    head.bias.data.copy_(plain.bias)
    x0 = torch.cat(list(crossed.representation(FIELDS, OFF).fields.values()), dim=1)
    difference = logits(crossed, FIELDS)["t0"] - logits(dnn, FIELDS)["t0"]
    torch.testing.assert_close(difference, (x0 @ head.weight[0, :160]).detach(), rtol=1e-4, atol=1e-5)
    assert numel(crossed.towers) - numel(dnn.towers) == 160 and difference.abs().max() > 1e-3


def test_fields_permuted_with_their_columns():
    """b: the order of the fields is a name only: permuting the matching columns of the first layer undoes it."""
    names = [f.name for f in C0.features]
    straight = model_of(towers=MlpTower(widths=(8,)))
    turned = model_of(concatenation=Join(fields=tuple(reversed(names))), towers=MlpTower(widths=(8,)))
    copied(straight, turned)
    weight = straight.towers.deep["t0"][0].weight.detach()
    turned.towers.deep["t0"][0].weight.data.copy_(torch.cat(list(reversed(weight.split(16, dim=1))), dim=1))
    torch.testing.assert_close(logits(turned, FIELDS)["t0"], logits(straight, FIELDS)["t0"], rtol=1e-4, atol=1e-6)


def test_one_hot_needs_no_table():
    """Without embeddings nothing is joined, and only a bare tower can stand."""
    with pytest.raises(ZooError) as caught:
        Blueprint(tasks=("t0",), representation=OneHot()).count(C0)
    assert caught.value.at == "towers" and "no input" in str(caught.value)
    with pytest.raises(ZooError) as caught:
        Blueprint(tasks=("t0",), representation=OneHot(), towers=Bare()).count(C0)
    assert "Nothing reaches the tower" in str(caught.value)
