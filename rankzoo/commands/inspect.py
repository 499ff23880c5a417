"""`inspect`: one view of a finished run's inside, beside what is really in the data."""
from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rankzoo.commands.choose import change
from rankzoo.commands.output import called, cell, emit, json_option, table
from rankzoo.errors import ZooError

if TYPE_CHECKING:
    from rankzoo.inspection.score import Score
    from rankzoo.serving import Serving

SHOWN = 40


@click.command("inspect")
@click.argument("run")
@click.option("--view", default="", help="attention, gates, crosses, embeddings, rows, stream, position, lists, "
              "items, index, grades, heads, calibration, auction, masks, gradients, tasks or example.")
@click.option("--rows", type=int, default=2_000, show_default=True, help="Rows of the test part that are looked at.")
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE",
              help="Change what follows the network, as in serving.alpha=2 or serving.layer.how=network. Repeatable.")
@json_option
def inspect_run(run: str, view: str, rows: int, sets: tuple[str, ...], as_json: bool) -> None:
    """Look inside a finished run."""
    from rankzoo.inspection.view import Subject
    from rankzoo.inspection.views import KINDS, kind, look, reason, set_for
    from rankzoo.runs.open import opened
    from rankzoo.serving import settings

    if view:
        kind(view)
    if rows < 1:
        raise ZooError("{rows} rows cannot be looked at.", "Give --rows a whole number of at least 1.", at="rows", rows=rows)
    found = opened(meant(run))
    if not view:
        there = [name for name in KINDS if not reason(found.model.blueprint, found.dataset.schema, name)]
        raise ZooError("Nothing was chosen to look at.", "Give --view one of those that this run has: {names}.", at="view",
                       names=", ".join(there))
    usual = found.document.system.serving
    subject = Subject.of(found.model, found.dataset, rows=rows, serving=served(usual, sets))
    if sets and not reason(found.model.blueprint, found.dataset.schema, view):
        set_for(subject, view, usual, [change(text)[0] for text in sets])
    seen = look(subject, view)
    records = seen.table.to_dict("records")
    further = {name: frame.to_dict("records") for name, frame in seen.tables.items()}
    answer = {"view": view, "data": records, "truth": told(seen.truth), "tables": further, "note": seen.note,
              "serving": seen.serving and settings.told(seen.serving)}
    lines = [f"{view} of run {run} · {found.run.arch} on {called(found.run.data)}", "", table(records[:SHOWN])]
    if len(records) > SHOWN:
        lines.append(f"… {len(records) - SHOWN:,} more rows; all of them with --json")
    for name in seen.beside:
        lines += ["", table(further[name])]
    lines += ["", *truth_lines(seen.truth), *([seen.note] if seen.note else []), *in_force(answer["serving"])]
    emit(as_json, answer, "\n".join(lines))


def meant(run: str) -> str:
    """The id itself; raises a ZooError where it is a system's, which names the last of its runs that is done."""
    from rankzoo.registry import systems
    from rankzoo.runs.store import Store

    if run not in systems():
        return run
    done = [each.id for each in Store().runs() if each.arch == run and each.state == "done"]
    raise ZooError("'{name}' is a system, and what is looked into is a run.",
                   "The last of it that is done: {id}." if done else "Make one with: train {name}.", at="run", name=run,
                   id=done[0] if done else "")


def served(serving: Serving | None, sets: tuple[str, ...]) -> Serving | None:
    """What follows the network, with changes; raises a ZooError for one that it has not."""
    from rankzoo.serving.settings import changed

    if serving is None and sets:
        raise ZooError("Nothing follows this network that could be set.", "Leave --set out.", at="serving")
    return serving and changed(serving, [change(text) for text in sets])


def in_force(serving: dict[str, object] | None) -> list[str]:
    """What followed the network, in a line of the settings that --set knows."""
    from rankzoo.paths import leaves

    return [] if serving is None else ["Behind the network: " + ", ".join(
        f"serving.{path}={value}" for path, value in leaves(serving))]


def told(score: Score | None) -> dict[str, object] | None:
    """A score as JSON; None where nothing was planted."""
    return score and {"statistic": score.statistic, "value": score.value, "chance": score.chance,
                      "ci95": score.ci95 and list(score.ci95), "more": [told(each) for each in score.more]}


def truth_lines(score: Score | None) -> list[str]:
    """A score and its further ones as sentences."""
    if score is None:
        return ["No planted truth can be compared with this."]
    interval = f", 95 % interval {cell(score.ci95[0])} to {cell(score.ci95[1])}" if score.ci95 else ""
    return [f"{score.statistic}: {cell(score.value)} (chance {cell(score.chance)}{interval})",
            *(line for each in score.more for line in truth_lines(each))]
