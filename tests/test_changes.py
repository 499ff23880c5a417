"""Changes between two blueprints: complete, minimal, and counted; every rung of the ladder says what it adds."""
from __future__ import annotations

import re

import pytest

from rankzoo.baselines import baselines
from rankzoo.blueprint import SLOTS, kinds
from rankzoo.components.slot import Slot
from rankzoo.data.load import schema_of
from rankzoo.document import Document
from rankzoo.inspection.changes import Change, changes, step
from rankzoo.registry import systems
from rankzoo.shape import Count
from rankzoo.ui import rung

GROWN = [(before.beside(Document.preset(system.id)).blueprint, system) for system in systems().values()
         for before in baselines(system) if not before.rule]


def of_slot(value: object) -> tuple[Slot, ...]:
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.parametrize("blueprint, system", GROWN, ids=[system.id for _, system in GROWN])
def test_the_changes_lead_from_one_to_the_other(blueprint, system):
    """Done one by one to the model below, they give the model above, whatever stands in which order in a slot."""
    schema = schema_of(system.dataset)
    found = step(blueprint, system.blueprint, schema).changes
    assert found, "a rung that changes nothing"
    for slot in SLOTS:
        specs = list(of_slot(getattr(blueprint, slot)))
        for change in (each for each in found if each.address.split(".")[0] == slot):
            if change.whole:
                specs = [spec for spec in specs if spec != change.before] + [change.after] * (change.after is not None)
                continue
            name = change.address.rsplit(".", 1)[1]
            same = next(spec for spec in specs if name in type(spec).model_fields and getattr(spec, name) == change.before)
            specs[specs.index(same)] = same.model_copy(update={name: change.after})
        assert sorted(map(repr, specs)) == sorted(map(repr, of_slot(getattr(system.blueprint, slot))))


@pytest.mark.parametrize("blueprint, system", GROWN, ids=[system.id for _, system in GROWN])
def test_the_line_of_a_rung_names_or_numbers_every_change(blueprint, system):
    """What it costs is what all changes cost, and so none of them is passed over: DIN's embeddings and towers change too."""
    taken = step(blueprint, system.blueprint, schema_of(system.dataset))
    *named, last = rung.said(taken).split(" · ")
    more = re.fullmatch(r"and (\d+) settings?", last)
    assert len(named) + (int(more[1]) if more else 1) == len(taken.changes)


@pytest.mark.parametrize("system", list(systems().values()), ids=lambda system: system.id)
def test_nothing_changes_between_a_model_and_itself(system):
    taken = step(system.blueprint, system.blueprint, schema_of(system.dataset))
    assert (taken.changes, taken.parameters, taken.flops) == ((), 0, 0)


def test_a_setting_a_component_and_what_they_cost():
    """From CGC to PLE one more level; from a shared bottom to MMoE another sharing network."""
    cgc, ple = systems()["cgc"], systems()["ple"]
    addresses = {change.address: (change.before, change.after) for change in changes(cgc.blueprint, ple.blueprint)}
    assert addresses["sharing.levels"] == (1, 2) and "sharing" not in addresses
    document = Document.preset("mmoe").but([("sharing.experts", 6)])
    counts: list[Count] = [each.count(schema_of("feed")) for each in (systems()["shared_bottom"].blueprint, document.blueprint)]
    taken = step(systems()["shared_bottom"].blueprint, document.blueprint, schema_of("feed"))
    assert [change.record() for change in taken.changes if change.whole] == [
        {"address": "sharing", "before": "shared_bottom", "after": "mmoe"}]
    assert taken.parameters == counts[1].parameters - counts[0].parameters
    assert taken.flops == counts[1].flops - counts[0].flops


def test_components_of_one_kind_are_matched_and_the_rest_comes_or_goes():
    """A second linear part is new, the first only changed; of three, two go."""
    one = systems()["wide_deep"].blueprint
    linear = one.interaction[0]
    other = one.model_copy(update={"interaction": (linear.model_copy(update={"buckets": 7}), linear)})
    assert list(changes(one, other)) == [Change("interaction.0.buckets", linear.buckets, 7),
                                         Change("interaction.1", None, linear)]
    assert [change.address for change in changes(other, one)] == ["interaction.0.buckets", "interaction.1"]


def test_what_goes_and_what_comes_at_one_place_is_one_change():
    """Pooling for DIN's attention is one exchange, and its way back is the old component; so is one of several."""
    din, deepfm = systems()["din"].blueprint, systems()["deepfm"].blueprint
    pooled = din.model_copy(update={"sequence": (kinds("sequence")["pooling"](),)})
    change, = changes(din, pooled)
    assert (change.address, change.before, change.after) == ("sequence.0", din.sequence[0], pooled.sequence[0])
    assert change.back(pooled, din) == ("sequence", [din.sequence[0].model_dump(mode="json")])
    linear, fm = deepfm.interaction
    cross = kinds("interaction")["cross"]()
    change, = changes(deepfm, deepfm.model_copy(update={"interaction": (linear, cross)}))
    assert (change.address, change.before, change.after) == ("interaction.1", fm, cross)
    both = list(changes(deepfm, deepfm.model_copy(update={"interaction": (fm, cross)})))
    assert [(each.address, each.before, each.after) for each in both] == [("interaction.1", None, cross),
                                                                          ("interaction.0", linear, None)], "at two places"


def test_another_order_is_a_change():
    nrms = systems()["nrms"].blueprint
    turned = nrms.model_copy(update={"sequence": nrms.sequence[::-1]})
    assert list(changes(nrms, turned)) == [Change("sequence", ("self_attention", "additive_attention"),
                                                  ("additive_attention", "self_attention"))]


def test_work_on_single_numbers_is_told_too():
    """A factorisation machine has no matrix product: 3·m·k + k for 14 fields of its preset's size."""
    taken = step(systems()["lr"].blueprint, systems()["fm"].blueprint, schema_of("ads"))
    k = systems()["fm"].blueprint.representation.dim
    assert taken.flops == 0 and taken.elementwise == 3 * 14 * k + k


def test_every_textbook_rung_but_the_first_grew_out_of_one_before_it():
    ladder = [system for system in systems().values() if system.kind == "textbook"]
    assert not ladder[0].grew
    for system in ladder[1:]:
        assert systems()[system.grew].place < system.place and system.answers and system.adds, system.id
