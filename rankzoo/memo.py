"""Memo: what is worked out of values that never change, kept for those that are in use.

A page asks a model for its shapes, counts and drawing many times. Frozen models hold mappings, so they have no hash; and to write
them as text for a key costs more than some of the answers.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

P, R = ParamSpec("P"), TypeVar("R")
KEPT = 64
"""Of how many arguments the answers are kept: some visitors' models and their presets."""


def kept(function: Callable[P, R]) -> Callable[P, R]:
    """A function whose answers for the same objects, which must not change, are kept; what it raises is raised anew. The same is
    meant by identity: an equal object is asked again."""

    @lru_cache(maxsize=KEPT)
    def found(*arguments: _Same) -> R:
        return function(*(each.value for each in arguments))

    @wraps(function)
    def asked(*arguments: Any) -> R:
        return found(*map(_Same, arguments))

    return asked


class _Same:
    """An object, equal to itself alone; while it is kept, no other can have its place in memory."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value
