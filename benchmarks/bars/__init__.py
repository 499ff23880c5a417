"""Bars: what must be found again of what each sample dataset plants, one module per dataset with its `BARS`.

    python -m benchmarks.bars ads        # seeds 0 to 4: value, 95 % interval, chance and bar, line by line
"""
from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """One line. measure: the value of a seed · chance: what a picture or model without knowledge gets · bar: the
    demand in words · holds: whether the seeds' values meet it · minus: what is taken off the value, where that is another arm's
    and so another process's work."""

    name: str
    measure: Callable[[int], float]
    bar: str
    holds: Callable[[Sequence[float]], bool]
    chance: float | None = None
    minus: Callable[[int], float] | None = None


def surely_above(level: float) -> Callable[[Sequence[float]], bool]:
    """Whether the whole 95 % interval lies above a level."""
    from rankzoo.claims.outcome import Estimate

    def holds(values: Sequence[float]) -> bool:
        found = Estimate("", "", tuple(values)).ci95
        return found is not None and found[0] > level
    return holds


def inside(low: float, high: float) -> Callable[[Sequence[float]], bool]:
    """Whether every value lies between two levels."""
    return lambda values: all(low <= value <= high for value in values)


def one(world: str, seed: int, minus: bool = False) -> list[float]:
    """The values of all bars of a dataset for one seed, or what is taken off them (0 where nothing is). Not in `__main__`,
    which a spawned process cannot import."""
    import torch

    torch.set_num_threads(1)
    bars = importlib.import_module(f"benchmarks.bars.{world}").BARS
    return [bar.minus(seed) if bar.minus else 0.0 for bar in bars] if minus else [bar.measure(seed) for bar in bars]
