"""Target attention (Deep Interest Network; Zhou et al., KDD 2018): the candidate asks each past item how much it matters.

u(c) = Σ_j a(h_j, c)·h_j, a = a small MLP on [c, h_j, c − h_j, c ⊙ h_j], the «local activation unit». The paper leaves
the softmax out, so that Σ_j a keeps the intensity of the interest; the authors' demo code has one: a switch here.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import Activation, Mlp, linear_part, mlp_part, sum_part
from rankzoo.components.notation import named
from rankzoo.components.sequence.filled import shares, spread, summed
from rankzoo.components.sequence.tokens import HistorySlot, masked_softmax
from rankzoo.components.slot import Width
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Edge, Shape
from rankzoo.signals import Sequence, Signal
from rankzoo.trace import Trace


class TargetAttention(HistorySlot):
    """Adds two fields: the history's name (the interest in this candidate) and `candidate` (the candidate's token)."""

    kind: Literal["target_attention"] = "target_attention"
    unit: Annotated[tuple[Width, ...], Field(min_length=1, max_length=8, title="Activation unit")] = (36,)
    activation: Annotated[Activation, Field(title="Activation inside the unit")] = "prelu"
    softmax: Annotated[bool, Field(title="Softmax over the history")] = False

    main: ClassVar = ("unit", "token", "softmax")
    short: ClassVar = "target"
    keeps: ClassVar = ("attention",)
    title: ClassVar = "Target attention"
    sentence: ClassVar = "A small network scores every past item against the candidate; the sum follows the scores."
    source: ClassVar = Source("Zhou et al.", 2018, "Deep interest network for click-through rate prediction", "KDD 2018",
                              "10.1145/3219819.3219823")

    def equation(self) -> str:
        weight = r"\mathrm{softmax}_j(a_j)" if self.softmax else "a_j"
        unit = rf"a_j=w^\top\mathrm{{MLP}}_{{\mathrm{{{named(self.activation)}}}}}([c;h_j;c-h_j;c\odot h_j])+b"
        return rf"u(c)=\sum_j {weight}\,h_j,\quad {unit}" + self.mapped("h_j=W_0x_j+b_0")

    def weighs(self) -> Literal["shares", "part", "free"]:
        return "shares" if self.softmax else "free"

    def after(self, shape: Shape) -> Shape:
        history = self.taken(shape)
        self.compared(shape)
        self.free(shape, history.name)
        self.free(shape, "candidate")
        token = self.widths(shape)[2]
        return shape.but(fields={**shape.fields, history.name: token, "candidate": token},
                         origin={**shape.origin, history.name: f"{shape.at}.sum", "candidate": f"{shape.at}.candidate"})

    def count(self, shape: Shape) -> Count:
        length, token = shape.sequences[self.taken(shape).name].length, self.widths(shape)[2]
        unit = mlp_part("unit", 4 * token, self.unit, self.activation, times=length)
        unit = (replace(unit, inside=((length, 4 * token), *unit.inside)),
                linear_part("score", self.unit[-1], 1, times=length))
        return Count(self.token_parts(shape, candidate=True) + unit + (sum_part("sum", length, token),))

    def draw(self, shape: Shape) -> Drawing:
        history, (_, _, token), at = self.taken(shape), self.widths(shape), shape.at
        candidate = self.drawn_candidate(shape, "query")
        own = self.count(shape).parameters - candidate.blocks[0].parameters
        blocks = (*candidate.blocks,
                  Block(at, "sequence", "scorer", "activation unit", "c, h, c−h, c⊙h", (*self.unit, 1), own),
                  Block(f"{at}.sum", "sequence", "sum", "Σ", "softmax" if self.softmax else "no softmax", (token,),
                        past=self.weighed(shape)))
        edges = (*candidate.edges, Edge(f"{at}.candidate", at, token), *shape.edges([history.name], at),
                 Edge(at, f"{at}.sum", token, times=shape.sequences[history.name].length))
        return Drawing(blocks, edges)

    def build(self, shape: Shape) -> TargetAttentionLayer:
        return TargetAttentionLayer(self, shape)


class TargetAttentionLayer(nn.Module):
    """History (row, position, width) and candidate → (row, token); keeps `weight` (row, position), kind attention."""

    def __init__(self, spec: TargetAttention, shape: Shape):
        super().__init__()
        self.tokens, self.softmax = spec.tokens(shape, candidate=True), spec.softmax
        self.unit = Mlp(4 * spec.widths(shape)[2], spec.unit, spec.activation)
        self.score = nn.Linear(spec.unit[-1], 1)
        if not spec.softmax:  # start as sum pooling: without a softmax the sign is free, and a start near 0 may pick either
            nn.init.ones_(self.score.bias)

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        query = self.tokens.query(signal)
        if self.training and not trace.on:
            interest = self.over_filled(*self.tokens.filled(signal), query)
        else:
            items, mask = self.tokens.past(signal)
            asked = query.unsqueeze(1).expand_as(items)  # (row, position, token)
            pairs = torch.cat([asked, items, asked - items, asked * items], dim=2)
            scores = self.score(self.unit(pairs, seen=mask)).squeeze(2)
            weights = masked_softmax(scores, mask) if self.softmax else scores * mask
            trace.keep("weight", "attention", ("row", "position"), weights, mask=mask)
            interest = torch.bmm(weights.unsqueeze(1), items).squeeze(1)  # (row, token)
        return signal.but(fields={**signal.fields, self.tokens.history: interest, "candidate": query})

    def over_filled(self, items: Tensor, past: Sequence, query: Tensor) -> Tensor:
        """The same interest (row, token) from the filled positions alone, (item, token), the first layer of the unit taken apart:

        W[c; h; c − h; c ⊙ h] = (W_c + W_d) c + (W_h − W_d) h + W_p (c ⊙ h): its first term is computed once a row.
        """
        first, *rest = self.unit
        of_c, of_h, of_difference, of_product = first.weight.chunk(4, dim=1)
        asked = F.linear(query, of_c + of_difference, first.bias)  # (row, unit)
        pairs = torch.cat([items, items * spread(query, past)], dim=1)
        hidden = spread(asked, past) + F.linear(pairs, torch.cat([of_h - of_difference, of_product], dim=1))
        for layer in rest:
            hidden = layer(hidden)
        scores = self.score(hidden)  # (item, 1)
        return summed((shares(scores, past) if self.softmax else scores) * items, past)
