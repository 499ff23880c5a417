"""Bars: what must be found again of what each sample dataset plants, one module per dataset with its `BARS`.

    python -m benchmarks.bars ads        # seeds 0 to 4: value, 95 % interval, chance and bar, line by line
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """One line. measure: the value of a seed · chance: what a picture or model without knowledge gets · bar: the
    demand in words · holds: whether the seeds' values meet it."""

    name: str
    measure: Callable[[int], float]
    bar: str
    holds: Callable[[Sequence[float]], bool]
    chance: float | None = None
