"""Roles: what each column of a file is for. Guessed from names and values, corrected by the user, told in sentences.

More than 250 lines: how columns are guessed, checked and named is one set of rules.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from rankzoo.data.columns import as_numbers, as_text, counts, different, infinite, is_numeric, is_text, missing, written_nan
from rankzoo.data.later import pa, pc
from rankzoo.data.sides import side
from rankzoo.data.split import cuts, is_time, moments
from rankzoo.data.whole import Whole, id_name, is_whole, judge, told
from rankzoo.errors import ZooError, closest
from rankzoo.schema import Side, TaskKind

Role = Literal["label", "categorical", "numeric", "time", "ignore"]
ROLES: tuple[Role, ...] = ("label", "categorical", "numeric", "time", "ignore")
_AS: Sequence[Role] = ("numeric", "categorical")
MAX_TASKS = 8
LABEL_NAMES = ("label", "click", "target", "y")
# Pairs in which everyone knows the positive class; else the rarer value is taken, and said.
NATURAL = {frozenset({"0", "1"}): "1", frozenset({"-1", "1"}): "1", frozenset({"false", "true"}): "true"}


class Label(BaseModel):
    """One task: its column, its name in the model, and for two classes the value (as text) that counts as 1; `of` as a Task's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    task: str
    kind: TaskKind = "binary"
    of: str = ""
    positive: str | None = None

    def encode(self, column: pa.ChunkedArray) -> np.ndarray:
        """(row,) float32, NaN where missing."""
        if self.positive is None:
            return as_numbers(column).astype(np.float32)
        words = as_text(column)
        hit = pc.equal(words, self.positive).cast(pa.float32())
        return hit.to_numpy(zero_copy_only=False).astype(np.float32)


class Roles(BaseModel):
    """The role of every column, and what the user should know about how it was found. whole: what columns of whole numbers were
    taken for, and why ·
    sides: whom a feature describes, where its name tells · time: the column that rows are split by, which no model reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: tuple[Label, ...]
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    whole: tuple[Whole, ...] = ()
    sides: Mapping[str, Side] = {}
    time: str = ""

    def when(self, table: pa.Table) -> np.ndarray | None:
        """(row,) when each happened, where a column tells."""
        return moments(table[self.time]) if self.time else None

    @property
    def said(self) -> tuple[str, ...]:
        """All of it for the command line."""
        return (*self.notices, *told(self.whole))

    @property
    def chosen(self) -> tuple[str, ...]:
        """The labels as `guess` takes them; a column whose name holds «=» can only stand alone."""
        return tuple(label.column if label.positive is None or "=" in label.column else f"{label.column}={label.positive}"
                     for label in self.labels)

    def of(self, column: str) -> Role:
        """The role of a column."""
        for role in ("categorical", "numeric", "ignore"):
            if column in getattr(self, role):
                return role
        return "time" if column == self.time else "label"


def guess(table: pa.Table, labels: Iterable[str] = (), corrections: Mapping[str, Role] | None = None) -> Roles:
    """The roles of a table. `labels` are «COLUMN» or «COLUMN=VALUE», VALUE being the positive class; `corrections` maps
    columns to roles that the user set. Raises a ZooError where no column can be a label or the file cannot be used so."""
    corrections = dict(corrections or {})
    _check_corrections(table, corrections)
    notices: list[str] = []
    wanted = _wanted(table, labels, corrections) or _find_labels(table, corrections, notices)
    tasks = _task_names([name for name, _ in wanted])
    found = tuple(_label(table, name, task, value, notices) for (name, value), task in zip(wanted, tasks, strict=True))
    roles: dict[str, list[str]] = {"categorical": [], "numeric": [], "time": [], "ignore": []}
    others = [name for name in table.column_names if name not in dict(wanted)]
    answers = [label.encode(table[label.column]) for label in found]
    corrections |= _times(table, [name for name in others if name not in corrections], corrections, answers, notices)
    time = next((name for name in others if corrections.get(name) == "time"), "")
    rows = cuts(table.num_rows, moments(table[time]) if time else None)[0]
    whole = _whole(table, others, answers, rows, corrections)
    for name in table.column_names:
        if name not in dict(wanted):
            role = corrections.get(name) or _feature(table, name, notices, whole)
            _check_feature(table, name, role)
            roles[role].append(name)
    if not roles["categorical"] and not roles["numeric"]:
        raise ZooError("No column is left to learn from.", "Give at least one column the role categorical or numeric.")
    features = (*roles["categorical"], *roles["numeric"])
    kept = tuple(each for name, each in whole.items() if name in features)
    sides = {name: about for name in features if (about := side(name))}
    return Roles(labels=found, notices=tuple(notices), whole=kept, sides=sides, time=time,
                 **{role: tuple(names) for role, names in roles.items() if role != "time"})


def _times(table: pa.Table, free: Sequence[str], corrections: Mapping[str, Role], labels: Sequence[np.ndarray],
           notices: list[str]) -> dict[str, Role]:
    """The column that tells when rows happened, the first of them, and those that are left out beside it."""
    asked = [name for name, role in corrections.items() if role == "time"]
    if len(asked) > 1:
        raise ZooError("'{one}' and '{other}' both have the role time; rows can be split by one.", "Give one of them the role "
                       "ignore.", at=f"roles.{asked[1]}", one=asked[0], other=asked[1])
    found = [name for name in free if is_time(name, table[name])]
    if not found:
        return {}
    name = (asked or found)[0]
    parts = cuts(table.num_rows, moments(table[name]))
    if not asked and any(len(np.unique(label[part])) < 2 for label in labels for part in (parts[0], parts[2])):
        notices.append(f"'{name}' is a time, but the earliest or latest rows have one label only: rows are split at random.")
        return dict.fromkeys(found, "ignore")
    others = [each for each in found if each != name]
    if others:
        notices.append(f"Rows are split by '{name}'; {', '.join(others)} are times, too, and left out.")
    return dict.fromkeys(others, "ignore") | ({} if asked else {name: "time"})


def _whole(table: pa.Table, names: Iterable[str], labels: Iterable[np.ndarray], rows: np.ndarray,
           corrections: Mapping[str, Role]) -> dict[str, Whole]:
    """Columns of whole numbers as they were judged by the labels of some rows, or as the user has them where that differs."""
    found = {name: judge(name, table[name], labels, rows) for name in names if is_whole(table[name])}
    wrong = [name for name in found if corrections.get(name, _AS[found[name].ids]) != _AS[found[name].ids]]
    return found | {name: Whole(name, corrections[name] == "categorical", "chosen") for name in wrong}


def _wanted(table: pa.Table, labels: Iterable[str], corrections: Mapping[str, Role]) -> list[tuple[str, str | None]]:
    """The labels that the user named, as column and positive value, each once."""
    named = [_split(table, text) for text in labels]
    named += [(name, None) for name, role in corrections.items() if role == "label" and name not in dict(named)]
    named = list(dict.fromkeys(named))
    if len(named) > MAX_TASKS:
        raise ZooError("{found} labels were named; the limit is {limit}.", "Leave some out.", at="label", found=len(named),
                       limit=MAX_TASKS)
    return named


def _check_corrections(table: pa.Table, corrections: Mapping[str, str]) -> None:
    for name, role in corrections.items():
        _check_column(table, name)
        if role not in ROLES:
            raise ZooError("Unknown role '{role}'.", closest(role, list(ROLES)) or "Known are: {roles}.", at=f"roles.{name}",
                           role=role, roles=", ".join(ROLES))


def _check_column(table: pa.Table, name: str) -> None:
    if name not in table.column_names:
        raise ZooError("There is no column '{name}'.", closest(name, table.column_names) or "The table has: {names}.",
                       at="label", name=name[:200], names=", ".join(table.column_names[:20]))


def _split(table: pa.Table, text: str) -> tuple[str, str | None]:
    """«COLUMN=VALUE» or «COLUMN»; a column whose name holds «=» wins over the reading as a value."""
    if text in table.column_names or "=" not in text:
        _check_column(table, text)
        return text, None
    name, value = text.split("=", 1)
    _check_column(table, name)
    return name, value


def _find_labels(table: pa.Table, corrections: Mapping[str, Role], notices: list[str]) -> list[tuple[str, str | None]]:
    free = [name for name in table.column_names if name not in corrections]
    named = [name for wanted in LABEL_NAMES for name in free if name.casefold() == wanted]
    named += [name for name in free if name.casefold().startswith("label_")]
    if len(named) > MAX_TASKS:
        notices.append(f"{len(named)} columns look like labels; the first {MAX_TASKS} are used, the others are ignored.")
    if named:
        return [(name, None) for name in named[:MAX_TASKS]]
    for name in reversed(free):
        if not missing(table[name]) and different(table[name]) == 2:
            (_, often), (rare, few) = zip(*counts(table[name]), strict=True)
            notices.append(f"No column is named 'label', so '{name}' is taken: the last one with two values. "
                           f"'{rare}', the rarer one, counts as 1 ({few:,} of {few + often:,} rows).")
            return [(name, rare)]
    raise ZooError("No column can be the label: none is named 'label' and none has two values.", "Choose one.", at="label")


def _label(table: pa.Table, name: str, task: str, value: str | None, notices: list[str]) -> Label:
    column = table[name]
    number = _check_label(column, name, table.num_rows)
    if value is not None:
        return Label(column=name, task=task, positive=_positive(column, name, value))
    if number == 2:
        return Label(column=name, task=task, positive=_positive_of_two(column, name, notices))
    if is_numeric(column.type):
        return Label(column=name, task=task, kind="regression")
    raise ZooError("The label '{name}' has {number} different words; it must be numbers or have two values.",
                   "Choose another label, or name its positive class as {name}=VALUE.", at=name, name=name, number=number)


def _check_label(column: pa.ChunkedArray, name: str, rows: int) -> int:
    """How many different values a label has; raises a ZooError where it cannot be one."""
    absent = missing(column) + written_nan(column)
    if absent == rows:
        raise ZooError("Column '{name}' is empty (all missing).", "Choose another label.", at=name, name=name)
    if absent:
        raise ZooError("1 row has a missing label." if absent == 1 else "{count} rows have a missing label.",
                       "Fill it in or remove the row (column '{name}')." if absent == 1 else
                       "Fill them in or remove the rows (column '{name}').", at=name, count=f"{absent:,}", name=name)
    if infinite(column):
        raise ZooError("Column '{name}' has infinite numbers.", "Replace or remove them.", at=name, name=name)
    number = different(column)
    if number == 1:
        raise ZooError("All labels are the same: only one class, nothing to learn.", "Choose a label with two values "
                       "(column '{name}').", at=name, name=name)
    return number


def _positive(column: pa.ChunkedArray, name: str, value: str) -> str:
    """The value as the column writes it."""
    words = counts(column)[0]
    as_written = [word for word in words if word == value] or [word for word in words if _same(word, value)]
    if not as_written:
        raise ZooError("Column '{name}' has no value '{value}'.", closest(value, words[:1000]) or "It has: {words}.",
                       at=name, name=name, value=value[:200], words=", ".join(words[:10]))
    return as_written[0]


def _same(word: str, value: str) -> bool:
    """Whether two words mean one thing: up to surrounding spaces and case, or as numbers (1 and 1.0)."""
    if word.strip().casefold() == value.strip().casefold():
        return True
    try:
        return float(word) == float(value)
    except ValueError:
        return False


def _positive_of_two(column: pa.ChunkedArray, name: str, notices: list[str]) -> str:
    (first, second), (often, rare) = counts(column)
    natural = NATURAL.get(frozenset({first.casefold(), second.casefold()}))
    if natural:
        return first if first.casefold() == natural else second
    notices.append(f"In '{name}' the value '{second}', the rarer one, counts as 1 ({rare:,} of {rare + often:,} rows).")
    return second


def _feature(table: pa.Table, name: str, notices: list[str], judged: Mapping[str, Whole]) -> Role:
    """Words are categorical, numbers numeric, whole numbers as they were judged; what only numbers the rows is left out."""
    column = table[name]
    if missing(column) == table.num_rows:
        return "numeric"
    words, whole = is_text(column.type), pa.types.is_integer(column.type)
    if (words or whole) and table.num_rows > 2 and different(column) == table.num_rows and (
            words or id_name(name) or _counts_up(as_numbers(column), table.num_rows)):
        notices.append(f"Column '{name}' is different in every row, so it is left out.")
        return "ignore"
    return "categorical" if words or not is_numeric(column.type) or name in judged and judged[name].ids else "numeric"


def _counts_up(values: np.ndarray, rows: int) -> bool:
    """Whether different whole numbers leave no gap: a running number."""
    return bool(values.max() - values.min() == rows - 1)


def _check_feature(table: pa.Table, name: str, role: Role) -> None:
    column = table[name]
    if role == "ignore":
        return
    if missing(column) == table.num_rows:
        raise ZooError("Column '{name}' is empty (all missing).", "Remove it, or give it the role ignore.", at=name,
                       name=name)
    if infinite(column):
        raise ZooError("Column '{name}' has infinite numbers.", "Replace or remove them.", at=name, name=name)
    if role == "time" and moments(column) is None:
        raise ZooError("Column '{name}' cannot be read as a time.", "Write it as 2024-01-31, 2024-01-31 12:00:00 or a number, or "
                       "give it the role ignore.", at=name, name=name)
    if role == "numeric" and is_text(column.type):
        raise ZooError("Column '{name}' has words, so it cannot be numeric.", "Give it the role categorical.", at=name,
                       name=name)


def _task_names(columns: list[str]) -> list[str]:
    """Names that a task may have (letters, digits, space, _), distinct, in the order of the columns."""
    names: list[str] = []
    for column in columns:
        base = re.sub(r"[^\w ]", "_", column).strip()[:60] or "label"
        name, number = base, 2
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    return names
