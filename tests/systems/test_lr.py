"""Logistic regression: the feature-crossing sheet, a."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse import hstack
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OneHotEncoder

from rankzoo.components.interaction.linear import Linear, bucket
from rankzoo.data.load import schema_of
from rankzoo.document import Document
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import evaluate, oracle, predict
from rankzoo.training.settings import TrainSettings
from tests.support import copied, logits, random_batch, randomised, small

LR = systems()["lr"]
SCHEMA = schema_of("ads")


def test_parameters():
    """n + one weight per number + 1: 187 values with their rows 0, four numbers and the bias; nothing is multiplied."""
    count = LR.blueprint.count(SCHEMA)
    rows = sum(f.vocabulary for f in SCHEMA.categorical)
    assert count.parameters == rows + len(SCHEMA.numeric) + 1 == 202 and count.flops == 0
    assert count.elementwise == len(SCHEMA.categorical) + 2 * len(SCHEMA.numeric)


def test_untrained_says_one_half():
    """All weights zero: probability ½ in every row."""
    model, batch = RankingModel(LR.blueprint, SCHEMA), random_batch(SCHEMA)
    assert torch.equal(torch.sigmoid(logits(model, batch)["click"]), torch.full((8,), 0.5))


def test_order_of_the_fields_is_irrelevant():
    """Fields and numbers in another order, each with its own weights: the same logit."""
    model, batch = randomised(RankingModel(LR.blueprint, SCHEMA)), random_batch(SCHEMA, 32)
    order = torch.randperm(len(SCHEMA.features), generator=torch.Generator().manual_seed(1)).tolist()
    other = replace(SCHEMA, features=tuple(SCHEMA.features[i] for i in order))
    columns = [SCHEMA.categorical.index(f) for f in other.categorical]
    numbers = [SCHEMA.numeric.index(f) for f in other.numeric]
    assert columns != sorted(columns) and numbers != sorted(numbers)
    moved = replace(batch, schema=other, ids=batch.ids[:, columns], numbers=batch.numbers[:, numbers])
    here, there = model.interaction[0], RankingModel(LR.blueprint, other)
    copied(model, there)
    before = logits(model, batch)["click"]
    assert not torch.allclose(logits(there, moved)["click"], before)  # the weights have not moved with their fields yet
    blocks = here.weights.detach().split([f.vocabulary for f in SCHEMA.categorical])
    there.interaction[0].weights.data.copy_(torch.cat([blocks[i] for i in columns]))
    there.interaction[0].slopes.data.copy_(here.slopes.detach()[numbers])
    torch.testing.assert_close(logits(there, moved)["click"], before)


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "sgd"])
def test_an_unseen_cross_stays_zero(optimizer):
    """RankZoo's own optimisers over two epochs: a bucket that no training row falls into keeps the weight 0 to the last bit,
    and every other bucket has learned something."""
    dataset, cross = small("ads", 3_000), Linear(crosses=(("country", "advertiser"),), buckets=5_000)
    settings = TrainSettings(epochs=2, batch_size=256, lr=3e-2, optimizer=optimizer, weight_decay=0.01, patience=0)
    fit = Fit(RankingModel(LR.blueprint.model_copy(update={"interaction": (cross,)}), dataset.schema), dataset, settings)
    assert sum(1 for _ in fit) == fit.steps + 1
    seen = dataset.part("train").features
    hit = torch.zeros(5_000, dtype=torch.bool)
    hit[bucket(seen["country"], seen["advertiser"], 5_000)] = True
    crossed = fit.model.interaction[0].crossed.detach()[:, 0]
    assert 100 < hit.sum() < 2_000 and (crossed[~hit] == 0).all() and (crossed[hit] != 0).all()


def test_equals_scikit_learn():
    """Trained long, with no regularisation on either side, the same predictions as scikit-learn's on the same one-hot columns."""
    dataset = small("ads", 20_000)
    train, test = dataset.part("train"), dataset.part("test")
    encoder = OneHotEncoder(handle_unknown="ignore").fit(train.ids)

    def columns(batch):
        return np.hstack([encoder.transform(batch.ids).toarray(), batch.numbers])

    known_as = LogisticRegression(C=1e4, max_iter=3000).fit(columns(train), train.labels["click"])
    fit = Fit(RankingModel(LR.blueprint, dataset.schema), dataset,
              TrainSettings(epochs=40, batch_size=512, lr=2e-2, schedule="cosine", patience=0), watching=False)
    assert sum(1 for _ in fit) == fit.steps
    ours, theirs = predict(fit.model, test)["click"], known_as.decision_function(columns(test))
    assert np.corrcoef(ours, theirs)[0, 1] > 0.98
    labels = test.labels["click"].numpy()
    found = evaluate({"click": ours}, test, dataset.schema)["click"]["auc"]
    known = evaluate({"click": theirs}, test, dataset.schema)["click"]["auc"]
    assert found == pytest.approx(known, abs=0.005) and 0.55 < found < 0.9 and labels.mean() > 0.1


def test_census_beside_scikit_learn():
    """The preset on 48,842 people: test AUC within 0.005 of scikit-learn's logistic regression on the same one-hot columns."""
    document, _ = Document.preset("lr").on("census")
    dataset = document.dataset()
    train, test = dataset.part("train"), dataset.part("test")
    encoder = OneHotEncoder(handle_unknown="ignore").fit(train.ids)

    def columns(batch):
        return hstack([encoder.transform(batch.ids), batch.numbers]).tocsr()

    known = LogisticRegression(C=1.0, max_iter=2000).fit(columns(train), train.labels["income"])
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    assert sum(1 for _ in fit) == fit.steps + 1
    fit.restore_best()
    scores = {"ours": predict(fit.model, test)["income"], "theirs": known.decision_function(columns(test))}
    found = {name: roc_auc_score(test.labels["income"], each) for name, each in scores.items()}
    assert found["ours"] == pytest.approx(found["theirs"], abs=0.005) and 0.84 < found["theirs"] < 0.88, found


def test_calibrated_per_feature_value():
    """With a bias and no regularisation Σ(p − y)·x_j = 0: predicted clicks equal clicks for every frequent value."""
    dataset = small("ads", 6_000)
    fit = Fit(RankingModel(LR.blueprint, dataset.schema), dataset,
              TrainSettings(epochs=40, batch_size=512, lr=2e-2, schedule="cosine", patience=0), watching=False)
    assert sum(1 for _ in fit) > 100
    train = dataset.part("train")
    p, y = 1 / (1 + np.exp(-predict(fit.model, train)["click"])), train.labels["click"].numpy()
    assert p.sum() == pytest.approx(y.sum(), rel=0.02)
    for column, f in enumerate(SCHEMA.categorical):
        for value in range(1, f.vocabulary):
            rows = train.ids[:, column].numpy() == value
            if rows.sum() > 400:
                assert p[rows].sum() == pytest.approx(y[rows].sum(), rel=0.06), (f.name, value)


def test_cannot_learn_a_cross():
    """What the next rungs are for: on `ads` the planted pairs stay out of reach, the oracle is far."""
    dataset = small("ads", 20_000)
    fit = Fit(RankingModel(LR.blueprint, dataset.schema), dataset, LR.settings, watching=False)
    assert sum(1 for _ in fit) > 50
    test = dataset.part("test")
    auc = evaluate(predict(fit.model, test), test, dataset.schema)["click"]["auc"]
    assert 0.55 < auc < oracle(dataset)["click"]["auc"] - 0.05
