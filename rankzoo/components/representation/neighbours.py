"""Neighbours: an item is what is known of it and of the items around it (Hamilton et al., NIPS 2017, GraphSAGE; over playlists
Saravanou et al., ISMIR 2021).

h_v^0 = x_v, the attributes side by side, without the id. For k = 1 … K:
n_v^k = AGG{h_u^{k−1} : u ∈ N_k(v)}, N_k(v) at most S_k neighbours, drawn anew for each k;
h_v^k = ReLU(W^k [h_v^{k−1}; n_v^k]), then divided by its length.

mean   Σ_u h_u / |N|                    pool   max_u ReLU(W_pool h_u + b), element by element
gcn    h_v^k = ReLU(W^k mean({h_v} ∪ {h_u})): the item counts as one of its neighbours, and nothing is joined
lstm   the state, as wide as h, after all of them one by one in an order by lot: what it makes of a set depends on that order,
       which is another at every step, and outside training always the same

Each neighbour is as likely drawn as another, or as its edge weighs. What is learned is how to read a neighbourhood, and no number
belongs to an item: one never seen in training has a vector too (`ids` gives each a number of its own, and takes that away). To
draw neighbours makes a step cheap and the reading robust; outside training all that are listed are read. An item without any
has n_v = 0, and the network must know that case: `alone` items have theirs hidden in training. An attribute that a task asks
for is left out, or its task would teach nothing.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import linear_part
from rankzoo.components.representation.attributes import Attributes, AttributesLayer
from rankzoo.components.slot import Width
from rankzoo.errors import ZooError
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Count, Part, Shape
from rankzoo.signals import Batch

Sample = Annotated[int, Field(ge=0, le=100)]


class Neighbours(Attributes):
    """Attributes, then a layer of `hidden` width for each step away, which reads `samples` neighbours (0: none)."""

    kind: Literal["neighbours"] = "neighbours"
    hidden: Annotated[tuple[Width, ...], Field(max_length=4, title="Width of each layer")] = (32, 32)
    samples: Annotated[tuple[Sample, ...], Field(max_length=4, title="Neighbours drawn for each layer")] = (10, 5)
    sampling: Annotated[Literal["uniform", "weight"], Field(title="Neighbours are drawn by")] = "uniform"
    aggregator: Annotated[Literal["mean", "pool", "gcn", "lstm"], Field(title="Neighbours become one by")] = "mean"
    normalize: Annotated[bool, Field(title="Unit length after layers")] = True
    alone: Annotated[float, Field(ge=0, lt=1, title="Items without neighbours in training")] = 0.1
    unknown: Annotated[float, Field(ge=0, lt=1, title="Attributes hidden in training")] = 0.0

    main: ClassVar = ("hidden", "samples", "aggregator")
    short: ClassVar = "neighbours"
    title: ClassVar = "Items by their neighbours"
    sentence: ClassVar = "An item is what is known of it and of its neighbours in a graph."
    source: ClassVar = Source("Hamilton et al.", 2017, "Inductive representation learning on large graphs", "NIPS 2017",
                              "10.48550/arXiv.1706.02216")

    def described(self) -> str:
        return "An item is its id, what is known of it, and its neighbours in a graph." if self.ids else self.sentence

    def equation(self) -> str:
        if not self.hidden:
            return "h_v=x_v"
        near, all_near = r"u\in N_k(v)", r"\sum_{u\in N_k(v)} h_u^{k-1}"
        unit = r",\quad h_v^k\leftarrow h_v^k/\Vert h_v^k\Vert" if self.normalize else ""
        if self.aggregator == "gcn":
            return rf"h_v^k=\mathrm{{ReLU}}\Big(\frac{{W^k}}{{1+|N_k(v)|}}\big(h_v^{{k-1}}+{all_near}\big)\Big){unit}"
        heard = {"mean": rf"\frac{{1}}{{|N_k(v)|}}{all_near}", "lstm": rf"\mathrm{{LSTM}}_{{{near}}}(h_u^{{k-1}})",
                 "pool": rf"\max_{{{near}}}\mathrm{{ReLU}}(W_p^k h_u^{{k-1}}+b^k)"}[self.aggregator]
        return rf"h_v^k=\mathrm{{ReLU}}(W^k[h_v^{{k-1}};n_v^k]),\quad n_v^k={heard}{unit}"

    def after(self, shape: Shape) -> Shape:
        after = super().after(shape)
        if not listing(shape.schema):
            raise ZooError("No item of these data lists others.", "Choose data with a graph, or set representation.kind to "
                           "attributes.", at=shape.at, cure=("representation.kind", "attributes"), comes="N × 0",
                           needs="N × n, n ≥ 1")
        if not self.attributes(shape.schema):
            raise ZooError("Nothing is known of an item but its id and what the tasks ask for.", "Name attributes in "
                           "representation.items.", at=f"{shape.at}.items", comes="N × 0", needs="N × n, n ≥ 1")
        if len(self.samples) != len(self.hidden):
            raise ZooError("There are {layers} layers, and {samples} numbers of neighbours.", "Give each layer one.",
                           at=f"{shape.at}.samples", layers=len(self.hidden), samples=len(self.samples),
                           cure=(f"{shape.at}.samples", (self.samples + self.samples[-1:] * len(self.hidden))[:len(self.hidden)]),
                           comes=f"{len(self.samples)} × n", needs=f"{len(self.hidden)} × n")
        if self.sampling == "weight" and not weighed(shape.schema):
            raise ZooError("No edge of these data has a weight.", "Set representation.sampling to uniform.",
                           at=f"{shape.at}.sampling", cure=(f"{shape.at}.sampling", "uniform"), comes="E × 0", needs="E × 1")
        return after

    def attributes(self, schema: Schema) -> tuple[str, ...]:
        asked = {task.of for task in schema.tasks}
        return tuple(name for name in super().attributes(schema) if name not in asked or self.wants(name, schema))

    def wants(self, name: str, schema: Schema) -> bool:
        """Whether the settings ask for an attribute, whatever a task asks for: named among the items, or an id."""
        return name in self.items or self.ids and bool(schema.named(name))

    def widths(self, schema: Schema) -> tuple[int, ...]:
        """d_0 … d_K: of the attributes side by side, then of every layer."""
        return (super().item_width(schema), *self.hidden)

    def item_width(self, schema: Schema) -> int:
        return self.widths(schema)[-1] if schema.catalogue else 0

    def item_parts(self, schema: Schema) -> dict[str, int]:
        return {}

    def count(self, shape: Shape) -> Count:
        return super().count(shape) + Count(self.layer_parts(shape.schema))

    def layer_parts(self, schema: Schema) -> tuple[Part, ...]:
        """d_k × 2 d_{k−1} parameters a layer, gcn d_k × d_{k−1}; pool has d_{k−1} × (d_{k−1} + 1) more, lstm
        4 d_{k−1} × (2 d_{k−1} + 1), whose state moves once for each neighbour."""
        widths, parts, rows = self.widths(schema), [], schema.catalogue.rows
        for k, (into, out, most) in enumerate(zip(widths, widths[1:], self.samples, strict=False)):
            each = [linear_part(f"pool.{k}", into, into)] if self.aggregator == "pool" else []
            if self.aggregator == "lstm":
                places = schema.catalogue.schema.history(listing(schema)).length if most else 0
                each = [linear_part(f"read.{k}", into, 4 * into), linear_part(f"state.{k}", into, 4 * into, False, places)]
            reads = into * (1 + (self.aggregator != "gcn"))
            each.append(replace(linear_part(f"layer.{k}", reads, out, bias=False),
                                inside=((reads,), (out,)) if self.normalize else ((reads,),)))
            parts += [part.for_items(rows) for part in each]
        return tuple(parts)

    def making(self, shape: Shape) -> tuple[str, tuple[int, ...], int]:
        own, many = sum(part.parameters for part in self.layer_parts(shape.schema)), len(self.hidden)
        layers = f"{many} layer{'s' * (many != 1)}"
        return f"{layers} over neighbours · {self.aggregator}", self.hidden or (self.item_width(shape.schema),), own

    def build(self, shape: Shape) -> NeighboursLayer:
        return NeighboursLayer(self, shape.schema)


def weighed(schema: Schema) -> int:
    """Which field of that list tells how much an edge weighs; 0 where none does."""
    name = listing(schema)
    fields = schema.catalogue.schema.history(name).fields if name else ()
    return next((i for i, field in enumerate(fields) if field.counted), 0)


def listing(schema: Schema) -> str:
    """The list of an item that names other items; "" where there is none."""
    lists = schema.catalogue.schema.histories if schema.catalogue else ()
    return next((h.name for h in lists if schema.named(h.fields[0].table)), "")


class Graph(nn.Module):
    """How items read their neighbours, over a layer that makes each of its attributes by `items`: (item, d_0) → (item, d_K)."""

    def items(self, catalogue: Batch) -> Tensor:
        """Layer by layer, every item with its neighbours: (item, width)."""
        h = super().items(catalogue)  # (item, d_0)
        listed, mask = catalogue.histories[self.listed], catalogue.masks[self.listed]  # (item, place, field), (item, place)
        if self.training and self.alone:
            mask = mask & (torch.rand(len(mask), 1, device=mask.device) >= self.alone)
        for k, (layer, most) in enumerate(zip(self.layer, self.samples, strict=True)):
            ids, there = self.drawn(listed, mask, most)
            h = torch.relu(layer(self.gathered(k, h, ids, there)))
            h = F.normalize(h, dim=1) if self.normalize else h
        return h

    def drawn(self, listed: Tensor, mask: Tensor, most: int) -> tuple[Tensor, Tensor]:
        """At most so many neighbours without repetition: (item, sample) ids and mask. Outside training all, or none where none
        are asked for."""
        near = listed[:, :, 0]
        if most and (not self.training or most >= near.shape[1]):
            return near, mask
        chosen = self.lots(listed, mask).topk(most, dim=1).indices
        return near.gather(1, chosen), mask.gather(1, chosen)

    def lots(self, listed: Tensor, mask: Tensor) -> Tensor:
        """By which the largest are drawn: each as likely as another, or as its edge weighs (Efraimidis and Spirakis, 2006)."""
        lot = torch.rand(mask.shape, device=mask.device)
        if self.sampling == "weight":
            return (lot.log() / listed[:, :, self.weight].clamp(min=1)).masked_fill(~mask, -torch.inf)
        return lot - 2.0 * ~mask

    def gathered(self, k: int, h: Tensor, ids: Tensor, there: Tensor) -> Tensor:
        """What W reads: the item and its neighbours as one vector, side by side, or their mean."""
        if self.how == "lstm":
            return torch.cat([h, self.last(k, h, ids, there)], dim=1)
        told = torch.relu(self.pool[k](h)) if self.how == "pool" else h
        heard = F.embedding(ids, told) * there.unsqueeze(2)  # (item, sample, width)
        if self.how == "pool":
            # What is max'ed is at least 0, so that a masked 0 changes nothing.
            return torch.cat([h, heard.amax(dim=1) if ids.shape[1] else torch.zeros_like(h)], dim=1)
        total, many = heard.sum(dim=1), there.sum(dim=1, keepdim=True)
        if self.how == "gcn":
            return (h + total) / (many + 1)
        return torch.cat([h, total / many.clamp(min=1)], dim=1)

    def last(self, k: int, h: Tensor, ids: Tensor, there: Tensor) -> Tensor:
        """The state of an LSTM after all neighbours, in an order by lot: (item, width)."""
        ids, there = self.shuffled(ids, there)
        told = self.read[k](h)  # (item, 4 · width)
        state = cell = torch.zeros_like(h)
        for place in range(ids.shape[1]):
            i, f, g, o = (F.embedding(ids[:, place], told) + self.state[k](state)).chunk(4, dim=1)
            new = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            here = there[:, place:place + 1]
            cell = torch.where(here, new, cell)
            state = torch.where(here, torch.sigmoid(o) * torch.tanh(new), state)
        return state

    def shuffled(self, ids: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """The same neighbours in another order; outside training always the same one."""
        lot = torch.rand(ids.shape) if self.training else torch.rand(ids.shape, generator=torch.Generator().manual_seed(0))
        order = lot.to(ids.device).argsort(dim=1)
        return ids.gather(1, order), there.gather(1, order)


class NeighboursLayer(Graph, AttributesLayer):
    """Catalogue → (item, width); `layer.k` is W^{k+1}, `pool.k` what pooling adds, `read.k` and `state.k` what an LSTM does."""

    def __init__(self, spec: Neighbours, schema: Schema):
        super().__init__(spec, schema)
        widths, twice = spec.widths(schema), 1 + (spec.aggregator != "gcn")
        self.listed, self.how, self.normalize = listing(schema), spec.aggregator, spec.normalize
        self.samples, self.alone, self.sampling, self.weight = spec.samples, spec.alone, spec.sampling, weighed(schema)
        self.layer = nn.ModuleList(nn.Linear(twice * into, out, bias=False)
                                   for into, out in zip(widths, widths[1:], strict=False))
        self.pool = nn.ModuleList(nn.Linear(into, into) for into in widths[:-1] if spec.aggregator == "pool")
        self.read = nn.ModuleList(nn.Linear(into, 4 * into) for into in widths[:-1] if spec.aggregator == "lstm")
        self.state = nn.ModuleList(nn.Linear(into, 4 * into, bias=False) for into in widths[:-1] if spec.aggregator == "lstm")
