"""What every library of `benchmarks.peers` is given: the sizes of the models, and the same rows as columns by name.

Sizes as in `rankzoo bench`: embedding 16, MLP 256-128-64 (experts 256-128 and towers 64), DIN's unit 80-40.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.tables import CATEGORICAL, DENSE, LONGEST

DIM, BATCH, RATE, DEEP, EXPERT, TOWER, UNIT = 16, 1024, 1e-3, (256, 128, 64), (256, 128), (64,), (80, 40)
LABELS = {"mmoe": ("label", "like"), "ple": ("label", "like")}
SPARSE, NUMBERS = [f"C{i + 1}" for i in range(CATEGORICAL)], [f"I{i + 1}" for i in range(DENSE)]
PAST = ("H1", "H2")


class Enough(Exception):
    """Ends a library's training in the midst of its epoch, after the steps that were asked for."""


class Rows:
    """A table as the libraries take it: columns by name, numbers of values, labels; the last 20 % are held out.

    Read column by column, so that what is read first does not count for a library's peak of memory.
    """

    def __init__(self, path: Path, model: str):
        self.columns: dict[str, np.ndarray] = {}
        self.sizes: dict[str, int] = {}
        with pq.ParquetFile(path) as file:
            for name in NUMBERS:
                self.columns[name] = _column(file, name).to_numpy().astype(np.float32)
            for name in SPARSE:
                words, codes = np.unique(_column(file, name).to_numpy(), return_inverse=True)
                self.columns[name], self.sizes[name] = codes + 1, len(words) + 1
                past = f"H{name[1:]}"
                if model == "din" and past in PAST:
                    self.columns[past], self.columns[f"{past}_length"] = _past(_column(file, past), words)
            self.names = LABELS.get(model, ("label",))
            self.labels = np.stack([_column(file, name).to_numpy().astype(np.float32) for name in self.names], axis=1)
        self.cut = len(self.labels) - round(len(self.labels) * 0.2)

    def part(self, start: int, stop: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Rows from start to stop."""
        return {name: values[start:stop] for name, values in self.columns.items()}, self.labels[start:stop]


def _column(file: pq.ParquetFile, name: str):
    return file.read(columns=[name])[name].combine_chunks()


def _past(column, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lists as (row, position) codes, 0 where there is none or where the id is unknown; and (row,) their lengths."""
    lengths, values = column.value_lengths().to_numpy().astype(np.int64), column.flatten().to_numpy()
    places = np.minimum(np.searchsorted(words, values), len(words) - 1)
    filled = np.zeros((len(lengths), LONGEST), dtype=np.int64)
    filled[np.arange(LONGEST) < lengths[:, None]] = np.where(words[places] == values, places + 1, 0)
    return filled, lengths
