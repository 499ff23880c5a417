"""Facts: a value, where it is from, and how sure we are."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Provenance = Literal["stated", "code", "derived", "known", "unsure", "ours"]
PROVENANCES: tuple[Provenance, ...] = get_args(Provenance)
MEANING: dict[Provenance, str] = {
    "stated": "read in the source",
    "code": "read in a reference implementation or a third party's text",
    "derived": "computed from what a source states",
    "known": "common knowledge of the field, not re-read here",
    "unsure": "not stated, or not verified",
    "ours": "chosen by RankZoo",
}
DEFAULT, CHOSEN = "default of RankZoo", "chosen by RankZoo for this preset"
"""The place of a value of which nobody tells anything: as it is wherever nobody sets another, or set for one preset."""
VENUE = 12
"""Letters of a conference with its year."""


@dataclass(frozen=True)
class Source:
    """A publication: authors, year, title, where it appeared, and how to find it."""

    by: str
    year: int
    title: str
    venue: str = ""
    doi: str = ""

    @property
    def short(self) -> str:
        """«Zhao et al., RecSys 2019»."""
        where = self.venue if str(self.year) in self.venue else f"{self.venue} {self.year}".strip()
        return f"{self.by}, {where}"

    @property
    def brief(self) -> str:
        """The same for a line with little room: «Snap Engineering, 2022», without what is longer than a conference's name."""
        return self.short if len(self.venue) <= VENUE else f"{self.by}, {self.year}"

    @property
    def url(self) -> str:
        """Where its DOI leads, or empty."""
        return f"https://doi.org/{self.doi}" if self.doi else ""


@dataclass(frozen=True)
class Fact:
    """One value of a system with its tag, its source and the place there; `path` names the blueprint setting it backs."""

    name: str
    value: str
    tag: Provenance
    source: Source | None = None
    at: str = ""
    why: str = ""
    path: str = ""

    @property
    def assumed(self) -> bool:
        """Whether the page counts it as assumed: chosen by us or not verified."""
        return self.tag in ("ours", "unsure")

    @property
    def untold(self) -> bool:
        """Whether it is only there because nobody tells anything of a setting."""
        return self.at in (DEFAULT, CHOSEN)

    @property
    def place(self) -> str:
        """Where to find it: its source and the place there; without a source the field's knowledge, or RankZoo."""
        said = ", ".join(filter(None, (self.source.short if self.source else "", self.at)))
        return said or ("the field" if self.tag == "known" else "RankZoo")


@dataclass(frozen=True)
class Value:
    """A setting's value in a preset and the fact that says where it is from. size: whether it is a size that shapes the model,
    as a width or the number of experts does, and neither a rate nor a size of something that is switched off."""

    path: str
    fact: Fact
    size: bool = False

    @property
    def untold(self) -> bool:
        """Whether nobody tells anything of it."""
        return self.fact.untold


@dataclass(frozen=True)
class Size:
    """A size that was larger in industry than the preset's. at: a setting's address («sharing.experts») or, where `table`, the
    name of a table, whose rows it counts, or, where `history`, that of a history or a list of an item, whose positions it
    counts · fact: who says so."""

    at: str
    value: object
    fact: Fact
    table: bool = False
    history: bool = False

    @property
    def unit(self) -> str:
        """What its value counts: «rows», «positions», or «setting» where it is one."""
        return "rows" if self.table else "positions" if self.history else "setting"

    @property
    def said(self) -> str:
        """The value in words: «8», «128, 64», «item.title 128»."""
        if isinstance(self.value, Mapping):
            return ", ".join(f"{name} {each:,}" for name, each in self.value.items())
        return (", ".join(map(str, self.value)) or "none") if isinstance(self.value, tuple) else f"{self.value:,}"


def stated(name: str, value: object, source: Source, at: str = "", path: str = "", why: str = "") -> Fact:
    """A fact read in its source, at the place named; `why` says what it leaves open."""
    return Fact(name, str(value), "stated", source, at=at, path=path, why=why)


def code(name: str, value: object, source: Source, at: str = "", path: str = "") -> Fact:
    """A fact read in a reference implementation."""
    return Fact(name, str(value), "code", source, at=at, path=path)


def derived(name: str, value: object, source: Source, at: str = "", why: str = "", path: str = "") -> Fact:
    """A fact computed from what a source states."""
    return Fact(name, str(value), "derived", source, at=at, why=why, path=path)


def known(name: str, value: object, source: Source | None = None, path: str = "") -> Fact:
    """Common knowledge of the field that was not read again."""
    return Fact(name, str(value), "known", source, path=path)


def unsure(name: str, value: object, source: Source | None = None, why: str = "", path: str = "") -> Fact:
    """Something that the source leaves open or that was not verified."""
    return Fact(name, str(value), "unsure", source, why=why, path=path)


def ours(name: str, value: object, why: str = "", path: str = "") -> Fact:
    """A choice of RankZoo, with its reason."""
    return Fact(name, str(value), "ours", why=why, path=path)


def untold(name: str, value: object, path: str, usual: bool) -> Fact:
    """A value of RankZoo of which nobody tells anything. usual: whether it is the setting's default, set for no preset."""
    return Fact(name, str(value), "ours", at=DEFAULT if usual else CHOSEN, path=path)
