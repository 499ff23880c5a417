"""Titles: what every encoder of items' texts shares, whatever makes the states of the words (PLM-NR; Wu et al., SIGIR 2021).

r_0 is the state at [CLS], where an encoder has one, r_m that of word m, and they become one vector:
attention  a_m = qᵀ tanh(V r_m + v), α = softmax(a) over the words that are there, h = Σ_m α_m r_m
average    h = Σ_m r_m / M          cls    h = r_0

Before that the states may read each other once more, r ← [A^k V_k r]_k without W_O, as one release of the authors' code has it.

A training encodes each title that a batch names, once, however many rows name it. The words' states of the candidate are handed
on as a sequence, for a task about words; those of past items as another, in which an item's words stand side by side.

Over 250 lines: what is counted of a title and what is computed of it stand beside each other.
"""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import linear_part, sum_part
from rankzoo.components.representation.embeddings import Embeddings, EmbeddingsLayer, handed, of_past
from rankzoo.components.sequence.multi_head import MultiHead, multi_head_parts
from rankzoo.components.sequence.tokens import masked_softmax
from rankzoo.components.slot import Width
from rankzoo.errors import ZooError, closest
from rankzoo.facts import Source
from rankzoo.schema import History, Schema
from rankzoo.shape import Count, Part, SequenceShape, Shape
from rankzoo.signals import Batch, Sequence, Signal
from rankzoo.trace import Trace


class Titles(Embeddings):
    """Embeddings whose items are their text. `text` names the list of words (empty: the first that the items have)."""

    text: Annotated[str, Field(max_length=200, title="List of words (empty: the first)")] = ""
    pooling: Annotated[Literal["attention", "average", "cls"], Field(title="Words become one vector by")] = "attention"
    space: Annotated[Width, Field(title="Width of the query space (attention)")] = 64
    self_heads: Annotated[int, Field(ge=0, le=32, title="Heads of a self-attention before pooling (0: none)")] = 0
    self_width: Annotated[int, Field(ge=1, le=1024, title="Width of such a head")] = 16

    front: ClassVar[int] = 1  # how many states stand in front of those of the words: that at [CLS], or none
    short: ClassVar = "text"
    keeps: ClassVar = ("table", "words")
    averages: ClassVar = False
    brings: ClassVar = ("self_heads",)  # none behind an encoder's layers; of a table of words all that reads
    source: ClassVar = Source("Wu et al.", 2021, "Empowering news recommendation with pre-trained language models", "SIGIR 2021",
                              "10.48550/arXiv.2104.07413")

    @abstractmethod
    def made(self) -> str:
        """What makes the states of the words, in a word or two on the diagram."""

    def pooling_rule(self) -> str:
        """The states r of the words as one vector, in LaTeX."""
        return {"attention": r"\sum_m \mathrm{softmax}_m\big(q^\top\tanh(V r_m+v)\big)\,r_m", "average": r"\frac{1}{M}\sum_m r_m",
                "cls": "r_0"}[self.pooling]

    def read_once_more(self, states: str) -> str:
        """Such states as they are pooled, in LaTeX."""
        return rf"\mathrm{{SelfAtt}}({states})" if self.self_heads else states

    def listed(self, schema: Schema) -> History:
        """The items' list of words."""
        lists = lists_of_words(schema)
        return next((each for each in lists if each.name == self.text), lists[0])

    def state_width(self, schema: Schema) -> int:
        """Width of a word's state, as the encoder leaves it."""
        return super().item_width(schema)

    def word_width(self, schema: Schema) -> int:
        """Width of a word as the self-attention before pooling finds it."""
        return self.state_width(schema)

    def read_width(self, state: int) -> int:
        """Width of what is pooled, of states so wide."""
        return self.self_heads * self.self_width or state

    def item_parts(self, schema: Schema) -> dict[str, int]:
        return {name: self.item_width(schema) for name in self.attributes(schema)}

    def after(self, shape: Shape) -> Shape:
        known = [each.name for each in lists_of_words(shape.schema)]
        if not known:
            raise ZooError("The items of these data have no list of words, such as a title.",
                           "Choose data with one, or set representation.kind to embeddings.", at=shape.at,
                           cure=("representation.kind", "embeddings"), comes="N × 0", needs="N × L")
        if self.text and self.text not in known:
            raise ZooError("An item has no list of words '{name}'.", closest(self.text, known) or "It has: {names}.",
                           at=f"{shape.at}.text", name=self.text, names=", ".join(known),
                           cure=(f"{shape.at}.text", ""), comes=f"{self.text}: N × 0", needs=f"{self.text}: N × L")
        after, catalogue = super().after(shape), shape.schema.catalogue
        if not any(shape.schema.named(f.name) for f in shape.schema.inputs):
            return after
        text, wide = self.listed(shape.schema), self.state_width(shape.schema)
        states = {f"{catalogue.name}.{text.name}": SequenceShape(text.length, {"state": wide})}
        states |= {f"{name}.{text.name}": SequenceShape(shape.schema.history(name).length, {"states": text.length * wide})
                   for name in handed(shape.schema)}
        return after.but(sequences={**after.sequences, **states},
                         origin={**after.origin, **dict.fromkeys(states, after.origin[catalogue.name])})

    def attributes(self, schema: Schema) -> tuple[str, ...]:
        return (self.listed(schema).name,) if lists_of_words(schema) else ()

    def count(self, shape: Shape) -> Count:
        parts, named = (super().count(shape) + Count(self.encoder_parts(shape.schema))).parts, self.named(shape)
        return Count(tuple(replace(part, named=named) if part.items else part for part in parts))

    def named(self, shape: Shape) -> int:
        """How many items a row can name, whose titles alone are read in training; 0 where a task chooses among all of them."""
        schema = shape.schema
        if any(schema.named(task.of) for task in shape.tasks):
            return 0
        past = sum(h.length for h in schema.histories for field in h.fields if schema.named(field.table))
        return past + sum(schema.named(feature.name) for feature in schema.categorical)

    def item_tables(self, schema: Schema) -> dict[str, dict[str, tuple]]:
        """The words' table, of which every place of a title takes a row."""
        return {table: {"output": read["inside"][0]} for table, read in super().item_tables(schema).items()}

    @abstractmethod
    def encoder_parts(self, schema: Schema) -> tuple[Part, ...]:
        """What makes vectors of words; its FLOPs are those of encoding every item once."""

    def pooling_parts(self, state: int, words: int) -> list[Part]:
        """Count of pooling the states of so many words; what stands in front of them is read once more with them."""
        weighed, width, read = self.pooling == "attention", self.read_width(state), self.front + words
        again = multi_head_parts("again", state, width, read, read, self.self_heads, bias=False, out=False)
        parts = [linear_part("map", width, self.space, times=words), linear_part("ask", self.space, 1, bias=False, times=words)]
        parts = [*(again if self.self_heads else ()), *(parts if weighed else ())]
        return parts + ([sum_part("pooled", words, width)] if self.pooling != "cls" else [])

    def once(self, parts: list[Part], schema: Schema) -> tuple[Part, ...]:
        """Parts of one title as those of all titles, which are encoded once."""
        return tuple(part.for_items(schema.catalogue.rows) for part in parts)

    def making(self, shape: Shape) -> tuple[str, tuple[int, ...], int]:
        pooled = "[CLS]" if self.pooling == "cls" else f"{self.pooling} pooling"
        return f"{self.made()} · {pooled}", (self.item_width(shape.schema),), Count(self.encoder_parts(shape.schema)).parameters

    def fitted(self, schema: Schema) -> tuple[Titles, tuple[str, ...]]:
        spec, gone = super().fitted(schema)
        if not self.text or self.text in [each.name for each in lists_of_words(schema)]:
            return spec, gone
        return spec.model_copy(update={"text": ""}), (*gone, self.text)


def lists_of_words(schema: Schema) -> tuple[History, ...]:
    """The lists of an item that do not name other items."""
    lists = schema.catalogue.schema.histories if schema.catalogue else ()
    return tuple(each for each in lists if not schema.named(each.fields[0].table))


class TitlesLayer(EmbeddingsLayer, ABC):
    """Adds to the parameters of Embeddings `again`, a self-attention, and where attention pools, `map` and `ask`. Keeps `words`
    (item, place), kind words: how much each word counts for its item's vector; for [CLS] what it reads in what reads words last,
    its heads' mean."""

    def __init__(self, spec: Titles, shape: Shape):
        super().__init__(spec, shape.schema)
        self.pooling, self.front, (self.text,) = spec.pooling, spec.front, self.attributes
        self.longest = spec.listed(shape.schema).length  # whatever is longer than the data say is padding
        self.whole = any(shape.schema.named(task.of) for task in shape.tasks)  # who chooses among all items reads them all

    def pool(self, spec: Titles) -> None:
        """Draw what reads the words, and what asks them, where attention pools them."""
        word, heads = spec.word_width(self.schema), spec.self_heads
        self.again = MultiHead(word, heads, spec.self_width, bias=False, out=False) if heads else None
        if spec.pooling == "attention":
            self.map, self.ask = nn.Linear(spec.read_width(word), spec.space), nn.Linear(spec.space, 1, bias=False)

    def forward(self, batch: Batch, trace: Trace) -> Signal:
        if self.training and not trace.on and not self.whole:
            batch = narrowed(batch)
        words, mask = self.words(batch.catalogue)
        states, maps = self.encoded(words, mask)
        items, weights = self.pooled(states, maps, mask)
        states, weights, mask = self.by_word(batch.catalogue, states[:, self.front:], weights, mask)
        trace.keep("words", "words", ("item", "place"), weights, mask=mask)
        signal = self.laid(batch, items, trace)
        return replace(signal, sequences={**signal.sequences, **self.candidates(batch, states, mask)})

    def items(self, catalogue: Batch) -> Tensor:
        words, mask = self.words(catalogue)
        return self.pooled(*self.encoded(words, mask), mask)[0]

    def words(self, catalogue: Batch) -> tuple[Tensor, Tensor]:
        """What is read of every item, (item, place, …), and which places are there, (item, place); here the words' vectors."""
        width, start = self.places[self.schema.catalogue.table(self.text)]
        ids, mask = catalogue.histories[self.text][:, :self.longest, 0], catalogue.masks[self.text][:, :self.longest]
        return self.look_up(width, ids + start), mask

    @abstractmethod
    def encoded(self, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """The states (item, front + place, width), and maps (item, head, query, key) of what reads words last, if anything."""

    def pooled(self, states: Tensor, maps: Tensor | None, mask: Tensor) -> tuple[Tensor, Tensor]:
        """One vector of every item, (item, width), and how much each word counts for it, (item, place)."""
        if self.again is not None:
            states, maps = self.again(states, states, F.pad(mask, (self.front, 0), value=True))
        return self.one(states, maps, mask)

    def one(self, states: Tensor, maps: Tensor | None, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The same of states that nothing reads once more."""
        if self.pooling == "cls":
            read = maps.mean(dim=1)[:, 0, 1:]
            return states[:, 0], read / read.sum(dim=1, keepdim=True).clamp(min=1e-12)
        states = states[:, self.front:]
        scores = self.ask(torch.tanh(self.map(states))).squeeze(2) if self.pooling == "attention" else mask.float()
        weights = masked_softmax(scores, mask)
        return torch.bmm(weights.to(states.dtype).unsqueeze(1), states).squeeze(1), weights

    def by_word(self, catalogue: Batch, states: Tensor, weights: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """States, weights and mask of the words as the data have them, where what is encoded are parts of words."""
        return states, weights, mask

    def alike(self, catalogue: Batch) -> Tensor:
        """What each word counts where all that is read of a title counts alike: (item, place)."""
        _, mask = self.words(catalogue)
        weights = mask / mask.sum(dim=1, keepdim=True).clamp(min=1)
        return self.by_word(catalogue, weights.unsqueeze(2), weights, mask)[1]

    def as_read(self, word: int, name: str) -> str:
        """A word as the encoder reads it."""
        return name

    def candidates(self, batch: Batch, states: Tensor, mask: Tensor) -> Mapping[str, Sequence]:
        """The words' states of the row's own item as a sequence, and of past items, looked up only where something reads them."""
        catalogue = self.schema.catalogue.name
        if not any(self.schema.named(f.name) for f in self.schema.inputs):
            return {}
        past = {f"{name}.{self.text}": Sequence(partial(_titles, states, batch.histories[name][:, :, column]), batch.masks[name])
                for name, column in handed(self.schema).items()}
        return past | {f"{catalogue}.{self.text}": Sequence(partial(_states, states, batch.features[catalogue]),
                                                           mask.index_select(0, batch.features[catalogue]))}


def _states(states: Tensor, item: Tensor, places: Tensor) -> Tensor:
    """States (item, place, width) of the rows' items (row,) at places numbered through all rows: (word,) → (word, width)."""
    length = states.shape[1]
    return states.flatten(0, 1).index_select(0, item.index_select(0, places // length) * length + places % length)


def _titles(states: Tensor, past: Tensor, places: Tensor) -> Tensor:
    """States (item, place, width) of past items (row, position) at positions numbered through all rows: (item,) → (item, place ·
    width)."""
    return of_past(states.flatten(1), past, places)


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
    now = torch.where(used, torch.cumsum(used, 0) - 1, 0)  # what stands in padding is never read
    ids, histories = batch.ids.clone(), {name: values.clone() for name, values in batch.histories.items()}
    ids[:, columns] = now[ids[:, columns]]
    for name, places in fields.items():
        histories[name][:, :, places] = now[histories[name][:, :, places]]
    return replace(batch, ids=ids, histories=histories, catalogue=batch.catalogue.take(used.nonzero().squeeze(1)))
