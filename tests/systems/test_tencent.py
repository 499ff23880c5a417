"""Tencent's CSRec-style model: its world, the sheet's invariants (section 10) on the whole model, and what it reaches."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.sharing.task_masks import TaskMasks, conflicts, pruned, shares
from rankzoo.components.stages import Stage
from rankzoo.data.dataset import Dataset
from rankzoo.data.load import from_world, schema_of
from rankzoo.data.worlds.masks import CROSSED, FIELDS, TASKS, WORLD
from rankzoo.document import Document
from rankzoo.inspection.masks import ALL, Owned, active, masks
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.fit import Fit
from rankzoo.training.run import finish
from tests.components.masking import SPEC, exact, layer_of, masked, out, rows, step
from tests.components.masking import TASKS as TINY
from tests.support import copied, logits, numel, random_batch, randomised, small
from tests.test_course import SPEC as SMALL
from tests.test_course import fit_of, run, weights

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


# the sheet's invariants (section 10), by their numbers; what else one layer does: components/test_task_masks.py

@pytest.fixture(scope="module")
def data() -> Dataset:
    """A few rows, for trainings of a small network."""
    return small("masks", 2_000)


def test_tencent_1_full_masks_without_a_conflict_rule_are_hard_sharing_bit_for_bit(data):
    """The same order of tasks, Adam, every weight of the whole model the same to the last bit: kept = 1, no warm-up."""
    ours = fit_of(data, TaskMasks(widths=(12, 6), kept=1.0, warmup_steps=0, conflict="none"), schedule="cosine")
    theirs = fit_of(data, SharedBottom(widths=(12, 6)), schedule="cosine")
    theirs.course.stages = (Stage("turns", theirs.steps, TASKS, "round_robin", last=True),)
    assert [(stage.name, stage.steps) for stage in ours.course.stages] == [("turns", theirs.steps)]
    before = [(name.replace("sharing.base", "sharing.bottom"), tensor) for name, tensor in weights(ours).items()]
    assert all(torch.equal(tensor, weights(theirs)[name]) for name, tensor in before)
    run(ours), run(theirs)
    ends = weights(theirs)
    for name, tensor in weights(ours).items():
        assert torch.equal(tensor, ends[name.replace("sharing.base", "sharing.bottom")]), name
    assert not torch.equal(ends["sharing.bottom.0.weight"], dict(before)["sharing.bottom.0.weight"])


def test_tencent_1_full_masks_give_the_logits_of_a_shared_bottom():
    """Every logit that of a shared bottom with the same weights."""
    model = model_of()
    plain = RankingModel(SYSTEM.blueprint.model_copy(update={"sharing": SharedBottom(widths=(64, 32))}), SCHEMA)
    copied(model, plain)
    plain.sharing.bottom.load_state_dict(model.sharing.base.state_dict())
    ours, theirs = logits(model, BATCH), logits(plain, BATCH)
    for task in TASKS:
        torch.testing.assert_close(ours[task], theirs[task])


def test_tencent_2_disjoint_masks_do_not_touch_each_other():
    """Training one task leaves the weights of a disjoint one unchanged. Biases belong to all and do move."""
    layer = layer_of()
    for mask in layer.mask:
        mask[:] = False
        mask[0, ::2], mask[1, 1::2] = True, True
    before = [weight.detach().clone() for weight in layer.weights]
    for number in range(5):
        step(layer, "a", rows(seed=number))
    for old, weight, mask in zip(before, layer.weights, layer.mask, strict=True):
        assert torch.equal(weight[mask[1]], old[mask[1]]) and not torch.equal(weight[mask[0]], old[mask[0]])


@pytest.mark.parametrize("make", [lambda p: torch.optim.SGD(p, 1e-3), lambda p: torch.optim.SGD(p, 1e-3, momentum=0.9),
                                  lambda p: torch.optim.Adam(p, 1e-2)], ids=["sgd", "momentum", "adam"])
@pytest.mark.parametrize("conflict", ["none", "soft", "winner"])
def test_tencent_3_a_step_moves_the_task_s_own_weights_only(make, conflict):
    """Weights where M_t = 0 stay as they are, also with momentum that another task's steps left behind."""
    layer = masked(layer_of(SPEC.model_copy(update={"conflict": conflict})))
    optimizer = make(layer.parameters())
    for number, task in enumerate(TINY * 3):
        before = [weight.detach().clone() for weight in layer.weights]
        step(layer, task, rows(seed=number), optimizer=optimizer)
        moved = 0
        for old, weight, mask in zip(before, layer.weights, layer.mask, strict=True):
            assert torch.equal(weight[~mask[TINY.index(task)]], old[~mask[TINY.index(task)]])
            moved += int((weight != old).sum())
        assert moved


def test_tencent_4_pruning_is_nested_and_keeps_the_share():
    """After z rounds (1 − α)^z is left up to rounding; M^{z+1} ≤ M^z; masks stay binary; other tasks keep theirs."""
    layer, stage = layer_of(TaskMasks(widths=(16, 8), kept=0.3, alpha=0.2)), Stage("search", 1, ("b",))
    total, left = sum(weight.numel() for weight in layer.weights), 0
    for z in range(1, layer.spec.rounds + 1):
        before = [mask.clone() for mask in layer.mask]
        layer.left(stage, dict)
        for old, mask in zip(before, layer.mask, strict=True):
            assert mask.dtype == torch.bool and (mask <= old).all() and mask[0].all() and mask[2].all()
        left = sum(int(mask[1].sum()) for mask in layer.mask)
        assert left == pytest.approx(total * 0.8**z, abs=z)
    assert left / total <= 0.3 < left / total / 0.8


def test_tencent_5_the_cut_off_is_common_to_all_layers():
    """The smallest go, wherever they stand; a layer of small weights may lose all of the round's share."""
    masks = [torch.ones(2, 3, dtype=torch.bool), torch.ones(2, 2, dtype=torch.bool)]
    scores = [torch.full((2, 3), 5.0), torch.tensor([[0.1, 0.2], [0.3, 9.0]])]
    kept = pruned(masks, scores, 0.3)
    assert kept[0].all() and kept[1].tolist() == [[False, False], [False, True]]
    again = pruned(kept, [scores[0], torch.zeros(2, 2)], 0.5)  # what is masked is no longer counted: 7 are left, 4 go
    assert int(again[0].sum() + again[1].sum()) == 3 and not again[1].any()


def test_tencent_5_only_the_weight_matrices_of_the_shared_network_are_masked(data):
    """No bias, table or head: after all rounds they hold no zero that they did not hold before, and masks have the shapes of the
    matrices."""
    fit = run(fit_of(data), 28)
    layer = fit.model.sharing
    assert [tuple(mask.shape[1:]) for mask in layer.mask] == [tuple(weight.shape) for weight in layer.weights]
    assert sum(mask[0].numel() for mask in layer.mask) == numel(layer) - 12 - 6
    masked_out = {id(weight) for weight in layer.weights}
    assert all((parameter != 0).all() for name, parameter in fit.model.named_parameters()
               if id(parameter) not in masked_out and not name.endswith("bias"))
    assert all(not mask.all() for mask in layer.mask)


def test_tencent_6_masking_is_zeroing_by_hand():
    """Forward with a mask = forward with weights zeroed; the gradient at masked entries is 0."""
    layer, x = masked(layer_of()), rows()
    first, second = layer.linear
    for at, task in enumerate(TINY):
        h = torch.relu(F.linear(x, first.weight * layer.mask._buffers["0"][at], first.bias))
        torch.testing.assert_close(out(layer, x)[task], torch.relu(F.linear(h, second.weight * layer.mask._buffers["1"][at],
                                                                           second.bias)))
        layer.zero_grad()
        out(layer, x)[task].sum().backward()
        for weight, mask in zip(layer.weights, layer.mask, strict=True):
            assert (weight.grad[~mask[at]] == 0).all() and (weight.grad != 0).any()


def test_tencent_6_a_mask_of_another_task_changes_nothing():
    """What read keeps is nothing to click."""
    model = model_of()
    before = logits(model, BATCH)
    for mask in model.sharing.mask:
        mask[1] = False
    after = logits(model, BATCH)
    assert torch.equal(after["click"], before["click"]) and not torch.equal(after["read"], before["read"])


def test_tencent_7_every_round_begins_with_the_same_weights(data):
    """After a round all weights, pruned ones too, are those of the end of the warm-up, exactly."""
    start = weights(run(fit_of(data), 4))
    fit = fit_of(data)
    for at in (4, 7, 10, 28):
        run(fit, at)
        fit.course.begin(fit.done, fit.optimizers, fit.train)
        for name, parameter in fit.model.named_parameters():
            assert torch.equal(parameter, start[name]), (at, name)
        assert all((tensor == 0).all() for optimizer in fit.optimizers for state in optimizer.state.values()
                   for tensor in state.values())


def test_tencent_7_without_a_warm_up_rounds_begin_with_the_first_weights(data):
    """θ(0), where no step is taken before pruning."""
    fit = fit_of(data, SMALL.model_copy(update={"warmup_steps": 0}))
    start = weights(fit)
    run(fit, 3)
    fit.course.begin(3, fit.optimizers, fit.train)
    assert all(torch.equal(parameter, start[name]) for name, parameter in fit.model.named_parameters())


def test_tencent_8_overlap_is_a_share_symmetric_and_one_of_itself():
    """{1, 2, 3} and {2, 3, 4, 5}: two of five; in [0, 1], symmetric, 1 with itself and where both are full."""
    mask = np.array([[1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]], dtype=bool)
    found = Owned(mask, np.zeros(mask.shape)).overlap()
    assert found[0, 1] == pytest.approx(2 / 5) and found[0, 2] == pytest.approx(1 / 2) and found[2, 3] == 1
    assert np.array_equal(found, found.T) and (np.diag(found) == 1).all() and (found >= 0).all() and (found <= 1).all()


def test_tencent_9_conflicts_lie_among_shared_weights():
    """The conflict set lies inside the shared set; zero is no direction."""
    rng = torch.Generator().manual_seed(0)
    mask, pull = torch.rand(3, 20, 20, generator=rng) < 0.5, torch.randn(3, 20, 20, generator=rng)
    found = conflicts(mask, pull)
    assert found.any() and (mask.sum(0)[found] >= 2).all()
    assert not conflicts(torch.ones(2, 1, 1, dtype=torch.bool), torch.tensor([[[0.0]], [[-1.0]]])).any()


def test_tencent_9_identical_tasks_have_no_conflict():
    """Read gets click's labels and head: over one batch both pull every weight alike; click and hide do not."""
    model = model_of()
    with torch.no_grad():
        for name, parameter in model.towers.named_parameters():
            if ".read." in name:
                parameter.copy_(model.towers.get_parameter(name.replace(".read.", ".click.")))
    twins = {"read": "click"}
    batch = replace(BATCH, labels={task: BATCH.labels[twins.get(task, task)] for task in TASKS},
                    observed={task: BATCH.observed[twins.get(task, task)] for task in TASKS})
    losses = model.train()(batch).losses
    model.sharing.compared({task: torch.autograd.grad(loss, list(model.sharing.weights), retain_graph=True)
                            for task, loss in losses.items()}, dict)
    for mask, pull in zip(model.sharing.mask, model.sharing.pull, strict=True):
        assert (pull[0] != 0).any() and not conflicts(mask[:2], pull[:2]).any() and conflicts(mask[[0, 3]], pull[[0, 3]]).any()


@pytest.mark.parametrize("how", ["soft", "winner"])
def test_tencent_10_owners_divide_a_conflict(how):
    """Over the owners a_t adds up to 1 on conflicts, and a_t = 1 elsewhere; a winner is exactly one."""
    rng = torch.Generator().manual_seed(1)
    mask, pull = torch.rand(3, 20, 20, generator=rng) < 0.6, torch.randn(3, 20, 20, generator=rng)
    worth = torch.rand(3, 20, 20, generator=rng) * mask
    worth[:, 0] = 0.0  # nobody depends on it: alike
    say, apart = shares(how, mask, pull, worth), conflicts(mask, pull)
    torch.testing.assert_close(say.sum(0)[apart], torch.ones(int(apart.sum())))
    assert torch.equal(say[:, ~apart], mask[:, ~apart].float()) and (say[~mask] == 0).all()
    if how == "winner":
        assert set(say.unique().tolist()) == {0.0, 1.0}
        best = worth.masked_fill(~mask, -1).argmax(0)[apart]
        assert torch.equal(say.argmax(0)[apart], best)


def test_tencent_11_contributions_are_sizes_of_what_the_task_owns():
    """c_t ≥ 0, and 0 where M_t = 0; a weight that feeds a dead unit contributes nothing, exactly and to first order."""
    layer, x = masked(layer_of(), share=0.7), rows()
    with torch.no_grad():
        layer.linear[0].bias[2] = -1e3  # the unit never fires
    for task in TINY:
        step(layer, task, x, lr=1e-6)
    for mask, worth in zip(layer.mask, layer.worth, strict=True):
        assert (worth >= 0).all() and (worth[~mask] == 0).all() and (worth > 0).any()
    assert (next(iter(layer.worth))[:, 2] == 0).all()
    assert exact(layer, x, "a", 0, (2, 1)) == 0.0


def test_tencent_12_the_first_order_score_is_the_exact_one_for_small_weights():
    """With θ_j scaled by a small ε, |θ g| over the exact contribution goes to 1."""
    layer, x = layer_of().double(), rows().double() + 0.3
    with torch.no_grad():
        for linear in layer.linear:
            linear.bias.fill_(4.0)  # every unit fires: no kink between the two points
    ratios = []
    for scale in (1e-1, 1e-2, 1e-3):
        with torch.no_grad():
            layer.weights[0][1, 3] = 0.5 * scale
        loss = out(layer, x)["a"].square().sum()
        gradient = torch.autograd.grad(loss, layer.weights[0])[0][1, 3]
        ratios.append(abs(float(layer.weights[0][1, 3].detach() * gradient)) / exact(layer, x, "a", 0, (1, 3)))
    errors = [abs(ratio - 1) for ratio in ratios]
    assert errors[2] < 1e-3 and errors == sorted(errors, reverse=True)


def test_tencent_12_exactly_without_a_unit_measured_once(data):
    """c_t = |L_t(M_t without the unit's weights) − L_t(M_t)| where the turns begin, 0 where the task does not own; masks and
    weights stand as before, and the turns leave what was measured as it is."""
    fit = run(fit_of(data, SMALL.model_copy(update={"contribution": "without_unit"})), 28)
    layer, stage = fit.model.sharing, fit.course.at(28)
    assert stage.last and not layer.measured
    masks, told = [mask.clone() for mask in layer.mask], {}
    compared = layer.compared
    layer.compared = lambda gradients, losses: told.update(losses=losses) or compared(gradients, losses)
    fit.course.begin(28, fit.optimizers, fit.train)
    before = weights(fit)
    assert layer.measured and all(torch.equal(one, other) for one, other in zip(masks, layer.mask, strict=True))
    fit.model.eval()
    whole = told["losses"]()
    for at, (mask, worth) in enumerate(zip(layer.mask, layer.worth, strict=True)):
        kept = mask[1, 2].clone()
        mask[1, 2] = False
        changed = abs(told["losses"]()[TASKS[1]] - whole[TASKS[1]])
        mask[1, 2] = kept
        torch.testing.assert_close(worth[1, 2], changed * kept, rtol=1e-5, atol=1e-7)
        assert (worth >= 0).all() and (worth[~mask] == 0).all() and worth.any(), at
    assert all(torch.equal(tensor, before[name]) for name, tensor in weights(fit).items())
    fit.model.train()
    measured = [worth.clone() for worth in layer.worth]
    run(fit, 33)
    assert all(torch.equal(one, other) for one, other in zip(measured, layer.worth, strict=True))


def test_tencent_13_a_turn_changes_one_head(data):
    """Click, read, share, hide, click … one batch each, and only that task's head moves. Embeddings learn again."""
    fit = run(fit_of(data), 29)
    for number in range(1, 7):
        before = weights(fit)
        now = weights(run(fit, 29 + number))
        heads = {name.split(".")[2] for name in now if name.startswith("towers.") and not torch.equal(now[name], before[name])}
        assert heads == {TASKS[number % 4]}
        assert any(not torch.equal(now[name], before[name]) for name in now if name.startswith("representation."))


def test_tencent_13_a_search_leaves_all_but_its_task_and_the_layer_alone(data):
    """Embeddings rest, other tasks' heads stand still, the own head learns."""
    fit = run(fit_of(data), 4)
    before = weights(fit)
    for name, now in weights(run(fit, 6)).items():
        moved = not torch.equal(now, before[name])
        if name.startswith("representation."):
            assert not moved
        if name.startswith("towers."):
            assert moved == ("click" in name)


def test_tencent_13_a_loss_has_no_gradient_in_another_head():
    """The loss of a task has no gradient in another task's head, and one in every table."""
    model = model_of().train()
    model(BATCH).losses["share"].backward()
    for name, parameter in model.named_parameters():
        if name.startswith("towers."):
            assert (parameter.grad is not None) == ("share" in name), name
    assert all(parameter.grad is not None for parameter in model.representation.parameters())


def test_tencent_14_parameters_are_counted_once():
    """|θ_E| + embeddings + heads; a fifth task would cost its head alone."""
    theta = 48 * 64 + 64 + 64 * 32 + 32
    head = 32 * 16 + 16 + 16 + 1
    tables = 8 * sum(values + 1 for values, _ in FIELDS.values())
    count = SYSTEM.blueprint.count(SCHEMA)
    assert count.parameters == numel(model_of()) == theta + 4 * head + tables == 9_492
    one = SYSTEM.blueprint.with_tasks(("click",), SCHEMA).count(SCHEMA)
    assert count.parameters - one.parameters == 3 * head


def test_tencent_14_what_a_prediction_reads():
    """active(t) = ‖M_t‖₀ + embeddings + head_t (and the biases, which no mask covers): with masks of a known size."""
    model = model_of()
    for share, at in zip((0.25, 0.5, 0.75, 1.0), range(4), strict=True):
        for mask in model.sharing.mask:
            mask[at] = torch.arange(mask[at].numel()).reshape(mask[at].shape) < share * mask[at].numel()
    theta, biases, head = 48 * 64 + 64 * 32, 64 + 32, 32 * 16 + 16 + 16 + 1
    tables = 8 * sum(values + 1 for values, _ in FIELDS.values())
    found = active(Subject.of(model, small("masks", 400), rows=5)).set_index("task")
    assert found["masked"].tolist() == [theta // 4, theta // 2, 3 * theta // 4, theta]
    assert found["active"].tolist() == [kept + biases + tables + head for kept in found["masked"]]
    assert (found["total"] == numel(model)).all() and found.index.tolist() == list(TASKS)


def test_tencent_15_pruning_by_contrast_treats_identical_tasks_alike():
    """The same steps for two tasks give the same masks; another task's differ from them."""
    layer = layer_of(SPEC.model_copy(update={"prune_score": "contrast"}))
    start = {name: tensor.clone() for name, tensor in layer.base.state_dict().items()}
    for task in ("a", "b", "c"):
        layer.base.load_state_dict(start)
        for number in range(4):
            step(layer, task, rows(seed=number if task != "c" else 50 + number))
        layer.left(Stage("search", 1, (task,)), dict)
    first = list(layer.mask)
    assert all(torch.equal(mask[0], mask[1]) for mask in first)
    assert any(not torch.equal(mask[0], mask[2]) for mask in first)


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
def test_tencent_4_every_task_keeps_its_share(trained):
    """Three rounds of a third leave .67³ of all weights, more in one layer than in the other."""
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
    """4.1, 4.3 and 4.4 of the sheet: none, soft and winner; magnitude and contrast; turns in order or drawn; last or best."""
    for path, choices in {"conflict": ("none", "soft", "winner"), "prune_score": ("magnitude", "contrast"),
                          "alternate": ("round_robin", "proportional"), "pick": ("last", "best")}.items():
        for choice in choices:
            document = Document.preset("tencent").but([(f"sharing.{path}", choice)])
            assert getattr(document.blueprint.sharing, path) == choice
    assert isinstance(SYSTEM.blueprint.sharing, TaskMasks) and "-style" in SYSTEM.title


def test_what_was_not_read_is_not_said_to_be():
    """The body of the paper was not found: of the score and the update only the abstract's words are stated."""
    tags = {fact.path: fact.tag for fact in SYSTEM.facts if fact.path}
    assert tags["sharing.conflict"] == tags["sharing.prune_score"] == "unsure" and tags["sharing.kept"] == "ours"
    assert all(fact.at == "abstract" for fact in SYSTEM.facts if fact.tag == "stated" and fact.source is SYSTEM.source)
