"""The command: every bar of one dataset over the seeds, each seed in a process of one thread."""
from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import benchmarks.bars
from rankzoo.claims.outcome import Estimate


def main() -> None:
    """Print a line per bar; the exit status says whether all hold."""
    known = [info.name for info in pkgutil.iter_modules(benchmarks.bars.__path__) if not info.name.startswith("_")]
    given = argparse.ArgumentParser(prog="python -m benchmarks.bars", description=benchmarks.bars.__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("world", choices=known)
    given.add_argument("--seeds", type=int, default=5)
    given.add_argument("--workers", type=int, default=2)
    order = given.parse_args()
    bars, begun = importlib.import_module(f"benchmarks.bars.{order.world}").BARS, time.perf_counter()
    with ProcessPoolExecutor(order.workers, mp_context=get_context("spawn")) as pool:
        sides = [False, True] if any(bar.minus for bar in bars) else [False]
        waiting = [[pool.submit(benchmarks.bars.one, order.world, seed, side) for seed in range(order.seeds)] for side in sides]
        found, *less = ([each.result() for each in futures] for futures in waiting)
    missed = 0
    for place, bar in enumerate(bars):
        values = tuple(of[place] - sum(other[seed][place] for other in less) for seed, of in enumerate(found))
        estimate, met = Estimate(bar.name, bar.name, values), bar.holds(values)
        missed += not met
        interval = "" if estimate.ci95 is None else f" [{estimate.ci95[0]:.3f}, {estimate.ci95[1]:.3f}]"
        chance = "" if bar.chance is None else f" · chance {bar.chance:.3f}"
        print(f"{'met   ' if met else 'MISSED'}  {bar.name}: {estimate.mean:.3f}{interval}{chance} · bar {bar.bar} · seeds "
              + " ".join(f"{value:.3f}" for value in values))
    print(f"{len(bars) - missed} of {len(bars)} met, {order.seeds} seeds in {time.perf_counter() - begun:.0f} s")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
