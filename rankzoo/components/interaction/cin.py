"""Compressed interaction network (Lian et al., KDD 2018, xDeepFM): explicit crosses of whole vectors, one order per layer.

X^k_h = Σ_i Σ_j W^{k,h}_{ij} (X^{k−1}_i ⊙ X^0_j),   p^k_h = Σ_d X^k_{h,d},   p⁺ = [p^1; …; p^T]

X^0 holds the m fields, X^k the H_k feature maps of layer k, whose order is k + 1. Every number d of the vectors is crossed with
the same number only, by the same filters: nothing mixes along d, and the count does not depend on its length. p⁺ meets the
deep network in its last linear map. No activation (the identity was best in the paper) and no bias, unless asked for as some
libraries have it. `split` is the authors' code, not the text: half of a layer's maps go on, the other half to p⁺; the last
layer's go to p⁺ whole.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.interaction.pairs import one_width, pair_map
from rankzoo.components.slot import Slot, Width
from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Edge, Part, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace

MEANS = ("size in the first feature maps", "How far a pair of fields spreads the first layer's feature maps beyond what either "
         "field says alone; how much of it the prediction uses, the last linear map decides.")


class CIN(Slot):
    """`maps`: feature maps H_k of each layer."""

    kind: Literal["cin"] = "cin"
    maps: Annotated[tuple[Width, ...], Field(min_length=1, max_length=8, title="Feature maps of each layer")] = (64, 64)
    split: Annotated[bool, Field(title="Half of the maps goes on")] = False
    bias: Annotated[bool, Field(title="Bias of each map")] = False

    main: ClassVar = ("maps", "split")
    short: ClassVar = "CIN"
    keeps: ClassVar = ("cross",)
    title: ClassVar = "Compressed interaction network"
    sentence: ClassVar = "Crosses whole vectors, field by field; each layer adds one degree and is summed up for the head."
    source: ClassVar = Source("Lian et al.", 2018, "xDeepFM: combining explicit and implicit feature interactions for "
                              "recommender systems", "KDD 2018", "10.1145/3219819.3220023")

    def described(self) -> str:
        return "Crosses whole vectors, field by field; half of a layer's maps go on, half are summed up for the head." if (
            self.split and len(self.maps) > 1) else self.sentence

    def equation(self) -> str:
        bias = r" + b^k_h" if self.bias else ""
        return rf"X^k_h = \sum_{{i,j}} W^{{k,h}}_{{ij}}\,(X^{{k-1}}_i \odot X^0_j){bias},\quad p^k_h = \sum_d X^k_{{h,d}}"

    def word(self) -> str:
        return f"CIN ×{len(self.maps)}"

    def goes_on(self, k: int) -> int:
        """How many maps of layer k the next layer reads; 0 behind the last."""
        if k == len(self.maps) - 1:
            return 0
        return self.maps[k] // 2 if self.split else self.maps[k]

    def pooled(self, k: int) -> int:
        """How many maps of layer k are summed up for the head."""
        return self.maps[k] - self.goes_on(k) if self.split else self.maps[k]

    def layers(self, m: int) -> Iterator[tuple[int, int, int]]:
        """(number k, maps H_{k−1} that layer k reads, maps H_k that it makes), for m fields."""
        return ((k, self.goes_on(k - 1) if k else m, maps) for k, maps in enumerate(self.maps))

    def after(self, shape: Shape) -> Shape:
        one_width(shape)
        for k, maps in enumerate(self.maps[:-1]):
            if self.split and maps % 2:
                raise ZooError("Half of {maps} feature maps shall go on, but {maps} is odd.",
                               "Give every layer but the last an even number of maps, or switch the split off.",
                               at=f"{shape.at}.maps.{k}", maps=maps, cure=(f"{shape.at}.maps.{k}", maps + 1),
                               comes=axes(maps, "d"), needs=axes("2·n", "d"))
        leaves = {f"{shape.at}.layer.{k}": self.pooled(k) for k in range(len(self.maps))}
        return shape.but(head={**shape.head, **leaves}, origin={**shape.origin, **{name: name for name in leaves}})

    def count(self, shape: Shape) -> Count:
        m, d = len(shape.fields), one_width(shape)
        parts = []
        for k, before, maps in self.layers(m):
            flops = 2 * d * maps * m * (before + 1)  # Σ_i for every map and field, then Σ_j with X^0
            working = f"{maps} × {before} × {m}" + (f" + {maps}" if self.bias else "")
            parts.append(Part(f"layer.{k}", maps * before * m + self.bias * maps, flops, (maps, d), working,
                              products=f"2 × {d:,} × {maps:,} × {m:,} × ({before:,} + 1)",
                              inside=((maps, m, d),)))
        return Count(tuple(parts))

    def draw(self, shape: Shape) -> Drawing:
        d, at, parts = one_width(shape), shape.at, self.count(shape).parts
        blocks = tuple(Block(f"{at}.layer.{k}", "interaction", "cross", f"CIN {k + 1}", "feature maps", (maps,), part.parameters,
                             again=len(shape.fields) * d if k else 0)
                       for (k, maps), part in zip(enumerate(self.maps), parts, strict=True))
        inner = tuple(Edge(f"{at}.layer.{k}", f"{at}.layer.{k + 1}", self.goes_on(k) * d) for k in range(len(self.maps) - 1))
        return Drawing(blocks, shape.edges(shape.fields, f"{at}.layer.0") + inner)

    def build(self, shape: Shape) -> CINLayer:
        return CINLayer(self, shape)


class CINLayer(nn.Module):
    """Fields (row, d) → a head vector p^k (row, map) per layer, under the layer's address.

    Keeps `pair` (field, other), kind cross, of the first layer: the sd that a pair of fields gives its pooled maps beyond what
    either says alone, √(Σ_h (W_ab + W_ba)²) · sd of the centred ⟨e_a, e_b⟩. What the head makes of the maps is not in it.
    """

    def __init__(self, spec: CIN, shape: Shape):
        super().__init__()
        m = len(shape.fields)
        self.at, self.names = shape.at, tuple(shape.fields)
        self.goes_on, self.pooled = zip(*((spec.goes_on(k), spec.pooled(k)) for k in range(len(spec.maps))), strict=True)
        self.layer = nn.ModuleList(FieldMaps(before, m, maps, spec.bias) for _, before, maps in spec.layers(m))

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        x0 = signal.stacked(self.names).transpose(1, 2)  # (row, d, field)
        x, head = x0, {}
        for k, layer in enumerate(self.layer):
            maps = layer(x, x0)  # (row, d, map)
            p = maps.sum(dim=1)  # (row, map)
            trace.keep(f"layer.{k}.pooled", "vector", ("row", "map"), p)
            head[f"{self.at}.layer.{k}"] = p[:, p.shape[1] - self.pooled[k]:]
            x = maps[:, :, :self.goes_on[k]]
        labels = {"field": self.names, "other": self.names, "means": MEANS}
        trace.keep("pair", "cross", ("field", "other"), lambda: self.pairs(x0), labels)
        return signal.but(head={**signal.head, **head})

    def pairs(self, x0: Tensor) -> Tensor:
        """(field, field), diagonal 0; x0 (row, d, field) are the rows on view."""
        both_ways = self.layer[0].weight + self.layer[0].weight.transpose(1, 2)  # (map, field, field)
        return both_ways.norm(dim=0) * pair_map(x0.transpose(1, 2))


class FieldMaps(nn.Module):
    """One layer: X^{k−1} (row, d, map before), X^0 (row, d, field) → X^k (row, d, map). `weight`: (map, map before, field).

    The sum over i comes first and is one matrix product for all rows, numbers, maps and fields; then Σ_j with X^0.
    """

    def __init__(self, before: int, fields: int, maps: int, bias: bool):
        super().__init__()
        spread = (before * fields) ** -0.5
        self.weight = nn.Parameter(torch.empty(maps, before, fields).uniform_(-spread, spread))
        self.bias = nn.Parameter(torch.zeros(maps)) if bias else None

    def forward(self, x: Tensor, x0: Tensor) -> Tensor:
        by_field = torch.matmul(x, self.weight.permute(1, 0, 2).flatten(1))  # (row, d, map · field)
        by_field = by_field.unflatten(2, (len(self.weight), -1))  # (row, d, map, field)
        maps = torch.matmul(by_field, x0.unsqueeze(3))[..., 0]  # (row, d, map)
        return maps if self.bias is None else maps + self.bias
