"""`check`: whether a file or a document could be used here, and if not, why not, in one sentence."""
from __future__ import annotations

import re
import sys

import click

from rankzoo.commands.choose import corrections, role_option
from rankzoo.commands.output import called, emit, json_option, notice
from rankzoo.errors import ZooError

LINK = re.compile(r"(?:\S*[?&])?c=([^&#\s]*)(?:[&#]\S*)?|([jz][A-Za-z0-9_-]+)")


@click.group()
def check() -> None:
    """Check a file or a document without keeping or training anything."""


@check.command("data")
@click.argument("file")
@click.option("--label", "labels", multiple=True, metavar="COLUMN[=VALUE]", help="A label of the file. Repeatable.")
@role_option
@json_option
def check_data(file: str, labels: tuple[str, ...], roles: tuple[str, ...], as_json: bool) -> None:
    """A CSV or Parquet file."""
    from rankzoo.data.uploads import examine, path_of

    table, found = examine(path_of(file), labels=labels, corrections=corrections(roles))
    notice(found.said)
    names = ", ".join(label.column for label in found.labels)
    say = f"The file can be used: {table.num_rows:,} rows, {table.num_columns} columns, label {names}."
    emit(as_json, {"ok": True, "say": say}, say)


@check.command("document")
@click.argument("file", metavar="FILE or -")
@json_option
def check_document(file: str, as_json: bool) -> None:
    """A document as JSON, or a link that carries one."""
    from rankzoo.document import Document
    from rankzoo.link import text_of as carried
    from rankzoo.runs.limits import check as within
    from rankzoo.runs.limits import profile

    text = text_of(file).strip()
    link = LINK.fullmatch(text)
    text = carried(link[1] or link[2] or "") if link else text
    try:
        document = Document.parse(text)
    except ZooError as error:
        if not text.lstrip().startswith("{"):
            error.at = ""  # a list or a word has no address
        raise
    within(document.check(), profile())
    count = document.blueprint.count(document.schema())
    say = f"The document can be used: {document.arch} on {called(document.data)}, {count.parameters:,} parameters."
    emit(as_json, {"ok": True, "say": say}, say)


def text_of(file: str) -> str:
    """The text of a file or of standard input; never more than a link may hold, and a little."""
    from rankzoo.parsing import LONGEST

    try:
        if file == "-":
            raw = sys.stdin.buffer.read(4 * LONGEST)
        else:
            with open(file, "rb") as stream:
                raw = stream.read(4 * LONGEST)
        return raw.decode("utf-8-sig")
    except (FileNotFoundError, IsADirectoryError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise ZooError("This document could not be read; it may have been cut off.", "It is not UTF-8 text.") from None
        raise ZooError("There is no file '{name}'.", "Check the path.", at="document", name=file[-200:]) from None
