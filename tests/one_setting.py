"""Models that are one setting away from a preset: another kind in a slot, another choice, a switch, another width."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args, get_origin

from rankzoo.blueprint import kinds
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.registry import systems

SIZES = {"token": 12, "rank": 4, "experts": 2, "layers": 3, "self_heads": 2, "bottom": [8], "project": 8, "hidden": [8]}
"""What a setting of size becomes, by its name."""
Edit = tuple[str, str, object]


def edits() -> Iterator[Edit]:
    """Every (system, address, value), in one order."""
    for id, system in systems().items():
        for address, spec in system.blueprint.specs():
            yield from ((id, f"{address}.kind", kind) for kind in kinds(address.split(".")[0]) if kind != spec.kind)
            for name, field in type(spec).model_fields.items():
                yield from ((id, f"{address}.{name}", other) for other in _others(name, field.annotation, getattr(spec, name)))


def _others(name: str, annotation: object, now: object) -> list[object]:
    if name == "kind":
        return []
    choices = [each for part in (annotation, *get_args(annotation)) if get_origin(part) is Literal for each in get_args(part)]
    choices += [True, False] if isinstance(now, bool) else [SIZES[name]] if name in SIZES else []
    return [other for other in choices if other != now]


def made(edit: Edit) -> Document | None:
    """The preset with that setting; None where it cannot stand, or needs what is not installed."""
    id, address, value = edit
    try:
        document = Document.preset(id).but([(address, value)]).check()
        for at, spec in document.blueprint.specs():
            spec.installed(at)
    except ZooError:
        return None
    return document
