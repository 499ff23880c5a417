"""Multi-granular query unit (Li et al., KDD 2021, MGDSPR): a short text read in several ways at once, one vector each.

w_1 … w_n the words of the query, p_1 … p_k those of earlier queries:
q_1gram   = mean(W_1 w_i)                          q_2gram = mean(tanh(W_2 [w_i; w_{i+1}]))
q_seg     = mean(w_i)                              q_seg_seq = mean(Transformer(w_1 … w_n))
q_his_seq = softmax(q_seg p^T) p                   q_mix = their sum
Q = [q_1gram; q_2gram; q_seg; q_seg_seq; q_his_seq; q_mix]

The paper has tables of their own for characters, pairs of characters and segments; here the data have words, and W_1 and W_2
stand for the other two tables. Without earlier queries the fifth is left out; `words` keeps q_seg alone.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import linear_part
from rankzoo.components.sequence.multi_head import head_width
from rankzoo.components.sequence.tokens import HistorySlot, masked_softmax
from rankzoo.components.sequence.transformer import TransformerBlock, block_parts
from rankzoo.components.slot import Width
from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.schema import History, Schema
from rankzoo.shape import Block, Count, Drawing, Part, SequenceShape, Shape
from rankzoo.signals import Sequence, Signal
from rankzoo.trace import Trace

GRAINS = ("1-gram", "2-gram", "words", "words in order", "earlier", "mix")
SYMBOLS = dict(zip(GRAINS, ("q_{1}", "q_{2}", "q_{seg}", "q_{seq}", "q_{his}", "q_{mix}"), strict=True))


class QueryUnit(HistorySlot):
    """Replaces the history, whose items are words, by one token for each way of reading; `earlier` names the history of the words
    that were asked for before (empty: none)."""

    kind: Literal["query_unit"] = "query_unit"
    earlier: Annotated[str, Field(title="Earlier words (a history; empty: none)")] = ""
    grains: Annotated[Literal["all", "words"], Field(title="Ways of reading")] = "all"
    heads: Annotated[int, Field(ge=1, le=16, title="Heads")] = 2
    ffn: Annotated[Width, Field(title="Width of the feed-forward network")] = 64

    candidate_aware: ClassVar = False
    rewrites: ClassVar = True
    main: ClassVar = ("grains", "heads", "ffn")
    short: ClassVar = "grains"
    title: ClassVar = "Multi-granular query unit"
    sentence: ClassVar = "The words of the query are read in six ways, from single words to their order and earlier queries."
    source: ClassVar = Source("Li et al.", 2021, "Embedding-based product retrieval in Taobao search", "KDD 2021",
                              "10.48550/arXiv.2106.09297")

    def described(self) -> str:
        if self.grains == "words":
            return "The words of the query become one vector, their mean."
        return self.sentence if self.earlier else (
            "The words of the query are read in five ways, from single words to their order.")

    def equation(self) -> str:
        words = self.mapped("w_i=W_0x_i+b_0")
        if self.grains == "words":
            return r"Q=[q_{seg}],\quad q_{seg}=\frac{1}{n}\sum_i w_i" + words
        return rf"Q=[{r';'.join(SYMBOLS[name] for name in self.names())}],\quad q_{{mix}}=\sum_g q_g" + words

    def names(self) -> tuple[str, ...]:
        """The ways of reading, in order."""
        if self.grains == "words":
            return (GRAINS[2],)
        return GRAINS if self.earlier else tuple(name for name in GRAINS if name != GRAINS[4])

    def before(self, shape: Shape) -> History | None:
        """The history of earlier words; None where it is not read. Raises where it is not as wide as the words."""
        if not self.earlier or self.grains == "words":
            return None
        found, own = shape.schema.history(self.earlier, f"{shape.at}.earlier"), self.taken(shape)
        widths = [shape.sequences[each.name].width for each in (own, found) if each.name in shape.sequences]
        if found.name == own.name or len(set(widths)) > 1 or len(widths) < 2:
            raise ZooError("Earlier words must be another history than '{name}', of words as wide as its own.",
                           "Choose another history, or leave earlier empty.", at=f"{shape.at}.earlier", name=own.name,
                           cure=(f"{shape.at}.earlier", ""), needs=f"2 × {axes('L', shape.sequences[own.name].width)}",
                           comes=", ".join(f"{each}: {axes('L', shape.sequences[each].width)}" for each in
                                           dict.fromkeys((own.name, found.name)) if each in shape.sequences))
        return found

    def after(self, shape: Shape) -> Shape:
        name, token = self.taken(shape).name, self.widths(shape)[2]
        self.free(shape, name)
        earlier = self.before(shape)
        head_width(self.heads, token, shape.at)
        read = {n: s for n, s in shape.sequences.items() if earlier is None or n != earlier.name}
        return shape.but(sequences={**read, name: SequenceShape(len(self.names()), {"grain": token}, items=False)},
                         origin={**shape.origin, name: shape.at})

    def count(self, shape: Shape) -> Count:
        (item, _, d), length = self.widths(shape), shape.sequences[self.taken(shape).name].length
        earlier, parts = self.before(shape), list(self.token_parts(shape, candidate=False))
        if earlier is not None:
            places = shape.sequences[earlier.name].length
            again = item if self.token else 0  # the words' own map once more
            parts.append(Part("earlier", 0, 2 * places * d * (again + 2), (d,),
                              products=f"2 × {places:,} × {d:,} × " + (f"({again:,} + 2)" if again else "2")))
        if self.grains == "all":
            parts += [linear_part("single", d, d, bias=False), linear_part("pair", 2 * d, d, times=length - 1),
                      *block_parts("block", d, self.ffn, self.heads, length)]
        return Count(tuple(parts))

    def draw(self, shape: Shape) -> Drawing:
        names, earlier = [self.taken(shape).name], self.before(shape)
        names += [earlier.name] if earlier else []
        block = Block(shape.at, "sequence", "scorer", "query unit", f"{len(self.names())} vectors", (self.widths(shape)[2],),
                      self.count(shape).parameters)
        return Drawing((block,), shape.edges(names, block.address))

    def build(self, shape: Shape) -> QueryUnitLayer:
        return QueryUnitLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[HistorySlot, tuple[str, ...]]:
        spec, gone = super().fitted(schema)
        if not self.earlier or self.earlier in {h.name for h in schema.histories}:
            return spec, gone
        return spec.model_copy(update={"earlier": ""}), (*gone, self.earlier)


class QueryUnitLayer(nn.Module):
    """Words (row, position, width) → (row, way of reading, token). A query without words is zeros in every way."""

    def __init__(self, spec: QueryUnit, shape: Shape):
        super().__init__()
        d, earlier = spec.widths(shape)[2], spec.before(shape)
        self.tokens, self.earlier = spec.tokens(shape, candidate=False), earlier.name if earlier else ""
        if spec.grains == "all":
            self.single, self.pair = nn.Linear(d, d, bias=False), nn.Linear(2 * d, d)
            self.block = TransformerBlock(d, spec.heads, spec.ffn)
        else:
            self.single = self.pair = self.block = None

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        words, mask = self.tokens.past(signal)
        q_seg = mean(words, mask)
        said = [q_seg]
        if self.block is not None:
            both = mask[:, 1:] & mask[:, :-1]
            pairs = torch.tanh(self.pair(torch.cat([words[:, :-1], words[:, 1:]], dim=2)))  # (row, pair, token)
            ordered, _ = self.block(words * mask.unsqueeze(2), mask)
            said = [self.single(q_seg), mean(pairs, both), q_seg, mean(ordered, mask)]
            said += [self.before(q_seg, signal)] if self.earlier else []
            said.append(torch.stack(said).sum(dim=0))
        read = {name: sequence for name, sequence in signal.sequences.items() if name != self.earlier}
        grains = torch.stack(said, dim=1)
        there = torch.ones(grains.shape[:2], dtype=torch.bool, device=mask.device)
        return signal.but(sequences={**read, self.tokens.history: Sequence(grains, there)})

    def before(self, q_seg: Tensor, signal: Signal) -> Tensor:
        """What was asked for before, by how near it is to what is asked for now: softmax(q p^T) p."""
        earlier = signal.sequences[self.earlier]
        p = self.tokens.item(earlier.values)  # (row, position, token)
        weights = masked_softmax((q_seg.unsqueeze(1) @ p.transpose(1, 2)).squeeze(1), earlier.mask)
        return (weights.unsqueeze(1) @ p).squeeze(1)


def mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean over the positions that are there, zeros where there is none: (row, position, width) → (row, width)."""
    there = mask.unsqueeze(2)
    return (values * there).sum(dim=1) / there.sum(dim=1).clamp(min=1)
