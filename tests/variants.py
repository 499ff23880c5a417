"""Other values of a component's settings: all that it allows among a few of every sort."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from rankzoo.components.slot import Slot

TRIED = (True, False, 0, 1, 2, 8, 0.0, 0.5, "other", (), (4,), ("other",), {"t": 0.5})


def choices(field: FieldInfo) -> tuple[Any, ...]:
    """What a setting can be, where that is one of a few words, or on or off."""
    sorts = [field.annotation, *get_args(field.annotation)]
    words = next((get_args(sort) for sort in sorts if get_origin(sort) is Literal), ())
    return words or ((True, False) if field.annotation is bool else ())


def others(spec: Slot) -> Iterator[tuple[str, Any]]:
    """Every setting with each other value that it allows of those that are tried."""
    for name, field in type(spec).model_fields.items():
        allowed = TypeAdapter(field.rebuild_annotation())
        for value in (*choices(field), *TRIED) if name != "kind" else ():
            try:
                found = allowed.validate_python(value, strict=True)
            except ValidationError:
                continue
            if found != getattr(spec, name) or type(found) is not type(getattr(spec, name)):
                yield name, found


def changed_once(kind: type[Slot]) -> Iterator[Slot]:
    """A kind as it comes, and with one setting changed."""
    usual = kind()
    yield usual
    yield from (usual.model_copy(update={name: value}) for name, value in others(usual))


def variants(kind: type[Slot]) -> Iterator[Slot]:
    """A kind as it comes, with one setting changed, and with two."""
    usual, changed = kind(), list(others(kind()))
    yield from changed_once(kind)
    for i, (name, value) in enumerate(changed):
        one = usual.model_copy(update={name: value})
        yield from (one.model_copy(update={other: also}) for other, also in changed[i + 1:] if other != name)
