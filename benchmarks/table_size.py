"""What a step of `dnn` costs with tables of 1,000,000 and 5,000,000 rows in all beside 10,000: RankZoo and the libraries in turn.

Every id occurs in the training part, so that the tables really are that long. For each size the median time of a step, how much
longer it lasts than at the first size, and the most memory that the process ever held (each in a process of its own, from its
start to the hold-out); then RankZoo beside the library with the shortest step. The libraries' gradients and optimizers are
dense: each of their steps goes through the whole tables. So they make fewer steps of an epoch over the same rows.
"""
from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.peers import BATCH, LIBRARIES, ROOT, Libraries, ours
from benchmarks.tables import table_sizes

MODEL = "dnn"
SIZES = "10000,1000000,5000000"
TRAINED = 0.8
"""The share of the rows that is not held out."""


def write(path: Path, rows: int, ids: int, skewed: bool) -> None:
    """A table with every id; in a process of its own, since Linux lets a child's peak begin at its parent's memory."""
    rows = max(rows, int(table_sizes(ids, not skewed).max() / TRAINED) + 2)
    order = ["--rows", str(rows), "--ids", str(ids), "--every", *([] if skewed else ["--even"])]
    subprocess.run([sys.executable, "-m", "benchmarks.tables", str(path), *order], cwd=ROOT, check=True)


def measured(path: Path, order: argparse.Namespace, libraries: Libraries) -> dict[str, tuple[float, float]]:
    """Milliseconds of a step and megabytes of each."""
    found = {"rankzoo": ours(path, MODEL, order.steps, order.threads, order.precision)}
    found |= libraries.run(path, MODEL, order.peer_steps, order.threads)
    return {name: (1000 * BATCH / each["examples_per_second"], each["peak_rss_mb"]) for name, each in found.items()}


def report(sizes: list[int], rounds: list[list[dict[str, tuple[float, float]]]]) -> None:
    """The table: for each size everyone's step, memory and growth, and RankZoo beside the fastest library."""
    print(f"{'rows of tables':>14} {'':13} {'ms a step':>10} {'growth':>7} {'MB at most':>11}")
    for i, ids in enumerate(sizes):
        step = {name: median(each[i][name][0] for each in rounds) for name in rounds[0][i]}
        for name in step:
            growth = median(each[i][name][0] / each[0][name][0] for each in rounds)
            memory = median(each[i][name][1] for each in rounds)
            print(f"{ids:>14,} {name:13} {step[name]:>10.2f} {growth:>7.2f} {memory:>11,.0f}")
        peers = [name for name in step if name in LIBRARIES]
        if peers:
            best = min(peers, key=step.get)
            faster, less = (median(each[i][best][k] / each[i]["rankzoo"][k] for each in rounds) for k in (0, 1))
            print(f"{'':14} rankzoo: {faster:.2f} × the fastest library, {best}; {1 / less:.2f} of its memory")


def main() -> None:
    """Rounds of all sizes in turn."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--rows", type=int, default=400_000, help="More where the largest table needs it.")
    given.add_argument("--steps", type=int, default=200)
    given.add_argument("--peer-steps", type=int, default=20, help="Of a library.")
    given.add_argument("--threads", type=int, default=1)
    given.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))
    given.add_argument("--sizes", default=SIZES, help="Rows of all tables together, by commas.")
    given.add_argument("--skewed", action="store_true", help="A third of all rows in one table; else one size.")
    given.add_argument("--libraries", default=",".join(LIBRARIES), help="By commas; empty for RankZoo alone.")
    given.add_argument("--python", default=sys.executable, help="The interpreter that has the libraries.")
    order = given.parse_args()
    libraries, sizes = Libraries.of(order.python, order.libraries), [int(size) for size in order.sizes.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{ids}.parquet" for ids in sizes]
        for path, ids in zip(paths, sizes, strict=True):
            write(path, order.rows, ids, order.skewed)
        rounds = [[measured(path, order, libraries) for path in paths] for _ in range(order.rounds)]
    report(sizes, rounds)


if __name__ == "__main__":
    main()
