"""Tasks in turns: one is drawn at each step, by its weight."""
from __future__ import annotations

import pytest
import torch

from rankzoo.training.combine.alternate import Alternate
from tests.test_combine import Toy


def test_alternate_follows_one_task_drawn_by_its_weight():
    """Of 3,000 steps: a quarter, three quarters and none by weights 1, 3 and 0; the gradient is the task's own, unweighed, with
    the penalty, and the heads of the others have none. A task without an observed row has no turn; one whose loss is below 0
    has."""
    model, turns = Toy({"a": "binary", "b": "binary", "c": "binary"}, {"b": 3.0, "c": 0.0}), {"a": 0, "b": 0}
    combine = Alternate(model)
    torch.manual_seed(0)
    for _ in range(3_000):
        model.zero_grad()
        losses = {task: 3 * model.own[task] for task in "abc"} | {"penalty.x": 0.5 * model.shared.sum()}
        combine.backward(losses, model)
        (task,) = [task for task in "abc" if model.own[task].grad is not None]
        assert float(model.own[task].grad) == 3 and model.shared.grad.tolist() == [0.5, 0.5]
        turns[task] += 1
    assert turns["b"] / 3_000 == pytest.approx(0.75, abs=0.03) and combine.weights() == {}
    for observed, turn in (({"a": 1.0, "b": 0.0}, "a"), ({"a": 0.0, "b": -1.0}, "b")):
        for _ in range(20):
            model.zero_grad()
            combine.backward({task: loss * model.own[task] for task, loss in observed.items()}, model)
            assert [task for task in "ab" if model.own[task].grad is not None] == [turn]


@pytest.mark.parametrize("weights, later, losses", [
    ({"a": 0.0, "b": 0.0}, {}, {"a": 3.0, "b": 3.0}), ({}, {"a": 0.0, "b": 0.0}, {"a": 3.0, "b": 3.0}),
    ({"a": 0.0}, {}, {"a": 3.0, "b": 0.0}), ({}, {}, {"a": 0.0, "b": 0.0})])
def test_alternate_with_nothing_to_draw_follows_penalties_alone(weights, later, losses):
    """All weights 0, or 0 by the epoch, or no row of the only task that has one: no task moves anything."""
    model = Toy({"a": "binary", "b": "binary"}, weights)
    combine = Alternate(model)
    combine.fixed |= later
    combine.backward({task: loss * model.own[task] for task, loss in losses.items()} | {"penalty.x": 0.5 * model.shared.sum()},
                     model)
    assert not any(each.grad is not None and each.grad for each in model.own.values())
    assert model.shared.grad.tolist() == [0.5, 0.5]
    model.zero_grad()
    combine.backward({task: loss * model.own[task] for task, loss in losses.items()}, model)
    assert not any(each.grad is not None and each.grad for each in model.own.values())
