"""`doctor`: whether store, data and installation are whole."""
from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import click

from rankzoo.commands.output import emit, json_option
from rankzoo.errors import ZooError

MEGA = 1_000_000


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check the run store, the sample data and the installed packages."""
    checks: dict[str, Callable[[], str]] = {"store": store, "disk": disk, "sample data": samples, "packages": packages,
                                           "pretrained encoder": pretrained}
    found = {name: check() for name, check in checks.items()}
    say = "All is well."
    emit(as_json, {"ok": True, "say": say, "checks": found},
         "\n".join([*(f"{name}: {text}" for name, text in found.items()), say]))


def store() -> str:
    """The run store can be opened and every page of it be read; a store that had to be rebuilt says so."""
    from rankzoo.runs.store import Store

    found = Store()
    try:
        if not found.db.whole():
            raise ZooError("The run store is damaged.", "It is rebuilt from the runs' own files when the app starts.")
        return found.notice() or f"whole, {len(found.runs(limit=100_000)):,} runs in {found.root}"
    finally:
        found.db.close()


def disk() -> str:
    """There is room for another run."""
    from rankzoo.data.home import home
    from rankzoo.runs.limits import profile

    free, least = shutil.disk_usage(home()).free, profile().free
    if free < least:
        raise ZooError("Only {free:,} MB of disk are free; {least:,} MB are needed.", "Make room.", free=free // MEGA,
                       least=least // MEGA)
    return f"{free // MEGA:,} MB free"


def pretrained() -> str:
    """Whether the optional text encoder is there; it need not be."""
    from rankzoo.components.representation.minilm import problem

    return problem() or "MiniLM-L6, whole"


def samples() -> str:
    """Every sample file holds what the manifest says."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from rankzoo.data.census import path
    from rankzoo.data.samples import checksum

    folder = path().parent
    entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for entry in entries:
        try:
            whole = checksum(pq.read_table(folder / entry["file"])) == entry["checksum"]
        except (OSError, pa.ArrowException):
            whole = False
        if not whole:
            raise ZooError("The sample file {file} is missing or changed.", "Get it again: git checkout sample_data.",
                           at="data", file=entry["file"])
    return f"{len(entries)} files as the manifest has them"


def packages() -> str:
    """What requirements.txt asks for is installed, in the versions that were tested."""
    from importlib.metadata import PackageNotFoundError, version

    from packaging.requirements import Requirement

    asked = Path(__file__).parents[2] / "requirements.txt"
    lines = asked.read_text(encoding="utf-8").splitlines() if asked.exists() else []
    wanted = [Requirement(line.split("#")[0].strip()) for line in lines if line.split("#")[0].strip()]
    for each in wanted:
        try:
            found = version(each.name)
        except PackageNotFoundError:
            raise ZooError("The package {name} is missing.", "Run: pip install -r requirements.txt", name=each.name) from None
        if not each.specifier.contains(found, prereleases=True):
            raise ZooError("The package {name} is {found}; tested is {asked}.", "Run: pip install -r requirements.txt",
                           name=each.name, found=found, asked=str(each.specifier))
    return f"{len(wanted)} as tested" if wanted else "no list of tested versions here"
