"""Running a claim: its seeds side by side in processes of one thread each."""
from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from rankzoo.claims.claim import Claim, Found
from rankzoo.claims.outcome import Outcome, outcome
from rankzoo.claims.registry import get
from rankzoo.errors import ZooError

MOST_SEEDS = 100


def run(claim: Claim, seeds: int | None = None, workers: int | None = None) -> Outcome:
    """All seeds of a claim; raises a ZooError where fewer than one or more than 100 are asked for."""
    begun, found = time.perf_counter(), {}
    for seed, values, _ in seed_by_seed(claim, seeds, workers):
        found[seed] = values
    return concluded(claim, [found[seed] for seed in sorted(found)], time.perf_counter() - begun)


def concluded(claim: Claim, found: Sequence[Found], seconds: float) -> Outcome:
    """The outcome of the seeds that are there."""
    from rankzoo.claims.trial import parameters

    return outcome(claim, found, parameters(claim), seconds)


def seed_by_seed(claim: Claim, seeds: int | None = None, workers: int | None = None) -> Iterator[tuple[int, Found, float]]:
    """(seed, its statistics, its seconds) as each is done, in whatever order. Leaving the loop starts no further seed."""
    number = claim.seeds if seeds is None else seeds
    if not 1 <= number <= MOST_SEEDS:
        raise ZooError("{seeds} seeds were asked for.", "Give 1 to {most}.", at="seeds", seeds=number, most=MOST_SEEDS)
    yield from side_by_side(claim, range(number), workers)


def side_by_side(claim: Claim, seeds: Sequence[int], workers: int | None = None) -> Iterator[tuple[int, Found, float]]:
    """The same for these seeds."""
    processes = min(len(seeds), workers or len(os.sched_getaffinity(0)))
    if processes < 2:
        for seed in seeds:
            yield seed, *one(claim.id, seed)
        return
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_alone)
    try:
        waiting: dict[Future[tuple[Found, float]], int] = {pool.submit(one, claim.id, seed): seed for seed in seeds}
        for future in as_completed(waiting):
            yield waiting[future], *future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def one(id: str, seed: int) -> tuple[Found, float]:
    """One seed, by the claim's id, and its seconds: what a process is asked for."""
    from rankzoo.claims.trial import trial

    begun = time.perf_counter()
    return {arm: dict(values) for arm, values in trial(get(id), seed).items()}, time.perf_counter() - begun


def _alone() -> None:
    """One thread for a process: several processes of several threads each wait for one another."""
    import torch

    torch.set_num_threads(1)
