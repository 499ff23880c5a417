"""Tour: a way through the app with one model, page by page, made from what the model's own file says of it."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rankzoo.blueprint import SLOTS
from rankzoo.claims.claim import Arm, Claim
from rankzoo.claims.registry import claims
from rankzoo.data.load import schema_of
from rankzoo.facts import Provenance
from rankzoo.system import System

EVERY = "heads"
"""The view that every model has."""
TELLING = ("gate", "scorer", "cross", "expert")
"""Forms of parts that a component is known by, the first that there is; its inputs and plain layers tell less."""


@dataclass(frozen=True)
class Stop:
    """A place of the tour. page: its file's name · title: in a few words · text: what the model's own file says there, or empty ·
    task: what to look at or to do · query: where on the page, as its address says it ·
    sure: how sure the text is, where that is told."""

    page: str
    title: str
    text: str
    task: str
    query: Mapping[str, str] = field(default_factory=dict)
    sure: Provenance | None = None


def stops(system: System) -> tuple[Stop, ...]:
    """The tour of one system: why it exists, what it is made of, what is its own, what it costs, how it learns, what it learned,
    whether that is true, and whether you can explain it."""
    return tuple(_stops(system))


def _stops(system: System) -> Iterator[Stop]:
    own, lesson = core(system), system.lesson
    path = "companies" if system.company else "ladder"
    yield Stop("learn", "Why it exists", "", "Read the problem that it answers, then its seven choices and why each was made.",
               {"path": path, "step": system.id})
    yield Stop("architect", "What it is made of", system.story,
               "Read the diagram from left to right: seven components, and a dashed column for each that is not used.")
    yield Stop("architect", "What is its own", lesson.why.get(own) or system.answers or system.story,
               "The part is selected: below the diagram stand its formula, its count and its settings.",
               {"sel": part(system, own)}, system.sure(own) if lesson.why.get(own) else None)
    yield Stop("architect", "What it costs", "",
               "Press + or − on the selected part, or change a size on the left: shapes, parameters and FLOPs follow at once. "
               "Reset brings the preset back. Sizes in italic are RankZoo's.", {"sel": part(system, "towers")})
    yield Stop("train", "Does it learn?", "",
               "Press Train. The curves grow from the constant guess; the data are made up, so that the best possible is known.")
    yield Stop("inside", "What it learned", "",
               "Each picture stands beside what was planted in the data. Before a training the weights are random.",
               {"view": system.picture or EVERY})
    if claim := tested(system):
        yield Stop("claims", "Is it true?", claim.claim,
                   "The comparison runs over several seeds and ends with an interval and a verdict.", {"claim": claim.id})
    yield Stop("interview", "Can you explain it?", "",
               "One question at a time on this very model: the answer is hidden until yours is given.")


def core(system: System) -> str:
    """The component that makes a system what it is: what its rung adds, else what its plain form has not."""
    slots = [system.adds, *(path.split(".")[0] for path in system.plain)]
    return next((slot for slot in slots if slot in SLOTS), SLOTS[-1])


def part(system: System, slot: str) -> str:
    """The part of the diagram that tells most of a component, or the component's column where it is drawn without any."""
    found = [block for block in system.blueprint.blocks(schema_of(system.dataset)) if block.slot == slot]
    forms = [block.form for block in found]
    telling = next((form for form in TELLING if form in forms), forms[0] if forms else "")
    return next((block.address for block in found if block.form == telling), slot)


def tested(system: System) -> Claim | None:
    """What can be put to the test of a system: the first claim of its own paper, else one that compares it as it is, in its
    favour where there is one; None where there is none."""
    def rank(claim: Claim) -> tuple[bool, bool]:
        return claim.source.title != system.source.title or bool(claim.system), not any(
            arm.name in claim.differences[0].plus for arm in _as_it_is(claim, system))

    known = [claim for claim in claims().values() if _as_it_is(claim, system) or claim.source.title == system.source.title]
    return min(known, key=rank, default=None)


def _as_it_is(claim: Claim, system: System) -> list[Arm]:
    """The arms of a claim that are a system without changes."""
    return [arm for arm in claim.arms if arm.system == system.id and not arm.changes]
