"""Exchange: another component in a slot of a document, other tasks or features, and what is brought along: what the page, the
edits that it is timed by and their tests mean by it.

A concatenation may name the fields that it joins (DIN: the history and the candidate). Without the component that made
such a field the model could not stand, and a new component's fields would be made and read by nobody.
"""
from __future__ import annotations

from rankzoo.blueprint import kinds
from rankzoo.components.slot import Slot
from rankzoo.document import Document
from rankzoo.errors import ZooError

Exchanged = tuple[Document, tuple[str, ...]]
"""The document after it, and the names of the fields that are no longer joined."""


def exchanged(before: Document, slot: str, kind: str | None, index: int | None = None) -> Exchanged:
    """A component of that kind in a slot, or with None the slot empty: in the place of one of several, else alone, but what
    rewrites a history goes before the component that reads it. Raises where the new one cannot be built; whether the model stands
    is not asked."""
    value = getattr(before.blueprint, slot)
    if not isinstance(value, tuple):
        return joined(before, before.but([(slot, _settings(before, slot, kind, value))]))
    if index is not None and len(value) > 1:
        return _one_of(before, slot, kind, index)
    readers = [spec for spec in value if not getattr(spec, "rewrites", False)]
    taken = [] if kind is None else [_settings(before, slot, kind, readers[0] if readers else None)]
    rest = readers if kind and getattr(kinds(slot)[kind], "rewrites", False) else []
    return joined(before, before.but([(slot, taken + [spec.model_dump(mode="json") for spec in rest])]))


def _one_of(before: Document, slot: str, kind: str | None, index: int) -> Exchanged:
    """One of several exchanged or taken out. The others stay, but for one that is exactly the new one: the same term twice would
    count twice."""
    found = [spec.model_dump(mode="json") for spec in getattr(before.blueprint, slot)]
    new = [] if kind is None else [_settings(before, slot, kind, getattr(before.blueprint, slot)[index])]
    ahead, behind = ([each for each in part if each not in new] for part in (found[:index], found[index + 1:]))
    return joined(before, before.but([(slot, ahead + new + behind)]))


def added(before: Document, slot: str, kind: str) -> Exchanged:
    """One more component in a slot that holds several: behind the others, before them where it rewrites what they read. One that
    the preset has and that was taken out comes back as it was, between its neighbours where they are the preset's too."""
    found, preset = getattr(before.blueprint, slot), getattr(before.unchanged().blueprint, slot)
    own = next((spec for spec in preset if spec.kind == kind and spec not in found), None)
    new, rewrites = own or kinds(slot)[kind](), getattr(kinds(slot)[kind], "rewrites", False)
    together = (new, *found) if rewrites else (*found, new)
    together = sorted(together, key=preset.index) if all(spec in preset for spec in together) else together
    return joined(before, before.but([(slot, [spec.model_dump(mode="json") for spec in together])]))


def asked(before: Document, tasks: tuple[str, ...]) -> Document:
    """A document with these tasks of its data; what the preset says of one that comes back is said of it again."""
    blueprint = before.blueprint.with_tasks(tasks, before.schema(), before.unchanged().blueprint)
    return before.model_copy(update={"blueprint": blueprint})


def leaving(before: Document, names: tuple[str, ...]) -> Exchanged:
    """A document without these features of its data and no others, likewise."""
    blueprint = before.blueprint.leaving(names, before.schema(), before.unchanged().blueprint)
    return joined(before, before.model_copy(update={"blueprint": blueprint}))


def joined(before: Document, after: Document) -> Exchanged:
    """A document whose components may make other fields than those of the one before: they are joined, or let go. As long as
    nobody changed the concatenation by hand it follows from the preset's: what went with a component comes back with it."""
    try:
        blueprint, dropped = after.blueprint.rejoined(before.blueprint.offered(before.schema()), after.schema())
    except ZooError:  # it stands nowhere near a concatenation: what is wrong is said of it as it is
        return after, ()
    try:
        if _following(before) == before.blueprint.concatenation:
            blueprint = blueprint.model_copy(update={"concatenation": _following(after)})
    except ZooError:  # the preset stands nowhere near one on these data
        pass
    return after.model_copy(update={"blueprint": blueprint}), dropped


def _following(document: Document) -> Slot:
    """The concatenation that follows from the preset's for a document's other components and the features that it reads."""
    schema, here = document.schema(), document.blueprint
    preset = document.unchanged().blueprint.leaving(here.without, schema)
    as_the_preset = here.model_copy(update={"concatenation": preset.concatenation})
    return as_the_preset.rejoined(preset.offered(schema), schema)[0].concatenation


def _settings(document: Document, slot: str, kind: str, old: Slot | None) -> dict[str, object]:
    """The settings of the new component: those of the preset where it has that kind; else its own, but what it has in common with
    the old one is kept where it may have that value."""
    return document.unchanged().blueprint.component(slot, kind, old).model_dump(mode="json")
