"""Whether each company's characteristic picture knows more than chance does, over seeds on its own sample.

    python -m benchmarks.pictures [--seeds 5] [--workers 2] [--only linkedin,snapchat] [--data]

A seed makes weights and order; with --data the rows too, as in the claims.

A line per statistic with an interval of its own: mean over seeds, 95 % t interval, mean chance, and whether the interval of value
minus chance lies above 0. The first of a system is its picture's own; where probabilities are corrected behind the network the
calibration before and after stands beside it. The exit status says whether every first one is above chance.
"""
from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks.bars import surely_above
from benchmarks.systems import trained
from rankzoo.claims.outcome import Estimate
from rankzoo.document import Document
from rankzoo.inspection.score import Score
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look
from rankzoo.registry import systems
from rankzoo.serving import Auction

Line = tuple[str, str, float, float]
"""View, statistic, value, chance."""


def measured(id: str, seed: int, data: bool) -> list[Line]:
    """The statistics of one system trained once as its preset says."""
    import torch

    torch.set_num_threads(1)
    system = systems()[id]
    fit, _ = trained(Document.preset(id).but([("settings.seed", seed), ("settings.data_seed", seed * data)]))
    subject = Subject.of(fit.model, fit.dataset, serving=system.serving)
    found = []
    for view in (system.picture, *(["calibration", "auction"] if isinstance(system.serving, Auction) else [])):
        truth = look(subject, view).truth
        found += [(view, score.statistic, score.value, score.chance) for score in flat(truth) if score is truth or score.ci95]
    return found


def flat(score: Score) -> list[Score]:
    """A score and all further ones."""
    return [score, *(each for more in score.more for each in flat(more))]


def main() -> None:
    """Print the table."""
    given = argparse.ArgumentParser(prog="python -m benchmarks.pictures", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--seeds", type=int, default=5)
    given.add_argument("--workers", type=int, default=2)
    given.add_argument("--only", default="")
    given.add_argument("--data", action="store_true")
    order = given.parse_args()
    chosen = [id for id, system in systems().items() if system.company and (not order.only or id in order.only.split(","))]
    print("| system | view | statistic | mean | 95 % | chance | above | seeds |\n|" + "---|" * 8)
    with ProcessPoolExecutor(order.workers, mp_context=get_context("spawn")) as pool:
        waiting = {id: [pool.submit(measured, id, seed, order.data) for seed in range(order.seeds)] for id in chosen}
        met = [report(id, [each.result() for each in futures]) for id, futures in waiting.items()]
    print(f"{sum(met)} of {len(met)} pictures above chance with their interval, {order.seeds} seeds")
    sys.exit(not all(met))


def report(id: str, seeds: list[list[Line]]) -> bool:
    """Print a system's lines; returns whether the first is surely above chance."""
    above = []
    for lines in zip(*seeds, strict=True):
        view, statistic, values, chances = lines[0][0], lines[0][1], [line[2] for line in lines], [line[3] for line in lines]
        estimate = Estimate("", "", tuple(values))
        interval = "" if estimate.ci95 is None else f"{estimate.ci95[0]:.3f} to {estimate.ci95[1]:.3f}"
        above.append(surely_above(0)([value - chance for value, chance in zip(values, chances, strict=True)]))
        print(f"| {id} | {view} | {statistic} | {estimate.mean:.3f} | {interval} | {sum(chances) / len(chances):.3f} | "
              f"{'yes' if above[-1] else 'no'} | {' '.join(f'{value:.3f}' for value in values)} |", flush=True)
    return above[0]


if __name__ == "__main__":
    main()
