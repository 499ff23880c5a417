"""What the data look like: `Schema` describes the columns, histories, tasks and items of a dataset.

More than 250 lines, because its parts name one another and every room reads them from one place.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Literal

from rankzoo.errors import Said, ZooError, axes, closest, listed, nearest

Side = Literal["user", "item", "context"]


@dataclass(frozen=True)
class Feature:
    """One input column.

    `vocabulary` counts every row of its table, row 0 (unknown, missing, padding) included; 0 for a numeric feature.
    `side` says whom it describes. `bias` marks what is known when logging but not when serving (the position of an impression):
    only a biased tower may read it. `out` marks what a model was told to leave out. `single` marks ids of
    which most training rows have one of their own.
    """

    name: str
    kind: Literal["categorical", "numeric"] = "categorical"
    vocabulary: int = 0
    side: Side = "context"
    bias: bool = False
    out: bool = False
    single: bool = False


@dataclass(frozen=True)
class Amount:
    """A number that a row or a past item has through an id. of: a feature, or a field of the history in question, or, added up
    over a whole history, `history.field` · each: what the ids stand for, from id 1 · running: whether an item's number is its own
    and those of all newer ones together."""

    of: str
    each: tuple[float, ...]
    running: bool = False


@dataclass(frozen=True)
class Gap:
    """How a field is made by hand: by how much the row's own amount exceeds a past item's, in buckets, crossed with what the item
    is. own: of the row, 0 where it is None · edges: between the buckets · by: fields of the same history."""

    past: Amount
    edges: tuple[float, ...]
    own: Amount | None = None
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class HistoryField:
    """One attribute of past items. `table`: the feature whose embedding table it shares, or "" for its own · `spelled`: where ids
    are words of a language, those words, of id 1 the first · `counted`: values are amounts, read as they are · `stepped`: ids are
    steps of an amount, which name nothing · `gap`: how it is made of a row's other ids, where no column holds it; the feature
    that shares its table has it for the newest past item."""

    name: str
    vocabulary: int
    table: str = ""
    spelled: tuple[str, ...] = ()
    counted: bool = False
    stepped: bool = False
    gap: Gap | None = None


@dataclass(frozen=True)
class History:
    """A user's past actions: at most `length` items, each with the same fields, padded at the end, with a mask."""

    name: str
    length: int
    fields: tuple[HistoryField, ...]

    @property
    def paired(self) -> tuple[HistoryField, ...]:
        """The fields that a candidate has too, because they share its table."""
        return tuple(f for f in self.fields if f.table)

    @property
    def alike(self) -> tuple[HistoryField, ...]:
        """Those of them by which a past item may be the same as the candidate: what it is called, and not how much of it."""
        return tuple(f for f in self.paired if not f.stepped)

    def crossed(self, name: str, gap: Gap, table: str = "") -> History:
        """This history with one more field, which is made by hand: a value for each bucket and each value of what it is crossed
        with."""
        sizes = {f.name: f.vocabulary - 1 for f in self.fields}
        values = (len(gap.edges) + 1) * prod(sizes[field] for field in gap.by)
        return replace(self, fields=(*self.fields, HistoryField(name, values + 1, table, stepped=True, gap=gap)))


@dataclass(frozen=True)
class Metric:
    """What a task is judged by first: its key among the metrics, its name, whether more is better."""

    key: str
    title: str
    rises: bool = True


TaskKind = Literal["binary", "share", "regression", "class", "tags"]
ERROR = Metric("rmse", "RMSE", rises=False)
METRICS: Mapping[TaskKind, Metric] = {"binary": Metric("auc", "AUC"), "class": Metric("mrr", "MRR"), "share": ERROR,
                                      "regression": ERROR, "tags": Metric("f1", "F1")}


@dataclass(frozen=True)
class Task:
    """An objective. `binary` is a label in {0, 1} and a logit; `share` a label in [0, 1] behind a sigmoid; `regression` an
    unbounded number, without a sigmoid; `class` an id, and a logit for each: `of` names the catalogue (the label is an item),
    or the feature of an item or of a row whose values are the classes. `tags` chooses a class for every word of an item, the
    label being the item: `of` names the list and its field that holds the right ones (`title.tag`); the first tag is the usual
    one, of words that are nothing special."""

    name: str
    kind: TaskKind = "binary"
    of: str = ""

    @property
    def metric(self) -> Metric:
        """What the task is judged by first."""
        return METRICS[self.kind]

    @property
    def single(self) -> bool:
        """Whether a row has one logit for it."""
        return self.kind not in ("class", "tags")


@dataclass(frozen=True)
class Catalogue:
    """The items that rows name (products, news, tracks): what is known of each, held once beside the rows.

    `schema` describes an item: its features, of which the one called like the catalogue is its id, and its lists (the words
    of a title, neighbours), which are histories. An item's id is the number of its row; row 0 is the unknown item. A feature or
    a history's field of the rows whose table is the catalogue names an item, and is embedded as the item is.
    """

    name: str
    schema: Schema

    @property
    def rows(self) -> int:
        """How many items there are, row 0 included."""
        return self.schema.feature(self.name).vocabulary

    @property
    def attributes(self) -> tuple[str, ...]:
        """All that is known of an item: its features, its id among them, and its lists but those of other items."""
        lists = (h for h in self.schema.histories if h.fields[0].table != self.name)
        return tuple(each.name for each in (*self.schema.features, *lists))

    def values(self, attribute: str) -> int:
        """How many values an attribute, or what a list holds, can have, 0 (unknown) included; 0 for a number."""
        lists = {h.name: h.fields[0].vocabulary for h in self.schema.histories}
        return lists[attribute] if attribute in lists else self.schema.feature(attribute).vocabulary

    def table(self, attribute: str) -> str:
        """The name of an attribute's embedding table."""
        return f"{self.name}.{attribute}"


@dataclass(frozen=True)
class Grades:
    """Lists of items that rows are known to go with, each item with a grade: how many of `tasks` hold for it, in their order and
    each within the one before. A list has at most `length` items; grade 0 is an item for which nothing holds. Lists are
    labels: a model never reads them.

    query, title, kind: where words tell of an item that is not listed whether the first task holds for it, the history of the
    rows that asks, the items' own list of words and the attribute that it shares with what is listed; else empty."""

    length: int
    tasks: tuple[str, ...]
    query: str = ""
    title: str = ""
    kind: str = ""

    def level(self, task: str) -> int:
        """The least grade at which a task holds."""
        return 1 + self.tasks.index(task)


@dataclass(frozen=True)
class Bids:
    """What the advertiser of a row pays for: a column with the name of an event (a task's), and one with what it pays for each.
    They are the auction's: a model never reads them."""

    goal: str = "bid_goal"
    amount: str = "bid"


@dataclass(frozen=True)
class Schema:
    """The columns of a dataset: features, histories and tasks, in the order in which tensors hold them. `requests` says that
    rows which were candidates for one request share a number; `catalogue` describes the items that rows name, `grades` the lists
    of them that come with rows, `bids` what is paid for a row's events."""

    features: tuple[Feature, ...]
    tasks: tuple[Task, ...]
    histories: tuple[History, ...] = ()
    requests: bool = False
    catalogue: Catalogue | None = None
    grades: Grades | None = None
    bids: Bids | None = None

    @cached_property
    def categorical(self) -> tuple[Feature, ...]:
        """Features with a vocabulary; column i of `Batch.ids` is the i-th."""
        return tuple(f for f in self.features if f.kind == "categorical")

    @cached_property
    def numeric(self) -> tuple[Feature, ...]:
        """Numeric features; column i of `Batch.numbers` is the i-th."""
        return tuple(f for f in self.features if f.kind == "numeric")

    @cached_property
    def made(self) -> dict[str, tuple[str, int]]:
        """By table: the history and the number of the field in it, of all fields that are made by hand."""
        return {f.table or f"{h.name}.{f.name}": (h.name, i) for h in self.histories for i, f in enumerate(h.fields) if f.gap}

    @cached_property
    def inputs(self) -> tuple[Feature, ...]:
        """The features that the main network may read: all but the bias features, and those that the model leaves out."""
        return tuple(f for f in self.features if not (f.bias or f.out))

    @cached_property
    def spare(self) -> tuple[str, ...]:
        """The names of the features that a model may leave out: no bias feature, and none whose table items are read from."""
        read = {f.table for h in self.histories for f in h.fields}
        return tuple(f.name for f in self.features if not (f.bias or f.name in read or self.named(f.name)))

    def leaving(self, names: tuple[str, ...], at: str = "without") -> Schema:
        """This schema for a model that leaves some features out; their columns stay where they are."""
        for i, name in enumerate(names):
            if self.feature(name, f"{at}.{i}").name not in self.spare:
                raise ZooError("'{name}' cannot be left out: past items or a side tower are read from it.",
                               "Choose among: {names}.", at=f"{at}.{i}", name=name, names=listed(self.spare),
                               comes=f"{name}: {axes(0)}", needs=f"{name}: {axes(1)}")
        if names and len(set(names)) >= len(self.inputs) and not self.histories:
            raise ZooError("No feature would be left to read.", "Keep at least one.", at=at, comes=axes(0),
                           needs=axes("n") + ", n ≥ 1")
        return replace(self, features=tuple(replace(f, out=f.name in names) for f in self.features)) if names else self

    def named(self, table: str) -> bool:
        """Whether a table holds items: whether who reads it names a row of the catalogue."""
        return self.catalogue is not None and table == self.catalogue.name

    def classes(self, task: Task) -> int:
        """How many logits a task has: one, or one per class, class 0 (unknown) included; of tags those of a word."""
        if task.single:
            return 1
        if task.kind == "tags":
            words, field = self.tagged(task)
            return words.fields[field].vocabulary
        if self.named(task.of):
            return self.catalogue.rows
        of_items = self.catalogue.schema.features if self.catalogue else ()
        return _named((*of_items, *self.features), task.of, "feature", f"tasks.{task.name}").vocabulary

    def tagged(self, task: Task) -> tuple[History, int]:
        """The list of an item that holds the tags of a task, and which of its fields they are."""
        name, _, field = task.of.partition(".")
        lists = self.catalogue.schema.histories if self.catalogue else ()
        words = _named(lists, name, "list", f"tasks.{task.name}")
        return words, words.fields.index(_named(words.fields, field, "field", f"tasks.{task.name}"))

    def feature(self, name: str, at: str = "") -> Feature:
        """The feature of that name; raises a ZooError that names the closest one."""
        return _named(self.features, name, "feature", at)

    def history(self, name: str = "", at: str = "") -> History:
        """The history of that name, or the first where no name is given."""
        if not self.histories:
            raise ZooError("These data have no history.", "Choose data with one, or empty the Attention column.",
                           at=at, cure=("sequence", []), comes=axes(0), needs=axes("L", "d"))
        return _named(self.histories, name, "history", at) if name else self.histories[0]

    def task(self, name: str, at: str = "tasks") -> Task:
        """The task of that name; raises a ZooError that names the closest one."""
        return _named(self.tasks, name, "task", at)

    def places(self, names: Iterable[str]) -> dict[str, int]:
        """Where each of some tasks stands among all of the data's, which a model that leaves tasks out does not change: by its
        place a task has its colour, its symbol and its dash. A name that is no task stands behind them."""
        every = [task.name for task in self.tasks]
        return {name: every.index(name) if name in every else len(every) for name in names}


def _named(things: tuple, name: str, what: str, at: str):
    for thing in things:
        if thing.name == name:
            return thing
    names = [thing.name for thing in things]
    raise ZooError("The data have no {what} '{name}'.", closest(name, names) or "They have: {names}.",
                   at=at, what=Said(what), name=name, names=listed(names), cure=nearest(at, name, names) if at else None,
                   comes=f"{name}: {axes(0)}" if at else "", needs=f"{name}: {axes('L' if what in ('history', 'list') else 1)}")
