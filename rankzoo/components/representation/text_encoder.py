"""Text encoder: an item is what its title says (PLM-NR; Wu et al., SIGIR 2021, with a small encoder of ours for BERT).

x_0 = [cls; E(w_1); …; E(w_M)] + P, then `layers` transformer blocks; r_0 is the state at [CLS], r_m that of word m. These
become one vector of the item, then h ← W_p h + b_p where items have a width of their own:

attention  a_m = qᵀ tanh(V r_m + v), α = softmax(a) over the words that are there, h = Σ_m α_m r_m
average    h = Σ_m r_m / M
cls        h = r_0

Nothing belongs to an item: news that came out a minute ago has a vector. A server encodes every title once, when the item comes
out. Pitfalls avoided: padding neither asks nor answers nor is pooled.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import linear_part
from rankzoo.components.representation.titles import Titles, TitlesLayer
from rankzoo.components.sequence.multi_head import head_width
from rankzoo.components.sequence.transformer import TransformerBlock, block_parts
from rankzoo.components.slot import Width
from rankzoo.schema import Schema
from rankzoo.shape import Part, Shape


class TextEncoder(Titles):
    """Titles read by a small transformer of ours; `dim` (or the size given for the text) is the width of a word's state."""

    kind: Literal["text_encoder"] = "text_encoder"
    dim: Annotated[Width, Field(title="Width of a word's state")] = 64
    layers: Annotated[int, Field(ge=1, le=12, title="Layers")] = 2
    heads: Annotated[int, Field(ge=1, le=16, title="Heads")] = 4
    ffn: Annotated[Width, Field(title="Width of the feed-forward network")] = 128
    project: Annotated[int, Field(ge=0, le=65_536, title="Width of an item's vector (0: as pooled)")] = 0
    norm: Annotated[Literal["post", "pre"], Field(title="Layer norm after or before")] = "pre"
    dropout: Annotated[float, Field(ge=0, lt=1, title="Dropout")] = 0.0

    main: ClassVar = ("dim", "layers", "pooling")
    title: ClassVar = "Text encoder"
    sentence: ClassVar = "A small transformer reads an item's title: a new item has a vector at once."

    def equation(self) -> str:
        one = rf"W_p\,{self.pooling_rule()}+b_p" if self.project else self.pooling_rule()
        states = self.read_once_more(r"\mathrm{Enc}(w_1 \dots w_M)")
        return rf"h={one},\quad r={states}"

    def made(self) -> str:
        return f"our encoder ×{self.layers}"

    def word(self) -> str:
        return f"text ×{self.layers}"

    def after(self, shape: Shape) -> Shape:
        after = super().after(shape)
        head_width(self.heads, self.state_width(shape.schema), shape.at)
        return after

    def item_width(self, schema: Schema) -> int:
        state = self.state_width(schema)
        return (self.project or self.read_width(state)) if state else 0

    def encoder_parts(self, schema: Schema) -> tuple[Part, ...]:
        """[CLS], positions, blocks, pooling, and the map to an item's width."""
        words, d = self.listed(schema).length, self.state_width(schema)
        parts = [Part("cls", d, 0, (d,), f"{d:,}"), Part("positions", (words + 1) * d, 0, (words + 1, d), f"{words + 1} × {d:,}")]
        for i in range(self.layers):
            parts += block_parts(f"block.{i}", d, self.ffn, self.heads, words + 1)
        parts += self.pooling_parts(d, words)
        parts += [linear_part("project", self.read_width(d), self.project)] if self.project else []
        return self.once(parts, schema)

    def build(self, shape: Shape) -> TextEncoderLayer:
        return TextEncoderLayer(self, shape)


class Words(nn.Module):
    """How the words of a title read each other."""

    def encoded(self, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(item, place, width) → the states (item, 1 + place, width), that of [CLS] first, and the last block's maps."""
        visible = torch.cat([mask.new_ones(len(mask), 1), mask], dim=1)
        x = torch.cat([self.cls.expand(len(words), 1, -1), words], dim=1) + self.positions[:words.shape[1] + 1]
        x = x * visible.unsqueeze(2)
        for block in self.block:
            x, maps = block(x, visible)
        return x, maps


class TextEncoderLayer(Words, TitlesLayer):
    """Adds `cls` (width,), `positions` (place, width), `block.<i>` and `project`."""

    def __init__(self, spec: TextEncoder, shape: Shape):
        super().__init__(spec, shape)
        words, width = spec.listed(shape.schema).length, spec.state_width(shape.schema)
        self.cls = nn.Parameter(spec.init * torch.randn(width))
        self.positions = nn.Parameter(0.02 * torch.randn(words + 1, width))
        self.block = nn.ModuleList(TransformerBlock(width, spec.heads, spec.ffn, spec.norm, spec.dropout)
                                   for _ in range(spec.layers))
        self.pool(spec)
        self.project = nn.Linear(spec.read_width(width), spec.project) if spec.project else None

    def pooled(self, states: Tensor, maps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        pooled, weights = super().pooled(states, maps, mask)
        return (pooled if self.project is None else self.project(pooled)), weights
