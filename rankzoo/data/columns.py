"""What a table's columns look like as text and as numbers: the one place that decides, for roles, vocabularies and labels.

Values are compared as text, so that a CSV and a Parquet file of the same table mean the same.
"""
from __future__ import annotations

import numpy as np

from rankzoo.data.later import pa, pc


def is_text(kind: pa.DataType) -> bool:
    """Whether a type holds words."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def is_numeric(kind: pa.DataType) -> bool:
    """Whether a type holds numbers (booleans are words: true and false)."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def as_text(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """A column as words, elementwise: whole floats lose their «.0», so that 3 and 3.0 are one value."""
    if is_text(column.type):
        return column.cast(pa.string())
    words = column.cast(pa.string())
    return pc.replace_substring_regex(words, r"\.0$", "") if pa.types.is_floating(column.type) else words


def as_numbers(column: pa.ChunkedArray) -> np.ndarray:
    """(row,) float64 with NaN where missing; whole numbers beyond 2^53 are rounded."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def counts(column: pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """The different values as words with their counts, most frequent first, ties by first appearance; missing left out."""
    found = pc.value_counts(as_text(column).drop_null().combine_chunks())
    often = found.field("counts").to_numpy(zero_copy_only=False)
    order = np.argsort(-often, kind="stable")
    return found.field("values").take(pa.array(order)).to_pylist(), often[order]


def different(column: pa.ChunkedArray) -> int:
    """How many different values there are, missing left out."""
    return pc.count_distinct(column, mode="only_valid").as_py()


def missing(column: pa.ChunkedArray) -> int:
    """How many values are missing: nulls and NaN."""
    absent = column.null_count
    if pa.types.is_floating(column.type):
        absent += pc.sum(pc.is_nan(column), min_count=0).as_py() or 0
    return absent


def written_nan(column: pa.ChunkedArray) -> int:
    """How often the word «nan» stands in a column of words."""
    return pc.sum(pc.equal(pc.utf8_lower(column), "nan")).as_py() or 0 if is_text(column.type) else 0


def infinite(column: pa.ChunkedArray) -> bool:
    """Whether an infinite number stands in the column."""
    return pa.types.is_floating(column.type) and bool(pc.any(pc.is_inf(column)).as_py())
