"""From a system's id, `--set`, `--data` and `--label` to one checked document: what `show` and `train` have in common."""
from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from rankzoo.errors import ZooError

if TYPE_CHECKING:
    from rankzoo.data.roles import Role
    from rankzoo.data.uploads import Upload
    from rankzoo.document import Document

Changes = list[tuple[str, object]]
role_option: Callable = click.option("--role", "roles", multiple=True, metavar="COLUMN=ROLE",
                                     help="What a column of the file is: categorical, numeric, time or ignore. Repeatable.")


@dataclass(frozen=True)
class Choice:
    """A document, what was dropped or assumed on the way, and the file behind it where one was given."""

    document: Document
    notices: tuple[str, ...] = ()
    upload: Upload | None = None


def document_options(command: Callable) -> Callable:
    """The options that choose a document."""
    for option in (
            role_option,
            click.option("--label", "labels", multiple=True, metavar="COLUMN[=VALUE]",
                         help="A label of the file; VALUE is its positive class. Repeatable."),
            click.option("--data", metavar="NAME or FILE", default="", help="Other data: a name of `data list`, or a file."),
            click.option("--set", "sets", multiple=True, metavar="PATH=VALUE",
                         help="Change a setting, as in sharing.experts=8 or settings.lr=0.01. Repeatable.")):
        command = option(command)
    return command


def chosen(id: str, sets: Sequence[str], data: str, labels: Sequence[str], more: Changes,
           roles: Sequence[str] = ()) -> Choice:
    """The preset of a system with the changes and on the data that were asked for.

    The changes are made before the preset meets the data, so that they may replace what the data lack, and again after
    it, so that nothing a person asked for is dropped in silence. Raises a ZooError that names the setting.
    """
    from rankzoo.document import Document
    from rankzoo.training.small import steps

    changes = [change(text) for text in sets] + more
    document = Document.preset(id)
    name, upload = data_of(data, labels, roles)
    asked = wrapped(document, changes)
    document, dropped = document.but(asked).on(name or document.data)
    document = document.but(asked).check()
    notices = (f"Dropped, because the data or the tasks lack it: {'; '.join(dropped)}.",) if dropped else ()
    if document.smaller:
        before, batch = document.system.settings.batch_size, document.settings.batch_size
        notices += (f"Batches of {batch} rows for this small file, so that an epoch has {steps(batch, document.data)} steps; the "
                    f"preset's {before} would leave {steps(before, document.data)}.",)
    return Choice(document, (upload.roles.said if upload else ()) + notices, upload)


def data_of(data: str, labels: Sequence[str], roles: Sequence[str] = ()) -> tuple[str, Upload | None]:
    """The name of a dataset or the hash of a file, which is admitted; an empty name where nothing was asked for."""
    from rankzoo.data.uploads import admit, known, path_of

    if not data or known(data):
        only_of_files(labels, roles, "Give the file with --data.")
        return data, None
    upload = admit(path_of(data), labels=labels, corrections=corrections(roles))
    return upload.hash, upload


def only_of_files(labels: Sequence[str], roles: Sequence[str], fix: str = "") -> None:
    """Raises a ZooError where a label or a role is chosen for data that are no file."""
    if labels:
        raise ZooError("A label can be chosen for a file only.", fix, at="label")
    if roles:
        raise ZooError("A role can be chosen for a file only.", fix, at="role")


def corrections(roles: Sequence[str]) -> dict[str, Role]:
    """«COLUMN=ROLE» as roles by column; which roles there are is checked where the columns are known."""
    found: dict[str, Role] = {}
    for text in roles:
        name, equals, role = text.rpartition("=")
        if not equals or not name:
            raise ZooError("'{text}' is no role of a column.", "Write COLUMN=ROLE, as in movie=categorical.", at="role",
                           text=text[:60])
        found[name] = role
    return found


def change(text: str) -> tuple[str, object]:
    """«PATH=VALUE» as an address and a value: JSON, a comma list, or a word."""
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise ZooError("'{text}' is no setting.", "Write PATH=VALUE, as in sharing.experts=8.", at="set", text=text[:60])
    if path.split(".")[0] in ("data", "arch", "v"):
        raise ZooError("'{path}' is no setting of the model.", "Choose the system by its id and the data with --data.",
                       at=path, path=path[:60])
    return path, value_of(value)


def value_of(text: str) -> object:
    """JSON where it is JSON, a list where it has commas, else the word itself."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ZooError("A value of a setting is nested too deep.", at="set") from None
    except ValueError:
        if "," in text:
            return [value_of(each.strip()) for each in text.split(",") if each.strip()]
        return text


def wrapped(document: Document, changes: Changes) -> Changes:
    """The changes, one value becoming a list of one where the setting is a list: `tasks=click`, `towers.widths=64`."""
    from rankzoo.paths import leaves

    settings = dict(leaves(json.loads(document.model_dump_json())))

    def lists(path: str) -> bool:
        return path == "without" or isinstance(settings.get(path, settings.get(f"blueprint.{path}")), list)

    return [(path, value if value is None or isinstance(value, (list, dict)) or not lists(path) else [value])
            for path, value in changes]
