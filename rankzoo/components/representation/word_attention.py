"""Word attention: the news encoder of NRMS, a table of words that is learned from clicks alone (Wu et al., EMNLP 2019).

Every word w_m of a title has a vector e_m = E(w_m), and the words read each other: A^k_mj = softmax_j((Q_k e_m)ᵀ K_k e_j / √d)
and r_m = [Σ_j A^k_mj V_k e_j]_k, heads side by side, without W_O; without a head r_m = e_m. There is no [CLS] and no position:
the same words in another order are the same vector. The paper has one matrix for each head, e_mᵀ Q_k e_j; later code of its
authors two, and the scale, as here.

attention  a_m = qᵀ tanh(V r_m + v), α = softmax(a) over the words that are there, h = Σ_m α_m r_m
average    h = Σ_m r_m / M
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor

from rankzoo.components.representation.titles import Titles, TitlesLayer
from rankzoo.components.slot import Width
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Part, Shape


class WordAttention(Titles):
    """Titles whose words read each other once; `dim` (or the size given for the text) is the width of a word's own vector."""

    kind: Literal["word_attention"] = "word_attention"
    dim: Annotated[Width, Field(title="Width of a word's vector")] = 64
    pooling: Annotated[Literal["attention", "average"], Field(title="Words become one vector by")] = "attention"
    self_heads: Annotated[int, Field(ge=0, le=32, title="Heads in which words read each other (0: none)")] = 4

    front: ClassVar = 0
    main: ClassVar = ("dim", "self_heads", "pooling")
    title: ClassVar = "Word attention"
    sentence: ClassVar = "Words have vectors learned from clicks, read each other where there are heads, and become one."
    source: ClassVar = Source("Wu et al.", 2019, "Neural news recommendation with multi-head self-attention", "EMNLP 2019",
                              "10.18653/v1/D19-1671")

    def equation(self) -> str:
        read = (r"r_m=\Big[\sum_j \mathrm{softmax}_j\big(\tfrac{(Q_k e_m)^\top K_k e_j}{\sqrt d}\big)\,V_k e_j\Big]_k"
                if self.self_heads else "r_m=e_m")
        return rf"h={self.pooling_rule()},\quad {read}"

    def made(self) -> str:
        return f"words, {self.self_heads} heads" if self.self_heads else "words"

    def word(self) -> str:
        return f"words ×{self.self_heads}" if self.self_heads else "words"

    def word_width(self, schema: Schema) -> int:
        return super().state_width(schema)

    def state_width(self, schema: Schema) -> int:
        words = self.word_width(schema)  # 0 where items have no words
        return words and self.read_width(words)

    def item_width(self, schema: Schema) -> int:
        return self.state_width(schema)

    def encoder_parts(self, schema: Schema) -> tuple[Part, ...]:
        """The maps of the heads, and pooling."""
        return self.once(self.pooling_parts(self.word_width(schema), self.listed(schema).length), schema)

    def build(self, shape: Shape) -> WordAttentionLayer:
        return WordAttentionLayer(self, shape)


class WordAttentionLayer(TitlesLayer):
    """Of the states that are handed on each has read the title: `again` makes them, and nothing reads them once more."""

    def __init__(self, spec: WordAttention, shape: Shape):
        super().__init__(spec, shape)
        self.pool(spec)

    def encoded(self, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        return (words, None) if self.again is None else self.again(words, words, mask)

    def pooled(self, states: Tensor, maps: Tensor | None, mask: Tensor) -> tuple[Tensor, Tensor]:
        return self.one(states, maps, mask)
