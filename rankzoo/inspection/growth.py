"""Growth: what models hold as the catalogue grows, counted by formula: a vector for each item, or none."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from rankzoo.blueprint import Blueprint
from rankzoo.schema import Feature, HistoryField, Schema

TIMES = (1, 10, 100, 1_000, 10_000)


def growth(models: Mapping[str, Blueprint], schema: Schema) -> pd.DataFrame:
    """Columns label, items, parameters: each model on the same data with 1, 10, … 10,000 times as many items, whose attributes
    have as many values as before."""
    rows = []
    for times in TIMES:
        wide = larger(schema, times)
        rows += [(label, wide.catalogue.rows - 1, blueprint.count(wide).parameters) for label, blueprint in models.items()]
    return pd.DataFrame(rows, columns=["label", "items", "parameters"])


def larger(schema: Schema, times: int) -> Schema:
    """The same data with `times` as many items in the catalogue, and whatever names one as long."""
    name = schema.catalogue.name

    def scaled(vocabulary: int, table: str) -> int:
        return (vocabulary - 1) * times + 1 if table == name else vocabulary

    def field(f: HistoryField) -> HistoryField:
        return replace(f, vocabulary=scaled(f.vocabulary, f.table))

    def features(given: tuple[Feature, ...]) -> tuple[Feature, ...]:
        return tuple(replace(f, vocabulary=scaled(f.vocabulary, f.name)) for f in given)

    def wide(given: Schema) -> Schema:
        histories = tuple(replace(h, fields=tuple(map(field, h.fields))) for h in given.histories)
        return replace(given, features=features(given.features), histories=histories)

    return replace(wide(schema), catalogue=replace(schema.catalogue, schema=wide(schema.catalogue.schema)))
