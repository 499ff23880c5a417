"""Progressive layered extraction (Tang et al., RecSys 2020): own experts for every task beside shared ones, in levels.

Level j, task k: S^{k,j} = [own experts of k, which read g^{k,j-1}; shared experts, which read g^{s,j-1}],
g^{k,j} = softmax(W^{k,j} g^{k,j-1}) S^{k,j}; the shared gate g^{s,j} mixes ALL experts of the level, m_s + Σ_k m_k. Before
level 1 every g is x. The last level has no shared gate, for nothing would read it. One level is CGC.
A gate reads what the level before mixed for it, not x again. A gate with a single expert would always say 1: it has no weights.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.by_task import ByTask
from rankzoo.components.mlp import Mlp, linear_part, mlp_part, sum_part
from rankzoo.components.sharing.mmoe import mix
from rankzoo.components.slot import Slot, Width, needs_input
from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Edge, Shape
from rankzoo.signals import Branches
from rankzoo.trace import Trace


class PLE(Slot):
    """`levels` of `own` experts per task (m_k) and `shared` experts (m_s), all of the same `widths`."""

    kind: Literal["ple"] = "ple"
    levels: Annotated[int, Field(ge=1, le=4, title="Levels")] = 2
    own: Annotated[int, Field(ge=0, le=8, title="Own experts per task")] = 1
    shared: Annotated[int, Field(ge=0, le=8, title="Shared experts")] = 1
    widths: Annotated[tuple[Width, ...], Field(min_length=1, max_length=8, title="Expert widths")] = (64,)

    main: ClassVar = ("levels", "own", "shared", "widths")
    short: ClassVar = "PLE"
    keeps: ClassVar = ("gate",)
    title: ClassVar = "PLE"
    sentence: ClassVar = "Every task mixes experts of its own with shared ones, level by level."
    source: ClassVar = Source("Tang et al.", 2020, "Progressive layered extraction (PLE): a novel multi-task learning model for "
                              "personalized recommendations", "RecSys 2020", "10.1145/3383313.3412236")

    @property
    def alone(self) -> bool:
        """Whether a task has one expert to read, so that there is nothing for a gate to weigh."""
        return self.own + self.shared == 1

    def described(self) -> str:
        if self.alone:
            return ("Every task has one expert of its own, level by level: no gate has a choice, and nothing is shared." if
                    self.own else "All tasks read one shared expert, level by level: no gate has a choice.")
        if not self.own:
            return "Every task mixes the same shared experts by a gate of its own, level by level."
        return self.sentence if self.shared else "Every task mixes experts of its own, level by level: nothing is shared."

    def equation(self) -> str:
        experts = ([r"f^{k,j}(g^{k,j-1})"] if self.own else []) + ([r"f^{s,j}(g^{s,j-1})"] if self.shared else [])
        if self.alone:
            return rf"g^{{k,j}}={experts[0]}"
        return rf"g^{{k,j}}=\mathrm{{softmax}}(W^{{k,j}} g^{{k,j-1}})\,S^{{k,j}},\quad S^{{k,j}}=[{';'.join(experts)}]"

    def word(self) -> str:
        return "CGC" if self.levels == 1 else "PLE"

    def called(self) -> str:
        return self.word()

    def experts(self, level: int, shape: Shape) -> dict[str, str]:
        """Every expert of a level with its task, "" for a shared one, in the order in which gates weigh them."""
        own = {f"level.{level}.own.{t.name}.{i}": t.name for t in shape.tasks for i in range(self.own)}
        return own | {f"level.{level}.shared.{i}": "" for i in range(self.shared)}

    def gates(self, level: int, shape: Shape) -> dict[str, str]:
        """Every gate of a level with its task, "" for the shared one."""
        gates = {f"level.{level}.gate.{t.name}": t.name for t in shape.tasks}
        return gates | ({f"level.{level}.shared_gate": ""} if self.shared and level < self.levels - 1 else {})

    def seen(self, level: int, task: str, shape: Shape) -> tuple[str, ...]:
        """The experts that a gate mixes: a task's own and the shared ones; all of them where it is the shared gate."""
        return tuple(expert for expert, owner in self.experts(level, shape).items() if owner in (task, "") or not task)

    def reads(self, level: int, shape: Shape) -> int:
        """Width that experts and gates of a level read."""
        return self.widths[-1] if level else shape.joined

    def after(self, shape: Shape) -> Shape:
        needs_input(shape)
        if not self.own and not self.shared:
            raise ZooError("These levels have no experts.", "Set own or shared experts to at least 1.", at=f"{shape.at}.own",
                           cure=(f"{shape.at}.own", 1), comes=axes(0, self.widths[-1]),
                           needs=axes("n", self.widths[-1]) + ", n ≥ 1")
        last = self.gates(self.levels - 1, shape)
        into = {f"branch.{task}": f"{shape.at}.{gate}" for gate, task in last.items()}
        return shape.but(branch=self.widths[-1], origin={**shape.origin, **into})

    def count(self, shape: Shape) -> Count:
        parts = []
        for level in range(self.levels):
            width = self.reads(level, shape)
            parts += [mlp_part(expert, width, self.widths) for expert in self.experts(level, shape)]
            for gate, task in self.gates(level, shape).items():
                n = len(self.seen(level, task, shape))
                if n > 1:
                    parts.append(linear_part(gate, width, n, bias=False))
                    parts.append(sum_part(mix(gate), n, self.widths[-1]))
        return Count(tuple(parts))

    def draw(self, shape: Shape) -> Drawing:
        at, count, blocks, edges = shape.at, self.count(shape), [], []
        below = dict.fromkeys(["", *(task.name for task in shape.tasks)], shape.origin.get("joined"))
        for level in range(self.levels):
            width = self.reads(level, shape)
            for expert, task in self.experts(level, shape).items():
                number = int(expert.rpartition(".")[2]) + 1
                blocks.append(Block(f"{at}.{expert}", "sharing", "expert", f"Own {number}" if task else f"Shared {number}", "",
                                    self.widths, count.within(expert).parameters, task=task))
                edges += [Edge(below[task], f"{at}.{expert}", width)] if below[task] else []
            for gate, task in self.gates(level, shape).items():
                seen = self.seen(level, task, shape)
                blocks.append(Block(f"{at}.{gate}", "sharing", "gate", f"gate {task}" if task else "shared gate", "softmax",
                                    (len(seen),), count.within(gate).parameters, task=task, holds=(f"{at}.{mix(gate)}",)))
                edges += [Edge(f"{at}.{expert}", f"{at}.{gate}", self.widths[-1]) for expert in seen]
                edges += [Edge(below[task], f"{at}.{gate}", width)] if level else []  # what a gate of level 1 reads is x
            below = {task: f"{at}.{gate}" for gate, task in self.gates(level, shape).items()}
        return Drawing(tuple(blocks), tuple(edges))

    def build(self, shape: Shape) -> PLELayer:
        return PLELayer(self, shape)


class PLELayer(nn.Module):
    """(row, width) → (row, expert width) per task; keeps the gates of every level."""

    def __init__(self, spec: PLE, shape: Shape):
        super().__init__()
        self.tasks = tuple(task.name for task in shape.tasks)
        self.level = nn.ModuleList(Level(spec.reads(i, shape), spec.widths, self.tasks, spec.own, spec.shared,
                                         bool(spec.shared) and i < spec.levels - 1) for i in range(spec.levels))

    def forward(self, x: Tensor, trace: Trace) -> Branches:
        fused, shared = dict.fromkeys(self.tasks, x), x
        for i, level in enumerate(self.level):
            fused, shared = level(fused, shared, trace.at(f"level.{i}"))
        return Branches(fused)


class Level(nn.Module):
    """What the level before mixed for each task and for the shared experts, (row, width) each → the same of this level.

    Keeps `gate.<task>` and `shared_gate` as (row, expert), kind gate; the labels are the experts' addresses in the level.
    """

    def __init__(self, inputs: int, widths: tuple[int, ...], tasks: tuple[str, ...], own: int, shared: int, shares: bool):
        super().__init__()
        self.own = ByTask({task: nn.ModuleList(Mlp(inputs, widths) for _ in range(own)) for task in tasks})
        self.shared = nn.ModuleList(Mlp(inputs, widths) for _ in range(shared))
        gates = {task: nn.Linear(inputs, own + shared, bias=False) for task in tasks if own + shared > 1}
        every = len(tasks) * own + shared
        self.alone = own + shared == 1  # a gate would see one expert
        self.shares = shares  # whether a level follows, which reads a mixture of all experts
        self.shared_gate = nn.Linear(inputs, every, bias=False) if shares and every > 1 else None
        self.gate = ByTask(gates)

    def seen(self, task: str) -> tuple[str, ...]:
        """The addresses of the experts that a gate mixes, in order; all of them where it is the shared gate."""
        own = tuple(f"own.{name}.{i}" for name, experts in self.own.items() if task in (name, "") for i in range(len(experts)))
        return (*own, *(f"shared.{i}" for i in range(len(self.shared))))

    def forward(self, fused: dict[str, Tensor], shared: Tensor, trace: Trace) -> tuple[dict[str, Tensor], Tensor]:
        own = {task: [expert(fused[task]) for expert in experts] for task, experts in self.own.items()}
        common = [expert(shared) for expert in self.shared]
        mixed = {task: self.mixture(f"gate.{task}", self.gate[task] if task in self.gate else None, fused[task],
                                    own[task] + common, self.seen(task), trace) for task in self.own}
        if not self.shares:
            return mixed, shared
        every = [expert for experts in own.values() for expert in experts] + common
        return mixed, self.mixture("shared_gate", self.shared_gate, shared, every, self.seen(""), trace)

    def mixture(self, name: str, gate: nn.Module | None, read: Tensor, experts: list[Tensor], seen: tuple[str, ...],
                trace: Trace) -> Tensor:
        """What a gate takes from the experts that it sees."""
        if self.alone:
            trace.keep(name, "gate", ("row", "expert"), read.new_ones(len(read), 1), {"expert": seen})
            return experts[0]
        weights = torch.softmax(gate(read), dim=1)  # (row, expert)
        trace.keep(name, "gate", ("row", "expert"), weights, {"expert": seen})
        return torch.bmm(weights.unsqueeze(1), torch.stack(experts, dim=1)).squeeze(1)
