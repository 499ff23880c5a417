"""Task masks: what one layer does beside the invariants of Tencent's sheet (tests/systems/test_tencent.py)."""
from __future__ import annotations

import math

import pytest
import torch

from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.sharing.task_masks import TaskMasks, shares
from rankzoo.components.stages import Stage
from rankzoo.errors import ZooError
from rankzoo.trace import Trace
from tests.components.masking import SPEC, TASKS, layer_of, masked, out, rows, shape, step
from tests.support import OFF, numel


def test_full_masks_are_a_shared_bottom():
    """1, forward: with all masks 1 every task reads what a shared bottom of the same weights gives."""
    layer, plain = layer_of(), SharedBottom(widths=SPEC.widths).build(shape())
    plain.bottom.load_state_dict(layer.base.state_dict())
    for vector in out(layer, rows()).values():
        torch.testing.assert_close(vector, plain(rows(), OFF).vectors["a"])


@pytest.mark.parametrize("share, alpha, rounds", [(0.41, 0.2, 4), (0.4, 0.2, 5), (0.31, 0.33, 3), (1.0, 0.2, 0), (0.5, 0.5, 1)])
def test_rounds_until_the_share_is_reached(share, alpha, rounds):
    spec = TaskMasks(kept=share, alpha=alpha)
    assert spec.rounds == rounds and (1 - alpha) ** rounds <= share + 1e-9
    assert rounds == 0 or (1 - alpha) ** (rounds - 1) > share


def test_soft_shares_by_hand():
    """c = 3 against 1 in a conflict: three quarters and one quarter; the third task does not own the weight."""
    mask = torch.tensor([True, True, False]).reshape(3, 1, 1)
    pull, worth = torch.tensor([2.0, -1.0, 9.0]).reshape(3, 1, 1), torch.tensor([3.0, 1.0, 50.0]).reshape(3, 1, 1)
    assert shares("soft", mask, pull, worth).flatten().tolist() == pytest.approx([0.75, 0.25, 0.0])
    assert shares("winner", mask, pull, worth).flatten().tolist() == [1.0, 0.0, 0.0]
    assert shares("none", mask, pull, worth).flatten().tolist() == [1.0, 1.0, 0.0]


def test_both_averages_remember_nine_tenths_by_hand():
    """Sheet 4.3, β = .9 from zero, every weight 2 with gradients 3 and then −1: g = .1 · 3 = .3, then .9 · .3 − .1 = .17; c =
    |2 · 3| / 10 = .6, then .9 · .6 + .1 · 2 = .74. Another task's averages stay where they were."""
    layer = layer_of()
    for gradient, pulls, worths in ((3.0, 0.3, 0.6), (-1.0, 0.17, 0.74)):
        for weight in layer.weights:
            weight.data.fill_(2.0)
            weight.grad = torch.full_like(weight, gradient)
        with layer.moving("b"):
            pass
        for kept, expected in ((layer.pull, pulls), (layer.worth, worths)):
            for each in kept:
                torch.testing.assert_close(each[1], torch.full_like(each[1], expected))
                assert not each[0].any() and not each[2].any()


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


@pytest.mark.parametrize("losses, best", [((0.4, 0.3, 0.5), 2), ((0.3, 0.4, 0.5), 1), ((0.5, 0.4, 0.3), 3), ((0.3, 0.3, 0.5), 2),
                                          ((math.nan,) * 3, 3)])
def test_the_best_of_a_task_s_masks_is_picked(losses, best):
    """Algorithm 1 of Sun et al.: the least loss on validation rows; of equal ones that with fewer weights. The whole network,
    which the first round trains, is no candidate; other tasks keep theirs. With no row to judge on, the last."""
    layer = layer_of(SPEC.model_copy(update={"pick": "best", "kept": 0.6}))
    candidates = []
    assert layer.spec.rounds == 3
    for name, loss in zip(("search", "search", "search", "trial"), (0.0, *losses), strict=True):
        layer.left(Stage(name, 1, ("b",)), lambda loss=loss: {} if math.isnan(loss) else {"b": loss})
        candidates.append([mask[1].clone() for mask in layer.mask])
    assert all(torch.equal(one, other) for one, other in zip(candidates[best - 1], candidates[-1], strict=True))
    assert all(mask[0].all() and mask[2].all() for mask in layer.mask)


def test_the_last_mask_is_trained_before_a_pick():
    """One round more for each task, of the same length; with `last` none, and nothing is remembered."""
    layer = SPEC.model_copy(update={"pick": "best", "kept": 0.31, "alpha": 0.33}).build(shape())
    found = [(stage.name, stage.steps) for stage in layer.stages(10_000)]
    assert found[1:5] == [("search", 250)] * 3 + [("trial", 250)] and len(found) == 14
    assert "least.0" in layer.state_dict() and "least.0" not in SPEC.build(shape()).state_dict()


def test_what_is_told_of_conflicts_by_hand():
    """Four weights: of a and b, pulled apart; of a and c, pulled alike; of b and c, one of them at rest; of a alone. Half of what
    a shares is pulled apart, half of what b shares, nothing of what c shares; one of three in all."""
    layer = layer_of()
    mask, pull = next(iter(layer.mask)), next(iter(layer.pull))
    pull[0, 0, 0] = 1.0
    assert layer.told() == {}, "one task alone has moved anything yet"
    for each in layer.mask:
        each[:] = False
    mask[:, 0, :4] = torch.tensor([[1, 1, 0, 1], [1, 0, 1, 0], [0, 1, 1, 0]], dtype=torch.bool)
    pull[:, 0, :4] = torch.tensor([[1.0, -2.0, 0.0, 5.0], [-3.0, 0.0, 1.0, 0.0], [0.0, -1.0, 0.0, 0.0]])
    told = layer.told()
    assert [told[f"conflict.{task}.own"] for task in TASKS] == [0.5, 0.5, 0.0]
    assert told["conflict.weights.all"] == pytest.approx(1 / 3) and SPEC.told() == ("conflict",)


def test_needs_something_to_read():
    with pytest.raises(ZooError, match="nothing is joined"):
        SPEC.after(shape(0))
