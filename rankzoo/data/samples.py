"""The shipped samples: the first rows of every world's default table, and a manifest to check them by.

`python -m rankzoo.data.samples FOLDER` makes them again.
"""
from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from rankzoo.data import census
from rankzoo.data.columns import is_text
from rankzoo.data.later import pa, pq
from rankzoo.data.world import World, worlds

SEED, ROWS = 0, 2_000


def sample(world: World) -> pa.Table:
    """The first 2,000 rows of the table that the world makes at its default size with seed 0."""
    return world.make(world.rows, SEED).table.slice(0, ROWS).combine_chunks()


def checksum(table: pa.Table) -> str:
    """SHA-256 over names, types and values: the same for every way of storing a table, numbers missing (as NaN) or not."""
    digest = hashlib.sha256()
    for name, column in zip(table.column_names, table.columns, strict=True):
        values = column.combine_chunks()
        digest.update(f"{name}:".encode())
        if pa.types.is_list(values.type):
            digest.update(b"list of " + np.diff(values.offsets.to_numpy()).astype(np.int64).tobytes())
            values = values.flatten()
        digest.update(f"{values.type}\n".encode())
        numbers = b"" if is_text(values.type) else values.to_numpy(zero_copy_only=False).tobytes()
        digest.update("\0".join(values.to_pylist()).encode() if is_text(values.type) else numbers)
    return digest.hexdigest()


def make_samples(folder: Path) -> None:
    """Writes one Parquet file per world and `manifest.json`; the census lies there already."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for world in worlds().values():
        table = sample(world)
        pq.write_table(table, folder / f"{world.name}.parquet", compression="zstd")
        entries.append({"file": f"{world.name}.parquet", "world": world.name, "seed": SEED, "rows": table.num_rows,
                        "rows_generated": world.rows, "generator": world.version, "numpy": np.__version__,
                        "checksum": checksum(table)})
    people = census.table()
    entries.append({"file": "census.parquet", "world": None, "seed": None, "rows": people.num_rows,
                    "rows_generated": None, "generator": None, "numpy": None, "checksum": checksum(people)})
    (folder / "manifest.json").write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make_samples(Path(sys.argv[1] if len(sys.argv) > 1 else "sample_data"))
