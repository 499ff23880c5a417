"""Self-attention over fields (Song et al., CIKM 2019, AutoInt): every field reads the others, and what it reads depends on the
values of the row.

α^h_{m,k} = softmax_k ⟨W^h_Q e_m, W^h_K e_k⟩, ẽ_m = ⊕_h Σ_k α^h_{m,k} W^h_V e_k, e_m ← ReLU(ẽ_m + W_Res e_m): no division by
√d′ and no bias anywhere. The order of crosses grows with every layer. Stacked, the new vectors take the fields' place (with no
deep part behind: AutoInt); parallel, they meet the deep network in its last linear map (AutoInt+). The weights say where a
field reads from, not how strongly two fields cross. Where embeddings start small all scores are near 0 and the softmax is
flat: with small steps too it stays so, and the layer learns little.
"""
from __future__ import annotations

from functools import partial
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.interaction.pairs import one_width
from rankzoo.components.slot import Slot, Width
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Edge, Part, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace

MEANS = ("where it reads from", "Mean weight of the first attention layer between two fields, over both ways, rows and heads: "
         "where it reads from, not interaction strength.")


class SelfAttention(Slot):
    """`layers` layers, each with `heads` heads of `width` numbers: a field leaves a layer with heads · width numbers."""

    kind: Literal["self_attention"] = "self_attention"
    layers: Annotated[int, Field(ge=1, le=16, title="Attention layers")] = 3
    heads: Annotated[int, Field(ge=1, le=16, title="Heads")] = 2
    width: Annotated[Width, Field(title="Width of a head")] = 32
    structure: Annotated[Literal["parallel", "stacked"], Field(title="Attention and deep network")] = "parallel"

    main: ClassVar = ("layers", "heads", "structure")
    short: ClassVar = "AutoInt"
    keeps: ClassVar = ("cross",)
    title: ClassVar = "Self-attention over fields"
    sentence: ClassVar = "Every field reads the other fields, each row by its own weights; layers add up to higher crosses."
    formula: ClassVar = r"e_m \leftarrow \mathrm{ReLU}(\oplus_h \sum_k \alpha^h_{m,k} W^h_V e_k + W_{Res} e_m)"
    source: ClassVar = Source("Song et al.", 2019, "AutoInt: automatic feature interaction learning via self-attentive neural "
                              "networks", "CIKM 2019", "10.1145/3357384.3357925")

    def word(self) -> str:
        return f"AutoInt ×{self.layers}"

    @property
    def out(self) -> int:
        """Numbers with which a field leaves a layer."""
        return self.heads * self.width

    def after(self, shape: Shape) -> Shape:
        one_width(shape)
        last = f"{shape.at}.layer.{self.layers - 1}"
        if self.structure == "stacked":
            return shape.but(fields=dict.fromkeys(shape.fields, self.out),
                             origin={**shape.origin, **dict.fromkeys(shape.fields, last)})
        return shape.but(head={**shape.head, shape.at: len(shape.fields) * self.out}, origin={**shape.origin, shape.at: last})

    def layer_part(self, i: int, shape: Shape) -> Part:
        """Count of one layer: queries, keys, values and the residual are four maps d × out; scores and sums are the rest."""
        m, d = len(shape.fields), one_width(shape) if i == 0 else self.out
        flops = 2 * m * self.out * (4 * d + 2 * m)
        return Part(f"layer.{i}", 4 * d * self.out, flops, (m, self.out), f"4 × {d:,} × {self.out:,}",
                    products=f"2 × {m:,} × {self.out:,} × (4 × {d:,} + 2 × {m:,})",
                    inside=((4, m, self.out), (self.heads, m, m)))

    def count(self, shape: Shape) -> Count:
        return Count(tuple(self.layer_part(i, shape) for i in range(self.layers)))

    def draw(self, shape: Shape) -> Drawing:
        at, m, heads = shape.at, len(shape.fields), f"{self.heads} heads" if self.heads > 1 else "1 head"
        blocks = tuple(Block(f"{at}.layer.{i}", "interaction", "cross", f"attention {i + 1}", heads, (m, self.out),
                             self.layer_part(i, shape).parameters) for i in range(self.layers))
        inner = tuple(Edge(f"{at}.layer.{i}", f"{at}.layer.{i + 1}", m * self.out) for i in range(self.layers - 1))
        return Drawing(blocks, shape.edges(shape.fields, f"{at}.layer.0") + inner)

    def build(self, shape: Shape) -> SelfAttentionLayer:
        return SelfAttentionLayer(self, shape)


class Interacting(nn.Module):
    """One layer: (row, field, d) → (row, field, heads · width)."""

    def __init__(self, d: int, heads: int, width: int):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.residual = (nn.Linear(d, heads * width, bias=False) for _ in range(4))

    def forward(self, e: Tensor, trace: Trace) -> tuple[Tensor, Tensor]:
        """The new vectors, and the weights (row, head, field, other)."""
        q, k, v = (self.by_head(part(e)) for part in (self.query, self.key, self.value))  # (row, head, field, width)
        weights = torch.softmax(torch.matmul(q, k.transpose(2, 3)), dim=3)  # each field's over what it reads: sum 1
        trace.keep("map", "vector", ("row", "head", "field", "other"), weights)
        read = torch.matmul(weights, v).transpose(1, 2).flatten(2)  # (row, field, head · width)
        return torch.relu(read + self.residual(e)), weights

    def by_head(self, x: Tensor) -> Tensor:
        """(row, field, head · width) → (row, head, field, width)."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class SelfAttentionLayer(nn.Module):
    """Fields → fields (stacked) or a head vector (row, field · heads · width) (parallel).

    Keeps `layer.<i>.map` (row, head, field, other), and `reading` (field, other), kind cross: the first layer's weights, both
    ways, averaged over rows and heads, a field's look at itself left out.
    """

    def __init__(self, spec: SelfAttention, shape: Shape):
        super().__init__()
        self.at, self.stacked, self.names = shape.at, spec.structure == "stacked", tuple(shape.fields)
        self.layer = nn.ModuleList(Interacting(spec.out if i else one_width(shape), spec.heads, spec.width)
                                   for i in range(spec.layers))

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        e = signal.stacked(self.names)  # (row, field, d)
        for i, layer in enumerate(self.layer):
            e, weights = layer(e, trace.at(f"layer.{i}"))
            if i == 0:  # what later layers read is no single field any more
                trace.keep("reading", "cross", ("field", "other"), partial(reading, weights),
                           {"field": self.names, "other": self.names, "means": MEANS})
        if not self.stacked:
            return signal.but(head={**signal.head, self.at: e.flatten(1)})
        return signal.but(fields=dict(zip(self.names, e.unbind(1), strict=True)))


def reading(weights: Tensor) -> Tensor:
    """(row, head, field, other) → (field, other): mean weight, the same both ways, diagonal 0."""
    mean = weights.mean(dim=(0, 1))
    both = (mean + mean.T) / 2
    return both - torch.diag(both.diagonal())
