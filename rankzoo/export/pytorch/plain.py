"""Plain: the layers whose tables RankZoo fuses for speed, written as a textbook has them, with a table for each field.

`plain(model)` is the same model with these layers in place of the fused ones, and with their weights: what a file holds.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankzoo.components.interaction.linear import Linear, LinearLayer, bucket
from rankzoo.components.mlp import Mlp
from rankzoo.components.representation.auto_dis import AutoDis, SoftBuckets
from rankzoo.components.representation.embeddings import Embeddings, listed_items
from rankzoo.components.representation.raw import DENSE
from rankzoo.schema import Schema
from rankzoo.shape import Shape
from rankzoo.signals import Batch, Sequence, Signal


class Rectified(nn.Embedding):
    """A table with a ReLU over it, max(0, E[x] + b): (…,) → (…, width)."""

    def __init__(self, rows: int, width: int):
        super().__init__(rows, width)
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, ids: Tensor) -> Tensor:
        return torch.relu(super().forward(ids) + self.bias)


def ids_of(schema: Schema) -> tuple[str, ...]:
    """The categorical inputs that have a table of their own."""
    return tuple(f.name for f in schema.inputs if f.kind == "categorical" and not schema.named(f.name))


def items_of(schema: Schema) -> tuple[str, ...]:
    """The inputs that name an item of the catalogue."""
    return tuple(f.name for f in schema.inputs if schema.named(f.name))


def numbers_of(schema: Schema) -> tuple[str, ...]:
    """The numeric inputs."""
    return tuple(f.name for f in schema.inputs if f.kind == "numeric")


def keys_of(names: Iterable[str]) -> dict[str, str]:
    """A key of an nn.ModuleDict for each name: the name itself, unless it has a dot or is called like a method."""
    found: dict[str, str] = {}
    taken = set(names)
    for name in names:
        key = name.replace(".", "_")
        while not key or hasattr(nn.ModuleDict, key) or (key != name and key in taken):
            key += "_"
        taken.add(key)
        found[name] = key
    return found


def tables_of(schema: Schema, histories: tuple[str, ...], keys: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """By history, the table of each field of a past item; "" where the field names an item of the catalogue."""
    return {h.name: tuple("" if schema.named(f.table) else keys[f.table or f"{h.name}.{f.name}"] for f in h.fields)
            for h in schema.histories if h.name in histories}


def about_items(schema: Schema, attributes: tuple[str, ...], keys: dict[str, str]) -> dict[str, str]:
    """The table of each attribute of an item that has one."""
    return {name: keys[table] for name in attributes
            if schema.catalogue.values(name) and (table := schema.catalogue.table(name)) in keys}


def own_vectors(schema: Schema, read: tuple[str, ...]) -> dict[str, tuple[str, int]]:
    """By name of what is read of past items as they are by themselves, their history and the field that names them."""
    return {f"{name}.{schema.catalogue.name}": (name, i) for name, i in listed_items(schema).items()
            if f"{name}.{schema.catalogue.name}" in read}


def names_of(names: Iterable[str], keys: dict[str, str]) -> dict[str, str]:
    """Of some names those that have another key."""
    return {name: keys[name] for name in names if keys[name] != name}


class PlainEmbeddings(nn.Module):
    """ids → fields[name] (row, width); past items → sequences[name] (row, position, width) with their mask."""

    def __init__(self, spec: Embeddings, shape: Shape, read: tuple[str, ...]):
        super().__init__()
        schema, tables = shape.schema, spec.tables(shape.schema)
        keys = keys_of(tables)
        self.ids, self.named, self.past = ids_of(schema), items_of(schema), tables_of(schema, read, keys)
        self.numbers, self.vectors, self.relu = numbers_of(schema), spec.numeric == "vector", spec.relu
        self.attributes, self.about = spec.attributes(schema), about_items(schema, spec.attributes(schema), keys)
        self.lone = own_vectors(schema, read)
        self.lists = tuple(h.name for h in schema.catalogue.schema.histories) if schema.catalogue else ()
        self.keys = names_of((*self.ids, *(self.numbers if self.vectors else ())), keys)
        self.table = nn.ModuleDict({keys[name]: Rectified(rows, width) if spec.relu and name in self.ids
                                    else nn.Embedding(rows, width) for name, (rows, width) in tables.items()})
        for table in self.table.values():
            nn.init.normal_(table.weight, std=spec.init)
        self.bottom = Mlp(spec.numbers(schema), (*spec.bottom, spec.dim)) if spec.numbers(schema) else None

    def forward(self, batch: Batch) -> Signal:
        items = self.items(batch.catalogue) if self.attributes else None  # (item, width)
        fields = {name: self.table[self.keys.get(name, name)](batch.features[name]) for name in self.ids}  # (row, width) each
        fields |= {name: items[batch.features[name]] for name in self.named}
        fields |= self.numeric(batch)
        sequences = {name: Sequence(self.tokens(name, batch.histories[name], items), batch.masks[name]) for name in self.past}
        sequences |= {name: Sequence(items[batch.histories[of][:, :, i]], batch.masks[of])
                      for name, (of, i) in self.lone.items()}
        return Signal(fields=fields, sequences=sequences, aside=batch.features, catalogue=items)

    def numeric(self, batch: Batch) -> dict[str, Tensor]:
        """The numbers: each as its value (row, 1), as value × a vector of its own (row, width), or all as one field."""
        if self.bottom is not None:
            return {DENSE: self.bottom(torch.stack([batch.features[name] for name in self.numbers], dim=1))}
        if self.vectors:
            return {name: batch.features[name].unsqueeze(1) * self.table[self.keys.get(name, name)].weight
                    for name in self.numbers}
        return {name: batch.features[name].unsqueeze(1) for name in self.numbers}

    def tokens(self, history: str, ids: Tensor, items: Tensor | None) -> Tensor:
        """The fields of past items side by side: (row, position, field) → (row, position, width)."""
        return torch.cat([self.field(table, ids[:, :, i], items) for i, table in enumerate(self.past[history])], dim=2)

    def field(self, table: str, ids: Tensor, items: Tensor | None) -> Tensor:
        """One field of past items: (row, position) → (row, position, width)."""
        if table == "":
            return items[ids]
        return F.embedding(ids, self.table[table].weight) if self.relu else self.table[table](ids)

    def items(self, catalogue: Batch) -> Tensor:
        """Every item as a vector, its attributes side by side, of a list the mean: (item, width)."""
        return torch.cat([self.attribute(name, catalogue) for name in self.attributes], dim=1)

    def attribute(self, name: str, catalogue: Batch) -> Tensor:
        """One attribute of every item: (item, width)."""
        if name not in self.about:
            return catalogue.features[name].unsqueeze(1)
        table = self.table[self.about[name]]
        if name not in self.lists:
            return table(catalogue.features[name])
        there = catalogue.masks[name].unsqueeze(2)  # (item, place, 1)
        return (table(catalogue.histories[name][:, :, 0]) * there).sum(dim=1) / there.sum(dim=1).clamp(min=1)


class PlainAutoDis(PlainEmbeddings):
    """ids → fields[name] (row, width); a number → the vectors of its buckets, by the share that it has in each."""

    def __init__(self, spec: AutoDis, shape: Shape, read: tuple[str, ...]):
        super().__init__(spec, shape, read)
        self.buckets = SoftBuckets(spec, len(self.numbers)) if self.numbers else None

    def numeric(self, batch: Batch) -> dict[str, Tensor]:
        if self.buckets is None:
            return {}
        vectors = self.buckets(torch.stack([batch.features[name] for name in self.numbers], dim=1))  # (row, number, dim)
        return dict(zip(self.numbers, vectors.unbind(1), strict=True))


class PlainOneHot(nn.Module):
    """Hands the raw inputs on; owns nothing."""

    def forward(self, batch: Batch) -> Signal:
        return Signal(aside=batch.features)


class PlainLinear(nn.Module):
    """Raw inputs → a logit per task (row,): a weight for every value of every field and for every bucket of a cross."""

    def __init__(self, spec: Linear, shape: Shape):
        super().__init__()
        tasks, inputs = len(shape.tasks), shape.schema.inputs if spec.first_order else ()
        self.tasks, self.numbers = tuple(t.name for t in shape.tasks), tuple(f.name for f in inputs if f.kind == "numeric")
        self.ids = tuple(f.name for f in inputs if f.kind == "categorical")
        keys = keys_of(self.ids)
        self.keys = names_of(self.ids, keys)
        self.crosses, self.buckets = spec.crosses, spec.buckets
        self.weight = nn.ModuleDict({keys[f.name]: nn.Embedding(f.vocabulary, tasks)
                                     for f in inputs if f.kind == "categorical"})
        self.crossed = nn.ModuleList(nn.Embedding(spec.buckets, tasks) for _ in spec.crosses)
        for table in self.weight.values():
            nn.init.zeros_(table.weight)
        for table in self.crossed:
            nn.init.zeros_(table.weight)
        self.slopes = nn.Parameter(torch.zeros(len(self.numbers), tasks)) if self.numbers else None
        self.bias = nn.Parameter(torch.zeros(tasks)) if spec.bias else None

    def forward(self, signal: Signal) -> Signal:
        if self.ids or self.crosses:
            terms = [self.weight[self.keys.get(name, name)](signal.aside[name]) for name in self.ids]  # (row, task) each
            terms += [table(bucket(signal.aside[a], signal.aside[b], self.buckets))
                      for table, (a, b) in zip(self.crossed, self.crosses, strict=True)]
            logits = torch.stack(terms, dim=1).sum(dim=1)  # (row, task)
        else:
            logits = torch.zeros(len(next(iter(signal.aside.values()))), len(self.tasks))
        if self.slopes is not None:
            values = torch.stack([signal.aside[name] for name in self.numbers], dim=1)  # (row, number)
            logits = logits + (values.unsqueeze(2) * self.slopes).sum(dim=1)
        if self.bias is not None:
            logits = logits + self.bias
        return signal.but(logits={task: logits[:, i] + signal.logits.get(task, 0) for i, task in enumerate(self.tasks)})


def tables(layer: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a fused representation, field by field."""
    keys = keys_of(layer.places)
    found = {name: value for name, value in state.items() if name.split(".")[0] not in ("tables", "bias")}
    for name, (width, start) in layer.places.items():
        below = [other for w, other in layer.places.values() if w == width and other > start]
        stop = min(below, default=len(state[f"tables.{width}"]))
        found[f"table.{keys[name]}.weight"] = state[f"tables.{width}"][start:stop]
    for width, names in layer.groups.items() if layer.relu else ():
        found |= {f"table.{keys[name]}.bias": state[f"bias.{width}"][i] for i, name in enumerate(names)}
    return found


def weights(layer: LinearLayer, state: Mapping[str, Tensor], spec: Linear, schema: Schema) -> dict[str, Tensor]:
    """The weights of a fused linear part, field by field and cross by cross."""
    found = {name: value for name, value in state.items() if name not in ("weights", "crossed")}
    rows = list(spec.tables(schema).values())
    own = len(layer.fields)
    parts = state["weights"].split(rows[:own]) if own else ()
    keys = keys_of(layer.fields)
    found |= {f"weight.{keys[name]}.weight": part for name, part in zip(layer.fields, parts, strict=True)}
    crossed = state["crossed"].split(rows[own:]) if rows[own:] else ()
    return found | {f"crossed.{i}.weight": part for i, part in enumerate(crossed)}
