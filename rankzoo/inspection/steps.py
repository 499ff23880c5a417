"""Steps: what one press more or less does to a part of a model: an expert, a head or a layer, twice the units, a heavier task.

Settings are found by the fields of a component's spec, so that they hold for every kind; of its lists of widths a part has those
that its units show and that other widths would change in it: an expert may be as wide as the layer below all of them.
"""
from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import annotated_types
from pydantic.fields import FieldInfo

from rankzoo.blueprint import Blueprint
from rankzoo.components.slot import Slot
from rankzoo.inspection.provenance import sized_blocks
from rankzoo.schema import Schema
from rankzoo.shape import Block

DOUBLED = 64
"""A number that may be larger than this is doubled and halved, a smaller one goes by ones."""
HEAVIER = 0.5
NARROWEST = 1


@dataclass(frozen=True)
class Step:
    """One setting with the values on either side of it, as JSON; None where it ends. path: the address that is set · title: of
    the setting · shown: its value now · gone: whether all that it does is to take something away ·
    part: which part of the setting it changes, where that is one of several (a layer's number, a name)."""

    path: str
    title: str
    shown: str
    less: object = None
    more: object = None
    gone: bool = False
    part: str = ""

    @property
    def key(self) -> str:
        """What stays the same while other steps come and go, without spaces or quotes: `sharing.experts`, `sharing.widths.0`."""
        return f"{self.path}.{quote(self.part, safe='')}" if self.part else self.path


def steps(blueprint: Blueprint, schema: Schema, address: str, spec: Slot, block: Block) -> tuple[Step, ...]:
    """The steps of one part of the diagram: those of its component that concern it."""
    if block.form == "feature":
        left = [*blueprint.without, block.title] if block.title in schema.spare else []
        out = [Step("without", "Leave the feature out", "", left, gone=True, part=block.title)] if left else []
        return (*_field(address, spec, block), *out)
    if block.form == "head":
        return tuple(_task(blueprint, address, spec, block))
    fields = {f"{address}.{name}": field for name, field in type(spec).model_fields.items()}
    shown = [path for path in fields if _shows(block, getattr(spec, path.rsplit(".", 1)[-1]))]
    places = [each for each in blueprint.places(schema) if each.address == address] if shown else []
    own = [path for path in shown if block.address in sized_blocks(places, [path])]
    widths = [step for path in own for step in _widths(path, fields[path], spec)]
    bare = bool(widths) and block.form == "layer"  # a network of which nothing but its widths is drawn
    numbers = [] if bare else [step for path, field in fields.items() for step in _number(path, field, spec)]
    return (*numbers, *widths)


def _number(path: str, field: FieldInfo, spec: Slot) -> Iterator[Step]:
    """A whole number, by ones, or doubled and halved."""
    if field.annotation is not int:
        return
    value, (low, high) = getattr(spec, path.rsplit(".", 1)[-1]), bounds(field)
    twice = high is None or high > DOUBLED
    less, more = (value // 2, max(1, value * 2)) if twice else (value - 1, value + 1)
    yield Step(path, field.title or path.rsplit(".", 1)[-1], f"{value:,}", less if less >= (low or 0) and less < value else None,
               more if high is None or more <= high else None)


def _shows(block: Block, value: object) -> bool:
    """Whether a setting may be a part's widths: they are the first of its units."""
    numbers = isinstance(value, tuple) and bool(value) and all(isinstance(each, int) for each in value)
    return numbers and tuple(block.units[:len(value)]) == value


def _widths(path: str, field: FieldInfo, spec: Slot) -> Iterator[Step]:
    """How many layers a list of widths has, then each of them: what grows stands last, so that no line moves."""
    value = getattr(spec, path.rsplit(".", 1)[-1])
    least, most = lengths(field)
    yield Step(path, "Layers", str(len(value)), list(value[:-1]) if len(value) > least else None,
               [*value, value[-1]] if most is None or len(value) < most else None, part="length")
    for i, width in enumerate(value):
        put = lambda new, i=i: [*value[:i], new, *value[i + 1:]]  # noqa: E731
        title = "Units" if len(value) == 1 else f"Units, layer {i + 1}"
        yield Step(path, title, f"{width:,}", put(width // 2) if width > NARROWEST else None, put(width * 2),
                   part=str(i))


def _field(address: str, spec: Slot, block: Block) -> Iterator[Step]:
    """The embedding size of one field, where the representation has one for each."""
    name = block.title
    if not {"dim", "dims"} <= set(type(spec).model_fields):
        return
    width = spec.dims.get(name, spec.dim)
    put = lambda new: {each: w for each, w in spec.dims.items() if each != name} | ({name: new} if new != spec.dim else {})  # noqa: E731
    yield Step(f"{address}.dims", "Embedding size", f"{width:,}", put(width // 2) if width > 1 else None, put(width * 2),
               part=name)


def _task(blueprint: Blueprint, address: str, spec: Slot, block: Block) -> Iterator[Step]:
    """How much a task counts, and that it goes."""
    weights: Mapping[str, float] = getattr(spec, "weights", {})
    weight = weights.get(block.task, 1.0)
    put = lambda new: {each: w for each, w in weights.items() if each != block.task} | ({block.task: new} if new != 1 else {})  # noqa: E731
    yield Step(f"{address}.weights", "Weight", f"{weight:g}", put(max(0.0, weight - HEAVIER)) if weight else None,
               put(weight + HEAVIER), part=block.task)
    if len(blueprint.tasks) > 1:
        yield Step("tasks", "Take the task out", "", [name for name in blueprint.tasks if name != block.task], gone=True,
                   part=block.task)


def heir(address: str, addresses: Collection[str]) -> str:
    """The part that is in hand after an edit: the same one, or where it went, the same of its component with a lower number (the
    expert, the level before it), so that what took it away can be pressed again, or else its column."""
    names = address.split(".")
    numbered = [at for at in range(len(names) - 1, 1, -1) if names[at].isdecimal()]  # right after the slot: another component
    lower = [".".join([*names[:at], str(n), *names[at + 1:]]) for at in numbered for n in range(int(names[at]) - 1, -1, -1)]
    return next((each for each in (address, *lower) if each in addresses), names[0])


def bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    """The least and the largest value that a number may have."""
    low = next((m.ge for m in field.metadata if isinstance(m, annotated_types.Ge)), None)
    high = next((m.le for m in field.metadata if isinstance(m, annotated_types.Le)), None)
    return low, high


def lengths(field: FieldInfo) -> tuple[int, int | None]:
    """The least and the largest length that a list may have."""
    least = next((m.min_length for m in field.metadata if isinstance(m, annotated_types.MinLen)), 0)
    return least, next((m.max_length for m in field.metadata if isinstance(m, annotated_types.MaxLen)), None)
