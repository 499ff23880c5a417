"""AUC on the census table, mean and 95 % interval over seeds, beside scikit-learn's logistic regression on the same columns.

    python -m benchmarks.census [--seeds 5]

The test part is the last 20 % after a shuffle with seed 0; a seed changes the start of the weights and the order of the
rows, not the split. One thread.
"""
from __future__ import annotations

import argparse

import numpy as np
import torch

from benchmarks.systems import trained
from rankzoo.document import Document

STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
SYSTEMS = ("lr", "wide_deep", "dcn_v2", "mmoe")


def interval(values: list[float]) -> tuple[float, float]:
    """Mean and half-width of the 95 % t interval."""
    return float(np.mean(values)), STUDENT[len(values)] * float(np.std(values, ddof=1)) / len(values) ** 0.5


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, choices=range(2, 11))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| system | task | AUC, mean ± 95 % interval | seconds |\n|---|---|---|---|")
    for id in SYSTEMS:
        document, _ = Document.preset(id).on("census")
        results = [trained(document.but([("settings.seed", seed)]))[1] for seed in range(arguments.seeds)]
        for task in document.blueprint.tasks:
            mean, half = interval([result.metrics["test"][task]["auc"] for result in results])
            print(f"| {id} | {task} | {mean:.4f} ± {half:.4f} | {np.median([r.seconds for r in results]):.1f} |", flush=True)


if __name__ == "__main__":
    main()
