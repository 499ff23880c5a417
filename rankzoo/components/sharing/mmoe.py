"""Multi-gate mixture of experts (Ma et al., KDD 2018): each task mixes the same experts by its own gate.

f^k(x) = Σ_i g^k(x)_i f_i(x), g^k(x) = softmax(W_gk x): one linear map without bias; all experts are computed.
With `bottom` layers, experts and gates read a shared layer instead of the input, and `gate_dropout` sets a gate's
weights to zero in training and renormalises, against gates that collapse (both Zhao et al., RecSys 2019).
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.by_task import ByTask
from rankzoo.components.mlp import Mlp, linear_part, mlp_part, sum_part
from rankzoo.components.slot import Slot, Width, needs_input
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Edge, Shape
from rankzoo.signals import Branches
from rankzoo.trace import Trace


class MMoE(Slot):
    """`experts` networks of `widths`, one softmax gate per task."""

    kind: Literal["mmoe"] = "mmoe"
    bottom: Annotated[tuple[Width, ...], Field(max_length=8, title="Shared layers under the experts")] = ()
    experts: Annotated[int, Field(ge=1, le=64, title="Experts")] = 4
    widths: Annotated[tuple[Width, ...], Field(min_length=1, max_length=8, title="Expert widths")] = (64, 32)
    gate_dropout: Annotated[float, Field(ge=0, lt=1, title="Gate dropout")] = 0.0
    gate_input: Annotated[Literal["shared", "raw"], Field(title="Gates read")] = "shared"

    main: ClassVar = ("experts", "bottom", "widths", "gate_dropout")
    short: ClassVar = "experts"
    keeps: ClassVar = ("gate",)
    title: ClassVar = "MMoE"
    sentence: ClassVar = "Every task mixes the same experts by a gate of its own."
    source: ClassVar = Source("Ma et al.", 2018, "Modeling task relationships in multi-task learning with multi-gate "
                              "mixture-of-experts", "KDD 2018", "10.1145/3219819.3220007")

    one: ClassVar = False  # whether one gate serves all tasks

    def equation(self) -> str:
        k, task = ("", "") if self.one else ("^k", "_k")
        read = "h" if self.bottom else "x"
        gated = read if self.gate_input == "shared" else "x"
        below = r",\quad h=\mathrm{MLP}(x)" if self.bottom else ""
        return rf"f{k}(x)=\sum_i \mathrm{{softmax}}(W{task} {gated})_i\,f_i({read}){below}"

    def word(self) -> str:
        return f"{self.experts} experts"

    def inner(self, shape: Shape) -> int:
        """Width that the experts read."""
        return self.bottom[-1] if self.bottom else shape.joined

    def gated(self, shape: Shape) -> int:
        """Width that the gates read."""
        return self.inner(shape) if self.gate_input == "shared" else shape.joined

    def gates(self, shape: Shape) -> dict[str, str]:
        """Every gate with the task that it serves; "" stands for all tasks."""
        return {f"gate.{task.name}": task.name for task in shape.tasks}

    def after(self, shape: Shape) -> Shape:
        needs_input(shape)
        into = {f"branch.{each.name}": f"{shape.at}.{gate}" for gate, task in self.gates(shape).items()
                for each in shape.tasks if task in ("", each.name)}
        return shape.but(branch=self.widths[-1], origin={**shape.origin, **into})

    def count(self, shape: Shape) -> Count:
        parts = [mlp_part("bottom", shape.joined, self.bottom)] if self.bottom else []
        parts += [mlp_part(f"expert.{i}", self.inner(shape), self.widths) for i in range(self.experts)]
        for gate in self.gates(shape):
            parts.append(linear_part(gate, self.gated(shape), self.experts, bias=False))
            parts.append(sum_part(mix(gate), self.experts, self.widths[-1]))
        return Count(tuple(parts))

    def draw(self, shape: Shape) -> Drawing:
        at, below, count = shape.at, shape.origin.get("joined"), self.count(shape)
        blocks, edges = [], []
        if self.bottom:
            blocks.append(Block(f"{at}.bottom", "sharing", "layer", "shared", "under all experts", self.bottom,
                                count.within("bottom").parameters))
            edges += [Edge(below, f"{at}.bottom", shape.joined)] if below else []
            below = f"{at}.bottom"
        for i in range(self.experts):
            blocks.append(Block(f"{at}.expert.{i}", "sharing", "expert", f"Expert {i + 1}", "", self.widths,
                                count.within(f"expert.{i}").parameters))
            edges += [Edge(below, f"{at}.expert.{i}", self.inner(shape))] if below else []
        read = below if self.gate_input == "shared" else shape.origin.get("joined")
        for gate, task in self.gates(shape).items():
            edges += [Edge(read, f"{at}.{gate}", self.gated(shape))] if read else []
            blocks.append(Block(f"{at}.{gate}", "sharing", "gate", f"gate {task}" if task else "gate for all", "softmax",
                                (self.experts,), count.within(gate).parameters, task=task, holds=(f"{at}.{mix(gate)}",)))
            edges += [Edge(f"{at}.expert.{i}", f"{at}.{gate}", self.widths[-1]) for i in range(self.experts)]
        return Drawing(tuple(blocks), tuple(edges))

    def build(self, shape: Shape) -> MMoELayer:
        return MMoELayer(self, shape)


def mix(gate: str) -> str:
    """The path of what a gate does with its weights: the sum of the experts."""
    return gate.replace("gate", "mix", 1)


class MMoELayer(nn.Module):
    """(row, width) → (row, expert width) per task; keeps `gate.<task>` as (row, expert), kind gate."""

    def __init__(self, spec: MMoE, shape: Shape):
        super().__init__()
        self.dropout, self.raw_gates = spec.gate_dropout, spec.gate_input == "raw"
        self.bottom = Mlp(shape.joined, spec.bottom)
        self.expert = nn.ModuleList(Mlp(spec.inner(shape), spec.widths) for _ in range(spec.experts))
        self.gate = self.gates(spec, shape)

    def gates(self, spec: MMoE, shape: Shape) -> nn.Module:
        """One linear map per task."""
        return ByTask({t.name: nn.Linear(spec.gated(shape), spec.experts, bias=False) for t in shape.tasks})

    def forward(self, x: Tensor, trace: Trace) -> Branches:
        shared = self.bottom(x)
        experts = torch.stack([expert(shared) for expert in self.expert], dim=1)  # (row, expert, width)
        trace.keep("expert", "expert", ("row", "expert", "width"), experts)
        return Branches(self.mixtures(x if self.raw_gates else shared, experts, trace))

    def mixtures(self, read: Tensor, experts: Tensor, trace: Trace) -> dict[str, Tensor]:
        """(row, width) that the gates read, (row, expert, width) → (row, width) per task."""
        return {task: self.mixture(f"gate.{task}", gate(read), experts, trace) for task, gate in self.gate.items()}

    def mixture(self, name: str, scores: Tensor, experts: Tensor, trace: Trace) -> Tensor:
        """What one gate takes from the experts."""
        weights = torch.softmax(scores, dim=1)  # (row, expert)
        trace.keep(name, "gate", ("row", "expert"), weights)
        return torch.bmm(self.dropped(weights).unsqueeze(1), experts).squeeze(1)

    def dropped(self, weights: Tensor) -> Tensor:
        """Gate dropout: some weights set to zero, the rest renormalised; a row that would lose all keeps its gate."""
        if not self.training or not self.dropout:
            return weights
        kept = weights * (torch.rand_like(weights) >= self.dropout)
        total = kept.sum(dim=1, keepdim=True)
        return torch.where(total > 0, kept / total.clamp(min=torch.finfo(weights.dtype).tiny), weights)
