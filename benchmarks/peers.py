"""Speed beside two libraries and a hand-written loop: the same rows, sizes and batch, one after another in every round.

`pip install --no-deps -r benchmarks/requirements.txt` installs the libraries. RankZoo's side is `python -m rankzoo bench`, once
with float32 throughout and once as it comes (bfloat16 where the CPU has it and it is faster). Ratios are medians of the rounds'.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import geometric_mean, median

from benchmarks.tables import make

BATCH = 1024
MODELS = ("dnn", "wide_deep", "dcn_v2", "deepfm", "mmoe", "ple", "din")
MULTI_TASK = ("mmoe", "ple")
LIBRARIES = {"deepctr-torch": "deepctr_torch", "torch-rechub": "torch_rechub"}
ROOT = Path(__file__).resolve().parents[1]


def ours(path: Path, model: str, steps: int, threads: int, precision: str) -> dict[str, float]:
    """The command line's `bench`."""
    labels = "label,like" if model in MULTI_TASK else "label"
    return _process(["rankzoo", "bench", "--model", model, "--data", str(path), "--steps", str(steps), "--batch-size", str(BATCH),
                     "--labels", labels, "--threads", str(threads), "--precision", precision, "--json"], threads)


def others(path: Path, model: str, steps: int, threads: int) -> dict[str, dict[str, float]]:
    """The hand-written loop, and each library that is installed."""
    found = {"ceiling": _process(["benchmarks.ceiling", str(path), "--model", model, "--steps", str(steps), "--threads",
                                  str(threads)], threads)}
    for library, module in LIBRARIES.items():
        if find_spec(module):
            found[library] = _process(["benchmarks.peers", "--library", library, "--file", str(path), "--models", model,
                                       "--steps", str(steps), "--threads", str(threads)], threads)
    return found


def _process(arguments: list[str], threads: int) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, cwd=ROOT,
                          env=os.environ | {"OMP_NUM_THREADS": str(threads)})
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def line(model: str, rounds: list[dict[str, dict[str, float]]]) -> tuple[str, float, float]:
    """A row of the table, the ratio to the fastest library and the ratio to the hand-written loop."""
    speed = {name: median(each[name]["examples_per_second"] for each in rounds) for name in rounds[0]}
    auc = {name: median(each[name]["auc"] for each in rounds) for name in rounds[0]}
    libraries = [name for name in speed if name in LIBRARIES]
    best = max(libraries, key=speed.get, default="ceiling")
    ratio = {name: median(each["bench"]["examples_per_second"] / each[name]["examples_per_second"] for each in rounds)
             for name in (best, "ceiling")}
    first = median(each["bench"]["seconds_to_first_step"] for each in rounds)
    cells = [f"{speed[name]:>10,.0f}" for name in ("bench", "float32", "ceiling", *libraries)]
    worse = max((auc[name] for name in libraries), default=auc["ceiling"]) - auc["bench"]
    said = " ".join(cells) + f"  {ratio[best]:5.2f} {ratio['ceiling']:5.2f}  {auc['bench']:.4f} {worse:+.4f}  {first:5.2f} s"
    return f"{model:10} {said}", ratio[best], ratio["ceiling"]


def main() -> None:
    """Rounds of all; with --library one of the libraries alone, in this process."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--models", default=",".join(MODELS))
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
        return
    installed = [name for name, module in LIBRARIES.items() if find_spec(module)]
    print(f"{order.rows:,} rows, {order.steps} steps of {BATCH}, {order.rounds} rounds, {order.threads} threads each · medians, "
          "examples a second")
    print("model      " + " ".join(f"{name[:10]:>10}" for name in ("rankzoo", "float32", "ceiling", *installed))
          + "  /best /ceil  AUC    below   first step")
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        plain, past = Path(folder) / "plain.parquet", Path(folder) / "past.parquet"
        make(plain, order.rows, order.ids)
        make(past, order.rows, order.ids, history=True)
        for model in order.models.split(","):
            path, rounds = past if model == "din" else plain, []
            for _ in range(order.rounds):
                mine = {"bench": ours(path, model, order.steps, order.threads, "auto")}
                mine["float32"] = ours(path, model, order.steps, order.threads, "float32")
                rounds.append(mine | others(path, model, order.steps, order.threads))
            said, *of_model = line(model, rounds)
            ratios.append(of_model)
            print(said, flush=True)
    print(f"geometric mean: {geometric_mean(r[0] for r in ratios):.2f} × the fastest library, "
          f"{geometric_mean(r[1] for r in ratios):.2f} × the hand-written loop")


if __name__ == "__main__":
    main()
