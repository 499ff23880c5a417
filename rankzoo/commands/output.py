"""How commands answer: JSON or a table on standard output, notices on standard error."""
from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import click

from rankzoo.errors import ZooError

HASH = re.compile(r"[0-9a-f]{16}")
json_option: Callable = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON document.")


def emit(as_json: bool, answer: object, text: str) -> None:
    """The answer on standard output: as one JSON document, or as the text for people."""
    click.echo(json.dumps(finite(answer), allow_nan=False) if as_json else text)


def notice(sentences: Iterable[str]) -> None:
    """What a person should know, on standard error."""
    for sentence in sentences:
        click.echo(f"Note: {shown(sentence)}", err=True)


def finite(value: object) -> object:
    """The same value for JSON, which knows no NaN: null stands where a number is not finite."""
    if isinstance(value, Mapping):
        return {str(key): finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def shown(text: object) -> str:
    """Text for a terminal: a character that would command it, or turn the writing direction, becomes a box."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\N{WHITE SQUARE}" for sign in str(text))


def called(data: str) -> str:
    """A dataset's name for people: in place of an own file's hash the file's name, as long as the file is kept."""
    if not HASH.fullmatch(data):
        return data
    from rankzoo.data.uploads import upload

    try:
        return shown(upload(data).name)
    except ZooError:
        return data


def cell(value: object) -> str:
    """A value in a table: thousands separated, four digits behind the point, a dash for nothing."""
    if value is None or isinstance(value, float) and not math.isfinite(value):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4f}" if abs(value) < 1e6 else f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return " ".join(cell(each) for each in value)
    return shown(value).replace("\n", " ")


def table(records: Sequence[Mapping[str, object]], columns: Sequence[str] = ()) -> str:
    """Records as aligned columns under their names; numbers stand right."""
    if not records:
        return "nothing"
    names = list(columns or records[0])
    rows = [[cell(record.get(name)) for name in names] for record in records]
    right = [all(isinstance(record.get(name), (int, float, type(None))) for record in records) for name in names]
    widths = [max(map(len, [name, *(row[i] for row in rows)])) for i, name in enumerate(names)]
    lines = [[name for name in names], *rows]
    return "\n".join("  ".join(text.rjust(width) if is_right else text.ljust(width)
                               for text, width, is_right in zip(line, widths, right, strict=True)).rstrip() for line in lines)
