"""The tables of the run store, and `Run`: one row of `run` as everybody else sees it."""
from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Literal, get_args

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text, text

VERSION = 1
State = Literal["queued", "running", "paused", "done", "failed", "cancelled", "interrupted"]
STATES: tuple[State, ...] = get_args(State)
ACTIVE: tuple[State, ...] = ("queued", "running", "paused")
ENDED: tuple[State, ...] = ("done", "failed", "cancelled", "interrupted")

metadata = MetaData()


def _text(name: str, index: bool = False) -> Column:
    return Column(name, Text, nullable=False, default="", index=index)


def _whole(name: str, default: int = 0) -> Column:
    return Column(name, Integer, nullable=False, default=default)


def _seconds(name: str) -> Column:
    return Column(name, Float, nullable=False, default=0.0)


run = Table(
    "run", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),  # age is this, not a clock that can jump
    Column("id", String(16), nullable=False, unique=True),
    _text("owner", index=True), _text("arch"), _text("data"), _text("config"), _text("config_hash"), _text("data_hash"),
    _text("shape_hash"), _text("code_version"), _whole("seed"), _text("state", index=True), _text("wish"),
    _whole("attempt", 1), _whole("step"), _whole("steps"), _whole("epoch"), _whole("epochs"), _text("message"),
    _text("digest"), _text("result"), _seconds("created"), _seconds("started"), _seconds("ended"), _seconds("began"),
    _seconds("spent"), _text("lease"), _whole("pid"), _seconds("beat"), _whole("bytes"),
    sqlite_autoincrement=True)

Index("run_once", run.c.owner, run.c.config_hash, run.c.data_hash, run.c.seed, unique=True,
      sqlite_where=text("state IN ('queued', 'running', 'paused')"))

point = Table(
    "point", metadata,
    Column("run_id", String(16), primary_key=True), Column("step", Integer, primary_key=True),
    Column("name", Text, primary_key=True), Column("value", Float, nullable=True),
    sqlite_with_rowid=False)

event = Table(
    "event", metadata,
    Column("number", Integer, primary_key=True), Column("run_id", String(16), nullable=False, index=True),
    Column("at", Float, nullable=False), Column("kind", Text, nullable=False), _text("text"))

dataset = Table(
    "dataset", metadata,
    Column("hash", String(64), primary_key=True), _text("owner"), _text("name"), _whole("rows"), _whole("columns"))

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))


@dataclass(frozen=True)
class Run:
    """One run as it stands in the store.

    number: its age, counted · config: the document as canonical JSON · attempt: 1, or 2 after a crash · step, epoch: the
    last reported · created, started, ended, began, beat: seconds since 1970; `began` is the start of the present stretch
    of work · spent: seconds of work in earlier stretches · lease: which process holds it · result: JSON text, once done.
    """

    number: int
    id: str
    owner: str
    arch: str
    data: str
    config: str
    config_hash: str
    data_hash: str
    shape_hash: str
    code_version: str
    seed: int
    state: State
    wish: str
    attempt: int
    step: int
    steps: int
    epoch: int
    epochs: int
    message: str
    digest: str
    result: str
    created: float
    started: float
    ended: float
    began: float
    spent: float
    lease: str
    pid: int
    beat: float
    bytes: int

    @property
    def active(self) -> bool:
        """Whether it may still go on."""
        return self.state in ACTIVE

    @property
    def outcome(self) -> dict:
        """The result of a run that is done (`metrics`, `oracle`, `parameters`, …), else an empty mapping."""
        return json.loads(self.result) if self.result else {}


COLUMNS = tuple(f.name for f in fields(Run))


@dataclass(frozen=True)
class Point:
    """One measured value of a curve; NaN where it could not be measured."""

    step: int
    name: str
    value: float


@dataclass(frozen=True)
class Event:
    """Something that happened to a run: when (seconds since 1970), what kind, and a sentence."""

    at: float
    kind: str
    text: str
