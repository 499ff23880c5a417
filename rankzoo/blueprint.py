"""Blueprint: a whole ranking model as frozen settings, seven slots and the tasks.

Everything that does not need a tensor is answered here: the sizes between slots, parameters and FLOPs, the nodes of the
diagram, what differs from another blueprint. One address (`sequence.0.unit`) names a setting everywhere.

More than 250 lines: what is asked of a whole model is one class.
"""
from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from rankzoo.components.concatenation import Concatenation
from rankzoo.components.concatenation.join import Join
from rankzoo.components.interaction import Interaction
from rankzoo.components.losses import Losses
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation import Representation
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence import Sequence
from rankzoo.components.sharing import Sharing
from rankzoo.components.sharing.direct import Direct
from rankzoo.components.slot import Slot, once
from rankzoo.components.towers import Towers
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.errors import ZooError, axes
from rankzoo.memo import kept
from rankzoo.paths import changed
from rankzoo.saying import validated
from rankzoo.schema import Schema, Task
from rankzoo.shape import Block, Count, Edge, Flow, Shape

SLOTS = ("representation", "sequence", "interaction", "concatenation", "sharing", "towers", "losses")
TaskName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_ ]+$")]


@cache
def kinds(slot: str) -> Mapping[str, type[Slot]]:
    """Every component that a slot can hold, by kind, in the menu's order."""
    found: list[type[Slot]] = []

    def walk(annotation: object) -> None:
        if isinstance(annotation, type) and issubclass(annotation, Slot):
            found.append(annotation)
        for inner in get_args(annotation):
            walk(inner)

    walk(Blueprint.model_fields[slot].annotation)
    return {spec.model_fields["kind"].default: spec for spec in found}


HISTORIES = 2
"""Of how many histories the shapes are told; the rest is a number."""


@dataclass(frozen=True)
class Place:
    """One component at its address, with the shape that enters it."""

    address: str
    spec: Slot
    shape: Shape


def arriving(shape: Shape) -> str:
    """What enters a component, by the slot that it stands in: columns, past items, vectors, one vector, logits."""
    slot = shape.at.split(".")[0]
    if slot == "representation":
        return axes(len(shape.schema.inputs))
    if slot == "sequence" and shape.sequences:
        every = [axes(each.length, each.width) for each in shape.sequences.values()]
        return ", ".join([*every[:HISTORIES], *([f"+ {len(every) - HISTORIES}"] if len(every) > HISTORIES else [])])
    if slot in ("sharing", "towers"):
        return axes(shape.branch if slot == "towers" and shape.branch else shape.joined)
    if slot == "losses":
        return axes(len(shape.tasks))
    widths = sorted(set(shape.fields.values()))
    return axes(len(shape.fields), "…".join(map(str, widths[:1] + widths[1:][-1:]))) if widths else axes(0)


def drawn(places: Iterable[Place]) -> tuple[Block, ...]:
    """The nodes of some components in their order, each with the edges that leave it and where its task stands."""
    drawings = [(place.spec.draw(place.shape), place.shape.schema) for place in places]
    edges: dict[str, list[Edge]] = {}
    for drawing, _ in drawings:
        for edge in drawing.edges:
            edges.setdefault(edge.source, []).append(edge)
    return tuple(replace(block, flows=tuple(Flow(e.to, e.width, e.side, e.times) for e in edges.get(block.address, ())),
                         place=schema.places([block.task])[block.task] if block.task else 0)
                 for drawing, schema in drawings for block in drawing.blocks)


class Blueprint(BaseModel):
    """The seven slots, in the order of the forward pass, the names of the tasks, and of the features that are left out.

    `sequence` and `interaction` are tuples: empty means that the component is not used, several run one after another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    representation: Representation = Embeddings()
    sequence: Annotated[tuple[Sequence, ...], Field(max_length=8)] = ()
    interaction: Annotated[tuple[Interaction, ...], Field(max_length=8)] = ()
    concatenation: Concatenation = Join()
    sharing: Sharing = Direct()
    towers: Towers = MlpTower()
    losses: Losses = Pointwise()
    tasks: Annotated[tuple[TaskName, ...], Field(min_length=1, max_length=8)]
    without: Annotated[tuple[str, ...], Field(max_length=2000)] = ()

    @model_serializer(mode="wrap")
    def _written(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Nothing is said of features where none is left out: documents from before there was such a setting stay the same."""
        return {name: value for name, value in written(self).items() if name != "without" or value}

    def specs(self) -> Iterator[tuple[str, Slot]]:
        """Every component with its address, in the order of the forward pass."""
        for slot in SLOTS:
            value = getattr(self, slot)
            yield from ((f"{slot}.{i}", spec) for i, spec in enumerate(value)) if isinstance(value, tuple) else [(slot, value)]

    @kept
    def places(self, schema: Schema) -> tuple[Place, ...]:
        """Every component with the shape that enters it; raises the ZooError of the first that cannot stand where it is."""
        places, problem = self.reached(schema)
        if problem:
            raise problem
        return places

    def reached(self, schema: Schema) -> tuple[tuple[Place, ...], ZooError | None]:
        """Components with the shape that enters each, up to the first that cannot stand where it is, which is the last of them
        then, and what it says. What is wrong with the tasks fails at the losses, with the features at the first."""
        try:
            read, tasks = self._asked(schema)
        except ZooError as problem:
            if problem.at.startswith("without"):
                return (Place(SLOTS[0], self.representation, Shape(schema, ())),), problem
            known = [task.name for task in schema.tasks]
            kept = tuple(dict.fromkeys(task for task in self.tasks if task in known)) or (known[0],)
            places, _ = self.model_copy(update={"tasks": kept, "without": ()}).reached(schema)
            return (*places[:-1], Place(SLOTS[-1], self.losses, places[-1].shape)), problem
        shape = Shape(read, tasks, apart=self.sharing.apart(self.tasks))
        places = []
        for address, spec in self.specs():
            shape = shape.but(at=address)
            places.append(Place(address, spec, shape))
            try:
                shape = spec.after(shape)
            except ZooError as problem:
                problem.comes = problem.comes or (arriving(shape) if problem.needs else "")
                return tuple(places), problem
        return tuple(places), None

    def _asked(self, schema: Schema) -> tuple[Schema, tuple[Task, ...]]:
        """The features that are read and the tasks, as the data have them."""
        if len(set(self.tasks)) < len(self.tasks):
            raise ZooError("A task is named twice.", "Name each task once.", at="tasks",
                           cure=("tasks", list(dict.fromkeys(self.tasks))), comes=axes(len(self.tasks)),
                           needs=axes(len(set(self.tasks))))
        once(self.without, "without")
        read = schema.leaving(self.without)
        return read, tuple(schema.task(name, f"tasks.{i}") for i, name in enumerate(self.tasks))

    def but(self, changes: Iterable[tuple[str, object]]) -> Blueprint:
        """This blueprint with settings changed by address («sharing.experts», 8); raises where a value may not be there."""
        return validated(Blueprint, changed(json.loads(self._text()), changes))

    def component(self, slot: str, kind: str, old: Slot | None = None) -> Slot:
        """A new component of that kind: as this blueprint has it where it has one; else by default, but what it has in common
        with the `old` one (the widths, the history, the width of a token) is kept where it may have that value, unless it brings
        its own."""
        own = next((spec for address, spec in self.specs() if address.split(".")[0] == slot and spec.kind == kind), None)
        if own is not None:
            return own
        spec = kinds(slot)[kind]()
        taken = type(spec).model_fields.keys() - set(spec.brings)
        for name in () if old is None else [name for name in type(old).model_fields if name in taken]:
            try:
                spec = type(spec).model_validate({**spec.model_dump(), name: getattr(old, name), "kind": kind})
            except ValidationError:
                continue
        return spec

    @kept
    def count(self, schema: Schema) -> Count:
        """Parameters and FLOPs of all parts by formula, under their addresses."""
        return sum((place.spec.count(place.shape).under(place.address) for place in self.places(schema)), Count())

    @kept
    def blocks(self, schema: Schema) -> tuple[Block, ...]:
        """The nodes of the diagram in the order of the forward pass, each with the edges that leave it."""
        return drawn(self.places(schema))

    def used(self, slot: str) -> bool:
        """Whether the model uses a slot: an empty tuple and direct sharing count as unused."""
        value = getattr(self, slot)
        return bool(value) if isinstance(value, tuple) else value.kind != "direct"

    def with_tasks(self, tasks: tuple[str, ...], schema: Schema, preset: Blueprint | None = None) -> Blueprint:
        """This blueprint for other tasks of the same data; what named a task that is gone lets it go. What the preset names comes
        back with a task."""
        kept = tuple(task for task in schema.tasks if task.name in tasks)
        if not kept:
            raise ZooError("A model needs at least one task.", "Keep one of: {tasks}.", at="tasks",
                           tasks=", ".join(task.name for task in schema.tasks))
        changed = self.model_copy(update={"tasks": tuple(task.name for task in kept)})
        fitted = changed.fitted(schema)[0]
        return fitted._following(self, preset, lambda other, like: other.with_tasks(like.tasks, schema)) if preset else fitted

    def leaving(self, without: tuple[str, ...], schema: Schema, preset: Blueprint | None = None) -> Blueprint:
        """This blueprint without some features of the same data; what named one of them lets it go. What the preset names comes
        back with a feature."""
        left, join = tuple(f.name for f in schema.features if f.name in without), self.concatenation
        if isinstance(join, Join):
            join = join.model_copy(update={
                "fields": join.fields and tuple(name for name in join.fields if name not in left),
                "products": tuple(pair for pair in join.products if not set(pair) & set(left))})
        fitted = self.model_copy(update={"without": left, "concatenation": join}).fitted(schema)[0]
        return fitted._following(self, preset, lambda other, like: other.leaving(like.without, schema)) if preset else fitted

    def _following(self, before: Blueprint, preset: Blueprint, alike: Callable[[Blueprint, Blueprint], Blueprint]) -> Blueprint:
        """This blueprint, in which every setting that was the preset's is so again. alike: the preset with the tasks or features
        of another blueprint, so that what went with one of them comes back with it, whichever way it was taken."""
        try:
            old, new = dict(alike(preset, before).specs()), dict(alike(preset, self).specs())
        except ZooError:  # the preset stands nowhere near these
            return self
        held, changes = dict(before.specs()), {}
        for address, spec in self.specs():
            if all(spec.kind == getattr(each.get(address), "kind", "") for each in (old, new, held)):
                back = {name: getattr(new[address], name) for name in type(spec).model_fields
                        if getattr(old[address], name) != getattr(new[address], name)
                        and getattr(held[address], name) == getattr(old[address], name)}
                changes[address] = spec.model_copy(update=back)
        return self.model_copy(update={slot: tuple(changes.get(f"{slot}.{i}", each) for i, each in enumerate(value))
                                       if isinstance(value := getattr(self, slot), tuple) else changes.get(slot, value)
                                       for slot in SLOTS})

    def fitted(self, schema: Schema) -> tuple[Blueprint, tuple[str, ...]]:
        """This blueprint for other data: its tasks become the data's where none of them fits; names that the data lack, or
        of tasks that are no longer the model's, are dropped. Returns the addresses and names that were dropped too."""
        names = [t.name for t in schema.tasks]
        kept = tuple(t for t in self.tasks if t in names) or tuple(names[:1] if len(self.tasks) == 1 else names[:8])
        changes: dict[str, object] = {"tasks": kept}
        changes["without"] = tuple(name for name in self.without if name in schema.spare)
        gone = [f"tasks: {t}" for t in self.tasks if t not in kept]
        gone += [f"without: {name}" for name in self.without if name not in schema.spare]
        schema = replace(schema, tasks=tuple(t for t in schema.tasks if t.name in kept)).leaving(changes["without"])
        for slot in SLOTS:
            value = getattr(self, slot)
            fitted = [spec.fitted(schema) for spec in (value if isinstance(value, tuple) else (value,))]
            gone += [f"{slot}: {name}" for _, names_gone in fitted for name in names_gone]
            changes[slot] = tuple(spec for spec, _ in fitted) if isinstance(value, tuple) else fitted[0][0]
        return self.model_copy(update=changes), tuple(gone)

    def offered(self, schema: Schema) -> tuple[str, ...]:
        """The fields that a concatenation could join, in order."""
        return tuple(self._reaching(schema))

    def _reaching(self, schema: Schema) -> Mapping[str, int]:
        """Every field that reaches the concatenation, with its width."""
        every = self.model_copy(update={"concatenation": Join()})
        return next(place.shape.fields for place in every.places(schema) if place.address == "concatenation")

    def rejoined(self, old: tuple[str, ...], schema: Schema) -> tuple[Blueprint, tuple[str, ...]]:
        """This blueprint with a concatenation for the fields that are there now; `old` are those that were offered before.

        Where a concatenation names its fields, new ones are joined too. Where it names one that nothing makes any more, that
        name is let go (returned too) and all fields are joined: the candidate must be read in some form. One that joins
        nothing (a factorisation machine's) goes on to join nothing. Products of fields that no longer have one width go too.
        """
        join = self.concatenation
        if not isinstance(join, Join) or not (join.fields or join.products):
            return self, ()
        new = self._reaching(schema)
        gone = tuple(name for name in join.fields or () if name not in new)
        fields = join.fields and (None if gone else join.fields + tuple(name for name in new if name not in old))
        products = tuple((a, b) for a, b in join.products if a in new and b in new and new[a] == new[b])
        joined = join.model_copy(update={"fields": fields, "products": products})
        unlike = tuple(f"{a} ⊙ {b}" for a, b in join.products if (a, b) not in products and a in new and b in new)
        return self.model_copy(update={"concatenation": joined}), gone + unlike

    @kept
    def _text(self) -> str:
        return self.model_dump_json()

    @kept
    def json(self) -> str:
        """Canonical JSON: sorted keys, no spaces, the same text for the same blueprint."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def hash(self) -> str:
        """16 hex digits of SHA-256 over the canonical JSON."""
        return hashlib.sha256(self.json().encode()).hexdigest()[:16]
