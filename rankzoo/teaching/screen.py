"""Screen: the model that a question is asked about."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rankzoo.blueprint import Blueprint
from rankzoo.schema import Schema
from rankzoo.shape import Count

BYTES = 4
"""Of a number in float32."""


@dataclass(frozen=True)
class Screen:
    """The model on screen: `gates` holds the mean weights of each gate of the run in hand, by address; empty without one."""

    blueprint: Blueprint
    schema: Schema
    gates: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def count(self) -> Count:
        """Parameters and FLOPs of all parts."""
        return self.blueprint.count(self.schema)
