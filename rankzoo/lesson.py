"""Lesson: what a system teaches, as data in the system's own file: its problem, its seven choices, its questions."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rankzoo.facts import Provenance


@dataclass(frozen=True)
class Question:
    """One question of an interview.

    ask: at most two sentences · answer: how to say it · slip: what people wrongly say · follow, then: what is asked next,
    and its answer · slot: the component that it is about · number: the name of a computation (`teaching.numbers`) that
    gives the answer from the model on screen, `of` its address there («sharing.gate»), `answer` then being what the number
    means · facts: names of the system's facts that back the answer, which holds no number of a paper itself · picture: the
    view (`inspection.views`) that shows it.
    """

    ask: str
    answer: str
    slot: str
    slip: str = ""
    follow: str = ""
    then: str = ""
    number: str = ""
    of: str = ""
    facts: tuple[str, ...] = ()
    picture: str = ""


@dataclass(frozen=True)
class Lesson:
    """A system's story.

    problem: what was wrong before it, in one or two sentences · why: by slot, what stands there and why, or why nothing does ·
    sure: how sure each of these seven is, in their order: the least sure of what it tells ·
    measured: names of the facts that say what it reached · unmeasured: one sentence where none could be read ·
    misreadings: what is often said of it, and what is so · questions: its own; those that fit every model are added.
    """

    problem: str = ""
    why: Mapping[str, str] = field(default_factory=dict)
    sure: tuple[Provenance, ...] = ()
    measured: tuple[str, ...] = ()
    unmeasured: str = ""
    misreadings: Mapping[str, str] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
