"""`train`: one run in this process, recorded in the same store as the app's, and answering the same requests."""
from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from rankzoo.commands.choose import Changes, chosen, document_options
from rankzoo.commands.output import called, emit, json_option, notice, shown, table
from rankzoo.errors import ZooError

if TYPE_CHECKING:
    from rankzoo.runs.loop import OnStep
    from rankzoo.runs.store import Store
    from rankzoo.runs.tables import Run

OWNER = "cli"
LINE_EVERY = 2.0  # seconds between two lines of progress where there is no terminal for a bar
ENDLESS = 1000    # epochs: the most there can be, so that a number of steps alone decides


@click.command()
@click.argument("id")
@document_options
@click.option("--seed", type=int, help="Seed of the weights, of the order of rows and of dropout.")
@click.option("--steps", type=int, help="Exactly so many optimiser steps, without early stopping.")
@click.option("--epochs", type=int, help="At most so many passes over the training rows.")
@json_option
def train(id: str, sets: tuple[str, ...], data: str, labels: tuple[str, ...], roles: tuple[str, ...], seed: int | None,
          steps: int | None, epochs: int | None, as_json: bool) -> None:
    """Train a system and keep the run."""
    if steps is not None and epochs is not None:
        raise ZooError("Steps and epochs were both given.", "Give one of them.", at="settings.steps")
    given: Changes = [("settings.seed", seed), ("settings.epochs", epochs)]
    if steps is not None:
        given = [("settings.seed", seed), ("settings.steps", steps), ("settings.epochs", ENDLESS), ("settings.patience", 0)]
    choice = chosen(id, sets, data, labels, [(path, value) for path, value in given if value is not None], roles)
    notice(choice.notices)
    from rankzoo.runs.process import holder
    from rankzoo.runs.store import Store

    store = Store()
    if choice.upload:
        store.add_dataset(choice.upload.hash, OWNER, choice.upload.name, choice.upload.rows, choice.upload.columns)
    run = here(store, store.submit(choice.document, OWNER, lease=holder()))
    answer = result(run)
    emit(as_json, answer, summary(answer))


def here(store: Store, id: str) -> Run:
    """Train a stored run in this process with progress on standard error; returns it done.

    Raises a ZooError where it failed, was cancelled or was paused; Ctrl-C pauses it and is handed on.
    """
    import torch

    from rankzoo.runs.loop import run_here

    torch.set_num_threads(1)
    click.echo(f"Run {id}", err=True)
    with progress() as on_step:
        run = run_here(store, id, on_step)
    if run.state == "paused" and run.message:
        click.echo(f"{run.message} Go on with: runs resume {id} --here", err=True)
        raise KeyboardInterrupt
    if run.state != "done":
        raise ZooError("Run {id} is {state}.", run.message, id=id, state=run.state)
    return run


@contextmanager
def progress() -> Iterator[OnStep]:
    """A callback for every step: a bar on a terminal, a line now and then elsewhere."""
    import sys

    from tqdm import tqdm

    if sys.stderr.isatty():
        with tqdm(unit=" steps", leave=False, file=sys.stderr) as bar:
            def on_step(step, steps: int) -> None:
                bar.total = steps
                bar.update(step.number - bar.n)

            yield on_step
        return
    last = [time.monotonic()]

    def say(step, steps: int) -> None:
        if time.monotonic() - last[0] > LINE_EVERY:
            last[0] = time.monotonic()
            click.echo(f"Step {step.number:,} of {steps:,}", err=True)

    yield say


def result(run: Run) -> dict[str, object]:
    """What a finished run found."""
    found = run.outcome
    return {"run": run.id, "digest": run.digest, "system": run.arch, "dataset": run.data, "seed": run.seed,
            "steps": found["steps"], "examples": found["examples"], "seconds": found["seconds"],
            "examples_per_second": found["examples"] / found["seconds"] if found["seconds"] else 0.0,
            "metrics": found["metrics"], "oracle": found["oracle"], "parameters": found["parameters"],
            "best_step": found["best_step"], "notes": list(found.get("notes", ()))}


def split(data: str) -> str:
    """How the test part of real data was chosen."""
    from rankzoo.data.uploads import split_by

    by = split_by(data)
    return "" if by is None else f" (the latest rows by {shown(by)})" if by else " (random rows)"


def summary(answer: dict) -> str:
    """The same for people: a row per task."""
    rows = []
    for task, values in answer["metrics"]["test"].items():
        oracle = answer["oracle"].get(task, {})
        best = {f"oracle {name}": oracle[name] for name in ("auc", "gauc", "mrr", "recall@20", "f1", "rmse") if name in oracle}
        best |= {f"guess {name}": oracle[f"{name}_served"] for name in ("mrr", "recall@20") if f"{name}_served" in oracle}
        rows.append({"task": task} | values | best)
    names = list(dict.fromkeys(name for row in rows for name in row))
    return "\n".join([
        f"Run {answer['run']} · {answer['system']} on {called(answer['dataset'])} · seed {answer['seed']}", "",
        f"On the test part{split(answer['dataset'])}:", table(rows, names), *answer["notes"], "",
        f"{answer['parameters']['total']:,} parameters · {answer['steps']:,} steps · {answer['examples']:,} examples in "
        f"{answer['seconds']:.1f} s ({answer['examples_per_second']:,.0f} a second) · digest {answer['digest'][:12]}"])
