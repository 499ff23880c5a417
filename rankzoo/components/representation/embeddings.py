"""Embeddings: every feature value owns a row of numbers (Bengio et al. 2003; for ranking Cheng et al., DLRS 2016).

e_i = E_i[x_i]. All fields of one width live in one matrix, so that one look-up with offsets serves them all, and the
gradient touches only the rows of the batch (a sparse gradient): a step costs the same however long the tables are.

Rows may name items of a catalogue: the vectors of candidates and past items are then read from those of the items, which are
made once a pass, see `items`. Past items' vectors are handed on by themselves, too, for who reads them whatever rewrites a
history.

A number enters as its value, as value × a vector of its own, or with all the others through a bottom MLP that makes one
field of them, z = ReLU(W_H … ReLU(W_1 x_dense + b_1) … + b_H), the last layer included (Naumov et al. 2019, DLRM, and its
code). Deep Crossing puts a ReLU with a bias over each embedding, max(0, E_i[x_i] + b_i) (Shan et al., KDD 2016).

More than 250 lines, because one matrix serves rows, past items and items: who changes one of them must see the others.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import Mlp, mlp_part
from rankzoo.components.pages import table
from rankzoo.components.representation.raw import DENSE, aside, feature_rows, item_rows, origins
from rankzoo.components.slot import Slot, Width
from rankzoo.errors import ZooError, axes, closest
from rankzoo.facts import Source
from rankzoo.schema import History, Schema
from rankzoo.shape import Block, Count, Drawing, Edge, Part, SequenceShape, Shape
from rankzoo.signals import Batch, Fields, Sequence, Signal
from rankzoo.trace import Trace


class Embeddings(Slot):
    """One table per categorical feature; a numeric feature enters as its value, as value × a vector of its own, or with all
    others through the bottom MLP, whose last layer has the width `dim`. `relu` leaves numbers and past items as they are."""

    kind: Literal["embeddings"] = "embeddings"
    dim: Annotated[Width, Field(title="Embedding size")] = 16
    dims: Annotated[Mapping[str, Width], Field(title="Embedding size by field")] = {}
    numeric: Annotated[Literal["value", "vector", "mlp"], Field(title="Numeric features enter as")] = "value"
    bottom: Annotated[tuple[Width, ...], Field(max_length=8, title="Hidden layers of the bottom MLP (numeric: mlp)")] = (64,)
    relu: Annotated[bool, Field(title="ReLU over embeddings")] = False
    init: Annotated[float, Field(gt=0, le=1, title="Spread of the starting values")] = 0.05

    main: ClassVar = ("dim",)
    sizing: ClassVar = ("dim",)
    short: ClassVar = "ids"
    keeps: ClassVar = ("table",)
    averages: ClassVar[bool] = True  # whether of what an item lists the mean is taken
    title: ClassVar = "Embeddings"
    sentence: ClassVar = "Every value of every feature owns a short vector, learned with the rest."
    source: ClassVar = Source("Cheng et al.", 2016, "Wide & Deep learning for recommender systems", "DLRS 2016",
                              "10.1145/2988450.2988454")

    def equation(self) -> str:
        return rf"e_i = \mathrm{{relu}}({self.row('_i')}+b_i)" if self.relu else f"e_i = {self.row('_i')}"

    def row(self, i: str = "") -> str:
        """How a value x finds its vector in the table E, in LaTeX; `i` numbers both."""
        return f"E{i}[x{i}]"

    def width(self, name: str) -> int:
        """Embedding size of a field."""
        return self.dims.get(name, self.dim)

    def after(self, shape: Shape) -> Shape:
        known = paths(shape.schema)
        for name in self.dims:
            if name not in known:
                raise ZooError("The data have no field '{name}' to give an embedding size.", closest(name, known),
                               at=f"{shape.at}.dims.{name}", name=name, comes=f"{name}: {axes(0)}",
                               needs=f"{name}: {axes(1)}")
        item = self.item_width(shape.schema)
        wide = lambda table: item if shape.schema.named(table) else self.width(table)  # noqa: E731
        fields = {f.name: wide(f.name) if f.kind == "categorical" or self.numeric == "vector" else 1
                  for f in shape.schema.inputs if f.kind == "categorical" or self.numeric != "mlp"}
        origin = origins(shape)
        if self.numbers(shape.schema):
            if any(each.name == DENSE for each in (*shape.schema.features, *shape.schema.histories)):
                raise ZooError("The bottom MLP makes one field of all numbers, '{name}', and the data have such a column.",
                               "Rename the column, or let numeric features enter as value or as vector.",
                               at=f"{shape.at}.numeric", name=DENSE, cure=(f"{shape.at}.numeric", "vector"),
                               comes=f"{DENSE}: {axes(1)}", needs=f"{DENSE}: {axes(0)}")
            fields = {DENSE: self.dim, **fields}  # z comes first, as in the paper
            origin[DENSE] = f"{shape.at}.numbers"
        sequences = {h.name: SequenceShape(h.length, {f.name: wide(f.table or f"{h.name}.{f.name}") for f in h.fields})
                     for h in shape.schema.histories}
        own = {f"{name}.{shape.schema.catalogue.name}": SequenceShape(shape.schema.history(name).length, {"item": item})
               for name in handed(shape.schema) if item}
        origin |= {name: origin[shape.schema.catalogue.name] for name in own}
        return shape.but(fields=fields, sequences=sequences | own, catalogue=item, parts=self.item_parts(shape.schema),
                         origin=origin)

    def attributes(self, schema: Schema) -> tuple[str, ...]:
        """What an item's vector is made of, its id too, in order; nothing where there is no catalogue."""
        return schema.catalogue.attributes if schema.catalogue else ()

    def item_width(self, schema: Schema) -> int:
        """Width of an item's vector: its attributes side by side; 0 where there is no catalogue."""
        return sum(self.attribute_width(name, schema) for name in self.attributes(schema))

    def item_parts(self, schema: Schema) -> dict[str, int]:
        """Width of every attribute in an item's vector, in order; empty where they are mixed in it."""
        return {name: self.attribute_width(name, schema) for name in self.attributes(schema)}

    def attribute_width(self, name: str, schema: Schema) -> int:
        """Width of one attribute: a number is its value, a list as wide as the vectors it lists."""
        return self.width(schema.catalogue.table(name)) if schema.catalogue.values(name) else 1

    def tables(self, schema: Schema) -> dict[str, tuple[int, int]]:
        """Every table as name → (rows, width): one per categorical input, one per history field without a partner,
        one row per numeric feature that enters as a vector."""
        tables = {f.name: (f.vocabulary, self.width(f.name)) for f in schema.inputs
                  if f.kind == "categorical" and not schema.named(f.name)}
        tables |= {f"{h.name}.{f.name}": (f.vocabulary, self.width(f"{h.name}.{f.name}"))
                   for h in schema.histories for f in h.fields if not f.table}
        if schema.catalogue is not None:
            read = {f.table for h in schema.histories for f in h.fields}  # words of a query share the table of a title's
            items = {schema.catalogue.table(name): schema.catalogue.values(name) for name in schema.catalogue.attributes
                     if name in self.attributes(schema) or schema.catalogue.table(name) in read}
            tables |= {table: (rows, self.width(table)) for table, rows in items.items() if rows}
        if self.numeric == "vector":
            tables |= {f.name: (1, self.width(f.name)) for f in schema.inputs if f.kind == "numeric"}
        return tables

    def item_tables(self, schema: Schema) -> dict[str, dict[str, tuple]]:
        """The tables that are read for every item of the catalogue, each with what leaves it: of a list its mean."""
        if schema.catalogue is None:
            return {}
        lists = {history.name: history.length for history in schema.catalogue.schema.histories}
        return {schema.catalogue.table(name): {"output": (width,), "inside": ((lists[name], width),) if name in lists else ()}
                for name in self.attributes(schema) if schema.catalogue.values(name)
                for width in (self.width(schema.catalogue.table(name)),)}

    def numbers(self, schema: Schema) -> int:
        """How many numbers the bottom MLP reads; 0 where there is none."""
        return sum(f.kind == "numeric" for f in schema.inputs) if self.numeric == "mlp" else 0

    def biases(self, schema: Schema) -> dict[str, int]:
        """Width of the bias under each embedding's ReLU, by field; none without the ReLU."""
        return {f.name: self.width(f.name) for f in schema.inputs if f.kind == "categorical"
                and not schema.named(f.name)} if self.relu else {}

    def count(self, shape: Shape) -> Count:
        items = self.item_tables(shape.schema)
        parts = [Part(name, rows * width, 0, (width,), f"{rows:,} × {width:,}", table=True, rows=rows)
                 for name, (rows, width) in self.tables(shape.schema).items()]
        parts = [replace(part, items=shape.schema.catalogue.rows, **items[part.path]) if part.path in items else part
                 for part in parts]
        parts += [Part(f"{name}.bias", width, 0, (width,), f"{width:,}") for name, width in self.biases(shape.schema).items()]
        parts += [self.bottom_part(shape.schema)] if self.numbers(shape.schema) else []
        return Count(tuple(parts))

    def bottom_part(self, schema: Schema) -> Part:
        """Count of the bottom MLP; zeros where there is none."""
        numbers = self.numbers(schema)
        return mlp_part("bottom", numbers, (*self.bottom, self.dim) if numbers else ())

    def draw(self, shape: Shape) -> Drawing:
        after, tables, biases = self.after(shape), self.tables(shape.schema), self.biases(shape.schema)
        widths = {name: width for name, (_, width) in tables.items()}
        numbers = sum(tables[f.name][0] * tables[f.name][1] for f in shape.schema.numeric if f.name in tables)
        numbers += self.bottom_part(shape.schema).parameters
        detail = "one row per value, then a ReLU" if self.relu else "one row per value"
        rows = feature_rows(shape.schema, shape.at, widths, detail, numbers, biases, self.numeric == "mlp")
        blocks = [block for block in rows if not shape.schema.named(block.title)]  # an item's vector leaves the catalogue's node
        made = self.drawn_items(shape) if shape.schema.catalogue else Drawing()
        blocks += made.blocks
        for h in shape.schema.histories:
            own = [tables[f"{h.name}.{f.name}"] for f in h.fields if not f.table]
            blocks.append(Block(f"{shape.at}.{h.name}", "representation", "history", h.name, listed_as(shape.schema, h),
                                (h.length, after.sequences[h.name].width), sum(r * w for r, w in own), group="history",
                                words=tuple(f.name for f in h.fields)))
        return Drawing(tuple(blocks), made.edges)

    def drawn_items(self, shape: Shape) -> Drawing:
        """What items' vectors are made of, row by row, and the node that makes them of it, which they leave."""
        name, read = shape.schema.catalogue.name, self.attributes(shape.schema)
        rows = item_rows(shape.schema, shape.at, self.tables(shape.schema), read)
        detail, widths, own = self.making(shape)
        node = Block(f"{shape.at}.{name}", "representation", "item", name, detail, widths, own, group="made", words=read,
                     holds=(shape.at,))
        used = [row for row in rows if row.form == "numbers" or row.title in read]
        return Drawing((*rows, node), tuple(Edge(row.address, node.address, row.units[-1]) for row in used))

    def making(self, shape: Shape) -> tuple[str, tuple[int, ...], int]:
        """What makes an item's vector of its attributes: in few words, the widths of its layers, and the parameters beside the
        attributes' tables."""
        joined = len(self.attributes(shape.schema)) > 1
        return "side by side" if joined else "as it is", (self.item_width(shape.schema),), 0

    def build(self, shape: Shape) -> EmbeddingsLayer:
        return EmbeddingsLayer(self, shape.schema)

    def fitted(self, schema: Schema) -> tuple[Embeddings, tuple[str, ...]]:
        known = paths(schema)
        gone = tuple(name for name in self.dims if name not in known)
        return self.model_copy(update={"dims": {n: w for n, w in self.dims.items() if n in known}}), gone


def paths(schema: Schema) -> list[str]:
    """What an embedding size can be given for: features, the fields of histories, attributes of items."""
    known = [f.name for f in schema.features] + [f"{h.name}.{f.name}" for h in schema.histories for f in h.fields]
    return known + [schema.catalogue.table(name) for name in schema.catalogue.attributes] if schema.catalogue else known


def listed_as(schema: Schema, history: History) -> str:
    """What the positions of a history are: items of the past, or the words of which an item's texts are made."""
    words = {schema.catalogue.table(h.name) for h in schema.catalogue.schema.histories} if schema.catalogue else set()
    return "words" if history.fields[0].table in words else "past items"


def listed_items(schema: Schema) -> dict[str, int]:
    """The histories whose positions name items, each with the number of the field that does."""
    return {h.name: i for h in schema.histories for i, f in enumerate(h.fields) if schema.named(f.table)}


def handed(schema: Schema) -> dict[str, int]:
    """Of these histories those whose items a row's own item may be compared with: none where rows name no item."""
    return listed_items(schema) if any(schema.named(f.name) for f in schema.inputs) else {}


class EmbeddingsLayer(nn.Module):
    """Fused tables, one matrix per embedding width. Parameters `tables.<width>`: (rows of all its fields, width); under a
    ReLU `bias.<width>`: (field, width); `bottom`, the MLP over the numbers."""

    sparse = ("tables",)

    def __init__(self, spec: Embeddings, schema: Schema):
        super().__init__()
        self.schema = schema
        self.places: dict[str, tuple[int, int]] = {}  # table → (width, first row)
        heights: dict[int, int] = {}
        for name, (rows, width) in spec.tables(schema).items():
            self.places[name] = (width, heights.get(width, 0))
            heights[width] = heights.get(width, 0) + rows
        self.tables = nn.ParameterDict({str(width): nn.Parameter(table(rows, width).normal_().mul_(spec.init))
                                        for width, rows in heights.items()})
        self.vectors, self.relu = spec.numeric == "vector", spec.relu
        self.attributes = spec.attributes(schema)
        fields = [f for f in schema.inputs if f.kind == "categorical" and not schema.named(f.name)]
        columns = {f.name: i for i, f in enumerate(schema.categorical)}
        self.groups: dict[int, list[str]] = {}
        for f in fields:
            self.groups.setdefault(self.places[f.name][0], []).append(f.name)
        for width, names in self.groups.items():
            self.register_buffer(f"columns_{width}", torch.tensor([columns[n] for n in names]), persistent=False)
            self.register_buffer(f"offsets_{width}", torch.tensor([self.places[n][1] for n in names]), persistent=False)
        self.bias = nn.ParameterDict({str(width): nn.Parameter(torch.zeros(len(names), width))
                                      for width, names in self.groups.items()} if spec.relu else {})
        self.numbers = [i for i, f in enumerate(schema.numeric) if not (f.bias or f.out)]
        through = spec.numbers(schema)
        self.bottom = Mlp(through, (*spec.bottom, spec.dim)) if through else None

    def look_up(self, width: int, rows: Tensor) -> Tensor:
        """Rows of the matrix of that width: (…,) → (…, width), with a gradient for these rows only."""
        return F.embedding(rows, self.tables[str(width)], sparse=True)

    def forward(self, batch: Batch, trace: Trace) -> Signal:
        """ids (row, field) → fields[name] (row, width), sequences[name] (row, position, width), catalogue (item, width)."""
        return self.laid(batch, self.items(batch.catalogue) if self.attributes else None, trace)

    def laid(self, batch: Batch, items: Tensor | None, trace: Trace) -> Signal:
        """Everything that leaves the slot, given the items' vectors (item, width)."""
        tensors = {}
        for width, names in self.groups.items():
            columns, offsets = getattr(self, f"columns_{width}"), getattr(self, f"offsets_{width}")
            ids = batch.ids if len(columns) == batch.ids.shape[1] else batch.ids.index_select(1, columns)
            vectors = self.look_up(width, ids + offsets)  # (row, field, width)
            vectors = torch.relu(vectors + self.bias[str(width)]) if self.relu else vectors
            tensors[tuple(names)] = vectors
        others = self._numbers(batch) | self._named(batch, items)
        sequences = {h.name: Sequence(partial(self._tokens, h, batch, items), batch.masks[h.name])
                     for h in self.schema.histories}
        if items is not None:
            own = f"{{}}.{self.schema.catalogue.name}".format
            sequences |= {own(name): Sequence(partial(of_past, items, batch.histories[name][:, :, i]), batch.masks[name])
                          for name, i in handed(self.schema).items()}
        found = {name for names in tensors for name in names} | set(others)
        fields = Fields(tensors, others, (name for name in (DENSE, *(f.name for f in self.schema.inputs)) if name in found))
        for name in fields:
            trace.keep(name, "field", ("row", "width"), partial(fields.__getitem__, name))
        if items is not None:
            trace.keep(self.schema.catalogue.name, "item", ("item", "width"), items)
        return Signal(fields=fields, sequences=sequences, aside=aside(batch), catalogue=items)

    def items(self, catalogue: Batch) -> Tensor:
        """Every item as a vector, its attributes side by side, of a list the mean: (item, width).

        A kind that knows items better (by their neighbours, by reading their words) overrides this, and `item_width`.
        """
        return torch.cat([self.attribute(name, catalogue) for name in self.attributes], dim=1)

    def attribute(self, name: str, catalogue: Batch) -> Tensor:
        """One attribute of every item as the tables have it: (item, width of the attribute)."""
        described = self.schema.catalogue
        if not described.values(name):
            return catalogue.features[name].unsqueeze(1)
        width, start = self.places[described.table(name)]
        if name not in catalogue.histories:
            return self.look_up(width, catalogue.features[name] + start)
        mask = catalogue.masks[name].unsqueeze(2)  # (item, place, 1)
        words = self.look_up(width, catalogue.histories[name][:, :, 0] + start) * mask
        return words.sum(dim=1) / mask.sum(dim=1).clamp(min=1)

    def _named(self, batch: Batch, items: Tensor | None) -> dict[str, Tensor]:
        """The features that name an item, (row, width)."""
        return {f.name: items.index_select(0, batch.features[f.name]) for f in self.schema.inputs if self.schema.named(f.name)}

    def _numbers(self, batch: Batch) -> dict[str, Tensor]:
        """The numeric features as values (row, 1), as value × vector (row, width), or all as one field (row, dim)."""
        if self.bottom is not None:
            return {DENSE: self.bottom(batch.numbers[:, self.numbers])}
        fields = {self.schema.numeric[i].name: batch.numbers[:, i:i + 1] for i in self.numbers}
        if self.vectors:
            for name, value in fields.items():
                width, row = self.places[name]
                fields[name] = value * self.look_up(width, torch.tensor([row], device=value.device))
        return fields

    def vectors_of(self, name: str, rows: int) -> Tensor:
        """The first rows of a feature's table as the network behind reads them: (id, width)."""
        width, start = self.places[name]
        vectors = self.tables[str(width)][start:start + rows]
        return torch.relu(vectors + self.bias[str(width)][self.groups[width].index(name)]) if self.relu else vectors

    def _tokens(self, history: History, batch: Batch, items: Tensor | None, places: Tensor) -> Tensor:
        """Embedded fields of past items side by side; places are numbers of positions: (item,) → (item, width of a token)."""
        ids = batch.histories[history.name].flatten(0, 1).index_select(0, places)  # (item, field)
        parts = []
        for i, f in enumerate(history.fields):
            if self.schema.named(f.table):
                parts.append(items.index_select(0, ids[:, i]))
                continue
            width, start = self.places[f.table or f"{history.name}.{f.name}"]
            parts.append(self.look_up(width, ids[:, i] + start))
        return torch.cat(parts, dim=1)


def of_past(vectors: Tensor, past: Tensor, places: Tensor) -> Tensor:
    """Vectors (item, width) of past items (row, position) at positions numbered through all rows: (item,) → (item, width)."""
    return vectors.index_select(0, past.reshape(-1).index_select(0, places))
