"""Tables for benchmarks, in Criteo's layout: `C1…C26`, `I1…I13`, `label` and `like`, with a planted signal.

With a history also `H1` and `H2`, lists of 5 to 50 past ids of `C1` and `C2`, 55 % of the longest on average.
`python -m benchmarks.tables FILE --rows N --ids N` writes one; the same seed gives the same rows.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CATEGORICAL, DENSE = 26, 13
SHORTEST, LONGEST = 5, 50


def table_sizes(ids: int, even: bool = False) -> np.ndarray:
    """(column,) how `ids` rows of tables are shared among the columns: evenly, or a third to the first and less to each next."""
    share = np.ones(CATEGORICAL) if even else np.arange(1, CATEGORICAL + 1) ** -1.2
    return np.maximum(4, (ids * share / share.sum()).astype(int))


def make(path: Path, rows: int, ids: int, seed: int = 0, every: bool = False, history: bool = False, even: bool = False) -> None:
    """Rows whose click depends on every column and on some pairs of columns.

    ids: rows of all tables together, unevenly shared unless `even` · every: each id occurs at least once, so that the tables
    really have that size (needs `rows` above the largest table); else popular ids are drawn more often, as in real logs.
    """
    rng = np.random.default_rng(seed)
    sizes = table_sizes(ids, even)
    columns: dict[str, np.ndarray] = {}
    logit, vectors = np.full(rows, -1.1), []
    for i, size in enumerate(sizes):
        column = np.minimum((size * rng.random(rows) ** 2.5).astype(np.int64), size - 1)
        if every:
            column[:size] = rng.permutation(size)
        columns[f"C{i + 1}"] = column
        few = column % 50  # an id's worth is that of its group, so that rare ids can be learnt too
        logit += 0.25 * rng.standard_normal(50)[few]
        vectors.append(rng.standard_normal((50, 3))[few])
    for a, b in ((0, 5), (1, 8), (3, 12), (2, 20)):
        logit += 0.3 * (vectors[a] * vectors[b]).sum(axis=1) / np.sqrt(3)
    for i in range(DENSE):
        column = rng.standard_normal(rows).astype(np.float32)
        columns[f"I{i + 1}"] = column
        logit += 0.15 * rng.standard_normal() * column
    columns["label"] = (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    liked = 0.6 * logit + 0.5 * (vectors[2] * vectors[7]).sum(axis=1) - 1.0
    columns["like"] = (rng.random(rows) < 1 / (1 + np.exp(-liked))).astype(np.int8)
    if history:
        columns |= _past(rng, columns, sizes)
    pq.write_table(pa.table(columns), path)


def _past(rng: np.random.Generator, columns: dict[str, np.ndarray], sizes: np.ndarray) -> dict[str, pa.Array]:
    """Past ids of the first two columns; those who clicked have met the candidate's group more often."""
    lengths = rng.integers(SHORTEST, LONGEST + 1, len(columns["label"]))
    ends = np.concatenate([[0], np.cumsum(lengths)])
    row = np.repeat(np.arange(len(lengths)), lengths)
    met = rng.random(len(row)) < 0.05 + 0.15 * columns["label"][row]
    found = {}
    for i in (0, 1):
        past = (sizes[i] * rng.random(len(row)) ** 2.5).astype(np.int64)
        past = np.minimum(np.where(met, columns[f"C{i + 1}"][row], past), sizes[i] - 1)
        found[f"H{i + 1}"] = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(past))
    return found


def main() -> None:
    """The command line."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("file", type=Path)
    given.add_argument("--rows", type=int, default=100_000)
    given.add_argument("--ids", type=int, default=50_000)
    given.add_argument("--seed", type=int, default=0)
    given.add_argument("--every", action="store_true")
    given.add_argument("--history", action="store_true")
    given.add_argument("--even", action="store_true")
    order = given.parse_args()
    make(order.file, order.rows, order.ids, order.seed, order.every, order.history, order.even)


if __name__ == "__main__":
    main()
