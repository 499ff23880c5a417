"""Tree leaves: the numbers enter as the leaf that each tree of a forest puts them into (Ackerman and Kataria, 2021).

idx_t(x) = off_t + leaf_t(x), e = [E[idx_1]; …; E[idx_T]]: the trees choose the splits and cross the numbers, the network learns
what a leaf is worth. A number has no scale any more: whatever keeps the order of its values keeps its leaves. The forest is
fitted on the training rows before the first step and rests from then on; it is kept with the weights. (He et al., ADKDD 2014,
gave leaves to a linear model.) A number that was missing is so to a tree too, and goes where the trees' library learned.

Where groups of tasks have networks of their own, E may be one for all of them or E_g, one for each: then V·d counts once for
each group, and each network reads e_g alone. The trees are the same. Vectors of a group's own pass the crosses by: a cross of
all fields would join again what is to stand apart.

v = [e(x); BN(z)]: numbers that are no features of the trees, such as those of an embedding made elsewhere, may stand beside the
leaves as they are. Leaves need no scaling, they do (the source names batch normalisation).

Over 250 lines: what is counted of a forest and what is read off it stand beside each other.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil, log2, prod
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import Standardised
from rankzoo.components.representation.boosting import Growth, Split, boosted
from rankzoo.components.representation.embeddings import Embeddings, EmbeddingsLayer
from rankzoo.components.representation.raw import DENSE
from rankzoo.components.slot import once
from rankzoo.errors import ZooError, axes, closest, listed, nearest
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Drawing, Edge, Part, Shape, side_by_side
from rankzoo.signals import Batch, Signal
from rankzoo.trace import Trace


class TreeLeaves(Embeddings):
    """Embeddings for ids as ever; all numbers become one leaf in each of `trees` trees, with `dim` numbers each. `labels` says
    what the trees are grown for: each task has its share of them, or all are the first task's. `share_table` off gives each
    group of tasks that reads by itself a table of its own; where all tasks read together there is one either way. `dense` names
    the numbers that no tree asks: they enter as they are, normalised over the batch, without parameters."""

    kind: Literal["tree_leaves"] = "tree_leaves"
    numeric: Annotated[Literal["leaves"], Field(title="Numeric features enter as")] = "leaves"
    trees: Annotated[int, Field(ge=1, le=1000, title="Trees")] = 50
    leaves: Annotated[int, Field(ge=2, le=256, title="Leaves of each tree at most")] = 16
    dim: Annotated[int, Field(ge=1, le=1024, title="Embedding size")] = 8
    pooling: Annotated[Literal["concat", "sum"], Field(title="Leaves are joined by")] = "concat"
    labels: Annotated[Literal["each", "first"], Field(title="Trees are grown for")] = "each"
    share_table: Annotated[bool, Field(title="Groups share leaf tables")] = True
    dense: Annotated[tuple[str, ...], Field(max_length=2000, title="Numbers beside the leaves, batch-normalised")] = ()
    shrinkage: Annotated[float, Field(gt=0, le=1, title="Shrinkage of each tree")] = 0.3

    main: ClassVar = ("trees", "leaves", "dim")
    short: ClassVar = "leaves"
    outside: ClassVar = "how the forest is grown on the training rows: until kept weights are read its splits are random"
    title: ClassVar = "Tree leaves"
    sentence: ClassVar = "A forest sorts the numbers into leaves, and every leaf owns a vector."
    source: ClassVar = Source("Ackerman and Kataria", 2021, "Homepage feed multi-task learning using TensorFlow",
                              "LinkedIn Engineering, 3 June 2021")

    def equation(self) -> str:
        e, table = ("e", "E") if self.share_table else ("e_g", "E_g")
        joined = (rf"[{table}[\mathrm{{idx}}_1];\dots;{table}[\mathrm{{idx}}_T]]" if self.pooling == "concat" else
                  rf"\sum_t {table}[\mathrm{{idx}}_t]")
        beside = rf",\quad v=[{e};\mathrm{{BN}}(z)]" if self.dense else ""
        return rf"{e}={joined},\quad \mathrm{{idx}}_t=\mathrm{{off}}_t+\mathrm{{leaf}}_t(x){beside}"

    def read(self, schema: Schema) -> tuple[str, ...]:
        """The numbers that the trees split."""
        return tuple(name for name in numbers_in(schema) if name not in self.dense)

    @property
    def depth(self) -> int:
        """How many questions lead to a leaf at most: three more than in a full tree."""
        return min(self.leaves - 1, ceil(log2(self.leaves)) + 3)

    @property
    def wide(self) -> int:
        """Width of what leaves the forest."""
        return self.dim * (self.trees if self.pooling == "concat" else 1)

    def after(self, shape: Shape) -> Shape:
        names, known = self.read(shape.schema), numbers_in(shape.schema)
        once(self.dense, f"{shape.at}.dense")
        for i, name in enumerate(self.dense):
            if name not in known:
                raise ZooError("The data have no number '{name}' to stand beside the leaves.", closest(name, list(known)) or
                               "Choose among: {names}.", at=f"{shape.at}.dense.{i}", name=name, names=listed(known),
                               cure=nearest(f"{shape.at}.dense.{i}", name, list(known)), comes=f"{name}: {axes(0)}",
                               needs=f"{name}: {axes(1)} ∈ ℝ")
        if not names:
            raise ZooError("The data have no numbers for trees to split.",
                           "Choose data with numbers, or set representation.kind to embeddings.", at=shape.at,
                           cure=("representation.kind", "embeddings"), comes=axes(0) + " ∈ ℝ", needs=axes("n") + " ∈ ℝ, n ≥ 1")
        if not any(task.single for task in shape.tasks):
            raise ZooError("No task has a label that these trees can be grown for: all choose among classes.",
                           "Keep a task with a binary label or a number, or set representation.kind to embeddings.",
                           at=shape.at, cure=("representation.kind", "embeddings"),
                           comes=", ".join(f"{task.name}: y ∈ {{0, …, K}}" for task in shape.tasks), needs="y ∈ {0, 1} | ℝ")
        after = super().after(shape)
        fields = {name: width for name, width in after.fields.items() if name not in names}
        own = self.apart_in(shape)
        for name in fields.keys() & {DENSE, *own}:
            raise ZooError("The leaves of all trees are one field, '{name}', and the data have such a column.",
                           "Rename the column, or set representation.kind to embeddings.", at=shape.at, name=name,
                           cure=("representation.kind", "embeddings"), comes=f"{name}: 2 × B", needs=f"{name}: 1 × B")
        fields, joins = (fields, dict.fromkeys(own, self.wide)) if own else ({DENSE: self.wide} | fields, {})
        nodes = zip(own or (DENSE,), self.tails(shape), strict=True)
        return after.but(fields=fields, joins=joins, own={name: group for group, name in enumerate(own)},
                         origin={**after.origin, **{name: f"{shape.at}.forest{tail}" for name, tail in nodes}})

    def apart_in(self, shape: Shape) -> tuple[str, ...]:
        """The names of the groups' own vectors; none where one table serves all tasks."""
        groups = len(shape.apart)
        return () if self.share_table or groups < 2 else tuple(f"{DENSE} · {group + 1}" for group in range(groups))

    def forest_parts(self, shape: Shape) -> tuple[Part, ...]:
        """V·d numbers in each table of leaves; nothing is multiplied."""
        each, working = prod((self.trees, self.leaves, self.dim)), f"{self.trees:,} × {self.leaves:,} × {self.dim:,}"
        width = side_by_side([self.dim] * self.trees) if self.pooling == "concat" else ""
        return tuple(Part(f"forest{tail}", each, 0, (self.wide,), working, table=True, width=width,
                          inside=((self.trees, self.dim),) if self.pooling == "sum" else ()) for tail in self.tails(shape))

    def tails(self, shape: Shape) -> tuple[str, ...]:
        """How the addresses of the tables end, one for each group that has its own."""
        return ("", *(f".{group + 2}" for group in range(len(self.apart_in(shape)) - 1)))

    def count(self, shape: Shape) -> Count:
        return super().count(shape) + Count(self.forest_parts(shape))

    def draw(self, shape: Shape) -> Drawing:
        """The numbers flow into the forest, whose leaves flow on: a node for each table."""
        drawing, names, parts = super().draw(shape), self.read(shape.schema), self.forest_parts(shape)
        nodes = tuple(Block(f"{shape.at}.{part.path}", "representation", "forest",
                            f"{self.trees} trees" + (f" · {group + 1}" if len(parts) > 1 else ""),
                            f"up to {self.leaves} leaves", (self.trees, self.leaves, self.dim), part.parameters, group="number")
                      for group, part in enumerate(parts))
        edges = tuple(Edge(f"{shape.at}.numbers", node.address, len(names)) for node in nodes)
        return replace(drawing, blocks=(*drawing.blocks, *nodes), edges=(*drawing.edges, *edges))

    def build(self, shape: Shape) -> TreeLeavesLayer:
        return TreeLeavesLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[TreeLeaves, tuple[str, ...]]:
        spec, gone = super().fitted(schema)
        known = numbers_in(schema)
        left = tuple(name for name in self.dense if name not in known)
        return spec.model_copy(update={"dense": tuple(name for name in self.dense if name in known)}), gone + left


def numbers_in(schema: Schema) -> tuple[str, ...]:
    """The numbers that a model reads."""
    return tuple(f.name for f in schema.inputs if f.kind == "numeric")


class Forest(nn.Module):
    """(row, number) → (row, tree, dim), of `tables` tables (row, table, tree, dim). A node asks whether a number is at most its
    threshold, and NaN goes where `missing` says, as the trees' library learned; a child c < 0 is the leaf ~c.

    Until it is fitted its splits are random. Trees with fewer leaves leave some rows of the table idle.
    """

    def __init__(self, spec: TreeLeaves, numbers: int, tables: int = 0):
        super().__init__()
        self.leaves, self.depth, self.tables, nodes = spec.leaves, spec.depth, tables, spec.leaves - 1
        self.register_buffer("feature", torch.randint(0, numbers, (spec.trees, nodes)))
        self.register_buffer("threshold", torch.randn(spec.trees, nodes, dtype=torch.float64))
        self.register_buffer("missing", torch.zeros(spec.trees, nodes, dtype=torch.bool))  # whether to the right
        children = 2 * torch.arange(nodes)[:, None] + torch.tensor([1, 2])  # (node, side) of a full tree, filled from the left
        children = torch.where(children < nodes, children, ~(children - nodes))
        self.register_buffer("child", children.repeat(spec.trees, 1, 1))    # (tree, node, side)
        self.table = nn.Parameter(torch.randn((tables or 1) * spec.trees * spec.leaves, spec.dim) * spec.init)

    @torch.no_grad()
    def set(self, trees: Sequence[Sequence[Split]]) -> None:
        """Other splits, tree by tree; a tree without any, or one that is not given, has a single leaf."""
        self.feature.zero_(), self.threshold.fill_(torch.inf), self.missing.fill_(False), self.child.fill_(~0)
        for tree, splits in enumerate(trees):
            for node, split in enumerate(splits):
                self.feature[tree, node], self.threshold[tree, node] = split.feature, split.threshold
                self.missing[tree, node] = split.missing
                self.child[tree, node] = torch.tensor([split.left, split.right])

    def ids(self, numbers: Tensor) -> Tensor:
        """(row, number) → (row, tree), the row of the table that each tree picks: off_t + leaf_t(x)."""
        trees, nodes = self.feature.shape
        every = torch.arange(trees, device=numbers.device)
        first = every * nodes
        feature, threshold, child = self.feature.flatten(), self.threshold.flatten(), self.child.flatten()
        node = torch.zeros_like(every).expand(len(numbers), trees)
        for _ in range(self.depth):
            at = first + node.clamp(min=0)
            asked = numbers.gather(1, feature[at]).double()
            right = torch.where(asked.isnan(), self.missing.flatten()[at], asked > threshold[at])
            node = torch.where(node < 0, node, child[2 * at + right])
        return every * self.leaves + ~node

    def forward(self, numbers: Tensor) -> Tensor:
        ids = self.ids(numbers)
        if self.tables:
            each = len(self.table) // self.tables
            ids = ids.unsqueeze(1) + each * torch.arange(self.tables, device=ids.device).unsqueeze(1)  # (row, table, tree)
        return F.embedding(ids, self.table)


class TreeLeavesLayer(EmbeddingsLayer):
    """Embeddings of ids, and `forest` for the numbers; `own` names the vectors that a group of tasks has for itself, `norm`
    standardises the numbers that stand beside the leaves."""

    def __init__(self, spec: TreeLeaves, shape: Shape):
        super().__init__(spec, shape.schema)
        self.spec, self.tasks = spec, tuple(task for task in shape.tasks if task.single)
        self.own, named = spec.apart_in(shape), numbers_in(shape.schema)
        self.beside = tuple(name for name in named if name in spec.dense)
        places = dict(zip(named, self.numbers, strict=True))
        self.numbers, self.plain = ([places[name] for name in group] for group in (spec.read(shape.schema), self.beside))
        self.forest = Forest(spec, len(self.numbers), len(self.own))
        self.norm = Standardised(len(self.beside)) if self.beside else None

    def fit(self, train: Batch, seed: int) -> None:
        """Grows the forest on the training rows, task by task; called once, before the first step."""
        grown = self.tasks if self.spec.labels == "each" else self.tasks[:1]
        share, more = divmod(self.spec.trees, len(grown))
        trees: list[Sequence[Split]] = []
        for i, task in enumerate(grown):
            seen = train.observed[task.name]
            wanted = share + (i < more)
            found = boosted(train.given[seen][:, self.numbers].numpy(), train.labels[task.name][seen].numpy(), task.kind, wanted,
                            Growth(self.spec.leaves, self.spec.depth, self.spec.shrinkage, seed))
            trees += [*found, *[()] * (wanted - len(found))]
        self.forest.set(trees)

    def forward(self, batch: Batch, trace: Trace) -> Signal:
        signal = super().forward(batch, trace)
        if not self.own:
            return signal
        joins = dict(zip(self.own, self._leaves(batch).unbind(1), strict=True))
        for name, vector in joins.items():
            trace.keep(name, "field", ("row", "width"), vector)
        return signal.but(joins=joins)

    def _numbers(self, batch: Batch) -> Mapping[str, Tensor]:
        fields = {} if self.own else {DENSE: self._leaves(batch)}
        if self.norm is not None:
            fields |= zip(self.beside, self.norm(batch.numbers[:, self.plain]).split(1, dim=1), strict=True)
        return fields

    def _leaves(self, batch: Batch) -> Tensor:
        """The leaves of a row joined: (row, width), or (row, group, width)."""
        vectors = self.forest(batch.given[:, self.numbers])  # (row, tree, dim), of groups (row, group, tree, dim)
        return vectors.flatten(-2) if self.spec.pooling == "concat" else vectors.sum(dim=-2)
