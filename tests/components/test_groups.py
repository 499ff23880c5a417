"""Groups of tasks: the LinkedIn sheet's invariants 5, 7 and 12 of one layer by number."""
from __future__ import annotations

import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.sharing.groups import Groups
from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape
from rankzoo.trace import Trace
from tests.support import flops, numel, random_batch, randomised, rich
from tests.wiring import assert_wired

TASKS = ("a", "b", "c", "d")
SCHEMA = Schema((), tuple(Task(name) for name in TASKS))
SHAPE = Shape(SCHEMA, SCHEMA.tasks, joined=6, branch=6, origin={"joined": "concatenation"}, at="sharing")
PAIRS = Groups(groups=(("a", "b"), ("c", "d")), widths=(5, 3))


def x() -> torch.Tensor:
    return torch.randn(4, 6, generator=torch.Generator().manual_seed(0))


def test_tasks_of_a_group_read_one_vector():
    """7: the very same tensor inside a group, another across; kept by group."""
    layer, trace = randomised(PAIRS.build(SHAPE)), Trace()
    vectors = layer(x(), trace).vectors
    assert vectors["a"] is vectors["b"] and vectors["c"] is vectors["d"]
    assert not torch.equal(vectors["a"], vectors["c"])
    torch.testing.assert_close(trace["group.1"].values, vectors["c"].detach())


def test_a_loss_moves_its_group_alone():
    """5: no gradient in the other group's network, in both directions; both in the input."""
    for task, own, other in (("a", 0, 1), ("d", 1, 0)):
        layer, rows = randomised(PAIRS.build(SHAPE)), x().requires_grad_()
        layer(rows, Trace(on=False)).vectors[task].sum().backward()
        assert all(p.grad is not None for p in layer.group[own].parameters())
        assert all(p.grad is None for p in layer.group[other].parameters()) and rows.grad.abs().sum() > 0


def test_one_group_is_a_shared_bottom():
    """No group named: all tasks form one, and it is Caruana's network with the same weights."""
    layer, bottom = Groups(widths=(5, 3)).build(SHAPE), SharedBottom(widths=(5, 3)).build(SHAPE)
    bottom.bottom.load_state_dict(layer.group[0].state_dict())
    ours, theirs = layer(x(), Trace(on=False)).vectors, bottom(x(), Trace(on=False)).vectors
    assert all(torch.equal(ours[task], theirs[task]) for task in TASKS)


def test_a_common_bottom_is_off_and_can_be_chosen():
    """12: with it all losses meet in a layer; the default has none."""
    assert Groups().bottom == () and not list(PAIRS.build(SHAPE).bottom.parameters())
    layer = randomised(PAIRS.model_copy(update={"bottom": (7,)}).build(SHAPE))
    layer(x(), Trace(on=False)).vectors["a"].sum().backward()
    assert all(p.grad is not None for p in layer.bottom.parameters())
    assert layer.group[0][0].in_features == 7


def test_tasks_that_no_group_names_form_one_more():
    spec = Groups(groups=(("b",),), widths=(3,))
    assert spec.members(SHAPE) == (("b",), ("a", "c", "d"))
    assert spec.after(SHAPE).origin["branch.d"] == "sharing.group.1" and spec.after(SHAPE).branch == 3
    assert spec.word() == "groups" and PAIRS.word() == "2 groups"


@pytest.mark.parametrize("groups, words", [((("a", "e"),), "no task 'e'"), ((("a",), ("b", "a")), "'a' is named twice")])
def test_wrong_groups_are_refused(groups, words):
    with pytest.raises(ZooError, match=words) as caught:
        Groups(groups=groups).after(SHAPE)
    assert caught.value.at.startswith("sharing.groups")


def test_without_an_input_it_is_refused():
    with pytest.raises(ZooError, match="no input"):
        PAIRS.after(SHAPE.but(joined=0))


def test_other_data_drop_what_they_lack():
    schema = Schema((), (Task("b"), Task("z")))
    spec, gone = PAIRS.fitted(schema)
    assert spec.groups == (("b",),) and gone == ("a", "c", "d")
    assert PAIRS.fitted(SCHEMA) == (PAIRS, ())


@pytest.mark.parametrize("bottom", [(), (4,)])
def test_counts_and_wiring(bottom):
    """Two networks, and the layer under them where there is one; FLOPs as torch counts them."""
    schema = rich()
    names = tuple(task.name for task in schema.tasks)
    blueprint = Blueprint(sharing=Groups(groups=(names[:1],), widths=(5, 3), bottom=bottom), towers=MlpTower(widths=()),
                          tasks=names)
    made = RankingModel(blueprint, schema)
    count = blueprint.count(schema)
    assert count.parameters == numel(made) and count.flops == flops(made, random_batch(schema, 6))
    groups = 1 + (len(names) > 1)
    joined = next(place.shape.joined for place in blueprint.places(schema) if place.address == "sharing")
    inner = bottom[-1] if bottom else joined
    expected = groups * (inner * 5 + 5 + 5 * 3 + 3) + (joined * 4 + 4 if bottom else 0)
    assert count.within("sharing").parameters == expected
    assert_wired(blueprint, schema)
