"""The tensors between the seven steps. One row is one candidate; every tensor starts with the row axis."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rankzoo.schema import Schema, Task

if TYPE_CHECKING:
    from rankzoo.trace import Trace


@dataclass(frozen=True)
class Batch:
    """Rows of a dataset as tensors.

    ids: (row, categorical feature) whole numbers, 0 = unknown or missing · numbers: (row, numeric feature), standardised ·
    histories[name]: (row, position, field) ids · masks[name]: (row, position) bool, True where an item stands ·
    labels[task]: (row,) float, of a class its id, of tags the item whose words have them · observed[task]: (row,) bool, whether
    the row counts for the task · group: (row,) the request a row belongs to. Matrices rather than a dict of columns, because one
    look-up then serves all fields.

    listed, grades: (row, place) items that a row is known to go with, 0 where the list has ended, and their grades; labels, too ·
    bids: (row, task of the schema) what is paid for an event, 0 for all but one; no model reads them · lacking: (row, numeric
    feature) bool, which numbers were missing and stand as 0, the mean; None where none was ·
    catalogue: the items that rows name, one row each, row 0 unknown; seen: (item,) bool, those that the training part names.
    These two are the same for every choice of rows.
    """

    schema: Schema
    ids: Tensor
    numbers: Tensor
    histories: Mapping[str, Tensor] = field(default_factory=dict)
    masks: Mapping[str, Tensor] = field(default_factory=dict)
    labels: Mapping[str, Tensor] = field(default_factory=dict)
    observed: Mapping[str, Tensor] = field(default_factory=dict)
    group: Tensor | None = None
    catalogue: Batch | None = None
    seen: Tensor | None = None
    listed: Tensor | None = None
    grades: Tensor | None = None
    bids: Tensor | None = None
    lacking: Tensor | None = None

    def __len__(self) -> int:
        return self.ids.shape[0]

    @property
    def features(self) -> dict[str, Tensor]:
        """Every single-valued feature by name, (row,)."""
        columns = {f.name: self.ids[:, i] for i, f in enumerate(self.schema.categorical)}
        return columns | {f.name: self.numbers[:, i] for i, f in enumerate(self.schema.numeric)}

    @property
    def given(self) -> Tensor:
        """The numbers as they were given, NaN where one was missing: (row, numeric feature)."""
        return self.numbers if self.lacking is None else self.numbers.masked_fill(self.lacking, torch.nan)

    def tags(self, task: Task) -> tuple[Tensor, Tensor]:
        """The right tags of a task, those of the item that each row's label names, and which words are there: (row, place)
        each."""
        words, field = self.schema.tagged(task)
        return tags_of(self, words.name, field, self.labels[task.name])

    def map(self, change) -> Batch:
        """The batch with `change` applied to every tensor of its rows: how they are sliced, permuted or moved."""
        each = lambda named: {name: change(tensor) for name, tensor in named.items()}  # noqa: E731
        group, listed, grades, bids, lacking = (None if tensor is None else change(tensor) for tensor in (
            self.group, self.listed, self.grades, self.bids, self.lacking))
        return Batch(self.schema, change(self.ids), change(self.numbers), each(self.histories), each(self.masks),
                     each(self.labels), each(self.observed), group, self.catalogue, self.seen, listed, grades, bids, lacking)

    def rows(self, start: int, stop: int) -> Batch:
        """The rows from start to stop, as views."""
        return self.map(lambda tensor: tensor[start:stop])

    def take(self, index: Tensor) -> Batch:
        """The rows of an index, copied in its order."""
        return self.map(lambda tensor: tensor.index_select(0, index))

    def unlabelled(self) -> Batch:
        """The same rows without labels: what a server sees."""
        return replace(self, labels={}, observed={}, listed=None, grades=None)


def tags_of(batch: Batch, words: str, field: int, label: Tensor) -> tuple[Tensor, Tensor]:
    """Of the items that labels (row,) name, a field of the words in one of their lists, and which of them are there: (row, place)
    each."""
    item = label.nan_to_num().long()
    return batch.catalogue.histories[words][:, :, field][item], batch.catalogue.masks[words][item]


def told_once(batch: Batch, history: str) -> Tensor:
    """Numbers of a history's filled positions, through all rows, in the first row of every request alone, since the rows of one
    share what was before: (item,). Once per batch: where a loss does not keep requests together, the rows of one fall into
    several."""
    mask = batch.masks[history]
    if batch.group is not None:
        found, request = torch.unique(batch.group, return_inverse=True)
        rows = torch.arange(len(request))
        first = rows.new_full((len(found),), len(rows)).scatter_reduce(0, request, rows, "amin")
        mask = mask & (rows == first[request]).unsqueeze(1)
    return mask.reshape(-1).nonzero().squeeze(1)


@dataclass(frozen=True)
class Sequence:
    """A history between slots: mask (row, position) bool, and the values of its positions.

    `given` is the tensor (row, position, width), or a look-up that gives the vectors of some positions, numbered through
    all rows: (item,) → (item, width). A history that no component reads is so never looked up, and a training need not
    look up what is only padding.
    """

    given: Tensor | Callable[[Tensor], Tensor]
    mask: Tensor

    @cached_property
    def values(self) -> Tensor:
        """All positions, padding included: (row, position, width)."""
        if isinstance(self.given, Tensor):
            return self.given
        rows, length = self.mask.shape
        return self.given(torch.arange(rows * length, device=self.mask.device)).reshape(rows, length, -1)

    @cached_property
    def places(self) -> Tensor:
        """Numbers of the filled positions, row after row: (item,)."""
        return self.mask.reshape(-1).nonzero().squeeze(1)

    @cached_property
    def items(self) -> Tensor:
        """The filled positions alone: (item, width)."""
        return self.at(self.places)

    def at(self, places: Tensor) -> Tensor:
        """Some positions, numbered through all rows: (item,) → (item, width)."""
        return self.given.flatten(0, 1).index_select(0, places) if isinstance(self.given, Tensor) else self.given(places)

    @cached_property
    def owners(self) -> Tensor:
        """The row that each of `items` belongs to: (item,)."""
        return self.places // self.mask.shape[1]

    @cached_property
    def lengths(self) -> Tensor:
        """How many positions of a row are filled: (row,)."""
        return self.mask.sum(dim=1)


class Fields(Mapping[str, Tensor]):
    """Fields as a look-up gives them: those of one width in one tensor, (row, field, width), of which each is a slice.

    Whoever reads all fields of a tensor takes the tensor itself (`Signal.stacked`, `Signal.joined`), so that neither they
    nor their gradients are copied.
    """

    def __init__(self, tensors: Mapping[tuple[str, ...], Tensor], others: Mapping[str, Tensor], order: Iterable[str]):
        self.tensors, self.others, self.order = tensors, dict(others), tuple(order)
        self.slices: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        if name in self.others:
            return self.others[name]
        for names, tensor in self.tensors.items():
            if name in names and name not in self.slices:
                self.slices |= zip(names, tensor.unbind(1), strict=True)
        return self.slices[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.order)

    def __len__(self) -> int:
        return len(self.order)


@dataclass(frozen=True)
class Signal:
    """What flows from step 1 to step 6.

    fields[name]: (row, width) · sequences[name] · aside[name]: (row,) raw inputs, which bypass the embeddings; only a
    linear part and a biased tower read them · joins[name]: (row, width), crosses for the concatenation · head[name]:
    (row, width), crosses that meet the deep network in its last linear map · logits[task]: (row,), crosses that are
    added to the logit as they are · catalogue: (item, width), every item's vector, from which those of past items and of
    candidates are read.
    """

    fields: Mapping[str, Tensor] = field(default_factory=dict)
    sequences: Mapping[str, Sequence] = field(default_factory=dict)
    aside: Mapping[str, Tensor] = field(default_factory=dict)
    joins: Mapping[str, Tensor] = field(default_factory=dict)
    head: Mapping[str, Tensor] = field(default_factory=dict)
    logits: Mapping[str, Tensor] = field(default_factory=dict)
    catalogue: Tensor | None = None

    def but(self, **changes: object) -> Signal:
        """This signal with some parts replaced."""
        return replace(self, **changes)

    def stacked(self, names: tuple[str, ...]) -> Tensor:
        """Fields of one width: (row, field, width)."""
        tensors = self.fields.tensors if isinstance(self.fields, Fields) else {}
        return tensors[names] if names in tensors else torch.stack([self.fields[name] for name in names], dim=1)

    def joined(self, names: tuple[str, ...]) -> list[Tensor]:
        """Fields in the order of `names`, to be joined: (row, width) each, or several fields that stand together in one."""
        tensors = self.fields.tensors if isinstance(self.fields, Fields) else {}
        whole = {group[0]: group for group in tensors}
        parts, at = [], 0
        while at < len(names):
            group = whole.get(names[at], ())
            if group and names[at:at + len(group)] == group:
                parts.append(tensors[group].flatten(1))
                at += len(group)
            else:
                parts.append(self.fields[names[at]])
                at += 1
        return parts


@dataclass(frozen=True)
class Branches:
    """One vector per task, (row, width), and named scalar penalties that step 7 adds to the losses."""

    vectors: Mapping[str, Tensor]
    penalties: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Output:
    """logits[task]: (row,), or (row, class) · losses[task]: scalars, empty without labels · trace: what was recorded on the way ·
    raw[task]: the logits as step 6 left them and the loss reads them, where another value is served."""

    logits: Mapping[str, Tensor]
    losses: Mapping[str, Tensor]
    trace: Trace
    raw: Mapping[str, Tensor] = field(default_factory=dict)
