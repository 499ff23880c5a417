"""LSTM over a history: torch's own numbers, read from the oldest on, blind to what is not there."""
from __future__ import annotations

import pytest
import torch

from rankzoo.components.sequence.lstm import Lstm
from rankzoo.signals import Sequence, Signal
from tests.components.past import built, drawn
from tests.support import OFF

FULL = torch.ones(4, 6, dtype=torch.bool)


def states(layer, items, mask):
    return layer(Signal(sequences={layer.tokens.history: Sequence(items, mask)}), OFF).sequences[layer.tokens.history].values


def torch_s(layer, items):
    """The same weights in torch's own layer, whose gates stand in the same order."""
    own = torch.nn.LSTM(items.shape[2], layer.state.in_features, batch_first=True).double()
    with torch.no_grad():
        own.weight_ih_l0.copy_(layer.input.weight)
        own.weight_hh_l0.copy_(layer.state.weight)
        own.bias_ih_l0.copy_(layer.input.bias)
        own.bias_hh_l0.zero_()
        return own(items)[0]


@pytest.mark.parametrize("order", ["forward", "backward"])
def test_numbers_are_torch_s(order):
    layer = built(Lstm(width=5, order=order))
    items = torch.randn(4, 6, layer.input.in_features, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    read = items if order == "forward" else items.flip(1)
    expected = torch_s(layer, read)
    expected = expected if order == "forward" else expected.flip(1)
    torch.testing.assert_close(states(layer, items, FULL).detach(), expected, rtol=1e-4, atol=1e-5)


def test_what_is_not_there_leaves_the_state():
    """A gap in the middle, whatever stands in it, is as if the others stood together; there itself the state is zero."""
    layer, (items, _, _) = built(Lstm(width=5)), drawn()
    mask = torch.ones(items.shape[:2], dtype=torch.bool)
    mask[:, 1] = False
    kept = [i for i in range(items.shape[1]) if i != 1]
    together = states(layer, items[:, kept], mask[:, kept])
    torch.testing.assert_close(states(layer, items, mask)[:, kept], together, rtol=1e-4, atol=1e-5)
    other = items.clone()
    other[:, 1] = 9.0
    assert torch.equal(states(layer, other, mask), states(layer, items, mask)) and (states(layer, items, mask)[:, 1] == 0).all()
