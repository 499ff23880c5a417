"""Words: a pretrained language model as an exported file holds it, layer by layer, and its weights under the file's names."""
from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankzoo.components.representation.minilm import AT_ONCE, FFN, HEADS, LAYERS, PAD, PLACES, WORDS, D, weights
from rankzoo.components.representation.pretrained_encoder import Pieces, PretrainedEncoder, PretrainedEncoderLayer
from rankzoo.components.sequence.tokens import masked_softmax
from rankzoo.export.pytorch.items import PlainTitles
from rankzoo.shape import Shape
from rankzoo.signals import Batch, Sequence, Signal


class BertLayer(nn.Module):
    """One layer of BERT: x = LN(x + W_O A V), x = LN(x + W_2 gelu(W_1 x)), A = softmax(Q Kᵀ / √d): (title, place, width),
    visible (title, place) → the same shape."""

    def __init__(self, width: int, heads: int, ffn: int):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.out, self.norm_attention = nn.Linear(width, width), nn.LayerNorm(width, eps=1e-12)
        self.inner, self.outer = nn.Linear(width, ffn), nn.Linear(ffn, width)
        self.norm_ffn = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        q, k, v = self.apart(self.query(x)), self.apart(self.key(x)), self.apart(self.value(x))
        maps = masked_softmax(q @ k.transpose(2, 3) * self.scale, visible[:, None, None, :])
        x = self.norm_attention(x + self.out((maps @ v).transpose(1, 2).flatten(2)))
        return self.norm_ffn(x + self.outer(F.gelu(self.inner(x))))

    def apart(self, x: Tensor) -> Tensor:
        """Head by head: (title, place, width) → (title, head, place, width of a head)."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class Frozen(nn.Module):
    """The layers of the language model that do not learn, and the embeddings before them: pieces (title, place) → (title, place,
    width), in the half precision in which such states are kept while a model is trained."""

    def __init__(self, layers: int):
        super().__init__()
        self.words, self.places = nn.Embedding(WORDS, D), nn.Embedding(PLACES, D)
        self.kinds, self.norm = nn.Embedding(2, D), nn.LayerNorm(D, eps=1e-12)
        self.layer = nn.ModuleList(BertLayer(D, HEADS, FFN) for _ in range(layers))
        self.requires_grad_(False)

    @torch.no_grad()
    def forward(self, pieces: Tensor) -> Tensor:
        return torch.cat([self.some(part) for part in pieces.split(AT_ONCE)])

    def some(self, pieces: Tensor) -> Tensor:
        """Of some titles."""
        x = self.norm(self.words(pieces) + self.places.weight[:pieces.shape[1]] + self.kinds.weight[0])
        for layer in self.layer:
            x = layer(x, pieces != PAD)
        return x.half().float()


class PlainPretrainedEncoder(Pieces, PlainTitles):
    """ids → fields[name] (row, width); an item is what its title says, read by a language model that was trained on other texts:
    its weights stand in the weights' file."""

    def __init__(self, spec: PretrainedEncoder, shape: Shape, read: tuple[str, ...]):
        super().__init__(spec, shape, read)
        self.length = spec.length
        self.still = Frozen(LAYERS - spec.trained)
        self.trained = nn.ModuleList(BertLayer(D, HEADS, FFN) for _ in range(spec.trained))
        self.project = nn.Linear(spec.read_width(D), spec.item_width(shape.schema))
        many, most = spec.pieces(shape.schema)
        self.register_buffer("pieces", torch.zeros(many, most, dtype=torch.long))
        self.register_buffer("counts", torch.ones(many, dtype=torch.long))

    def forward(self, batch: Batch) -> Signal:
        words, mask = self.words(batch.catalogue)
        states = self.encoded(words)  # (item, 1 + place, width)
        items = self.project(self.pooled(states, mask))  # (item, width)
        fields = {name: self.table[self.keys.get(name, name)](batch.features[name]) for name in self.ids}  # (row, width) each
        fields |= {name: items[batch.features[name]] for name in self.named}
        fields |= self.numeric(batch)
        sequences = {name: Sequence(self.tokens(name, batch.histories[name], items), batch.masks[name]) for name in self.past}
        for name in self.hands:
            item, (_, _, starts) = batch.features[name], self.laid_out(batch.catalogue)
            there = batch.catalogue.masks[self.text] & (starts < self.length - 1)
            sequences[self.states] = Sequence(self.first_pieces(states[:, 1:], starts)[item], there[item])  # its own item's words
        for name, i in self.lists_items.items():
            past = self.first_pieces(states[:, 1:], self.laid_out(batch.catalogue)[2])[batch.histories[name][:, :, i]]
            sequences[f"{name}.{self.text}"] = Sequence(past.flatten(2), batch.masks[name])
        sequences |= {name: Sequence(items[batch.histories[of][:, :, i]], batch.masks[of])
                      for name, (of, i) in self.lone.items()}
        return Signal(fields=fields, sequences=sequences, aside=batch.features, catalogue=items)

    def encoded(self, words: Tensor) -> Tensor:
        """The states of [CLS], pieces and [SEP]: (item, place) → (item, place, width)."""
        states, visible = self.still(words), words != PAD
        for layer in self.trained:
            states = layer(states, visible)
        return states


def whole(layer: PretrainedEncoderLayer, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a representation whose tables stand apart, with the language model's and the pieces of every word."""
    found = {name: value for name, value in state.items() if not name.startswith("trained.")}
    found |= {"pieces": layer.pieces, "counts": layer.counts}
    for name, value in weights().items():
        i, apart, rest = name.partition("_")
        if not i.isdigit():
            found[f"still.{name.replace('norm_', 'norm.') if apart else f'{name}.weight'}"] = value
        elif int(i) < layer.first:
            found[f"still.layer.{i}.{named(rest)}"] = value
        else:
            found[f"trained.{int(i) - layer.first}.{named(rest)}"] = layer.trained[name]
    return found


def named(name: str) -> str:
    """«norm_ffn_weight» as a module has it: «norm_ffn.weight»."""
    module, _, kind = name.rpartition("_")
    return f"{module}.{kind}"
