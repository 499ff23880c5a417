"""load(name): a built-in world, the census, or an own upload, as a Dataset that is split before anything is learnt.

A world is cut by position: its rows are drawn independently. Files are cut the same way whatever seed is asked for (split.py);
fewer rows are a share of each part, so that the vocabulary and with it the model's size do not depend on how many rows are used.
"""
from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from rankzoo.data import census, uploads
from rankzoo.data.dataset import Dataset, Part
from rankzoo.data.later import pa
from rankzoo.data.preparation import prepare, prepare_declared
from rankzoo.data.roles import Roles
from rankzoo.data.split import cuts
from rankzoo.data.world import World, unknown_dataset, worlds
from rankzoo.memo import kept
from rankzoo.schema import Schema

PARTS: tuple[Part, ...] = ("train", "validation", "test")


class Known(NamedTuple):
    """A built-in dataset in a menu: name, title, default rows, and what it holds in a sentence."""

    name: str
    title: str
    rows: int
    sentence: str


def names() -> tuple[Known, ...]:
    """Every built-in dataset: the worlds, then the census."""
    made = tuple(Known(w.name, w.title, w.rows, w.sentence) for w in worlds().values())
    return (*made, Known(census.NAME, census.TITLE, census.ROWS, census.SENTENCE))


def load(name: str, rows: int | None = None, seed: int = 0) -> Dataset:
    """The dataset of a name or of an upload's hash; `rows` in all (None: as many as it has by default).

    Raises a ZooError for an unknown name, and for fewer rows than three parts need.
    """
    if name in worlds():
        return _generated(name, rows or worlds()[name].rows, seed)
    if name == census.NAME:
        return _census(rows)
    if uploads.exists(name):
        return _uploaded(name, rows, str(uploads.folder()))
    raise unknown_dataset(name, [known.name for known in names()])


def schema_of(name: str) -> Schema:
    """The schema of a dataset; a world's is known without generating a row."""
    return _schema(worlds()[name]) if name in worlds() else load(name).schema


@kept
def _schema(world: World) -> Schema:
    return world.schema


def from_world(world: World, rows: int | None = None, seed: int = 0) -> Dataset:
    """A dataset from a world with its knobs as they are: how an experiment varies what is planted."""
    rows = rows or world.rows
    made = world.make(rows, seed)
    parts = world.parts(rows)
    preparation = prepare_declared(made.table.slice(0, len(parts["train"])), world.schema, made.catalogue)
    candidates = None if made.candidates is None else preparation.encode(made.candidates, made.catalogue, group="group")
    return Dataset(world.name, world.schema, preparation.encode(made.table, made.catalogue), parts, preparation,
                   world.fingerprint(rows, seed), made.truth, candidates=candidates)


def from_table(name: str, table: pa.Table, roles: Roles, content: str, rows: int | None = None) -> Dataset:
    """A dataset from a file's table; `content` is the hash of what the file holds and of its roles."""
    cut = cuts(table.num_rows, roles.when(table))
    preparation = prepare(table.take(cut[0]), roles)
    share = min(1.0, (rows or table.num_rows) / table.num_rows)
    kept = [part[:max(1, round(len(part) * share))] for part in cut]
    edges = np.cumsum([0, *map(len, kept)])
    parts = {part: np.arange(edges[i], edges[i + 1]) for i, part in enumerate(PARTS)}
    made_from = f"{content}:{int(edges[-1])}:split 1"
    return Dataset(name, preparation.schema, preparation.encode(table.take(np.concatenate(kept))), parts, preparation,
                   hashlib.sha256(made_from.encode()).hexdigest()[:16], None, roles.notices)


@lru_cache(maxsize=4)
def _generated(name: str, rows: int, seed: int) -> Dataset:
    return from_world(worlds()[name], rows, seed)


@lru_cache(maxsize=2)
def _census(rows: int | None) -> Dataset:
    return from_table(census.NAME, census.table(), census.ROLES, census.CONTENT, rows)


# The folder is part of the key: another RANKZOO_HOME may hold other files.
@lru_cache(maxsize=4)
def _uploaded(hash: str, rows: int | None, folder: str) -> Dataset:
    upload = uploads.upload(hash)
    return from_table(upload.name, uploads.table(hash), upload.roles, hash, rows)
