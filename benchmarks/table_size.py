"""What a step costs with tables of 1,000,000 or 5,000,000 rows in all, beside 10,000: the same network and seed, in turn.

Every id occurs, so that the tables really are that long. Prints the median time of a step and the peak memory of each size, and
the ratio of the last one's time to the first one's.
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
SIZES = "10000,1000000"


def step_ms(path: Path, threads: int, steps: int) -> tuple[float, float]:
    """Milliseconds of a step of `dnn` and MB at most, by the command line's `bench`."""
    done = subprocess.run([sys.executable, "-m", "rankzoo", "bench", "--model", "dnn", "--data", str(path), "--steps", str(steps),
                           "--threads", str(threads), "--json"], capture_output=True, text=True, cwd=ROOT,
                          env=os.environ | {"OMP_NUM_THREADS": str(threads)})
    if done.returncode:
        raise SystemExit(done.stderr)
    answer = json.loads(done.stdout)
    return 1000 * answer["batch_size"] / answer["examples_per_second"], answer["peak_rss_mb"]


def main() -> None:
    """Rounds of both in turn."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--rounds", type=int, default=5)
    given.add_argument("--rows", type=int, default=400_000)
    given.add_argument("--steps", type=int, default=200)
    given.add_argument("--threads", type=int, default=1)
    given.add_argument("--sizes", default=SIZES, help="Rows of all tables together; --rows must exceed a quarter of the largest.")
    order = given.parse_args()
    sizes = [int(size) for size in order.sizes.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{ids}.parquet" for ids in sizes]
        for path, ids in zip(paths, sizes, strict=True):
            make(path, order.rows, ids, every=True)
        rounds = [[step_ms(path, order.threads, order.steps) for path in paths] for _ in range(order.rounds)]
    for i, ids in enumerate(sizes):
        print(f"{ids:>9,} rows of tables: {median(each[i][0] for each in rounds):6.2f} ms a step, "
              f"{median(each[i][1] for each in rounds):,.0f} MB at most")
    print(f"ratio {median(each[-1][0] / each[0][0] for each in rounds):.2f}")


if __name__ == "__main__":
    main()
