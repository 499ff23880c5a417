"""BST against Torch-RecHub 0.9.0 with the same weights: logits agree within 1e-5.

Its BST reads the candidate's output of torch's own encoder, with a learned vector per place that is added, and joins it with
the candidate and the other features. Its deep network has batch norms, so it is left out on both sides.
"""
from __future__ import annotations

import pytest
import torch
from torch import nn

from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence.transformer import Transformer, TransformerLayer
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.model import RankingModel
from tests.oracle import peer
from tests.oracle.test_deepctr_sequence import DIM, SCHEMA
from tests.support import logits, random_batch, randomised

FFN = 2048  # torch's default, which the library leaves


def ours(blocks: int) -> RankingModel:
    spec = Transformer(blocks=blocks, heads=2, ffn=FFN, read="target", positions="learned")
    blueprint = Blueprint(representation=Embeddings(dim=DIM), sequence=(spec,), towers=MlpTower(widths=()), tasks=("click",),
                          concatenation=Join(fields=("past", "candidate", "user")))
    return randomised(RankingModel(blueprint, SCHEMA))


def theirs(model: RankingModel, blocks: int) -> nn.Module:
    """The library's BST with our weights."""
    reason = "the independent library is not installed: pip install --no-deps torch-rechub==0.9.0"
    library = pytest.importorskip("torch_rechub.models.ranking.bst", reason=reason)
    from torch_rechub.basic.features import SequenceFeature, SparseFeature

    vocabulary = {f.name: f.vocabulary for f in SCHEMA.categorical}
    past = [SequenceFeature(f"hist_{n}", vocabulary[n], DIM, "concat", shared_with=n, padding_idx=0) for n in ("item", "topic")]
    candidate = [SparseFeature(name, vocabulary[name], DIM) for name in ("item", "topic")]
    made = library.BST([SparseFeature("user", vocabulary["user"], DIM)], past, candidate, {"dims": []}, nhead=2, dropout=0.0,
                       num_layers=blocks, max_seq_len=7)
    for name, table in made.embedding.embed_dict.items():
        width, first = model.representation.places[name]
        peer.copy(model.representation.tables[str(width)][first:first + vocabulary[name]], table.weight)
    layer, head = model.sequence[0], model.towers.head["click"]
    peer.copy(layer.positions, made.pos_embedding.weight)
    copy_blocks(layer, made.transformer_layers.layers)
    peer.copy(head.weight, made.mlp.mlp[0].weight)
    peer.copy(head.bias, made.mlp.mlp[0].bias)
    return made.eval()


def copy_blocks(layer: TransformerLayer, encoders: nn.ModuleList) -> None:
    """Our blocks into torch's encoder layers."""
    for block, encoder in zip(layer.block, encoders, strict=True):
        own = block.attention
        peer.copy(torch.cat([own.query.weight, own.key.weight, own.value.weight]), encoder.self_attn.in_proj_weight)
        peer.copy(torch.cat([own.query.bias, own.key.bias, own.value.bias]), encoder.self_attn.in_proj_bias)
        for mine, its in ((own.out, encoder.self_attn.out_proj), (block.inner, encoder.linear1), (block.outer, encoder.linear2),
                          (block.norm_attention, encoder.norm1), (block.norm_ffn, encoder.norm2)):
            its.load_state_dict(mine.state_dict())


@pytest.mark.parametrize("blocks", [1, 2])
def test_bst(blocks):
    """Histories of none to all six items."""
    model, batch = ours(blocks), random_batch(SCHEMA, 64)
    its = {f"hist_{f.name}": batch.histories["past"][:, :, i] for i, f in enumerate(SCHEMA.histories[0].fields)}
    with torch.no_grad():
        other = torch.logit(theirs(model, blocks).double()({**batch.features, **its}))
    found = logits(model.double(), batch)["click"]
    assert float(found.std()) > 0.1
    torch.testing.assert_close(found, other, rtol=0, atol=1e-5)
