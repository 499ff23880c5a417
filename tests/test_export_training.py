"""What leaves with a model's code: a training at the rates that RankZoo has, and nothing of what the model is not."""
from __future__ import annotations

import re

import pytest
import torch

from rankzoo.document import Document
from rankzoo.export.code import batch_of, code
from rankzoo.export.pytorch.layers import carried
from rankzoo.export.pytorch.turn import WAYS
from rankzoo.training.combine import METHODS


@pytest.mark.parametrize(("system", "changes"), [("youtube", []), ("youtube", [("towers.rate", 1.0)]), ("dnn", [])],
                         ids=["a side tower", "at the common rate", "none"])
def test_every_parameter_learns_at_the_rate_that_it_has_here(monkeypatch, system: str, changes: list):
    """By name, as RankZoo's own optimisers have it; the file speaks of no rate that it does not use."""
    document = Document.preset(system).but(changes)
    model = document.model(document.schema())
    known: dict = {"__name__": __name__}
    exec(compile(text := code(model), "exported", "exec"), known)
    made: list[torch.optim.Adam] = []

    class Watched(torch.optim.Adam):
        """Adam that can be asked what it was given."""

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

    monkeypatch.setattr(torch.optim, "Adam", Watched)
    other = known["RankingModel"]()
    known["train"](other, steps=1, lr=0.25)
    names = {id(parameter): name for name, parameter in other.named_parameters()}
    found = {names[id(each)]: group["lr"] / 0.25 for group in made[0].param_groups for each in group["params"]}
    own = {name: rate for name, rate in model.rates().items() if rate != 1}
    assert {name: rate for name, rate in found.items() if rate != 1} == own and len(found) == len(names)
    assert bool(own) == ("RATES = " in text) == (system == "youtube" and not changes)


@pytest.mark.parametrize(("changes", "row"), [({}, "full"), ({"rank": 4}, "low rank"), ({"rank": 4, "experts": 3}, "mixture"),
                                              ({"rank": 4, "core": True}, "core")])
def test_a_cross_network_s_file_holds_the_formula_that_it_uses(changes: dict, row: str):
    document = Document.preset("dcn_v2").but([("interaction.0", {"kind": "cross_v2"})]).but(
        [(f"interaction.0.{name}", value) for name, value in changes.items()])
    text = code(document.model(document.schema()))
    told = {name for name in ("full", "low rank", "mixture", "core") if re.search(rf"^    {name} {{2,}}\S", text, re.M)}
    assert told == ({"core", "low rank"} if row == "core" else {row}) and ("share their gates" in text) == (row == "mixture")


@pytest.mark.parametrize(("own", "shared"), [(1, 1), (1, 0), (0, 1)])
def test_experts_that_gates_mix_leave_without_the_way_of_a_single_one(own: int, shared: int):
    """And a single one without gates."""
    document = Document.preset("ple").but([("sharing.own", own), ("sharing.shared", shared)])
    text = code(document.model(document.schema()))
    single = own + shared == 1
    assert (")[0] for task" in text) == single != ("torch.softmax(" in text)
    assert "experts[0]" not in text and "new_ones" not in text


@pytest.mark.parametrize(("system", "changes", "way"), [
    ("huawei", [], WAYS[0]), ("mmoe", [("losses.weights", {"like": 3.0})], WAYS[1]),
    ("youtube", [("towers.kind", "adversarial")], WAYS[1])])
def test_a_file_turns_gradients_as_a_training_does(system: str, changes: list, way: str):
    """Of one step on the same rows, in a conflict and without one: the gradient of every parameter that both have by that name,
    against RankZoo's own way to combine tasks. The losses of an adversary are no task's and are not turned."""
    document = Document.preset(system).but(changes)
    model = document.model(document.schema()).eval()
    known: dict = {"__name__": __name__}
    exec(compile(code(model, combine=way), "exported", "exec"), known)
    other, held, conflicts = known["RankingModel"](), carried(model), set()
    other.load_state_dict({name: held[name] for name in other.state_dict()})
    other.eval().train = lambda: other  # no dropout, so that both see the same
    rows = known["toy_batch"]
    for seed in range(8):
        torch.manual_seed(seed)
        toy = rows()
        known["toy_batch"] = lambda toy=toy: toy
        ways = METHODS[way](model)
        ways.backward(model(batch_of(model.schema, toy)).losses, model)
        found = grads(known, other)
        mine = {name: parameter.grad.to_dense() for name, parameter in model.named_parameters() if parameter.grad is not None}
        both = [name for name in mine.keys() & found.keys() if mine[name].shape == found[name].shape]
        assert len(both) > 10
        for name in both:
            assert torch.allclose(mine[name], found[name], atol=1e-6, rtol=1e-4), name
        conflicts.add(bool(ways.conflicts))
        if len(conflicts) == 2:
            return
    assert True in conflicts


def grads(known: dict, other: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The gradients that a file's training has at its first step; its weights stay."""
    known["train"](other, steps=1, lr=0.0)
    return {name: parameter.grad for name, parameter in other.named_parameters() if parameter.grad is not None}
