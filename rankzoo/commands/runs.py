"""`runs`: the run store. The runs of the app and of the command line are the same runs."""
from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from rankzoo.commands.output import called, emit, json_option, notice, table
from rankzoo.commands.train import OWNER, here, result, summary

if TYPE_CHECKING:
    from rankzoo.runs.tables import Run


@click.group()
def runs() -> None:
    """List, show, pause, resume, cancel and delete runs."""


@runs.command("list")
@json_option
def list_runs(as_json: bool) -> None:
    """Every run, newest first."""
    from rankzoo.runs.store import Store

    store = Store()
    notice([store.notice()] if store.notice() else [])
    rows = [row(each) for each in store.runs()]
    columns = ("id", "system", "dataset", "state", "epoch", "epochs", "seed", "digest", "message")
    people = [each | {"dataset": called(each["dataset"]), "digest": each["digest"][:12], "seed": str(each["seed"])}
              for each in rows]
    emit(as_json, rows, table(people, columns) if rows else "There is no run yet. Make one with: train SYSTEM")


@runs.command()
@click.argument("id")
@click.option("--points", "begins", help="What was measured on the way too, by how its name begins: validation.click.auc, "
              "pull, conflict, rows, gate.")
@json_option
def show(id: str, begins: str | None, as_json: bool) -> None:
    """One run with its events and, once it is done, its result."""
    from rankzoo.runs.store import Store

    store = Store()
    found = store.run(id)
    events = [{"at": event.at, "kind": event.kind, "text": event.text} for event in store.events(id)]
    done = result(found) if found.state == "done" else None
    said = [{"when": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each["at"])), "what": each["kind"],
             "": str(each["text"]).strip().rpartition("\n")[2] + (" s" if each["kind"] == "ran" else "")} for each in events]
    head = " · ".join(filter(None, (f"Run {id}", f"{found.arch} on {called(found.data)}", found.state, found.message)))
    answer = row(found) | {"document": found.config and _parsed(found.config), "events": events, "result": done}
    lines = [summary(done) if done else head, "", table(said)]
    if begins is not None:
        measured = [{"step": each.step, "name": each.name, "value": each.value} for each in store.points(id)
                    if each.name.startswith(begins)]
        answer["points"] = measured
        lines += ["", table(measured) if measured else f"Nothing was measured whose name begins with '{begins[:60]}'."]
    emit(as_json, answer, "\n".join(lines))


@runs.command()
@click.argument("id")
@json_option
def pause(id: str, as_json: bool) -> None:
    """Pause a run at its next step; it is kept as it stands."""
    _wish(id, "pause", as_json)


@runs.command()
@click.argument("id")
@json_option
def cancel(id: str, as_json: bool) -> None:
    """Cancel a run at its next step."""
    _wish(id, "cancel", as_json)


@runs.command()
@click.argument("id")
@click.option("--here", "in_front", is_flag=True, help="Go on in this process; else the app's workers take it up.")
@json_option
def resume(id: str, in_front: bool, as_json: bool) -> None:
    """Let a paused, failed or interrupted run go on."""
    from rankzoo.runs.store import Store

    if not in_front:
        _wish(id, "resume", as_json)
        return
    store = Store()
    if store.run(id).state not in ("queued", "running"):
        store.wish(id, "resume", OWNER)
    answer = result(here(store, id))
    emit(as_json, answer, summary(answer))


@runs.command()
@click.argument("id")
@json_option
def delete(id: str, as_json: bool) -> None:
    """Remove a run and its files for good."""
    from rankzoo.runs.store import Store

    Store().delete(id, OWNER)
    emit(as_json, {"ok": True, "say": "Deleted.", "id": id}, f"Run {id} is deleted.")


def row(run: Run) -> dict[str, object]:
    """A run as `runs list` has it."""
    return {"id": run.id, "owner": run.owner, "state": run.state, "epoch": run.epoch, "epochs": run.epochs,
            "digest": run.digest, "message": run.message, "pid": run.pid, "attempt": run.attempt, "system": run.arch,
            "dataset": run.data, "seed": run.seed, "step": run.step, "steps": run.steps, "wish": run.wish,
            "created": run.created}


def _wish(id: str, what: str, as_json: bool) -> None:
    from rankzoo.runs.store import Store

    store = Store()
    store.wish(id, what, OWNER)
    found = store.run(id)
    waits = "as soon as the app runs" if found.state == "queued" else "at its next step"
    say = f"Run {id} is {found.state}" + (f"; {what} was asked for and follows {waits}." if found.wish else
                                          f"; it goes on {waits}." if what == "resume" else ".")
    emit(as_json, {"ok": True, "say": say} | row(found), say)


def _parsed(config: str) -> object:
    import json

    return json.loads(config)
