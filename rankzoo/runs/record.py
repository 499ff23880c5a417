"""What a run leaves in its folder `runs/<id>/`, so that the store can be rebuilt and a finished run opened.

`run.json` is the row, with the document, the preparation, the result and the versions; it is replaced at every change of
state. `points.jsonl` is the curve, appended. `checkpoint.safetensors` and `weights.safetensors` are checkpoint.py's.
"""
from __future__ import annotations

import json
import math
import os
import platform
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rankzoo.runs.ids import PATTERN, matched
from rankzoo.runs.tables import COLUMNS, Point, Run


@dataclass(frozen=True)
class Folder:
    """The files of one run; made from a matched id only."""

    root: Path
    id: str

    def __post_init__(self) -> None:
        matched(self.id)

    @property
    def path(self) -> Path:
        """The folder."""
        return self.root / self.id

    @property
    def record(self) -> Path:
        """The row as JSON."""
        return self.path / "run.json"

    @property
    def curve(self) -> Path:
        """The points, one JSON list a line."""
        return self.path / "points.jsonl"

    @property
    def checkpoint(self) -> Path:
        """Where a run that is not finished can go on."""
        return self.path / "checkpoint.safetensors"

    @property
    def weights(self) -> Path:
        """The final weights of a finished run."""
        return self.path / "weights.safetensors"

    def size(self) -> int:
        """Bytes on the disk."""
        return sum(entry.stat().st_size for entry in os.scandir(self.path)) if self.path.is_dir() else 0

    def remove(self) -> None:
        """Remove everything; the record first, so that no rebuild brings back half a run."""
        self.record.unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)


def sync_folder(path: Path) -> None:
    """Make a rename in this folder survive a power loss; a no-op where folders cannot be opened (Windows)."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at `path`, whole or not at all: a temporary name, fsync, os.replace, fsync of the folder."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(draft, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_record(folder: Folder, run: Run, preparation: dict | None = None) -> None:
    """Replace `run.json`; the preparation that an earlier one held is kept. Raises OSError on a full disk."""
    folder.path.mkdir(parents=True, exist_ok=True)
    kept = preparation if preparation is not None else (read_record(folder) or {}).get("preparation")
    row = asdict(run)
    whole = {"run": {name: row[name] for name in COLUMNS if name not in ("config", "result", "number")},
             "document": json.loads(run.config), "result": run.outcome or None, "preparation": kept,
             "versions": versions()}
    replace_file(folder.record, json.dumps(whole, indent=1).encode())


def read_record(folder: Folder) -> dict | None:
    """The content of `run.json`, or None where it is missing or not one."""
    try:
        whole = json.loads(folder.record.read_bytes())
    except (OSError, ValueError):
        return None
    return whole if isinstance(whole, dict) and isinstance(whole.get("run"), dict) else None


def row_of(whole: dict) -> dict[str, object]:
    """The columns of `run` from a record; unknown ones are left out, missing ones take their defaults."""
    row = {name: value for name, value in whole["run"].items() if name in COLUMNS}
    row["config"] = json.dumps(whole["document"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    row["result"] = json.dumps(whole["result"]) if whole.get("result") else ""
    return row


def append_points(folder: Folder, points: Iterable[Point]) -> None:
    """Add to the curve's file; a point that comes again after a resume stands twice with the same value."""
    with open(folder.curve, "a", encoding="utf-8") as file:
        file.write("".join(json.dumps([p.step, p.name, p.value]) + "\n" for p in points))


def read_points(folder: Folder) -> dict[tuple[int, str], float | None]:
    """The curve by (step, name); a last line that was cut is left out."""
    found: dict[tuple[int, str], float | None] = {}
    try:
        lines = folder.curve.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            step, name, value = json.loads(line)
            found[int(step), str(name)] = float(value) if math.isfinite(float(value)) else None
        except (ValueError, TypeError):
            continue
    return found


def folders(root: Path) -> Iterator[Folder]:
    """Every run's folder below `root`; anything not named like a run is passed over."""
    if root.is_dir():
        for entry in sorted(os.scandir(root), key=lambda e: e.name):
            if PATTERN.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                yield Folder(root, entry.name)


@cache
def versions() -> dict[str, str]:
    """What a run's numbers depend on beside its document."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in ("rankzoo", "torch", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "source"
    return found
