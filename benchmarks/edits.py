"""Edits: a hundred that a visitor may make of one model, drawn from a seed, each with what must be pressed for it.

Units, layers, experts, cross layers and embedding sizes by − and +, a task's weight, a task or a feature that goes, another
component, a size typed in the sidebar, and undo. Each is tried here first: one that would be refused is not made.
"""
from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from rankzoo.blueprint import kinds
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.export.picture import layout_of
from rankzoo.inspection.steps import steps

UNDO, TYPE, EXCHANGE = 0.25, 0.1, 0.1
"""How often an edit is taken back, a size is typed, a component is exchanged; else − or + of a part is pressed."""
EXCHANGED = "sharing"
"""The column whose component is exchanged; the edit after it is an undo, since the page may keep more of the old settings."""


@dataclass(frozen=True)
class Edit:
    """How it is made: `undo`, `size` (value: what is typed), `kind` (value: the component's title), `step` (value: the sign that
    is pressed); part: what must be selected for it."""

    how: str
    value: str = ""
    part: str = ""


def drawn(document: Document, number: int, seed: int = 0) -> list[Edit]:
    """So many edits, one after the other, of a document that is in hand."""
    rng, past, found = random.Random(seed), [], []
    while len(found) < number:
        last = found[-1].how if found else ""
        at = rng.random()
        if past and (last == "kind" or at < UNDO):
            document = past.pop()
            found.append(Edit("undo"))
            continue
        how = "size" if at < UNDO + TYPE else "kind" if at < UNDO + TYPE + EXCHANGE else "step"
        tried = {"size": sizes, "kind": exchanges, "step": presses}[how](document, rng)
        edit, after = next(((edit, after) for edit, changes in tried if (after := stands(document, changes))), (None, None))
        if edit:
            past.append(document)
            document = after
            found.append(edit)
    return found


Tried = Iterator[tuple[Edit, tuple[str, object]]]


def sizes(document: Document, rng: random.Random) -> Tried:
    """Another embedding size, typed."""
    for dim in rng.sample(range(4, 64), 20):
        if dim != document.blueprint.representation.dim:
            yield Edit("size", str(dim)), ("representation.dim", dim)


def exchanges(document: Document, rng: random.Random) -> Tried:
    """Another component in the column."""
    known = kinds(EXCHANGED)
    part = next(a for a, block in layout_of(document.blueprint, document.schema()).blocks.items() if block.slot == EXCHANGED)
    for kind in rng.sample(sorted(known), len(known)):
        if kind != getattr(document.blueprint, EXCHANGED).kind:
            yield Edit("kind", known[kind].title, part), (f"{EXCHANGED}.kind", kind)


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
                    found.setdefault(step.title, []).append((edit, (step.path, getattr(step, way))))
    for title in rng.sample(sorted(found), len(found)):
        yield rng.choice(found[title])


def stands(document: Document, change: tuple[str, object]) -> Document | None:
    """The document with a change; None where that is refused or changes nothing."""
    try:
        after = document.but([change]).check()
    except ZooError:
        return None
    return after if after != document else None
