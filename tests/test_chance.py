"""Chance: what has learned nothing finds nothing. Untrained models, and models trained on shuffled labels, in every view."""
from __future__ import annotations

import sys
from collections import defaultdict
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
VIEWS = [view for view in KINDS if view != "example"]
BEGINNING = 128  # rows of a step on shuffled labels: half of what most presets take


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


def pictures(id: str, models: Mapping[int, tuple[RankingModel, Dataset]]) -> dict[str, tuple[list[float], float]]:
    """(value of each seed, chance) of the truth of every view that a model has and for which something is planted, which depends
    on no weight. Each model runs once, for all views."""
    blueprint, (_, data) = systems()[id].blueprint, models[0]
    there, found = [view for view in VIEWS if not reason(blueprint, data.schema, view)], defaultdict(list)
    for model, dataset in models.values():
        subject = Subject.of(model, dataset, "test", SEEN, systems()[id].serving)
        for view in list(there):
            truth = look(subject, view).truth
            if truth is None:
                there.remove(view)
            elif np.isfinite(truth.value):
                found[view].append(truth)
    return {view: ([score.value for score in found[view]], found[view][0].chance) for view in there if len(found[view]) > 1}


def beyond_chance(values: list[float], chance: float) -> bool:
    """Whether the mean over seeds lies surely on the side of the truth: a one-sided t test at one in a thousand."""
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return np.mean(values) - chance > stdtrit(len(values) - 1, 0.999) * error + 1e-9


def beyond(found: Mapping[str, tuple[list[float], float]]) -> dict[str, tuple[list[float], float]]:
    """The views that show more than there is."""
    return {view: each for view, each in found.items() if beyond_chance(*each)}


@pytest.mark.parametrize("id", BUILT)
def test_untrained_models_score_chance(id):
    system = systems()[id]
    dataset = rows_of(system.dataset)
    found = pictures(id, {seed: (RankingModel(system.blueprint, dataset.schema, seed), dataset) for seed in range(FEW)})
    assert beyond(found) == {}


@cache
def misled(id: str, seed: int) -> tuple[RankingModel, Dataset]:
    """A system trained on shuffled labels for 60 steps of its own settings, each of few rows."""
    system = systems()[id]
    dataset = shuffled(rows_of(system.dataset), seed)
    few = min(system.settings.batch_size, BEGINNING)
    settings = system.settings.model_copy(update={"seed": seed, "steps": 60, "epochs": 60, "patience": 0, "batch_size": few})
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
@pytest.mark.parametrize("id", BUILT)
def test_shuffled_labels_paint_no_picture(id):
    assert beyond(pictures(id, {seed: misled(id, seed) for seed in range(SEEDS)})) == {}
