"""Outcome: what an experiment found: means and intervals of the arms, paired differences, and a verdict."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rankzoo.claims.claim import Claim, Course, Difference, Found

Verdict = Literal["reproduced", "not reproduced", "inconclusive"]


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its 95 % t interval; `values` are the seeds' own, in order."""

    name: str
    statistic: str
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))

    @property
    def ci95(self) -> tuple[float, float] | None:
        """mean ± t · s / √n with n − 1 degrees of freedom; None for a single seed, which knows nothing of the others."""
        n = len(self.values)
        if n < 2:
            return None
        from scipy.special import stdtrit  # scipy.stats would take a second to import

        half = float(stdtrit(n - 1, 0.975)) * float(np.std(self.values, ddof=1)) / n**0.5
        return self.mean - half, self.mean + half

    def record(self) -> dict[str, object]:
        """As the command line prints it."""
        return {"name": self.name, "statistic": self.statistic, "mean": self.mean, "ci95": self.ci95 and list(self.ci95),
                "seeds": list(self.values)}


@dataclass(frozen=True)
class Compared:
    """A paired difference and what it says of the claim."""

    difference: Difference
    estimate: Estimate
    verdict: Verdict

    @property
    def agreeing(self) -> int:
        """In how many seeds it has the expected sign (or lies inside ± least, where none is expected)."""
        return sum(agrees(self.difference, value) for value in self.estimate.values)

    def record(self) -> dict[str, object]:
        """As the command line prints it."""
        return self.estimate.record() | {"expected": self.difference.expected, "agreeing": self.agreeing,
                                         "verdict": self.verdict}


@dataclass(frozen=True)
class Outcome:
    """All of a claim's arms and differences over the seeds that were run, in `seconds`."""

    claim: Claim
    arms: tuple[Estimate, ...]
    compared: tuple[Compared, ...]
    parameters: Mapping[str, int]
    seeds: int
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """Of the first difference."""
        return self.compared[0].verdict

    @property
    def why(self) -> str:
        """What explains the result; empty where all of it is the source's, which needs no explaining."""
        return "" if all(each.verdict == "reproduced" for each in self.compared) else self.claim.why

    @property
    def ends(self) -> tuple[Estimate, ...]:
        """The arms' statistics that are no places of a course."""
        along = {name for course in self.claim.courses for name in course.names}
        return tuple(arm for arm in self.arms if arm.statistic not in along)

    def along(self, course: Course) -> dict[str, tuple[Estimate, ...]]:
        """A course by arm: an estimate for each of its places."""
        known = {(arm.name, arm.statistic): arm for arm in self.arms}
        arms = dict.fromkeys(arm.name for arm in self.arms)
        return {arm: tuple(known[arm, name] for name in course.names) for arm in arms if (arm, course.names[0]) in known}

    def record(self) -> dict[str, object]:
        """The keys of the command line's contract, and all that a reader may want beside them."""
        first, claim = self.compared[0].estimate, self.claim
        return {"id": claim.id, "claim": claim.claim, "source": claim.source.short, "at": claim.at, "equal": claim.equal,
                "arms": [arm.record() | {"parameters": self.parameters.get(arm.name)} for arm in self.ends],
                "courses": [{"statistic": course.statistic, "title": course.title, "axis": course.axis, "at": list(course.at),
                             "arms": [{"name": arm, "mean": [each.mean for each in found],
                                       "ci95": [each.ci95 and list(each.ci95) for each in found]}
                                      for arm, found in self.along(course).items()]} for course in claim.courses],
                "statistic": claim.statistic, "difference": first.mean, "ci95": first.ci95 and list(first.ci95),
                "differences": [each.record() for each in self.compared], "verdict": self.verdict, "why": self.why,
                "seeds": self.seeds, "seconds": self.seconds}


def outcome(claim: Claim, found: Sequence[Found], parameters: Mapping[str, int], seconds: float) -> Outcome:
    """From the statistics of every seed to estimates and verdicts; what some seed could not tell has no estimate."""
    arms = tuple(Estimate(arm, statistic, tuple(each[arm][statistic] for each in found))
                 for arm in found[0] for statistic in found[0][arm] if all(statistic in each[arm] for each in found))
    compared = []
    for difference in claim.differences:
        estimate = Estimate(difference.name, difference.statistic, tuple(difference.of(each) for each in found))
        compared.append(Compared(difference, estimate, verdict(difference, estimate)))
    return Outcome(claim, arms, tuple(compared), parameters, len(found), seconds)


def verdict(difference: Difference, estimate: Estimate) -> Verdict:
    """Reproduced where the whole interval lies on the expected side of 0 (inside ± least where none is expected); not
    reproduced where it lies wholly short of what would bear the claim out; else inconclusive."""
    if estimate.ci95 is None:
        return "inconclusive"
    low, high = estimate.ci95 if difference.expected != "below" else (-estimate.ci95[1], -estimate.ci95[0])
    if difference.expected == "none":
        if -difference.least < low and high < difference.least:
            return "reproduced"
        return "not reproduced" if low > 0 or high < 0 else "inconclusive"
    if low > 0:
        return "reproduced"
    return "not reproduced" if high < max(difference.least, 0.0) or high <= 0 else "inconclusive"


def agrees(difference: Difference, value: float) -> bool:
    """Whether one seed alone says what is expected."""
    if difference.expected == "none":
        return abs(value) < difference.least
    return value > 0 if difference.expected == "above" else value < 0
