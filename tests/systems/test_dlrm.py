"""DLRM: the feature-crossing sheet, j, on the whole model and on planted pairs."""
from __future__ import annotations

from dataclasses import replace

import torch

from rankzoo.data.load import schema_of
from rankzoo.inspection.crosses import block_norms
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.fit import Fit
from tests.support import logits, random_batch, randomised, small

SYSTEM = systems()["dlrm"]
SCHEMA = schema_of("ads")
BATCH = random_batch(SCHEMA, 32)


def test_parameters():
    """n·d + MLP(4; 64; 16) + MLP(16 + 55; 256, 128, 64; 1): ten fields and z make 55 dots."""
    bottom = 4 * 64 + 64 + 64 * 16 + 16
    top = 71 * 256 + 256 + 256 * 128 + 128 + 128 * 64 + 64 + 64 + 1
    rows = sum(f.vocabulary for f in SCHEMA.categorical)
    assert SYSTEM.blueprint.count(SCHEMA).parameters == rows * 16 + bottom + top


def test_the_top_network_reads_dots_alone():
    """Rotate every embedding and z by one matrix: the dots stay, so with z kept from the top network the logits do too. They
    would move if the embeddings themselves went on."""
    model = randomised(RankingModel(SYSTEM.blueprint, SCHEMA)).double()
    batch = replace(BATCH, numbers=torch.zeros_like(BATCH.numbers).double())
    for parameter in model.representation.bottom.parameters():
        parameter.data.zero_()  # z = 0 is 0 however it is rotated
    before = logits(model, batch)["click"]
    rotation, _ = torch.linalg.qr(torch.randn(16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    model.representation.tables["16"].data.copy_(model.representation.tables["16"].data @ rotation)
    torch.testing.assert_close(logits(model, batch)["click"], before)
    model.representation.tables["16"].data[:, 0] += 1.0
    assert not torch.allclose(logits(model, batch)["click"], before)


def test_numbers_reach_the_logit_through_the_bottom_network_alone():
    """With silent last weights below, z is 0 and no number moves a logit; with their own weights each does."""
    model = randomised(RankingModel(SYSTEM.blueprint, SCHEMA))
    moved = replace(BATCH, numbers=BATCH.numbers + 1)
    assert not torch.allclose(logits(model, moved)["click"], logits(model, BATCH)["click"])
    for parameter in model.representation.bottom[2].parameters():
        parameter.data.zero_()
    assert torch.equal(logits(model, moved)["click"], logits(model, BATCH)["click"])


def test_the_map_of_the_dots_finds_the_planted_pairs():
    """After 500 steps the five pairs whose dots spread most are the five that were planted; before, they are not."""
    dataset = small("ads", 60_000)
    settings = SYSTEM.settings.model_copy(update={"steps": 500, "epochs": 20, "patience": 0})
    fit = Fit(RankingModel(SYSTEM.blueprint, dataset.schema), dataset, settings, watching=False)
    planted = {frozenset((pair.a, pair.b)) for pair in dataset.truth.pairs}
    assert strongest(fit.model, dataset) != planted
    assert sum(1 for _ in fit) == 500
    assert strongest(fit.model, dataset) == planted


def strongest(model: RankingModel, dataset) -> set[frozenset[str]]:
    """The five pairs of inputs with the widest spread; z, the field of all numbers, is no input."""
    spread = block_norms(Subject.of(model, dataset, "validation"))
    inputs = {f.name for f in dataset.schema.inputs}
    ranked = sorted((pair for pair in spread if pair <= inputs), key=lambda pair: -spread[pair])
    assert len(ranked) == 45
    return set(ranked[:5])
