"""Scale: the same blueprint as large as in industry, counted by formula. A setting of a view, never of a run."""
from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from rankzoo.blueprint import Blueprint
from rankzoo.facts import Size
from rankzoo.inspection.candidates import work
from rankzoo.inspection.memory import activations, memory
from rankzoo.schema import Schema
from rankzoo.shape import Count

FACTOR = 100_000  # ours: a sample's hundreds of ids become tens of millions
NAMED = frozenset(("user", "item", "query", "product", "track", "news", "video", "advertiser", "creator", "author", "shop"))
"""What a business has ever more of. A field that is called so, or an id, has a table of ids."""
ID = re.compile(r"(?:^|[^a-zA-Z])[uU]?(?:id|ID|Id)$|[a-z](?:Id|ID)$")
CARD = 80 * 10**9
"""Bytes of one accelerator card."""
CANDIDATES = 1_000
"""Of a request, unless another number is asked for."""
NUMBERS = {"float32": 4, "bfloat16": 2, "int8": 1}
"""Bytes of a parameter."""


@dataclass(frozen=True)
class Scaled:
    """A model at some size. name: «sample», «× 10», «industry» · sizes: those of the source that were put in · factor: how
    many times as long every other table of ids is."""

    name: str
    blueprint: Blueprint
    schema: Schema
    factor: int
    sizes: tuple[Size, ...] = ()

    @cached_property
    def count(self) -> Count:
        """By formula: nothing is built."""
        return self.blueprint.count(self.schema)


@dataclass(frozen=True)
class Grown:
    """What there is more of because no source tells how much. tables: of ids · items: those without a table, which are known by
    their attributes and yet scored or encoded one by one."""

    tables: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


def tables(schema: Schema) -> tuple[str, ...]:
    """The features and history fields, of rows and of items, that have a table of their own."""
    own = tuple(f"{h.name}.{f.name}" for h in schema.histories for f in h.fields if not (f.table or f.gap))
    own += tables(schema.catalogue.schema) if schema.catalogue else ()
    return tuple(f.name for f in schema.categorical if not (schema.named(f.name) or f.name in schema.made)) + own


def id_tables(schema: Schema) -> tuple[str, ...]:
    """Those that name things of which a business has ever more: users, items, queries, advertisers. Words, groups, attributes and
    counts stay as they are, however many there are, unless a source tells."""
    return tuple(name for name in tables(schema) if (own := name.rpartition(".")[2]).lower() in NAMED or ID.search(own))


def lists(schema: Schema) -> tuple[str, ...]:
    """The histories of rows, and what is held of an item one after another, such as the words of its title."""
    return tuple(h.name for h in schema.histories) + (lists(schema.catalogue.schema) if schema.catalogue else ())


def growing(blueprint: Blueprint, schema: Schema, known: Collection[str] = ()) -> Grown:
    """What of this model grows with a factor, without those ids whose number is `known`. Data may name items of which a model
    neither reads more than attributes nor scores more than a row's own."""
    before, tables, items = blueprint.count(schema), [], []
    for name in id_tables(schema):
        after = before if name in known else blueprint.count(industry(schema, 1, {name: FACTOR}))
        if after.parameters != before.parameters:
            tables.append(name)
        elif (after.flops, after.once) != (before.flops, before.once):
            items.append(name)
    return Grown(tuple(tables), tuple(items))


def industry(schema: Schema, factor: int = FACTOR, rows: Mapping[str, int] | None = None,
             lengths: Mapping[str, int] | None = None) -> Schema:
    """The schema with the tables that `rows` names, and the histories and lists of items that `lengths` names, as long as they
    say, and all other tables of ids `factor` times as long."""
    ids, known, places = set(id_tables(schema)), rows or {}, lengths or {}

    def scaled(name: str, vocabulary: int) -> int:
        return known.get(name) or (vocabulary * factor if name in ids else vocabulary)

    features = tuple(replace(f, vocabulary=scaled(f.name, f.vocabulary)) for f in schema.features)
    histories = tuple(replace(h, length=places.get(h.name, h.length), fields=tuple(
        replace(f, vocabulary=scaled(f.table or f"{h.name}.{f.name}", f.vocabulary)) for f in h.fields))
        for h in schema.histories)
    items = schema.catalogue and replace(schema.catalogue, schema=industry(schema.catalogue.schema, factor, rows, lengths))
    return replace(schema, features=features, histories=histories, catalogue=items)


def costs(scaled: Scaled, batch_size: int, candidates: int = CANDIDATES) -> dict[str, int]:
    """What a model of that size takes: parameters · bytes by format of a number · `training`: bytes with gradients, the states of
    Adam (row-wise for tables) and a batch's activations, those of the items that it encodes among them · `activations`: bytes of
    these alone · `cards`: of 80 GB, to hold
    `training` · FLOPs of a request of so many candidates, and of that what it computes once and for each candidate (where a row
    scores the whole catalogue, of one row) · `flops_once`: of encoding the catalogue beforehand."""
    count, schema = scaled.count, scaled.schema
    training = memory(count, batch_size)["training"]
    request = work(scaled.blueprint, schema)
    return {"parameters": count.parameters, "embedding": count.embedding, "dense": count.dense,
            **{name: size * count.parameters for name, size in NUMBERS.items()}, "training": training,
            "activations": activations(count, batch_size), "cards": -(-training // CARD),
            "flops_per_request": request.of(candidates), "flops_request": request.once, "flops_candidate": request.each,
            "flops_once": count.once}
