"""Parquet of unknown origin: refused from its metadata where possible, else read in small pieces. Runs in the reader's
process, because a damaged file may bring a reader down."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rankzoo.data.columns import is_numeric, is_text
from rankzoo.data.headers import check_names
from rankzoo.data.later import pa, pc, pq
from rankzoo.data.limits import MIB, Limits
from rankzoo.errors import ZooError

FIRST_ROWS, ROWS_AT_ONCE = 4, 4_096


def damaged() -> ZooError:
    """Whatever else is wrong with the bytes."""
    return ZooError("The file could not be read as parquet: it is damaged or of another kind.")


def batches(path: Path, limits: Limits) -> Iterator[pa.RecordBatch]:
    """The file's rows as columns of numbers, true/false or words. Raises a ZooError that names the column."""
    try:
        yield from _batches(path, limits)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        if isinstance(error, ZooError):
            raise
        raise damaged() from None


def _batches(path: Path, limits: Limits) -> Iterator[pa.RecordBatch]:
    schema = _check_metadata(path, limits)
    words = [field.name for field in schema if is_text(field.type)]
    with pq.ParquetFile(path, read_dictionary=words, thrift_string_size_limit=16 * MIB, buffer_size=MIB) as file:
        rows = 0
        # The first pieces are small: a value of a million characters shows in any row.
        for size in (FIRST_ROWS, ROWS_AT_ONCE):
            for batch in file.iter_batches(batch_size=size):
                if size == FIRST_ROWS:
                    _check_values(batch, limits)
                    break
                batch.validate(full=True)
                _check_values(batch, limits)
                rows += batch.num_rows
                yield pa.record_batch([plain(column) for column in batch.columns], names=schema.names)
    if rows != file.metadata.num_rows:
        raise damaged()


def _check_metadata(path: Path, limits: Limits) -> pa.Schema:
    with pq.ParquetFile(path, thrift_string_size_limit=16 * MIB) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    check_names(schema.names, limits)
    for field in schema:
        if not _usable(field.type):
            raise ZooError("Column '{name}' has the type {type}; use numbers or text.", at=field.name, name=field.name,
                           type=str(field.type)[:60])
    if rows <= 0:
        raise ZooError("The table has no rows.", "Choose a file with rows.")
    if rows > limits.rows:
        raise ZooError("The table has {found} rows; the limit is {limit}.", "Use a part of it.", found=f"{rows:,}",
                       limit=f"{limits.rows:,}")
    for field in schema:
        if pa.types.is_null(field.type):
            raise ZooError("Column '{name}' is empty (all missing).", "Remove it.", at=field.name, name=field.name)
    return schema


def _usable(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _usable(kind.value_type)
    return (is_text(kind) or is_numeric(kind) or pa.types.is_boolean(kind) or pa.types.is_temporal(kind)
            or pa.types.is_decimal(kind) or pa.types.is_null(kind))


def _check_values(batch: pa.RecordBatch, limits: Limits) -> None:
    """No word longer than allowed, looked at once per different word."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        words = column.dictionary if pa.types.is_dictionary(column.type) else column
        if not is_text(words.type):
            continue
        longest = pc.max(pc.utf8_length(words)).as_py() or 0
        if longest > limits.value:
            raise ZooError("Column '{name}' has a value of {found} characters; the limit is {limit}.", "Shorten it.",
                           at=name, name=name, found=f"{longest:,}", limit=f"{limits.value:,}")


def plain(column: pa.Array) -> pa.Array:
    """The column as whole numbers, numbers, true/false or words; dates become words, an empty word counts as missing."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return plain(column.dictionary_decode())
    if is_text(kind):
        return pc.if_else(pc.equal(column.cast(pa.string()), ""), None, column.cast(pa.string()))
    if pa.types.is_boolean(kind):
        return column
    if pa.types.is_signed_integer(kind) or pa.types.is_unsigned_integer(kind) and not pa.types.is_uint64(kind):
        return column.cast(pa.int64())
    if pa.types.is_temporal(kind):
        return column.cast(pa.int64()) if pa.types.is_duration(kind) else column.cast(pa.string())
    numbers = column.cast(pa.float64(), safe=False)         # uint64 beyond 2^53 loses its last digits, as in any CSV
    return pc.if_else(pc.is_nan(numbers), None, numbers)
