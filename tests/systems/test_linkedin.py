"""LinkedIn's two groups over tree leaves: the sheet's invariants (section 10) on the whole model by their numbers, and what it
reaches."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch
import torch.nn.functional as F

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.boosting import Growth, boosted
from rankzoo.components.representation.tree_leaves import TreeLeaves
from rankzoo.data.load import from_world, schema_of
from rankzoo.data.preparation import prepare_declared
from rankzoo.data.worlds.professional import ACTIVE, CREATOR, PASSIVE, TASKS, WORLD
from rankzoo.document import Document
from rankzoo.inspection.tasks import tasks
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import reason
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature, Schema, Task
from rankzoo.serving.utility import Utility
from rankzoo.signals import Batch
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


@pytest.fixture(scope="module")
def data():
    return small("professional", 3_000)


def grown(batch, blueprint=SYSTEM.blueprint) -> RankingModel:
    """The system with a forest that was grown on some rows."""
    made = randomised(RankingModel(blueprint, SCHEMA))
    made.fit(batch, 0)
    return made.eval()


@pytest.fixture(scope="module")
def fitted(data) -> RankingModel:
    return grown(data.part("train"))


def with_own_tables() -> Blueprint:
    """The system with a table of leaves for each group."""
    return changed(representation={"share_table": False})


def changed(**slots: dict[str, object]) -> Blueprint:
    """The system with some settings of some slots changed."""
    return SYSTEM.blueprint.model_copy(update={
        slot: getattr(SYSTEM.blueprint, slot).model_copy(update=settings) for slot, settings in slots.items()})


def ids(model: RankingModel, batch: Batch) -> torch.Tensor:
    """(row, tree), the rows of the table that are looked up."""
    return model.representation.forest.ids(batch.given)


def moved(model: RankingModel, group: tuple[str, ...]) -> set[str]:
    """Names of the parameters that the losses of some tasks move."""
    model.zero_grad()
    losses = model(BATCH).losses
    sum(losses[task] for task in group).backward()
    return {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}


def test_linkedin_1_ids_of_trees_never_collide(fitted, data):
    """idx_t lies in [off_t, off_t + n_t) with off_t = 16 t, for the first and the last leaf of every tree; the largest is V − 1.
    Rows fall into many leaves of each tree, and no id is another tree's."""
    found, trees = ids(fitted, data.part("train")), torch.arange(50)
    assert (found // 16 == trees).all() and fitted.representation.forest.table.shape == (800, 8)
    assert all(len(found[:, tree].unique()) > 4 for tree in range(50))
    leaves = fitted.representation.forest.child
    last = (~leaves.clamp(max=-1)).flatten(1).max(dim=1).values  # the largest number of a leaf, tree by tree
    assert (last <= 15).all() and int((16 * trees + last).max()) == 799


def test_linkedin_2_a_row_moves_a_vector_in_each_tree(fitted, data):
    """Exactly T = 50 rows of the table have a gradient after one example, whichever task's loss it is; with a table for each
    group 50 rows of its group's."""
    row = data.part("train", 1)
    own = grown(data.part("train"), with_own_tables())
    for model, start in ((fitted, {}), (own, {0: 0, 1: 800})):
        for group, task in ((0, "click"), (1, "reshare")):
            model.zero_grad()
            model(row).losses[task].backward()
            touched = model.representation.forest.table.grad.abs().sum(dim=1).nonzero().flatten()
            assert touched.tolist() == sorted((ids(model, row)[0] + start.get(group, 0)).tolist()) and len(touched) == 50


def test_linkedin_3_piecewise_constant(fitted, data):
    """A number that crosses no threshold of the forest leaves every output bit for bit; across one, outputs move."""
    batch, forest = data.part("test", 400), fitted.representation.forest
    before, asked = logits(fitted, batch), forest.feature[forest.threshold.isfinite()].bincount().argmax()
    thresholds = forest.threshold[(forest.feature == asked) & forest.threshold.isfinite()].unique()
    x, place = batch.numbers.clone(), torch.searchsorted(thresholds, batch.numbers[:, asked].double().contiguous())
    inside = (place > 0) & (place < len(thresholds))
    low, high = thresholds[place.clamp(min=1) - 1], thresholds[place.clamp(max=len(thresholds) - 1)]
    x[inside, asked] = (low + 0.5 * (high - low))[inside].float()
    assert inside.sum() > 100 and (x != batch.numbers).sum() > 100
    after = logits(fitted, replace(batch, numbers=x))
    assert all(torch.equal(before[task], after[task]) for task in TASKS)
    x[:, asked] = float(thresholds[0]) - 1
    assert all(not torch.equal(before[task], logits(fitted, replace(batch, numbers=x))[task]) for task in TASKS)


def test_linkedin_4_a_bent_number_has_the_same_leaves(data):
    """Each number through a rising curve before the forest is grown: no normalisation is needed, every leaf is the same."""
    batch = data.part("train")
    bent = replace(batch, numbers=torch.exp(batch.numbers.double()).float())
    assert len(bent.numbers.unique(dim=0)) == len(batch.numbers.unique(dim=0))
    assert torch.equal(ids(grown(batch), batch), ids(grown(bent), bent))


def test_linkedin_5_a_group_s_losses_move_its_own_network(model):
    """Every parameter of the group and the heads of its tasks, none of the other's."""
    for group, own, other, heads in ((PASSIVE, 0, 1, PASSIVE), (ACTIVE, 1, 0, ACTIVE)):
        names = moved(model, group)
        assert not [name for name in names if name.startswith(f"sharing.group.{other}")]
        assert {name.split(".")[2] for name in names if name.startswith("towers.head")} == set(heads)
        assert len([name for name in names if name.startswith(f"sharing.group.{own}")]) == 4


@pytest.mark.parametrize("share", [True, False])
def test_linkedin_6_both_groups_move_one_table_if_and_only_if_it_is_shared(share):
    """With one table both kinds of losses reach every leaf that a row falls into; with two each reaches its own alone."""
    model = RankingModel(SYSTEM.blueprint if share else with_own_tables(), SCHEMA)  # as a training starts: no unit is saturated
    losses = model(replace(BATCH, labels={task: y.nan_to_num() for task, y in BATCH.labels.items()},
                           observed=dict.fromkeys(TASKS, torch.ones(32, dtype=torch.bool)))).losses
    table = model.representation.forest.table
    reached, none = torch.zeros(2, 800, dtype=torch.bool)
    reached[ids(model, BATCH).flatten()] = True
    expected = {PASSIVE: [reached, none], ACTIVE: [none, reached]}
    for group, halves in expected.items():
        gradient, = torch.autograd.grad(sum(losses[task] for task in group), table, retain_graph=True)
        assert torch.equal(gradient.abs().sum(dim=1) > 0, reached if share else torch.cat(halves))


def test_linkedin_7_tasks_of_a_group_differ_in_their_logit_alone(model):
    """With one head's numbers, click and long dwell are one; like is still another."""
    heads = model.towers.head
    for task in TASKS[1:]:
        heads[task].load_state_dict(heads["click"].state_dict())
    found = logits(model, BATCH)
    assert torch.equal(found["click"], found["long_dwell"]) and torch.equal(found["comment"], found["reshare"])
    assert not torch.equal(found["click"], found["like"])


def test_linkedin_8_losses_are_the_sum_of_cross_entropies(model):
    """A sigmoid for each task, weights 1."""
    output = model(BATCH)
    for task in TASKS:
        seen = BATCH.observed[task]
        logit, y = output.logits[task][seen].double(), BATCH.labels[task][seen].double()
        expected = -(y * F.logsigmoid(logit) + (1 - y) * F.logsigmoid(-logit)).mean()
        torch.testing.assert_close(output.losses[task].double(), expected, atol=1e-5, rtol=1e-5)
    assert set(output.losses) == set(TASKS)
    torch.testing.assert_close(trained_loss(model.eval(), BATCH), sum(output.losses.values()))


def test_linkedin_9_the_score_is_linear_and_ordered_by_the_passive_part_at_zero():
    """F_p + α F_a + λ F_o; α = 0 gives the passive order, the derivative by α is F_a, that by λ F_o, and a probability counts
    linearly."""
    found = {task: torch.randn(50, generator=torch.Generator().manual_seed(i)).double() for i, task in enumerate(TASKS)}
    zero, one, three = (Utility(active=ACTIVE, alpha=alpha).score(found) for alpha in (0.0, 1.0, 3.0))
    passive, active, other = Utility(active=ACTIVE).parts(found)
    assert not other.any()
    assert torch.equal(zero.argsort(), sum(torch.sigmoid(found[t]) for t in PASSIVE).argsort())
    torch.testing.assert_close(three - one, 2 * active)
    torch.testing.assert_close(zero, passive)
    worth = Utility(active=ACTIVE, worth={"reshare": 4.0}).score(found) - one
    torch.testing.assert_close(worth, 3 * torch.sigmoid(found["reshare"]))
    both = found | {"creator_feedback": torch.randn(50, generator=torch.Generator().manual_seed(9)).double()}
    more = Utility(ACTIVE, CREATOR, lam=3.0).score(both) - Utility(ACTIVE, CREATOR, lam=1.0).score(both)
    torch.testing.assert_close(more, 2 * torch.sigmoid(both["creator_feedback"]))
    assert SYSTEM.serving == Utility(ACTIVE, CREATOR) and (SYSTEM.serving.alpha, SYSTEM.serving.lam) == (1.0, 1.0)


@pytest.mark.parametrize("blueprint, parameters", [
    (SYSTEM.blueprint, 50 * 16 * 8 + 2 * (401 * 128 + 129 * 64) + 5 * 65),
    (with_own_tables(), 2 * 50 * 16 * 8 + 2 * (401 * 128 + 129 * 64) + 5 * 65),
    (changed(representation={"dense": ("hour", "seniority")}), 6_400 + 2 * (403 * 128 + 129 * 64) + 5 * 65),
    (changed(representation={"pooling": "sum"}), 6_400 + 2 * (9 * 128 + 129 * 64) + 5 * 65),
    (changed(representation={"pooling": "sum", "share_table": False}), 12_800 + 2 * (9 * 128 + 129 * 64) + 5 * 65)],
    ids=["as it is", "own tables", "two numbers beside", "sum", "sum, own tables"])
def test_linkedin_10_parameters_are_the_sheet_s(blueprint, parameters):
    """V = 800, d = 8, T = 50, towers 128-64, five tasks: 125,893; V·d twice where tables are not shared, d_z more inputs where
    numbers stand beside the leaves, inputs of 8 where leaves are added. Nothing is called gate or expert."""
    made = RankingModel(blueprint, SCHEMA)
    assert blueprint.count(SCHEMA).parameters == numel(made) == parameters
    assert SYSTEM.blueprint.count(SCHEMA).parameters == 125_893
    assert not [name for name, _ in made.named_modules() if "gate" in name or "expert" in name]


def test_linkedin_11_the_learning_rate_rises_first():
    """Below its peak at step 0, never falling through the ramp, then at the peak."""
    fit, seen = Fit(RankingModel(SYSTEM.blueprint, SCHEMA), small("professional", 1_000),
                    TrainSettings(epochs=4, batch_size=64, lr=2e-3, warmup=10, schedule="constant"), watching=False), []
    for _ in fit:
        seen.append(fit.optimizers[0].param_groups[0]["lr"])
    assert seen[0] == pytest.approx(2e-3 / 11) and all(a <= b for a, b in zip(seen, seen[1:], strict=False))
    assert seen[10] == pytest.approx(2e-3) and SYSTEM.settings.warmup > 0 and TrainSettings().warmup == 0


def test_linkedin_12_a_common_layer_is_a_switch_and_off():
    """Chosen, both groups' losses move it, and one table serves both, shared or not; the faithful model has none."""
    assert SYSTEM.blueprint.sharing.bottom == () and not list(RankingModel(SYSTEM.blueprint, SCHEMA).sharing.bottom.parameters())
    for share in (True, False):
        blueprint = changed(sharing={"bottom": (32,)}, representation={"share_table": share})
        model = randomised(RankingModel(blueprint, SCHEMA))
        for group in (PASSIVE, ACTIVE):
            assert {"sharing.bottom.0.weight", "sharing.bottom.0.bias", "representation.forest.table"} <= moved(model, group)
        assert blueprint.count(SCHEMA).parameters == numel(model)
        assert numel(model) == 6_400 + 401 * 32 + 2 * (33 * 128 + 129 * 64) + 5 * 65


def test_linkedin_13_what_is_missing_or_was_never_met_has_a_leaf(fitted, data):
    """A missing number that no training row lacked goes left at every split, as in the trees' library: to the leaves of the
    smallest there is, not of the mean. Numbers far outside of training have a valid leaf; an id that training never met is row 0
    of its own table and reaches no tree."""
    table = WORLD.make(400, 0).table
    column = table.column_names.index("followers")
    known = prepare_declared(table, SCHEMA)
    nothing = known.encode(table.set_column(column, "followers", pa.nulls(400, pa.float32())))
    mean = float(np.mean(table["followers"].to_numpy(), dtype=np.float64))
    middle, least = (known.encode(table.set_column(column, "followers", pa.array(np.full(400, v)))) for v in (mean, -1e30))
    assert nothing.numbers.isfinite().all() and torch.equal(ids(fitted, nothing), ids(fitted, least))
    assert not any(torch.equal(ids(fitted, nothing), ids(fitted, other)) for other in (middle, known.encode(table)))
    batch = data.part("train")
    splits = boosted(batch.numbers.numpy(), batch.labels["click"].numpy(), "binary", 10, Growth(16, 7, 0.3, 0))
    for tree in range(10):
        asked = [(split.feature, split.threshold) for split in splits[tree]]
        forest = fitted.representation.forest
        assert asked == list(zip(forest.feature[tree].tolist(), forest.threshold[tree].tolist(), strict=True))[:len(asked)]
    strange = replace(batch.rows(0, 2), numbers=torch.tensor([[1e6], [-1e6]]).expand(2, 20))
    assert (ids(fitted, strange) // 16 == torch.arange(50)).all()
    schema = Schema((Feature("x", "numeric"), Feature("city", "categorical", 3)), (Task("t"),))
    made = RankingModel(Blueprint(representation=TreeLeaves(trees=4, leaves=4, dim=2), tasks=("t",)), schema).eval()
    city = prepare_declared(pa.table({"x": [0.1, 0.2], "city": [0, 1], "t": [0, 1]}), schema)
    met, unmet = (city.encode(pa.table({"x": [0.1], "city": [value], "t": [0]})) for value in (1, 77))
    assert unmet.ids.tolist() == [[0]] and torch.equal(ids(made, met), ids(made, unmet))
    assert torch.isfinite(logits(made, unmet)["t"]).all() and not torch.equal(logits(made, met)["t"], logits(made, unmet)["t"])


def test_its_picture_is_of_no_gate_and_no_attention():
    """Section 9: these are said to be missing."""
    assert "no gates" in reason(SYSTEM.blueprint, SCHEMA, "gates")
    assert "no attention" in reason(SYSTEM.blueprint, SCHEMA, "attention")
    assert SYSTEM.picture == "tasks" and reason(SYSTEM.blueprint, SCHEMA, "tasks") == ""


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


def test_the_creators_feedback_is_a_task_that_can_be_added():
    """The preset leaves it out; added, it is a group of its own, or in the active network, and nothing else grows."""
    document = Document.preset("linkedin")
    assert "creator_feedback" not in document.blueprint.tasks and "creator_feedback" in [task.name for task in SCHEMA.tasks]
    added = document.but([("tasks", [*TASKS, *CREATOR])])
    inside = added.but([("sharing.groups", [list(PASSIVE), [*ACTIVE, *CREATOR]])])
    assert len(RankingModel(added.blueprint, SCHEMA).sharing.group) == 3
    network = 401 * 128 + 129 * 64
    assert [each.blueprint.count(SCHEMA).parameters - 125_893 for each in (added, inside)] == [network + 65, 65]


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
