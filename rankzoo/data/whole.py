"""Whole numbers: whether a column's are ids (one user, another user) or amounts (older, dearer). Names tell, else the values do.

Amounts have an order: values that lie next to each other go with labels that are much alike. The m_i being the mean labels of the
k values in their order, n_i the rows of each and s² the variance inside a value, of

    Q = Σ w_i (m_{i+1} − m_i)²,  w_i = n_i n_{i+1} / (n_i + n_{i+1}),  and  B = Σ n_i (m_i − m)²

both are (k − 1) s² where the values tell nothing (von Neumann 1941). What Q has above that, per pair, is what a step to the next
value changes; what B has, per row, what the values differ in all. Ids change as much by a step as by any other exchange.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from rankzoo.data.columns import as_numbers, different
from rankzoo.data.later import pa
from rankzoo.data.sides import words

Why = Literal["id name", "amount name", "no order", "order", "few", "single", "silent", "chosen"]
WHY: dict[Why, str] = {
    "id name": "named like ids",
    "amount name": "named like amounts",
    "no order": "values next to each other go with labels that are not alike",
    "order": "values next to each other go with labels that are alike",
    "few": "fewer than 5 different values",
    "single": "most values stand in one row",
    "silent": "the values tell too little about the label to see an order",
    "chosen": "chosen by you"}
"""Why a column was taken as it was, in the words of page and command line."""

LEAST_VALUES, SURE, UNLIKE, LOOKED_AT = 5, 5.0, 0.5, 200_000
_ID = re.compile(r"(^|[_\W])(id|uuid|guid|key|code|zip)s?$|[a-z](Id|ID)$|^C\d+$")
_THINGS = frozenset("""user customer client visitor viewer reader member person people buyer author seller driver student account
    item product article movie film video song track artist album book news story post page ad advert advertiser campaign creative
    publisher brand merchant shop store restaurant hotel city country region state location session request query category
    genre topic tag type class segment group cluster sku asin isbn device os browser channel domain site app""".split())
_COUNTS = frozenset("n num nr number count counts cnt total sum avg mean average max min days hours".split())
_AMOUNTS = frozenset("""age year years price cost fee amount num number count counts cnt total sum avg mean average max min score
    scores rating ratings rate ratio share percent pct hours days weeks months minutes seconds time duration length size width
    height weight distance rank income salary revenue gain loss quantity qty views clicks likes visits stars""".split())


class Whole(NamedTuple):
    """A column of whole numbers: taken as ids (categorical) or amounts (numeric), and why."""

    column: str
    ids: bool
    why: Why


def is_whole(column: pa.ChunkedArray) -> bool:
    """Whether a column holds whole numbers, be it as numbers without fractions, as they come where some are missing."""
    if pa.types.is_integer(column.type):
        return True
    if not pa.types.is_floating(column.type):
        return False
    values = as_numbers(column)
    values = values[~np.isnan(values)]
    return bool(len(values) and np.isfinite(values).all() and (values == np.floor(values)).all())


def id_name(name: str) -> bool:
    """Whether the last word of a name says that values name something: «user_id», «movieId», «movie», «userid»."""
    if _ID.search(name):
        return True
    first, *_, last = (parts := words(name)) + parts
    return last.removesuffix("id") in _THINGS and (len(parts) == 1 or first not in _COUNTS)


def amount_name(name: str) -> bool:
    """Whether a word of a name says that values are amounts: «age», «num_items»."""
    return not _AMOUNTS.isdisjoint(words(name))


def judge(name: str, column: pa.ChunkedArray, labels: Iterable[np.ndarray], rows: np.ndarray) -> Whole:
    """A column of whole numbers under its name; by its values where the name tells nothing. labels: (row,) each, of which only
    `rows` are looked at: those of the training part."""
    if id_name(name):
        return Whole(name, True, "id name")
    if amount_name(name):
        return Whole(name, False, "amount name")
    number = different(column)
    if number < LEAST_VALUES:
        return Whole(name, False, "few")
    if 2 * number > len(column):
        return Whole(name, False, "single")
    rows = rows[:LOOKED_AT]
    values = as_numbers(column.take(pa.array(rows)))
    found = [step(values, label[rows]) for label in labels]
    steps = [share for share in found if share is not None]
    ids = bool(steps) and max(steps) > UNLIKE
    return Whole(name, ids, "no order" if ids else "order" if steps else "silent")


def step(values: np.ndarray, labels: np.ndarray) -> float | None:
    """How much of what values differ in a step to the next value changes: 1 where they have no order, near 0 where they have one.
    None where there are too few rows to tell. (row,) both; rows with NaN are left out."""
    known = ~(np.isnan(values) | np.isnan(labels))
    _, place = np.unique(values[known], return_inverse=True)
    y, rows = labels[known].astype(np.float64), np.bincount(place)
    k, inside = len(rows), len(place) - len(rows)
    if k < LEAST_VALUES or inside < k:
        return None
    mean = np.bincount(place, y) / rows
    noise = ((y - mean[place]) ** 2).sum() / inside
    if noise == 0:
        return None
    pairs = rows[:-1] * rows[1:] / (rows[:-1] + rows[1:])
    by_step = (pairs * np.diff(mean) ** 2).sum() / noise - (k - 1)
    in_all = (rows * (mean - y.mean()) ** 2).sum() / noise - (k - 1)
    # Variances where the values tell nothing: terms of B are independent, neighbours in Q share a mean.
    sure, surely = SURE * np.sqrt(3 * k), in_all > SURE * np.sqrt(2 * k)
    a_row = in_all / (len(y) - (rows**2).sum() / len(y))
    if by_step < sure and not (surely and a_row * 2 * pairs.sum() > 2 * sure):  # ids that differ so much in all would show it
        return None
    return float(by_step / (2 * pairs.sum()) / a_row) if by_step > sure and a_row > 0 else 0.0


def told(found: Sequence[Whole], most: int = 10) -> list[str]:
    """Which columns were taken as what and why, in lines for the command line."""
    lines = []
    for ids, what in ((True, "ids (categorical)"), (False, "amounts (numeric)")):
        groups: dict[str, list[str]] = {}
        for each in found:
            if each.ids == ids:
                groups.setdefault(WHY[each.why], []).append(each.column)
        named = "; ".join(f"{', '.join(names[:most])}{f' and {len(names) - most} more' if len(names) > most else ''} ({why})"
                          for why, names in groups.items())
        if named:
            lines.append(f"Whole numbers taken as {what}: {named}.")
    return [*lines[:-1], f"{lines[-1]} Change one with --role COLUMN=categorical or numeric."] if lines else []
