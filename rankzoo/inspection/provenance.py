"""Provenance: which parts of a model its source speaks of, and which are assumed; of the preset's values only, what was changed
by hand is nobody's but the visitor's."""
from __future__ import annotations

from collections.abc import Iterable, Mapping

from rankzoo.facts import Fact, Provenance

SAID: Mapping[str, tuple[Provenance, ...]] = {
    "all": (), "stated": ("stated",), "supported": ("stated", "code", "derived", "known")}
"""What counts as said by the source: anything, what was read in it, or also what follows from it, what a reference code has and
what the field knows."""


def assumed_parts(facts: Iterable[Fact], tags: tuple[Provenance, ...], changed: Iterable[str] = ()) -> frozenset[str]:
    """The addresses of the components of which a value is told that is not among `tags`, and none that is. A component without a
    word about a setting of it is left alone."""
    own = frozenset(changed)
    told: dict[str, bool] = {}
    for fact in facts:
        if fact.path and "." in fact.path and fact.path.split(".")[0] != "settings":
            component = component_of(fact.path)
            told[component] = told.get(component, False) or (fact.tag in tags and fact.path not in own)
    return frozenset(component for component, said in told.items() if not said) if tags else frozenset()


def component_of(path: str) -> str:
    """The address of the component that a setting belongs to: `sharing` of `sharing.own`, `sequence.0` of `sequence.0.unit`."""
    first, second, *_ = path.split(".")
    return f"{first}.{second}" if second.isdigit() else first
