"""`list` and `show`: the zoo, and one configured model counted by formula. Nothing is built, no row is made."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from rankzoo.commands.choose import Choice, chosen, document_options
from rankzoo.commands.output import called, cell, emit, json_option, notice, table

if TYPE_CHECKING:
    from rankzoo.blueprint import Blueprint
    from rankzoo.document import Document
    from rankzoo.facts import Fact
    from rankzoo.inspection.scale import Grown, Scaled
    from rankzoo.schema import Schema
    from rankzoo.shape import Count
    from rankzoo.system import System


@click.command("list")
@json_option
def list_systems(as_json: bool) -> None:
    """Every system: the industry table, then the textbook ladder."""
    from rankzoo.registry import systems

    rows = [row(system) for system in systems().values()]
    people = [{"id": r["id"], "title": r["title"], "year": str(r["year"]), "tasks": len(r["tasks"]), "data": r["dataset"],
               "parameters": r["parameters"]["total"], "FLOPs": r["flops_per_example"] or None} for r in rows]
    emit(as_json, rows, f"{table(people)}\n–: multiplies no matrix; `show ID` has its element-wise operations")


@click.command()
@click.argument("id")
@document_options
@click.option("--scale", type=click.Choice(["sample", "industry"]), default="sample",
              help="Count with the sample's tables, or with tables as large as in industry.")
@click.option("--document", "whole", is_flag=True, help="The whole document, as a link and a run hold it.")
@click.option("--tree", is_flag=True, help="The modules as torch holds them (torchinfo).")
@json_option
def show(id: str, sets: tuple[str, ...], data: str, labels: tuple[str, ...], roles: tuple[str, ...], scale: str, whole: bool,
         tree: bool, as_json: bool) -> None:
    """One system: its modules, parameters, FLOPs, and where each value is from."""
    from rankzoo.registry import get

    system = get(id)
    choice = chosen(id, sets, data, labels, [], roles)
    notice(choice.notices)
    if whole:
        text = choice.document.json()
        click.echo(text)
    elif tree:
        from rankzoo.inspection.counts import tree as module_tree

        text = module_tree(choice.document.blueprint, choice.document.schema())
        emit(as_json, {"tree": text}, text)
    else:
        _counts(system, choice, scale, as_json)


def _counts(system: System, choice: Choice, scale: str, as_json: bool) -> None:
    from rankzoo.inspection.counts import parts, shaped
    from rankzoo.inspection.memory import held, worked
    from rankzoo.inspection.scale import costs, growing
    from rankzoo.runs.limits import check, profile

    document, blueprint, schema = choice.document, choice.document.blueprint, choice.document.schema()
    answer: dict[str, object] = {"blueprint": blueprint.model_dump(mode="json"), "hash": blueprint.hash}
    told, taken = "", []
    if scale == "industry":
        large = document.industry()
        known = {size.at for size in large.sizes if size.table}
        more = growing(blueprint, schema, known)
        answer["scale"] = {"name": scale, "factor": large.factor, "tables": list(more.tables), "items": list(more.items),
                           "tag": "ours", "costs": costs(large, document.settings.batch_size),
                           "sizes": [{"path": size.at, size.unit: size.value} | fact(size.fact)
                                     for size in large.sizes]}
        told = large_as_told(large, more)
        taken = _costs(answer["scale"]["costs"], document.settings.batch_size, large.count)
        blueprint, schema = large.blueprint, large.schema
    else:
        check(document, profile())
    count, batch = blueprint.count(schema), document.settings.batch_size
    before = grown(document, blueprint, schema)
    answer |= {"modules": parts(blueprint, schema, batch), "parameters": numbers(count), "flops_per_example": count.flops,
               "memory": {"batch": batch, **worked(count, batch)}, "provenance": facts(system),
               "system": system.id, "dataset": document.data, "changed": list(document.changed()),
               "grew": before}
    rows = [{**row, "output_shape": shaped(row)} for row in answer["modules"]]
    columns = ("path", "kind", "parameters", "flops", *(["flops_once"] if count.once else []), "output_shape", "working")
    emit(as_json, answer, "\n".join([
        f"{system.title} on {called(document.data)} · blueprint {blueprint.hash}{told}", "",
        table(rows, columns), "",
        f"{count.parameters:,} parameters: {count.embedding:,} in tables, {count.dense:,} dense · "
        f"{_work(count)} per example" + (f", and {count.once:,} once a pass for the items" if count.once else ""),
        f"{answer['memory']['serving']:,} bytes in serving, {answer['memory']['training']:,} in training with batches of "
        f"{batch}: " + ", ".join(f"{term.what} {term.working}" for term in held(count, batch)),
        *taken,
        *([f"Grew out of {before['told']}: `compare {system.id}` sets them side by side"] if before else []), "",
        facts_table(system)]))


def _costs(found: Mapping[str, int], batch: int, count: Count) -> list[str]:
    """What a model of that size takes, in the words of the page."""
    from rankzoo.figures.words import flops, memory, whole
    from rankzoo.inspection.scale import CANDIDATES, NUMBERS

    work = {"flops_request": "once a request", "flops_candidate": "for each candidate", "flops_once": "once, to encode the items"}
    each = ", ".join(f"{flops(found[key])} {said}" for key, said in work.items() if key != "flops_once" or found[key])
    return ["", "Counted, not built:", "  " + ", ".join(f"{memory(found[name])} in {name}" for name in NUMBERS),
            f"  {memory(found['training'])} in training, with Adam (row-wise for tables), {memory(found['activations'])} of that "
            f"the activations of a batch of {whole(batch)}; cards of 80 GB that hold it: {whole(found['cards'])}",
            f"  {flops(found['flops_per_request'])} a request of {whole(CANDIDATES)} candidates: {each}"
            if found["flops_per_request"] else f"  {_work(count)} for each candidate of a request"]


def _work(count: Count) -> str:
    """What an example takes: of a model that multiplies no matrix its element-wise operations, which are all that it does."""
    return f"{count.flops:,} FLOPs" if count.flops or not count.elementwise else f"{count.elementwise:,} element-wise operations"


def large_as_told(large: Scaled, more: Grown) -> str:
    """What was enlarged, by whose word."""
    lines = [f"{size.at} = {size.said}{'' if size.unit == 'setting' else f' {size.unit}'} ({size.fact.tag}: {size.fact.name}, "
             f"{size.fact.value}" + (f"; {size.fact.place}" if size.fact.source else "") + ")"
             + (f". {size.fact.why[:1].upper()}{size.fact.why[1:]}" if size.fact.why else "") for size in large.sizes]
    lines += [f"{what} × {large.factor:,} (our choice)"
              for what, names in ((f"tables of {', '.join(more.tables)}", more.tables),
                                  (f"items ({', '.join(more.items)})", more.items)) if names]
    return "".join(f"\n  {line}" for line in ["", *lines])


def grown(document: Document, blueprint: Blueprint, schema: Schema) -> dict[str, object] | None:
    """What the blueprint changes in the model that its system grew out of, and what else stands beside it; null where it grew out
    of none, or where that one cannot stand on these data."""
    from rankzoo.baselines import baselines
    from rankzoo.errors import ZooError
    from rankzoo.inspection.changes import step

    system, found = document.system, baselines(document.system)
    try:
        taken = step(found[0].beside(document).blueprint, blueprint, schema) if found else None
    except ZooError:
        return None
    return taken and {
        "from": found[0].id, "told": found[0].told,
        "beside": [{"name": each.id, "told": each.told, "trained": each.rule is None} for each in found],
        "answers": system.answers, "changes": [change.record() for change in taken.changes], "parameters": taken.parameters,
        "dense": taken.dense, "flops": taken.flops, "elementwise": taken.elementwise}


def row(system: System) -> dict[str, object]:
    """A system as `list` has it."""
    from rankzoo.data.load import schema_of

    count = system.blueprint.count(schema_of(system.dataset))
    return {"id": system.id, "title": system.title, "company": system.company or None, "year": system.source.year,
            "kind": system.kind, "slots": system.slots(), "tasks": list(system.blueprint.tasks), "dataset": system.dataset,
            "parameters": numbers(count), "flops_per_example": count.flops}


def numbers(count: Count) -> dict[str, int]:
    """Parameters, all and by where they lie."""
    return {"total": count.parameters, "embedding": count.embedding, "dense": count.dense}


def facts(system: System) -> list[dict[str, str | None]]:
    """Everything that is told of a system, each with its tag, source and place."""
    return [fact(each) | {"path": each.path or None} for each in system.told]


def fact(f: Fact) -> dict[str, str | None]:
    """One fact with its tag, source and place."""
    return {"name": f.name, "value": f.value, "tag": f.tag, "source": f.source.short if f.source else None,
            "at": f.at or None, "why": f.why or None}


def facts_table(system: System) -> str:
    """The same for people."""
    said: Sequence[dict[str, str]] = [{"tag": f.tag, "fact": f.name, "value": f.value,
                                       "source": ", ".join(p for p in (f.source.short if f.source else "", f.at) if p)
                                       or cell(f.why)} for f in system.told]
    return table(said)
