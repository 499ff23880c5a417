"""Scale: the same blueprint with tables as large as in industry, counted by formula. A setting of a view, never of a run."""
from __future__ import annotations

from dataclasses import replace

from rankzoo.schema import Schema

FACTOR = 1_000  # ours: a sample's hundreds of ids become hundreds of thousands
LEAST = 50      # a table shorter than this lists something (hours, devices, countries), it does not name things


def id_tables(schema: Schema) -> tuple[str, ...]:
    """The features and history fields, of rows and of items, that name things: their tables grow with a business, others stay as
    they are."""
    own = tuple(f"{h.name}.{f.name}" for h in schema.histories for f in h.fields if not f.table and f.vocabulary >= LEAST)
    own += id_tables(schema.catalogue.schema) if schema.catalogue else ()
    return tuple(f.name for f in schema.categorical if f.vocabulary >= LEAST and not schema.named(f.name)) + own


def industry(schema: Schema, factor: int = FACTOR) -> Schema:
    """The schema with the tables of ids `factor` times as long."""
    ids = set(id_tables(schema))

    def scaled(name: str, vocabulary: int) -> int:
        return vocabulary * factor if name in ids else vocabulary

    features = tuple(replace(f, vocabulary=scaled(f.name, f.vocabulary)) for f in schema.features)
    histories = tuple(replace(h, fields=tuple(replace(f, vocabulary=scaled(f.table or f"{h.name}.{f.name}", f.vocabulary))
                                              for f in h.fields)) for h in schema.histories)
    items = schema.catalogue and replace(schema.catalogue, schema=industry(schema.catalogue.schema, factor))
    return replace(schema, features=features, histories=histories, catalogue=items)
