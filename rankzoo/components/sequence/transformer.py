"""Behavior Sequence Transformer (Chen et al., DLP-KDD 2019): past items and the candidate as tokens of one transformer.

S = [h_1; …; h_T; c] (+ P), then `blocks` times
post   S ← LN(S + Drop(MH(S))),      S ← LN(S + Drop(FFN(S)))
pre    S ← S + Drop(MH(LN S)),       S ← S + Drop(FFN(LN S))
FFN(s) = W_2 LeakyReLU(W_1 s + b_1) + b_2, MH with d_k = d / h and W_O. The paper joins all T + 1 outputs (`read` concat).

Its position is the bucketed time between a click and now, joined to the item: a field of the history, where the data have one.
`positions` learned adds a vector per place instead. Padding is zeroed after every block: a layer norm would revive it.
"""
from __future__ import annotations

from functools import partial
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import linear_part
from rankzoo.components.sequence.filled import by_length
from rankzoo.components.sequence.multi_head import MultiHead, head_width, multi_head_parts
from rankzoo.components.sequence.tokens import HistorySlot
from rankzoo.components.slot import Width
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Edge, Part, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace


class Transformer(HistorySlot):
    """Adds two fields: the history's name (all outputs, the candidate's or their mean) and `candidate`, its token as it entered.

    Every kind that looks at the candidate hands it on, so that one takes another's place and the rest of the model stays.
    """

    kind: Literal["transformer"] = "transformer"
    blocks: Annotated[int, Field(ge=1, le=8, title="Blocks")] = 1
    heads: Annotated[int, Field(ge=1, le=16, title="Heads")] = 2
    ffn: Annotated[Width, Field(title="Width of the feed-forward network")] = 64
    norm: Annotated[Literal["post", "pre"], Field(title="Layer norm after or before")] = "post"
    positions: Annotated[Literal["learned", "none"], Field(title="Positions")] = "learned"
    read: Annotated[Literal["concat", "target", "mean"], Field(title="What is read of the tokens")] = "concat"
    dropout: Annotated[float, Field(ge=0, lt=1, title="Dropout")] = 0.0

    main: ClassVar = ("blocks", "heads", "ffn", "read")
    short: ClassVar = "transformer"
    keeps: ClassVar = ("attention", "map")
    title: ClassVar = "Transformer"
    sentence: ClassVar = "Past items and the candidate read each other, then a small network works on each of them."
    source: ClassVar = Source("Chen et al.", 2019, "Behavior sequence transformer for e-commerce recommendation in Alibaba",
                              "DLP-KDD 2019", "10.1145/3326937.3341261")

    def equation(self) -> str:
        places = "+P" if self.positions == "learned" else ""
        read = {"concat": r"[S''_1;\dots;S''_T;S''_c]", "target": "S''_c",
                "mean": r"\frac{1}{n+1}\big(\sum_j S''_j+S''_c\big)"}[self.read]
        block = block_rule(self.norm, self.blocks, "S", "S'", "S''")
        tokens = r",\; h_j=W_0x_j+b_0" if self.token else ""
        return rf"S=[h_1;\dots;h_T;c]{places}{tokens},\quad {block},\quad u={read}"

    def weighs(self) -> Literal["shares", "part", "free"]:
        return "part"

    def after(self, shape: Shape) -> Shape:
        name, token = self.taken(shape).name, self.widths(shape)[2]
        self.compared(shape)
        self.free(shape, name)
        self.free(shape, "candidate")
        head_width(self.heads, token, shape.at)
        width = (shape.sequences[name].length + 1) * token if self.read == "concat" else token
        return shape.but(fields={**shape.fields, name: width, "candidate": token},
                         origin={**shape.origin, name: f"{shape.at}.block.{self.blocks - 1}",
                                 "candidate": f"{shape.at}.candidate"})

    def count(self, shape: Shape) -> Count:
        n, d = shape.sequences[self.taken(shape).name].length + 1, self.widths(shape)[2]
        parts = list(self.token_parts(shape, candidate=True))
        if self.positions == "learned":
            parts.append(Part("positions", n * d, 0, (n, d), f"{n} × {d}"))
        for i in range(self.blocks):
            parts += block_parts(f"block.{i}", d, self.ffn, self.heads, n)
        return Count(tuple(parts))

    def draw(self, shape: Shape) -> Drawing:
        at, name, d = shape.at, self.taken(shape).name, self.widths(shape)[2]
        candidate, count = self.drawn_candidate(shape, "token"), self.count(shape)
        own = [count.within(f"block.{i}").parameters for i in range(self.blocks)]
        own[0] += count.within("positions").parameters + count.within("tokens.item").parameters
        heads = "1 head" if self.heads == 1 else f"{self.heads} heads"
        blocks = tuple(Block(f"{at}.block.{i}", "sequence", "scorer", "transformer", heads, (d, self.ffn, d), parameters,
                             past=self.weighed(shape), holds=() if i else (at,))
                       for i, parameters in enumerate(own))
        first, tokens = blocks[0].address, shape.sequences[name].length + 1
        between = [Edge(one.address, other.address, d, times=tokens) for one, other in zip(blocks, blocks[1:], strict=False)]
        return Drawing((*candidate.blocks, *blocks),
                       (*candidate.edges, Edge(f"{at}.candidate", first, d), *shape.edges([name], first), *between))

    def build(self, shape: Shape) -> TransformerLayer:
        return TransformerLayer(self, shape)


def block_rule(norm: Literal["post", "pre"], blocks: int, x: str, middle: str, out: str) -> str:
    """What a block makes of x, in LaTeX, and how many follow each other."""
    if norm == "pre":
        rule = rf"{middle}={x}+\mathrm{{MH}}(\mathrm{{LN}}({x})),\quad {out}={middle}+\mathrm{{FFN}}(\mathrm{{LN}}({middle}))"
    else:
        rule = rf"{middle}=\mathrm{{LN}}({x}+\mathrm{{MH}}({x})),\quad {out}=\mathrm{{LN}}({middle}+\mathrm{{FFN}}({middle}))"
    return rule + (rf"\;(\times {blocks})" if blocks > 1 else "")


def block_parts(path: str, d: int, ffn: int, heads: int, tokens: int) -> tuple[Part, ...]:
    """Count of a TransformerBlock for so many tokens of d numbers."""
    return (*multi_head_parts(f"{path}.attention", d, d, tokens, tokens, heads),
            Part(f"{path}.norm_attention", 2 * d, 0, (tokens, d), f"2 × {d}"),
            linear_part(f"{path}.inner", d, ffn, times=tokens), linear_part(f"{path}.outer", ffn, d, times=tokens),
            Part(f"{path}.norm_ffn", 2 * d, 0, (tokens, d), f"2 × {d}"))


class TransformerBlock(nn.Module):
    """One block: (row, token, width), visible (row, token) → the same shape, zero where nothing is visible, and its maps."""

    def __init__(self, width: int, heads: int, ffn: int, norm: Literal["post", "pre"] = "post", dropout: float = 0.0):
        super().__init__()
        self.pre = norm == "pre"
        self.attention = MultiHead(width, heads, width // heads)
        self.norm_attention, self.norm_ffn = nn.LayerNorm(width), nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, ffn), nn.Linear(ffn, width)
        self.drop = nn.Dropout(dropout)

    def ffn(self, x: Tensor) -> Tensor:
        """Each token by itself, with a non-linearity: attention alone mixes values linearly."""
        return self.outer(F.leaky_relu(self.inner(x)))

    def forward(self, x: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
        if self.pre:
            normed = self.norm_attention(x)
            mixed, maps = self.attention(normed, normed, visible)
            x = x + self.drop(mixed)
            x = x + self.drop(self.ffn(self.norm_ffn(x)))
        else:
            mixed, maps = self.attention(x, x, visible)
            x = self.norm_attention(x + self.drop(mixed))
            x = self.norm_ffn(x + self.drop(self.ffn(x)))
        return x * visible.unsqueeze(2), maps


class TransformerLayer(nn.Module):
    """History and candidate → (row, width); keeps `block.<i>.map` (row, head, query, key), kind map, the candidate last.

    Of the last block also the candidate's row over the past items: `weight` (row, position), kind attention, the mean of
    `weight.head` (row, head, position), kind head. What is missing to 1 there is what the candidate says to itself.
    """

    def __init__(self, spec: Transformer, shape: Shape):
        super().__init__()
        width = spec.widths(shape)[2]
        self.tokens, self.read = spec.tokens(shape, candidate=True), spec.read
        self.length = shape.sequences[self.tokens.history].length
        self.positions = nn.Parameter(0.02 * torch.randn(self.length + 1, width)) if spec.positions == "learned" else None
        self.block = nn.ModuleList(TransformerBlock(width, spec.heads, spec.ffn, spec.norm, spec.dropout)
                                   for _ in range(spec.blocks))

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        query = self.tokens.query(signal)
        if self.training and not trace.on:
            said = by_length(partial(self.through, trace), *self.tokens.filled(signal), query)
        else:
            said = self.through(trace, *self.tokens.past(signal), query)
        return signal.but(fields={**signal.fields, self.tokens.history: said, "candidate": query})

    def through(self, trace: Trace, items: Tensor, mask: Tensor, query: Tensor) -> Tensor:
        """What is read of items (row, position, width) and candidate (row, width) behind the blocks."""
        items, mask = items[:, :self.length], mask[:, :self.length]  # whatever is longer than the data say is padding
        x, at = torch.cat([items, query.unsqueeze(1)], dim=1), items.shape[1]  # (row, token, width), the candidate last
        if self.positions is not None:
            x = x + torch.cat([self.positions[:at], self.positions[-1:]])
        visible = F.pad(mask, (0, 1), value=True)  # (row, token): a candidate is always there
        x = x * visible.unsqueeze(2)
        for i, block in enumerate(self.block):
            x, maps = block(x, visible)
            trace.keep(f"block.{i}.map", "map", ("row", "head", "query", "key"),
                       lambda maps=maps: maps * visible[:, None, :, None], mask=visible)
        trace.keep("weight", "attention", ("row", "position"), lambda: maps[:, :, -1, :-1].mean(dim=1), mask=mask)
        trace.keep("weight.head", "head", ("row", "head", "position"), lambda: maps[:, :, -1, :-1], mask=mask)
        return self.said(x, visible)

    def said(self, x: Tensor, visible: Tensor) -> Tensor:
        """What is read of the outputs: (row, token, width) → (row, (T + 1) · width), or (row, width)."""
        if self.read == "target":
            return x[:, -1]
        if self.read == "mean":
            return x.sum(dim=1) / visible.sum(dim=1, keepdim=True)
        past = F.pad(x[:, :-1], (0, 0, 0, self.length + 1 - x.shape[1]))
        return torch.cat([past, x[:, -1:]], dim=1).flatten(1)
