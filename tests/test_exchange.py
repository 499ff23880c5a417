"""Exchange: what goes with a component comes back with it, and what was changed by hand stays as it is."""
from __future__ import annotations

from collections.abc import Iterator

import pytest

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.exchange import added, asked, exchanged, leaving
from rankzoo.registry import systems


def off_and_on(preset: Document) -> Iterator[tuple[str, str, Document]]:
    """Every component that can be switched off, its kind, and the model after it was and came back."""
    if preset.blueprint.used("sharing"):
        off, kind = exchanged(preset, "sharing", "direct")[0], preset.blueprint.sharing.kind
        yield "sharing", kind, exchanged(off, "sharing", kind)[0]
    for slot in ("sequence", "interaction"):
        specs = getattr(preset.blueprint, slot)
        for i, spec in enumerate(specs):
            off = exchanged(preset, slot, None, i)[0]
            back = added if len(specs) > 1 else exchanged
            yield f"{slot}.{i}", spec.kind, back(off, slot, spec.kind)[0]


@pytest.mark.parametrize("arch", list(systems()))
def test_off_and_on_again_is_the_preset(arch: str) -> None:
    preset = Document.preset(arch)
    again = list(off_and_on(preset))
    assert [(at, kind) for at, kind, after in again if after != preset] == []
    used = (len(preset.blueprint.sequence), len(preset.blueprint.interaction), preset.blueprint.used("sharing"))
    assert len(again) == sum(used)


def test_the_products_of_din_go_with_its_attention_and_come_back() -> None:
    preset = Document.preset("din")
    off, dropped = exchanged(preset, "sequence", None)
    assert dropped and (off.blueprint.concatenation.fields, off.blueprint.concatenation.products) == (None, ())
    back, none = exchanged(off, "sequence", "target_attention")
    assert (back, none) == (preset, ()) and preset.blueprint.concatenation.products


def test_a_concatenation_that_was_changed_by_hand_stays() -> None:
    preset = Document.preset("din")
    off = exchanged(preset, "sequence", None)[0]
    own = off.but([("concatenation.fields", list(off.blueprint.offered(off.schema())[:2]))])
    back = exchanged(own, "sequence", "target_attention")[0].blueprint.concatenation
    assert set(own.blueprint.concatenation.fields) <= set(back.fields) and back.products == ()


def out_and_back(preset: Document) -> Iterator[tuple[str, Document]]:
    """Every task and every feature that can go, and the model after it went and came back."""
    tasks, schema = preset.blueprint.tasks, preset.schema()
    for gone in tasks if len(tasks) > 1 else ():
        try:
            fewer = asked(preset, tuple(task for task in tasks if task != gone)).check()
        except ZooError:  # the model is of this task
            continue
        yield gone, asked(fewer, tasks)
    for name in schema.spare:
        fewer = leaving(preset, (name,))[0]
        if fewer.blueprint.reached(schema)[1] is None:
            yield name, leaving(fewer, ())[0]


def test_a_task_or_a_feature_taken_out_and_back_is_the_preset() -> None:
    """What named it is back too: the side tower that adds to it, its weight, its group, the width of its vector."""
    again = [(arch, name, after) for arch in systems() for name, after in out_and_back(Document.preset(arch))]
    assert [(arch, name) for arch, name, after in again if after != Document.preset(arch)] == []
    assert len(again) > 500


def refused(now: Document, other: Document) -> Document:
    """What the press leads to, where a model cannot take the place of the one in hand."""
    with pytest.raises(ZooError) as caught:
        other.counted(instead=now.blueprint)
    return Document.mended(caught.value.tried, caught.value.cure)


@pytest.mark.parametrize("arch", ["microsoft", "huawei"])
def test_what_an_item_is_is_told_beside_the_dot_product(arch: str) -> None:
    """The category of a piece of news is told by a head on its vector, as in MTRec; the dot product ranks on, and nothing is
    joined."""
    preset = Document.preset(arch)
    now = preset.but([("tasks", ["click"]), ("losses.weights", {}), ("towers.kind", "dot_product")])
    mended = refused(now, asked(now, ("click", "category")))
    classes, width = 9, mended.blueprint.representation.dim
    assert mended.blueprint.towers.kind == "text_heads" and mended.blueprint.concatenation.fields == ()
    heads = mended.blueprint.count(mended.schema()).within("towers.head")
    assert heads.parameters == classes * (width + 1)


@pytest.mark.parametrize("arch", ["microsoft", "nrms"])
@pytest.mark.parametrize("kind", ["mlp", "classes"])
def test_a_candidate_that_is_joined_is_joined_once(arch: str, kind: str) -> None:
    """As it is it holds the numbers of its fields, which Concat joins anyway."""
    preset = Document.preset(arch)
    mended = refused(preset, exchanged(preset, "towers", kind)[0])
    joined = mended.blueprint.offered(mended.schema())
    assert mended.blueprint.towers.kind == kind and mended.blueprint.concatenation.fields is None and "candidate" not in joined


def test_what_was_set_by_hand_for_a_task_stays_and_the_rest_comes_back() -> None:
    """The side tower was told to add to another task, and a weight is another."""
    preset = Document.preset("youtube")
    own = preset.but([("towers.on", ["like"]), ("losses.weights", {"completion": 7.0}), ("towers.widths", [8])])
    back = asked(asked(own, ("completion", "like")), preset.blueprint.tasks)
    assert back.blueprint.towers.on == ("like",) and back.blueprint.losses.weights == {"completion": 7.0}
    own = preset.but([("towers.widths", [8])])
    assert asked(asked(own, ("completion", "like")), preset.blueprint.tasks) == own, "in the same component too"
