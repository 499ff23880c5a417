"""PLE and CGC: the invariants of the multi-task sheet (3), and what reference implementations got wrong."""
from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.sharing.ple import PLE, PLELayer
from rankzoo.errors import ZooError
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape
from rankzoo.trace import Trace
from tests.support import OFF, fill, numel, randomised

TASKS = ("a", "b", "c")
D = 5
CGC = PLE(levels=1, own=2, shared=3, widths=(6, 4))
SPECS = (CGC, PLE(levels=2, own=1, shared=1, widths=(4,)), PLE(levels=3, own=2, shared=2, widths=(4, 3)),
         PLE(levels=2, own=0, shared=3, widths=(4,)), PLE(levels=2, own=2, shared=0, widths=(4,)),
         PLE(levels=2, own=1, shared=0, widths=(4,)), PLE(levels=3, own=0, shared=1, widths=(4,)))


def shape(joined: int = D, tasks: tuple[str, ...] = TASKS) -> Shape:
    named = tuple(Task(name) for name in tasks)
    return Shape(Schema((), named), named, joined=joined, branch=joined, origin={"joined": "concatenation"}, at="sharing")


def layer_of(spec: PLE, tasks: tuple[str, ...] = TASKS, seed: int = 0) -> PLELayer:
    return randomised(spec.build(shape(tasks=tasks)), seed).double()


def rows(n: int = 40, seed: int = 0) -> Tensor:
    return torch.randn(n, D, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def out(layer: nn.Module, x: Tensor, trace: Trace = OFF) -> dict[str, Tensor]:
    return dict(layer(x, trace).vectors)


def mlp(weights: dict[str, Tensor], name: str, x: Tensor, depth: int) -> Tensor:
    """An expert from its numbers alone: linear, ReLU, linear, ReLU …"""
    for i in range(depth):
        x = torch.relu(x @ weights[f"{name}.{2 * i}.weight"].T + weights[f"{name}.{2 * i}.bias"])
    return x


def by_hand(spec: PLE, layer: PLELayer, x: Tensor, tasks: tuple[str, ...] = TASKS) -> dict[str, Tensor]:
    """The paper's equations from the numbers of the layer, task by task, row by row, without its code."""
    weights, depth = {name: p.detach() for name, p in layer.named_parameters()}, len(spec.widths)

    def mixed(gate: str, read: Tensor, experts: list[Tensor]) -> Tensor:
        if gate not in weights:
            assert len(experts) == 1, "only a gate without a choice has no weights"
            return experts[0]
        found = []
        for row in range(len(read)):
            scores = torch.exp(weights[gate] @ read[row])
            found.append(sum(s / scores.sum() * e[row] for s, e in zip(scores, experts, strict=True)))
        return torch.stack(found)

    g, shared = {task: x for task in tasks}, x
    for j in range(spec.levels):
        at = f"level.{j}"
        common = [mlp(weights, f"{at}.shared.{i}", shared, depth) for i in range(spec.shared)]
        own = {task: [mlp(weights, f"{at}.own.{task}.{i}", g[task], depth) for i in range(spec.own)] for task in tasks}
        after = {task: mixed(f"{at}.gate.{task}.weight", g[task], own[task] + common) for task in tasks}
        if spec.shared and j < spec.levels - 1:
            shared = mixed(f"{at}.shared_gate.weight", shared, sum(own.values(), []) + common)
        g = after
    return g


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_against_the_equations(spec):
    """Every level, with gates that read what was mixed for them and experts that end in ReLU."""
    layer, x = layer_of(spec), rows()
    for task, vector in out(layer, x).items():
        torch.testing.assert_close(vector, by_hand(spec, layer, x)[task])


def test_one_level_is_customised_gate_control():
    """CGC: g^k = softmax(W_g^k x) [E_k1 … E_km, E_s1 … E_sm], and no shared gate anywhere."""
    layer, x = layer_of(CGC), rows()
    only = layer.level[0]
    assert only.shared_gate is None and not any("shared_gate" in name for name, _ in layer.named_parameters())
    for task, vector in out(layer, x).items():
        experts = torch.stack([expert(x) for expert in [*only.own[task], *only.shared]])  # (expert, row, width)
        weights = torch.softmax(x @ only.gate[task].weight.T, dim=1)  # (row, expert)
        torch.testing.assert_close(vector, torch.einsum("re,erw->rw", weights, experts))


def test_without_own_experts_it_is_mmoe():
    """m_k = 0: MMoE with E = m_s, weights copied, gates and all."""
    ple, moe = layer_of(PLE(levels=1, own=0, shared=3, widths=(6, 4))), MMoE(experts=3, widths=(6, 4)).build(shape()).double()
    moe.expert.load_state_dict(ple.level[0].shared.state_dict())
    moe.gate.load_state_dict(ple.level[0].gate.state_dict())
    ours, theirs = Trace(), Trace()
    mixed = out(moe, rows(), theirs)
    for task, vector in out(ple, rows(), ours).items():
        torch.testing.assert_close(vector, mixed[task])
        assert torch.equal(ours[f"level.0.gate.{task}"].values, theirs[f"gate.{task}"].values)
    assert numel(ple) == numel(moe)


@pytest.mark.parametrize("levels", [1, 2])
def test_one_own_expert_and_none_shared_are_separate_networks(levels):
    """m_s = 0, m_k = 1: every gate is 1 and has no weights, a task's vector is its own MLP's."""
    layer, x, trace = layer_of(PLE(levels=levels, own=1, shared=0, widths=(6, 4))), rows(), Trace()
    for task, vector in out(layer, x, trace).items():
        expected = x
        for level in layer.level:
            expected = level.own[task][0](expected)
        torch.testing.assert_close(vector, expected)
        assert (trace[f"level.0.gate.{task}"].values == 1).all()
        grown = torch.autograd.grad(vector.sum(), list(layer.parameters()), retain_graph=True, allow_unused=True)
        hit = {name.split(".own.")[1].split(".")[0] for (name, _), g in zip(layer.named_parameters(), grown, strict=True)
               if g is not None}
        assert hit == {task}
    assert not any("gate" in name for name, _ in layer.named_parameters())


def pulled(layer: PLELayer, task: str, x: Tensor) -> set[str]:
    """The parameters that the vector of a task moves."""
    layer.zero_grad()
    out(layer, x)[task].square().sum().backward()
    return {name for name, p in layer.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}


def test_who_hears_a_task_in_cgc():
    """One level: a task moves its own experts, the shared ones and its gate, and nothing of another task."""
    layer, x = layer_of(CGC), rows(200)
    expected = {name for name, _ in layer.named_parameters()
                if name.startswith(("level.0.own.a.", "level.0.shared.", "level.0.gate.a"))}
    assert pulled(layer, "a", x) == expected


def test_who_hears_a_task_in_ple():
    """Two levels: another task's experts of the last level hear nothing, those of level 1 do, through the shared gate."""
    layer, x = layer_of(PLE(levels=2, own=2, shared=2, widths=(6, 4))), rows(200)
    moved = pulled(layer, "a", x)
    for other in ("b", "c"):
        silent = (f"level.1.own.{other}.", f"level.1.gate.{other}", f"level.0.gate.{other}")
        assert not any(name.startswith(silent) for name in moved)
        assert {name for name, _ in layer.named_parameters() if name.startswith(f"level.0.own.{other}.")} <= moved
    assert {"level.0.shared_gate.weight", "level.1.gate.a.weight"} <= moved


@pytest.mark.parametrize("tasks", [TASKS, ("a",)])
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_no_parameter_is_dead(spec, tasks):
    """All tasks summed: every parameter has a gradient that is not zero, whatever is shared or owned."""
    layer = layer_of(spec, tasks)
    sum(vector.square().sum() for vector in out(layer, rows(300)).values()).backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_widths_of_the_gates(spec):
    """m_k + m_s for a task's gate, T·m_k + m_s for the shared one, which the last level has not; no bias; rows sum to 1."""
    layer, trace = layer_of(spec), Trace()
    out(layer, rows(), trace)
    for j, level in enumerate(layer.level):
        assert all(gate.bias is None for gate in level.gate.values())
        sizes = {task: trace[f"level.{j}.gate.{task}"].values.shape[1] for task in TASKS}
        assert set(sizes.values()) == {spec.own + spec.shared}
        shared = f"level.{j}.shared_gate"
        assert (shared in trace.entries) == bool(spec.shared and j < spec.levels - 1)
        if shared in trace.entries:
            assert trace[shared].values.shape[1] == len(TASKS) * spec.own + spec.shared
    for entry in trace.of("gate"):
        assert len(entry.labels["expert"]) == entry.values.shape[1] and (entry.values >= 0).all()
        torch.testing.assert_close(entry.values.sum(dim=1), torch.ones(40, dtype=torch.float64))


def test_a_task_sees_its_own_and_the_shared_experts_only():
    """Labels say which; another task's experts may be anything, and the task stays where it was."""
    layer, x, trace = layer_of(CGC), rows(), Trace()
    before = out(layer, x, trace)
    assert trace["level.0.gate.b"].labels["expert"] == ("own.b.0", "own.b.1", "shared.0", "shared.1", "shared.2")
    fill(layer.level[0].own["a"], 3.0)
    after = out(layer, x)
    assert torch.equal(after["b"], before["b"]) and not torch.allclose(after["a"], before["a"])


def test_the_shared_gate_weighs_all_experts_of_its_level():
    """FuxiCTR's weighs the shared ones alone: here a task's own expert reaches another task, one level up."""
    layer, x, trace = layer_of(PLE(levels=2, own=1, shared=1, widths=(4,))), rows(), Trace()
    before = out(layer, x, trace)
    assert trace["level.0.shared_gate"].labels["expert"] == ("own.a.0", "own.b.0", "own.c.0", "shared.0")
    fill(layer.level[0].own["c"], 0.4)
    assert not torch.allclose(out(layer, x)["a"], before["a"])


def test_labels_follow_the_weights():
    """The i-th label is the expert that the i-th weight takes: with all other experts silent, what is left is its share."""
    spec = PLE(levels=2, own=2, shared=2, widths=(4,))
    layer, x = layer_of(spec), rows()
    loud = layer.level[0].own["b"][1]
    for level in layer.level[:1]:
        for expert in [*(e for own in level.own.values() for e in own), *level.shared]:
            fill(expert, 0.0)
    loud[0].bias.data.fill_(1.0)
    trace = Trace()
    fused, shared = layer.level[0](dict.fromkeys(TASKS, x), x, trace)
    for name, vector in (("gate.b", fused["b"]), ("shared_gate", shared)):
        place = trace[name].labels["expert"].index("own.b.1")
        torch.testing.assert_close(vector, trace[name].values[:, place:place + 1].expand(-1, 4))
    assert (fused["a"] == 0).all()


def test_gates_above_the_first_read_what_was_mixed_not_x():
    """Level 1 mixes the same vector for every row (silent weights, one bias): the gates of level 2 know nothing of a row."""
    layer, trace = layer_of(PLE(levels=2, own=2, shared=1, widths=(D,))), Trace()
    for expert in [*(e for own in layer.level[0].own.values() for e in own), *layer.level[0].shared]:
        fill(expert, 0.0)
        expert[0].bias.data.fill_(1.0)
    out(layer, rows(), trace)
    low, high = trace["level.0.gate.a"].values, trace["level.1.gate.a"].values
    assert (low.std(dim=0) > 0.01).all() and (high.std(dim=0) < 1e-12).all()
    assert layer.level[1].gate["a"].in_features == D


def test_experts_are_experts_of_their_own():
    """No list of experts stands twice (`[module] * n`), and none starts as a copy of another."""
    layer = PLE(levels=2, own=2, shared=2, widths=(8,)).build(shape())
    first = [parameter for name, parameter in layer.named_parameters() if name.endswith(".0.weight") and "gate" not in name]
    assert len({id(parameter) for parameter in first}) == len(first) == 2 * (3 * 2 + 2)
    assert all(not torch.equal(a, b) for i, a in enumerate(first) for b in first[:i] if a.shape == b.shape)


def test_permuted_shared_experts_change_nothing():
    """Shared experts of both levels and the gates' columns permuted together: the same vectors."""
    layer, x = layer_of(PLE(levels=2, own=1, shared=3, widths=(4,))), rows()
    before, order = out(layer, x), [2, 0, 1]
    for level in layer.level:
        level.shared = nn.ModuleList(level.shared[i] for i in order)
        for gate in [*level.gate.values(), *([level.shared_gate] if level.shared_gate is not None else [])]:
            rest = gate.weight.shape[0] - 3
            gate.weight.data.copy_(gate.weight[[*range(rest), *(rest + i for i in order)]].clone())
    for task, vector in out(layer, x).items():
        torch.testing.assert_close(vector, before[task])


def test_a_task_may_be_called_shared_or_gate():
    """Names that people choose meet no name of the layer's own."""
    tasks = ("shared", "gate", "own")
    spec = PLE(levels=2, own=1, shared=1, widths=(4,))
    layer, trace = layer_of(spec, tasks), Trace()
    vectors = out(layer, rows(), trace)
    assert set(vectors) == set(tasks) and len(trace.of("gate")) == 3 + 1 + 3
    for task, vector in by_hand(spec, layer, rows(), tasks).items():
        torch.testing.assert_close(vectors[task], vector)


@pytest.mark.parametrize("spec", SPECS[:4], ids=str)
def test_gradcheck(spec):
    """Input and weights against finite differences in float64."""
    layer = layer_of(spec)
    assert torch.autograd.gradcheck(lambda x: tuple(out(layer, x).values()), rows(3, seed=3).requires_grad_())


@pytest.mark.parametrize("tasks", [TASKS, ("a",)])
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_count(spec, tasks):
    """Σ_levels (T·m_k + m_s)·MLP(D_l) + T·D_l·(m_k + m_s) + Σ_{levels < N} D_l·(T·m_k + m_s); a gate of one expert has none."""
    t, width, total = len(tasks), D, 0
    for j in range(spec.levels):
        inner = width
        for h in spec.widths:
            total += (t * spec.own + spec.shared) * (inner * h + h)
            inner = h
        total += t * width * (spec.own + spec.shared) * (spec.own + spec.shared > 1)
        if spec.shared and j < spec.levels - 1:
            total += width * (t * spec.own + spec.shared) * (t * spec.own + spec.shared > 1)
        width = spec.widths[-1]
    count, layer = spec.count(shape(tasks=tasks)), spec.build(shape(tasks=tasks))
    assert count.parameters == numel(layer) == total
    modules = dict(layer.named_modules())
    assert all(part.parameters == numel(modules[part.path]) for part in count.parts if part.path in modules)


def test_no_expert_at_all_is_refused():
    with pytest.raises(ZooError) as refusal:
        PLE(own=0, shared=0).after(shape())
    assert refusal.value.at == "sharing.own" and "no experts" in str(refusal.value) and "at least 1" in str(refusal.value)


@pytest.mark.parametrize("spec", [PLE(), CGC], ids=str)
def test_nothing_to_read_is_refused(spec):
    with pytest.raises(ZooError, match="has no input"):
        spec.after(shape(0))
