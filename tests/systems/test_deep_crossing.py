"""Deep Crossing: the feature-crossing sheet, d, on the whole model."""
from __future__ import annotations

import torch

from rankzoo.components.towers.bare import Bare
from rankzoo.data.load import schema_of
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.trace import Trace
from tests.support import fill, logits, random_batch, randomised

SYSTEM = systems()["deep_crossing"]
SCHEMA = schema_of("ads")
BATCH = random_batch(SCHEMA, 32)


def test_parameters():
    """n·d + m·d for the ReLUs' biases + Σ (2·D·h + h + D) + D + 1, D = ten fields of 16 and four numbers."""
    d, rows = 10 * 16 + 4, sum(f.vocabulary for f in SCHEMA.categorical)
    units = sum(2 * d * h + h + d for h in (256, 128, 64))
    assert SYSTEM.blueprint.count(SCHEMA).parameters == rows * 16 + 10 * 16 + units + d + 1


def test_silent_units_leave_a_linear_model_of_the_embeddings():
    """W_1 = b_1 = 0: behind embeddings with a ReLU nothing is negative but the numbers, so the units only cut those off."""
    model = randomised(RankingModel(SYSTEM.blueprint, SCHEMA))
    linear = RankingModel(SYSTEM.blueprint.model_copy(update={"towers": Bare()}), SCHEMA)
    linear.representation.load_state_dict(model.representation.state_dict())
    linear.towers.head.load_state_dict(model.towers.head.state_dict())
    for unit in model.towers.deep["click"].unit:
        fill(unit.second, 0.0)
    positive = BATCH.map(lambda tensor: tensor.abs() if tensor.is_floating_point() else tensor)
    torch.testing.assert_close(logits(model, positive)["click"], logits(linear, positive)["click"])
    assert not torch.allclose(logits(model, BATCH)["click"], logits(linear, BATCH)["click"])


def test_every_unit_says_how_much_it_rewrites():
    trace = Trace()
    RankingModel(SYSTEM.blueprint, SCHEMA).eval()(BATCH, trace)
    ratios = [trace[f"towers.deep.click.unit.{i}.ratio"].values for i in range(3)]
    assert all(ratio.shape == (32,) and (ratio > 0).all() for ratio in ratios)
