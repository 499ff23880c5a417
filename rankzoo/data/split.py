"""Split: which rows of a file are for training, validation and test, known before anything is learnt from them.

By time where a column is one, so that nothing of the future is learnt; else at random.
"""
from __future__ import annotations

import numpy as np

from rankzoo.data.columns import as_numbers, different, is_text, missing
from rankzoo.data.later import pa, pc
from rankzoo.data.sides import words

TEST_SHARE, VALIDATION_SHARE = 0.2, 0.1
_TIMES = frozenset("time timestamp ts datetime date day at epoch unixtime".split())
_OTHERS = frozenset("birth birthday birthdate dob born".split())
_DAYS, _SINCE_1970 = (19_000_101, 21_001_231), 100_000_000
"""Days written as 20240131, and the least of what is taken for seconds or parts of them."""


def sizes(rows: int) -> tuple[int, int, int]:
    """How many rows are for training, validation and test."""
    test = max(1, round(rows * TEST_SHARE))
    validation = max(1, round((rows - test) * VALIDATION_SHARE))
    return rows - test - validation, validation, test


def cuts(rows: int, when: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row numbers of training, validation and test: shuffled once with seed 0, and put in the order of `when`, if given; the last
    20 % are the test part and 10 % of the rest validation. Each part is in random order."""
    random = np.random.default_rng(0)
    order = random.permutation(rows)
    if when is not None:
        order = order[np.argsort(np.nan_to_num(when[order], nan=-np.inf), kind="stable")]
    train, validation, _ = sizes(rows)
    parts = order[:train], order[train:train + validation], order[train + validation:]
    return parts if when is None else tuple(random.permutation(part) for part in parts)


def moments(column: pa.ChunkedArray) -> np.ndarray | None:
    """(row,) numbers in the order of time, NaN where missing: of words that are written as 2024-01-31 or
    2024-01-31 12:00:00, and numbers themselves; None where they are none."""
    if not is_text(column.type):
        return None if pa.types.is_boolean(column.type) else as_numbers(column)
    trimmed = pc.utf8_trim_whitespace(column)
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            return as_numbers(trimmed.cast(kind).cast(pa.int64()))
        except pa.ArrowInvalid:
            continue
    return None


def is_time(name: str, column: pa.ChunkedArray) -> bool:
    """Whether a column tells when a row happened: dates as words, or numbers under such a name that can be dates."""
    if _OTHERS & set(words(name)) or missing(column) == len(column) or different(column) < 3:
        return False
    if is_text(column.type):
        return moments(column.slice(0, 100)) is not None and moments(column) is not None
    if not _TIMES & set(words(name)) or pa.types.is_boolean(column.type):
        return False
    low, high = np.nanmin(values := as_numbers(column)), np.nanmax(values)
    return bool(low >= _SINCE_1970 or _DAYS[0] <= low and high <= _DAYS[1])
