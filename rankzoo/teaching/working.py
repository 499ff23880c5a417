"""Working: a number that was worked out, line by line as a person would write it, and how good a prediction of it is."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from rankzoo.errors import listed
from rankzoo.shape import Count, Part

EXACT, NEAR, ROUGH = 0.0, 0.1, 0.5
NAMES = 3
"""How many parts that are alike a working names."""
Verdict = Literal["right", "close", "off"]


@dataclass(frozen=True)
class Term:
    """A line of the working: what it is, how it is worked out, what comes out."""

    name: str
    working: str
    value: float


@dataclass(frozen=True)
class Number:
    """An answer with its unit and its working. `given` says what a person may use, a template for `values`; a prediction is
    right within the share `right` of the answer, close within `close`; `check` says how the model's own counts give it."""

    value: float
    unit: str
    terms: tuple[Term, ...] = ()
    given: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    right: float = EXACT
    close: float = NEAR
    check: str = ""

    @property
    def counted(self) -> str:
        """The unit as it stands beside the value: «1 logit»; before the answer it tells nothing of it."""
        return self.unit.removesuffix("s") if self.value == 1 else self.unit

    def verdict(self, predicted: float) -> Verdict:
        """How good a prediction is."""
        error = abs(predicted - self.value)
        reach = abs(self.value)
        return "right" if error <= self.right * reach + 1e-9 else "close" if error <= self.close * reach + 1e-9 else "off"


def grouped(count: Count) -> dict[str, list[Part]]:
    """Parts of a count by name: those that are alike under one roof (experts, towers of tasks) together, in order, under the
    roof's name where it has no others."""
    owning = [part for part in count.parts if part.parameters]
    under = Counter(_split(part)[0] for part in owning)
    groups: dict[tuple[str, str, int], list[Part]] = {}
    for part in owning:
        groups.setdefault((_split(part)[0], part.working, part.parameters), []).append(part)
    named: dict[str, list[Part]] = {}
    for (roof, _, _), parts in groups.items():
        own = listed((_split(part)[1] for part in parts), NAMES)
        named[roof if roof and len(parts) == under[roof] > 1 else f"{roof}.{own}".strip(".")] = parts
    return named


def _split(part: Part) -> tuple[str, str]:
    """The roof of a part and its own name below it."""
    roof, _, own = part.path.rpartition(".")
    return roof, own


def lines(count: Count) -> Iterator[Term]:
    """«4 × (128 × 64 + 64)»: a line for each group of like parts."""
    for name, parts in grouped(count).items():
        working, times = parts[0].working, len(parts)
        several = f"({working})" if "+" in working else working
        yield Term(name, f"{times} × {several}" if times > 1 else working, sum(part.parameters for part in parts))
