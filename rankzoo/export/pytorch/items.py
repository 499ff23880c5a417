"""Items: representations that make an item of its attributes, its neighbours or its words, with a table for each field."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankzoo.components.representation.embeddings import Embeddings, listed_items
from rankzoo.components.representation.neighbours import Graph, Neighbours, listing, weighed
from rankzoo.components.representation.text_encoder import TextEncoder, Words
from rankzoo.components.representation.titles import Titles
from rankzoo.components.sequence.multi_head import MultiHead
from rankzoo.components.sequence.tokens import masked_softmax
from rankzoo.components.sequence.transformer import TransformerBlock
from rankzoo.export.pytorch.plain import PlainEmbeddings
from rankzoo.shape import Shape
from rankzoo.signals import Batch, Sequence, Signal


class PlainAttributes(PlainEmbeddings):
    """ids → fields[name] (row, width); an item is what is known of it, and in training some of that is hidden."""

    def __init__(self, spec: Embeddings, shape: Shape, read: tuple[str, ...]):
        super().__init__(spec, shape, read)
        self.unknown = spec.unknown

    def attribute(self, name: str, catalogue: Batch) -> Tensor:
        if name not in self.about:
            return catalogue.features[name].unsqueeze(1)
        table = self.table[self.about[name]]
        if name not in self.lists:
            return table(self.hidden(catalogue.features[name]))
        there = catalogue.masks[name].unsqueeze(2)  # (item, place, 1)
        words = table(self.hidden(catalogue.histories[name][:, :, 0])) * there
        return words.sum(dim=1) / there.sum(dim=1).clamp(min=1)

    def hidden(self, ids: Tensor) -> Tensor:
        """In training some ids become 0, so that the vector of what is unknown is learnt too."""
        if not (self.training and self.unknown):
            return ids
        return ids * (torch.rand(ids.shape) >= self.unknown)


class PlainNeighbours(Graph, PlainAttributes):
    """ids → fields[name] (row, width); an item is what is known of it and of its neighbours."""

    def __init__(self, spec: Neighbours, shape: Shape, read: tuple[str, ...]):
        super().__init__(spec, shape, read)
        widths, twice = spec.widths(shape.schema), 1 + (spec.aggregator != "gcn")
        self.listed, self.how, self.normalize = listing(shape.schema), spec.aggregator, spec.normalize
        self.samples, self.alone, self.sampling, self.weight = spec.samples, spec.alone, spec.sampling, weighed(shape.schema)
        self.layer = nn.ModuleList(nn.Linear(twice * into, out, bias=False)
                                   for into, out in zip(widths, widths[1:], strict=False))
        self.pool = nn.ModuleList(nn.Linear(into, into) for into in widths[:-1] if spec.aggregator == "pool")
        self.read = nn.ModuleList(nn.Linear(into, 4 * into) for into in widths[:-1] if spec.aggregator == "lstm")
        self.state = nn.ModuleList(nn.Linear(into, 4 * into, bias=False) for into in widths[:-1] if spec.aggregator == "lstm")


class PlainTitles(PlainEmbeddings):
    """ids → fields[name] (row, width); an item is what its title says."""

    def __init__(self, spec: Titles, shape: Shape, read: tuple[str, ...]):
        super().__init__(spec, shape, read)
        self.pooling, self.front, (self.text,) = spec.pooling, spec.front, self.attributes
        self.longest, self.states = spec.listed(shape.schema).length, shape.schema.catalogue.table(self.text)
        self.hands = self.named if self.states in read else ()
        self.lists_items = {name: i for name, i in listed_items(shape.schema).items() if f"{name}.{self.text}" in read}
        word, heads = spec.word_width(shape.schema), spec.self_heads
        self.again = MultiHead(word, heads, spec.self_width, bias=False, out=False) if heads else None
        if spec.pooling == "attention":
            self.map, self.ask = nn.Linear(spec.read_width(word), spec.space), nn.Linear(spec.space, 1, bias=False)

    def forward(self, batch: Batch) -> Signal:
        words, mask = self.words(batch.catalogue)
        states, _ = self.encoded(words, mask)  # (item, place, width), that of [CLS] first where there is one
        items = self.pooled(states, mask)  # (item, width)
        fields = {name: self.table[self.keys.get(name, name)](batch.features[name]) for name in self.ids}  # (row, width) each
        fields |= {name: items[batch.features[name]] for name in self.named}
        fields |= self.numeric(batch)
        sequences = {name: Sequence(self.tokens(name, batch.histories[name], items), batch.masks[name]) for name in self.past}
        for name in self.hands:
            item = batch.features[name]
            sequences[self.states] = Sequence(self.behind(states)[item], mask[item])  # the words of the row's own item
        for name, i in self.lists_items.items():
            past = self.behind(states)[batch.histories[name][:, :, i]]  # of past items: (row, position, place, width)
            sequences[f"{name}.{self.text}"] = Sequence(past.flatten(2), batch.masks[name])
        sequences |= {name: Sequence(items[batch.histories[of][:, :, i]], batch.masks[of])
                      for name, (of, i) in self.lone.items()}
        return Signal(fields=fields, sequences=sequences, aside=batch.features, catalogue=items)

    def words(self, catalogue: Batch) -> tuple[Tensor, Tensor]:
        """The embedded words of every item and which are there: (item, place, width), (item, place)."""
        ids, mask = catalogue.histories[self.text][:, :self.longest, 0], catalogue.masks[self.text][:, :self.longest]
        return self.table[self.about[self.text]](ids), mask

    def pooled(self, states: Tensor, mask: Tensor) -> Tensor:
        """One vector of every item, (item, width)."""
        if self.again is not None:
            states, _ = self.again(states, states, F.pad(mask, (self.front, 0), value=True))
        return self.one(states, mask)

    def one(self, states: Tensor, mask: Tensor) -> Tensor:
        """The states of a title as one, (item, width)."""
        if self.pooling == "cls":
            return states[:, 0]
        scores = self.ask(torch.tanh(self.map(self.behind(states)))).squeeze(2) if self.pooling == "attention" else mask.float()
        weights = masked_softmax(scores, mask)  # (item, place)
        return torch.bmm(weights.unsqueeze(1), self.behind(states)).squeeze(1)

    def behind(self, states: Tensor) -> Tensor:
        """The states of words, without that at [CLS]: (item, place, width)."""
        return states[:, 1:] if self.front else states


class PlainTextEncoder(Words, PlainTitles):
    """ids → fields[name] (row, width); an item is what its title says, read by a small transformer."""

    def __init__(self, spec: TextEncoder, shape: Shape, read: tuple[str, ...]):
        super().__init__(spec, shape, read)
        words, width = self.longest, spec.state_width(shape.schema)
        self.cls = nn.Parameter(spec.init * torch.randn(width))
        self.positions = nn.Parameter(0.02 * torch.randn(words + 1, width))
        self.block = nn.ModuleList(TransformerBlock(width, spec.heads, spec.ffn, spec.norm, spec.dropout)
                                   for _ in range(spec.layers))
        self.project = nn.Linear(spec.read_width(width), spec.project) if spec.project else None

    def pooled(self, states: Tensor, mask: Tensor) -> Tensor:
        pooled = super().pooled(states, mask)
        return pooled if self.project is None else self.project(pooled)


class PlainWordAttention(PlainTitles):
    """ids → fields[name] (row, width); an item is what its title says, whose words read each other."""

    def encoded(self, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """The states of the words, (item, place, width), and how much each reads in each other one."""
        return (words, None) if self.again is None else self.again(words, words, mask)

    def pooled(self, states: Tensor, mask: Tensor) -> Tensor:
        return self.one(states, mask)
