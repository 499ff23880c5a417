"""World: a generator of a table whose truth is known. Its subclasses live in `worlds/`, one file each, found by walking."""
from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import pyarrow as pa

from rankzoo.data.truths import Truth
from rankzoo.errors import ZooError, closest
from rankzoo.schema import Schema

MIN_ROWS = 100


@dataclass(frozen=True)
class Made:
    """A generated table with what was planted in it. Columns: a feature's or task's name; `history.item` for the field
    `item` of the history `history`, one list per row; `group` where rows belong to a request. Ids count from 0.

    candidates: further rows with the same columns, of requests that nobody has arranged yet, where a list is to be built ·
    catalogue: the items that rows name, item k in row k.
    """

    table: pa.Table
    truth: Truth
    candidates: pa.Table | None = None
    catalogue: pa.Table | None = None


@dataclass(frozen=True)
class World(ABC):
    """A recipe with its knobs as fields, so that an experiment varies them by `dataclasses.replace`.

    rows: default size in all · test_share: the last rows, held out · validation_share: the last rows of what is left ·
    page: rows that stay together when the table is cut · version: raised whenever the recipe changes its rows.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    sentence: ClassVar[str]
    formula: ClassVar[str]
    rows: ClassVar[int]
    test_share: ClassVar[float]
    validation_share: ClassVar[float] = 0.1
    page: ClassVar[int] = 1
    version: ClassVar[int] = 1

    @property
    @abstractmethod
    def schema(self) -> Schema:
        """Features, histories and tasks, known without generating a row; vocabularies include row 0 for unknown."""

    @property
    @abstractmethod
    def task_rates(self) -> Mapping[str, float]:
        """The mean label that is asked for, by task."""

    @abstractmethod
    def make(self, rows: int, seed: int) -> Made:
        """Rows and truth from one generator, drawn in a fixed order: the same seed gives the same bytes."""

    def label(self, field: str, value: int) -> str:
        """A readable name for an id of a feature or history field, as it stands in the table."""
        return f"{field.replace('_', ' ')} {value}"

    def worth(self) -> Mapping[str, Mapping[str, float]]:
        """What a past item is worth by rule, {factor: {level: value}}; the factors are multiplied. Empty without a history."""
        return {}

    def parts(self, rows: int) -> dict[str, np.ndarray]:
        """Row numbers of train, validation and test, in the order of the table, cut between pages."""
        test = self._cut(rows - round(rows * self.test_share))
        train = self._cut(test - round(test * self.validation_share))
        return {"train": np.arange(train), "validation": np.arange(train, test), "test": np.arange(test, rows)}

    def _cut(self, row: int) -> int:
        return row // self.page * self.page

    def fingerprint(self, rows: int, seed: int) -> str:
        """16 hex digits of SHA-256 over recipe, version, knobs, rows and seed: what the rows are made from."""
        made_from = {"world": self.name, "version": self.version, "knobs": asdict(self), "rows": rows, "seed": seed}
        return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:16]


@cache
def worlds() -> Mapping[str, World]:
    """Every WORLD under rankzoo.data.worlds, by name, in the order of their names; the name must equal the file's."""
    package = importlib.import_module("rankzoo.data.worlds")
    found: dict[str, World] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        made: World = importlib.import_module(f"{package.__name__}.{module}").WORLD
        if made.name != module:
            raise RuntimeError(f"World '{made.name}' stands in worlds/{module}.py; the names must be equal.")
        found[module] = made
    return MappingProxyType(found)


def world(name: str) -> World:
    """The world of that name; raises a ZooError that names the closest one."""
    if name not in worlds():
        raise unknown_dataset(name, list(worlds()))
    return worlds()[name]


def built_in() -> tuple[str, ...]:
    """The names of the worlds and of the census, without the tensors that loading one needs."""
    from rankzoo.data import census

    return (*worlds(), census.NAME)


def unknown_dataset(name: str, known: list[str]) -> ZooError:
    """The refusal of a name that is neither a built-in dataset nor the hash of an upload."""
    return ZooError("Unknown dataset '{name}'.", closest(name, known) or "Known are: {known}.", at="data",
                    name=name[:80], known=", ".join(known))


def check_rows(rows: int) -> None:
    """Raises a ZooError where a world is asked for too few rows to plant anything."""
    if rows < MIN_ROWS:
        raise ZooError("{rows} rows are too few.", "Ask for at least {least}.", at="settings.rows", rows=rows,
                       least=MIN_ROWS)
