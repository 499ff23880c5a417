"""RankZoo beside deepctr-torch 0.3.0: the same network, rows, batch size, optimiser and threads, in turn, each in its own
process.

`dnn` is embeddings of 16 and an MLP of 256-128-64 over 26 categorical and 13 dense columns, Adam at 1e-3, batches of 1,024,
one pass over the training rows. Needs `pip install deepctr-torch==0.3.0 requests`. Prints medians over the rounds and
their ratio.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.tables import CATEGORICAL, DENSE, make

WIDTHS, DIM, BATCH, RATE = (256, 128, 64), 16, 1024, 1e-3
ROOT = Path(__file__).resolve().parents[1]


def deepctr(path: Path, threads: int) -> dict[str, float]:
    """Speed and hold-out AUC of deepctr-torch's own `fit` on the first 80 % of the rows, after a pass over a part to warm up."""
    import numpy as np
    import pandas as pd
    import torch
    from deepctr_torch.inputs import DenseFeat, SparseFeat
    from deepctr_torch.models import WDL

    from rankzoo.training.metrics import auc

    torch.set_num_threads(threads)
    table = pd.read_parquet(path)
    sparse, dense = [f"C{i + 1}" for i in range(CATEGORICAL)], [f"I{i + 1}" for i in range(DENSE)]
    for name in sparse:
        table[name] = pd.factorize(table[name])[0]
    columns = [SparseFeat(name, int(table[name].max()) + 1, embedding_dim=DIM) for name in sparse]
    columns += [DenseFeat(name, 1) for name in dense]
    cut = len(table) - round(len(table) * 0.2)
    given = {name: table[name].to_numpy() for name in sparse + dense}
    train, test = {n: v[:cut] for n, v in given.items()}, {n: v[cut:] for n, v in given.items()}
    labels = table["label"].to_numpy()

    def model():
        made = WDL([], columns, dnn_hidden_units=WIDTHS, device="cpu")
        made.compile(torch.optim.Adam(made.parameters(), lr=RATE), "binary_crossentropy")
        return made

    few = {name: values[:10 * BATCH] for name, values in train.items()}
    model().fit(few, labels[:10 * BATCH], batch_size=BATCH, epochs=1, verbose=0)
    made = model()
    begun = time.perf_counter()
    made.fit(train, labels[:cut], batch_size=BATCH, epochs=1, verbose=0)
    seconds = time.perf_counter() - begun
    scores = made.predict(test, batch_size=BATCH).reshape(-1)
    return {"examples_per_second": cut / seconds, "auc": auc(np.asarray(labels[cut:]), scores)}


def ours(path: Path, threads: int, rows: int) -> dict[str, float]:
    """The command line's `bench`, for as many steps as one pass takes."""
    steps = -(-(rows - round(rows * 0.2)) // BATCH)
    return _process(["rankzoo", "bench", "--model", "dnn", "--data", str(path), "--steps", str(steps), "--batch-size",
                     str(BATCH), "--embedding-dim", str(DIM), "--hidden", ",".join(map(str, WIDTHS)), "--lr", str(RATE),
                     "--threads", str(threads), "--json"], threads)


def _process(arguments: list[str], threads: int) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, cwd=ROOT,
                          env=os.environ | {"OMP_NUM_THREADS": str(threads)})
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Rounds of both in turn; with --peer only the other one, in this process."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--rows", type=int, default=200_000)
    given.add_argument("--ids", type=int, default=50_000)
    given.add_argument("--rounds", type=int, default=5)
    given.add_argument("--threads", type=int, default=2)
    given.add_argument("--peer", type=Path, help=argparse.SUPPRESS)
    order = given.parse_args()
    if order.peer:
        print(json.dumps(deepctr(order.peer, order.threads)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        make(path, order.rows, order.ids)
        rounds = [(ours(path, order.threads, order.rows),
                   _process(["benchmarks.peers", "--peer", str(path), "--threads", str(order.threads)], order.threads))
                  for _ in range(order.rounds)]
    print(f"{order.rows:,} rows, {order.rounds} rounds, {order.threads} threads each · medians")
    for name, key, digits in (("examples a second", "examples_per_second", 0), ("hold-out AUC", "auc", 4)):
        a, b = median(each[0][key] for each in rounds), median(each[1][key] for each in rounds)
        print(f"{name:20} RankZoo {a:12,.{digits}f}   deepctr-torch {b:12,.{digits}f}   "
              + (f"ratio {median(x[key] / y[key] for x, y in rounds):.2f}" if not digits else f"difference {a - b:+.4f}"))
    print(f"{'first step after':20} RankZoo {median(each[0]['seconds_to_first_step'] for each in rounds):12.2f} s")


if __name__ == "__main__":
    main()
