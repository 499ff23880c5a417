"""How far each system gets on its own sample, from chance (0 %) to what the generator itself knows (100 %).

    python -m benchmarks.systems [--seeds 5] [--only youtube,din]

One row per system, seed and task, in the metric of the task (a number's root mean square error goes from that of always guessing
the mean to the oracle's), the way from chance to the oracle, seconds of the processor, and the statistic of the system's own
picture with its chance and interval. Of a class the oracle is the generator's own ranking, of all else what a server can know,
which is not the position. One thread.
"""
from __future__ import annotations

import argparse
import time

import torch

from rankzoo.document import Document
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import KINDS, look
from rankzoo.registry import systems
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import RECALL, TOP
from rankzoo.training.run import Result, finish


def trained(document: Document) -> tuple[Fit, Result]:
    """A training from start to end."""
    dataset = document.dataset()
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    began = time.process_time()
    for _ in fit:
        pass
    return fit, finish(fit, time.process_time() - began)


def way(fit: Fit, result: Result, task: str) -> tuple[str, float, float, float, float]:
    """(metric, value, chance, the oracle's, share of the way from chance to it)."""
    schema = fit.dataset.schema
    about, found, best = schema.task(task), result.metrics["test"][task], result.oracle[task]
    if about.kind == "class":
        classes = schema.classes(about) - 1
        key = RECALL if RECALL in best else about.metric.key
        known = best[key]
        chance = TOP / classes if key == RECALL else sum(1 / place for place in range(1, classes + 1)) / classes
    else:
        key = about.metric.key
        known = best.get(f"{key}_served", best[key])
        # Naming nothing finds nothing: F1 0.
        chance = {"binary": 0.5, "tags": 0.0}[about.kind] if about.metric.rises else fit.variance[task] ** 0.5
    return key, found[key], chance, known, (found[key] - chance) / (known - chance)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| system | seed | task | rate | metric | test | chance | oracle | way | seconds | picture | value | chance | 95 % |\n|"
          + "---|" * 14)
    for system in systems().values():
        if not arguments.only or system.id in arguments.only.split(","):
            for seed in range(arguments.seeds):
                report(system.id, system.picture, seed)


def report(id: str, picture: str, seed: int) -> None:
    """Train one system with one seed and print a row per task."""
    fit, result = trained(Document.preset(id).but([("settings.seed", seed)]))
    score = look(Subject.of(fit.model, fit.dataset), picture).truth if picture in KINDS else None
    seen = (f"{score.statistic} | {score.value:.3f} | {score.chance:.3f} | {score.ci95[0]:.3f} to {score.ci95[1]:.3f}"
            if score else " | | | ")
    for task in fit.model.blueprint.tasks:
        key, value, chance, best, share = way(fit, result, task)
        labels = fit.train.labels[task][fit.train.observed[task]]
        rate = f"{float(labels.mean()):.2f}" if fit.dataset.schema.task(task).kind == "binary" else ""
        print(f"| {id} | {seed} | {task} | {rate} | {key} | {value:.4f} | {chance:.4f} | {best:.4f} | {share:.0%} | "
              f"{result.seconds:.1f} | {seen} |", flush=True)
        seen = " | | | "


if __name__ == "__main__":
    main()
