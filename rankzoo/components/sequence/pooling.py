"""Pooling: the past items as one vector, each with the same weight (Covington et al., RecSys 2016).

u = Σ_j m_j h_j / Σ_j m_j (mean) or Σ_j m_j h_j (sum), m the mask. Does not look at the candidate.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from rankzoo.components.mlp import sum_part
from rankzoo.components.sequence.filled import summed
from rankzoo.components.sequence.tokens import Asker, HistorySlot
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Drawing, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace


class Pooling(HistorySlot):
    """Mean or sum over the past items; adds the field named like the history."""

    kind: Literal["pooling"] = "pooling"
    how: Annotated[Literal["mean", "sum"], Field(title="Pool by")] = "mean"

    candidate_aware: ClassVar = False
    main: ClassVar = ("how",)
    short: ClassVar = "pooling"
    keeps: ClassVar = ("attention",)
    title: ClassVar = "Pooling"
    sentence: ClassVar = "Every past item counts the same, whatever the candidate is."
    source: ClassVar = Source("Covington et al.", 2016, "Deep neural networks for YouTube recommendations", "RecSys 2016",
                              "10.1145/2959100.2959190")

    def equation(self) -> str:
        share = r"\frac{1}{n}" if self.how == "mean" else ""
        return rf"u = {share}\sum_{{j=1}}^{{n}} h_j" + self.mapped("h_j=W_0x_j+b_0")

    def weighs(self) -> Literal["shares", "part", "free"]:
        return "shares" if self.how == "mean" else "free"

    def asker(self, schema: Schema) -> Asker:
        return "nobody"

    def after(self, shape: Shape) -> Shape:
        history, (_, _, token) = self.taken(shape), self.widths(shape)
        self.free(shape, history.name)
        return shape.but(fields={**shape.fields, history.name: token},
                         origin={**shape.origin, history.name: f"{shape.at}.sum"})

    def count(self, shape: Shape) -> Count:
        length, token = shape.sequences[self.taken(shape).name].length, self.widths(shape)[2]
        return Count(self.token_parts(shape, candidate=False) + (sum_part("sum", length, token),))

    def draw(self, shape: Shape) -> Drawing:
        token = self.widths(shape)[2]
        total = Block(f"{shape.at}.sum", "sequence", "sum", "Σ", self.how, (token,), self.count(shape).parameters,
                      words=("1/n",) if self.how == "mean" else ("1",), past=self.weighed(shape), holds=(shape.at,))
        return Drawing((total,), shape.edges([self.taken(shape).name], total.address))

    def build(self, shape: Shape) -> PoolingLayer:
        return PoolingLayer(self, shape)


class PoolingLayer(nn.Module):
    """(row, position, width) → (row, token); keeps the weights as `weight` (row, position), kind attention."""

    def __init__(self, spec: Pooling, shape: Shape):
        super().__init__()
        self.tokens, self.mean = spec.tokens(shape, candidate=False), spec.how == "mean"

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        if self.training and not trace.on:
            items, past = self.tokens.filled(signal)
            pooled = summed(items, past)
            pooled = pooled / past.lengths.clamp(min=1).unsqueeze(1) if self.mean else pooled
        else:
            items, mask = self.tokens.past(signal)
            weights = mask.to(items.dtype)
            if self.mean:
                weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1)
            trace.keep("weight", "attention", ("row", "position"), weights, mask=mask)
            pooled = torch.bmm(weights.unsqueeze(1), items).squeeze(1)  # (row, token)
        return signal.but(fields={**signal.fields, self.tokens.history: pooled})
