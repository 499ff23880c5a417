"""Rows: growing tables as an exported file holds them, a table for each field, or a pool of rows where ids come and go."""
from __future__ import annotations

from collections.abc import Mapping
from hashlib import md5
from math import isqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankzoo.components.by_task import ByTask
from rankzoo.components.mlp import Mlp
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.growing_table import GrowingTable
from rankzoo.components.representation.raw import DENSE
from rankzoo.components.representation.tenants import Tenants
from rankzoo.export.pytorch.plain import (
    PlainEmbeddings,
    about_items,
    ids_of,
    items_of,
    keys_of,
    names_of,
    numbers_of,
    own_vectors,
    tables_of,
)
from rankzoo.schema import Schema
from rankzoo.shape import Shape
from rankzoo.signals import Batch, Sequence, Signal


def rows_of(index: str, ids: int, rows: int) -> Tensor:
    """The rows that ids 0 … ids read, −1 for id 0, which is unknown: (id, row of it)."""
    known = torch.arange(ids)
    if index == "hash":
        found = torch.tensor([int(md5(str(id).encode()).hexdigest(), 16) % rows for id in range(ids)], dtype=torch.long)
    elif index == "quotient":
        r = isqrt(max(ids, 1) - 1) + 1
        return F.pad(torch.stack([known % r, r + known // r], dim=1), (0, 0, 1, 0), value=-1)
    else:
        found = known
    return F.pad(found.unsqueeze(1), (0, 0, 1, 0), value=-1)


class Rows(nn.Module):
    """The rows of one field: `weight` (row, width), `first_order` (row, task). An id without a row reads zeros."""

    def __init__(self, index: str, ids: int, rows: int, width: int, tasks: int, relu: bool, init: float):
        super().__init__()
        self.register_buffer("row", rows_of(index, ids, rows), persistent=False)
        self.weight = nn.Parameter(torch.empty(rows, width).uniform_(-init, init))
        self.first_order = nn.Parameter(torch.zeros(rows, tasks)) if tasks else None
        self.bias = nn.Parameter(torch.zeros(width)) if relu else None

    def forward(self, ids: Tensor) -> Tensor:
        """(…,) → (…, width)."""
        vectors = self.read(self.weight, ids)
        return vectors if self.bias is None else torch.relu(vectors + self.bias)

    def read(self, table: Tensor, ids: Tensor) -> Tensor:
        """The sum of the rows of each id: (…,) → (…, width of the table)."""
        rows = self.row[ids]  # (…, row of it)
        return (F.embedding(rows.clamp(min=0), table) * (rows >= 0).unsqueeze(-1)).sum(dim=-2)


class PlainGrowing(PlainEmbeddings):
    """ids → fields[name] (row, width), and what the weights beside the vectors add to the logits."""

    def __init__(self, spec: GrowingTable, shape: Shape, read: tuple[str, ...]):
        nn.Module.__init__(self)
        schema, tables, tasks = shape.schema, spec.tables(shape.schema), len(shape.tasks)
        keys = keys_of(tables)
        self.ids, self.named, self.past = ids_of(schema), items_of(schema), tables_of(schema, read, keys)
        self.numbers, self.vectors, self.relu = numbers_of(schema), spec.numeric == "vector", spec.relu
        self.attributes, self.about = spec.attributes(schema), about_items(schema, spec.attributes(schema), keys)
        self.lone = own_vectors(schema, read)
        self.lists = tuple(h.name for h in schema.catalogue.schema.histories) if schema.catalogue else ()
        self.keys = names_of((*self.ids, *(self.numbers if self.vectors else ())), keys)
        self.tasks, self.weighed = tuple(t.name for t in shape.tasks), spec.weighed(schema)
        index, wide = "own" if spec.index == "cuckoo" else spec.index, {spec.width(name) for name in self.weighed}
        values = {name: rows - 1 for name, (rows, _) in Embeddings.tables(spec, schema).items()}
        self.table = nn.ModuleDict({
            keys[name]: Rows(index, values[name], rows, width, tasks if width in wide else 0,
                             spec.relu and name in self.ids, spec.init) for name, (rows, width) in tables.items()})
        self.bottom = Mlp(spec.numbers(schema), (*spec.bottom, spec.dim)) if spec.numbers(schema) else None

    def forward(self, batch: Batch) -> Signal:
        signal = super().forward(batch)
        if not self.weighed:
            return signal
        tables = {name: self.table[self.keys.get(name, name)] for name in self.weighed}
        terms = [table.read(table.first_order, batch.features[name]) for name, table in tables.items()]
        weights = torch.stack(terms, dim=1).sum(dim=1)  # (row, task)
        return signal.but(logits={task: weights[:, i] for i, task in enumerate(self.tasks)})

    def field(self, table: str, ids: Tensor, items: Tensor | None) -> Tensor:
        """One field of past items: (row, position) → (row, position, width)."""
        return items[ids] if table == "" else self.table[table].read(self.table[table].weight, ids)


class Pool(nn.Module):
    """Rows that ids of several fields take when they come, and give back when they stay away: `weight` (row, width),
    `first_order` (row, task)."""

    def __init__(self, keys: int, rows: int, width: int, tasks: int, enough: int, admit: str, expire: int, init: float):
        super().__init__()
        self.tenants, self.init = Tenants(keys, rows, enough, admit, expire), init
        self.weight = nn.Parameter(torch.empty(rows, width).uniform_(-init, init))
        self.first_order = nn.Parameter(torch.zeros(rows, tasks)) if tasks else None

    def forward(self, keys: Tensor, table: Tensor) -> Tensor:
        """The row of every key, zeros where it has none: (…,) → (…, width of the table)."""
        rows = self.tenants.look_up(keys)
        return F.embedding(rows.clamp(min=0), table) * (rows >= 0).unsqueeze(-1)

    @torch.no_grad()
    def sight(self, keys: Tensor, now: int) -> None:
        """Before a step: the keys of its batch are counted, let in and let go; a row that is given out starts anew."""
        fresh = self.tenants.sight(keys, now)
        self.weight[fresh] = torch.empty(len(fresh), self.weight.shape[1]).uniform_(-self.init, self.init)
        if self.first_order is not None:
            self.first_order[fresh] = 0.0


class PlainMoving(PlainEmbeddings):
    """ids → fields[name] (row, width); `sight` before each step lets ids in and lets them go."""

    def __init__(self, spec: GrowingTable, shape: Shape, read: tuple[str, ...]):
        nn.Module.__init__(self)
        schema = shape.schema
        names = tuple(spec.tables(schema))
        self.ids, self.past, self.attributes = ids_of(schema), tables_of(schema, read, dict(zip(names, names, strict=True))), ()
        self.numbers, self.vectors, self.relu = numbers_of(schema), spec.numeric == "vector", spec.relu
        self.tasks, self.weighed = tuple(t.name for t in shape.tasks), spec.weighed(schema)
        self.place = first_keys(Embeddings.tables(spec, schema))
        wide = {spec.width(name) for name in self.weighed}
        self.pool = ByTask({str(width): Pool(keys, rows, width, len(shape.tasks) if width in wide else 0, spec.min_count,
                                             spec.admit, spec.expire, spec.init)
                            for width, keys, rows in pools(Embeddings.tables(spec, schema), spec.tables(schema))})
        self.bias = nn.ParameterList(torch.zeros(spec.width(name)) for name in self.ids if spec.relu)
        self.bottom = Mlp(spec.numbers(schema), (*spec.bottom, spec.dim)) if spec.numbers(schema) else None
        self.register_buffer("now", torch.zeros((), dtype=torch.long))

    def forward(self, batch: Batch) -> Signal:
        fields = {name: self.vectors_of(name, batch.features[name]) for name in self.ids}  # (row, width) each
        if self.relu:
            fields = {name: torch.relu(fields[name] + bias) for name, bias in zip(self.ids, self.bias, strict=True)}
        fields |= self.numeric(batch)
        sequences = {name: Sequence(self.tokens(name, batch.histories[name], None), batch.masks[name]) for name in self.past}
        signal = Signal(fields=fields, sequences=sequences, aside=batch.features)
        if not self.weighed:
            return signal
        terms = [self.first_order(name, batch.features[name]) for name in self.weighed]
        weights = torch.stack(terms, dim=1).sum(dim=1)  # (row, task)
        return signal.but(logits={task: weights[:, i] for i, task in enumerate(self.tasks)})

    def vectors_of(self, name: str, ids: Tensor) -> Tensor:
        """(…,) → (…, width)."""
        width, start = self.place[name]
        return self.pool[width](ids + start, self.pool[width].weight)

    def first_order(self, name: str, ids: Tensor) -> Tensor:
        """The weights beside the vectors: (row,) → (row, task)."""
        width, start = self.place[name]
        return self.pool[width](ids + start, self.pool[width].first_order)

    def numeric(self, batch: Batch) -> dict[str, Tensor]:
        if self.bottom is not None:
            return {DENSE: self.bottom(torch.stack([batch.features[name] for name in self.numbers], dim=1))}
        if self.vectors:
            one = torch.zeros(1, dtype=torch.long)
            return {name: batch.features[name].unsqueeze(1) * self.vectors_of(name, one) for name in self.numbers}
        return {name: batch.features[name].unsqueeze(1) for name in self.numbers}

    def field(self, table: str, ids: Tensor, items: Tensor | None) -> Tensor:
        """One field of past items: (row, position) → (row, position, width)."""
        return self.vectors_of(table, ids)

    def sight(self, batch: Batch) -> None:
        """Before a step that learns from a batch: its ids are counted, let in and let go. Id 0 is unknown and never comes in."""
        found = [(name, batch.features[name]) for name in self.ids]
        found += [(table, batch.histories[name][:, :, i][batch.masks[name]]) for name, tables in self.past.items()
                  for i, table in enumerate(tables)]
        for width, pool in self.pool.items():
            keys = [ids[ids > 0] + self.place[name][1] for name, ids in found if self.place[name][0] == width]
            if self.vectors:
                keys += [torch.tensor([self.place[name][1]]) for name in self.numbers if self.place[name][0] == width]
            if keys:
                pool.sight(torch.cat(keys), int(self.now))
        self.now += len(next(iter(batch.features.values())))


def first_keys(tables: dict[str, tuple[int, int]]) -> dict[str, tuple[str, int]]:
    """By table, the pool of its width and its first key there."""
    found: dict[str, tuple[str, int]] = {}
    heights: dict[int, int] = {}
    for name, (rows, width) in tables.items():
        found[name] = (str(width), heights.get(width, 0))
        heights[width] = heights.get(width, 0) + rows
    return found


def pools(keyed: dict[str, tuple[int, int]], sized: dict[str, tuple[int, int]]) -> tuple[tuple[int, int, int], ...]:
    """(width, keys, rows) of every pool."""
    widths = dict.fromkeys(width for _, width in keyed.values())
    return tuple((width, *(sum(rows for rows, other in tables.values() if other == width) for tables in (keyed, sized)))
                 for width in widths)


def apart(spec: GrowingTable, layer: nn.Module, state: Mapping[str, Tensor], schema: Schema) -> dict[str, Tensor]:
    """The weights of a fused growing table, field by field."""
    found = {name: value for name, value in state.items() if name.split(".")[0] not in ("tables", "first_order", "bias")}
    at: dict[int, int] = {}
    tables = spec.tables(schema)
    keys = keys_of(tables)
    for name, (rows, width) in tables.items():
        start = at.get(width, 0)
        at[width] = start + rows
        found[f"table.{keys[name]}.weight"] = state[f"tables.{width}"][start:start + rows]
        if f"first_order.{width}" in state:
            found[f"table.{keys[name]}.first_order"] = state[f"first_order.{width}"][start:start + rows]
    for width, names in layer.groups.items() if layer.relu else ():
        found |= {f"table.{keys[name]}.bias": state[f"bias.{width}"][i] for i, name in enumerate(names)}
    return found


def moved(layer: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a growing table whose ids come and go, pool by pool."""
    fused = ("tables", "first_order", "tenants", "bias")
    found = {name: value for name, value in state.items() if name.split(".")[0] not in fused}
    for name, value in state.items():
        part, _, rest = name.partition(".")
        if part == "tables":
            found[f"pool.{rest}.weight"] = value
        elif part == "first_order":
            found[f"pool.{rest}.first_order"] = value
        elif part == "tenants":
            width, _, rest = rest.partition(".")
            found[f"pool.{width}.tenants.{rest}"] = value
    biases = {name: state[f"bias.{width}"][i] for width, names in layer.groups.items() for i, name in enumerate(names)
              if layer.relu}
    ids = [f.name for f in layer.schema.inputs if f.name in biases]
    return found | {f"bias.{i}": biases[name] for i, name in enumerate(ids)}
