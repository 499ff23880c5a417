"""DNN: the feature-crossing sheet, b, on the whole model."""
from __future__ import annotations

import pytest
import torch

from rankzoo.bench import SPREAD, blueprint_of
from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.load import schema_of
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from tests.support import copied, logits, random_batch, randomised, small, trained_loss

SYSTEM = systems()["dnn"]
SCHEMA = schema_of("ads")
BATCH = random_batch(SCHEMA, 32)


def test_parameters():
    """n·d + MLP(D; 256, 128, 64; 1), D = ten fields of 16 and four numbers."""
    d, rows = 10 * 16 + 4, sum(f.vocabulary for f in SCHEMA.categorical)
    deep = d * 256 + 256 + 256 * 128 + 128 + 128 * 64 + 64 + 64 + 1
    assert SYSTEM.blueprint.count(SCHEMA).parameters == rows * 16 + deep


def test_only_the_rows_that_are_looked_up_matter():
    """Other rows may hold anything and get no gradient: the output depends on a row's ids through their vectors alone."""
    model = randomised(RankingModel(SYSTEM.blueprint, SCHEMA))
    before, table = logits(model, BATCH)["click"], model.representation.tables["16"]
    trained_loss(model, BATCH).backward()
    places = [model.representation.places[f.name][1] for f in SCHEMA.categorical]
    seen = torch.zeros(len(table), dtype=torch.bool)
    seen[(BATCH.ids + torch.tensor(places)).reshape(-1)] = True
    assert (table.grad.to_dense()[~seen] == 0).all() and not seen.all()
    table.data[~seen] += 100.0
    assert torch.equal(logits(model, BATCH)["click"], before)


def test_fields_and_columns_permuted_together_change_nothing():
    """Fields joined in another order with the matching columns of the first matrix: every logit as before."""
    model = randomised(RankingModel(SYSTEM.blueprint, SCHEMA)).double()
    names = [f.name for f in SCHEMA.inputs]
    order = tuple(reversed(names))
    other = RankingModel(SYSTEM.blueprint.model_copy(update={"concatenation": Join(fields=order)}), SCHEMA).double()
    copied(model, other)
    assert not torch.allclose(logits(other, BATCH)["click"], logits(model, BATCH)["click"])
    widths = [16 if f.kind == "categorical" else 1 for f in SCHEMA.inputs]
    columns = dict(zip(names, torch.arange(sum(widths)).split(widths), strict=True))
    first = other.towers.deep["click"][0].weight
    first.data.copy_(first.data[:, torch.cat([columns[name] for name in order])])
    torch.testing.assert_close(logits(other, BATCH)["click"], logits(model, BATCH)["click"])


@pytest.mark.parametrize("data", ["ads", "feed"])
def test_bench_measures_embeddings_and_a_network_and_nothing_else(data):
    """In the sizes asked for, on any table and all of its tasks."""
    dataset = small(data, 500)
    tasks = tuple(task.name for task in dataset.schema.tasks)
    plain = Blueprint(representation=Embeddings(dim=8, init=SPREAD), towers=MlpTower(widths=(16, 4)), tasks=tasks)
    assert blueprint_of("dnn", dataset, 8, (16, 4)) == plain


def test_starting_logits_are_small():
    """Embeddings start at a spread of 0.05: drawn from N(0, 1), as torch would, the logits of many fields explode."""
    assert logits(RankingModel(SYSTEM.blueprint, SCHEMA), BATCH)["click"].abs().max() < 0.5
