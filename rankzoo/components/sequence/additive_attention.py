"""Additive attention (Bahdanau et al., ICLR 2015; as pooling in NAML and NRMS, Wu et al., 2019): one learned query for all.

a_i = qᵀ tanh(W h_i + b), α = softmax(a), u = Σ_i α_i h_i. The query does not depend on the candidate, so u is one vector per
user, which a server may keep. With an own `question` it is made of the user's vector, q_u = ReLU(V e_u + v), so that each asks
something else (as in NPA; Wu et al., KDD 2019); e_u is zeros where the user is unknown. The published code exponentiates a
without subtracting the maximum, which overflows: not here.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import linear_part, sum_part
from rankzoo.components.sequence.filled import shares, spread, summed
from rankzoo.components.sequence.tokens import Asker, HistorySlot, masked_softmax, who
from rankzoo.components.slot import Width
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Drawing, Edge, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace


class AdditiveAttention(HistorySlot):
    """Adds the field named like the history; with `candidate` also the candidate's token, for a tower that compares both."""

    kind: Literal["additive_attention"] = "additive_attention"
    width: Annotated[Width, Field(title="Width of the query space")] = 64
    question: Annotated[Literal["shared", "own"], Field(title="The question: one for all, or each user's own")] = "shared"
    user: Annotated[str, Field(max_length=200, title="User's id (empty: the first field about the user)")] = ""
    candidate: Annotated[bool, Field(title="Hand the candidate on")] = False

    candidate_aware: ClassVar = False
    main: ClassVar = ("width", "token")
    short: ClassVar = "additive"
    keeps: ClassVar = ("attention",)
    title: ClassVar = "Additive attention"
    sentence: ClassVar = "One learned question scores every past item, the same for all candidates: a user is one vector."
    source: ClassVar = Source("Wu et al.", 2019, "Neural news recommendation with multi-head self-attention", "EMNLP 2019",
                              "10.18653/v1/D19-1671")

    def described(self) -> str:
        return self.sentence if self.question == "shared" else (
            "Each user's own question scores every past item, the same for all candidates: a user is one vector.")

    def equation(self) -> str:
        asked = r",\quad q=\mathrm{relu}(V e_u+v)" if self.question == "own" else ""
        pooled = r"u=\sum_i \mathrm{softmax}_i\big(q^\top\tanh(W h_i+b)\big)\,h_i"
        return pooled + asked + self.mapped("h_i=W_0x_i+b_0")

    def word(self) -> str:
        return "NPA" if self.question == "own" else self.short

    def asker(self, schema: Schema) -> Asker:
        return "user" if self.question == "own" else "learned"

    def known_by(self, shape: Shape) -> str:
        """The field that says who asks; raises where there is none."""
        return who(self.user, shape, "question", "shared")

    def after(self, shape: Shape) -> Shape:
        name, token = self.taken(shape).name, self.widths(shape)[2]
        self.free(shape, name)
        if self.question == "own":
            self.known_by(shape)
        fields, origin = {name: token}, {name: f"{shape.at}.sum"}
        if self.candidate:
            self.compared(shape)
            self.free(shape, "candidate")
            fields["candidate"], origin["candidate"] = token, f"{shape.at}.candidate"
        return shape.but(fields={**shape.fields, **fields}, origin={**shape.origin, **origin})

    def count(self, shape: Shape) -> Count:
        length, token = shape.sequences[self.taken(shape).name].length, self.widths(shape)[2]
        ask = linear_part("query", self.width, 1, bias=False, times=length)
        if self.question == "own":
            asking = shape.fields[self.known_by(shape)]
            ask = replace(linear_part("query", asking, self.width), flops=2 * (asking + length) * self.width,
                          products=f"2 × ({asking:,} + {length:,}) × {self.width:,}")  # and its product with every item
        scores = (linear_part("map", token, self.width, times=length), ask)
        return Count(self.token_parts(shape, self.candidate) + scores + (sum_part("sum", length, token),))

    def draw(self, shape: Shape) -> Drawing:
        at, name, token = shape.at, self.taken(shape).name, self.widths(shape)[2]
        handed = self.drawn_candidate(shape, "as it is") if self.candidate else Drawing()
        own = self.count(shape).parameters - sum(block.parameters for block in handed.blocks)
        blocks = (Block(at, "sequence", "scorer", "additive attention", "q · tanh", (self.width, 1), own),
                  Block(f"{at}.sum", "sequence", "sum", "Σ", "softmax", (token,), past=self.weighed(shape)))
        read = [name, self.known_by(shape)] if self.question == "own" else [name]
        items = Edge(at, f"{at}.sum", token, times=shape.sequences[name].length)
        return Drawing((*blocks, *handed.blocks), (*shape.edges(read, at), items, *handed.edges))

    def build(self, shape: Shape) -> AdditiveAttentionLayer:
        return AdditiveAttentionLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[HistorySlot, tuple[str, ...]]:
        spec, gone = super().fitted(schema)
        if not self.user or self.user in {f.name for f in schema.inputs}:
            return spec, gone
        return spec.model_copy(update={"user": ""}), (*gone, self.user)


class AdditiveAttentionLayer(nn.Module):
    """(row, position, width) → (row, token); keeps `weight` (row, position), kind attention."""

    def __init__(self, spec: AdditiveAttention, shape: Shape):
        super().__init__()
        token = spec.widths(shape)[2]
        self.tokens, self.candidate = spec.tokens(shape, spec.candidate), spec.candidate
        self.map = nn.Linear(token, spec.width)
        self.user = spec.known_by(shape) if spec.question == "own" else ""
        self.query = nn.Linear(shape.fields[self.user], spec.width) if self.user else nn.Linear(spec.width, 1, bias=False)

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        if self.training and not trace.on:
            items, past = self.tokens.filled(signal)
            seen = torch.tanh(self.map(items))  # (item, width)
            scores = (seen * spread(self.own(signal), past)).sum(dim=1, keepdim=True) if self.user else self.query(seen)
            pooled = summed(shares(scores, past) * items, past)
        else:
            items, mask = self.tokens.past(signal)
            seen = torch.tanh(self.map(items))  # (row, position, width)
            scores = torch.bmm(seen, self.own(signal).unsqueeze(2)) if self.user else self.query(seen)
            weights = masked_softmax(scores.squeeze(2), mask)  # (row, position)
            trace.keep("weight", "attention", ("row", "position"), weights, mask=mask)
            pooled = torch.bmm(weights.unsqueeze(1), items).squeeze(1)  # (row, token)
        fields = {self.tokens.history: pooled}
        if self.candidate:
            fields["candidate"] = self.tokens.query(signal)
        return signal.but(fields={**signal.fields, **fields})

    def own(self, signal: Signal) -> Tensor:
        """q_u = ReLU(V e_u + v): (row, width)."""
        there = signal.aside[self.user] > 0
        return torch.relu(self.query(signal.fields[self.user] * there.unsqueeze(1)))
