"""Task masks: the invariants of Tencent's sheet that concern one layer (1 to 15; those of a whole training: test_tencent)."""
from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.sharing.task_masks import TaskMasks, TaskMasksLayer, conflicts, pruned, shares
from rankzoo.components.stages import Stage
from rankzoo.errors import ZooError
from rankzoo.schema import Schema, Shape, Task
from rankzoo.trace import Trace
from tests.support import OFF, numel, randomised

TASKS = ("a", "b", "c")
D = 5
SPEC = TaskMasks(widths=(6, 4), kept=0.3, alpha=0.2)


def shape(joined: int = D) -> Shape:
    tasks = tuple(Task(name) for name in TASKS)
    return Shape(Schema((), tasks), tasks, joined=joined, origin={"joined": "concatenation"}, at="sharing")


def layer_of(spec: TaskMasks = SPEC, seed: int = 0) -> TaskMasksLayer:
    return randomised(spec.build(shape()), seed)


def masked(layer: TaskMasksLayer, seed: int = 3, share: float = 0.5) -> TaskMasksLayer:
    """The layer with masks drawn at random."""
    rng = torch.Generator().manual_seed(seed)
    for mask in layer.mask:
        mask.copy_(torch.rand(mask.shape, generator=rng) < share)
    return layer


def rows(n: int = 7, seed: int = 0) -> Tensor:
    return torch.randn(n, D, generator=torch.Generator().manual_seed(seed))


def out(layer: torch.nn.Module, x: Tensor, trace: Trace = OFF) -> dict[str, Tensor]:
    return dict(layer(x, trace).vectors)


def step(layer: TaskMasksLayer, task: str, x: Tensor, lr: float = 0.1, optimizer: torch.optim.Optimizer | None = None) -> None:
    """One step of one task towards smaller outputs."""
    optimizer = optimizer or torch.optim.SGD(layer.parameters(), lr)
    optimizer.zero_grad()
    out(layer, x)[task].square().sum().backward()
    with layer.moving(task):
        optimizer.step()


def test_full_masks_are_a_shared_bottom():
    """1, forward: with all masks 1 every task reads what a shared bottom of the same weights gives."""
    layer, plain = layer_of(), SharedBottom(widths=SPEC.widths).build(shape())
    plain.bottom.load_state_dict(layer.base.state_dict())
    for vector in out(layer, rows()).values():
        torch.testing.assert_close(vector, plain(rows(), OFF).vectors["a"])


def test_full_masks_without_a_conflict_rule_train_as_hard_sharing():
    """1: the same order of tasks, the same weights to the last bit."""
    layer, plain = layer_of(SPEC.model_copy(update={"conflict": "none"})), SharedBottom(widths=SPEC.widths).build(shape())
    plain.bottom.load_state_dict(layer.base.state_dict())
    optimizer = torch.optim.SGD(plain.parameters(), 0.1)
    for number, task in enumerate(TASKS * 3):
        x = rows(seed=number)
        step(layer, task, x)
        optimizer.zero_grad()
        plain(x, OFF).vectors[task].square().sum().backward()
        optimizer.step()
    for ours, theirs in zip(layer.base.parameters(), plain.bottom.parameters(), strict=True):
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-6)


def test_masking_is_zeroing_by_hand():
    """6: forward with a mask = forward with weights zeroed; the gradient at masked entries is 0."""
    layer, x = masked(layer_of()), rows()
    first, second = layer.linear
    for at, task in enumerate(TASKS):
        h = torch.relu(F.linear(x, first.weight * layer.mask._buffers["0"][at], first.bias))
        torch.testing.assert_close(out(layer, x)[task], torch.relu(F.linear(h, second.weight * layer.mask._buffers["1"][at],
                                                                           second.bias)))
        layer.zero_grad()
        out(layer, x)[task].sum().backward()
        for weight, mask in zip(layer.weights, layer.mask, strict=True):
            assert (weight.grad[~mask[at]] == 0).all() and (weight.grad != 0).any()


@pytest.mark.parametrize("make", [lambda p: torch.optim.SGD(p, 1e-3), lambda p: torch.optim.SGD(p, 1e-3, momentum=0.9),
                                  lambda p: torch.optim.Adam(p, 1e-2)], ids=["sgd", "momentum", "adam"])
@pytest.mark.parametrize("conflict", ["none", "soft", "winner"])
def test_a_step_moves_the_task_s_own_weights_only(make, conflict):
    """3 and 2: weights where M_t = 0 stay as they are, also with momentum that another task's steps left behind."""
    layer = masked(layer_of(SPEC.model_copy(update={"conflict": conflict})))
    optimizer = make(layer.parameters())
    for number, task in enumerate(TASKS * 3):
        before = [weight.detach().clone() for weight in layer.weights]
        step(layer, task, rows(seed=number), optimizer=optimizer)
        moved = 0
        for old, weight, mask in zip(before, layer.weights, layer.mask, strict=True):
            assert torch.equal(weight[~mask[TASKS.index(task)]], old[~mask[TASKS.index(task)]])
            moved += int((weight != old).sum())
        assert moved


def test_disjoint_masks_do_not_touch_each_other():
    """2: training one task leaves the weights of a disjoint one unchanged. Biases belong to all and do move."""
    layer = layer_of()
    for mask in layer.mask:
        mask[:] = False
        mask[0, ::2], mask[1, 1::2] = True, True
    before = [weight.detach().clone() for weight in layer.weights]
    for number in range(5):
        step(layer, "a", rows(seed=number))
    for old, weight, mask in zip(before, layer.weights, layer.mask, strict=True):
        assert torch.equal(weight[mask[1]], old[mask[1]]) and not torch.equal(weight[mask[0]], old[mask[0]])


def test_pruning_is_nested_and_keeps_the_share():
    """4: after z rounds (1 − α)^z is left up to rounding; M^{z+1} ≤ M^z; masks stay binary; other tasks keep theirs."""
    layer, stage = layer_of(TaskMasks(widths=(16, 8), kept=0.3, alpha=0.2)), Stage("search", 1, ("b",))
    total, left = sum(weight.numel() for weight in layer.weights), 0
    for z in range(1, layer.spec.rounds + 1):
        before = [mask.clone() for mask in layer.mask]
        layer.left(stage)
        for old, mask in zip(before, layer.mask, strict=True):
            assert mask.dtype == torch.bool and (mask <= old).all() and mask[0].all() and mask[2].all()
        left = sum(int(mask[1].sum()) for mask in layer.mask)
        assert left == pytest.approx(total * 0.8**z, abs=z)
    assert left / total <= 0.3 < left / total / 0.8


def test_the_cut_off_is_common_to_all_layers():
    """5: the smallest go, wherever they stand; a layer of small weights may lose all of the round's share."""
    masks = [torch.ones(2, 3, dtype=torch.bool), torch.ones(2, 2, dtype=torch.bool)]
    scores = [torch.full((2, 3), 5.0), torch.tensor([[0.1, 0.2], [0.3, 9.0]])]
    kept = pruned(masks, scores, 0.3)
    assert kept[0].all() and kept[1].tolist() == [[False, False], [False, True]]
    again = pruned(kept, [scores[0], torch.zeros(2, 2)], 0.5)  # what is masked is no longer counted: 7 are left, 4 go
    assert int(again[0].sum() + again[1].sum()) == 3 and not again[1].any()


def test_only_weight_matrices_are_masked():
    """5: biases have no mask, and no layer but the shared one."""
    layer = layer_of()
    assert [tuple(mask.shape) for mask in layer.mask] == [(3, 6, 5), (3, 4, 6)]
    assert sum(mask[0].numel() for mask in layer.mask) == numel(layer) - 6 - 4


@pytest.mark.parametrize("share, alpha, rounds", [(0.41, 0.2, 4), (0.4, 0.2, 5), (0.31, 0.33, 3), (1.0, 0.2, 0), (0.5, 0.5, 1)])
def test_rounds_until_the_share_is_reached(share, alpha, rounds):
    spec = TaskMasks(kept=share, alpha=alpha)
    assert spec.rounds == rounds and (1 - alpha) ** rounds <= share + 1e-9
    assert rounds == 0 or (1 - alpha) ** (rounds - 1) > share


def test_conflicts_are_shared_and_identical_tasks_have_none():
    """9: the conflict set lies inside the shared set; tasks with the same gradient have no conflict; zero is no direction."""
    rng = torch.Generator().manual_seed(0)
    mask, pull = torch.rand(3, 20, 20, generator=rng) < 0.5, torch.randn(3, 20, 20, generator=rng)
    found = conflicts(mask, pull)
    assert found.any() and (mask.sum(0)[found] >= 2).all()
    assert not conflicts(mask, pull[:1].expand(3, 20, 20)).any()
    assert not conflicts(torch.ones(2, 1, 1, dtype=torch.bool), torch.tensor([[[0.0]], [[-1.0]]])).any()


@pytest.mark.parametrize("how", ["soft", "winner"])
def test_owners_divide_a_conflict(how):
    """10: over the owners a_t adds up to 1 on conflicts, and a_t = 1 elsewhere; a winner is exactly one."""
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


def test_soft_shares_by_hand():
    """c = 3 against 1 in a conflict: three quarters and one quarter; the third task does not own the weight."""
    mask = torch.tensor([True, True, False]).reshape(3, 1, 1)
    pull, worth = torch.tensor([2.0, -1.0, 9.0]).reshape(3, 1, 1), torch.tensor([3.0, 1.0, 50.0]).reshape(3, 1, 1)
    assert shares("soft", mask, pull, worth).flatten().tolist() == pytest.approx([0.75, 0.25, 0.0])
    assert shares("winner", mask, pull, worth).flatten().tolist() == [1.0, 0.0, 0.0]
    assert shares("none", mask, pull, worth).flatten().tolist() == [1.0, 1.0, 0.0]


def test_plain_descent_moves_by_the_share():
    """θ ← θ − η a_t M_t g_t, with a_t from the averages that the step itself has updated."""
    layer, x = masked(layer_of()), rows()
    for task in TASKS:
        step(layer, task, x)
    before = [weight.detach().clone() for weight in layer.weights]
    loss = out(layer, x)["b"].square().sum()
    gradients = torch.autograd.grad(loss, list(layer.weights))
    step(layer, "b", x, lr=0.01)
    for i, (old, weight, gradient) in enumerate(zip(before, layer.weights, gradients, strict=True)):
        say = shares("soft", *(list(kept)[i] for kept in (layer.mask, layer.pull, layer.worth)))[1]
        torch.testing.assert_close(weight.detach(), old - 0.01 * say * gradient, rtol=1e-4, atol=1e-6)


def test_contributions_are_sizes_of_what_the_task_owns():
    """11: c_t ≥ 0, and 0 where M_t = 0; a weight that feeds a dead unit contributes nothing, exactly and to first order."""
    layer, x = masked(layer_of(), share=0.7), rows()
    with torch.no_grad():
        layer.linear[0].bias[2] = -1e3  # the unit never fires
    for task in TASKS:
        step(layer, task, x, lr=1e-6)
    for mask, worth in zip(layer.mask, layer.worth, strict=True):
        assert (worth >= 0).all() and (worth[~mask] == 0).all() and (worth > 0).any()
    assert (next(iter(layer.worth))[:, 2] == 0).all()
    assert exact(layer, x, "a", 0, (2, 1)) == 0.0


def exact(layer: TaskMasksLayer, x: Tensor, task: str, at: int, place: tuple[int, int]) -> float:
    """c_t[j] = |L(M without j) − L(M)|, from two passes."""
    mask = list(layer.mask)[at][TASKS.index(task)]
    loss = lambda: float(out(layer, x)[task].square().sum())  # noqa: E731
    with torch.no_grad():
        whole, was = loss(), bool(mask[place])
        mask[place] = False
        without = loss()
        mask[place] = was
    return abs(without - whole)


def test_the_first_order_score_is_the_exact_one_for_small_weights():
    """12: with θ_j scaled by a small ε, |θ g| over the exact contribution goes to 1."""
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


def test_pruning_by_contrast_treats_identical_tasks_alike():
    """15: the same steps for two tasks give the same masks; another task's differ from them."""
    layer = layer_of(SPEC.model_copy(update={"prune_score": "contrast"}))
    start = {name: tensor.clone() for name, tensor in layer.base.state_dict().items()}
    for task in ("a", "b", "c"):
        layer.base.load_state_dict(start)
        for number in range(4):
            step(layer, task, rows(seed=number if task != "c" else 50 + number))
        layer.left(Stage("search", 1, (task,)))
    first = list(layer.mask)
    assert all(torch.equal(mask[0], mask[1]) for mask in first)
    assert any(not torch.equal(mask[0], mask[2]) for mask in first)


def test_count_holds_one_network():
    """14: T tasks cost T passes, never T copies; masks are no parameters."""
    count, layer = SPEC.count(shape()), layer_of()
    assert count.parameters == numel(layer) == 5 * 6 + 6 + 6 * 4 + 4
    assert count.flops == 3 * 2 * (5 * 6 + 6 * 4)
    assert [block.parameters for block in SPEC.draw(shape()).blocks] == [count.parameters, 0, 0, 0]


def test_masks_are_traced_by_layer_and_task():
    layer, trace = masked(layer_of()), Trace()
    out(layer, rows(), trace)
    assert [entry.address for entry in trace.of("mask")] == ["mask.0", "mask.1"]
    assert trace["mask.1"].axes == ("task", "unit", "input") and trace["mask.1"].labels["task"] == TASKS


def test_stages_shrink_where_steps_are_few():
    """Warm-up, rounds task by task, turns; never more than three quarters of the steps before the turns, all steps used."""
    spec = TaskMasks(kept=0.31, alpha=0.33, warmup_steps=300, round_steps=250)
    layer = spec.build(shape())
    whole = layer.stages(10_000)
    assert [stage.steps for stage in whole] == [300] + [250] * 9 + [7_450]
    assert [stage.tasks for stage in whole[1:4]] == [("a",)] * 3 and whole[-1].last and whole[-1].turns == "round_robin"
    for steps in (1, 2, 30, 400, 3_000):
        found = layer.stages(steps)
        assert sum(stage.steps for stage in found) == steps and found[-1].last and found[-1].steps >= steps / 4
        assert math.isclose(len(found), 1 if steps < 12 else 11, abs_tol=1)


def test_needs_something_to_read():
    with pytest.raises(ZooError, match="nothing is joined"):
        SPEC.after(shape(0))
