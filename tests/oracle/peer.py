"""DeepCTR-Torch as a second opinion: its columns and input for our schema and rows, and our weights copied into its models.

An independent library: where it has the same function as a model of ours, both must say the same number. It is asked with
the task «regression», so that it answers with logits. No test stands here.
"""
from __future__ import annotations

from threading import Thread
from types import ModuleType
from unittest import mock

import pytest
import torch
from torch import Tensor, nn

from rankzoo.components.interaction.linear import LinearLayer
from rankzoo.components.mlp import Mlp
from rankzoo.components.representation.embeddings import EmbeddingsLayer
from rankzoo.schema import Schema
from rankzoo.signals import Batch


def library() -> ModuleType:
    """The library, or a skip with its reason. On import it asks the package index for a newer version, in a thread: not here."""
    with mock.patch.object(Thread, "start"):
        return pytest.importorskip("deepctr_torch", reason="the independent library is not installed: pip install deepctr-torch")


def columns(schema: Schema, dim: int) -> list:
    """Its feature columns: categorical inputs, then past items as `hist_<field>` of one length column, then numbers."""
    library()
    from deepctr_torch.inputs import DenseFeat, SparseFeat, VarLenSparseFeat

    sparse = [SparseFeat(f.name, f.vocabulary, dim) for f in schema.inputs if f.kind == "categorical"]
    past = [VarLenSparseFeat(SparseFeat(f"hist_{f.name}", f.vocabulary, dim, embedding_name=f.table or f"{h.name}_{f.name}"),
                             h.length, length_name=f"length_{h.name}") for h in schema.histories for f in h.fields]
    return [*sparse, *past, *(DenseFeat(f.name, 1) for f in schema.inputs if f.kind == "numeric")]


def matrix(peer: nn.Module, batch: Batch) -> Tensor:
    """The one matrix (row, column) that its models read, every feature at the place that the model has given it."""
    values = {name: column.float().unsqueeze(1) for name, column in batch.features.items()}
    for h in batch.schema.histories:
        values |= {f"hist_{f.name}": batch.histories[h.name][:, :, i].float() for i, f in enumerate(h.fields)}
        values[f"length_{h.name}"] = batch.masks[h.name].sum(dim=1, keepdim=True).float()
    places = peer.feature_index  # name → (first column, column behind the last)
    x = torch.zeros(len(batch), max(stop for _, stop in places.values()))
    for name, (start, stop) in places.items():
        x[:, start:stop] = values[name]
    return x


@torch.no_grad()
def copy(ours: Tensor, theirs: Tensor) -> None:
    """Our numbers into its tensor, which must hold as many in the same order."""
    assert ours.numel() == theirs.numel(), (ours.shape, theirs.shape)
    theirs.copy_(ours.reshape(theirs.shape))


def copy_tables(ours: EmbeddingsLayer, peer: nn.Module) -> None:
    """Every embedding table, out of the matrix in which ours lie one below the other."""
    places = {name.replace(".", "_"): place for name, place in ours.places.items()}  # its names hold no dot
    for name, table in peer.embedding_dict.items():
        width, first = places[name]
        copy(ours.tables[str(width)][first:first + table.num_embeddings], table.weight)


def copy_mlp(ours: Mlp, theirs: nn.Module) -> None:
    """The linear layers of a multi-layer perceptron."""
    for mine, its in zip([layer for layer in ours if isinstance(layer, nn.Linear)], theirs.linears, strict=True):
        copy(mine.weight, its.weight)
        copy(mine.bias, its.bias)


def copy_linear(ours: LinearLayer, peer: nn.Module) -> None:
    """First-order weights and the bias (which its output layer holds) of a model with one task."""
    for name, start in zip(ours.fields, ours.offsets.tolist(), strict=True):
        table = peer.linear_model.embedding_dict[name].weight
        copy(ours.weights[start:start + len(table)], table)
    if ours.slopes is not None:
        copy(ours.slopes, peer.linear_model.weight)
    if ours.bias is not None:
        copy(ours.bias, peer.out.bias)


def answer(peer: nn.Module, batch: Batch) -> Tensor:
    """Its logits in eval mode: (row, task)."""
    with torch.no_grad():
        return peer.eval()(matrix(peer, batch))
