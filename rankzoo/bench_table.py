"""A benchmark's table: any Parquet file of columns `I*` (numbers), `C*` (ids) and `H*` (lists of ids), as a Dataset.

Criteo's layout, read column by column, so that of the file's words never more than one column is held, and without the
checks that a stranger's file needs. Held out are the rows whose `split` says test, else the last 20 %.
"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

from rankzoo.data.dataset import Dataset
from rankzoo.data.preparation import Preparation
from rankzoo.errors import ZooError
from rankzoo.schema import Feature, History, HistoryField, Schema, Task
from rankzoo.signals import Batch

TEST_SHARE = 0.2
HISTORY = "history"


def read(path: Path, labels: tuple[str, ...]) -> tuple[Dataset, str]:
    """The table as a dataset, and which rows are held out. Raises a ZooError for a file without the columns it takes."""
    table = _table(path, labels)
    test, held = _held_out(table)
    train = ~test
    by = {kind: [name for name in table.column_names if name.startswith(kind) and name not in labels] for kind in "ICH"}
    ids, words = np.zeros((table.num_rows, len(by["C"])), dtype=np.int64), {}
    features = []
    for i, name in enumerate(by["C"]):
        known, ids[:, i] = _ids(table[name].combine_chunks(), train)
        features.append(Feature(name, "categorical", int(known[1].max(initial=0)) + 1, "item"))
        if f"H{name[1:]}" in by["H"]:
            words[name] = known
    numbers = np.zeros((table.num_rows, len(by["I"])), dtype=np.float32)
    for i, name in enumerate(by["I"]):
        numbers[:, i] = _number(table[name], train, name)
    features += [Feature(name, "numeric") for name in by["I"]]
    histories, past, masks = _history(table, by["H"], words, train)
    targets = {name: _label(table[name], name) for name in labels}
    tasks = tuple(Task(name, "binary" if set(np.unique(values[~np.isnan(values)])) <= {0.0, 1.0} else "regression")
                  for name, values in targets.items())
    schema = Schema(tuple(features), tasks, histories)
    batch = Batch(schema, torch.from_numpy(ids), torch.from_numpy(numbers), past, masks,
                  {name: torch.from_numpy(np.nan_to_num(values)) for name, values in targets.items()},
                  {name: torch.from_numpy(~np.isnan(values)) for name, values in targets.items()})
    parts = {"train": np.flatnonzero(train), "validation": np.arange(0), "test": np.flatnonzero(test)}
    preparation = Preparation(features=schema.features, histories=histories, vocabularies={}, scales={}, labels=())
    return Dataset(path.name, schema, batch, parts, preparation, ""), held


class _Columns:
    """The columns of a file by name, each read when it is asked for; in the words of an Arrow table."""

    def __init__(self, path: Path):
        if not path.is_file():
            raise ZooError("There is no file '{name}'.", "Check the path.", at="data", name=str(path)[-200:])
        with _readable():
            self.file = pq.ParquetFile(path)  # not read_table, which loads the dataset machinery first
            self.column_names, self.num_rows = self.file.schema_arrow.names, self.file.metadata.num_rows

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        with _readable():
            return self.file.read(columns=[name]).column(name)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError):
        raise ZooError("The file could not be read as parquet: it is damaged or of another kind.", at="data") from None


def _table(path: Path, labels: tuple[str, ...]) -> _Columns:
    table = _Columns(path)
    for label in labels:
        if label not in table.column_names:
            raise ZooError("There is no column '{name}'.", "Name the labels with --labels.", at="labels", name=label[:200])
    if not any(name[:1] in ("I", "C") and name not in labels for name in table.column_names):
        raise ZooError("The table has no column I* (numbers) or C* (ids).", "Name the columns so.", at="data")
    if table.num_rows < 10:
        raise ZooError("The table has {rows} rows; at least 10 are needed.", at="data", rows=table.num_rows)
    return table


def _held_out(table: _Columns) -> tuple[np.ndarray, str]:
    """(row,) True where a row is held out, and how that was decided."""
    if "split" in table.column_names:
        test = np.array([word == "test" for word in table["split"].cast(pa.string()).to_pylist()])
        if not test.any() or test.all():
            raise ZooError("In column 'split' some rows must say 'test', and some not.", at="data")
        return test, "the rows whose split is test"
    last = round(table.num_rows * TEST_SHARE)
    return np.arange(table.num_rows) >= table.num_rows - last, f"the last {last:,} rows"


def _ids(column: pa.Array, train: np.ndarray) -> tuple[tuple[pa.Array, np.ndarray], np.ndarray]:
    """The different values with the id of each, and (row,) ids; what the training part lacks is 0, like what is missing."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    codes = _whole(coded.indices, -1)
    seen = np.zeros(len(coded.dictionary) + 1, dtype=bool)
    seen[codes[train]] = True
    seen[-1] = False  # where the code -1 of a missing value points
    ids = np.cumsum(seen) * seen
    return (coded.dictionary, ids), ids[codes]


def _whole(values: pa.Array, missing: int) -> np.ndarray:
    """Whole numbers with a number for what is missing."""
    return np.nan_to_num(values.to_numpy(zero_copy_only=False), nan=missing).astype(np.int64)


def _number(column: pa.ChunkedArray, train: np.ndarray, name: str) -> np.ndarray:
    """(row,) standardised by the training part; missing values are the mean."""
    values = _float(column, name)
    known = values[train & np.isfinite(values)]
    sd = known.std() if len(known) else 0.0
    scaled = (values - (known.mean() if len(known) else 0.0)) / (sd or 1.0)
    return np.nan_to_num(scaled, nan=0.0, posinf=0.0, neginf=0.0)


def _label(column: pa.ChunkedArray, name: str) -> np.ndarray:
    values = _float(column, name).astype(np.float32)
    if len(np.unique(values[~np.isnan(values)])) < 2:
        raise ZooError("All labels are the same: only one class, nothing to learn.", "Choose another column with --labels.",
                       at="labels")
    return values


def _float(column: pa.ChunkedArray, name: str) -> np.ndarray:
    try:
        return column.cast(pa.float64()).to_numpy()
    except pa.ArrowException:
        raise ZooError("Column '{name}' does not hold numbers.", "Name it C* if it holds ids.", at=name, name=name) from None


def _history(table: _Columns, names: list[str], words: dict[str, tuple[pa.Array, np.ndarray]], train: np.ndarray):
    """The columns H* as one history: `H3` shares the table of `C3` where there is one. All lists of a row are as long."""
    if not names:
        return (), {}, {}
    columns = {name: table[name].combine_chunks() for name in names}
    for name, column in columns.items():
        if not pa.types.is_list(column.type):
            raise ZooError("Column '{name}' must hold lists of ids.", at=name, name=name)
    lengths = _whole(pc.list_value_length(columns[names[0]]), 0)
    mask = np.arange(max(1, int(lengths.max()))) < lengths[:, None]
    past, fields = np.zeros((*mask.shape, len(names)), dtype=np.int64), []
    for i, (name, column) in enumerate(columns.items()):
        if not np.array_equal(_whole(pc.list_value_length(column), 0), lengths):
            raise ZooError("The lists of '{name}' and '{first}' are not as long.", at=name, name=name, first=names[0])
        values, partner = column.flatten(), f"C{name[1:]}"
        if partner in words:
            known, ids = words[partner]
            codes = _whole(pc.index_in(values.cast(known.type), value_set=known), -1)
            past[mask, i], rows = ids[codes], int(ids.max(initial=0)) + 1
        else:
            (_, ids), past[mask, i] = _ids(values, np.repeat(train, lengths))
            rows = int(ids.max(initial=0)) + 1
        fields.append(HistoryField(name, rows, partner if partner in words else ""))
    history = History(HISTORY, mask.shape[1], tuple(fields))
    return (history,), {HISTORY: torch.from_numpy(past)}, {HISTORY: torch.from_numpy(mask)}
