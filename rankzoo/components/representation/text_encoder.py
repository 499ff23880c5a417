"""Text encoder: an item is what its title says (PLM-NR; Wu et al., SIGIR 2021, with a small encoder of ours for BERT).

x_0 = [cls; E(w_1); …; E(w_M)] + P, then `layers` transformer blocks; r_0 is the state at [CLS], r_m that of word m.
attention  a_m = qᵀ tanh(V r_m + v), α = softmax(a) over the words that are there, h = Σ_m α_m r_m
average    h = Σ_m r_m / M          cls    h = r_0

Nothing belongs to an item: news that came out a minute ago has a vector. A server encodes every title once, when the item comes
out; a training encodes each title that a batch names, once, however many rows name it. The words' states of the candidate are
handed on as a sequence, for a task about words. Pitfalls avoided: padding neither asks nor answers nor is pooled.
"""
from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import linear_part
from rankzoo.components.representation.embeddings import Embeddings, EmbeddingsLayer
from rankzoo.components.sequence.multi_head import head_width
from rankzoo.components.sequence.tokens import masked_softmax
from rankzoo.components.sequence.transformer import TransformerBlock, block_parts
from rankzoo.components.slot import Width
from rankzoo.errors import ZooError, closest
from rankzoo.facts import Source
from rankzoo.schema import Block, Count, History, Part, Schema, SequenceShape, Shape
from rankzoo.signals import Batch, Sequence, Signal
from rankzoo.trace import Trace


class TextEncoder(Embeddings):
    """Embeddings whose items are their text; `dim` (or the size given for the text) is the width of a word's state. `text` names
    the list of words (empty: the first that the items have)."""

    kind: Literal["text_encoder"] = "text_encoder"
    text: Annotated[str, Field(max_length=200, title="List of words (empty: the first)")] = ""
    dim: Annotated[Width, Field(title="Width of a word's state")] = 64
    layers: Annotated[int, Field(ge=1, le=12, title="Layers")] = 2
    heads: Annotated[int, Field(ge=1, le=16, title="Heads")] = 4
    ffn: Annotated[Width, Field(title="Width of the feed-forward network")] = 128
    norm: Annotated[Literal["post", "pre"], Field(title="Layer norm after or before")] = "pre"
    pooling: Annotated[Literal["attention", "average", "cls"], Field(title="Words become one vector by")] = "attention"
    space: Annotated[Width, Field(title="Width of the query space (attention)")] = 64
    dropout: Annotated[float, Field(ge=0, lt=1, title="Dropout")] = 0.0

    main: ClassVar = ("dim", "layers", "pooling")
    short: ClassVar = "text"
    keeps: ClassVar = ("table", "words")
    title: ClassVar = "Text encoder"
    sentence: ClassVar = "A small transformer reads an item's title: a new item has a vector at once."
    formula: ClassVar = r"h=\sum_m \mathrm{softmax}_m\big(q^\top\tanh(V r_m+v)\big)\,r_m,\quad r=\mathrm{Enc}(w_1 \dots w_M)"
    source: ClassVar = Source("Wu et al.", 2021, "Empowering news recommendation with pre-trained language models", "SIGIR 2021",
                              "10.48550/arXiv.2104.07413")

    def word(self) -> str:
        return f"text ×{self.layers}"

    def listed(self, schema: Schema) -> History:
        """The items' list of words."""
        lists = lists_of_words(schema)
        return next((each for each in lists if each.name == self.text), lists[0])

    def after(self, shape: Shape) -> Shape:
        known = [each.name for each in lists_of_words(shape.schema)]
        if not known:
            raise ZooError("The items of these data have no list of words, such as a title.",
                           "Choose data with one, or set representation.kind to embeddings.", at=shape.at)
        if self.text and self.text not in known:
            raise ZooError("An item has no list of words '{name}'.", closest(self.text, known) or "It has: {names}.",
                           at=f"{shape.at}.text", name=self.text, names=", ".join(known))
        head_width(self.heads, self.item_width(shape.schema), shape.at)
        after, catalogue = super().after(shape), shape.schema.catalogue
        if not any(shape.schema.named(f.name) for f in shape.schema.inputs):
            return after
        words = f"{catalogue.name}.{self.listed(shape.schema).name}"
        states = SequenceShape(self.listed(shape.schema).length, {"state": after.catalogue})
        return after.but(sequences={**after.sequences, words: states},
                         origin={**after.origin, words: after.origin[catalogue.name]})

    def attributes(self, schema: Schema) -> tuple[str, ...]:
        return (self.listed(schema).name,) if lists_of_words(schema) else ()

    def count(self, shape: Shape) -> Count:
        return super().count(shape) + Count(self.encoder_parts(shape.schema))

    def encoder_parts(self, schema: Schema) -> tuple[Part, ...]:
        """[CLS], positions, blocks and pooling; their FLOPs are those of encoding every item once."""
        words, d, items = self.listed(schema).length, self.item_width(schema), schema.catalogue.rows
        parts = [Part("cls", d, 0, (), f"{d:,}"), Part("positions", (words + 1) * d, 0, (), f"{words + 1} × {d:,}")]
        for i in range(self.layers):
            parts += block_parts(f"block.{i}", d, self.ffn, self.heads, words + 1)
        if self.pooling == "attention":
            parts += [linear_part("map", d, self.space, times=words), linear_part("ask", self.space, 1, bias=False, times=words)]
        parts += [Part("pooled", 0, 2 * words * d)] if self.pooling != "cls" else []
        return tuple(Part(part.path, part.parameters, 0, (), part.working, once=part.flops * items) for part in parts)

    def drawn_items(self, shape: Shape) -> Block:
        block = super().drawn_items(shape)
        own = sum(part.parameters for part in self.encoder_parts(shape.schema))
        return replace(block, detail="a small encoder of ours", parameters=block.parameters + own)

    def build(self, shape: Shape) -> TextEncoderLayer:
        return TextEncoderLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[TextEncoder, tuple[str, ...]]:
        spec, gone = super().fitted(schema)
        if not self.text or self.text in [each.name for each in lists_of_words(schema)]:
            return spec, gone
        return spec.model_copy(update={"text": ""}), (*gone, self.text)


def lists_of_words(schema: Schema) -> tuple[History, ...]:
    """The lists of an item that do not name other items."""
    lists = schema.catalogue.schema.histories if schema.catalogue else ()
    return tuple(each for each in lists if not schema.named(each.fields[0].table))


class TextEncoderLayer(EmbeddingsLayer):
    """Adds to the parameters of Embeddings `cls` (width,), `positions` (place, width), `block.<i>` and, where attention pools,
    `map` and `ask`. Keeps `words` (item, place), kind words: how much each word counts for its item's vector; for [CLS] what it
    reads in the last block, its heads' mean."""

    def __init__(self, spec: TextEncoder, shape: Shape):
        super().__init__(spec, shape.schema)
        self.pooling, (self.text,) = spec.pooling, self.attributes
        self.whole = any(shape.schema.named(task.of) for task in shape.tasks)  # who chooses among all items reads them all
        words, width = spec.listed(shape.schema).length, spec.item_width(shape.schema)
        self.cls = nn.Parameter(spec.init * torch.randn(width))
        self.positions = nn.Parameter(0.02 * torch.randn(words + 1, width))
        self.block = nn.ModuleList(TransformerBlock(width, spec.heads, spec.ffn, spec.norm, spec.dropout)
                                   for _ in range(spec.layers))
        if self.pooling == "attention":
            self.map, self.ask = nn.Linear(width, spec.space), nn.Linear(spec.space, 1, bias=False)

    def forward(self, batch: Batch, trace: Trace) -> Signal:
        if self.training and not trace.on and not self.whole:
            batch = narrowed(batch)
        words, mask = self.words(batch.catalogue)
        states, maps = self.encoded(words, mask)
        items, weights = self.pooled(states, maps, mask)
        trace.keep("words", "words", ("item", "place"), weights, mask=mask)
        signal = self.laid(batch, items, trace)
        return replace(signal, sequences={**signal.sequences, **self.candidates(batch, states[:, 1:], mask)})

    def items(self, catalogue: Batch) -> Tensor:
        words, mask = self.words(catalogue)
        return self.pooled(*self.encoded(words, mask), mask)[0]

    def words(self, catalogue: Batch) -> tuple[Tensor, Tensor]:
        """The embedded words of every item and which are there: (item, place, width), (item, place)."""
        width, start = self.places[self.schema.catalogue.table(self.text)]
        length = len(self.positions) - 1  # whatever is longer than the data say is padding
        ids, mask = catalogue.histories[self.text][:, :length, 0], catalogue.masks[self.text][:, :length]
        return self.look_up(width, ids + start), mask

    def encoded(self, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(item, place, width) → the states (item, 1 + place, width), that of [CLS] first, and the last block's maps."""
        visible = torch.cat([mask.new_ones(len(mask), 1), mask], dim=1)
        x = torch.cat([self.cls.expand(len(words), 1, -1), words], dim=1) + self.positions[:words.shape[1] + 1]
        x = x * visible.unsqueeze(2)
        for block in self.block:
            x, maps = block(x, visible)
        return x, maps

    def pooled(self, states: Tensor, maps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """One vector of every item, (item, width), and how much each word counts for it, (item, place)."""
        if self.pooling == "cls":
            read = maps.mean(dim=1)[:, 0, 1:]
            return states[:, 0], read / read.sum(dim=1, keepdim=True).clamp(min=1e-12)
        scores = self.ask(torch.tanh(self.map(states[:, 1:]))).squeeze(2) if self.pooling == "attention" else mask.float()
        weights = masked_softmax(scores, mask)
        return torch.bmm(weights.to(states.dtype).unsqueeze(1), states[:, 1:]).squeeze(1), weights

    def candidates(self, batch: Batch, states: Tensor, mask: Tensor) -> dict[str, Sequence]:
        """The words' states of the row's own item as a sequence, looked up only where something reads them."""
        catalogue = self.schema.catalogue.name
        if not any(self.schema.named(f.name) for f in self.schema.inputs):
            return {}
        return {f"{catalogue}.{self.text}": Sequence(partial(_states, states, batch.features[catalogue]),
                                                    mask.index_select(0, batch.features[catalogue]))}


def _states(states: Tensor, item: Tensor, places: Tensor) -> Tensor:
    """States (item, place, width) of the rows' items (row,) at places numbered through all rows: (word,) → (word, width)."""
    length = states.shape[1]
    return states.flatten(0, 1).index_select(0, item.index_select(0, places // length) * length + places % length)


def narrowed(batch: Batch) -> Batch:
    """The same rows with a catalogue that holds only what they name, and the unknown item: each title is encoded once."""
    schema = batch.schema
    columns = [i for i, f in enumerate(schema.categorical) if schema.named(f.name)]
    fields = {h.name: [i for i, f in enumerate(h.fields) if schema.named(f.table)] for h in schema.histories}
    used = torch.zeros(len(batch.catalogue), dtype=torch.bool, device=batch.ids.device)
    used[0] = True
    used[batch.ids[:, columns]] = True
    for name, places in fields.items():
        used[batch.histories[name][:, :, places][batch.masks[name]]] = True
    now = torch.cumsum(used, 0) - 1
    now = torch.where(used, now, 0)  # what stands in padding is never read
    ids, histories = batch.ids.clone(), {name: values.clone() for name, values in batch.histories.items()}
    ids[:, columns] = now[ids[:, columns]]
    for name, places in fields.items():
        histories[name][:, :, places] = now[histories[name][:, :, places]]
    return replace(batch, ids=ids, histories=histories, catalogue=batch.catalogue.take(used.nonzero().squeeze(1)))
