"""Settings of what follows the network: as parsed JSON, and changed by address («serving.alpha», 2)."""
from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields, is_dataclass
from typing import Any, ClassVar, TypeVar

from pydantic import ConfigDict, create_model

from rankzoo import paths
from rankzoo.errors import Change, ZooError, closest, listed
from rankzoo.saying import validated


class Served:
    """What follows the network: a frozen dataclass of settings, none of which was trained."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


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
