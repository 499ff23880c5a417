"""`experiment`: a paper's claim, run again over seeds, with an interval and a verdict."""
from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rankzoo.commands.output import emit, json_option, table

if TYPE_CHECKING:
    from rankzoo.claims.claim import Course
    from rankzoo.claims.outcome import Outcome


@click.command()
@click.argument("id", metavar="ID or list")
@click.option("--seeds", type=int, help="How many; the claim's own number otherwise.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes side by side; one for each core otherwise.")
@json_option
def experiment(id: str, seeds: int | None, workers: int | None, as_json: bool) -> None:
    """Run what a paper claims as an experiment, or list all claims. What it finds stays for the app and for `compare`."""
    from rankzoo.claims.registry import claims, get
    from rankzoo.claims.running import concluded, seed_by_seed
    from rankzoo.claims.trial import growing
    from rankzoo.data.home import home
    from rankzoo.runs.experiments import Experiments

    if id == "list":
        rows = [{"id": claim.id, "claim": claim.claim, "source": claim.source.short, "seeds": claim.seeds,
                 "seconds": claim.seconds or None} for claim in claims().values()]
        emit(as_json, rows, table(rows))
        return
    import time

    claim, begun, found, kept = get(id), time.perf_counter(), {}, Experiments(home())
    click.echo(f"{claim.claim} ({claim.source.short})", err=True)
    for seed, values, seconds in seed_by_seed(claim, seeds, workers):
        found[seed] = values
        kept.keep(claim, seed, values, seconds)
        click.echo(f"Seed {seed}: {', '.join(f'{d.name} {d.of(values):+.4f}' for d in claim.differences)}", err=True)
    outcome = concluded(claim, [found[seed] for seed in sorted(found)], time.perf_counter() - begun)
    grown = growing(claim).to_dict("records") if claim.grows else []
    beside = f"\n\n{table(grown)}" if grown else ""
    emit(as_json, outcome.record() | ({"growth": grown} if grown else {}), said(outcome) + beside)


def said(outcome: Outcome) -> str:
    """Arms, differences and the verdict for people."""
    arms = [{"arm": arm.name, "statistic": arm.statistic, "mean": arm.mean, "95 %": arm.ci95,
             "parameters": outcome.parameters.get(arm.name)} for arm in outcome.ends]
    differences = [{"difference": each.estimate.name, "statistic": each.difference.statistic, "mean": each.estimate.mean,
                    "95 %": each.estimate.ci95, "expected": each.difference.expected,
                    "seeds": f"{each.agreeing} of {outcome.seeds}", "verdict": each.verdict} for each in outcome.compared]
    courses = "".join(f"{course.title}, means\n{table(places(outcome, course))}\n\n" for course in outcome.claim.courses)
    why = f"\n{outcome.why}" if outcome.why else ""
    return (f"{outcome.claim.statistic} · equal: {outcome.claim.equal}\n\n{table(arms)}\n\n{courses}{table(differences)}\n\n"
            f"Verdict: {outcome.verdict}, {outcome.seeds} seeds in {outcome.seconds:.0f} s.{why}")


def places(outcome: Outcome, course: Course) -> list[dict[str, object]]:
    """A row for each place of a course, a column for each arm."""
    found = outcome.along(course)
    return [{course.axis: at} | {arm: each[i].mean for arm, each in found.items()} for i, at in enumerate(course.at)]
