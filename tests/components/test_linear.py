"""The linear part: additivity, fixed hashes, unseen crosses, and what it refuses."""
from __future__ import annotations

import pytest
import torch

from rankzoo.components.interaction.linear import Linear, LinearLayer, bucket
from rankzoo.errors import ZooError
from rankzoo.shape import Shape
from rankzoo.signals import Signal
from tests.support import OFF, numel, random_batch, randomised, rich

TASKS = tuple(task.name for task in rich().tasks)


def shape() -> Shape:
    schema = rich()
    return Shape(schema, schema.tasks, origin={f.name: f.name for f in schema.features}, at="interaction.0")


def aside(rows: int = 8, seed: int = 0) -> dict[str, torch.Tensor]:
    return random_batch(rich(), rows, seed).features


def logits(layer: LinearLayer, values: dict[str, torch.Tensor]) -> torch.Tensor:
    """(row, task)"""
    return torch.stack([layer(Signal(aside=values), OFF).logits[task] for task in TASKS], dim=1)


def test_by_hand():
    """b + Σ w[x] + Σ slope·x, one column of weights per task."""
    layer, values = randomised(Linear(crosses=(("item", "user"),), buckets=11).build(shape())), aside(4)
    starts = {"item": 0, "topic": 7, "user": 12, "device": 18}
    expected = layer.bias + values["price"][:, None] * layer.slopes[0] + values["age"][:, None] * layer.slopes[1]
    for name, start in starts.items():
        expected = expected + layer.weights[values[name] + start]
    expected = expected + layer.crossed[bucket(values["item"], values["user"], 11)]
    torch.testing.assert_close(logits(layer, values), expected)


def test_starts_at_zero():
    """All weights zero: every logit is 0, every probability ½."""
    assert torch.equal(logits(Linear().build(shape()), aside()), torch.zeros(8, len(TASKS)))


def test_additive():
    """s(x) − s(x with one field changed) depends on that field only."""
    layer = randomised(Linear().build(shape()))
    changes = []
    for seed in (1, 2):
        values = aside(8, seed) | {"topic": torch.full((8,), 1)}
        changes.append(logits(layer, values) - logits(layer, values | {"topic": torch.full((8,), 3)}))
    torch.testing.assert_close(changes[0], changes[1])
    torch.testing.assert_close(changes[0], changes[0][:1].expand(8, len(TASKS)))


def test_a_cross_is_not_additive():
    """With a cross, the effect of one field depends on the other: what the cross is for."""
    layer = randomised(Linear(crosses=(("topic", "user"),)).build(shape()))
    values = aside(8, 1) | {"user": torch.arange(8) % 6}
    change = logits(layer, values | {"topic": torch.full((8,), 1)}) - logits(layer, values | {"topic": torch.full((8,), 3)})
    assert not torch.allclose(change, change[:1].expand(8, len(TASKS)))


def test_hash_is_fixed():
    """The same buckets on every machine and in every run: links and saved runs depend on it."""
    a, b = torch.tensor([0, 1, 2, 999, 123_456]), torch.tensor([0, 1, 3, 999, 654_321])
    assert bucket(a, b, 5000).tolist() == [python_bucket(int(x), int(y), 5000) for x, y in zip(a, b, strict=True)]
    assert bucket(a, b, 5000).tolist() == FIXED
    assert bucket(a.int(), b.int(), 5000).tolist() == FIXED


FIXED = [2100, 4171, 3713, 1733, 1929]


def python_bucket(a: int, b: int, buckets: int) -> int:
    """The same hash in Python's unbounded integers, of which the low 47 bits are kept, as after torch’s wrap-around."""
    mixed = (a * 2_654_435_761 + b * 40_503 + 97) & 0x7FFF_FFFF_FFFF
    mixed = ((mixed ^ (mixed >> 21)) * 2_246_822_519) & 0x7FFF_FFFF_FFFF
    return (mixed ^ (mixed >> 17)) % buckets


def test_hash_spreads():
    """Every bucket in range, and 40,000 pairs fill 1,000 buckets about evenly (χ² within 5 sd of its mean)."""
    a, b = torch.arange(200).repeat_interleave(200), torch.arange(200).repeat(200)
    found = bucket(a, b, 1000)
    assert int(found.min()) >= 0 and int(found.max()) < 1000
    counts = torch.bincount(found, minlength=1000).double()
    chi = float(((counts - 40) ** 2 / 40).sum())
    assert abs(chi - 999) < 5 * (2 * 999) ** 0.5


def test_order_of_a_pair_matters_but_not_its_place():
    """(a, b) and (b, a) are different crosses, each with its own rows."""
    one = Linear(crosses=(("item", "user"), ("user", "item"))).build(shape())
    assert numel(one) == len(TASKS) * (21 + 2 * 5000 + 2 + 1)


def test_unseen_cross_changes_nothing():
    """A cross that no row of the training had still has the weight 0."""
    layer = Linear(crosses=(("item", "user"),), buckets=5000).build(shape())
    optimizer = torch.optim.SparseAdam([layer.weights, layer.crossed], lr=0.1)
    seen = aside(8)
    for _ in range(3):
        optimizer.zero_grad()
        (logits(layer, seen) - 1).square().mean().backward()
        optimizer.step()
    touched = set(bucket(seen["item"], seen["user"], 5000).tolist())
    untouched = [i for i in range(5000) if i not in touched]
    assert (layer.crossed[untouched] == 0).all() and (layer.crossed[sorted(touched)] != 0).all()


def test_gradient_is_p_minus_y():
    """∂loss/∂b = mean(p − y) for the logistic loss (feature-crossing sheet, a)."""
    layer, values = randomised(Linear().build(shape())), aside()
    label = torch.tensor([1.0, 0, 0, 1, 0, 1, 1, 0])
    s = logits(layer, values)[:, 0]
    torch.nn.functional.binary_cross_entropy_with_logits(s, label).backward()
    assert float(layer.bias.grad[0]) == pytest.approx(float((torch.sigmoid(s) - label).mean().detach()), abs=1e-6)


def test_gradcheck():
    """Slopes and bias against finite differences in float64 (the sparse look-up is checked by hand above)."""
    layer = randomised(Linear(first_order=True).build(shape())).double()
    values = {n: v.double() if v.is_floating_point() else v for n, v in aside(3).items()}

    def run(slopes, bias):
        stand_in = dict(slopes=slopes, bias=bias)
        signal = torch.func.functional_call(layer, stand_in, (Signal(aside=values), OFF))
        return torch.stack(list(signal.logits.values()))

    assert torch.autograd.gradcheck(run, (layer.slopes.detach().requires_grad_(), layer.bias.detach().requires_grad_()))


@pytest.mark.parametrize("spec, parameters", [
    (Linear(), len(TASKS) * (21 + 2 + 1)), (Linear(bias=False), len(TASKS) * 23), (Linear(first_order=False), len(TASKS)),
    (Linear(first_order=False, crosses=(("item", "user"),), buckets=9), len(TASKS) * 10)])
def test_count(spec, parameters):
    """Rows of all fields and crosses, one weight per number, one bias, times the tasks; a bias alone still has rows."""
    layer = spec.build(shape())
    assert spec.count(shape()).parameters == numel(layer) == parameters
    assert logits(layer, aside(5)).shape == (5, len(TASKS))


@pytest.mark.parametrize("spec, at, words", [
    (Linear(crosses=(("item", "nobody"),)), "interaction.0.crosses.0", "'nobody', which is no categorical field"),
    (Linear(crosses=(("item", "price"),)), "interaction.0.crosses.0", "'price', which is no categorical field"),
    (Linear(crosses=(("item", "position"),)), "interaction.0.crosses.0", "'position'"),
    (Linear(crosses=(("item", "user"), ("item", "user"))), "interaction.0.crosses.1", "'item × user' is named twice."),
    (Linear(first_order=False, bias=False), "interaction.0", "The linear part is empty")])
def test_refusals(spec, at, words):
    """What cannot stand is refused with its address."""
    with pytest.raises(ZooError) as refusal:
        spec.after(shape())
    assert refusal.value.at == at and words in str(refusal.value)


def test_two_linear_parts_add_up():
    """A second linear part adds to the first one's logit."""
    first, second = (randomised(Linear().build(shape()), seed) for seed in (1, 2))
    signal = second(first(Signal(aside=aside()), OFF), OFF)
    torch.testing.assert_close(torch.stack([signal.logits[t] for t in TASKS], 1),
                               logits(first, aside()) + logits(second, aside()))


def test_weights_of_an_earlier_version_are_read():
    """Fields and crosses stood in one parameter, the crosses below the fields."""
    layer = randomised(Linear(crosses=(("item", "user"),), buckets=11).build(shape()))
    old = layer.state_dict()
    old["weights"] = torch.cat([old["weights"], old.pop("crossed")])
    other = Linear(crosses=(("item", "user"),), buckets=11).build(shape())
    other.load_state_dict(old)
    assert torch.equal(other.weights, layer.weights) and torch.equal(other.crossed, layer.crossed)
