"""Claim: what a paper says its idea does, as an experiment that can come out either way.

Arms are trained on the same rows in the same order, seed by seed; what counts is the difference within each seed, and its
interval over seeds. One file per claim in `papers/`, found by walking. A seed makes the data, the weights and the order.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rankzoo.data.world import World
from rankzoo.facts import Source

if TYPE_CHECKING:
    from rankzoo.claims.trial import Trained
    from rankzoo.training.untrained import Rule

Expected = Literal["above", "below", "none"]
Found = Mapping[str, Mapping[str, float]]
"""Of one seed: {arm: {statistic: value}}."""


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: a system of the zoo with changes by address, as `--set` has them, on the claim's world or on
    one of its own. model: false where nothing is trained and the rows are ranked by what the system's data hold; `rule`: how,
    where it orders a catalogue."""

    name: str
    system: str
    changes: Mapping[str, object] = field(default_factory=dict)
    world: World | None = None
    model: bool = True
    rule: Rule | None = None

    @property
    def told(self) -> str:
        """The changes in full, for people: «sequence = pooling (history watched); settings.epochs = 3»; empty where there are
        none."""
        return "; ".join(f"{path} = {_spelled(value)}" for path, value in self.changes.items())


@dataclass(frozen=True)
class Difference:
    """A statistic of the arms in `plus` minus that of the arms in `minus`, and what the source says of it.

    expected: that it is above 0, below 0, or none, which here means inside ± least. Elsewhere `least` is the smallest
    difference that would bear the claim out: an interval that lies wholly below it refutes the claim, 0 or not.
    """

    statistic: str
    plus: tuple[str, ...]
    minus: tuple[str, ...]
    expected: Expected = "above"
    least: float = 0.0

    @property
    def name(self) -> str:
        """«fm − lr», or «shared .95 + single 0 − single .95 − shared 0»."""
        return " − ".join([" + ".join(self.plus), *self.minus])

    def of(self, found: Found) -> float:
        """Its value in one seed."""
        return (sum(found[arm][self.statistic] for arm in self.plus)
                - sum(found[arm][self.statistic] for arm in self.minus))


@dataclass(frozen=True)
class Course:
    """A statistic along a training or a stream, drawn as a line for each arm. A seed gives one value for each place, under the
    statistic's name and its number from 1: «auc@3». title: of the chart · axis: in words · at: where the places lie on it."""

    statistic: str
    title: str
    axis: str
    at: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The statistics of its places, in their order."""
        return tuple(f"{self.statistic}@{place}" for place in range(1, len(self.at) + 1))


def score(trained: Trained) -> Mapping[str, float]:
    """The usual statistic: AUC of the first task on the test part, as `auc`."""
    return {"auc": next(iter(trained.metrics.values()))["auc"]}


@dataclass(frozen=True)
class Claim:
    """id: the file's name · place: in the list · title: a few words · claim: one sentence · source, at: where it is said ·
    equal: what the arms have in common, and what not · world, rows: the data · statistic: in words · differences: the first
    one gives the verdict · measure: the statistics of a trained arm · trial: what one seed does where it is not just training
    and measuring · seconds: of all seeds on one core, about (0: not measured) · system: the one that the claim
    is made of, empty where a paper makes it · why: what explains a result that differs from the source's.

    What is drawn beside differences and arms: plane: two statistics by which the arms stand against each other · groups:
    statistics along which they stand side by side · courses: what is followed along the training or the stream · grows: their
    parameters as the catalogue grows · scatter: a statistic, and others each of which is drawn against it.
    """

    id: str
    place: int
    title: str
    claim: str
    source: Source
    equal: str
    world: World
    arms: tuple[Arm, ...]
    statistic: str
    differences: tuple[Difference, ...]
    seeds: int = 5
    seconds: int = 60
    at: str = ""
    rows: int | None = None
    measure: Callable[[Trained], Mapping[str, float]] = score
    trial: Callable[[Claim, int], Found] | None = None
    why: str = ""
    system: str = ""
    plane: tuple[str, str] | None = None
    groups: tuple[str, ...] = ()
    courses: tuple[Course, ...] = ()
    grows: bool = False
    scatter: tuple[str, ...] = ()


def _spelled(value: object, inside: bool = False) -> str:
    """A setting's value without quotes and braces; `inside` another one in parentheses where it has several parts."""
    if isinstance(value, Mapping):
        kind = str(value.get("kind", ""))
        rest = ", ".join(f"{name} {_spelled(each, True)}" for name, each in value.items() if name != "kind")
        if kind or not rest:
            return f"{kind} ({rest})" if rest else kind or "none"
        return f"({rest})" if inside else rest
    if isinstance(value, list | tuple):
        parts = ", ".join(_spelled(each, True) for each in value) or "none"
        return f"({parts})" if inside and len(value) > 1 else parts
    if isinstance(value, bool) or value is None:
        return {True: "on", False: "off", None: "none"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
