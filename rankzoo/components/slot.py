"""Slot: the contract between a component's frozen settings and the seven-slot frame.

A component is one file with two classes: a frozen spec (`MMoE`), which answers everything that can be answered without
tensors (what leaves it, what it counts, how it is drawn), and its layer (`MMoELayer`), which the spec builds.
"""
from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.schema import Schema, Task
from rankzoo.shape import Count, Drawing, Shape

NARROW, ENOUGH = 2, 8
"""Units of a layer that are hardly any, and of one to which nobody objects."""
Width = Annotated[int, Field(ge=1, le=65_536, json_schema_extra={"narrow": NARROW, "enough": ENOUGH})]


class Slot(BaseModel):
    """Frozen settings of one component. Subclasses add `kind` (a Literal) and their fields, in the paper's words.

    title, sentence (at most 20 words), formula (LaTeX) and source say what it is, whatever its settings are; where they change
    what it computes, `equation` and `described` say what it is with them. `main` names the settings that a short form shows
    first, `sizing` those of them that are sizes of parts which a model may lack; `short` is a word of at most 11 letters for a
    table.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    title: ClassVar[str]
    sentence: ClassVar[str]
    formula: ClassVar[str] = ""
    source: ClassVar[Source | None] = None
    main: ClassVar[tuple[str, ...]] = ()
    sizing: ClassVar[tuple[str, ...]] = ()
    short: ClassVar[str]
    keeps: ClassVar[tuple[str, ...]] = ()
    """Kinds of the trace entries that the layer keeps for a view of its own: attention, map, gate, cross, bias, guess, words;
    `table` for vectors of its own, `gradient` where some tasks are there to teach what another one uses."""

    brings: ClassVar[tuple[str, ...]] = ()
    """Settings that keep their own default where it comes in another component's place, which may mean something else by them."""

    outside: ClassVar[str] = ""
    """What a file of the model lacks of it, in words for its head: what a training does beside the steps of an optimiser, or
    what was learnt elsewhere."""

    searches: ClassVar[bool] = False
    """Whether scores are products of a request's vector with those of items, among which the nearest can be searched."""

    def word(self) -> str:
        """The component in at most 11 letters, with its characteristic number where it has one."""
        return self.short

    def called(self) -> str:
        """The component's name, with these settings."""
        return self.title

    def described(self) -> str:
        """What it does with these settings, in a sentence."""
        return self.sentence

    def equation(self) -> str:
        """What it computes with these settings, in LaTeX; empty where nothing is written."""
        return self.formula

    def written(self, task: Task) -> str:
        """What it computes for a task, in LaTeX; the same for all, unless its kind says otherwise."""
        return self.equation()

    def unused(self) -> frozenset[str]:
        """The first words of what its module tells of other forms than the one that these settings choose."""
        return frozenset()

    @abstractmethod
    def after(self, shape: Shape) -> Shape:
        """What leaves this slot, given what enters it; raises a ZooError with `shape.at` where it cannot stand here."""

    def apart(self, tasks: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """Of a sharing network, the groups of tasks that read what is joined in networks of their own; here one of all."""
        return (tasks,)

    def count(self, shape: Shape) -> Count:
        """Parameters and FLOPs of this slot by the source's formula, given what enters it."""
        return Count()

    def draw(self, shape: Shape) -> Drawing:
        """The nodes of this slot in the diagram and the edges into them, given what enters it."""
        return Drawing()

    @abstractmethod
    def build(self, shape: Shape) -> nn.Module:
        """The layer, with parameters drawn from torch's current generator."""

    def told(self) -> tuple[str, ...]:
        """What a training tells of the layer by its `told()`, beside what a trace holds: the first words of those names."""
        return ()

    def installed(self, at: str) -> None:
        """Raises a ZooError where the layer needs what is not installed here: then it is drawn and counted, and not built."""

    def stand_in(self) -> Slot:
        """What serves where that is not installed."""
        return self

    def fitted(self, schema: Schema) -> tuple[Slot, tuple[str, ...]]:
        """This slot for other data: names that the data lack dropped, with the names that were dropped."""
        return self, ()


def once(names: Iterable[str], at: str) -> None:
    """Raises a ZooError where a list of names holds one twice."""
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            raise ZooError("'{name}' is named twice.", "Name it once.", at=f"{at}.{i}", name=name, comes=f"{name}: 2 × B",
                           needs=f"{name}: 1 × B")
        seen.add(name)


def needs_input(shape: Shape) -> None:
    """Raises a ZooError where nothing is joined for a shared network to read."""
    if not shape.joined:
        raise ZooError("The shared network has no input: nothing is joined before it.",
                       "Join fields, choose embeddings as representation, or Direct as sharing.", at=shape.at,
                       cure=("concatenation.fields", None) if shape.fields else ("sharing.kind", "direct"), comes=axes(0),
                       needs=axes("d"))


def one_logit(shape: Shape, item: bool = False) -> None:
    """Raises a ZooError where a tower makes one number for a task that needs one per class. `item`: whether it reads an item's
    vector, so that heads on that can tell what the item is beside it."""
    catalogue = shape.schema.catalogue
    told = {feature.name for feature in catalogue.schema.features} if item and catalogue else set()
    for task in shape.tasks:
        if task.kind == "tags":
            raise ZooError("The task '{task}' asks for a tag of every word, and this tower reads no words.",
                           "Choose Dot product and text heads in the Deep column.", at=shape.at,
                           task=task.name, cure=("towers.kind", "text_heads"),
                           comes=f"{task.name}: {axes('L', shape.schema.classes(task))}", needs=f"{task.name}: {axes(1)}")
        if task.kind == "class":
            kind, fix = (("text_heads", "Choose Dot product and text heads in the Deep column.") if task.of in told else
                         ("classes", "Choose Softmax over classes in the Deep column."))
            raise ZooError("The task '{task}' chooses among classes, and this tower makes one number.", fix, at=shape.at,
                           task=task.name, cure=("towers.kind", kind),
                           comes=f"{task.name}: {axes(shape.schema.classes(task))}", needs=f"{task.name}: {axes(1)}")
