"""CSV of unknown origin: every fault is found by name and row before a table is built. Runs in the reader's process.

Three passes over the file, in pieces: is it text, has every row its fields, which type has every column.
"""
from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow.csv as pa_csv

from rankzoo.data.headers import check_names
from rankzoo.data.later import pa, pc
from rankzoo.data.limits import Limits
from rankzoo.errors import ZooError

PIECE = 2**20
# What people write for a missing number; in a column of words only an empty cell is missing.
MISSING = pa.array(["", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "<na>"])
TYPES = (pa.int64(), pa.float64(), pa.bool_(), pa.string())


def batches(path: Path, limits: Limits) -> Iterator[pa.RecordBatch]:
    """The file's rows as columns of numbers, true/false or words. Raises a ZooError that names row and column."""
    _check_text(path)
    names, rows = _check_rows(path, limits)
    types = [0] * len(names)
    seen = 0
    for batch in _pieces(path, names):
        seen += batch.num_rows
        for number, column in enumerate(batch.columns):
            while _typed(column, TYPES[types[number]]) is None:
                types[number] += 1
    if seen != rows:
        raise ZooError("The file could not be read as CSV: quotes or line ends are mixed up.", "Save it again as CSV.")
    for batch in _pieces(path, names):
        columns = [_typed(column, TYPES[kind]) for column, kind in zip(batch.columns, types, strict=True)]
        yield pa.record_batch(columns, names=names)


def _check_text(path: Path) -> None:
    """UTF-8 without NUL, and something in it."""
    decoder, at, blank = codecs.getincrementaldecoder("utf-8")(), 0, True
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(piece)
            except UnicodeDecodeError as error:
                raise _not_text(at - pending + error.start) from None
            if b"\0" in piece:
                raise _not_text(at + piece.index(b"\0"))
            blank = blank and not text.strip("\ufeff \t\r\n,;\"")
            at += len(piece)
    if decoder.getstate()[0]:
        raise _not_text(at - len(decoder.getstate()[0]))
    if blank:
        raise ZooError("The file is empty.", "Choose a file with a header and rows.")


def _not_text(byte: int) -> ZooError:
    return ZooError("The file is not UTF-8 text (byte {byte}).", "Save it with the encoding UTF-8.", byte=byte)


def _check_rows(path: Path, limits: Limits) -> tuple[list[str], int]:
    """Names and number of rows; rows are counted from 1 below the header, blank lines left out.

    A loop over all rows, in the csv module's C parser: the only one that can say which row is at fault.
    """
    csv.field_size_limit(max(limits.value, limits.name, 4096))
    rows, names = 0, []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            for fields in reader:
                if not fields:
                    continue
                if not names:
                    names = fields
                    _check_header(names, limits)
                    continue
                rows += 1
                if len(fields) != len(names):
                    raise _ragged(rows, len(fields), len(names))
                if max(map(len, fields)) > limits.value:
                    raise _too_long(names, fields, rows, limits)
        except csv.Error as error:
            raise _broken(path, str(error), names, rows, limits) from None
    if not rows:
        raise ZooError("The table has no rows.", "Choose a file with rows below the header.")
    if rows > limits.rows:
        raise ZooError("The table has {found} rows; the limit is {limit}.", "Use a part of it.", found=f"{rows:,}",
                       limit=f"{limits.rows:,}")
    return names, rows


def _check_header(names: list[str], limits: Limits) -> None:
    if len(names) == 1:
        raise ZooError("Only one column was found: the separator must be a comma.", "Save the file with commas.")
    check_names(names, limits)


def _ragged(row: int, found: int, width: int) -> ZooError:
    what = "Row {row} has {found} fields, the header has {width} columns."
    return ZooError(what if found > 1 else "Row {row} has one field, the header has {width} columns.",
                    "Quote a value that holds a comma." if found > width else "", at=f"row {row}", row=row, found=found,
                    width=width)


def _too_long(names: list[str], fields: list[str], row: int, limits: Limits) -> ZooError:
    column, length = max(enumerate(map(len, fields)), key=lambda pair: pair[1])
    return ZooError("Column '{name}' has a value of {found} characters in row {row}; the limit is {limit}.", "Shorten it.",
                    at=names[column], name=names[column], row=row, found=f"{length:,}", limit=f"{limits.value:,}")


def _broken(path: Path, why: str, names: list[str], rows: int, limits: Limits) -> ZooError:
    """What csv.Error means: an unclosed quote shows as the end of the data, or as a value without end."""
    if "field larger" in why:
        csv.field_size_limit(limits.bytes)
        with path.open(encoding="utf-8-sig", newline="") as file:
            try:
                rest = islice((fields for fields in csv.reader(file, strict=True) if fields), rows + 1 if names else 0, None)
                fields = next(rest)
            except csv.Error:
                fields = []
        if names and len(fields) == len(names):
            return _too_long(names, fields, rows + 1, limits)
        if not names and fields:
            return ZooError("A column has a name of {found} characters; the limit is {limit}.", "Shorten it.",
                            found=f"{max(map(len, fields)):,}", limit=f"{limits.name:,}")
    row = rows + 1
    if "expected after" in why:
        return ZooError("Row {row} has a quote inside a quoted value.", "Double the quote or remove it.", at=f"row {row}",
                        row=row)
    return ZooError("Row {row} has a quote that is never closed.", "Close it or remove it.", at=f"row {row}", row=row)


def _pieces(path: Path, names: list[str]) -> Iterator[pa.RecordBatch]:
    """The rows as words."""
    options = pa_csv.ConvertOptions(column_types={name: pa.string() for name in names}, null_values=[""],
                                    strings_can_be_null=True, quoted_strings_can_be_null=True)
    with pa_csv.open_csv(path, pa_csv.ReadOptions(use_threads=False, block_size=PIECE, column_names=names),
                         pa_csv.ParseOptions(newlines_in_values=True), options) as reader:
        header = True
        for batch in reader:
            yield batch.slice(1) if header else batch
            header = False


def _typed(column: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """The words as that type, or None where one of them is not of it. Numbers with a leading zero are words."""
    if pa.types.is_string(kind):
        return column
    trimmed = pc.utf8_trim_whitespace(column)
    lower = pc.utf8_lower(trimmed)
    kept = pc.if_else(pc.is_in(lower, value_set=MISSING), None, lower)
    if pa.types.is_boolean(kind):
        known = pc.is_in(kept, value_set=pa.array(["true", "false"]))
        fits = pc.all(pc.or_(known, pc.is_null(kept)), min_count=0).as_py()
        return pc.equal(kept, "true") if fits else None
    if pc.any(pc.match_substring_regex(kept, r"^-?0\d"), min_count=0).as_py():
        return None
    try:
        return kept.cast(kind)
    except pa.ArrowInvalid:
        return None
