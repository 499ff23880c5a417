"""Fusion of several histories into one vector (Li et al., KDD 2021, MGDSPR): all their tokens below one another, [CLS] on top.

u = first output of SelfAtt([CLS; Q; H_1; …; H_m]): [CLS] is a learned vector, and only what it reads is computed, since nothing
else leaves. `mlp` joins the tokens side by side instead and maps them by a small network: a simpler reader to compare with.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import Mlp, linear_part, mlp_part
from rankzoo.components.sequence.multi_head import MultiHead, head_width, multi_head_parts
from rankzoo.components.sequence.tokens import HistorySlot
from rankzoo.components.slot import Width, once
from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Drawing, Part, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace


class Fusion(HistorySlot):
    """Adds one field, named like the history: what [CLS] reads of it and of those `beside` it (empty: of all that are left)."""

    kind: Literal["fusion"] = "fusion"
    beside: Annotated[tuple[str, ...], Field(max_length=16, title="Histories beside it (empty: all)")] = ()
    how: Annotated[Literal["attention", "mlp"], Field(title="Fused by")] = "attention"
    heads: Annotated[int, Field(ge=1, le=16, title="Heads")] = 2
    hidden: Annotated[tuple[Width, ...], Field(max_length=4, title="Hidden layers (mlp)")] = (64,)

    candidate_aware: ClassVar = False
    main: ClassVar = ("how", "heads")
    short: ClassVar = "fusion"
    title: ClassVar = "Fusion of histories"
    sentence: ClassVar = "A learned token reads the query and all answers by self-attention: one vector for the user."
    source: ClassVar = Source("Li et al.", 2021, "Embedding-based product retrieval in Taobao search", "KDD 2021",
                              "10.48550/arXiv.2106.09297")

    def described(self) -> str:
        return self.sentence if self.how == "attention" else (
            "The query and all answers stand side by side; a small network makes one vector for the user of them.")

    def equation(self) -> str:
        tokens = self.mapped("H_i=X_iW_i+b_i")
        if self.how == "attention":
            return r"u=\mathrm{SelfAtt}([\mathrm{CLS};Q;H_1;\dots;H_m])_0" + tokens
        joined = r"[Q;H_1;\dots;H_m]"
        return (rf"u=W\,\mathrm{{MLP}}({joined})+b" if self.hidden else rf"u=W{joined}+b") + tokens

    def read(self, shape: Shape) -> tuple[str, ...]:
        """The histories that are fused, the one that gives its name first; raises where one is not handed on."""
        first = self.taken(shape).name
        once(self.beside, f"{shape.at}.beside")
        for i, name in enumerate(self.beside):
            if name == first or name not in shape.sequences or name in shape.fields:
                raise ZooError("The history '{name}' is not handed on to be fused.", "Leave it out, or name none to fuse all.",
                               at=f"{shape.at}.beside.{i}", name=name, comes=f"{name}: {axes(0)}",
                               needs=f"{name}: {axes('L', 'd')}")
        others = self.beside or tuple(h.name for h in shape.schema.histories if h.name != first and h.name in shape.sequences
                                       and h.name not in shape.fields)
        return (first, *others)

    def wide(self, shape: Shape) -> int:
        """Width of a token; raises where histories differ and no width is set."""
        widths = {shape.sequences[name].width for name in self.read(shape)}
        if not self.token and len(widths) > 1:
            raise ZooError("The histories to be fused have tokens of {widths} numbers.", "Set a token width.",
                           at=f"{shape.at}.token", widths=" and ".join(map(str, sorted(widths))),
                           cure=(f"{shape.at}.token", max(widths)), comes=axes("L", min(widths)), needs=axes("L", max(widths)))
        return self.token or widths.pop()

    def places(self, shape: Shape) -> int:
        """How many tokens there are beside [CLS]."""
        return sum(shape.sequences[name].length for name in self.read(shape))

    def after(self, shape: Shape) -> Shape:
        name, token, read = self.taken(shape).name, self.wide(shape), self.read(shape)
        self.free(shape, name)
        if self.how == "attention":
            head_width(self.heads, token, shape.at)
        left = {n: s for n, s in shape.sequences.items() if n not in read}
        return shape.but(sequences=left, fields={**shape.fields, name: token}, origin={**shape.origin, name: shape.at})

    def count(self, shape: Shape) -> Count:
        d, n, parts = self.wide(shape), self.places(shape), []
        if self.token:
            parts += [linear_part(f"maps.{i}", shape.sequences[name].width, d, times=shape.sequences[name].length)
                      for i, name in enumerate(self.read(shape))]
        if self.how == "mlp":
            return Count((*parts, mlp_part("deep", n * d, self.hidden),
                          linear_part("last", self.hidden[-1] if self.hidden else n * d, d)))
        return Count((*parts, Part("cls", d, 0, (d,), f"{d}"),
                      *multi_head_parts("attention", d, d, 1, n + 1, self.heads, bias=False)))

    def draw(self, shape: Shape) -> Drawing:
        words = ("[CLS] reads", f"{self.places(shape) + 1} tokens") if self.how == "attention" else ("fusion", "MLP")
        block = Block(shape.at, "sequence", "scorer", *words, (self.wide(shape),), self.count(shape).parameters)
        return Drawing((block,), shape.edges(self.read(shape), block.address))

    def build(self, shape: Shape) -> FusionLayer:
        return FusionLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[HistorySlot, tuple[str, ...]]:
        spec, gone = super().fitted(schema)
        known = {h.name for h in schema.histories}
        lost = tuple(name for name in self.beside if name not in known)
        return spec.model_copy(update={"beside": tuple(n for n in self.beside if n in known)}), (*gone, *lost)


class FusionLayer(nn.Module):
    """Histories (row, position, width) each → (row, token); keeps `reading` (row, head, token), kind head: what [CLS], itself the
    first, reads; and `arriving` (row, token, width), kind vector: what u has of each token, all of which add up to it."""

    def __init__(self, spec: Fusion, shape: Shape):
        super().__init__()
        d = spec.wide(shape)
        self.names, self.how = spec.read(shape), spec.how
        self.lengths = tuple(shape.sequences[name].length for name in self.names)
        self.maps = nn.ModuleList(nn.Linear(shape.sequences[name].width, d) for name in self.names if spec.token)
        if spec.how == "mlp":
            self.deep = Mlp(sum(self.lengths) * d, spec.hidden)
            self.last = nn.Linear(spec.hidden[-1] if spec.hidden else sum(self.lengths) * d, d)
        else:
            self.cls = nn.Parameter(torch.randn(d) * d ** -0.5)
            self.attention = MultiHead(d, spec.heads, head_width(spec.heads, d, shape.at), bias=False)

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        tokens, mask = self.stacked(signal)
        if self.how == "mlp":
            u = self.last(self.deep(tokens.flatten(1)))
        else:
            cls = self.cls.repeat(len(tokens), 1, 1)
            every = torch.cat([cls, tokens], dim=1)
            out, maps = self.attention(cls, every, F.pad(mask, (1, 0), value=True))
            trace.keep("reading", "head", ("row", "head", "token"), lambda: maps.squeeze(2))
            trace.keep("arriving", "vector", ("row", "token", "width"), lambda: self.attention.parts(maps, every).squeeze(1))
            u = out.squeeze(1)
        left = {name: sequence for name, sequence in signal.sequences.items() if name not in self.names}
        return signal.but(sequences=left, fields={**signal.fields, self.names[0]: u})

    def stacked(self, signal: Signal) -> tuple[Tensor, Tensor]:
        """All tokens below one another, (row, token, width), zeros where none stands, and which are there. A history has as many
        places as the data say: what stands behind is padding."""
        tokens, masks = [], []
        for i, (name, length) in enumerate(zip(self.names, self.lengths, strict=True)):
            values, mask = signal.sequences[name].values[:, :length], signal.sequences[name].mask[:, :length]
            values = self.maps[i](values) if self.maps else values
            tokens.append(values * mask.unsqueeze(2))
            masks.append(mask)
        return torch.cat(tokens, dim=1), torch.cat(masks, dim=1)
