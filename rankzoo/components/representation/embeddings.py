"""Embeddings: every feature value owns a row of numbers (Bengio et al. 2003; for ranking Cheng et al., DLRS 2016).

e_i = E_i[x_i]. All fields of one width live in one matrix, so that one look-up with offsets serves them all, and the
gradient touches only the rows of the batch (a sparse gradient): a step costs the same however long the tables are.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.representation.raw import aside, feature_rows, origins
from rankzoo.components.slot import Slot, Width
from rankzoo.errors import ZooError, closest
from rankzoo.facts import Source
from rankzoo.schema import Block, Count, Drawing, Part, Schema, SequenceShape, Shape
from rankzoo.signals import Batch, Sequence, Signal
from rankzoo.trace import Trace


class Embeddings(Slot):
    """One table per categorical feature; a numeric feature enters as its value (or as value × a vector of its own)."""

    kind: Literal["embeddings"] = "embeddings"
    dim: Annotated[Width, Field(title="Embedding size")] = 16
    dims: Annotated[Mapping[str, Width], Field(title="Embedding size by field")] = {}
    numeric: Annotated[Literal["value", "vector"], Field(title="Numeric features enter as")] = "value"
    init: Annotated[float, Field(gt=0, le=1, title="Spread of the starting values")] = 0.05

    main: ClassVar = ("dim",)
    short: ClassVar = "ids"
    keeps: ClassVar = ("table",)
    title: ClassVar = "Embeddings"
    sentence: ClassVar = "Every value of every feature owns a short vector, learned with the rest."
    formula: ClassVar = r"e_i = E_i[x_i]"
    source: ClassVar = Source("Cheng et al.", 2016, "Wide & Deep learning for recommender systems", "DLRS 2016")

    def width(self, name: str) -> int:
        """Embedding size of a field."""
        return self.dims.get(name, self.dim)

    def after(self, shape: Shape) -> Shape:
        known = [f.name for f in shape.schema.features] + [f"{h.name}.{f.name}" for h in shape.schema.histories for f in h.fields]
        for name in self.dims:
            if name not in known:
                raise ZooError("The data have no field '{name}' to give an embedding size.", closest(name, known),
                               at=f"{shape.at}.dims.{name}", name=name)
        fields = {f.name: self.width(f.name) if f.kind == "categorical" or self.numeric == "vector" else 1
                  for f in shape.schema.inputs}
        sequences = {h.name: SequenceShape(h.length, {f.name: self.width(f.table or f"{h.name}.{f.name}") for f in h.fields})
                     for h in shape.schema.histories}
        return shape.but(fields=fields, sequences=sequences, origin=origins(shape))

    def tables(self, schema: Schema) -> dict[str, tuple[int, int]]:
        """Every table as name → (rows, width): one per categorical input, one per history field without a partner,
        one row per numeric feature that enters as a vector."""
        tables = {f.name: (f.vocabulary, self.width(f.name)) for f in schema.inputs if f.kind == "categorical"}
        tables |= {f"{h.name}.{f.name}": (f.vocabulary, self.width(f"{h.name}.{f.name}"))
                   for h in schema.histories for f in h.fields if not f.table}
        if self.numeric == "vector":
            tables |= {f.name: (1, self.width(f.name)) for f in schema.inputs if f.kind == "numeric"}
        return tables

    def count(self, shape: Shape) -> Count:
        return Count(tuple(Part(name, rows * width, 0, (width,), f"{rows:,} × {width:,}", table=True)
                           for name, (rows, width) in self.tables(shape.schema).items()))

    def draw(self, shape: Shape) -> Drawing:
        after, tables = self.after(shape), self.tables(shape.schema)
        widths = {name: width for name, (_, width) in tables.items()}
        numbers = sum(tables[f.name][0] * tables[f.name][1] for f in shape.schema.numeric if f.name in tables)
        blocks = feature_rows(shape.schema, shape.at, widths, "one row per value", numbers)
        for h in shape.schema.histories:
            own = [tables[f"{h.name}.{f.name}"] for f in h.fields if not f.table]
            blocks.append(Block(f"{shape.at}.{h.name}", "representation", "history", h.name, "past items",
                                (h.length, after.sequences[h.name].width), sum(r * w for r, w in own), group="history",
                                words=tuple(f.name for f in h.fields)))
        return Drawing(tuple(blocks))

    def build(self, shape: Shape) -> EmbeddingsLayer:
        return EmbeddingsLayer(self, shape.schema)

    def fitted(self, schema: Schema) -> tuple[Embeddings, tuple[str, ...]]:
        known = {f.name for f in schema.features} | {f"{h.name}.{f.name}" for h in schema.histories for f in h.fields}
        gone = tuple(name for name in self.dims if name not in known)
        return self.model_copy(update={"dims": {n: w for n, w in self.dims.items() if n in known}}), gone


class EmbeddingsLayer(nn.Module):
    """Fused tables, one matrix per embedding width. Parameters `tables.<width>`: (rows of all its fields, width)."""

    sparse = ("tables",)

    def __init__(self, spec: Embeddings, schema: Schema):
        super().__init__()
        self.schema = schema
        self.places: dict[str, tuple[int, int]] = {}  # table → (width, first row)
        heights: dict[int, int] = {}
        for name, (rows, width) in spec.tables(schema).items():
            self.places[name] = (width, heights.get(width, 0))
            heights[width] = heights.get(width, 0) + rows
        self.tables = nn.ParameterDict({str(width): nn.Parameter(torch.randn(rows, width) * spec.init)
                                        for width, rows in heights.items()})
        self.vectors = spec.numeric == "vector"
        fields = [f for f in schema.inputs if f.kind == "categorical"]
        columns = {f.name: i for i, f in enumerate(schema.categorical)}
        self.groups: dict[int, list[str]] = {}
        for f in fields:
            self.groups.setdefault(self.places[f.name][0], []).append(f.name)
        for width, names in self.groups.items():
            self.register_buffer(f"columns_{width}", torch.tensor([columns[n] for n in names]), persistent=False)
            self.register_buffer(f"offsets_{width}", torch.tensor([self.places[n][1] for n in names]), persistent=False)

    def look_up(self, width: int, rows: Tensor) -> Tensor:
        """Rows of the matrix of that width: (…,) → (…, width), with a gradient for these rows only."""
        return F.embedding(rows, self.tables[str(width)], sparse=True)

    def forward(self, batch: Batch, trace: Trace) -> Signal:
        """ids (row, field) → fields[name] (row, width), sequences[name] (row, position, width)."""
        found: dict[str, Tensor] = {}
        for width, names in self.groups.items():
            columns, offsets = getattr(self, f"columns_{width}"), getattr(self, f"offsets_{width}")
            ids = batch.ids if len(columns) == batch.ids.shape[1] else batch.ids.index_select(1, columns)
            found |= zip(names, self.look_up(width, ids + offsets).unbind(1), strict=True)  # each (row, width)
        for i, f in enumerate(self.schema.numeric):
            value = batch.numbers[:, i:i + 1]
            if self.vectors:
                width, row = self.places[f.name]
                value = value * self.look_up(width, torch.tensor([row], device=value.device))
            found[f.name] = value
        sequences = {h.name: Sequence(self._tokens(h, batch), batch.masks[h.name]) for h in self.schema.histories}
        fields = {f.name: found[f.name] for f in self.schema.inputs}
        for name, vector in fields.items():
            trace.keep(name, "field", ("row", "width"), vector)
        return Signal(fields=fields, sequences=sequences, aside=aside(batch))

    def _tokens(self, history, batch: Batch) -> Tensor:
        """Embedded fields of every past item side by side: (row, position, width of a token)."""
        ids = batch.histories[history.name]
        parts = []
        for i, f in enumerate(history.fields):
            width, start = self.places[f.table or f"{history.name}.{f.name}"]
            parts.append(self.look_up(width, ids[:, :, i] + start))
        return torch.cat(parts, dim=2)
