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


@dataclass(frozen=True)
class Size:
    """A size that was larger in industry than the preset's. at: a setting's address («sharing.experts») or, where `table`, the
    name of a table, whose rows it counts · fact: who says so."""

    at: str
    value: object
    fact: Fact
    table: bool = False

    @property
    def said(self) -> str:
        """The value in words: «8», «128, 64», «item.title 128»."""
        if isinstance(self.value, Mapping):
            return ", ".join(f"{name} {each:,}" for name, each in self.value.items())
        return (", ".join(map(str, self.value)) or "none") if isinstance(self.value, tuple) else f"{self.value:,}"


def stated(name: str, value: object, source: Source, at: str = "", path: str = "") -> Fact:
    """A fact read in its source, at the place named."""
    return Fact(name, str(value), "stated", source, at=at, path=path)


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
