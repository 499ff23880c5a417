"""Results of claims that come with the app: every seed of every claim as it is made now.

    python -m benchmarks.claims [ID ...] [--workers 2]

What comes with the app already, or lies in RANKZOO_HOME, is not computed again, so that a changed preset costs its own claims
alone. Each claim's file is written when all of its seeds are there; one line tells what it says.
"""
from __future__ import annotations

import argparse
from datetime import date

from rankzoo.claims.registry import claims, get
from rankzoo.claims.running import side_by_side
from rankzoo.data.home import home
from rankzoo.runs.experiments import Experiments, bring, measured


def main() -> None:
    """Compute what is missing, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ids", nargs="*", metavar="ID")
    parser.add_argument("--workers", type=int, help="Processes side by side; one for each core otherwise.")
    given = parser.parse_args()
    kept = Experiments(home())
    for claim in map(get, given.ids or claims()):
        missing = [seed for seed in range(claim.seeds) if seed not in kept.known(claim)]
        for seed, found, seconds in side_by_side(claim, missing, given.workers):
            kept.keep(claim, seed, found, seconds)
        known = kept.known(claim)
        if missing or measured(claim) is None:
            bring(claim, {seed: known[seed] for seed in range(claim.seeds)}, date.today())
        outcome = kept.outcome(claim)
        first = outcome.compared[0].estimate
        low, high = first.ci95
        print(f"{claim.id}: {first.name} {first.mean:+.3f} [{low:.3f}, {high:.3f}], {outcome.verdict}", flush=True)


if __name__ == "__main__":
    main()
