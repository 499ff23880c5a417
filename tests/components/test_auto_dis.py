"""Soft buckets (AutoDis): the formula by hand, its count, and that ids are embedded as ever."""
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.auto_dis import AutoDis, SoftBuckets
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.model import RankingModel
from rankzoo.schema import Schema
from rankzoo.trace import Trace
from tests.support import c0, flops, numel, random_batch, randomised, rich, trained_loss

SCHEMA = rich()  # two numbers, price and age
SPEC = AutoDis(dim=4, buckets=5, temperature=0.7)


def model_of(spec: AutoDis | Embeddings = SPEC, schema: Schema = SCHEMA) -> RankingModel:
    return randomised(RankingModel(Blueprint(representation=spec, tasks=(schema.tasks[0].name,)), schema))


def test_by_hand():
    """h = LeakyReLU(w s), z = W h + α h, p = softmax(z / τ), e = Σ p ME, number by number."""
    model, batch = model_of(), random_batch(SCHEMA)
    own = model.representation.buckets
    signal = model.representation(batch, Trace(on=False))
    for n, name in enumerate(("price", "age")):
        h = F.leaky_relu(batch.numbers[:, n:n + 1] * own.into[n])
        p = torch.softmax((h @ own.between[n].T + own.skip[n] * h) / 0.7, dim=1)
        torch.testing.assert_close(signal.fields[name], p @ own.vectors[n])


def test_shares():
    """They add to 1; a number at its mean lies equally in all buckets; a high temperature evens them out, a low one chooses."""
    layer = randomised(SoftBuckets(SPEC, 2))
    s = torch.tensor([[0.0, 2.0], [-3.0, 0.0], [1.5, -1.5]])
    shares = layer.shares(s)
    torch.testing.assert_close(shares.sum(dim=2), torch.ones(2, 3))
    assert torch.equal(shares[0, 0], torch.full((5,), 0.2)) and torch.equal(shares[1, 1], torch.full((5,), 0.2))
    layer.temperature = 1e6
    torch.testing.assert_close(layer.shares(s), torch.full((2, 3, 5), 0.2), atol=1e-4, rtol=0)
    layer.temperature = 1e-4
    assert (layer.shares(s)[0, 1:].max(dim=1).values > 0.999).all()


@pytest.mark.parametrize("buckets, dim", [(2, 1), (5, 4), (16, 8)])
def test_count(buckets, dim):
    """n·(B + B² + 1 + B·dim) for n numbers, beside the tables; FLOPs as torch counts them."""
    spec = AutoDis(dim=dim, buckets=buckets)
    model = model_of(spec)
    count = model.blueprint.count(SCHEMA)
    own = 2 * (buckets + buckets**2 + 1 + buckets * dim)
    assert count.within("representation.buckets").parameters == own == numel(model.representation.buckets)
    assert count.parameters == numel(model) and count.flops == flops(model, random_batch(SCHEMA))
    plain = Blueprint(representation=Embeddings(dim=dim), tasks=("click",)).count(SCHEMA)
    assert count.embedding == plain.embedding


def test_ids_are_embedded_as_ever():
    """With the same tables every field of ids, and every history, is that of plain embeddings; numbers get `dim` numbers."""
    ours, plain, batch = model_of(), model_of(Embeddings(dim=4)), random_batch(SCHEMA)
    plain.representation.tables.load_state_dict(ours.representation.tables.state_dict())
    mine, theirs = (model.representation(batch, Trace(on=False)) for model in (ours, plain))
    assert set(mine.fields) == set(theirs.fields)
    for name, vector in theirs.fields.items():
        assert mine.fields[name].shape == (8, 4)
        assert vector.shape == (8, 1) if name in ("price", "age") else torch.equal(mine.fields[name], vector)
    assert torch.equal(mine.sequences["past"].values, theirs.sequences["past"].values)


def test_a_number_moves_its_own_field_only():
    model, batch = model_of(), random_batch(SCHEMA)
    before = model.representation(batch, Trace(on=False)).fields
    batch.numbers[:, 0] += 1.0
    after = model.representation(batch, Trace(on=False)).fields
    assert [name for name in before if not torch.equal(before[name], after[name])] == ["price"]


def test_every_bucket_learns():
    model = model_of()
    trained_loss(model, random_batch(SCHEMA, 64)).backward()
    for parameter in model.representation.buckets.parameters():
        assert torch.isfinite(parameter.grad).all() and (parameter.grad != 0).any()
    assert (model.representation.buckets.vectors.grad.abs().sum(dim=2) > 0).all()


def test_data_without_numbers():
    """Nothing is built that would be idle, and drawing and counting know it."""
    schema = c0()
    model = model_of(SPEC, schema)
    assert model.representation.buckets is None and model.blueprint.count(schema).parameters == numel(model)
    assert not any(block.address == "representation.numbers" for block in model.blueprint.blocks(schema))
    drawn = {b.address: b for b in model_of().blueprint.blocks(SCHEMA)}["representation.numbers"]
    assert drawn.parameters == 2 * (5 + 25 + 1 + 20)
