"""Tencent's CSRec-style model: its world, the sheet's invariants (section 10) on the whole model, and what it reaches."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.sharing.task_masks import TaskMasks
from rankzoo.data.load import from_world, schema_of
from rankzoo.data.worlds.masks import CROSSED, FIELDS, TASKS, WORLD
from rankzoo.document import Document
from rankzoo.inspection.masks import ALL, masks
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.fit import Fit
from rankzoo.training.run import finish
from tests.support import copied, logits, numel, random_batch, randomised

SYSTEM = systems()["tencent"]
SCHEMA = schema_of("masks")
BATCH = random_batch(SCHEMA, 32)


def model_of(**sharing: object) -> RankingModel:
    blueprint = SYSTEM.blueprint
    return randomised(RankingModel(blueprint.model_copy(
        update={"sharing": blueprint.sharing.model_copy(update=sharing)}), SCHEMA))


# the world

@pytest.mark.parametrize("seed", range(3))
def test_utilities_are_as_related_as_planted(seed):
    """The correlation of two tasks' true logits is the planted cosine, up to what four hidden utilities have by chance."""
    truth = WORLD.make(20_000, seed).truth
    found = np.corrcoef(np.stack([truth.logits[task] for task in TASKS]))
    assert np.abs(found - truth.relatedness.cosine).max() < 0.12
    assert truth.relatedness.tasks == TASKS and np.allclose(truth.relatedness.cosine, truth.relatedness.cosine.T)


def test_crosses_have_no_main_effects():
    """What a sum of fields can say is six effects of sd .4 in each task: the rest of its variance is in the crosses."""
    made = WORLD.make(40_000, 0)
    onehot = [np.eye(values)[made.table[name].to_numpy()][:, 1:] for name, (values, _) in FIELDS.items()]
    x = np.concatenate([np.ones((40_000, 1)), *onehot], axis=1)
    gram = x.T @ x
    for task in TASKS:
        y = made.truth.logits[task]
        explained = (x @ np.linalg.solve(gram, x.T @ y)).var()
        assert explained == pytest.approx(6 * 0.4**2, rel=0.15)
        assert y.var() == pytest.approx(6 * 0.4**2 + sum(pair.strength**2 for pair in CROSSED), rel=0.15)


def test_nothing_planted_is_a_column():
    """Six fields and four labels, no logit and no hidden utility."""
    assert set(WORLD.make(500, 0).table.column_names) == {*FIELDS, *TASKS}
    assert {f.name for f in SCHEMA.inputs} == set(FIELDS)


# the sheet's invariants (1 to 15; the layer's own: tests/components/test_task_masks.py, a training's: tests/test_course.py)

def test_full_masks_are_hard_sharing():
    """1: every logit that of a shared bottom with the same weights."""
    model = model_of()
    plain = RankingModel(SYSTEM.blueprint.model_copy(update={"sharing": SharedBottom(widths=(64, 32))}), SCHEMA)
    copied(model, plain)
    plain.sharing.bottom.load_state_dict(model.sharing.base.state_dict())
    ours, theirs = logits(model, BATCH), logits(plain, BATCH)
    for task in TASKS:
        torch.testing.assert_close(ours[task], theirs[task])


def test_one_task_alone_moves_its_own_head():
    """13: the loss of a task has no gradient in another task's head, and one in every table."""
    model = model_of().train()
    model(BATCH).losses["share"].backward()
    for name, parameter in model.named_parameters():
        if name.startswith("towers."):
            assert (parameter.grad is not None) == ("share" in name), name
    assert all(parameter.grad is not None for parameter in model.representation.parameters())


def test_a_mask_of_another_task_changes_nothing():
    """6: what read keeps is nothing to click."""
    model = model_of()
    before = logits(model, BATCH)
    for mask in model.sharing.mask:
        mask[1] = False
    after = logits(model, BATCH)
    assert torch.equal(after["click"], before["click"]) and not torch.equal(after["read"], before["read"])


def test_parameters_are_counted_once():
    """14: |θ_E| + embeddings + heads; a fifth task would cost its head alone."""
    theta = 48 * 64 + 64 + 64 * 32 + 32
    head = 32 * 16 + 16 + 16 + 1
    tables = 8 * sum(values + 1 for values, _ in FIELDS.values())
    count = SYSTEM.blueprint.count(SCHEMA)
    assert count.parameters == numel(model_of()) == theta + 4 * head + tables == 9_492
    one = SYSTEM.blueprint.with_tasks(("click",), SCHEMA).count(SCHEMA)
    assert count.parameters - one.parameters == 3 * head


@pytest.fixture(scope="module")
def trained():
    """The preset on fewer rows and steps, its pruning in proportion."""
    dataset = from_world(WORLD, 16_000)
    document = Document.preset("tencent").but([
        ("settings.epochs", 60), ("settings.batch_size", 256), ("sharing.warmup_steps", 150), ("sharing.round_steps", 60)])
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    steps = [step for step in fit]
    return fit, dataset, steps, finish(fit, 0.0)


@pytest.mark.slow
def test_every_task_keeps_its_share(trained):
    """4 and 5: three rounds of a third leave .67³ of all weights, more in one layer than in the other."""
    fit, *_ = trained
    for at in range(4):
        kept = [mask[at].float().mean().item() for mask in fit.model.sharing.mask]
        total = sum(int(mask[at].sum()) for mask in fit.model.sharing.mask) / (48 * 64 + 64 * 32)
        assert total == pytest.approx(0.67**3, abs=0.001) and abs(kept[0] - kept[1]) > 0.005


@pytest.mark.slow
def test_related_tasks_agree_more_and_all_learn(trained):
    """The picture: conflicts and cosines in the order of the planted relatedness; AUC half way to the oracle in every task."""
    fit, dataset, _, result = trained
    table = masks(Subject.of(fit.model, dataset, rows=100)).table
    pairs = table[table["layer"] == ALL].set_index(["a", "b"])
    related, unrelated = pairs.loc[("click", "read")], pairs[pairs["related"] == 0]
    assert related["conflict"] < unrelated["conflict"].min() - 0.05 and related["cosine"] > unrelated["cosine"].max() + 0.2
    assert (pairs["overlap"] > pairs["chance"] + 0.1).all()
    for task in TASKS:
        assert result.metrics["test"][task]["auc"] - 0.5 > 0.3 * (result.oracle[task]["auc"] - 0.5)


def test_variants_are_one_change_away():
    """4.4 and 4.3 of the sheet: none, soft and winner; magnitude and contrast; turns in order or drawn."""
    for path, choices in {"conflict": ("none", "soft", "winner"), "prune_score": ("magnitude", "contrast"),
                          "alternate": ("round_robin", "proportional")}.items():
        for choice in choices:
            document = Document.preset("tencent").but([(f"sharing.{path}", choice)])
            assert getattr(document.blueprint.sharing, path) == choice
    assert isinstance(SYSTEM.blueprint.sharing, TaskMasks) and "-style" in SYSTEM.title


def test_what_was_not_read_is_not_said_to_be():
    """The body of the paper was not found: of the score and the update only the abstract's words are stated."""
    tags = {fact.path: fact.tag for fact in SYSTEM.facts if fact.path}
    assert tags["sharing.conflict"] == tags["sharing.prune_score"] == "unsure" and tags["sharing.kept"] == "ours"
    assert all(fact.at == "abstract" for fact in SYSTEM.facts if fact.tag == "stated" and fact.source is SYSTEM.source)
