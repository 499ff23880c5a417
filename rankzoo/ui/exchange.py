"""Exchange: another component in a slot, and the concatenation brought along.

A concatenation may name the fields that it joins (DIN: the history and the candidate). Without the component that made
such a field the model could not stand, and a new component's fields would be made and read by nobody.
"""
from __future__ import annotations

from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.schema import Schema
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
    joined, dropped = rejoined(before.blueprint, after.blueprint, after.schema())
    blueprint = after.blueprint.model_copy(update={"concatenation": joined})
    state.put(after.model_copy(update={"blueprint": blueprint}), dropped, "No longer joined, because nothing makes it: {names}.")


def preset(document: Document, slot: str, kind: str) -> dict[str, object] | None:
    """The settings of that kind in the model that the document started from, as JSON values."""
    try:
        value = getattr(Document.preset(document.arch).on(document.data)[0].blueprint, slot)
    except ZooError:
        return None
    found = (spec for spec in (value if isinstance(value, tuple) else (value,)) if spec.kind == kind)
    return next((spec.model_dump(mode="json") for spec in found), None)


def rejoined(before: Blueprint, after: Blueprint, schema: Schema) -> tuple[Join, tuple[str, ...]]:
    """The concatenation for the fields that are there after an exchange, and the names that it had to let go."""
    join, old, new = after.concatenation, offered(before, schema), offered(after, schema)
    if not isinstance(join, Join) or old == new:
        return join, ()
    products = tuple(pair for pair in join.products if set(pair) <= set(new))
    if join.fields is None:
        return join.model_copy(update={"products": products}), ()
    fields = tuple(name for name in join.fields if name in new) + tuple(name for name in new if name not in old)
    return (join.model_copy(update={"fields": fields or None, "products": products}),
            tuple(name for name in join.fields if name not in new))


def offered(blueprint: Blueprint, schema: Schema) -> tuple[str, ...]:
    """The fields that a concatenation could join, in order."""
    every = blueprint.model_copy(update={"concatenation": Join()})
    return next(tuple(place.shape.fields) for place in every.places(schema) if place.address == "concatenation")

