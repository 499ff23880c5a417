"""The SQLite file under the run store: durable commits, short writes, and what is done when the file is damaged.

SQLite through SQLAlchemy Core, `journal_mode=WAL`, `synchronous=FULL` (a commit survives a power loss), every write a
`BEGIN IMMEDIATE`. A damaged file is moved aside and a new one filled by `rebuild`; other processes notice by the inode.
"""
from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, select, update
from sqlalchemy.exc import DatabaseError

from rankzoo.errors import ZooError
from rankzoo.runs.tables import VERSION, meta, metadata

T = TypeVar("T")
MIGRATIONS: Mapping[int, tuple[str, ...]] = {}  # version found → statements that lead to the next one
WAIT_MS = 10_000
NEEDED = {"run", "point", "event", "meta"}
UNWRITTEN = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


class Unstored(ZooError):
    """The store could not be read or written now (disk full, not writable); nothing was changed."""

    @property
    def found(self) -> str:
        """What was found, without what to do and without a full stop."""
        return self.what.format(**self.values).rstrip(".")


class Busy(Unstored):
    """Another process held the store for longer than the ten seconds that a write waits; nothing was changed."""


class Database:
    """The file `path`, opened; `rebuild` fills an empty store from what lies beside it and returns how many runs it had."""

    def __init__(self, path: Path, rebuild: Callable[[Connection], int], version: int = VERSION,
                 migrations: Mapping[int, tuple[str, ...]] = MIGRATIONS):
        self.path, self.rebuild, self.version, self.migrations = path, rebuild, version, migrations
        self._mutex = threading.Lock()
        self._open: tuple[int, Engine] | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unstored("The folder of the run store cannot be made ({reason}).", "Choose another with RANKZOO_HOME.",
                           reason=error.strerror) from error

    def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` finds, in one consistent view."""
        return self._do(work, immediate=False)

    def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns after its changes were committed and synced; it may be called twice, so it changes nothing
        but the store."""
        return self._do(work, immediate=True)

    def close(self) -> None:
        """Close every connection."""
        with self._mutex:
            if self._open:
                self._open[1].dispose()
            self._open = None

    def whole(self) -> bool:
        """Whether every page of the file can be read."""
        return bool(self.read(lambda c: c.exec_driver_sql("PRAGMA quick_check(1)").scalar() == "ok"))

    def _do(self, work: Callable[[Connection], T], immediate: bool) -> T:
        for last in (False, True):
            try:
                with self._engine().connect().execution_options(immediate=immediate) as connection, connection.begin():
                    return work(connection)
            except DatabaseError as error:
                if not _damaged(error):
                    _refuse(error)
                    raise
                if last:
                    raise
                self._heal()
        raise AssertionError("unreachable: the second round returns or raises")

    def _engine(self) -> Engine:
        """The engine of the file that stands there now: another process may have moved a damaged one aside."""
        with self._mutex:
            try:
                inode = os.stat(self.path).st_ino
            except FileNotFoundError:
                inode = -1
            if self._open and self._open[0] == inode:
                return self._open[1]
            if self._open:
                self._open[1].dispose()
            engine = self._opened()
            self._open = (os.stat(self.path).st_ino, engine)
            return engine

    def _heal(self) -> None:
        with self._mutex:
            if self._open:
                self._open[1].dispose()
            self._open = None

    def _opened(self) -> Engine:
        """An engine on a whole file of this version: the fast way where it is one already, else under the lock."""
        engine, found = _looked(self.path)
        if found == self.version:
            return engine
        engine.dispose()
        try:
            with FileLock(self.path.with_suffix(".lock"), timeout=30):
                return self._made()
        except Timeout as error:
            raise Busy("The run store is busy.", "Try again in a moment.") from error

    def _made(self) -> Engine:
        """Under the lock: look again, for another process may have been first; then migrate, or move aside and create."""
        engine, found = _looked(self.path)
        if found:
            return engine if found == self.version else self._migrated(engine, found)
        engine.dispose()
        moved = _aside(self.path)  # the journal too: without its file it would be played into the new one
        engine = _engine(self.path)
        with engine.connect().execution_options(immediate=True) as connection, connection.begin():
            metadata.create_all(connection)
            runs = self.rebuild(connection)
            connection.execute(insert(meta).values(key="version", value=str(self.version)))
            if moved or runs:
                at = time.strftime("%Y-%m-%d %H:%M")
                kept = f" The damaged file was kept as {moved}." if moved else ""
                connection.execute(insert(meta).values(key="notice", value=(
                    f"The list of runs was damaged or missing on {at}. It was rebuilt: {runs:,} runs were found.{kept}")))
        return engine

    def _migrated(self, engine: Engine, found: int) -> Engine:
        if found > self.version:
            engine.dispose()
            raise ZooError("The run store was made by a newer RankZoo (its version is {found}, this one reads {known}).",
                           "Update RankZoo, or choose another RANKZOO_HOME.", found=found, known=self.version)
        if found < self.version:
            _copy(self.path, self.path.with_name(f"{self.path.name}.version-{found}"))
        for version in range(found, self.version):
            with engine.connect().execution_options(immediate=True) as connection, connection.begin():
                for statement in self.migrations[version]:
                    connection.exec_driver_sql(statement)
                connection.execute(update(meta).where(meta.c.key == "version").values(value=str(version + 1)))
        return engine


def _engine(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), pool_size=4, max_overflow=28, pool_timeout=10)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        for pragma in (f"busy_timeout={WAIT_MS}", "journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _looked(path: Path) -> tuple[Engine, int]:
    """An engine, and the version that a whole store says it has: 0 for a file that is missing, empty or damaged.

    Such a file is not opened where its size says enough: SQLite would wait for a lock that its last user still holds.
    """
    engine = _engine(path)
    if not path.exists() or not path.stat().st_size:
        return engine, 0
    try:
        with engine.connect() as connection:
            whole = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() == "ok"
            tables = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
            if not whole or not tables >= NEEDED:
                return engine, 0
            said = connection.execute(select(meta.c.value).where(meta.c.key == "version")).scalar()
            return engine, int(said) if said and said.isdigit() else 0
    except DatabaseError as error:
        engine.dispose()
        if not _damaged(error):
            _refuse(error)
            raise
        return engine, 0


def _code(error: DatabaseError) -> int:
    return getattr(error.orig, "sqlite_errorcode", 0) or 0


def _damaged(error: DatabaseError) -> bool:
    """A file that is not a database, holds nonsense, was cut, or lost its tables."""
    code = _code(error)
    return (code & 255 in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or code == sqlite3.SQLITE_IOERR_SHORT_READ
            or "no such table" in str(error.orig))


def _refuse(error: DatabaseError) -> None:
    code = _code(error) & 255
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise Busy("The run store is busy.", "Try again in a moment.") from error
    if code in UNWRITTEN:
        raise Unstored("The run store could not be used ({reason}).", "Make room on the disk, then try again.",
                       reason=str(error.orig)) from error


def _aside(path: Path) -> str:
    """Move the file and its journal, as far as they are there, aside; returns the file's new name, or nothing."""
    target = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
    for suffix in ("-wal", "-shm", ""):
        if (part := path.with_name(path.name + suffix)).exists():
            os.replace(part, target.with_name(target.name + suffix))
    return target.name if target.exists() else ""


def _copy(source: Path, target: Path) -> None:
    """A consistent copy, journal included, made before a migration touches the file."""
    if shutil.disk_usage(source.parent).free < 2 * source.stat().st_size:
        raise Unstored("There is not enough room on the disk to copy the run store before it is changed.", "Make room.")
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()
