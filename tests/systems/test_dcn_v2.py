"""DCN-V2: the feature-crossing sheet, f, on the whole model and on planted pairs."""
from __future__ import annotations

import torch

from rankzoo.data.load import schema_of
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from tests.support import random_batch, small

SYSTEM = systems()["dcn_v2"]


def test_parameters():
    """n·d + 3(D² + D) + MLP(D; 256, 128, 64) + (D + 64) + 1, with D = ten fields of 16 and four numbers."""
    schema = schema_of("ads")
    d = 10 * 16 + 4
    deep = d * 256 + 256 + 256 * 128 + 128 + 128 * 64 + 64
    rows = sum(f.vocabulary for f in schema.categorical)
    assert SYSTEM.blueprint.count(schema).parameters == rows * 16 + 3 * (d * d + d) + deep + (d + 64) + 1


def test_block_map_names_its_fields():
    """The picture's axes are the fields in the order of the input, numbers included."""
    schema, trace = schema_of("ads"), Trace()
    RankingModel(SYSTEM.blueprint, schema).eval()(random_batch(schema), trace)
    entry = trace["interaction.0.layer.0.block"]
    assert entry.labels["field"] == entry.labels["other"] == tuple(f.name for f in schema.inputs)
    assert entry.values.shape == (14, 14) and (entry.values > 0).all()


def strength(model: RankingModel, dataset) -> torch.Tensor:
    """Data-weighted map S_ab = E‖x_a ⊙ (W_ab x_b)‖ + E‖x_b ⊙ (W_ba x_a)‖ of the first layer, (field, field)."""
    signal = model.eval().representation(dataset.part("validation", 500), Trace(on=False))
    names = list(signal.fields)
    sizes = [signal.fields[name].shape[1] for name in names]
    blocks = [row.split(sizes, dim=1) for row in model.interaction[0].layer[0].matrix().split(sizes, dim=0)]
    one_way = torch.stack([torch.stack([(signal.fields[a] * (signal.fields[b] @ blocks[i][j].T)).norm(dim=1).mean()
                                        for j, b in enumerate(names)]) for i, a in enumerate(names)])
    return (one_way + one_way.T).detach()


def test_trained_map_finds_the_planted_pairs():
    """After 500 steps the five strongest of the map's 45 pairs are the five that were planted; the decoys, which depend on
    each other without crossing, are not among them. The untrained map says nothing of the kind."""
    dataset = small("ads", 60_000)
    settings = SYSTEM.settings.model_copy(update={"steps": 500, "epochs": 20, "patience": 0})
    fit = Fit(RankingModel(SYSTEM.blueprint, dataset.schema), dataset, settings, watching=False)
    planted = {frozenset((pair.a, pair.b)) for pair in dataset.truth.pairs}
    assert len(planted) == 5 and strongest(fit.model, dataset, 5) != planted
    assert sum(1 for _ in fit) == 500
    assert strongest(fit.model, dataset, 5) == planted


def strongest(model: RankingModel, dataset, k: int) -> set[frozenset[str]]:
    """The k strongest pairs of different categorical fields."""
    names, found = [f.name for f in dataset.schema.categorical], strength(model, dataset)
    pairs = [(float(found[i, j]), frozenset((names[i], names[j]))) for i in range(len(names)) for j in range(i)]
    return {pair for _, pair in sorted(pairs, key=lambda pair: -pair[0])[:k]}
