"""Context attention (Gong et al., CIKM 2022): a video asks one part of its context, what was watched or what is placed before it.

a_h = softmax((v W_Q^h)(C W_K^h)ᵀ / √d_h), o_h = a_h C W_V^h, out = [o_1; …; o_H]: the heads side by side, without W_O. The
video and the past items have maps of their own from the start, so that they need not be equally wide, and a past item may have
what a candidate cannot have yet: its feedback. Nothing but this vector is handed on, so that two contexts can be asked, each
with its own weights; where nothing stands, it is zeros. The paper divides by √d with d «the embedding dimension»; here d_h.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.notation import beside
from rankzoo.components.sequence.filled import shares, spread, summed
from rankzoo.components.sequence.multi_head import MultiHead, heads_rule, multi_head_parts
from rankzoo.components.sequence.tokens import HistorySlot
from rankzoo.components.slot import Width
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Edge, Shape
from rankzoo.signals import Sequence, Signal
from rankzoo.trace import Trace


class ContextAttention(HistorySlot):
    """Adds one field, the history's name: `heads` heads of `width` numbers side by side."""

    kind: Literal["context_attention"] = "context_attention"
    heads: Annotated[int, Field(ge=1, le=16, title="Heads")] = 2
    width: Annotated[Width, Field(title="Width of a head")] = 8

    main: ClassVar = ("heads", "width")
    short: ClassVar = "context"
    keeps: ClassVar = ("attention",)
    title: ClassVar = "Context attention"
    sentence: ClassVar = "The candidate asks one part of its context by several heads, whose answers stand side by side."
    source: ClassVar = Source("Gong et al.", 2022, "Real-time short video recommendation on mobile devices", "CIKM 2022",
                              "10.1145/3511808.3557065")

    def described(self) -> str:
        return self.sentence if self.heads > 1 else (
            "The candidate asks one part of its context by one head: what points the same way counts more.")

    def equation(self) -> str:
        return rf"u(v)={beside('o', self.heads)},\quad {heads_rule('v', 'C', self.heads)}" + self.mapped("C=XW_0+b_0")

    def after(self, shape: Shape) -> Shape:
        name = self.taken(shape).name
        self.asked(shape)
        self.free(shape, name)
        return shape.but(fields={**shape.fields, name: self.heads * self.width}, origin={**shape.origin, name: shape.at})

    def read(self, shape: Shape) -> tuple[int, int]:
        """(width of a past item, width of the candidate), as the heads read them."""
        item, candidate, token = self.widths(shape)
        return (token, token) if self.token else (item, candidate)

    def count(self, shape: Shape) -> Count:
        (item, candidate), length = self.read(shape), shape.sequences[self.taken(shape).name].length
        return Count(self.token_parts(shape, candidate=True) + multi_head_parts(
            "attention", item, self.heads * self.width, queries=1, keys=length, heads=self.heads, out=False, asking=candidate,
            past=True))

    def draw(self, shape: Shape) -> Drawing:
        at, width, candidate = shape.at, self.heads * self.width, self.drawn_candidate(shape, "query")
        own = self.count(shape).parameters - candidate.blocks[0].parameters
        heads = "1 head" if self.heads == 1 else f"{self.heads} heads"
        scorer = Block(at, "sequence", "scorer", "context", heads, (width,), own, past=self.weighed(shape))
        edges = (*candidate.edges, Edge(f"{at}.candidate", at, self.read(shape)[1]),
                 *shape.edges([self.taken(shape).name], at))
        return Drawing((*candidate.blocks, scorer), edges)

    def build(self, shape: Shape) -> ContextAttentionLayer:
        return ContextAttentionLayer(self, shape)


class ContextAttentionLayer(nn.Module):
    """Context (row, position, width) and candidate → (row, heads · width); keeps `weight` (row, position), kind attention, the
    mean of `weight.head` (row, head, position), kind head."""

    def __init__(self, spec: ContextAttention, shape: Shape):
        super().__init__()
        item, candidate = spec.read(shape)
        self.tokens = spec.tokens(shape, candidate=True)
        self.attention = MultiHead(item, spec.heads, spec.width, out=False, asking=candidate)

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        query = self.tokens.query(signal)
        if self.training and not trace.on:
            said = self.over_filled(*self.tokens.filled(signal), query)
        else:
            items, mask = self.tokens.past(signal)
            mixed, maps = self.attention(query.unsqueeze(1), items, mask)
            said, heads = mixed.squeeze(1), maps.squeeze(2)  # (row, heads · width), (row, head, position)
            trace.keep("weight", "attention", ("row", "position"), lambda: heads.mean(dim=1), mask=mask)
            trace.keep("weight.head", "head", ("row", "head", "position"), heads, mask=mask)
        return signal.but(fields={**signal.fields, self.tokens.history: said})

    def over_filled(self, items: Tensor, context: Sequence, query: Tensor) -> Tensor:
        """The same from the filled positions alone, (item, width) → (row, heads · width)."""
        attention, apart = self.attention, (self.attention.heads, -1)
        asked = spread(attention.query(query) * attention.scale, context)
        scores = (asked * attention.key(items)).unflatten(1, apart).sum(dim=2)  # (item, head)
        mixed = shares(scores, context).unsqueeze(2) * attention.value(items).unflatten(1, apart)  # (item, head, d_h)
        return summed(mixed.flatten(1), context)
