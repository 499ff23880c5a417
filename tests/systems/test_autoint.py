"""AutoInt on the whole model, and what its attention may be called."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from rankzoo.components.interaction.self_attention import SelfAttention
from rankzoo.data.load import schema_of
from rankzoo.inspection.crosses import block_norms, meaning
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import auc
from tests.support import random_batch, small

SYSTEM = systems()["autoint"]
SCHEMA = schema_of("ads")


@pytest.mark.parametrize("layers", [1, 3])
def test_parameters(layers):
    """(n + 4)·16 + 4·16·32 + 4·32·32 a further layer + 14·32 + 1: numbers are fields with one row each, no deep part."""
    spec = SYSTEM.blueprint.interaction[0].model_copy(update={"layers": layers})
    blueprint = SYSTEM.blueprint.model_copy(update={"interaction": (spec,)})
    rows = sum(f.vocabulary for f in SCHEMA.categorical)
    expected = (rows + 4) * 16 + 4 * 16 * 32 + (layers - 1) * 4 * 32 * 32 + 14 * 32 + 1
    assert blueprint.count(SCHEMA).parameters == expected


def test_small_embeddings_start_with_a_flat_softmax():
    """Why the tables start at a spread of 0.2: at 0.05 every field reads all others alike. Scores grow with the square."""
    sharpness = {}
    for init in (0.05, 0.2):
        representation, trace = SYSTEM.blueprint.representation.model_copy(update={"init": init}), Trace()
        blueprint = SYSTEM.blueprint.model_copy(update={"representation": representation})
        RankingModel(blueprint, SCHEMA).eval()(random_batch(SCHEMA, 64), trace)
        sharpness[init] = float(trace["interaction.0.layer.0.map"].values.std())
    assert SYSTEM.blueprint.representation.init == 0.2 and sharpness[0.2] > 10 * sharpness[0.05]


def test_where_it_reads_from_is_better_than_chance_and_no_strength():
    """After 300 steps planted pairs stand higher in the map than others (AUC over pairs 0.7 or more). That is all that may be
    said of it, and the map says so itself."""
    dataset = small("ads", 60_000)
    settings = SYSTEM.settings.model_copy(update={"steps": 300, "epochs": 20, "patience": 0})
    fit = Fit(RankingModel(SYSTEM.blueprint, dataset.schema), dataset, settings, watching=False)
    assert sum(1 for _ in fit) == 300
    subject = Subject.of(fit.model, dataset, "validation")
    fields = {f.name for f in dataset.schema.categorical}
    found = {pair: weight for pair, weight in block_norms(subject).items() if pair <= fields}
    planted = {frozenset((pair.a, pair.b)) for pair in dataset.truth.pairs}
    right = np.array([float(pair in planted) for pair in found])
    assert len(found) == 45 and right.sum() == 5
    assert auc(right, np.array(list(found.values()))) >= 0.7
    assert meaning(subject)[1].endswith("not interaction strength.")


def test_autoint_plus_is_a_deep_network_beside():
    """Parallel with a deep network: the head reads both, 14 fields of 64 and the last hidden layer."""
    interaction = (SelfAttention(layers=1, heads=2, width=32),)
    blueprint = SYSTEM.blueprint.model_copy(update={"interaction": interaction, "towers": systems()["dnn"].blueprint.towers})
    model = RankingModel(blueprint, SCHEMA)
    assert model.towers.head["click"].in_features == 14 * 64 + 64
    assert torch.isfinite(model.eval()(random_batch(SCHEMA)).logits["click"]).all()
