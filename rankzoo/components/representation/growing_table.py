"""Growing table: ids get a row of their own when they come, and lose it when they stay away (Liu et al., 2022, Monolith).

E(id) = table[row(id)], and row(id) is
cuckoo     a row of its own: no two ids share one. An id that was never let in reads zeros; it is let in when it was seen more
           than `min_count` times (or with probability 1 − (1 − p)^c for c sightings, p = 1 − 0.05^(1/min_count)), and starts
           from uniform(−init, init); a row that was not updated for `expire` rows of data is freed for others.
hash       MD5(id) mod M, M = per_value · ids, the hash trick: ids with equal row share the vector and all of its gradients.
quotient   the sum of two rows, of id mod r and of id div r, r = ⌈√ids⌉.

Beside the vector a row holds a weight, the first order of a factorisation machine, so that ids which share a row share all.
Without filter and expiry every id of the vocabulary has its row from the start: one pass over the data would let all in.
An unknown id (0) reads zeros in every kind. Pitfall avoided: a look-up alone lets nobody in and prolongs no row's life.
More than 250 lines, because three ways to find a row answer the same questions: what it counts, who reads it, who may come.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.representation.embeddings import Embeddings, EmbeddingsLayer
from rankzoo.components.representation.hashing import halves, rows_of
from rankzoo.components.representation.tenants import Tenants
from rankzoo.errors import ZooError
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Drawing, Edge, Part, Shape
from rankzoo.signals import Batch, Signal
from rankzoo.trace import Trace


class GrowingTable(Embeddings):
    """Embeddings whose ids find their row by a cuckoo index, by the hash trick or as a sum of two rows."""

    kind: Literal["growing_table"] = "growing_table"
    index: Annotated[Literal["cuckoo", "hash", "quotient"], Field(title="An id finds its row by")] = "cuckoo"
    per_value: Annotated[float, Field(gt=0, le=1000, title="Rows for each id (hash)")] = 1.0
    min_count: Annotated[int, Field(ge=0, le=1_000_000, title="Sightings that are not enough for a row (cuckoo)")] = 0
    admit: Annotated[Literal["count", "chance"], Field(title="Let in by")] = "count"
    expire: Annotated[int, Field(ge=0, le=10**12, title="Rows of data without update that end a row (0: none)")] = 0
    first_order: Annotated[bool, Field(title="Weight beside vectors")] = True

    main: ClassVar = ("dim", "index", "min_count")
    short: ClassVar = "own rows"
    keeps: ClassVar = ("table", "rows")
    title: ClassVar = "Growing table"
    sentence: ClassVar = "Every id gets a row of its own once it was seen often enough, and none is shared."
    source: ClassVar = Source("Liu et al.", 2022, "Monolith: real time recommendation system with collisionless embedding table",
                              "arXiv 2209.07663, 2022", "10.48550/arXiv.2209.07663")

    def described(self) -> str:
        if self.index == "cuckoo" and not self.min_count:
            return ("Every id gets a row of its own, which none shares, and loses it when it stays away." if self.expire else
                    "Every id has a row of its own, and none is shared.")
        if self.index == "cuckoo":
            return self.sentence
        return ("A hash gives every id a row: ids that meet there share its vector." if self.index == "hash" else
                "Every id is the sum of two rows, each of which it shares with other ids.")

    def row(self, i: str = "") -> str:
        return {"cuckoo": rf"E[\mathrm{{row}}(x{i})]", "hash": rf"E[\mathrm{{MD5}}(x{i})\bmod M]",
                "quotient": rf"E[x{i}\bmod r]+E[r+\lfloor x{i}/r\rfloor]"}[self.index]

    def word(self) -> str:
        return {"cuckoo": "own rows", "hash": "hashed", "quotient": "two rows"}[self.index]

    @property
    def moves(self) -> bool:
        """Whether ids come and go while training."""
        return bool(self.min_count or self.expire)

    def told(self) -> tuple[str, ...]:
        return ("rows",) if self.moves else ()

    def after(self, shape: Shape) -> Shape:
        if self.moves and self.index != "cuckoo":
            raise ZooError("A table of shared rows does not know its ids, so it can neither keep one out nor let one go.",
                           "Set {at} to cuckoo, or both min_count and expire to 0.", at=f"{shape.at}.index",
                           cure=(f"{shape.at}.index", "cuckoo"), comes="n ids : 1", needs="1 id : 1")
        if self.moves and shape.schema.catalogue:
            at = f"{shape.at}.{'min_count' if self.min_count else 'expire'}"
            raise ZooError("All items of a catalogue are read at every step, so that none could come or go.",
                           "Set both min_count and expire to 0.", at=at, cure=(at, 0), needs="n × d, n ≤ B",
                           comes=f"{shape.schema.catalogue.rows} × d")
        after = super().after(shape)
        weight = {f"logit.{shape.at}": f"{shape.at}.first_order"}
        return after.but(logits=True, origin={**after.origin, **weight}) if self.weighed(shape.schema) else after

    def height(self, values: int) -> int:
        """Rows for so many ids."""
        if self.index == "cuckoo":
            return max(1, values)
        return max(1, round(self.per_value * values)) if self.index == "hash" else sum(halves(values))

    def tables(self, schema: Schema) -> dict[str, tuple[int, int]]:
        numbers = {f.name for f in schema.numeric}
        return {name: (rows if name in numbers else self.height(rows - 1), width)
                for name, (rows, width) in super().tables(schema).items()}

    def count(self, shape: Shape) -> Count:
        names, tasks = self.weighed(shape.schema), len(shape.tasks)
        if not names:
            return super().count(shape)
        widths = {self.width(name) for name in names}
        rows = sum(rows for rows, width in self.tables(shape.schema).values() if width in widths)
        working = f"{rows:,}" + (f" × {tasks}" if tasks > 1 else "")
        return super().count(shape) + Count((Part("first_order", rows * tasks, 0, (tasks,), working, table=True, rows=rows,
                                                  elementwise=len(names) * tasks),))

    def ids(self, schema: Schema) -> tuple[str, ...]:
        """The fields that have a table of their own."""
        return tuple(f.name for f in schema.inputs if f.kind == "categorical" and not schema.named(f.name))

    def weighed(self, schema: Schema) -> tuple[str, ...]:
        """The fields whose ids add a weight to the logit."""
        return self.ids(schema) if self.first_order else ()

    def draw(self, shape: Shape) -> Drawing:
        drawing, tables, biases = super().draw(shape), self.tables(shape.schema), self.biases(shape.schema)
        ids = self.ids(shape.schema)
        sizes = {f"{shape.at}.{name}": (tables[name], biases.get(name, 0)) for name in ids}
        detail = {"cuckoo": "a row of its own", "hash": "rows may be shared", "quotient": "a sum of two rows"}[self.index]
        blocks = tuple(replace(block, units=sizes[block.address][0], detail=detail,
                               parameters=sizes[block.address][0][0] * sizes[block.address][0][1] + sizes[block.address][1])
                       if block.address in sizes else block for block in drawing.blocks)
        if not self.weighed(shape.schema):
            return replace(drawing, blocks=blocks)
        own, at = self.count(shape).within("first_order").parameters, f"{shape.at}.first_order"
        weights = Block(at, "representation", "linear", "first order", "a weight beside each vector", (own, 1), own)
        return Drawing((*blocks, weights), (*drawing.edges, *(Edge(f"{shape.at}.{name}", at, 1) for name in ids)))

    def build(self, shape: Shape) -> GrowingTableLayer:
        return GrowingTableLayer(self, shape)


class GrowingTableLayer(EmbeddingsLayer):
    """Parameters `tables.<width>`: (rows of all its fields, width) and `first_order.<width>`: (rows, task).

    A key is an id's number among all ids whose tables have one width. Its rows are known for good (`rows_<width>`: (key, row
    of it), −1 for none), or `tenants.<width>` is asked, where ids come and go. Keeps `rows` (row, field), kind rows: the first
    row of the matrix that each id reads.
    """

    sparse = ("tables", "first_order")

    def __init__(self, spec: GrowingTable, shape: Shape):
        plain = Embeddings(**{name: getattr(spec, name) for name in Embeddings.model_fields if name != "kind"})
        super().__init__(plain, shape.schema)
        self.spec, self.tasks = spec, tuple(t.name for t in shape.tasks)
        self.tenants, self.heights = nn.ModuleDict(), {}
        self.numeric = {f.name for f in shape.schema.numeric}
        self._settle(plain.tables(shape.schema), spec.tables(shape.schema))
        self.tables = nn.ParameterDict({str(width): nn.Parameter(torch.empty(rows, width).uniform_(-spec.init, spec.init))
                                        for width, rows in self.heights.items()})
        weighed = [width for width in self.heights if spec.first_order and width in self.groups]
        self.first_order = nn.ParameterDict({str(width): nn.Parameter(torch.zeros(self.heights[width], len(self.tasks)))
                                             for width in weighed})
        self.fresh: dict[str, Tensor] = {}  # rows given out for the step that is being taken
        if self.tenants:
            self.register_buffer("now", torch.zeros((), dtype=torch.long))

    def _settle(self, keyed: Mapping[str, tuple[int, int]], sized: Mapping[str, tuple[int, int]]) -> None:
        """The rows of every key: the tables of one width stand below one another, in the order of their keys."""
        found: dict[int, list[Tensor]] = {}
        for name, (keys, width) in keyed.items():
            rows = rows_of(self.spec.index, keys - 1, sized[name][0])
            rows = torch.zeros(1, 1, dtype=torch.long) if name in self.numeric else rows
            found.setdefault(width, []).append(torch.where(rows < 0, -1, rows + self.heights.get(width, 0)))
            self.heights[width] = self.heights.get(width, 0) + sized[name][0]
        for width, parts in found.items():
            most = max(part.shape[1] for part in parts)
            rows = torch.cat([F.pad(part, (0, most - part.shape[1]), value=-1) for part in parts])  # (key, row of it)
            self.register_buffer(f"rows_{width}", rows, persistent=False)
            if self.spec.moves:
                self.tenants[str(width)] = Tenants(len(rows), self.heights[width], self.spec.min_count, self.spec.admit,
                                                   self.spec.expire)

    def rows(self, width: int, keys: Tensor) -> Tensor:
        """The rows that keys read, −1 for none: (…,) → (…, row of it)."""
        if self.tenants:
            return self.tenants[str(width)].look_up(keys).unsqueeze(-1)
        return F.embedding(keys, getattr(self, f"rows_{width}"))

    def look_up(self, width: int, keys: Tensor) -> Tensor:
        return self.read(self.tables[str(width)], width, self.rows(width, keys))

    def read(self, table: Tensor, width: int, rows: Tensor) -> Tensor:
        """The sum of some rows of a parameter, of none zeros: (…, row of it) → (…, width).

        A row that was given out for this very step reads zeros too, but learns: it is made at its first update.
        """
        known = (rows >= 0).unsqueeze(-1)
        # What has no row reads one that is read anyway, times 0, so that no other row is touched by the optimiser.
        some = torch.where(rows >= 0, rows, rows.amax().clamp(min=0)) if rows.numel() else rows
        values = F.embedding(some, table, sparse=True) * known
        if self.training and len(fresh := self.fresh.get(str(width), ())):
            values = values - values.detach() * torch.isin(rows, fresh).unsqueeze(-1)
        return values.sum(dim=-2) if rows.shape[-1] > 1 else values.squeeze(-2)

    def forward(self, batch: Batch, trace: Trace) -> Signal:
        signal = super().forward(batch, trace)
        weights, read = None, {}
        for width, names in self.groups.items():
            if str(width) in self.first_order or trace.on:
                rows = self.rows(width, self._keys(width, batch))  # (row, field, row of it)
                read |= zip(names, rows[..., 0].unbind(1), strict=True)
            if str(width) in self.first_order:
                each = self.read(self.first_order[str(width)], width, rows)  # (row, field, task)
                weights = each.sum(dim=1) if weights is None else weights + each.sum(dim=1)
        if read:
            trace.keep("rows", "rows", ("row", "field"), lambda: torch.stack(list(read.values()), dim=1), {"field": tuple(read)})
        if weights is None:
            return signal
        trace.keep("weights", "logit", ("row", "task"), weights)
        return signal.but(logits={task: weights[:, i] for i, task in enumerate(self.tasks)})

    def _keys(self, width: int, batch: Batch) -> Tensor:
        return batch.ids.index_select(1, getattr(self, f"columns_{width}")) + getattr(self, f"offsets_{width}")

    def vectors_of(self, name: str, rows: int) -> Tensor:
        width, start = self.places[name]
        vectors = self.look_up(width, start + torch.arange(rows))
        return torch.relu(vectors + self.bias[str(width)][self.groups[width].index(name)]) if self.relu else vectors

    def read_by(self, name: str) -> Tensor:
        """The rows of the matrix that every id of a field reads, −1 for none: (id, row of it)."""
        width, start = self.places[name]
        return self.rows(width, start + torch.arange(self.schema.feature(name).vocabulary))

    @torch.no_grad()
    def sight(self, batch: Batch) -> dict[str, Tensor]:
        """Before a step that learns from a batch: its ids are counted, let in and let go. Returns the rows that were given out,
        by the name of the parameter; they start anew."""
        found: dict[str, Tensor] = {}
        for width, tenants in self.tenants.items():
            keys = self.seen(int(width), batch)
            fresh = self.fresh[width] = tenants.sight(keys, int(self.now))
            if len(fresh):
                self.tables[width][fresh] = torch.empty(len(fresh), int(width)).uniform_(-self.spec.init, self.spec.init)
                found[f"tables.{width}"] = fresh
                if width in self.first_order:
                    self.first_order[width][fresh] = 0.0
                    found[f"first_order.{width}"] = fresh
        if self.tenants:
            self.now += len(batch)
        return found

    def told(self) -> dict[str, float]:
        """`rows.<feature>.held`: how many of a feature's ids have a row now, where ids come and go."""
        if not self.tenants:
            return {}
        return {f"rows.{name}.held": float((self.read_by(name)[:, 0] >= 0).sum()) for name in self.spec.ids(self.schema)}

    def seen(self, width: int, batch: Batch) -> Tensor:
        """The keys of all known ids of a batch whose tables have a width, as often as they occur: (look-up,)."""
        found = []
        if width in self.groups:
            ids = batch.ids.index_select(1, getattr(self, f"columns_{width}"))
            found.append((ids + getattr(self, f"offsets_{width}"))[ids > 0])
        for history in self.schema.histories:
            for i, field in enumerate(history.fields):
                place, start = self.places[field.table or f"{history.name}.{field.name}"]
                ids = batch.histories[history.name][:, :, i][batch.masks[history.name]]
                found += [ids[ids > 0] + start] if place == width else []
        if self.vectors:
            found += [torch.tensor([row]) for name, (place, row) in self.places.items()
                      if place == width and name in self.numeric]
        return torch.cat(found) if found else torch.zeros(0, dtype=torch.long)
