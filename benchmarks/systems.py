"""How far each system gets on its own sample, from chance (0 %) to what the generator itself knows (100 %).

    python -m benchmarks.systems [--seeds 5] [--only youtube,din]

One row per system, seed and task: AUC (root mean square error where the label is a number), the oracle's, the way from
chance to it, seconds, and the statistic of the system's picture with its chance and interval. One thread.
"""
from __future__ import annotations

import argparse
import time

import torch

from rankzoo.document import Document
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look
from rankzoo.registry import systems
from rankzoo.training.fit import Fit
from rankzoo.training.run import Result, finish

PICTURES = {"gate": "gates", "attention": "attention", "cross": "crosses"}


def trained(document: Document) -> tuple[Fit, Result]:
    """A training from start to end."""
    dataset = document.dataset()
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    began = time.perf_counter()
    for _ in fit:
        pass
    return fit, finish(fit, time.perf_counter() - began)


def way(result: Result, task: str) -> tuple[float, float, float]:
    """(AUC, the oracle's as a server could know it, share of the way from 0.5 to it); NaN where the label is a number."""
    found, best = result.metrics["test"][task], result.oracle[task]
    if "auc" not in found:
        return found["rmse"], best["rmse"], float("nan")
    known = best.get("auc_served", best["auc"])
    return found["auc"], known, (found["auc"] - 0.5) / (known - 0.5)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| system | seed | task | test | oracle | way | seconds | picture | value | chance | 95 % |\n|---|" + "---|" * 10)
    for system in systems().values():
        if system.built and (not arguments.only or system.id in arguments.only.split(",")):
            for seed in range(arguments.seeds):
                report(system.id, system.picture, seed)


def report(id: str, picture: str, seed: int) -> None:
    """Train one system with one seed and print a row per task."""
    fit, result = trained(Document.preset(id).but([("settings.seed", seed)]))
    score = look(Subject.of(fit.model, fit.dataset), PICTURES[picture]).truth if picture in PICTURES else None
    seen = (f"{score.statistic} | {score.value:.3f} | {score.chance:.3f} | {score.ci95[0]:.3f} to {score.ci95[1]:.3f}"
            if score else " | | | ")
    for task in fit.model.blueprint.tasks:
        value, best, share = way(result, task)
        print(f"| {id} | {seed} | {task} | {value:.4f} | {best:.4f} | {share:.0%} | {result.seconds:.1f} | {seen} |", flush=True)
        seen = " | | | "


if __name__ == "__main__":
    main()
