"""Pretrained text encoder: a language model knows what a title says before the first click (PLM-NR; Wu et al., SIGIR 2021).

r = PLM(w_1 … w_M) over pieces of words, pooled to one vector, then h ← W_p h + b_p. The language model is MiniLM-L6, a stand-in
for the base-size models of the paper; its last `trained` layers learn with the clicks, at `rate` times the learning rate, and
all else stays as it is. States in front of the first layer that learns are made once for each title and kept. Of the states,
r_0 that at [CLS], one vector is made:

attention  a_m = qᵀ tanh(V r_m + v), α = softmax(a) over the words that are there, h = Σ_m α_m r_m
average    h = Σ_m r_m / M
cls        h = r_0

Pitfalls avoided: [PAD] neither answers nor is pooled; [CLS] and [SEP] take part in the layers and not in the pooling.
"""
from __future__ import annotations

from dataclasses import replace
from math import gcd
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import linear_part
from rankzoo.components.representation.minilm import (
    CLS,
    FFN,
    HEADS,
    LAYERS,
    PAD,
    PLACES,
    SEP,
    UNKNOWN,
    WORDS,
    D,
    Still,
    in_pieces,
    kept,
    layer,
    must_be_there,
    of_layer,
    vocabulary,
    weights,
)
from rankzoo.components.representation.text_encoder import TextEncoder
from rankzoo.components.representation.titles import Titles, TitlesLayer
from rankzoo.components.sequence.transformer import block_parts
from rankzoo.components.slot import Width
from rankzoo.errors import ZooError
from rankzoo.schema import Schema
from rankzoo.shape import Part, Shape
from rankzoo.signals import Batch


class PretrainedEncoder(Titles):
    """Titles read by a pretrained language model; `dim` (or the size given for the text) is the width of an item's vector."""

    kind: Literal["pretrained_encoder"] = "pretrained_encoder"
    dim: Annotated[Width, Field(title="Width of an item's vector")] = 64
    trained: Annotated[int, Field(ge=0, le=2, title="Last layers that are trained (slow: seconds a step)")] = 0
    rate: Annotated[float, Field(gt=0, le=1, title="Their learning rate, as a share")] = 0.01
    length: Annotated[int, Field(ge=4, le=128, title="Pieces of words in a title at most")] = 40

    main: ClassVar = ("trained", "pooling", "dim")
    outside: ClassVar = "what the language model learnt before: it stands in the weights' file, and without that it knows nothing"
    title: ClassVar = "Pretrained text encoder"
    sentence: ClassVar = "A language model trained on other texts reads an item's title; clicks tune little or nothing of it."

    def equation(self) -> str:
        states = self.read_once_more(r"\mathrm{PLM}(w_1 \dots w_M)")
        return rf"h=W_p\,{self.pooling_rule()}+b_p,\quad r={states}"

    def made(self) -> str:
        return "MiniLM, pretrained"

    def word(self) -> str:
        return f"PLM, last {self.trained}" if self.trained else "PLM, frozen"

    def state_width(self, schema: Schema) -> int:
        return D

    def after(self, shape: Shape) -> Shape:
        after = super().after(shape)
        if not self.listed(shape.schema).fields[0].spelled:
            raise ZooError("Of the words in '{name}' only numbers are known: a language model has nothing to read.",
                           "Set representation.kind to text_encoder, which learns what words mean.", at=f"{shape.at}.text",
                           name=self.listed(shape.schema).name, cure=("representation.kind", "text_encoder"),
                           comes="N × L ∈ {1, 2, …}", needs="N × L ∈ {“a”, “b”, …}")
        return after

    def installed(self, at: str) -> None:
        must_be_there(at)

    def stand_in(self) -> TextEncoder:
        theirs = TextEncoder.model_fields
        both = {name: getattr(self, name) for name in type(self).model_fields if name in theirs and name != "kind"}
        heads = gcd(theirs["heads"].default, self.dim, *self.dims.values())  # any of these may be the width that they share
        return TextEncoder(**both, heads=heads, project=self.dim if self.self_heads else 0)

    def tables(self, schema: Schema) -> dict[str, tuple[int, int]]:
        """Words have no table of their own, unless a history asks in words of the titles."""
        text = schema.catalogue.table(self.listed(schema).name) if schema.catalogue else ""
        asked = {f.table for h in schema.histories for f in h.fields}
        return {name: size for name, size in super().tables(schema).items() if name != text or name in asked}

    def item_tables(self, schema: Schema) -> dict[str, dict[str, tuple]]:
        return {}

    def encoder_parts(self, schema: Schema) -> tuple[Part, ...]:
        """Embeddings of pieces and places, layers, pooling, and the map to the item's vector."""
        places = PLACES + 2  # and two kinds of sentences, of which the first is used
        parts = [Part("pieces", WORDS * D, 0, (self.length, D), f"{WORDS:,} × {D}", table=True, rows=WORDS, still=True),
                 Part("places", places * D + 2 * D, 0, (self.length, D), f"{places} × {D} + 2 × {D}", still=True)]
        for i in range(LAYERS):
            parts += [replace(part, still=i < LAYERS - self.trained)
                      for part in block_parts(f"layer.{i}", D, FFN, HEADS, self.length)]
        parts += self.pooling_parts(D, self.length - 1)
        return self.once([*parts, linear_part("project", self.read_width(D), self.item_width(schema))], schema)

    def spelled(self, schema: Schema) -> list[tuple[int, ...]]:
        """The pieces of every word, the unknown one first."""
        said = [in_pieces(word) for word in self.listed(schema).fields[0].spelled]
        return [(UNKNOWN,), *(pieces or (UNKNOWN,) for pieces in said)]

    def pieces(self, schema: Schema) -> tuple[int, int]:
        """How many words there are, and how many pieces one has at most."""
        said = self.spelled(schema)
        return len(said), max(map(len, said))

    def build(self, shape: Shape) -> PretrainedEncoderLayer:
        self.installed(shape.at)
        return PretrainedEncoderLayer(self, shape)


class Trained(nn.ParameterDict):
    """Layers of the language model that learn, at a share of the learning rate."""

    def __init__(self, first: int, rate: float):
        own = {name: tensor for i in range(first, LAYERS) for name, tensor in of_layer(i).items()}
        super().__init__({name: nn.Parameter(tensor.clone()) for name, tensor in own.items()})
        self.rate = rate


class Pieces(nn.Module):
    """How words become pieces that a language model knows: of a title [CLS], the pieces of its words and [SEP]."""

    def words(self, catalogue: Batch) -> tuple[Tensor, Tensor]:
        """[CLS], the pieces of each title and [SEP], (item, length), and which places behind [CLS] hold a piece of a word."""
        ids, counts, starts = self.laid_out(catalogue)
        pieces = self.pieces[ids]  # (item, word, piece)
        number = torch.arange(pieces.shape[2], device=ids.device)
        last = self.length - 1  # [SEP] has a place at any rate; what does not fit goes to a place that is cut off
        places = (starts.unsqueeze(2) + number).where(number < counts.unsqueeze(2), self.length).clamp(max=self.length)
        places = places.where(places < last, self.length)
        row = torch.zeros(len(ids), self.length + 1, dtype=torch.long, device=ids.device)
        row = row.scatter(1, places.flatten(1), pieces.flatten(1))[:, :self.length]
        end = (counts.sum(dim=1, keepdim=True) + 1).clamp(max=last)
        there = torch.arange(self.length, device=ids.device)
        row = torch.where(there == end, SEP, torch.where(there == 0, CLS, row))
        return row, (there < end).expand(row.shape)[:, 1:]

    def laid_out(self, catalogue: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Of every word (item, word): its number, how many pieces it has, and the place of the first."""
        ids, mask = catalogue.histories[self.text][:, :, 0], catalogue.masks[self.text]
        counts = self.counts[ids] * mask
        return ids, counts, counts.cumsum(dim=1) - counts + 1

    def first_pieces(self, states: Tensor, starts: Tensor) -> Tensor:
        """Of a word the state of its first piece, as BERT tags words: (item, place, width) → (item, word, width)."""
        first = (starts - 1).clamp(max=states.shape[1] - 1).unsqueeze(2).expand(-1, -1, states.shape[2])
        return states.gather(1, first)


class PretrainedEncoderLayer(Pieces, TitlesLayer):
    """Adds `still` and `trained`, the language model's weights by name, and `project`. Keeps `words` by word: what its pieces
    count together."""

    def __init__(self, spec: PretrainedEncoder, shape: Shape):
        super().__init__(spec, shape)
        self.length, self.first = spec.length, LAYERS - spec.trained
        self.still = Still({name: tensor for name, tensor in weights().items()
                            if not name[0].isdigit() or int(name[0]) < self.first})
        self.trained = Trained(self.first, spec.rate)
        self.pool(spec)
        self.project = nn.Linear(spec.read_width(D), spec.item_width(shape.schema))
        said, (_, longest) = spec.spelled(shape.schema), spec.pieces(shape.schema)
        self.register_buffer("pieces", torch.tensor([[*each, *[PAD] * (longest - len(each))] for each in said]), persistent=False)
        self.register_buffer("counts", torch.tensor([len(each) for each in said]), persistent=False)

    def encoded(self, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        states, reads = kept(self.first, self.length).of(words)
        maps, visible = reads[:, None, None], words != PAD  # of layers that rest the row of [CLS] alone, one for all heads
        for i in range(self.first, LAYERS):
            states, maps = layer(self.trained, i, states, visible)
        return states, maps

    def pooled(self, states: Tensor, maps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """h ← W_p h + b_p; of [CLS] what it reads of words."""
        if self.pooling == "cls":
            maps = maps * F.pad(mask, (1, 0))[:, None, None, :]
        pooled, weights_of = super().pooled(states, maps, mask)
        return self.project(pooled), weights_of

    def by_word(self, catalogue: Batch, states: Tensor, weights_of: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of a word the state of its first piece, and the weights of all its pieces together."""
        _, counts, starts = self.laid_out(catalogue)
        sums = F.pad(weights_of.cumsum(dim=1), (1, 0))  # (item, how many places)
        ends = (starts - 1 + counts).clamp(max=sums.shape[1] - 1)
        shares = sums.gather(1, ends) - sums.gather(1, (starts - 1).clamp(max=sums.shape[1] - 1))
        there = catalogue.masks[self.text] & (starts < self.length - 1)
        return self.first_pieces(states, starts), (shares * there).clamp(min=0), there

    def as_read(self, word: int, name: str) -> str:
        """The pieces of a word as the language model reads them: «lu ##bas ##on»."""
        pieces = self.pieces[word, :int(self.counts[word])].tolist()
        return " ".join(vocabulary()[piece] for piece in pieces)
