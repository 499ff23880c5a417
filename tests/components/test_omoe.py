"""OMoE: one gate for all tasks (multi-task sheet, 2), and that it is MMoE in all else."""
from __future__ import annotations

import pytest
import torch

from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.sharing.omoe import OMoE
from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.errors import ZooError
from rankzoo.trace import Trace
from tests.components.test_sharing import TASKS, D, out, rows, shape
from tests.support import numel, randomised

SETTINGS = ({"experts": 3, "widths": (4, 2)}, {"experts": 3, "widths": (4,), "bottom": (6,)},
            {"experts": 3, "widths": (4,), "bottom": (6,), "gate_input": "raw"})


def layer_of(**settings: object):
    return randomised(OMoE(**settings).build(shape())).double()


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_it_is_mmoe_with_equal_gates(settings):
    """All weights copied and the one gate to every task: every vector the same."""
    one, moe = layer_of(**settings), MMoE(**settings).build(shape()).double()
    moe.bottom.load_state_dict(one.bottom.state_dict())
    moe.expert.load_state_dict(one.expert.state_dict())
    for gate in moe.gate.values():
        gate.weight.data.copy_(one.gate.weight)
    ours, theirs = out(one, rows()), out(moe, rows())
    for task in TASKS:
        torch.testing.assert_close(ours[task], theirs[task])


def test_by_hand_and_one_tensor_for_all_tasks():
    """f = Σ_i softmax(W x)_i f_i(x), once; one gate is kept, linear and without bias."""
    layer, x, trace = layer_of(**SETTINGS[0]), rows(), Trace()
    vectors = out(layer, x, trace)
    weights = torch.softmax(x @ layer.gate.weight.T, dim=1)
    torch.testing.assert_close(vectors["a"], sum(weights[:, i:i + 1] * layer.expert[i](x) for i in range(3)))
    assert vectors["a"] is vectors["b"] is vectors["c"] and set(vectors) == set(TASKS) and layer.gate.bias is None
    assert [entry.address for entry in trace.of("gate")] == ["gate"]
    torch.testing.assert_close(trace["gate"].values, weights.detach())


def test_the_gate_hears_every_task():
    """Unlike MMoE's: its gradient is the sum of all tasks' gradients."""
    layer, x = layer_of(**SETTINGS[0]), rows(50)
    losses = {task: (vector * (i + 1)).sin().sum() for i, (task, vector) in enumerate(out(layer, x).items())}
    each = [torch.autograd.grad(loss, layer.gate.weight, retain_graph=True)[0] for loss in losses.values()]
    assert all(gradient.abs().sum() > 0 for gradient in each)
    torch.testing.assert_close(torch.autograd.grad(sum(losses.values()), layer.gate.weight)[0], sum(each))


def test_one_expert_is_a_shared_bottom():
    one, plain = layer_of(experts=1, widths=(4, 2)), SharedBottom(widths=(4, 2)).build(shape()).double()
    plain.bottom.load_state_dict(one.expert[0].state_dict())
    torch.testing.assert_close(out(one, rows())["b"], out(plain, rows())["b"])


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_count(settings):
    """MMoE's count with one gate instead of three, and one mixing."""
    one, moe = OMoE(**settings).count(shape()), MMoE(**settings).count(shape())
    width = D if settings.get("gate_input") == "raw" or "bottom" not in settings else 6
    assert one.parameters == numel(layer_of(**settings)) == moe.parameters - 2 * width * 3
    assert one.flops == moe.flops - 2 * (2 * width * 3 + 2 * 3 * settings["widths"][-1])


def test_nothing_to_read_is_refused():
    with pytest.raises(ZooError, match="has no input"):
        OMoE().after(shape(0))
