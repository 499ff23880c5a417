"""`compare`: systems and runs next to each other, only what differs: settings, counts, results."""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rankzoo.commands.output import called, emit, json_option, table
from rankzoo.errors import ZooError

if TYPE_CHECKING:
    from rankzoo.inspection.beside import Model, Row

HIDDEN = ("threads",)


@click.command()
@click.argument("ids", metavar="ID or RUN…", nargs=-1, required=True)
@json_option
def compare(ids: tuple[str, ...], as_json: bool) -> None:
    """Systems and runs next to each other: only what differs. A system is compared as the zoo has it."""
    from rankzoo.inspection.beside import counts, results, settings

    if len(set(ids)) < 2:
        raise ZooError("There is nothing to compare '{id}' with.", "Name at least two systems or runs.", at="id", id=ids[0][:60])
    found = [model(id) for id in dict.fromkeys(ids)]
    models = [each for each, _ in found]
    tables = {"settings": settings(models), "counts": counts(models, batch_size=found[0][1]), "results": results(models)}
    answer = {"models": [{"name": each.name, "dataset": each.data, "hash": each.blueprint.hash, "trained": bool(each.tested)}
                         for each in models]} | {name: [row.record() for row in rows] for name, rows in tables.items()}
    told = [f"{name}\n{as_table(rows, models)}" for name, rows in tables.items() if rows]
    emit(as_json, answer, "\n\n".join(told) or "They do not differ.")


def model(id: str) -> tuple[Model, int]:
    """A system's preset or a run's model, and the batch size of its training."""
    from rankzoo.document import Document
    from rankzoo.inspection.beside import Model
    from rankzoo.registry import systems

    tested = {}
    if id in systems():
        document = Document.preset(id)
    else:
        from rankzoo.commands.export import run_of

        document, run = run_of(id)
        tested = (run.outcome or {}).get("metrics", {}).get("test", {})
    settings = {name: value for name, value in document.settings.model_dump(mode="json").items() if name not in HIDDEN}
    return (Model(id, document.blueprint, document.schema(), called(document.data), settings, tested),
            document.settings.batch_size)


def as_table(rows: Sequence[Row], models: Sequence[Model]) -> str:
    """Rows for people, a column for each model."""
    return table([{"": row.what} | {each.name: value for each, value in zip(models, row.record()["values"], strict=True)}
                  for row in rows])
