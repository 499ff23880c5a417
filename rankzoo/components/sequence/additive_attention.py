"""Additive attention (Bahdanau et al., ICLR 2015; as pooling in NAML and NRMS, Wu et al., 2019): one learned query for all.

a_i = qᵀ tanh(W h_i + b), α = softmax(a), u = Σ_i α_i h_i. The query does not depend on the candidate, so u is one vector per
user, which a server may keep. The published code exponentiates a without subtracting the maximum, which overflows: not here.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import linear_part
from rankzoo.components.sequence.filled import shares, summed
from rankzoo.components.sequence.tokens import HistorySlot, masked_softmax
from rankzoo.components.slot import Width
from rankzoo.facts import Source
from rankzoo.schema import Block, Count, Drawing, Edge, Part, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace


class AdditiveAttention(HistorySlot):
    """Adds the field named like the history; with `candidate` also the candidate's token, for a tower that compares both."""

    kind: Literal["additive_attention"] = "additive_attention"
    width: Annotated[Width, Field(title="Width of the query space")] = 64
    candidate: Annotated[bool, Field(title="Hand on the candidate's vector too")] = False

    candidate_aware: ClassVar = False
    main: ClassVar = ("width", "token")
    short: ClassVar = "additive"
    keeps: ClassVar = ("attention",)
    title: ClassVar = "Additive attention"
    sentence: ClassVar = "One learned question scores every past item, the same for all candidates: a user is one vector."
    formula: ClassVar = r"u=\sum_i \mathrm{softmax}_i\big(q^\top\tanh(W h_i+b)\big)\,h_i"
    source: ClassVar = Source("Wu et al.", 2019, "Neural news recommendation with multi-head self-attention", "EMNLP 2019",
                              "10.18653/v1/D19-1671")

    def after(self, shape: Shape) -> Shape:
        name, token = self.taken(shape).name, self.widths(shape)[2]
        self.free(shape, name)
        fields, origin = {name: token}, {name: f"{shape.at}.sum"}
        if self.candidate:
            self.compared(shape)
            self.free(shape, "candidate")
            fields["candidate"], origin["candidate"] = token, f"{shape.at}.candidate"
        return shape.but(fields={**shape.fields, **fields}, origin={**shape.origin, **origin})

    def count(self, shape: Shape) -> Count:
        length, token = shape.sequences[self.taken(shape).name].length, self.widths(shape)[2]
        scores = (linear_part("map", token, self.width, times=length),
                  linear_part("query", self.width, 1, bias=False, times=length))
        return Count(self.token_parts(shape, self.candidate) + scores + (Part("sum", 0, 2 * length * token, (token,)),))

    def draw(self, shape: Shape) -> Drawing:
        at, name, token = shape.at, self.taken(shape).name, self.widths(shape)[2]
        handed = self.drawn_candidate(shape, "as it is") if self.candidate else Drawing()
        own = self.count(shape).parameters - sum(block.parameters for block in handed.blocks)
        blocks = (Block(at, "sequence", "scorer", "additive attention", "q · tanh", (self.width, 1), own),
                  Block(f"{at}.sum", "sequence", "sum", "Σ", "softmax", (token,)))
        return Drawing((*blocks, *handed.blocks), (*shape.edges([name], at), Edge(at, f"{at}.sum", token), *handed.edges))

    def build(self, shape: Shape) -> AdditiveAttentionLayer:
        return AdditiveAttentionLayer(self, shape)


class AdditiveAttentionLayer(nn.Module):
    """(row, position, width) → (row, token); keeps `weight` (row, position), kind attention."""

    def __init__(self, spec: AdditiveAttention, shape: Shape):
        super().__init__()
        token = spec.widths(shape)[2]
        self.tokens, self.candidate = spec.tokens(shape, spec.candidate), spec.candidate
        self.map = nn.Linear(token, spec.width)
        self.query = nn.Linear(spec.width, 1, bias=False)

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        if self.training and not trace.on:
            items, past = self.tokens.filled(signal)
            pooled = summed(shares(self.scores(items), past) * items, past)
        else:
            items, mask = self.tokens.past(signal)
            weights = masked_softmax(self.scores(items).squeeze(2), mask)  # (row, position)
            trace.keep("weight", "attention", ("row", "position"), weights, mask=mask)
            pooled = torch.bmm(weights.unsqueeze(1), items).squeeze(1)  # (row, token)
        fields = {self.tokens.history: pooled}
        if self.candidate:
            fields["candidate"] = self.tokens.query(signal)
        return signal.but(fields={**signal.fields, **fields})

    def scores(self, items: Tensor) -> Tensor:
        """a_i = qᵀ tanh(W h_i + b): (…, token) → (…, 1)."""
        return self.query(torch.tanh(self.map(items)))
