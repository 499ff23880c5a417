"""`data`: the sample datasets and own files: what they hold, and the role of each column."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rankzoo.commands.choose import corrections, only_of_files, role_option
from rankzoo.commands.output import emit, json_option, notice, shown, table
from rankzoo.commands.plain import plain
from rankzoo.errors import ZooError

SHOWN = 12

if TYPE_CHECKING:
    import pyarrow as pa

    from rankzoo.data.roles import Roles
    from rankzoo.schema import Schema


@click.group()
def data() -> None:
    """List, make, show and export data."""


@data.command("list")
@json_option
def list_data(as_json: bool) -> None:
    """The built-in datasets, then the files that were taken in."""
    from rankzoo.data.load import names
    from rankzoo.data.uploads import uploads

    rows = [{"name": each.name, "title": each.title, "rows": each.rows, "sentence": each.sentence, "kind": "built-in"}
            for each in names()]
    rows += [{"name": each.hash, "title": each.name, "rows": each.rows, "sentence": f"A file with {each.columns} columns.",
              "kind": "file"} for each in uploads()]
    emit(as_json, rows, table(rows, ("name", "title", "rows", "sentence")))


@data.command()
@click.argument("name")
@click.option("--rows", type=int, help="How many rows; the dataset's own default otherwise.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the generator.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to; below RANKZOO_HOME otherwise.")
@json_option
def make(name: str, rows: int | None, seed: int, out: Path | None, as_json: bool) -> None:
    """Generate a sample dataset of any size as Parquet, with its true logits in a second file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from rankzoo.data import census
    from rankzoo.data.home import home
    from rankzoo.data.limits import limits_of
    from rankzoo.data.world import check_rows, world

    if name == census.NAME:
        raise ZooError("'{name}' is a real table and is not generated.", "Its file is sample_data/census.parquet.", at="data",
                       name=name)
    chosen = world(name)
    rows = chosen.rows if rows is None else rows
    check_rows(rows)
    if rows > limits_of().rows:
        raise ZooError("{rows:,} rows; the limit is {limit:,}.", at="rows", rows=rows, limit=limits_of().rows)
    if seed < 0:
        raise ZooError("The seed is {seed}.", "Give a whole number of at least 0.", at="seed", seed=seed)
    path = out or home() / "data" / f"{name}-{rows}-seed{seed}.parquet"
    truth = path.with_name(f"{path.stem}.truth.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    made = chosen.make(rows, seed)
    pq.write_table(made.table, path, compression="zstd")
    pq.write_table(pa.table({**made.truth.logits, **made.truth.ranks}), truth, compression="zstd")
    items = path.with_name(f"{path.stem}.catalogue.parquet") if made.catalogue is not None else None
    if items:
        pq.write_table(made.catalogue, items, compression="zstd")
    answer = {"name": name, "rows": rows, "seed": seed, "path": str(path), "truth": str(truth),
              "catalogue": items and str(items), "fields": fields(chosen.schema), "tasks": tasks(chosen.schema)}
    emit(as_json, answer, f"{rows:,} rows of {name} in {shown(path)}, their true logits in {shown(truth.name)}"
         + (f", what they name in {shown(items.name)}." if items else "."))


@data.command("show")
@click.argument("name", metavar="NAME or FILE")
@click.option("--label", "labels", multiple=True, metavar="COLUMN[=VALUE]", help="A label of the file. Repeatable.")
@role_option
@json_option
def show_data(name: str, labels: tuple[str, ...], roles: tuple[str, ...], as_json: bool) -> None:
    """What a dataset holds, what was planted in it and what can be known; of a file the guessed role of each column."""
    from rankzoo.data.uploads import examine, known, path_of

    if known(name):
        only_of_files(labels, roles)
        answer, notices = _named(name)
    else:
        found, guessed = examine(path_of(name), labels=labels, corrections=corrections(roles))
        answer, notices = _file(name, found, guessed), guessed.said
    notice(notices)
    emit(as_json, answer, "\n".join([f"{shown(answer['name'])}: {answer['rows']:,} rows", *said(answer), "", listed(answer)]))


def listed(answer: dict) -> str:
    """The fields as a table."""
    columns = {"name": "field", "role": "role", "values": "values"}
    columns |= {"missing": "missing", "side": "describes"} if "missing" in answer["fields"][0] else {}
    rows = [{said: each[name] for name, said in columns.items()} for each in answer["fields"]]
    gaps = any(each.get("missing") and each["role"] == "numeric" for each in answer["fields"])
    said = "\n\nA network reads a missing number as the mean of the training rows." if gaps else ""
    return table(rows) + _split(answer) + said


def _split(answer: dict) -> str:
    if "split" not in answer:
        return ""
    how = f"by time ({answer['split']}): the earliest train, the latest test" if answer["split"] else "at random"
    return f"\n\nRows are split {how}. AUC is over all test rows, not within a request."


def said(answer: dict) -> list[str]:
    """The card of a built-in dataset in lines: what it is, its recipe, its tasks beside what can be known, what was planted."""
    if "licence" not in answer:
        return []
    parts = ", ".join(f"{rows:,} {part}" for part, rows in answer["parts"].items())
    lines = [answer["sentence"], f"{parts} · {answer['licence']}", ""]
    lines += ["recipe: " + plain(answer["formula"]).replace("\n", "\n        "), ""] if answer["formula"] else []
    rows = [{"task": each["name"], "kind": each["kind"], "rate": each["rate"]}
            | {f"best {name}": answer["oracle"].get(each["name"], {}).get(name) for name in ("auc", "mrr", "f1", "rmse")
               if any(name in scores for scores in answer["oracle"].values())} for each in answer["tasks"]]
    lines.append(table(rows))
    for planted in answer["planted"].values():
        more = len(planted["rows"]) - SHOWN
        lines += ["", f"planted: {planted['title']}. {planted['sentence']}", table(planted["rows"][:SHOWN])]
        lines += [f"… {more:,} more rows; all of them with --json"] if more > 0 else []
    return lines


@data.command("csv")
@click.argument("file")
def csv(file: str) -> None:
    """A file as the app writes CSV: no cell that a spreadsheet would run."""
    from rankzoo.data.files import csv_text, read
    from rankzoo.data.uploads import path_of

    click.get_binary_stream("stdout").write(csv_text(read(path_of(file))).encode())


def _named(name: str) -> tuple[dict, tuple[str, ...]]:
    """A built-in dataset, or a file that was taken in before."""
    from rankzoo.data import uploads

    if uploads.exists(name):
        upload = uploads.upload(name)
        return _file(upload.name, uploads.table(name), upload.roles), upload.roles.said
    from rankzoo.data import load
    from rankzoo.inspection.card import PLANTED, card

    found = next(each for each in load.names() if each.name == name)
    schema, made = load.schema_of(name), card(name)
    rates = made.rates.set_index("task")
    planted = {key: {"title": PLANTED[key][0], "sentence": PLANTED[key][1], "rows": frame.to_dict("records")}
               for key, frame in made.planted.items()}
    about = [each | {"rate": float(rates["rate"][each["name"]]), "rows": int(rates["rows"][each["name"]])}
             for each in tasks(schema)]
    return {"name": name, "title": found.title, "rows": found.rows, "sentence": found.sentence, "parts": dict(made.parts),
            "licence": made.licence, "formula": made.formula, "fields": fields(schema), "tasks": about, "oracle": made.oracle,
            "planted": planted, "notices": []}, ()


def fields(schema: Schema) -> list[dict[str, object]]:
    """Every column of a known schema, as `data show` has it; `values` counts the different ones, unknown included."""
    found = [{"name": f.name, "role": f.kind, "values": f.vocabulary or None, "side": f.side, "bias": f.bias}
             for f in schema.features]
    found += [{"name": f"{h.name}.{f.name}", "role": "history", "values": f.vocabulary, "side": "user", "bias": False}
              for h in schema.histories for f in h.fields]
    if schema.catalogue:
        found += [{"name": schema.catalogue.table(name), "role": "attribute", "values": schema.catalogue.values(name) or None,
                   "side": "item", "bias": False} for name in schema.catalogue.attributes]
    found += [{"name": name, "role": "auction", "values": None, "side": None, "bias": False}
              for name in ((schema.bids.goal, schema.bids.amount) if schema.bids else ())]
    return found + [{"name": t.name, "role": "label", "values": None, "side": None, "bias": False} for t in schema.tasks]


def tasks(schema: Schema) -> list[dict[str, str]]:
    """The tasks of a schema."""
    return [{"name": t.name, "kind": t.kind} for t in schema.tasks]


def _file(name: str, found: pa.Table, roles: Roles) -> dict[str, object]:
    from rankzoo.data.columns import different, missing
    from rankzoo.data.files import label_of

    listed = [{"name": column, "role": roles.of(column), "values": different(found[column]), "missing": missing(found[column]),
               "side": roles.sides.get(column)} for column in found.column_names]
    return {"name": label_of(name), "rows": found.num_rows, "fields": listed,
            "tasks": [{"name": t.task, "kind": t.kind, "column": t.column, "positive": t.positive} for t in roles.labels],
            "split": roles.time or None, "notices": list(roles.said)}
