"""Score: how much of the planted truth a picture found, against chance, with an interval."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

DRAWS, FEWER = 400, 100
Over = Literal["rows", "requests", "items", "ids", "titles", "lists", "weights", "auctions"]
"""What an interval is over, which is what a bootstrap resamples."""


@dataclass(frozen=True)
class Score:
    """One statistic of a picture. `template` says in English what it is, filled from `values`; `chance` is what a picture
    without knowledge gets; `ci95` a bootstrap interval over what is named in `over`, rows or requests say, of the one training
    that the picture was drawn from: it knows nothing of what another training would find; `more` further statistics of the same
    picture."""

    template: str
    value: float
    chance: float
    ci95: tuple[float, float] | None
    more: tuple[Score, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)
    over: Over = "rows"

    @property
    def statistic(self) -> str:
        """What the number is, in English."""
        return self.said()

    def said(self, translate: Callable[[str], str] = str) -> str:
        """What the number is, its template first passed through `translate`."""
        return translate(self.template).format(**self.values)

    @property
    def found(self) -> bool:
        """Whether chance lies outside the interval, on the side of the truth."""
        return self.ci95 is not None and self.ci95[0] > self.chance

    def record(self) -> dict[str, object]:
        """The score as the command line prints it: statistic, value, chance, ci95, what that is over, and more."""
        return {"statistic": self.statistic, "value": self.value, "chance": self.chance,
                "ci95": None if self.ci95 is None else list(self.ci95), "over": self.over,
                "more": [each.record() for each in self.more]}


def bootstrap(rows: int, statistic: Callable[[np.ndarray], float], seed: int = 0, draws: int = DRAWS,
              request: np.ndarray | None = None) -> tuple[float, float]:
    """The 2.5 and 97.5 % quantiles of a statistic over resampled rows; `statistic` takes the row numbers of a resample. Where
    rows come in requests, (row,) `request`, whole requests are resampled: rows of one are no independent draws."""
    rng = np.random.default_rng(seed)
    order = np.arange(rows) if request is None else np.argsort(request, kind="stable")
    blocks = None if request is None else np.split(order, np.flatnonzero(np.diff(request[order])) + 1)

    def drawn() -> np.ndarray:
        if blocks is None:
            return rng.integers(0, rows, rows)
        return np.concatenate([blocks[i] for i in rng.integers(0, len(blocks), len(blocks))])

    values = [statistic(drawn()) for _ in range(draws)]
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def wilson(share: float, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share of so many rows (Wilson 1927): one that was never seen is not surely 0."""
    z = 1.96**2 / rows
    middle, reach = share + z / 2, 1.96 * np.sqrt(share * (1 - share) / rows + z / (4 * rows))
    return float(max((middle - reach) / (1 + z), 0.0)), float(min((middle + reach) / (1 + z), 1.0))


def mean_score(template: str, values: np.ndarray, chance: float, more: tuple[Score, ...] = (), over: Over = "rows") -> Score:
    """The score of a statistic that is a mean over rows, or over what else each value is of."""
    interval = bootstrap(len(values), lambda index: values[index].mean())
    return Score(template, float(values.mean()), chance, interval, more, over=over)


def drawn_by(request: np.ndarray | None) -> Over:
    """What a bootstrap resamples that is told of requests, or is not."""
    return "rows" if request is None else "requests"


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1 with averages for ties, (n,) → (n,)."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((last - counts + 1 + last) / 2)[inverse]


def ordered(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation of a prediction with the truth; 0 where the prediction is constant and so orders nothing."""
    rho = spearman(a, b)
    return rho if np.isfinite(rho) else 0.0


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r; 0 where one side does not vary and so tells nothing."""
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) and np.ptp(b) else 0.0


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation; NaN where one side does not vary."""
    x, y = ranks(a), ranks(b)
    if x.std() == 0 or y.std() == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


Known = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of one history (row,) a value, whether anything in it matches, and how many items it has."""


def among_alike(known: Sequence[Known], index: np.ndarray, compare: Callable[[np.ndarray, np.ndarray], float]) -> float:
    """What `compare` says of the values of rows with and without a match, history by history among rows with as many items,
    averaged by the number of pairs; NaN where none can be compared. More items match more often and weigh more, whatever they
    are."""
    found, pairs = [], []
    for value, matches, lengths in known:
        for length in range(1, int(lengths.max(initial=0)) + 1):
            here = index[lengths[index] == length]
            right = matches[here]
            if right.any() and not right.all():
                found.append(compare(value[here[right]], value[here[~right]]))
                pairs.append(int(right.sum()) * int((~right).sum()))
    return float(np.average(found, weights=pairs)) if pairs else float("nan")


def alike_score(template: str, known: Sequence[Known], chance: float, compare: Callable[[np.ndarray, np.ndarray], float],
                request: np.ndarray | None = None) -> Score | None:
    """The score of `among_alike` with its interval over rows, or over requests; None where no rows can be compared."""
    rows = len(known[0][0]) if known else 0
    value = among_alike(known, np.arange(rows), compare)
    if np.isnan(value):
        return None
    interval = bootstrap(rows, lambda index: among_alike(known, index, compare), draws=FEWER, request=request)
    return Score(template, value, chance, interval, over=drawn_by(request))
