"""Files of people: read in a process of their own, written as CSV that no spreadsheet will run.

A file can be damaged on purpose, so nothing of it is parsed here: `reader` does, under limits of memory and time, and
hands back a Parquet file of plain columns or one sentence.
"""
from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import rankzoo
from rankzoo.data.home import home
from rankzoo.data.later import pa, pq
from rankzoo.data.limits import Limits, limits_of
from rankzoo.errors import ZooError

__all__ = ["Limits", "csv_text", "label_of", "limits_of", "not_stored", "read"]

# The reader's own limit counts CPU time; on a busy machine its wall clock runs slower.
WAIT = 3
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_ACTIVE = ("=", "+", "-", "@", "\t", "\r")


def read(source: Path | bytes, name: str = "", limits: Limits | None = None) -> pa.Table:
    """The table of a CSV or Parquet file: columns of whole numbers, numbers, true/false or words.

    Raises a ZooError that says what was found and where, for everything that reliability.md, section 7, lists.
    """
    limits = limits or limits_of()
    size = len(source) if isinstance(source, bytes) else _size(source)
    if size > limits.bytes:
        raise ZooError("The file has {found} bytes; the limit is {limit}.", "Use fewer rows or columns.",
                       found=f"{size:,}", limit=f"{limits.bytes:,}")
    with _scratch() as folder:
        path = source
        if isinstance(source, bytes):
            path = folder / "given"
            _keep(path, source)
        shown = name or (source.name if isinstance(source, Path) else "")
        result = folder / "table.parquet"
        _run_reader(Path(path).absolute(), shown, result, limits)
        return pq.read_table(result, memory_map=False)


def label_of(name: str) -> str:
    """A file's name as a label: the last part of the path, without control characters, 80 characters at most."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(char for char in last if char.isprintable())[:80].strip() or "file"


def csv_text(table: pa.Table) -> str:
    """The table as CSV. A cell or name that a spreadsheet could take for a formula gets a ' before it; numbers do not.
    Missing values are empty; lists are written with spaces. Lines end as RFC 4180 has it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_safe(name) for name in table.column_names])
    for batch in table.to_batches(max_chunksize=10_000):
        writer.writerows(zip(*(_cells(column) for column in batch.columns), strict=True))
    return text.getvalue()


def _cells(column: pa.Array) -> list:
    values = column.to_pylist()
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return values
    if pa.types.is_list(column.type):
        return [None if value is None else " ".join(map(str, value)) for value in values]
    return [None if value is None else _safe(str(value)) for value in values]


def _safe(cell: str) -> str:
    return "'" + cell if cell.startswith(_ACTIVE) and not _NUMBER.fullmatch(cell) else cell


def _size(path: Path) -> int:
    try:
        if not path.is_file():
            raise ZooError("There is no file '{name}'.", "Check the path.", at="data", name=str(path)[-200:])
        return path.stat().st_size
    except OSError as error:
        raise ZooError("The file '{name}' could not be opened: {why}.", at="data", name=path.name[:80],
                       why=error.strerror or "unreadable") from None


def not_stored(error: OSError) -> ZooError:
    """The disk is full or may not be written."""
    return ZooError("The file could not be stored, nothing was kept: {why}.", "Free some disk space below RANKZOO_HOME.",
                    at="data", why=(error.strerror or "unwritable").casefold())


def _keep(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise not_stored(error) from None


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder below RANKZOO_HOME that goes away again."""
    parent = home() / "tmp"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=parent)
    except OSError as error:
        raise not_stored(error) from None
    with folder as path:
        yield Path(path)


def _run_reader(path: Path, name: str, result: Path, limits: Limits) -> None:
    command = [sys.executable, "-m", "rankzoo.data.reader", str(path), str(result)]
    package = str(Path(rankzoo.__path__[0]).parent)
    places = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2",
                                "PYTHONPATH": os.pathsep.join(places)}
    order = json.dumps({"name": name[-80:], "limits": asdict(limits)})
    try:
        done = subprocess.run(command, input=order, capture_output=True, text=True, env=environment,
                              timeout=WAIT * limits.seconds)
        answer = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 and done.stdout else None
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        answer = None
    if answer is None:
        raise _died(path)
    if "what" in answer:
        raise ZooError(answer["what"], answer["fix"], at=answer["at"], **answer["values"])


def _died(path: Path) -> ZooError:
    """The reader was stopped by its limits or fell over."""
    with path.open("rb") as file:
        parquet = file.read(4) == b"PAR1"
    if parquet:
        return ZooError("The file could not be read as parquet: it is damaged or of another kind.")
    return ZooError("The file could not be read within the limits of memory and time.", "Use fewer rows or shorter values.")
