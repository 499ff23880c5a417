"""Edits: a hundred that a visitor may make of one model, drawn from a seed, each with what must be pressed for it.

Units, layers, experts, cross layers and embedding sizes by − and +, a task's weight, a task or a feature that goes, another
component, a size typed in the sidebar, and undo; and what cannot be: a size that no model has, a component that cannot stand on
these data. Each is tried here first, so that it is known whether it stands or is refused.
"""
from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rankzoo.blueprint import kinds
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.exchange import exchanged
from rankzoo.export.picture import layout_of
from rankzoo.inspection.steps import steps

OFTEN = {"undo": 0.25, "size": 0.1, "kind": 0.1, "absurd": 0.05, "misfit": 0.08, "step": 0.42}
"""How often an edit is taken back, a size is typed, a component is exchanged, a size is typed and a component chosen that are
refused; and − or + of a part pressed."""
REFUSED = ("absurd", "misfit")
EXCHANGED = "sharing"
"""The column whose component is exchanged; the edit after it is an undo, since the page may keep more of the old settings."""
MISFITS = ("interaction", "towers", "losses")
"""The columns in which a component is tried that cannot stand; one of several goes alone, so that the first is exchanged."""
LARGEST = 65_536
"""The widest embedding that a model may have."""


@dataclass(frozen=True)
class Edit:
    """How it is made: `undo`, `size` and `absurd` (value: what is typed), `kind` and `misfit` (value: the component's title),
    `step` (value: the sign that is pressed); part: what must be selected for it. Absurd sizes and misfits are refused."""

    how: str
    value: str = ""
    part: str = ""


def drawn(document: Document, number: int, seed: int = 0) -> list[Edit]:
    """So many edits, one after the other, of a document that is in hand."""
    return [edit for edit, _ in told(document, number, seed)]


def told(document: Document, number: int, seed: int = 0) -> list[tuple[Edit, Document]]:
    """The same, each with the document that is in hand after it. No two that are refused come one after the other: the second's
    sentence may be the first's."""
    rng, past, found = random.Random(seed), [], []
    while len(found) < number:
        last = found[-1][0].how if found else ""
        how = "undo" if last == "kind" else rng.choices(list(OFTEN), list(OFTEN.values()))[0]
        if how == "undo" and past:
            document = past.pop()
            found.append((Edit("undo"), document))
        elif how in TRIES and not (how in REFUSED and last in REFUSED):
            tried = ((edit, after(make)) for edit, make in TRIES[how](document, rng))
            edit, made = next(((edit, made) for edit, made in tried if made != document and (made is None) == (how in REFUSED)),
                              (None, None))
            if made:
                past.append(document)
                document = made
            found += [(edit, document)] if edit else []
    return found


Tried = Iterator[tuple[Edit, Callable[[], Document]]]
"""Edits, each with what makes the document after it, or raises what refuses it."""


def sizes(document: Document, rng: random.Random) -> Tried:
    """Another embedding size, typed."""
    for dim in rng.sample(range(4, 64), 20):
        if dim != document.blueprint.representation.dim:
            yield Edit("size", str(dim)), set_to(document, "representation.dim", dim)


def exchanges(document: Document, rng: random.Random) -> Tried:
    """Another component in the column."""
    known = kinds(EXCHANGED)
    part = next(a for a, block in layout_of(document.blueprint, document.schema()).blocks.items() if block.slot == EXCHANGED)
    for kind in rng.sample(sorted(known), len(known)):
        if kind != getattr(document.blueprint, EXCHANGED).kind:
            yield Edit("kind", known[kind].title, part), put_in(document, EXCHANGED, kind)


def presses(document: Document, rng: random.Random) -> Tried:
    """− or + of a part, drawn by what it changes first, for many parts share a setting and few have a task's weight."""
    schema, specs = document.schema(), dict(document.blueprint.specs())
    layout, found = layout_of(document.blueprint, schema), {}
    for address in layout.boxes:
        component = next((a for a in specs if address == a or address.startswith(a + ".")), None)
        for step in steps(document.blueprint, schema, component, specs[component], layout.blocks[address]) if component else ():
            for way in ("less", "more"):
                if getattr(step, way) is not None:
                    edit = Edit("step", f"{step.key}.{way}", address)
                    found.setdefault(step.title, []).append((edit, set_to(document, step.path, getattr(step, way))))
    for title in rng.sample(sorted(found), len(found)):
        yield rng.choice(found[title])


def absurd(document: Document, rng: random.Random) -> Tried:
    """An embedding size that no model has, typed."""
    size = rng.choice([0, rng.randint(LARGEST + 1, 100 * LARGEST)])
    yield Edit("absurd", str(size)), set_to(document, "representation.dim", size)


def misfits(document: Document, rng: random.Random) -> Tried:
    """Another component in a column where it may not stand."""
    blocks = layout_of(document.blueprint, document.schema()).blocks
    for slot in rng.sample(MISFITS, len(MISFITS)):
        part = next((a for a, block in blocks.items() if block.slot == slot), None)
        for kind in rng.sample(sorted(kinds(slot)), len(kinds(slot))) if part else ():
            yield Edit("misfit", kinds(slot)[kind].title, part), put_in(document, slot, kind)


def set_to(document: Document, path: str, value: object) -> Callable[[], Document]:
    """A setting changed, as the page does it."""
    return lambda: document.but([(path, value)])


def put_in(document: Document, slot: str, kind: str) -> Callable[[], Document]:
    """The first component of a column exchanged, as the page does it."""
    return lambda: exchanged(document, slot, kind, 0)[0]


TRIES = {"size": sizes, "kind": exchanges, "step": presses, "absurd": absurd, "misfit": misfits}


def after(make: Callable[[], Document]) -> Document | None:
    """The document that is made; None where that is refused."""
    try:
        return make().check()
    except ZooError:
        return None
