"""DCN: the feature-crossing sheet, e, on the whole model."""
from __future__ import annotations

import torch

from rankzoo.data.load import schema_of
from rankzoo.inspection.crosses import block_norms
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.trace import Trace
from rankzoo.training.watch import watched
from tests.support import random_batch, randomised

SYSTEM, SCHEMA = systems()["dcn"], schema_of("ads")


def test_parameters():
    """n·d + 2·3·D + MLP(D; 256, 128, 64) + (D + 64) + 1, with D = ten fields of 16 and four numbers."""
    d, rows = 10 * 16 + 4, sum(f.vocabulary for f in SCHEMA.categorical)
    deep = d * 256 + 256 + 256 * 128 + 128 + 128 * 64 + 64
    assert SYSTEM.blueprint.count(SCHEMA).parameters == rows * 16 + 2 * 3 * d + deep + (d + 64) + 1


def test_it_costs_a_hundredth_of_the_second_version():
    """2·D a layer against D² + D: what one weight vector saves, and what it cannot say."""
    first, second = (systems()[name].blueprint.count(SCHEMA).within("interaction").parameters for name in ("dcn", "dcn_v2"))
    assert first == 3 * 2 * 164 and second == 3 * (164 * 164 + 164) and first < second / 80


def test_crosses_have_no_direction_of_their_own():
    """The head's cross vector is α x_0 as long as the biases are at their start, 0, whatever the weights."""
    model, batch = randomised(RankingModel(SYSTEM.blueprint, SCHEMA)), random_batch(SCHEMA)
    for layer in model.interaction[0].layer:
        layer.b.data.zero_()
    signal = model.representation(batch, Trace(on=False))
    x0 = torch.cat(list(signal.fields.values()), dim=1)
    crossed = model.interaction[0](signal, Trace(on=False)).head["interaction.0"]
    torch.testing.assert_close(torch.cosine_similarity(crossed, x0, dim=1).abs(), torch.ones(8), rtol=0, atol=1e-5)


def test_a_pair_has_no_strength_of_its_own(ads):
    """The map of 1wᵀ: a pair is as strong as its two fields are, ‖W_ab‖ + ‖W_ba‖ = √n_a‖w_b‖ + √n_b‖w_a‖."""
    model = randomised(RankingModel(SYSTEM.blueprint, SCHEMA))
    subject = Subject.of(model, ads, "test", 64)
    sizes = {f.name: 16 if f.kind == "categorical" else 1 for f in SCHEMA.inputs}
    parts = model.interaction[0].layer[0].w.detach().split(list(sizes.values()))
    weight = {name: float(part.norm()) for name, part in zip(sizes, parts, strict=True)}
    found = block_norms(subject)
    assert len(found) == 14 * 13 // 2
    for pair, strength in found.items():
        a, b = pair
        assert abs(strength - (sizes[a]**0.5 * weight[b] + sizes[b]**0.5 * weight[a])) < 1e-4 * strength
    assert watched(model, ads.part("validation", 64))["cross.interaction.0.layer.0.block"] > 1
