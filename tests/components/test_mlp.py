"""The one MLP, its activations against hand computation, and its count."""
from __future__ import annotations

import pytest
import torch
from torch import nn

from rankzoo.components.by_task import ByTask
from rankzoo.components.mlp import Dice, Mlp, PRelu, activation, linear_part, mlp_part
from tests.support import numel, randomised


def test_prelu_by_hand():
    """s where s > 0, α·s elsewhere, one α per unit of the last axis."""
    layer = PRelu(2)
    layer.alpha.data = torch.tensor([0.1, 0.5])
    s = torch.tensor([[[2.0, -4.0], [-3.0, 0.0]]])  # (row, position, unit)
    torch.testing.assert_close(layer(s), torch.tensor([[[2.0, -2.0], [-0.3, 0.0]]]))


def test_dice_by_hand_in_training():
    """p(s)·s + (1 − p(s))·α·s with the mean and the (biased) variance of the batch."""
    layer = Dice(1)
    layer.alpha.data = torch.tensor([0.5])
    s = torch.tensor([[1.0], [3.0], [5.0]])  # mean 3, variance 8/3
    p = torch.sigmoid((s - 3) / (8 / 3 + 1e-5) ** 0.5)
    torch.testing.assert_close(layer.train()(s), p * s + (1 - p) * 0.5 * s)


def test_dice_in_eval_uses_running_statistics():
    """The same row scores the same, whatever stands beside it."""
    layer = Dice(3).train()
    for seed in range(5):
        layer(torch.randn(20, 3, generator=torch.Generator().manual_seed(seed)) + 2)
    rows = torch.randn(4, 3)
    torch.testing.assert_close(layer.eval()(rows)[1:2], layer(rows[1:2]))
    mean, var = layer.norm.running_mean, layer.norm.running_var
    assert (mean > 0.5).all()
    p = torch.sigmoid((rows - mean) / (var + 1e-5).sqrt())
    torch.testing.assert_close(layer(rows), p * rows)  # α starts at 0


def test_dice_trains_on_a_single_row():
    """One row has no variance: the last batch of an epoch must not stop a training."""
    layer = Dice(2).train()
    before = layer.norm.running_mean.clone()
    assert torch.isfinite(layer(torch.tensor([[1.0, -1.0]]))).all()
    assert torch.equal(layer.norm.running_mean, before)


def test_dice_leaves_padding_out():
    """Hidden positions have no say in the statistics, and the visible ones come out as if they stood alone."""
    s, seen = torch.randn(4, 3, 2), torch.tensor([[True, True, False], [True, False, False], [False] * 3, [True] * 3])
    masked, plain = Dice(2).train(), Dice(2).train()
    out = masked(torch.where(seen.unsqueeze(2), s, 1e3), seen)
    torch.testing.assert_close(out[seen], plain(s[seen]))
    torch.testing.assert_close(masked.norm.running_var, plain.norm.running_var)
    assert torch.isfinite(out).all()


@pytest.mark.parametrize("name", ["relu", "prelu", "dice", "sigmoid", "tanh", "none"])
def test_gradients(name):
    """Every activation against finite differences in float64, away from the bend."""
    layer = activation(name, 3).double().eval()
    x = (torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 0.05).requires_grad_()
    assert torch.autograd.gradcheck(layer, x)


@pytest.mark.parametrize("act, total", [("relu", 4 * 3 + 3 + 3 * 2 + 2), ("prelu", 4 * 3 + 3 + 3 + 3 * 2 + 2 + 2),
                                        ("dice", 4 * 3 + 3 + 3 + 3 * 2 + 2 + 2)])
def test_count(act, total):
    """Σ (inputs·outputs + outputs), one slope more per unit with PReLU and Dice."""
    part = mlp_part("deep", 4, (3, 2), act)
    assert part.parameters == numel(Mlp(4, (3, 2), act)) == total
    assert part.flops == 2 * (4 * 3 + 3 * 2)
    assert part.output == (2,)


def test_count_over_positions():
    """The same weights at five positions: parameters once, work five times."""
    part = linear_part("score", 6, 2, times=5)
    assert (part.parameters, part.flops, part.output) == (14, 5 * 24, (5, 2))


def test_relu_mlp_is_homogeneous():
    """Feature-crossing sheet, k.4: without biases, t times the input gives t times the output (t > 0)."""
    mlp = randomised(Mlp(5, (8, 3)))
    for layer in mlp:
        if isinstance(layer, nn.Linear):
            layer.bias.data.zero_()
    x = torch.randn(6, 5)
    torch.testing.assert_close(mlp(3 * x), 3 * mlp(x), rtol=1e-4, atol=1e-4)


def test_dropout_only_in_training():
    """An Mlp with dropout is deterministic in eval mode and not in training."""
    mlp = Mlp(4, (50,), "none", dropout=0.5)
    x = torch.ones(1, 4)
    assert torch.equal(mlp.eval()(x), mlp(x))
    assert (mlp.train()(x) == 0).sum() > 5


@pytest.mark.parametrize("name", ["type", "values", "train", "items", "keys", "a b"])
def test_a_task_may_have_any_name(name):
    """Torch's own ModuleDict refuses the names of its methods."""
    modules = ByTask({name: nn.Linear(2, 1)})
    assert numel(modules) == 3 and list(modules.keys()) == [name] and modules[name].in_features == 2
    assert list(modules.state_dict()) == [f"{name}.weight", f"{name}.bias"]
    modules.load_state_dict({f"{name}.weight": torch.ones(1, 2), f"{name}.bias": torch.zeros(1)})
    assert modules[name](torch.ones(1, 2)).tolist() == [[2.0]]
