"""Settings of what follows the network: as parsed JSON, and changed by address («serving.alpha», 2)."""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any, ClassVar, TypeVar

from pydantic import ConfigDict, create_model

from rankzoo import paths
from rankzoo.errors import Change, ZooError, closest, listed
from rankzoo.saying import validated


class Served:
    """What follows the network: a frozen dataclass of settings, none of which was trained."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    names: ClassVar[Mapping[str, str]] = {}
    """The settings that name something of the data or of the model: {address: what that is}."""


Kind = TypeVar("Kind", bound=Served)


def told(serving: Served) -> dict[str, Any]:
    """The settings as parsed JSON."""
    return json.loads(json.dumps(asdict(serving)))


def changed(serving: Kind, changes: Iterable[Change]) -> Kind:
    """The same with settings changed by address; raises the ZooError of the first that may not be."""
    changes, whole = tuple(changes), create_model("Whole", serving=(type(serving), ...))
    for path, _ in changes:
        _known(path, serving)
    return validated(whole, paths.changed({"serving": told(serving)}, changes)).serving


def fitting(serving: Served, usual: Served, known: Mapping[str, Callable[[], Iterable[str]]]) -> None:
    """Raises a ZooError where settings name what is not there, and `usual` does not name it; known: by what it is, what there
    is."""
    tree, before = told(serving), told(usual)
    for address, what in serving.names.items():
        held = paths.at(tree, address)
        for name in _named(held) - _named(paths.at(before, address)):
            if name not in (there := list(known[what]())):
                at = f"serving.{address}.{name}" if isinstance(held, dict) else f"serving.{address}"
                raise ZooError("Setting {at}: there is no {what} '{name}' here.", closest(name, there) or "There are: {names}.",
                               at=at[:120], what=what, name=name[:80], names=listed(there))


def _named(held: str | Iterable[str] | None) -> set[str]:
    """What a setting names: a word, a list, or the names of a group."""
    return ({held} if isinstance(held, str) else set(held or ())) - {""}


def _known(path: str, serving: object) -> None:
    """Raises a ZooError where an address leads to no setting; what stands in a mapping may be new."""
    first, *steps = path.split(".")
    names = ["serving"] if first != "serving" else []
    for step in steps if not names else ():
        if not is_dataclass(serving):
            return
        names = [each.name for each in fields(serving)]
        if step not in names:
            break
        serving, names = getattr(serving, step), []
    if names:
        raise ZooError("There is no setting '{path}'.", closest(step if steps and first == "serving" else first, names) or
                       "There are: {names}.", at=path, path=path[:120], names=listed(names))
