"""Transformer encoder over a history alone, and one vector of it (as in M2TRec; Shalaby et al., RecSys 2022).

z_t = W x_t + b (+ p_t), then `blocks` times as in a transformer; u = (1/n) Σ_t z_t over the n items that are there, or the last
of them, or u = Σ_t softmax_t(qᵀ tanh(V z_t + v)) z_t. Every item reads every other, before and after it: what is predicted is
not among them. Without positions the mean knows no order. The mean divides by the items, not by the places; padding is zeroed
after every block, and an empty history is zeros.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import linear_part, sum_part
from rankzoo.components.sequence.multi_head import head_width
from rankzoo.components.sequence.tokens import HistorySlot, masked_softmax
from rankzoo.components.sequence.transformer import TransformerBlock, block_parts, block_rule
from rankzoo.components.slot import Width
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Edge, Part, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace

FIXED = {"mean": ("1/n",), "last": ("0", "1"), "attention": ()}
"""What an item counts and what the newest does, where that is not learned."""


class Encoder(HistorySlot):
    """Adds the field named like the history: the mean of the outputs, the last one, or what attention makes of them."""

    kind: Literal["encoder"] = "encoder"
    blocks: Annotated[int, Field(ge=1, le=8, title="Blocks")] = 1
    heads: Annotated[int, Field(ge=1, le=16, title="Heads")] = 2
    ffn: Annotated[Width, Field(title="Width of the feed-forward network")] = 64
    norm: Annotated[Literal["post", "pre"], Field(title="Layer norm after or before")] = "post"
    positions: Annotated[Literal["learned", "none"], Field(title="Positions")] = "learned"
    read: Annotated[Literal["mean", "last", "attention"], Field(title="What is read of the items")] = "mean"
    dropout: Annotated[float, Field(ge=0, lt=1, title="Dropout")] = 0.0

    candidate_aware: ClassVar = False
    main: ClassVar = ("blocks", "heads", "ffn", "read")
    short: ClassVar = "transformer"
    title: ClassVar = "Transformer encoder"
    sentence: ClassVar = "The items of the history read each other; their mean is the vector of the session."
    source: ClassVar = Source("Shalaby et al.", 2022, "M2TRec: metadata-aware multi-task transformer for large-scale and "
                              "cold-start free session-based recommendations", "RecSys 2022", "10.48550/arXiv.2209.11824")

    def described(self) -> str:
        return {"mean": self.sentence,
                "last": "The items of the history read each other; the last of them is the vector of the session.",
                "attention": "The items of the history read each other; one learned question weighs them into one vector.",
                }[self.read]

    def equation(self) -> str:
        read = {"mean": r"\frac{1}{n}\sum_t z_t", "last": "z_n",
                "attention": r"\sum_t \mathrm{softmax}_t\big(q^\top\tanh(V z_t+v)\big)\,z_t"}[self.read]
        tokens = ("W_0h+b_0" if self.token else "h") + ("+P" if self.positions == "learned" else "")
        block = block_rule(self.norm, self.blocks, "x", "z'", "z")
        return rf"u={read},\quad {block}" + (rf",\quad x={tokens}" if tokens != "h" else "")

    @property
    def keeps(self) -> tuple[str, ...]:
        return ("attention", "map") if self.read == "attention" else ("map",)

    def after(self, shape: Shape) -> Shape:
        name, token = self.taken(shape).name, self.widths(shape)[2]
        self.free(shape, name)
        head_width(self.heads, token, shape.at)
        return shape.but(fields={**shape.fields, name: token}, origin={**shape.origin, name: f"{shape.at}.sum"})

    def count(self, shape: Shape) -> Count:
        n, d = shape.sequences[self.taken(shape).name].length, self.widths(shape)[2]
        parts = list(self.token_parts(shape, candidate=False))
        parts += [Part("positions", n * d, 0, (n, d), f"{n} × {d}")] if self.positions == "learned" else []
        for i in range(self.blocks):
            parts += block_parts(f"block.{i}", d, self.ffn, self.heads, n)
        if self.read == "attention":
            parts += [linear_part("map", d, d, times=n), linear_part("query", d, 1, bias=False, times=n)]
        return Count((*parts, sum_part("sum", n, d)))

    def draw(self, shape: Shape) -> Drawing:
        at, name, d = shape.at, self.taken(shape).name, self.widths(shape)[2]
        count, length = self.count(shape), shape.sequences[name].length
        own = [count.within(f"block.{i}").parameters for i in range(self.blocks)]
        asked = count.within("map").parameters + count.within("query").parameters
        own[0] += count.parameters - asked - sum(own)  # the maps that make tokens, and positions
        heads = "1 head" if self.heads == 1 else f"{self.heads} heads"
        blocks = tuple(Block(f"{at}.block.{i}", "sequence", "scorer", "transformer", heads, (d, self.ffn, d), parameters,
                             holds=() if i else (at,))
                       for i, parameters in enumerate(own))
        total = Block(f"{at}.sum", "sequence", "sum", "Σ", self.read, (d,), asked, words=FIXED[self.read],
                      past=self.weighed(shape), holds=(f"{at}.map", f"{at}.query"))
        nodes = (*blocks, total)
        between = (Edge(one.address, other.address, d, times=length) for one, other in zip(nodes, nodes[1:], strict=False))
        return Drawing(nodes, (*shape.edges([name], blocks[0].address), *between))

    def build(self, shape: Shape) -> EncoderLayer:
        return EncoderLayer(self, shape)


class EncoderLayer(nn.Module):
    """(row, position, width) → (row, token); keeps `block.<i>.map` (row, head, query, key), kind map, and where attention reads
    the items `weight` (row, position), kind attention."""

    def __init__(self, spec: Encoder, shape: Shape):
        super().__init__()
        width = spec.widths(shape)[2]
        self.tokens, self.how = spec.tokens(shape, candidate=False), spec.read
        self.length = shape.sequences[self.tokens.history].length
        self.positions = nn.Parameter(0.02 * torch.randn(self.length, width)) if spec.positions == "learned" else None
        self.block = nn.ModuleList(TransformerBlock(width, spec.heads, spec.ffn, spec.norm, spec.dropout)
                                   for _ in range(spec.blocks))
        if spec.read == "attention":
            self.map, self.query = nn.Linear(width, width), nn.Linear(width, 1, bias=False)

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        x, mask = self.tokens.past(signal)
        x, mask = x[:, :self.length], mask[:, :self.length]  # whatever is longer than the data say is padding
        x = (x if self.positions is None else x + self.positions[:x.shape[1]]) * mask.unsqueeze(2)
        for i, block in enumerate(self.block):
            x, maps = block(x, mask)
            trace.keep(f"block.{i}.map", "map", ("row", "head", "query", "key"),
                       lambda maps=maps: maps * mask[:, None, :, None], mask=mask)
        weights = self.weights(x, mask)
        if self.how == "attention":
            trace.keep("weight", "attention", ("row", "position"), weights, mask=mask)
        pooled = torch.bmm(weights.to(x.dtype).unsqueeze(1), x).squeeze(1)  # (row, token)
        return signal.but(fields={**signal.fields, self.tokens.history: pooled})

    def weights(self, x: Tensor, mask: Tensor) -> Tensor:
        """What each item counts: all alike, the last one alone, or as asked; zeros where there is none. (row, position)."""
        if self.how == "attention":
            return masked_softmax(self.query(torch.tanh(self.map(x))).squeeze(2), mask)
        if self.how == "last":
            behind = mask.flip(1).cumsum(1).flip(1)  # how many items stand here and behind
            return mask & (behind == 1)
        return mask / mask.sum(dim=1, keepdim=True).clamp(min=1)
