"""Own files, admitted once and then known by a hash: below RANKZOO_HOME/uploads one Parquet file and its roles as JSON."""
from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from rankzoo.data import census
from rankzoo.data.columns import is_text
from rankzoo.data.files import label_of, not_stored, read
from rankzoo.data.home import home
from rankzoo.data.later import pa, pc, pq
from rankzoo.data.limits import Limits
from rankzoo.data.roles import Role, Roles, guess
from rankzoo.data.world import built_in, unknown_dataset
from rankzoo.errors import ZooError

LEAST_ROWS = 5
FEW_ROWS = 100
PIECE = 100_000
_HASH = re.compile(r"[0-9a-f]{16}")


class Upload(BaseModel):
    """An admitted file. hash: 16 hex digits of SHA-256 over content and roles · name: a label, never a path ·
    columns: how many · roles: what each column is for · notices: what the user should know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash: str
    name: str
    rows: int
    columns: int
    roles: Roles
    notices: tuple[str, ...] = ()


def examine(source: Path | bytes, name: str = "", labels: Iterable[str] = (), corrections: Mapping[str, Role] | None = None,
            limits: Limits | None = None) -> tuple[pa.Table, Roles]:
    """A file's table and the roles of its columns, without keeping it. Raises a ZooError where it cannot be used."""
    table = read(source, name, limits)
    roles = guess(table, labels, corrections)
    if table.num_rows < LEAST_ROWS:
        raise ZooError("The table has {found} rows; at least {least} are needed.", "Add rows.", found=table.num_rows,
                       least=LEAST_ROWS)
    if table.num_rows < FEW_ROWS:
        few = f"Only {table.num_rows} rows: metrics on so few say little."
        roles = roles.model_copy(update={"notices": (*roles.notices, few)})
    return table, roles


def admit(source: Path | bytes, name: str = "", labels: Iterable[str] = (), corrections: Mapping[str, Role] | None = None,
          limits: Limits | None = None) -> Upload:
    """Keeps a file under its hash; the same file with the same roles is kept once. Raises a ZooError as `examine` does."""
    table, roles = examine(source, name, labels, corrections, limits)
    return _keep(table, roles, label_of(name or (source.name if isinstance(source, Path) else "")))


def corrected(hash: str, corrections: Mapping[str, Role]) -> Upload:
    """An upload once more, some of its columns with other roles; the one before stays. Raises a ZooError as `admit` does."""
    before, found = upload(hash), table(hash)
    roles = {name: before.roles.of(name) for name in found.column_names} | dict(corrections)
    return _keep(found, guess(found, before.roles.chosen, roles), before.name)


def _keep(table: pa.Table, roles: Roles, shown: str) -> Upload:
    hash = _hash(table, roles)
    made = Upload(hash=hash, name=shown, rows=table.num_rows, columns=table.num_columns, roles=roles, notices=roles.notices)
    # The JSON is written last: an upload exists once it does.
    _replace(folder() / f"{hash}.parquet", lambda path: pq.write_table(table, path, compression="zstd"))
    _replace(folder() / f"{hash}.json", lambda path: path.write_text(made.model_dump_json(), encoding="utf-8"))
    return made


def upload(hash: str) -> Upload:
    """The upload of that hash; raises a ZooError where there is none (malformed and unknown alike)."""
    if not exists(hash):
        raise unknown_dataset(hash, [])
    try:
        return Upload.model_validate_json((folder() / f"{hash}.json").read_text(encoding="utf-8"))
    except (ValidationError, OSError):
        raise ZooError("The stored file {hash} is damaged.", "Upload it again.", at="data", hash=hash) from None


def uploads() -> tuple[Upload, ...]:
    """Every upload that can be read, newest first."""
    paths = sorted(folder().glob("*.json"), key=lambda path: (-path.stat().st_mtime, path.name)) if folder().is_dir() else []
    found = []
    for path in paths:
        try:
            found.append(upload(path.stem))
        except ZooError:
            continue
    return tuple(found)


def table(hash: str) -> pa.Table:
    """The rows of an upload; raises a ZooError where they cannot be read any more."""
    if not exists(hash):
        raise unknown_dataset(hash, [])
    try:
        return pq.read_table(folder() / f"{hash}.parquet")
    except (OSError, pa.ArrowException):
        raise ZooError("The stored file {hash} is damaged.", "Upload it again.", at="data", hash=hash) from None


def exists(hash: str) -> bool:
    """Whether there is an upload of that hash; the pattern is checked before a path is made from it."""
    return bool(_HASH.fullmatch(hash)) and (folder() / f"{hash}.json").is_file()


def split_by(name: str) -> str | None:
    """The column by whose time the rows of real data are split, empty where that is done at random; None for generated ones."""
    if exists(name):
        return upload(name).roles.time
    return "" if name == census.NAME else None


def known(name: str) -> bool:
    """Whether it names a built-in dataset or an upload."""
    return name in built_in() or exists(name)


def path_of(word: str) -> Path:
    """The file that a word means; raises the ZooError of an unknown dataset where it can only be a name."""
    path = Path(word)
    if not path.exists() and path.name == word and not path.suffix:
        raise unknown_dataset(word, list(built_in()))
    return path


def folder() -> Path:
    """Where uploads are kept."""
    return home() / "uploads"


def _hash(table: pa.Table, roles: Roles) -> str:
    """Over names, types and values, so that a CSV and a Parquet file of the same table are one upload."""
    digest = hashlib.sha256(roles.model_dump_json(exclude={"notices", "whole"}).encode())
    digest.update(str(table.schema.remove_metadata()).encode())
    for column in table.columns:
        digest.update(pc.is_null(column).to_numpy().tobytes())
        if is_text(column.type):
            # Piece by piece of a fixed size, whatever the pieces of the file were; lengths keep «ab, c» and «a, bc» apart.
            for start in range(0, len(column), PIECE):
                words = pc.fill_null(column.slice(start, PIECE), "").combine_chunks()
                digest.update(pc.binary_length(words).to_numpy().tobytes())
                digest.update("".join(words.to_pylist()).encode())
        else:
            digest.update(pc.fill_null(column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column, 0)
                          .to_numpy().tobytes())
    return digest.hexdigest()[:16]


def _replace(target: Path, write: Callable[[Path], object]) -> None:
    """Writes to a temporary name, syncs, and puts it in place at once."""
    temporary = target.with_name(f".{uuid4().hex}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise not_stored(error) from None
    finally:
        temporary.unlink(missing_ok=True)
