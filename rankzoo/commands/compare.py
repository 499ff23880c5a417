"""`compare`: systems and runs next to each other, only what differs: settings, counts, results. One alone stands next to what it
grew out of."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from rankzoo.commands.output import called, emit, json_option, table
from rankzoo.errors import ZooError

if TYPE_CHECKING:
    from rankzoo.baselines import Baseline
    from rankzoo.document import Document
    from rankzoo.inspection.beside import Model, Row

    Tested = Mapping[str, Mapping[str, float]]

HIDDEN = ("threads",)


@click.command()
@click.argument("ids", metavar="ID or RUN…", nargs=-1, required=True)
@json_option
def compare(ids: tuple[str, ...], as_json: bool) -> None:
    """Systems and runs next to each other: only what differs. A system is compared as the zoo has it; one system or run alone
    with what it grew out of, on the same data with the same budget."""
    from rankzoo.baselines import baselines
    from rankzoo.inspection.beside import counts, results, settings

    found = [given(id) for id in dict.fromkeys(ids)]
    alone, before = found[0][0], baselines(found[0][0].system)
    models = [model(id, *each) for id, each in zip(dict.fromkeys(ids), found, strict=True)]
    if len(ids) == 1:
        models += [model(each.id, each.beside(alone)) for each in before if not each.rule]
    if len(models) == 1:
        raise ZooError("There is nothing to compare '{id}' with.", "Name at least two systems or runs.", at="id", id=ids[0][:60])
    tables = {"settings": settings(models), "counts": counts(models, alone.settings.batch_size), "results": results(models)}
    answer = {"models": [{"name": each.name, "dataset": each.data, "hash": each.blueprint.hash, "trained": bool(each.tested)}
                         for each in models]} | {name: [row.record() for row in rows] for name, rows in tables.items()}
    told = [f"{name}\n{as_table(rows, models)}" for name, rows in tables.items() if rows]
    if len(found) == 1:
        answer["experiment"], said = experiment(alone.arch, before)
        told.append(said)
    emit(as_json, answer, "\n\n".join(filter(None, told)) or "They do not differ.")


def given(id: str) -> tuple[Document, Tested]:
    """A system's preset or a run's model, and what it reached on its test rows."""
    from rankzoo.document import Document
    from rankzoo.registry import systems

    if id in systems():
        return Document.preset(id), {}
    from rankzoo.commands.export import run_of

    document, run = run_of(id)
    return document, (run.outcome or {}).get("metrics", {}).get("test", {})


def model(name: str, document: Document, tested: Tested = MappingProxyType({})) -> Model:
    """What is compared of it."""
    from rankzoo.inspection.beside import Model

    settings = {name: value for name, value in document.settings.model_dump(mode="json").items() if name not in HIDDEN}
    return Model(name, document.blueprint, document.schema(), called(document.data), settings, tested)


def experiment(arch: str, before: Sequence[Baseline]) -> tuple[dict[str, object] | None, str]:
    """How far a system's preset is from each of what it grew out of, over the seeds that were run here: as a record, null where
    no experiment is made of it, and for people."""
    from rankzoo.claims.registry import claims
    from rankzoo.data.home import home
    from rankzoo.runs.experiments import Experiments

    claim = claims().get(f"grew_{arch}")
    if claim is None:
        return None, ""
    outcome = Experiments(home()).outcome(claim)
    record = {"id": claim.id, "statistic": claim.statistic, "equal": claim.equal, "seeds": outcome.seeds if outcome else 0,
              "differences": [each.record() for each in outcome.compared] if outcome else []}
    rules = "".join(f"\n{each.name}: {each.told}, not trained" for each in before if each.rule)
    if outcome is None:
        return record, f"difference{rules}\nNot measured here yet: python -m rankzoo experiment {claim.id}"
    rows = [{"difference": each.estimate.name, "mean": each.estimate.mean, "95 %": each.estimate.ci95,
             "seeds": f"{each.agreeing} of {outcome.seeds}", "verdict": each.verdict} for each in outcome.compared]
    why = f"\n{outcome.why}" if outcome.why else ""
    return record, f"difference ({claim.statistic}){rules}\n{table(rows)}{why}"


def as_table(rows: Sequence[Row], models: Sequence[Model]) -> str:
    """Rows for people, a column for each model."""
    return table([{"": row.what} | {each.name: value for each, value in zip(models, row.record()["values"], strict=True)}
                  for row in rows])
