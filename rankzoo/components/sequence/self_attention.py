"""Self-attention over a history, as in NRMS (Wu et al., EMNLP 2019): every past item is read in the light of the others.

One head: A = softmax_j(h_iᵀ W_Q W_Kᵀ h_j [/ √d_k]), g_i = Σ_j A_ij W_V h_j; the heads stand side by side, and that is all: no
W_O, no feed-forward network, no residual, no layer norm, no positions, so «NRMS = a transformer encoder» is wrong. The paper
writes one matrix Q per head and no scale; the authors' code has W_Q and W_K and divides by √d_k: the switch `scale`.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.sequence.filled import by_length
from rankzoo.components.sequence.multi_head import MultiHead, multi_head_parts
from rankzoo.components.sequence.tokens import HistorySlot
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Shape
from rankzoo.signals import Sequence, Signal
from rankzoo.trace import Trace


class SelfAttention(HistorySlot):
    """Replaces the history by as many tokens of heads × width numbers, for the component that reads it next."""

    kind: Literal["self_attention"] = "self_attention"
    heads: Annotated[int, Field(ge=1, le=16, title="Heads")] = 2
    width: Annotated[int, Field(ge=1, le=1024, title="Width of a head")] = 16
    scale: Annotated[bool, Field(title="Scores divided by √width")] = True
    bias: Annotated[bool, Field(title="Biases in the three maps")] = False

    candidate_aware: ClassVar = False
    rewrites: ClassVar = True
    main: ClassVar = ("heads", "width")
    short: ClassVar = "self"
    keeps: ClassVar = ("map",)
    title: ClassVar = "Self-attention"
    sentence: ClassVar = "Every past item is rewritten as a mix of all of them, before the history is pooled."
    source: ClassVar = Source("Wu et al.", 2019, "Neural news recommendation with multi-head self-attention", "EMNLP 2019",
                              "10.18653/v1/D19-1671")

    def equation(self) -> str:
        scale = r"/\sqrt{d_k}" if self.scale else ""
        scores, values = r"h_i^\top W_Q^k W_K^{k\top} h_j", r"W_V^k h_j"
        if self.bias:
            scores, values = r"(W_Q^{k\top}h_i+b_Q^k)^\top(W_K^{k\top}h_j+b_K^k)", r"(W_V^k h_j+b_V^k)"
        weights = rf"A_{{ij}}^k=\mathrm{{softmax}}_j({scores}{scale})"
        return rf"g_i=\big[\sum_j A_{{ij}}^k\,{values}\big]_k,\quad {weights}" + self.mapped("h_j=W_0x_j+b_0")

    def word(self) -> str:
        return f"self ×{self.heads}"

    def after(self, shape: Shape) -> Shape:
        name = self.taken(shape).name
        self.free(shape, name)  # what is read already would be rewritten for nobody
        mixed = replace(shape.sequences[name], widths={"heads": self.heads * self.width})
        return shape.but(sequences={**shape.sequences, name: mixed}, origin={**shape.origin, name: shape.at})

    def count(self, shape: Shape) -> Count:
        length, token = shape.sequences[self.taken(shape).name].length, self.widths(shape)[2]
        return Count(self.token_parts(shape, candidate=False)
                     + multi_head_parts("attention", token, self.heads * self.width, length, length, self.heads, self.bias,
                                        out=False))

    def draw(self, shape: Shape) -> Drawing:
        heads = "1 head" if self.heads == 1 else f"{self.heads} heads"
        block = Block(shape.at, "sequence", "scorer", "self attention", heads, (self.heads * self.width,),
                      self.count(shape).parameters)
        return Drawing((block,), shape.edges([self.taken(shape).name], block.address))

    def build(self, shape: Shape) -> SelfAttentionLayer:
        return SelfAttentionLayer(self, shape)


class SelfAttentionLayer(nn.Module):
    """(row, position, width) → (row, position, heads × width); keeps `map` (row, head, query, key), kind map."""

    def __init__(self, spec: SelfAttention, shape: Shape):
        super().__init__()
        self.tokens = spec.tokens(shape, candidate=False)
        self.attention = MultiHead(spec.widths(shape)[2], spec.heads, spec.width, spec.bias, out=False, scale=spec.scale)

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        mask = signal.sequences[self.tokens.history].mask
        if self.training and not trace.on:
            def whole(items: Tensor, seen: Tensor) -> Tensor:
                return F.pad(self.mixed(items, seen, trace), (0, 0, 0, mask.shape[1] - items.shape[1]))

            mixed = by_length(whole, *self.tokens.filled(signal))
        else:
            mixed = self.mixed(*self.tokens.past(signal), trace)
        return signal.but(sequences={**signal.sequences, self.tokens.history: Sequence(mixed, mask)})

    def mixed(self, items: Tensor, mask: Tensor, trace: Trace) -> Tensor:
        """Every item in the light of the others: (row, position, token) → (row, position, heads × width)."""
        mixed, maps = self.attention(items, items, mask)
        trace.keep("map", "map", ("row", "head", "query", "key"), lambda: maps * mask[:, None, :, None], mask=mask)
        return mixed * mask.unsqueeze(2)  # a padded position asks too, but nobody may hear of it
