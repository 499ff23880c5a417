"""Steps: what one press more or less does to a part of a model: an expert, a head or a layer, twice the units, a heavier task.

Settings are found by the fields of a component's spec, so that they hold for every kind; of its lists of widths a part has those
that its units show and that other widths would change in it: an expert may be as wide as the layer below all of them. A list
without layers belongs to the part that would show them; where that is gone with its last layer, to its component's column.

What would be refused cannot be pressed: a number goes on to the next with which the model stands.

More than 250 lines, because every kind of step asks the same of a blueprint and is asked whether it stands.
"""
from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

import annotated_types
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from rankzoo.blueprint import Blueprint, Place
from rankzoo.components.slot import Slot, Width
from rankzoo.errors import ZooError
from rankzoo.inspection.provenance import shapes, sized_blocks
from rankzoo.paths import at
from rankzoo.schema import Schema
from rankzoo.shape import Block

DOUBLED = 64
"""A number that may be larger than this is doubled and halved, a smaller one goes by ones."""
HEAVIER = 0.5
POWERS = [1 << n for n in range(DOUBLED.bit_length())]
NARROWEST = 1
FIRST = 64
"""How wide a first layer is that neither the preset nor the component's default has."""


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


def steps(blueprint: Blueprint, schema: Schema, address: str, spec: Slot, block: Block | None,
          preset: Blueprint | None = None) -> tuple[Step, ...]:
    """The steps of one part of the diagram: those of its component that concern it; without a block those of the component's
    column. preset: what knows how wide a layer was that is gone."""
    asked: dict[tuple[str, str], bool] = {}

    def stands(path: str, value: object) -> bool:
        key = path, json.dumps(value)
        if key not in asked:
            asked[key] = value is not None and _stands(blueprint, schema, path, value)
        return asked[key]

    found = (replace(step, less=step.less if stands(step.path, step.less) else None,
                     more=step.more if stands(step.path, step.more) else None)
             for step in _imagined(blueprint, schema, address, spec, block, preset, stands))
    return tuple(step for step in found if not step.gone or step.less is not None)


Stands = Callable[[str, object], bool]
"""Whether the model stands with a setting at an address at another value."""


def _stands(blueprint: Blueprint, schema: Schema, path: str, value: object) -> bool:
    """The same, asked of the shapes alone: a small part of a millisecond."""
    try:
        if path == "tasks":
            return blueprint.with_tasks(tuple(value), schema).reached(schema)[1] is None
        if path == "without":
            left = blueprint.leaving(tuple(value), schema).rejoined(blueprint.offered(schema), schema)[0]
            return left.reached(schema)[1] is None
        address, _, name = path.rpartition(".")
        slot, _, index = address.partition(".")
        spec = dict(blueprint.specs())[address]
        new = type(spec).model_validate_json(json.dumps({**spec.model_dump(mode="json"), name: value}))
    except (ZooError, ValidationError):
        return False
    every = getattr(blueprint, slot)
    other = (*every[:int(index)], new, *every[int(index) + 1:]) if index else new
    return blueprint.model_copy(update={slot: other}).reached(schema)[1] is None


def _imagined(blueprint: Blueprint, schema: Schema, address: str, spec: Slot, block: Block | None, preset: Blueprint | None,
              stands: Stands) -> tuple[Step, ...]:
    """Every step, whether or not the model can stand behind it; a number's lead as far as it does."""
    if block is not None and block.form in ("feature", "history"):
        left = [*blueprint.without, block.title] if block.title in schema.spare and block.group != "made" else []
        out = [Step("without", "Leave the feature out", "", left, gone=True, part=block.title)] if left else []
        sizes = (step for each in embedded(schema, address, block).items() for step in _field(address, spec, *each))
        return (*_together(sizes, address, spec, stands), *out)
    if block is not None and block.form == "left":
        read = [name for name in blueprint.without if name != block.title]
        return (Step("without", "Read the feature", "no", None, read, part=block.title),)
    if block is not None and block.form == "head":
        return tuple(_task(blueprint, address, spec, block))
    if block is not None and (block.form == "bias" or block.form == "numbers" and not block.parameters):
        return ()  # values as they are: no setting of the component changes them
    fields = {f"{address}.{name}": field for name, field in type(spec).model_fields.items()}
    place = next((each for each in blueprint.places(schema) if each.address == address), None)
    if block is None:
        return tuple(_length(path, fields[path], spec, preset, fields[path].title) for path in _lists(fields)
                     if place and _own_part(path, spec, place))
    own = [path for path in fields if _shows(block, _held(spec, path)) and place
           and block.address in sized_blocks([place], [path]) and shapes(place, path)]
    own += [path for path in _lists(fields) if place and not _held(spec, path) and _first(path, spec, place, block)]
    widths = [step for path in own for step in _widths(path, fields[path], spec, preset)]
    bare = bool(widths) and block.form == "layer"  # a network of which nothing but its widths is drawn
    hidden = f"{address}.dim" if block.form == "item" else ""  # the size of the attributes' tables, which have rows of their own
    numbers = [] if bare else [step for path, field in fields.items() if path != hidden
                               for step in _number(path, field, spec, stands)]
    return (*numbers, *widths)


def _number(path: str, field: FieldInfo, spec: Slot, stands: Stands) -> Iterator[Step]:
    """A whole number, by ones, or doubled and halved; from 0, to the first power of two."""
    if field.annotation is not int:
        return
    value, (_, high) = _held(spec, path), bounds(field)
    if high is None or high > DOUBLED:
        lower, higher = [value >> n for n in range(1, value.bit_length() + 1)], [value * 2] if value else POWERS
    else:
        lower, higher = range(value - 1, value // 2 - 1, -1), range(value + 1, max(1, 2 * value) + 1)
    less, more = (next((each for each in ways if stands(path, each)), None) for ways in (lower, higher))
    yield Step(path, field.title or path.rsplit(".", 1)[-1], f"{value:,}", less, more)


def _shows(block: Block, value: object) -> bool:
    """Whether a setting may be a part's widths: they are the first of its units."""
    numbers = isinstance(value, tuple) and bool(value) and all(isinstance(each, int) for each in value)
    return numbers and tuple(block.units[:len(value)]) == value


def _lists(fields: Mapping[str, FieldInfo]) -> list[str]:
    """The lists of widths that may be empty."""
    return [path for path, field in fields.items() if field.annotation == tuple[Width, ...] and not lengths(field)[0]]


def _first(path: str, spec: Slot, place: Place, block: Block) -> bool:
    """Whether the first layer of an empty list would be the first of a part's units."""
    after = _drawn(path, spec, place, (FIRST,)).get(block.address)
    return after is not None and after.units == (FIRST, *block.units)


def _own_part(path: str, spec: Slot, place: Place) -> bool:
    """Whether a list's layers alone make a part, which comes with the first and goes with the last of them."""
    without, with_layers = _drawn(path, spec, place, ()), _drawn(path, spec, place, _held(spec, path) or (FIRST,))
    return bool(without) and without.keys() < with_layers.keys()


def _drawn(path: str, spec: Slot, place: Place, widths: tuple[int, ...]) -> Mapping[str, Block]:
    """What a component draws with other widths; nothing where it cannot stand with them."""
    other = spec.model_copy(update={path.rsplit(".", 1)[-1]: widths})
    try:
        return {block.address: block for block in other.draw(place.shape).blocks}
    except ZooError:
        return {}


def _held(spec: Slot, path: str) -> object:
    return getattr(spec, path.rsplit(".", 1)[-1])


def _widths(path: str, field: FieldInfo, spec: Slot, preset: Blueprint | None) -> Iterator[Step]:
    """How many layers a list of widths has, then each of them: what grows stands last, so that no line moves."""
    yield _length(path, field, spec, preset, "Layers")
    value = _held(spec, path)
    for i, width in enumerate(value):
        put = lambda new, i=i: [*value[:i], new, *value[i + 1:]]  # noqa: E731
        title = "Units" if len(value) == 1 else f"Units, layer {i + 1}"
        yield Step(path, title, f"{width:,}", put(width // 2) if width > NARROWEST else None, put(width * 2),
                   part=str(i))


def _length(path: str, field: FieldInfo, spec: Slot, preset: Blueprint | None, title: str) -> Step:
    """How many layers a list of widths has: another is as wide as the last; the first as wide as in the preset, else as in the
    component's default."""
    value, (least, most) = _held(spec, path), lengths(field)
    usual = at(preset.model_dump(mode="json"), path) if preset else None
    next_one = value[-1] if value else (usual or field.get_default() or (FIRST,))[0]
    return Step(path, title, str(len(value)), list(value[:-1]) if len(value) > least else None,
                [*value, next_one] if most is None or len(value) < most else None, part="length")


def embedded(schema: Schema, address: str, block: Block) -> dict[str, str]:
    """The tables of a row of the first column: by which name settings know each, and what its size is called. A past item has one
    for each of its fields that no feature has."""
    name, size = block.address.removeprefix(f"{address}."), "Embedding size"
    if block.form == "history":
        own = [f.name for f in schema.history(block.title).fields if not f.table]
        return {f"{name}.{each}": f"{size}, {each}" for each in own}
    return {name: size} if block.form == "feature" and block.parameters else {}


def _field(address: str, spec: Slot, name: str, title: str) -> Iterator[Step]:
    """The embedding size of one field, where the representation has one for each."""
    if not {"dim", "dims"} <= set(type(spec).model_fields):
        return
    width = spec.dims.get(name, spec.dim)
    put = lambda new: {each: w for each, w in spec.dims.items() if each != name} | ({name: new} if new != spec.dim else {})  # noqa: E731
    yield Step(f"{address}.dims", title, f"{width:,}", put(width // 2) if width > 1 else None, put(width * 2), part=name)


def _together(found: Iterator[Step], address: str, spec: Slot, stands: Stands) -> Iterator[Step]:
    """The embedding sizes of one row's fields; where the model stands with no other for one alone, as where vectors are paired,
    of all fields, once."""
    paired = False
    for step in found:
        if stands(step.path, step.less) or stands(step.path, step.more) or step.part in spec.dims:
            yield step
        elif not paired:
            paired = True
            yield from _number(f"{address}.dim", type(spec).model_fields["dim"], spec, stands)


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
