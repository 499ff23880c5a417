"""What a step costs with tables of 1,000,000 rows in all, beside 10,000: the same rows, network and seed, in turn.

Every id occurs, so that the tables really are that long. Prints the median time of a step of both and their ratio.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.tables import make

ROOT = Path(__file__).resolve().parents[1]
SIZES = (10_000, 1_000_000)


def step_ms(path: Path, threads: int, steps: int) -> float:
    """Milliseconds of a step of `dnn`, by the command line's `bench`."""
    done = subprocess.run([sys.executable, "-m", "rankzoo", "bench", "--model", "dnn", "--data", str(path), "--steps", str(steps),
                           "--threads", str(threads), "--json"], capture_output=True, text=True, cwd=ROOT,
                          env=os.environ | {"OMP_NUM_THREADS": str(threads)})
    if done.returncode:
        raise SystemExit(done.stderr)
    answer = json.loads(done.stdout)
    return 1000 * answer["batch_size"] / answer["examples_per_second"]


def main() -> None:
    """Rounds of both in turn."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--rounds", type=int, default=5)
    given.add_argument("--rows", type=int, default=400_000)
    given.add_argument("--steps", type=int, default=200)
    given.add_argument("--threads", type=int, default=1)
    order = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{ids}.parquet" for ids in SIZES]
        for path, ids in zip(paths, SIZES, strict=True):
            make(path, order.rows, ids, every=True)
        rounds = [[step_ms(path, order.threads, order.steps) for path in paths] for _ in range(order.rounds)]
    for i, ids in enumerate(SIZES):
        print(f"{ids:>9,} rows of tables: {median(times[i] for times in rounds):6.2f} ms a step")
    print(f"ratio {median(large / small for small, large in rounds):.2f}")


if __name__ == "__main__":
    main()
