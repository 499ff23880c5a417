"""Speed beside other libraries and a hand-written loop: the same rows, sizes and batch, one after another in every round.

`benchmarks/README.md` says how to install the libraries. RankZoo's side is `python -m rankzoo bench`, once with float32
throughout and once as it comes (bfloat16 where the CPU has it and it is faster). Ratios are medians of the rounds'; a library
that is not installed is left out, and so is a model that a library does not have.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean, median

from benchmarks.tables import make

BATCH = 1024
MODELS = ("dnn", "wide_deep", "dcn_v2", "deepfm", "mmoe", "ple", "din")
MULTI_TASK = ("mmoe", "ple")
LIBRARIES = {"deepctr-torch": "deepctr_torch", "torch-rechub": "torch_rechub", "fuxictr": "fuxictr", "recbole": "recbole"}
LACKING = {"recbole": ("mmoe", "ple", "din")}
ROOT = Path(__file__).resolve().parents[1]
ASK = "from importlib.util import find_spec; import sys; print(*[name for name in sys.argv[1:] if find_spec(name)])"


@dataclass(frozen=True)
class Libraries:
    """The libraries that an interpreter has, each run in a process of its own."""

    python: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, python: str, wanted: str) -> Libraries:
        """Those of the wanted ones, by commas, that are installed; says which are not."""
        asked = [name for name in LIBRARIES if name in wanted.split(",")]
        done = subprocess.run([python, "-c", ASK, *LIBRARIES.values()], capture_output=True, text=True, check=True)
        there = tuple(name for name in asked if LIBRARIES[name] in done.stdout.split())
        if len(there) < len(asked):
            print(f"not installed for {python}, left out: {', '.join(name for name in asked if name not in there)}")
        return cls(python, there)

    def run(self, path: Path, model: str, steps: int, threads: int) -> dict[str, dict[str, float]]:
        """What each of those that have the model measures."""
        order = ["--file", str(path), "--models", model, "--steps", str(steps), "--threads", str(threads)]
        return {name: process(["benchmarks.peers", "--library", name, *order], threads, self.python)
                for name in self.names if model not in LACKING.get(name, ())}


def ours(path: Path, model: str, steps: int, threads: int, precision: str) -> dict[str, float]:
    """The command line's `bench`."""
    labels = "label,like" if model in MULTI_TASK else "label"
    return process(["rankzoo", "bench", "--model", model, "--data", str(path), "--steps", str(steps), "--batch-size", str(BATCH),
                    "--labels", labels, "--threads", str(threads), "--precision", precision, "--json"], threads)


def ceiling(path: Path, model: str, steps: int, threads: int) -> dict[str, float]:
    """The hand-written loop."""
    return process(["benchmarks.ceiling", str(path), "--model", model, "--steps", str(steps), "--threads", str(threads)], threads)


def process(arguments: list[str], threads: int, python: str = sys.executable) -> dict[str, float]:
    """The JSON that a module prints last."""
    done = subprocess.run([python, "-m", *arguments], capture_output=True, text=True, cwd=ROOT,
                          env=os.environ | {"OMP_NUM_THREADS": str(threads)})
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def line(model: str, rounds: list[dict[str, dict[str, float]]], columns: tuple[str, ...]) -> tuple[str, float, float]:
    """A row of the table, the ratio to the fastest library and the ratio to the hand-written loop."""
    speed = {name: median(each[name]["examples_per_second"] for each in rounds) for name in rounds[0]}
    auc = {name: median(each[name]["auc"] for each in rounds) for name in rounds[0]}
    libraries = [name for name in speed if name in LIBRARIES]
    best = max(libraries, key=speed.get, default="ceiling")
    ratio = {name: median(each["bench"]["examples_per_second"] / each[name]["examples_per_second"] for each in rounds)
             for name in (best, "ceiling")}
    first = median(each["bench"]["seconds_to_first_step"] for each in rounds)
    cells = " ".join(f"{speed[name]:>13,.0f}" if name in speed else f"{'–':>13}" for name in columns)
    worse = max((auc[name] for name in libraries), default=auc["ceiling"]) - auc["bench"]
    said = f"{cells}  {ratio[best]:5.2f} {ratio['ceiling']:5.2f}  {auc['bench']:.4f} {worse:+.4f}  {first:5.2f} s"
    return f"{model:10} {said}", ratio[best], ratio["ceiling"]


def main() -> None:
    """Rounds of all; with --library one of the libraries alone, in this process."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--models", default=",".join(MODELS))
    given.add_argument("--libraries", default=",".join(LIBRARIES))
    given.add_argument("--python", default=sys.executable, help="The interpreter that has the libraries.")
    given.add_argument("--rows", type=int, default=120_000)
    given.add_argument("--ids", type=int, default=50_000)
    given.add_argument("--steps", type=int, default=90)
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--threads", type=int, default=2)
    given.add_argument("--library", help=argparse.SUPPRESS)
    given.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    order = given.parse_args()
    if order.library:
        from benchmarks.peer_models import measure

        print(json.dumps(measure(order.library, order.file, order.models, order.steps, order.threads)))
    else:
        compare(order)


def compare(order: argparse.Namespace) -> None:
    """Print the table."""
    libraries = Libraries.of(order.python, order.libraries)
    print(f"{order.rows:,} rows, {order.steps} steps of {BATCH}, {order.rounds} rounds, {order.threads} threads each · medians, "
          "examples a second")
    columns = ("bench", "float32", "ceiling", *libraries.names)
    print("model      " + " ".join(f"{name:>13}" for name in ("rankzoo", *columns[1:]))
          + "  /best /ceil  AUC    below   first step")
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        plain, past = Path(folder) / "plain.parquet", Path(folder) / "past.parquet"
        make(plain, order.rows, order.ids)
        make(past, order.rows, order.ids, history=True)
        for model in order.models.split(","):
            given, rounds = (past if model == "din" else plain, model, order.steps, order.threads), []
            for _ in range(order.rounds):
                mine = {"bench": ours(*given, "auto"), "float32": ours(*given, "float32"), "ceiling": ceiling(*given)}
                rounds.append(mine | libraries.run(*given))
            said, *of_model = line(model, rounds, columns)
            ratios.append(of_model)
            print(said, flush=True)
    print(f"geometric mean: {geometric_mean(r[0] for r in ratios):.2f} × the fastest library, "
          f"{geometric_mean(r[1] for r in ratios):.2f} × the hand-written loop")


if __name__ == "__main__":
    main()
