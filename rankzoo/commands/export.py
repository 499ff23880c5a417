"""`export`: a model or a run as a file: PyTorch code of it, its document, its diagram, or a page about it."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rankzoo.commands.choose import chosen, document_options
from rankzoo.commands.output import emit, json_option, notice, shown
from rankzoo.errors import ZooError, closest

if TYPE_CHECKING:
    from rankzoo.document import Document
    from rankzoo.export.picture import Learned
    from rankzoo.runs.tables import Run

FORMATS = ("pytorch", "json", "svg", "png", "report")


@click.command()
@click.argument("id", metavar="ID or RUN")
@click.option("--format", "form", type=click.Choice(FORMATS), required=True,
              help="PyTorch code, the document, the diagram (two ways), or an HTML page.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
@document_options
@json_option
def export(id: str, form: str, out: Path, sets: tuple[str, ...], data: str, labels: tuple[str, ...], roles: tuple[str, ...],
           as_json: bool) -> None:
    """Write a system's model, or a run's with what it learned, to a file."""
    from rankzoo.registry import systems

    if id in systems():
        choice = chosen(id, sets, data, labels, [], roles)
        notice(choice.notices)
        document, inside, run = choice.document, None, None
    elif sets or data or labels or roles:
        raise ZooError("A run is exported as it was trained.", "Leave --set, --data, --label and --role out.", at="set")
    else:
        document, inside, run = _run(id)
    content, checked, *weights = WRITERS[form](document, inside, run, out.name)
    beside = out.with_suffix(".pt")
    try:
        out.write_bytes(content)
        if run and weights:
            beside.write_bytes(weights[0])
    except OSError as error:
        raise ZooError("{path} cannot be written: {why}.", at="out", path=shown(out), why=error.strerror or "unknown") from None
    answer = {"path": str(out), "format": form, "bytes": len(content), "checked": checked}
    if run and weights:
        emit(as_json, answer | {"weights": str(beside)}, f"{shown(out)}, its weights {shown(beside)}: {checked}.")
    else:
        emit(as_json, answer, f"{shown(out)}: {checked}.")


def _run(id: str) -> tuple[Document, Learned, Run]:
    from rankzoo.export.picture import learned
    from rankzoo.runs.store import Store

    document, found = run_of(id)
    return document, learned(document.schema(), Store().points(found.id), found.outcome or {}), found


def run_of(id: str) -> tuple[Document, Run]:
    """A stored run and its document; raises a ZooError that knows systems too, which may have been meant."""
    from rankzoo.document import Document
    from rankzoo.registry import systems
    from rankzoo.runs.store import Store

    try:
        found = Store().run(id)
    except ZooError:
        fix = closest(id, list(systems())) or "`list` and `runs list` name them."
        raise ZooError("There is no system and no run '{name}'.", fix, at="id", name=shown(id[:60])) from None
    return Document.parse(found.config), found


def _pytorch(document: Document, inside: Learned | None, run: Run | None, name: str) -> tuple[bytes, str, bytes]:
    from rankzoo.export.code import taken, weights_file

    made = taken(document, run.id if run else "", name)
    return made.text.encode(), made.checked, weights_file(made)


def _json(document: Document, inside: Learned | None, run: Run | None, name: str) -> tuple[bytes, str]:
    from rankzoo.document import Document as Read

    text = document.json() + "\n"
    if Read.parse(text) != document:
        raise ZooError("The document was not the same when it was read again.", at="format")
    return text.encode(), "read again, the same document"


def _svg(document: Document, inside: Learned | None, run: Run | None, name: str) -> tuple[bytes, str]:
    from rankzoo.export.picture import NOTHING, drawn
    from rankzoo.figures.svg import MARGIN, to_svg
    from rankzoo.figures.theme import theme

    text = to_svg(drawn(document, inside or NOTHING), theme("light"), MARGIN) + "\n"
    return text.encode(), _well_formed(text)


def _png(document: Document, inside: Learned | None, run: Run | None, name: str) -> tuple[bytes, str]:
    from rankzoo.export.picture import NOTHING, drawn
    from rankzoo.figures.png import to_png
    from rankzoo.figures.theme import theme

    content = to_png(drawn(document, inside or NOTHING), theme("light"))
    wide, high = (int.from_bytes(content[at:at + 4]) for at in (16, 20))
    return content, f"{wide:,} × {high:,} pixels"


def _report(document: Document, inside: Learned | None, run: Run | None, name: str) -> tuple[bytes, str]:
    from rankzoo.export.picture import NOTHING
    from rankzoo.export.report import report

    text = report(document, inside or NOTHING, run if run and run.outcome else None)
    begin, end = text.index("<svg"), text.rindex("</svg>")
    return text.encode(), f"its pictures {_well_formed('<div>' + text[begin:end] + '</svg></div>')}"


def _well_formed(text: str) -> str:
    """What was checked of XML: that it can be read, and how many elements it has."""
    from xml.etree import ElementTree

    return f"well-formed, {sum(1 for _ in ElementTree.fromstring(text).iter()):,} elements"


WRITERS: dict[str, Callable[..., tuple]] = {"pytorch": _pytorch, "json": _json, "svg": _svg, "png": _png, "report": _report}
