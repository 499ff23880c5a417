"""Exchange: what goes with a component comes back with it, and what was changed by hand stays as it is."""
from __future__ import annotations

from collections.abc import Iterator

import pytest

from rankzoo.document import Document
from rankzoo.exchange import added, exchanged
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
