"""Preparation: everything that is learnt from the training part before a network sees a row, kept with the run as JSON.

Vocabularies, means and deviations, and what a label's words mean. A value that the training part lacks has id 0.
"""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict

from rankzoo.data.columns import as_numbers, as_text, counts
from rankzoo.data.gaps import refilled
from rankzoo.data.later import pa, pc
from rankzoo.data.recipes import GRADE, LISTED
from rankzoo.data.roles import Label, Roles
from rankzoo.schema import Bids, Catalogue, Feature, Grades, History, Schema, Task
from rankzoo.signals import Batch

MAX_VOCABULARY = 100_000
FARTHEST = 1e4


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Vocabulary(_Frozen):
    """Ids of one table. Either `words`: the training part's values, most frequent first, from id 1 on; or `size` whole
    numbers 0 … size - 1 that a world declares, shifted by one, of which `unseen` do not occur in the training part."""

    words: tuple[str, ...] = ()
    size: int = 0
    unseen: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of the table, row 0 included."""
        return (self.size or len(self.words)) + 1

    def encode(self, column: pa.ChunkedArray | pa.Array) -> np.ndarray:
        """(row,) int64 ids; unknown and missing values are 0."""
        if not self.size:
            found = pc.index_in(as_text(column), value_set=pa.array(self.words, pa.string()))
            return pc.fill_null(pc.add(found.cast(pa.int64()), 1), 0).to_numpy(zero_copy_only=False)
        ids = np.arange(1, self.size + 1)
        ids[list(self.unseen)] = 0
        values = column.to_numpy(zero_copy_only=False)
        inside = (values >= 0) & (values < self.size)
        return np.where(inside, ids[np.where(inside, values, 0)], 0)


class Scale(_Frozen):
    """Mean and sd of a numeric feature over the training part. Missing values become 0, the mean; an sd of 0 counts as 1.

    Cut at 10,000 sd, which no value of a training part under 100 million rows can reach: it only tames new rows.
    """

    mean: float
    sd: float

    def encode(self, values: np.ndarray) -> np.ndarray:
        """(row,) numbers, NaN where missing → (row,) float32, standardised."""
        with np.errstate(over="ignore"):
            scaled = (values - self.mean) / self.sd
        return np.nan_to_num(np.clip(scaled, -FARTHEST, FARTHEST), nan=0.0).astype(np.float32)


class Preparation(_Frozen):
    """Fitted on the training part only.

    vocabularies[feature or history.field] · scales[feature] · labels, one per task · group: the column that numbers
    requests, or "" · catalogue: the name of the items that rows name, or "" · items: what was fitted on those of them that
    the training part names · new: the numbers of the others · grades: the lists of them that come with rows, if any · bids: what
    is paid for a row's events, if anything.
    """

    features: tuple[Feature, ...]
    histories: tuple[History, ...] = ()
    vocabularies: Mapping[str, Vocabulary]
    scales: Mapping[str, Scale]
    labels: tuple[Label, ...]
    group: str = ""
    catalogue: str = ""
    items: Preparation | None = None
    new: tuple[int, ...] = ()
    grades: Grades | None = None
    bids: Bids | None = None

    @property
    def schema(self) -> Schema:
        """Features, histories and tasks with the sizes that were found."""
        tasks = tuple(Task(label.task, label.kind, label.of) for label in self.labels)
        return Schema(self.features, tasks, self.histories, bool(self.group),
                      Catalogue(self.catalogue, self.items.schema) if self.items else None, self.grades, self.bids)

    def vocabulary(self, table: str) -> Vocabulary:
        """Of a table: that of the rows, of the items (`product`) or of what they are made of (`product.brand` or `brand`, and of
        a list `product.title`)."""
        if self.items is not None and table not in self.vocabularies:
            return self.items.vocabulary(table.removeprefix(f"{self.catalogue}."))
        listed = {history.name: f"{history.name}.{history.fields[0].name}" for history in self.histories}
        return self.vocabularies[table if table in self.vocabularies else listed[table]]

    def encode(self, table: pa.Table, catalogue: pa.Table | None = None, group: str = "") -> Batch:
        """A table's rows as tensors, and the items that they name; the tables have the columns of those that were fitted, labels
        included. `group`: the column that numbers its requests, where those that were fitted have none."""
        schema, rows, group = self.schema, table.num_rows, self.group or group
        ids = np.zeros((rows, len(schema.categorical)), dtype=np.int64)
        for column, feature in enumerate(schema.categorical):
            if feature.name not in schema.made:
                ids[:, column] = self.vocabulary(feature.name).encode(table[feature.name])
        numbers = np.zeros((rows, len(schema.numeric)), dtype=np.float32)
        lacking = np.zeros(numbers.shape, dtype=bool)
        for column, feature in enumerate(schema.numeric):
            values = as_numbers(table[feature.name])
            numbers[:, column], lacking[:, column] = self.scales[feature.name].encode(values), np.isnan(values)
        past = {history.name: self._history(history, table) for history in schema.histories}
        labels = {label.task: torch.from_numpy(self._label(label, table[label.column])) for label in self.labels}
        batch = Batch(schema, torch.from_numpy(ids), torch.from_numpy(numbers),
                     {name: values for name, (values, _) in past.items()}, {name: mask for name, (_, mask) in past.items()},
                     {task: torch.nan_to_num(values) for task, values in labels.items()},
                     {task: ~torch.isnan(values) for task, values in labels.items()},
                     torch.from_numpy(table[group].to_numpy().astype(np.int64)) if group else None,
                     *(self._items(catalogue) if self.items else (None, None)), *self._lists(table), self._bids(table),
                     torch.from_numpy(lacking) if lacking.any() else None)
        return refilled(batch)

    def _bids(self, table: pa.Table) -> torch.Tensor | None:
        """(row, task) what is paid for an event, 0 for all but the one that the advertiser named; None where nobody bids."""
        if self.bids is None:
            return None
        goal, amount = as_text(table[self.bids.goal]), as_numbers(table[self.bids.amount]).astype(np.float32)
        paid = [pc.equal(goal, label.task).to_numpy(zero_copy_only=False) * amount for label in self.labels]
        return torch.from_numpy(np.stack(paid, axis=1))

    def _lists(self, table: pa.Table) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """(row, place) listed items, 0 behind the last, and their grades; None where no lists come with the rows."""
        if self.grades is None:
            return None, None
        lengths = pc.list_value_length(table[LISTED]).to_numpy()
        filled = np.arange(self.grades.length) < lengths[:, None]
        listed, grades = np.zeros(filled.shape, dtype=np.int64), np.zeros(filled.shape, dtype=np.int64)
        listed[filled] = self.vocabulary(self.catalogue).encode(pc.list_flatten(table[LISTED]))
        grades[filled] = pc.list_flatten(table[GRADE]).to_numpy()
        return torch.from_numpy(listed), torch.from_numpy(grades)

    def _items(self, catalogue: pa.Table) -> tuple[Batch, torch.Tensor]:
        """The items as rows behind row 0, of which nothing is known, and whether the training part names them: (item,) bool."""
        found = self.items.encode(catalogue).map(lambda each: torch.cat([torch.zeros_like(each[:1]), each]))
        seen = torch.ones(len(found), dtype=torch.bool)
        seen[[0, *self.new]] = False
        return found, seen

    def _label(self, label: Label, column: pa.ChunkedArray) -> np.ndarray:
        """(row,) float32, NaN where missing; of a class its id, of tags their item, NaN for one that the training part lacks."""
        if label.kind not in ("class", "tags"):
            return label.encode(column)
        ids = self.vocabulary(label.of if label.kind == "class" else self.catalogue).encode(column).astype(np.float32)
        return np.where(ids > 0, ids, np.float32("nan"))

    def _history(self, history: History, table: pa.Table) -> tuple[torch.Tensor, torch.Tensor]:
        """(row, position, field) ids, padded with 0 at the end, and (row, position) True where an item stands."""
        lengths = pc.list_value_length(table[f"{history.name}.{history.fields[0].name}"]).to_numpy()
        mask = np.arange(history.length) < lengths[:, None]
        ids = np.zeros((*mask.shape, len(history.fields)), dtype=np.int64)
        for number, field in enumerate(history.fields):
            if field.gap:
                continue
            values = pc.list_flatten(table[f"{history.name}.{field.name}"])
            ids[mask, number] = (np.minimum(values.to_numpy(), field.vocabulary - 1) if field.counted else
                                 self.vocabulary(field.table or f"{history.name}.{field.name}").encode(values))
        return torch.from_numpy(ids), torch.from_numpy(mask)


def prepare_declared(train: pa.Table, schema: Schema, catalogue: pa.Table | None = None) -> Preparation:
    """For a world: vocabularies have the declared sizes, and ids that its training part lacks become unknown.

    A table shared by a feature and a history's field knows what either has shown. An item keeps its id, whether the training
    part names it or not; what items are made of is known from those that it names.
    """
    sources, sizes = _tables(schema)
    seen = {table: np.full(size, table in schema.made) for table, size in sizes.items()}
    for table, columns in sources.items():
        for column in columns:
            values = train[column]
            ids = (pc.list_flatten(values) if pa.types.is_list(values.type) else values).to_numpy()
            seen[table][ids[ids >= 0]] = True  # a class that is not asked for is −1
    items, new = None, ()
    if schema.catalogue is not None:
        named = seen.pop(schema.catalogue.name)
        items, new = _prepare_items(catalogue, schema.catalogue, named), tuple((np.flatnonzero(~named) + 1).tolist())
    vocabularies = {table: Vocabulary(size=len(known), unseen=tuple(np.flatnonzero(~known).tolist()))
                    for table, known in seen.items()}
    scales = {feature.name: _scale(train[feature.name]) for feature in schema.numeric}
    labels = tuple(Label(column=task.name, task=task.name, kind=task.kind, of=task.of) for task in schema.tasks)
    return Preparation(features=schema.features, histories=schema.histories, vocabularies=vocabularies, scales=scales,
                       labels=labels, group="group" if "group" in train.column_names else "",
                       catalogue=schema.catalogue.name if schema.catalogue else "", items=items, new=new, grades=schema.grades,
                       bids=schema.bids)


def _tables(schema: Schema) -> tuple[dict[str, list[str]], dict[str, int]]:
    """The columns whose ids each table holds, and its size; what items are made of is not learnt from the rows."""
    columns: dict[str, list[str]] = {f.name: [f.name] for f in schema.categorical if f.name not in schema.made}
    sizes = {feature.name: feature.vocabulary - 1 for feature in schema.categorical}
    made_of = {schema.catalogue.table(name) for name in schema.catalogue.attributes} if schema.catalogue else set()
    for history in schema.histories:
        for field in history.fields:
            path = f"{history.name}.{field.name}"
            if field.table not in made_of and not field.counted:
                if not field.gap:
                    columns.setdefault(field.table or path, []).append(path)
                sizes.setdefault(field.table or path, field.vocabulary - 1)
    if schema.catalogue:
        named = [t.name for t in schema.tasks if schema.named(t.of)] + ([LISTED] if schema.grades else [])
        columns.setdefault(schema.catalogue.name, []).extend(named)
        sizes.setdefault(schema.catalogue.name, schema.catalogue.rows - 1)
    return columns, sizes


def _prepare_items(table: pa.Table, catalogue: Catalogue, named: np.ndarray) -> Preparation:
    """What is fitted on the items that the training part names: (item,) bool."""
    fitted = prepare_declared(table.filter(pa.array(named)), catalogue.schema)
    every = Vocabulary(size=catalogue.rows - 1)
    return fitted.model_copy(update={"vocabularies": {**fitted.vocabularies, catalogue.name: every}})


def prepare(train: pa.Table, roles: Roles, max_vocabulary: int = MAX_VOCABULARY) -> Preparation:
    """For a file: vocabularies, means and deviations as the training part has them, features in the order of the table."""
    counted = {name: counts(train[name]) for name in roles.categorical}
    vocabularies = {name: Vocabulary(words=tuple(words[:max_vocabulary])) for name, (words, _) in counted.items()}
    single = {name for name, (_, often) in counted.items() if 2 * (often == 1).sum() > train.num_rows}
    scales = {name: _scale(train[name]) for name in roles.numeric}
    kinds = dict.fromkeys(scales, ("numeric", 0)) | {name: ("categorical", each.rows) for name, each in vocabularies.items()}
    features = tuple(Feature(name, *kinds[name], roles.sides.get(name, "context"), single=name in single)
                     for name in train.column_names if name in kinds)
    return Preparation(features=features, vocabularies=vocabularies, scales=scales, labels=roles.labels)


def _scale(column: pa.ChunkedArray) -> Scale:
    values = as_numbers(column)
    values = values[~np.isnan(values)]
    peak = float(np.abs(values).max()) if len(values) else 0.0
    if peak == 0.0:
        return Scale(mean=0.0, sd=1.0)
    # In units of the largest value, so that a square of 1e200 does not overflow.
    mean, sd = float((values / peak).mean()) * peak, float((values / peak).std()) * peak
    return Scale(mean=mean, sd=sd if sd > 0 else 1.0)
