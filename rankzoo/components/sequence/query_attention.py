"""Dot-product target attention: the candidate as the one query of a multi-head attention (after Vaswani et al., 2017).

A^k = softmax((c W_Q^k)(H W_K^k)ᵀ / √d_k) over the past items, u(c) = [A¹ H W_V¹; …; Aʰ H W_Vʰ] W_O, d_k = d / h. What DIN's
small network scores, two matrices score here. Three mistakes it avoids: no √d_k, a mask by zeros instead of −∞, and a bias of
W_O that stands for an interest where there is no past item.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import nn

from rankzoo.components.notation import beside
from rankzoo.components.sequence.multi_head import MultiHead, head_width, heads_rule, multi_head_parts
from rankzoo.components.sequence.tokens import HistorySlot
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Edge, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace


class QueryAttention(HistorySlot):
    """Adds two fields: the history's name (the interest in this candidate) and `candidate` (the candidate's token)."""

    kind: Literal["query_attention"] = "query_attention"
    heads: Annotated[int, Field(ge=1, le=16, title="Heads")] = 2

    main: ClassVar = ("heads", "token")
    short: ClassVar = "query"
    keeps: ClassVar = ("attention",)
    title: ClassVar = "Dot-product target attention"
    sentence: ClassVar = "The candidate is the query, every past item a key: what points the same way counts more."
    source: ClassVar = Source("Vaswani et al.", 2017, "Attention is all you need", "NeurIPS 2017", "10.48550/arXiv.1706.03762")

    def equation(self) -> str:
        return (rf"u(c)={beside('o', self.heads)}\,W_O+b_O,\quad {heads_rule('c', 'H', self.heads)}"
                + self.mapped("H=XW_0+b_0"))

    def after(self, shape: Shape) -> Shape:
        name, token = self.taken(shape).name, self.widths(shape)[2]
        self.compared(shape)
        self.free(shape, name)
        self.free(shape, "candidate")
        head_width(self.heads, token, shape.at)
        return shape.but(fields={**shape.fields, name: token, "candidate": token},
                         origin={**shape.origin, name: shape.at, "candidate": f"{shape.at}.candidate"})

    def count(self, shape: Shape) -> Count:
        length, token = shape.sequences[self.taken(shape).name].length, self.widths(shape)[2]
        return Count(self.token_parts(shape, candidate=True)
                     + multi_head_parts("attention", token, token, queries=1, keys=length, heads=self.heads, past=True))

    def draw(self, shape: Shape) -> Drawing:
        at, token, candidate = shape.at, self.widths(shape)[2], self.drawn_candidate(shape, "query")
        own = self.count(shape).parameters - candidate.blocks[0].parameters
        heads = "1 head" if self.heads == 1 else f"{self.heads} heads"
        scorer = Block(at, "sequence", "scorer", "dot product", heads, (token, token), own, past=self.weighed(shape))
        edges = (*candidate.edges, Edge(f"{at}.candidate", at, token), *shape.edges([self.taken(shape).name], at))
        return Drawing((*candidate.blocks, scorer), edges)

    def build(self, shape: Shape) -> QueryAttentionLayer:
        return QueryAttentionLayer(self, shape)


class QueryAttentionLayer(nn.Module):
    """History (row, position, width) and candidate → (row, token); keeps `weight` (row, position), kind attention, the mean of
    `weight.head` (row, head, position), kind head."""

    def __init__(self, spec: QueryAttention, shape: Shape):
        super().__init__()
        token = spec.widths(shape)[2]
        self.tokens = spec.tokens(shape, candidate=True)
        self.attention = MultiHead(token, spec.heads, head_width(spec.heads, token, shape.at))

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        query, mask = self.tokens.query(signal), signal.sequences[self.tokens.history].mask
        if self.training and not trace.on:
            mixed = self.attention.over_filled(query, *self.tokens.filled(signal))
        else:
            mixed, maps = self.attention(query.unsqueeze(1), self.tokens.past(signal)[0], mask)
            mixed, heads = mixed.squeeze(1), maps.squeeze(2)  # (row, token), (row, head, position)
            trace.keep("weight", "attention", ("row", "position"), lambda: heads.mean(dim=1), mask=mask)
            trace.keep("weight.head", "head", ("row", "head", "position"), heads, mask=mask)
        interest = mixed * mask.any(dim=1, keepdim=True)  # W_O has a bias, an empty past no interest
        return signal.but(fields={**signal.fields, self.tokens.history: interest, "candidate": query})
