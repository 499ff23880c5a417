"""Registry of claims: every CLAIM under rankzoo.claims.papers, and those that are made of the systems."""
from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from rankzoo.claims import own
from rankzoo.claims.claim import Claim
from rankzoo.errors import ZooError, closest


@cache
def claims() -> Mapping[str, Claim]:
    """By id, in the order of their places; the id of a paper's claim must equal the file's name."""
    package = importlib.import_module("rankzoo.claims.papers")
    found = []
    for module in (info.name for info in pkgutil.iter_modules(package.__path__)):
        made: Claim = importlib.import_module(f"{package.__name__}.{module}").CLAIM
        if made.id != module:
            raise RuntimeError(f"Claim '{made.id}' stands in papers/{module}.py; the names must be equal.")
        found.append(made)
    found += own.made()
    return MappingProxyType({claim.id: claim for claim in sorted(found, key=lambda claim: claim.place)})


def get(id: str) -> Claim:
    """The claim of that id; raises a ZooError that names the closest one."""
    if id not in claims():
        raise ZooError("There is no experiment '{name}'.", closest(id, list(claims())) or "Choose one of: {known}.",
                       at="experiment", name=id[:60], known=", ".join(claims()))
    return claims()[id]
