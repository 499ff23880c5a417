"""The interview: a walk through questions, one at a time, as a value. The page keeps it; nothing here knows of a page.

A question is answered, and only then revealed; then the walk goes on. What was skipped, was off or was not known comes back in
the summary as what to look at again.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from rankzoo.blueprint import SLOTS
from rankzoo.lesson import Question
from rankzoo.teaching.numbers import Number

Outcome = Literal["right", "close", "off", "had it", "partly", "missed", "skipped", ""]
Sure = Literal["a guess", "fairly", "certain"]
SURE: tuple[Sure, ...] = get_args(Sure)
GOOD = ("right", "had it")
"""Outcomes that need no second look; «close» and «partly» count half."""
HALF = ("close", "partly")
SECONDS = 90
"""What an interviewer gives for a question; nothing happens when they are over."""


@dataclass(frozen=True)
class Given:
    """An answer: what was said or predicted, what it was compared with, the outcome, the seconds that it took, and how sure
    whoever gave it was."""

    said: str
    number: Number | None = None
    predicted: float | None = None
    outcome: Outcome = ""
    seconds: float = 0.0
    sure: Sure = "fairly"


@dataclass(frozen=True)
class Walk:
    """`questions` in order, one answer for each that was given; `since` is when the question on view was first shown."""

    arch: str
    questions: tuple[Question, ...]
    answers: tuple[Given, ...] = ()
    at: int = 0
    since: float = 0.0

    @property
    def question(self) -> Question | None:
        """The question on view; None at the end."""
        return self.questions[self.at] if self.at < len(self.questions) else None

    @property
    def given(self) -> Given | None:
        """The answer to the question on view, once it was given: then it may be revealed."""
        return self.answers[self.at] if self.at < len(self.answers) else None

    @property
    def over(self) -> bool:
        """Whether all questions were asked."""
        return self.question is None

    def say(self, text: str, now: float, sure: Sure = "fairly") -> Walk:
        """The question on view answered in words."""
        return self._answered(Given(text, seconds=now - self.since, sure=sure))

    def predict(self, predicted: float, number: Number, now: float, sure: Sure = "fairly") -> Walk:
        """The question on view answered by a number, which is judged against the model's."""
        return self._answered(Given("", number, predicted, number.verdict(predicted), now - self.since, sure))

    def judge(self, outcome: Outcome) -> Walk:
        """How good an answer in words was, by whoever gave it."""
        if self.given is None:
            return self
        return replace(self, answers=(*self.answers[:self.at], replace(self.answers[self.at], outcome=outcome)))

    def skip(self, now: float) -> Walk:
        """On to the next question without an answer to this one."""
        return self._answered(Given("", outcome="skipped", seconds=now - self.since)).next(now)

    def next(self, now: float) -> Walk:
        """On to the next question, once this one was answered. Words that nobody judged count as partly known."""
        if self.given is None:  # pressed twice
            return self
        judged = self if self.given.outcome else self.judge("partly")
        return replace(judged, at=self.at + 1, since=now)

    def stop(self) -> Walk:
        """The end, before all questions were asked; the one on view counts if it was answered."""
        walk = self.next(self.since) if self.given else self
        return replace(walk, questions=walk.questions[:len(walk.answers)], at=len(walk.answers))

    def _answered(self, given: Given) -> Walk:
        if self.question is None or self.given is not None:  # answered twice, or after the end
            return self
        return replace(self, answers=(*self.answers, given))


@dataclass(frozen=True)
class Row:
    """A component in the summary: how many questions, how many points, the mean seconds."""

    slot: str
    asked: int
    points: float
    seconds: float


def walk(arch: str, found: Sequence[Question], length: int, now: float, slots: Sequence[str] = ()) -> Walk:
    """A walk through at most `length` questions (0: all) on these components (none: all), spread over the components in turn,
    so that a short walk passes all of them too; within a walk the components keep their order."""
    pool = [question for question in found if not slots or question.slot in slots]
    by_slot = {slot: [q for q in pool if q.slot == slot] for slot in (*SLOTS, "")}
    taken: list[Question] = []
    for turn in range(max((len(each) for each in by_slot.values()), default=0)):
        taken += [each[turn] for each in by_slot.values() if turn < len(each)]
    kept = set(map(id, taken[:length] if length else taken))
    return Walk(arch, tuple(question for question in pool if id(question) in kept), since=now)


def points(given: Given) -> float:
    """1 for right or known, a half for close or partly, else 0."""
    return 1.0 if given.outcome in GOOD else 0.5 if given.outcome in HALF else 0.0


def summary(done: Walk) -> tuple[Row, ...]:
    """The components that were asked about, in the order of the walk."""
    rows = []
    pairs = list(zip(done.questions, done.answers, strict=False))
    for slot in dict.fromkeys(question.slot for question, _ in pairs):
        here = [given for question, given in pairs if question.slot == slot]
        rows.append(Row(slot, len(here), sum(map(points, here)), sum(given.seconds for given in here) / len(here)))
    return tuple(rows)


def again(done: Walk) -> tuple[tuple[Question, Given], ...]:
    """What to look at again: the answers that were not good, the worst first, and among these the ones that seemed certain."""
    weak = [(q, given) for q, given in zip(done.questions, done.answers, strict=False) if given.outcome not in GOOD]
    return tuple(sorted(weak, key=lambda pair: (points(pair[1]), -SURE.index(pair[1].sure))))
