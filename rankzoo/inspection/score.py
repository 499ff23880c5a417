"""Score: how much of the planted truth a picture found, against chance, with an interval."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

DRAWS = 400


@dataclass(frozen=True)
class Score:
    """One statistic of a picture. `chance` is what a picture without knowledge gets; `ci95` a bootstrap interval over the
    rows that the picture was drawn from (not over trainings); `more` further statistics of the same picture."""

    statistic: str
    value: float
    chance: float
    ci95: tuple[float, float] | None
    more: tuple["Score", ...] = ()

    @property
    def found(self) -> bool:
        """Whether chance lies outside the interval, on the side of the truth."""
        return self.ci95 is not None and self.ci95[0] > self.chance


def bootstrap(rows: int, statistic: Callable[[np.ndarray], float], seed: int = 0, draws: int = DRAWS) -> tuple[float, float]:
    """The 2.5 and 97.5 % quantiles of a statistic over resampled rows; `statistic` takes the row numbers of a resample."""
    rng = np.random.default_rng(seed)
    values = [statistic(rng.integers(0, rows, rows)) for _ in range(draws)]
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def mean_score(statistic: str, values: np.ndarray, chance: float, more: tuple[Score, ...] = ()) -> Score:
    """The score of a statistic that is a mean over rows."""
    return Score(statistic, float(values.mean()), chance, bootstrap(len(values), lambda index: values[index].mean()), more)


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1 with averages for ties, (n,) → (n,)."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((last - counts + 1 + last) / 2)[inverse]


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation; NaN where one side does not vary."""
    x, y = ranks(a), ranks(b)
    if x.std() == 0 or y.std() == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])
