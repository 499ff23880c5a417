"""Exchange: another component in a slot, and the concatenation brought along.

A concatenation may name the fields that it joins (DIN: the history and the candidate). Without the component that made
such a field the model could not stand, and a new component's fields would be made and read by nobody.
"""
from __future__ import annotations

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.ui import state


def exchange(slot: str, kind: str | None) -> None:
    """Put a component of that kind into a slot (in place of its first), or empty it with None; raises where the new one
    cannot stand there. The settings are those of the preset where it has that kind, else the kind's own."""
    before = state.document()
    several = isinstance(getattr(before.blueprint, slot), tuple)
    at = f"{slot}.0" if several else slot
    after = before.but([(slot, [])] if kind is None
                       else [(at, own)] if (own := preset(before, slot, kind))
                       else [(f"{at}.kind", kind)])
    blueprint, dropped = after.blueprint.rejoined(before.blueprint.offered(before.schema()), after.schema())
    state.put(after.model_copy(update={"blueprint": blueprint}), dropped, "No longer joined, because nothing makes it: {names}.")


def preset(document: Document, slot: str, kind: str) -> dict[str, object] | None:
    """The settings of that kind in the model that the document started from, as JSON values."""
    try:
        value = getattr(Document.preset(document.arch).on(document.data)[0].blueprint, slot)
    except ZooError:
        return None
    found = (spec for spec in (value if isinstance(value, tuple) else (value,)) if spec.kind == kind)
    return next((spec.model_dump(mode="json") for spec in found), None)
