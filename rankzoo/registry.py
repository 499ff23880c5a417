"""The registry: finds the zoo's files. A new system is one new file; there is no list to edit."""
from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

import rankzoo.zoo.industry
import rankzoo.zoo.ladder
from rankzoo.errors import ZooError, closest, nearest
from rankzoo.system import System


@cache
def systems() -> Mapping[str, System]:
    """Every SYSTEM under rankzoo.zoo, by id: industry rows first, each table sorted by its `place`."""
    found: list[System] = []
    for room in (rankzoo.zoo.industry, rankzoo.zoo.ladder):
        members = []
        for module in iter_modules(room.__path__):
            system = import_module(f"{room.__name__}.{module.name}").SYSTEM
            if system.id != module.name:
                raise ValueError(f"{room.__name__}.{module.name} holds a system with the id '{system.id}'")
            members.append(system)
        found += sorted(members, key=lambda system: system.place)
    return MappingProxyType({system.id: system for system in found})


def get(id: str) -> System:
    """The system of that id; raises a ZooError that names the closest one."""
    if id not in systems():
        raise ZooError("Unknown architecture '{found}'.", closest(id, list(systems())) or "Choose one of: {known}.", at="arch",
                       found=id[:80], known=", ".join(systems()), cure=nearest("arch", id, systems()))
    return systems()[id]
