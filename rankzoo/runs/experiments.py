"""Experiments that pages ask for: one at a time in a process of its own, every seed kept as soon as it is known. What the command
line finds is kept here too.

A claim's seeds depend on nothing but the claim, so what was computed once serves everybody, and more seeds cost only the
new ones. Some come with the app, as `python -m benchmarks.claims` found them, and count as long as the claim is made of the same.
`python -m rankzoo.runs.experiments ID SEEDS PARENT` is the process.
"""
from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from filelock import FileLock

from rankzoo import claims
from rankzoo.claims.claim import Claim, Found
from rankzoo.claims.outcome import Outcome, outcome
from rankzoo.claims.registry import claims as registered
from rankzoo.claims.registry import get
from rankzoo.errors import ZooError
from rankzoo.runs.process import holder, living


@dataclass(frozen=True)
class Running:
    """The experiment that is being run: which claim, how many seeds are wanted, and by which process."""

    id: str
    seeds: int
    lease: str


MEASURED = Path(claims.__file__).with_name("measured")
"""What comes with the app: one file a claim."""


@dataclass(frozen=True)
class Measured:
    """Seeds of a claim that come with the app, with the day they were computed."""

    on: date
    found: Mapping[int, tuple[Found, float]]


class Experiments:
    """What is known of the claims below one RANKZOO_HOME, and what comes with the app."""

    def __init__(self, root: Path):
        self.root = root / "experiments"

    def known(self, claim: Claim) -> dict[int, tuple[Found, float]]:
        """Statistics and seconds of every seed that was computed, by seed; a damaged file counts as none."""
        made = made_from(claim)
        brought = measured(claim, made)
        found = dict(brought.found) if brought else {}
        for path in self._folder(claim, made).glob("*.json"):
            try:
                kept = json.loads(path.read_text(encoding="utf-8"))
                found[int(path.stem)] = (kept["found"], float(kept["seconds"]))
            except (ValueError, KeyError, TypeError, OSError):
                continue
        return dict(sorted(found.items()))

    def outcome(self, claim: Claim) -> Outcome | None:
        """The verdict over the seeds that are known, from 0 on without a gap; None where there is none."""
        from rankzoo.claims.trial import parameters

        known = self.known(claim)
        seeds = [seed for place, seed in enumerate(known) if seed == place]
        if not seeds:
            return None
        return outcome(claim, [known[seed][0] for seed in seeds], parameters(claim), sum(known[seed][1] for seed in seeds))

    def running(self) -> Running | None:
        """What is being run now, in whatever process."""
        try:
            kept = Running(**json.loads((self.root / "running.json").read_text(encoding="utf-8")))
        except (ValueError, TypeError, OSError):
            return None
        return kept if living(kept.lease) else None

    def start(self, claim: Claim, seeds: int) -> None:
        """Compute the seeds that are missing of the first `seeds`; raises a ZooError where another experiment is running."""
        with self._lock():
            if now := self.running():
                raise ZooError("The experiment '{id}' is being run.", "Wait for its end, or stop it.", at="experiment", id=now.id)
            process = subprocess.Popen([sys.executable, "-m", "rankzoo.runs.experiments", claim.id, str(seeds), str(os.getpid())],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._log(),
                                       env=os.environ | {"OMP_NUM_THREADS": "1", "RANKZOO_HOME": str(self.root.parent)})
            self._write(self.root / "running.json", {"id": claim.id, "seeds": seeds, "lease": holder(process.pid)})

    def stop(self) -> None:
        """End what is being run; the seeds that are done stay."""
        import psutil

        with self._lock():
            if now := self.running():
                process = psutil.Process(int(now.lease.partition("-")[0]))
                process.kill()
                process.wait(5)

    def keep(self, claim: Claim, seed: int, found: Found, seconds: float) -> None:
        """Keep what one seed gave."""
        self._write(self._folder(claim, made_from(claim)) / f"{seed}.json", {"found": found, "seconds": seconds})

    def _folder(self, claim: Claim, made: str) -> Path:
        return self.root / f"{claim.id}-{made}"

    def _write(self, path: Path, value: object) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}.new")
        new.write_text(json.dumps(value), encoding="utf-8")
        os.replace(new, path)

    def _lock(self) -> FileLock:
        self.root.mkdir(parents=True, exist_ok=True)
        return FileLock(self.root / "running.lock", timeout=5)

    def _log(self) -> int:
        self.root.mkdir(parents=True, exist_ok=True)
        return os.open(self.root / "experiments.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)


def made_from(claim: Claim) -> str:
    """A claim that changes starts anew: this holds what its arms and data are made from, but for defaults, so that a new setting
    that no arm uses loses no result. A page asks it of all claims; one of the registry does not change while a process runs."""
    return _registered(claim.id) if registered().get(claim.id) is claim else _made_from(claim)


@cache
def _registered(id: str) -> str:
    return _made_from(get(id))


def _made_from(claim: Claim) -> str:
    from rankzoo.claims.trial import document_of

    arms = [(arm.name, document_of(claim, arm).own(), (arm.world or claim.world).fingerprint(claim.rows or 0, 0),
             *([repr(arm.rule)] if arm.rule else [])) for arm in claim.arms]
    differences = [(each.statistic, each.name) for each in claim.differences]
    return hashlib.sha256(json.dumps([claim.statistic, arms, differences], sort_keys=True).encode()).hexdigest()[:12]


def measured(claim: Claim, made: str = "") -> Measured | None:
    """The seeds of a claim that come with the app; none where it is made of something else by now. `made`: of what, where that
    is known."""
    path = MEASURED / f"{claim.id}.json"
    if not path.exists():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    if kept["made_from"] != (made or made_from(claim)):
        return None
    return Measured(date.fromisoformat(kept["on"]),
                    dict(enumerate((each["found"], each["seconds"]) for each in kept["seeds"])))


def bring(claim: Claim, found: Mapping[int, tuple[Found, float]], on: date) -> None:
    """Have the seeds of a claim, from 0 on, come with the app."""
    seeds = [{"found": values, "seconds": round(seconds, 2)} for values, seconds in map(found.__getitem__, range(len(found)))]
    kept = {"made_from": made_from(claim), "on": on.isoformat(), "seeds": seeds}
    MEASURED.mkdir(exist_ok=True)
    (MEASURED / f"{claim.id}.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def main(id: str, seeds: int, parent: int) -> None:
    """Compute the missing seeds one after another, and end with the server that asked."""
    from rankzoo.runs.worker import die_with

    die_with(parent)
    if os.name == "posix":
        os.nice(10)
    import torch

    from rankzoo.claims.running import one
    from rankzoo.data.home import home

    torch.set_num_threads(1)
    experiments, claim = Experiments(home()), get(id)
    for seed in range(seeds):
        if seed not in experiments.known(claim):
            experiments.keep(claim, seed, *one(id, seed))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
