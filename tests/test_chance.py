"""Chance: what has learned nothing finds nothing. Untrained models, and models trained on shuffled labels, in every view."""
from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from scipy.special import stdtrit

from rankzoo.data.dataset import Dataset
from rankzoo.data.load import load
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import KINDS, look, reason
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import evaluate, predict

BUILT = list(systems())
ROWS, SEEN, SEEDS, FEW = 4_000, 300, 6, 4
PICTURES = [(id, view) for id in BUILT for view in KINDS if view != "example"]


@pytest.fixture(autouse=True, scope="module")
def values_alone() -> Iterator[None]:
    """Scores without their intervals: resampling takes most of their time, and no test here reads an interval."""
    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("rankzoo.inspection.") and hasattr(module, "bootstrap"):
                patch.setattr(module, "bootstrap", lambda *_, **__: (np.nan, np.nan))
        yield


@cache
def rows_of(name: str) -> Dataset:
    return load(name, ROWS)


def shuffled(dataset: Dataset, seed: int) -> Dataset:
    """The same rows with the labels of others: nothing that a model sees says anything of them. Test rows keep theirs."""
    learned = np.concatenate([dataset.parts["train"], dataset.parts["validation"]])
    order = torch.arange(len(dataset))
    order[torch.from_numpy(learned)] = torch.from_numpy(np.random.default_rng(seed).permutation(learned))
    turned = lambda named: {name: values.index_select(0, order) for name, values in named.items()}  # noqa: E731
    batch = replace(dataset.batch, labels=turned(dataset.batch.labels), observed=turned(dataset.batch.observed))
    if batch.listed is not None:
        batch = replace(batch, listed=batch.listed[order], grades=batch.grades[order])
    return replace(dataset, batch=batch)


def scores(id: str, view: str, models: Mapping[int, tuple[RankingModel, Dataset]]) -> tuple[list[float], float] | None:
    """(value of each seed, chance) of a view's truth; None where the model has no such view, or nothing is planted for it, which
    depends on no weight."""
    found = []
    for model, dataset in models.values():
        if reason(model.blueprint, dataset.schema, view):
            return None
        truth = look(Subject.of(model, dataset, "test", SEEN, systems()[id].serving), view).truth
        if truth is None:
            return None
        found += [truth] if np.isfinite(truth.value) else []
    return ([score.value for score in found], found[0].chance) if len(found) > 1 else None


def beyond_chance(values: list[float], chance: float) -> bool:
    """Whether the mean over seeds lies surely on the side of the truth: a one-sided t test at one in a thousand."""
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return np.mean(values) - chance > stdtrit(len(values) - 1, 0.999) * error + 1e-9


@cache
def untrained(id: str) -> dict[int, tuple[RankingModel, Dataset]]:
    system = systems()[id]
    dataset = rows_of(system.dataset)
    return {seed: (RankingModel(system.blueprint, dataset.schema, seed), dataset) for seed in range(FEW)}


@pytest.mark.parametrize("id, view", PICTURES)
def test_an_untrained_model_scores_chance(id, view):
    found = scores(id, view, untrained(id))
    assert found is None or not beyond_chance(*found), found


@cache
def misled(id: str, seed: int) -> tuple[RankingModel, Dataset]:
    """A system trained on shuffled labels for 60 steps of its own settings."""
    system = systems()[id]
    dataset = shuffled(rows_of(system.dataset), seed)
    settings = system.settings.model_copy(update={"seed": seed, "steps": 60, "epochs": 60, "patience": 0})
    fit = Fit(RankingModel(system.blueprint, dataset.schema, seed), dataset, settings, watching=False)
    for _ in fit:
        pass
    return fit.model, dataset


def aucs(id: str, seed: int) -> dict[str, float]:
    """On test rows with their true labels."""
    model, dataset = misled(id, seed)
    rows = dataset.part("test")
    found = evaluate(predict(model, rows), rows, dataset.schema, model.blueprint.losses)
    return {task: metrics["auc"] for task, metrics in found.items() if "auc" in metrics}


@pytest.mark.parametrize("id", BUILT)
def test_shuffled_labels_teach_nothing(id):
    """AUC is near a half. Not within its standard error: what a network starts with points somewhere, and among 48 signals the
    cosine with the planted direction has an sd of 1/√48, which is .08 in AUC."""
    for task, auc in aucs(id, 0).items():
        assert abs(auc - 0.5) < 0.2, (task, auc)


@pytest.mark.slow
@pytest.mark.parametrize("id", BUILT)
def test_shuffled_labels_teach_nothing_on_average(id):
    """Over seeds, which point in different directions, nothing is left: a two-sided t test at one in a thousand."""
    found = [aucs(id, seed) for seed in range(SEEDS)]
    for task in found[0]:
        values = [each[task] for each in found]
        assert not beyond_chance(values, 0.5) and not beyond_chance([1 - value for value in values], 0.5), (task, values)


@pytest.mark.slow
@pytest.mark.parametrize("id, view", PICTURES)
def test_shuffled_labels_paint_no_picture(id, view):
    found = scores(id, view, {seed: misled(id, seed) for seed in range(SEEDS)})
    assert found is None or not beyond_chance(*found), found
