"""Tables for benchmarks, in Criteo's layout: `C1…C26`, `I1…I13`, `label`, with a planted signal and its true logit.

`python -m benchmarks.tables FILE --rows N --ids N` writes one; the same seed gives the same rows.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CATEGORICAL, DENSE = 26, 13


def make(path: Path, rows: int, ids: int, seed: int = 0, every: bool = False) -> None:
    """Rows whose click depends on every column and on some pairs of columns.

    ids: rows of all tables together, unevenly shared · every: each id occurs at least once, so that the tables really
    have that size (needs `rows` above the largest table); else popular ids are drawn more often, as in real logs.
    """
    rng = np.random.default_rng(seed)
    share = np.arange(1, CATEGORICAL + 1) ** -1.2
    sizes = np.maximum(4, (ids * share / share.sum()).astype(int))
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
    pq.write_table(pa.table(columns), path)


def main() -> None:
    """The command line."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("file", type=Path)
    given.add_argument("--rows", type=int, default=100_000)
    given.add_argument("--ids", type=int, default=50_000)
    given.add_argument("--seed", type=int, default=0)
    given.add_argument("--every", action="store_true")
    order = given.parse_args()
    make(order.file, order.rows, order.ids, order.seed, order.every)


if __name__ == "__main__":
    main()
