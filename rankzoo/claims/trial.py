"""Trial: one seed of a claim: every arm trained on the same rows in the same order, and measured."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from rankzoo.claims.claim import Arm, Claim, Found
from rankzoo.data.dataset import Dataset
from rankzoo.data.load import from_world, schema_of
from rankzoo.data.world import World
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.inspection.growth import growth
from rankzoo.inspection.view import Table
from rankzoo.model import RankingModel
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import evaluate, predict

Metrics = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Trained:
    """An arm after its training: metrics on the test part by task, best epoch by validation. A rule has no model."""

    arm: Arm
    model: RankingModel | None
    dataset: Dataset
    metrics: Metrics


def trial(claim: Claim, seed: int) -> Found:
    """The statistics of every arm for one seed."""
    if claim.trial is not None:
        return claim.trial(claim, seed)
    return {arm.name: claim.measure((ruled if arm.rule else trained)(claim, arm, seed)) for arm in claim.arms}


def trained(claim: Claim, arm: Arm, seed: int) -> Trained:
    """One arm, trained with its preset's settings on the claim's rows."""
    dataset = rows_of(arm.world or claim.world, claim.rows, seed)
    document = document_of(claim, arm, seed)
    fit = Fit(document.model(dataset.schema), dataset, document.settings, checks=1)
    for _ in fit:
        pass
    fit.restore_best()
    rows = dataset.part("test")
    return Trained(arm, fit.model, dataset, evaluate(predict(fit.model, rows), rows, dataset.schema, fit.model.blueprint.losses))


def ruled(claim: Claim, arm: Arm, seed: int) -> Trained:
    """One arm that is a rule, on the claim's rows."""
    dataset = rows_of(arm.world or claim.world, claim.rows, seed)
    asked, training = dataset.part("test"), dataset.part("train")
    found = {task: arm.rule.places(asked, training, task).numpy() for task in document_of(claim, arm).blueprint.tasks}
    return Trained(arm, None, dataset, evaluate(found, asked, dataset.schema))


def document_of(claim: Claim, arm: Arm, seed: int = 0) -> Document:
    """The arm as a document: the preset on the claim's data, with the arm's changes."""
    world, preset = arm.world or claim.world, Document.preset(arm.system)
    document = preset if preset.data == world.name else preset.on(world.name)[0]
    return document.but([*arm.changes.items(), ("settings.seed", seed), ("settings.data_seed", seed)])


def stands(claim: Claim, arm: Arm) -> bool:
    """Whether the arm's model could be built outside of the claim: its data by their name, without the claim's own settings, may
    lack a column that it reads."""
    document = document_of(claim, arm)
    try:
        document.blueprint.places(schema_of(document.data))
    except ZooError:
        return False
    return True


def parameters(claim: Claim) -> dict[str, int]:
    """What each arm's model holds, by the formulas; an arm without a model is left out."""
    return {arm.name: document_of(claim, arm).blueprint.count((arm.world or claim.world).schema).parameters
            for arm in claim.arms if arm.model}


def growing(claim: Claim) -> Table:
    """What each arm's model holds as the catalogue of the claim's world grows: columns label, items, parameters."""
    return growth({arm.name: document_of(claim, arm).blueprint for arm in claim.arms}, claim.world.schema)


def left_out(claim: Claim) -> tuple[str, ...]:
    """The tasks that the arms' systems have and that no arm predicts: what is counted of an arm has nothing for them."""
    documents = [document_of(claim, arm) for arm in claim.arms if arm.model]
    kept = {task for document in documents for task in document.blueprint.tasks}
    return tuple(dict.fromkeys(task for document in documents for task in document.system.blueprint.tasks if task not in kept))


@lru_cache(maxsize=4)
def rows_of(world: World, rows: int | None, seed: int) -> Dataset:
    """The rows of a seed, made once for all arms."""
    return from_world(world, rows, seed)
