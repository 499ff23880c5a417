"""System: one row of the zoo. A company's or a textbook's ranking model with its sources, blueprint and story."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from rankzoo.blueprint import SLOTS, Blueprint
from rankzoo.data.load import schema_of
from rankzoo.facts import PROVENANCES, Fact, Provenance, Size, Source, Value
from rankzoo.inspection.provenance import values
from rankzoo.lesson import Lesson
from rankzoo.serving import Serving
from rankzoo.training.settings import TrainSettings
from rankzoo.training.untrained import Rule

WORD = 15
"""Letters that a cell of the zoo's table has room for."""


@dataclass(frozen=True)
class Earlier:
    """What came before a system: the system with `changes` by address, or a `rule` that orders its items untrained. name: a word
    or two · told: the same as a part of a sentence."""

    name: str
    told: str
    changes: Mapping[str, object] = field(default_factory=dict)
    rule: Rule | None = None


@dataclass(frozen=True)
class Before:
    """What a system grew out of, where no rung of the ladder stands on its data; `baselines` reads either. arms: first the
    textbook model · seconds: five seeds of all of them and of the system on one core, about · why: what explains that it is no
    better, where it is not."""

    arms: tuple[Earlier, ...]
    seconds: int
    why: str = ""


@dataclass(frozen=True)
class System:
    """What the zoo knows of a model.

    id: the file's name · place: where it stands in its table · name: of the model · story: three sentences · dataset: the name of
    a world · settings: the preset training · facts: every number with its provenance · grew: the id of the model it grew out of ·
    plain: changes by address that make what is its own its simplest kind · beside: changes by address that the model it grew out
    of needs to stand beside it on its data · before: what it grew out of, where that is no model of the zoo · judged: the tasks
    that it is for, where others only teach (empty: all) · answers: the weakness of the model it grew out of which it mends ·
    adds: the slot in which it does so · tagline: two or three words · picture: the view that shows what makes it what it is, by
    its name among `inspection.views` · industry: the sizes that its source states or lets estimate, where the preset's are
    smaller · lesson: its story and its questions.
    """

    id: str
    place: int
    name: str
    source: Source
    story: str
    blueprint: Blueprint
    dataset: str
    company: str = ""
    domain: str = ""
    settings: TrainSettings = TrainSettings()
    facts: tuple[Fact, ...] = ()
    serving: Serving | None = None
    picture: str = ""
    grew: str = ""
    plain: Mapping[str, object] = field(default_factory=dict)
    beside: Mapping[str, object] = field(default_factory=dict)
    before: Before | None = None
    judged: tuple[str, ...] = ()
    answers: str = ""
    adds: str = ""
    tagline: str = ""
    industry: tuple[Size, ...] = ()
    lesson: Lesson = Lesson()

    @property
    def kind(self) -> str:
        """«industry» or «textbook»."""
        return "industry" if self.company else "textbook"

    @property
    def title(self) -> str:
        """«YouTube · MMoE with a bias tower» or «DIN»."""
        return f"{self.company} · {self.name}" if self.company else self.name

    @property
    def brand(self) -> str:
        """The shortest name that tells it from all others, for a menu: «YouTube» or «DIN»."""
        return self.company or self.name

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """Every setting of its components and its training with where the preset's value is from."""
        return values(self.blueprint, self.settings, schema_of(self.dataset), self.facts)

    @property
    def told(self) -> tuple[Fact, ...]:
        """All that is told of it: its facts, and the values of RankZoo where a setting has none of its own."""
        return (*self.facts, *(value.fact for value in self.values if value.untold))

    def sure(self, slot: str) -> Provenance | None:
        """How sure what its lesson tells of a slot is: as the lesson says, else as the least sure of the kinds that stand there;
        None where neither says."""
        if self.lesson.sure:
            return self.lesson.sure[SLOTS.index(slot)]
        found = [value.fact.tag for value in self.values if value.path.split(".")[0] == slot and value.path.endswith(".kind")]
        return max(found, key=PROVENANCES.index, default=None)

    def slots(self) -> dict[str, str | None]:
        """The kinds in each slot, joined by « + », or None where the slot is not used."""
        kinds: dict[str, str | None] = {}
        for slot in SLOTS:
            value = getattr(self.blueprint, slot)
            names = [spec.kind for spec in (value if isinstance(value, tuple) else (value,))]
            kinds[slot] = " + ".join(names) if self.blueprint.used(slot) else None
        return kinds

    def short(self) -> tuple[str, ...]:
        """A word for each of the seven slots, empty where the slot is not used."""
        words = []
        for slot in SLOTS:
            value = getattr(self.blueprint, slot)
            specs = value if isinstance(value, tuple) else (value,)
            words.append(_cell([spec.word() for spec in specs]) if self.blueprint.used(slot) else "")
        return tuple(words)


def _cell(words: list[str]) -> str:
    """The words of a slot as a cell of a table has room for: all of them, or the first and how many more."""
    said = " + ".join(words)
    if len(words) == 1 or len(said) <= WORD:
        return said
    return f"{words[0]} ×{len(words)}" if len(set(words)) == 1 else f"{words[0]} +{len(words) - 1}"
