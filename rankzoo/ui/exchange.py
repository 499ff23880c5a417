"""Exchange: another component in a slot, and the concatenation brought along.

A concatenation may name the fields that it joins (DIN: the history and the candidate). Without the component that made
such a field the model could not stand, and a new component's fields would be made and read by nobody.
"""
from __future__ import annotations

from rankzoo.blueprint import kinds
from rankzoo.components.slot import Slot
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.ui import state


def exchange(slot: str, kind: str | None) -> None:
    """Put a component of that kind into a slot, alone, or empty it with None; raises where the new one cannot stand there.
    What rewrites a history goes before the component that reads it. One of several is `exchange_at`'s."""
    before = state.document()
    value = getattr(before.blueprint, slot)
    if isinstance(value, tuple):
        readers = [spec for spec in value if not getattr(spec, "rewrites", False)]
        taken = [] if kind is None else [settings(before, slot, kind, readers[0] if readers else None)]
        rest = readers if kind and getattr(kinds(slot)[kind], "rewrites", False) else []
        after = before.but([(slot, taken + [spec.model_dump(mode="json") for spec in rest])])
    else:
        after = before.but([(slot, settings(before, slot, kind, value))])
    put_joined(after)


def exchange_at(slot: str, index: int, kind: str | None) -> None:
    """Put a component of that kind in the place of one of several, or take that one out with None. The others stay, but for one
    that is exactly the new one: the same term twice would count twice."""
    before = state.document()
    found = [spec.model_dump(mode="json") for spec in getattr(before.blueprint, slot)]
    new = [] if kind is None else [settings(before, slot, kind, getattr(before.blueprint, slot)[index])]
    ahead, behind = ([each for each in part if each not in new] for part in (found[:index], found[index + 1:]))
    put_joined(before.but([(slot, ahead + new + behind)]))


def add(slot: str, kind: str) -> None:
    """Put one more component into a slot that holds several: behind the others, before them where it rewrites what they read."""
    before = state.document()
    found = [spec.model_dump(mode="json") for spec in getattr(before.blueprint, slot)]
    new = [kinds(slot)[kind]().model_dump(mode="json")]
    put_joined(before.but([(slot, new + found if getattr(kinds(slot)[kind], "rewrites", False) else found + new)]))


def put_joined(after: Document) -> None:
    """Take a document in hand whose components may make other fields than those of the one before: they are joined, or let go."""
    before = state.document()
    try:
        blueprint, dropped = after.blueprint.rejoined(before.blueprint.offered(before.schema()), after.schema())
    except ZooError:  # it stands nowhere near a concatenation: what is wrong is said of it as it is
        blueprint, dropped = after.blueprint, ()
    state.put(after.model_copy(update={"blueprint": blueprint}), dropped, "No longer joined, because nothing makes it: {names}.")


def settings(document: Document, slot: str, kind: str, old: Slot | None) -> dict[str, object]:
    """The settings of the new component: those of the preset where it has that kind; else its own, but what it has in common with
    the old one is kept where it may have that value."""
    return document.unchanged().blueprint.component(slot, kind, old).model_dump(mode="json")
