"""LinkedIn's two groups over tree leaves: the sheet's invariants (section 10) on the whole model, and what it reaches.

Invariants 1 to 4 and 13 of the leaves: tests/components/test_tree_leaves.py; 5, 7 and 12 of the groups: test_groups.py.
"""
from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rankzoo.data.load import from_world, schema_of
from rankzoo.data.worlds.professional import ACTIVE, PASSIVE, TASKS, WORLD
from rankzoo.document import Document
from rankzoo.inspection.tasks import tasks
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.serving.utility import Utility
from rankzoo.training.fit import Fit
from rankzoo.training.run import finish
from rankzoo.training.settings import TrainSettings
from tests.support import copied, logits, numel, random_batch, randomised, small, trained_loss

SYSTEM = systems()["linkedin"]
SCHEMA = schema_of("professional")
BATCH = random_batch(SCHEMA, 32)


@pytest.fixture()
def model() -> RankingModel:
    return randomised(RankingModel(SYSTEM.blueprint, SCHEMA))


def moved(model: RankingModel, group: tuple[str, ...]) -> set[str]:
    """Names of the parameters that the losses of some tasks move."""
    model.zero_grad()
    losses = model(BATCH).losses
    sum(losses[task] for task in group).backward()
    return {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}


def test_a_group_s_losses_move_its_own_network(model):
    """5 and 7: every parameter of the group and the heads of its tasks, none of the other's."""
    for group, own, other, heads in ((PASSIVE, 0, 1, PASSIVE), (ACTIVE, 1, 0, ACTIVE)):
        names = moved(model, group)
        assert not [name for name in names if name.startswith(f"sharing.group.{other}")]
        assert {name.split(".")[2] for name in names if name.startswith("towers.head")} == set(heads)
        assert len([name for name in names if name.startswith(f"sharing.group.{own}")]) == 4


def test_both_groups_move_the_one_table(model):
    """6, with a shared table: both kinds of losses reach every leaf that a row falls into."""
    for group in (PASSIVE, ACTIVE):
        assert "representation.forest.table" in moved(model, group)


def test_tasks_of_a_group_differ_in_their_logit_alone(model):
    """7: with one head's numbers, click and long dwell are one; like is still another."""
    heads = model.towers.head
    for task in TASKS[1:]:
        heads[task].load_state_dict(heads["click"].state_dict())
    found = logits(model, BATCH)
    assert torch.equal(found["click"], found["long_dwell"]) and torch.equal(found["comment"], found["reshare"])
    assert not torch.equal(found["click"], found["like"])


def test_losses_are_the_sum_of_cross_entropies(model):
    """8: a sigmoid for each task, weights 1."""
    output = model(BATCH)
    for task in TASKS:
        seen = BATCH.observed[task]
        logit, y = output.logits[task][seen].double(), BATCH.labels[task][seen].double()
        expected = -(y * F.logsigmoid(logit) + (1 - y) * F.logsigmoid(-logit)).mean()
        torch.testing.assert_close(output.losses[task].double(), expected, atol=1e-5, rtol=1e-5)
    assert set(output.losses) == set(TASKS)
    torch.testing.assert_close(trained_loss(model.eval(), BATCH), sum(output.losses.values()))


def test_score_is_linear_and_ordered_by_the_passive_part_at_zero():
    """9: F_p + α F_a; α = 0 gives the passive order, the derivative by α is F_a, and a probability counts linearly."""
    found = {task: torch.randn(50, generator=torch.Generator().manual_seed(i)).double() for i, task in enumerate(TASKS)}
    zero, one, three = (Utility(active=ACTIVE, alpha=alpha).score(found) for alpha in (0.0, 1.0, 3.0))
    passive, active = Utility(active=ACTIVE).parts(found)
    assert torch.equal(zero.argsort(), sum(torch.sigmoid(found[t]) for t in PASSIVE).argsort())
    torch.testing.assert_close(three - one, 2 * active)
    torch.testing.assert_close(zero, passive)
    worth = Utility(active=ACTIVE, worth={"reshare": 4.0}).score(found) - one
    torch.testing.assert_close(worth, 3 * torch.sigmoid(found["reshare"]))
    assert SYSTEM.serving == Utility(active=ACTIVE)


def test_parameters_are_the_sheet_s():
    """10: V = 800, d = 8, T = 50, towers 128-64, five tasks: 125,893; nothing called gate or expert."""
    count = SYSTEM.blueprint.count(SCHEMA)
    assert count.parameters == 50 * 16 * 8 + 2 * (401 * 128 + 129 * 64) + 5 * 65 == 125_893
    made = RankingModel(SYSTEM.blueprint, SCHEMA)
    assert numel(made) == 125_893
    assert not [name for name, _ in made.named_modules() if "gate" in name or "expert" in name]
    summed = SYSTEM.blueprint.model_copy(update={"representation": SYSTEM.blueprint.representation.model_copy(
        update={"pooling": "sum"})})
    assert summed.count(SCHEMA).parameters == 6_400 + 2 * (9 * 128 + 129 * 64) + 5 * 65


def test_the_learning_rate_rises_first():
    """11: below its peak at step 0, never falling through the ramp, then at the peak."""
    fit, seen = Fit(RankingModel(SYSTEM.blueprint, SCHEMA), small("professional", 1_000),
                    TrainSettings(epochs=4, batch_size=64, lr=2e-3, warmup=10, schedule="constant"), watching=False), []
    for _ in fit:
        seen.append(fit.optimizers[0].param_groups[0]["lr"])
    assert seen[0] == pytest.approx(2e-3 / 11) and all(a <= b for a, b in zip(seen, seen[1:], strict=False))
    assert seen[10] == pytest.approx(2e-3) and SYSTEM.settings.warmup > 0 and TrainSettings().warmup == 0


def test_a_common_layer_is_off_and_the_faithful_model_has_no_gate(model):
    """12, and the sheet's section 9: no picture of gates or attention."""
    from rankzoo.inspection.views import reason

    assert SYSTEM.blueprint.sharing.bottom == ()
    assert "no gates" in reason(SYSTEM.blueprint, SCHEMA, "gates")
    assert "no attention" in reason(SYSTEM.blueprint, SCHEMA, "attention")
    assert reason(SYSTEM.blueprint, SCHEMA, "tasks") == ""


def test_the_forest_knows_the_training_rows_alone():
    """Trees are the same whatever the other rows say, and the same again for a training that goes on."""
    dataset = small("professional", 1_200)
    settings = SYSTEM.settings.model_copy(update={"epochs": 2, "batch_size": 128})
    fit = Fit(RankingModel(SYSTEM.blueprint, SCHEMA), dataset, settings, watching=False)
    alone = RankingModel(SYSTEM.blueprint, SCHEMA)
    alone.fit(dataset.part("train"), 0)
    assert torch.equal(fit.model.representation.forest.threshold, alone.representation.forest.threshold)
    for step in fit:
        if step.number == 5:
            break
    again = Fit(RankingModel(SYSTEM.blueprint, SCHEMA, seed=7), dataset, settings, state=fit.state(), watching=False)
    for each in (fit, again):
        for _ in each:
            pass
    ours, theirs = fit.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert torch.equal(theirs["representation.forest.threshold"], alone.representation.forest.threshold)


def test_same_weights_same_answers(model):
    """Leaves are read from the weights: a copy answers bit for bit."""
    other = RankingModel(SYSTEM.blueprint, SCHEMA, seed=9)
    copied(model, other)
    assert all(torch.equal(a, b) for a, b in zip(logits(model, BATCH).values(), logits(other, BATCH).values(), strict=True))


@pytest.fixture(scope="module")
def trained():
    """The preset on half of its rows."""
    dataset = from_world(WORLD, 20_000)
    document = Document.preset("linkedin")
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    for _ in fit:
        pass
    return fit.model, dataset, finish(fit, 0.0)


@pytest.mark.slow
def test_it_comes_near_the_oracle(trained):
    """At least 60 % of the way from chance on every task, even on half of the rows, and never beyond."""
    _, _, result = trained
    for task in TASKS:
        auc, best = result.metrics["test"][task]["auc"], result.oracle[task]["auc"]
        assert 0.6 <= (auc - 0.5) / (best - 0.5) and auc <= best + 0.01


@pytest.mark.slow
def test_the_picture_finds_the_groups(trained):
    """Related tasks pull together, strangers do not: at least .5 more in the cosine; every O / E is near 1."""
    model, dataset, _ = trained
    view = tasks(Subject.of(model, dataset, rows=5_000))
    assert view.truth.value >= 0.5 and view.truth.found
    ratios = view.tables["calibration"].set_index("task")["ratio"]
    assert (np.abs(ratios[["click", "long_dwell", "like"]] - 1) < 0.15).all()


@pytest.mark.slow
def test_forest_asks_what_was_planted(trained):
    """Of the first questions of the click's trees, most ask numbers at a planted threshold's quantile within a tenth."""
    model, dataset, _ = trained
    truth, forest = dataset.truth.forest, model.representation.forest
    x = dataset.part("train").numbers.numpy()
    planted = {(f, q) for f, q in zip(truth.feature.ravel(), truth.quantile.ravel(), strict=True)}
    near = []
    for tree in range(10):
        feature, threshold = int(forest.feature[tree, 0]), float(forest.threshold[tree, 0])
        share = float((x[:, feature] <= threshold).mean())
        near.append(any(f == feature and abs(q - share) < 0.1 for f, q in planted))
    assert np.mean(near) >= 0.7
