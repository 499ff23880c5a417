"""Query attention with an all-zero slot (Li et al., KDD 2021, MGDSPR): what the query asks of a history, or nothing.

R~ = [0; R], H = softmax(Q R~^T) R~, Q the query as one vector or several: the scores are plain inner products. The candidate
has no say, so that a user's vector can be made before any item is known. The zero vector scores 0 and adds nothing, whatever
the query is: weight on it says that the history has nothing to do with the query. Without it a softmax has to spend its whole
mass on past items, however little they fit. (The paper prints a transposed value matrix; the shapes work with R~ itself.)
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.sequence.tokens import HistorySlot, masked_softmax
from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Drawing, Part, SequenceShape, Shape
from rankzoo.signals import Sequence, Signal
from rankzoo.trace import Trace


class Ask(HistorySlot):
    """Replaces the history by one answer for each vector that asks; `query` names the history that asks (empty: the first other
    one)."""

    kind: Literal["ask"] = "ask"
    query: Annotated[str, Field(title="What asks (a history; empty: the first other one)")] = ""
    zero: Annotated[bool, Field(title="A slot of zeros")] = True
    scale: Annotated[bool, Field(title="Scores divided by √width")] = False

    rewrites: ClassVar = True
    rest: ClassVar = "the slot of zeros"
    main: ClassVar = ("zero", "scale")
    short: ClassVar = "query"
    keeps: ClassVar = ("attention",)
    title: ClassVar = "Query attention with a zero slot"
    sentence: ClassVar = "The query asks the history; a slot of zeros takes the weight where nothing in it fits."
    source: ClassVar = Source("Li et al.", 2021, "Embedding-based product retrieval in Taobao search", "KDD 2021",
                              "10.48550/arXiv.2106.09297")

    def called(self) -> str:
        return self.title if self.zero else "Query attention"

    def described(self) -> str:
        return self.sentence if self.zero else "The query asks the history, and all of its weight goes to past items, fit or not."

    def equation(self) -> str:
        items, zero = (r"\tilde R", r"\tilde R=[0;R],\quad ") if self.zero else ("R", "")
        scale = r"/\sqrt{d}" if self.scale else ""
        return rf"{zero}H=\mathrm{{softmax}}(Q{items}^\top{scale})\,{items}" + self.mapped("R=XW_0+b_0")

    def weighs(self) -> Literal["shares", "part", "free"]:
        return "part" if self.zero else "shares"

    def asks(self, schema: Schema) -> str:
        own = schema.history(self.history).name
        return self.query or next((h.name for h in schema.histories if h.name != own), "")

    def asking(self, shape: Shape) -> str:
        """The name of the history that asks; raises where there is no other one that could."""
        own = self.taken(shape).name
        name = self.query or next((h.name for h in shape.schema.histories if h.name != own and h.name in shape.sequences), "")
        if name == own or name not in shape.sequences:
            raise ZooError("There is no other history that could ask '{name}'.",
                           "Choose data with a query, or let the candidate ask (kind query_attention).", at=f"{shape.at}.query",
                           name=own, comes=f"1 × {axes('L', 'd')}", needs=f"2 × {axes('L', 'd')}")
        return name

    def after(self, shape: Shape) -> Shape:
        name, token, asking = self.taken(shape).name, self.widths(shape)[2], self.asking(shape)
        self.free(shape, name)
        if shape.sequences[asking].width != token:
            raise ZooError("What asks has {wide} numbers, a past item {token}; they cannot be compared.",
                           "Set one token width for both, {wide} for example.", at=f"{shape.at}.token",
                           wide=shape.sequences[asking].width, token=token,
                           cure=(f"{shape.at}.token", shape.sequences[asking].width), needs=f"2 × {axes('L', 'd')}",
                           comes=f"{axes('L', shape.sequences[asking].width)}, {axes('L', token)}")
        answers = SequenceShape(shape.sequences[asking].length, {"answer": token}, items=False)
        return shape.but(sequences={**shape.sequences, name: answers}, origin={**shape.origin, name: shape.at})

    def count(self, shape: Shape) -> Count:
        length, token = shape.sequences[self.taken(shape).name].length, self.widths(shape)[2]
        asks = shape.sequences[self.asking(shape)].length
        maps = Part("maps", 0, 4 * asks * length * token, (asks, token), products=f"2 × 2 × {asks:,} × {length:,} × {token:,}")
        return Count((*self.token_parts(shape, candidate=False), maps))

    def draw(self, shape: Shape) -> Drawing:
        at, token, name = shape.at, self.widths(shape)[2], self.taken(shape).name
        block = Block(at, "sequence", "scorer", "query asks", "or nothing" if self.zero else "softmax", (token,),
                      self.count(shape).parameters, past=self.weighed(shape))
        return Drawing((block,), shape.edges([name, self.asking(shape)], at))

    def build(self, shape: Shape) -> AskLayer:
        return AskLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[HistorySlot, tuple[str, ...]]:
        spec, gone = super().fitted(schema)
        if not self.query or self.query in {h.name for h in schema.histories}:
            return spec, gone
        return spec.model_copy(update={"query": ""}), (*gone, self.query)


class AskLayer(nn.Module):
    """History (row, position, width) and query (row, asking, token) → (row, asking, token); keeps `weight` (row, position), kind
    attention, the mean of `weight.head` (row, head, position), kind head: a head is one that asks. What is missing to 1 lies on
    the zero slot."""

    def __init__(self, spec: Ask, shape: Shape):
        super().__init__()
        self.tokens, self.query, self.zero = spec.tokens(shape, candidate=False), spec.asking(shape), spec.zero
        self.factor = spec.widths(shape)[2] ** -0.5 if spec.scale else 1.0

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        asking, (items, mask) = signal.sequences[self.query], self.tokens.past(signal)
        weights = self.weights(asking.values, items, mask)  # (row, asking, position)
        answers = (weights @ items) * asking.mask.unsqueeze(2)
        heads = weights * asking.mask.unsqueeze(2)
        trace.keep("weight", "attention", ("row", "position"),
                   lambda: heads.sum(dim=1) / asking.mask.sum(dim=1, keepdim=True).clamp(min=1), mask=mask)
        trace.keep("weight.head", "head", ("row", "head", "position"), heads, mask=mask)
        return signal.but(sequences={**signal.sequences, self.tokens.history: Sequence(answers, asking.mask)})

    def weights(self, asking: Tensor, items: Tensor, mask: Tensor) -> Tensor:
        """softmax(Q R~^T) without the column of the zero slot, whose score is 0: (row, asking, position)."""
        scores, visible = self.factor * (asking @ items.transpose(1, 2)), mask.unsqueeze(1)
        if not self.zero:
            return masked_softmax(scores, visible)
        return masked_softmax(F.pad(scores, (1, 0)), F.pad(visible, (1, 0), value=True))[:, :, 1:]
