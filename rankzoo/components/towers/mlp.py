"""Deep network: an MLP per task, and the last linear map to its logit.

s_k = w_k·[head; MLP_k(f^k)] + b_k + Σ (logits of linear parts and factorisation machines).
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.by_task import ByTask
from rankzoo.components.mlp import Activation, Mlp, linear_part, mlp_part
from rankzoo.components.notation import named, network
from rankzoo.components.slot import Slot, Width, one_logit
from rankzoo.components.towers.base import TowerLayer
from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.schema import Task
from rankzoo.shape import Block, Count, Drawing, Edge, Shape
from rankzoo.signals import Branches, Signal
from rankzoo.trace import Trace


class MlpTower(Slot):
    """`widths` hidden layers per task; `head_bias` off where a linear part brings the bias (Wide & Deep)."""

    kind: Literal["mlp"] = "mlp"
    widths: Annotated[tuple[Width, ...], Field(max_length=8, title="Hidden layers of each tower")] = (256, 128, 64)
    activation: Annotated[Activation, Field(title="Activation")] = "relu"
    dropout: Annotated[float, Field(ge=0, lt=1, title="Dropout")] = 0.0
    head_bias: Annotated[bool, Field(title="Bias of the head")] = True

    main: ClassVar = ("widths",)
    short: ClassVar = "MLP"
    title: ClassVar = "MLP"
    sentence: ClassVar = "A few fully connected layers that turn the vector into one logit."
    source: ClassVar = Source("Cheng et al.", 2016, "Wide & Deep learning for recommender systems", "DLRS 2016",
                              "10.1145/2988450.2988454")

    def equation(self) -> str:
        hidden = network("h", named(self.activation), len(self.widths)) + r",\quad " if self.widths else ""
        return rf"{hidden}s=w^\top {'h' if hidden else 'x'}{'+b' if self.head_bias else ''}"

    def after(self, shape: Shape) -> Shape:
        one_logit(shape)
        if not shape.branch:
            raise ZooError("The deep network has no input: nothing is joined before it.",
                           "Join fields, choose embeddings as representation, or Bare in the Deep column.", at=shape.at,
                           cure=("concatenation.fields", None) if shape.fields else ("towers.kind", "bare"), comes=axes(0),
                           needs=axes("d"))
        return shape.but(origin={**shape.origin, **{f"tower.{t.name}": f"{shape.at}.{t.name}" for t in shape.tasks}})

    def count(self, shape: Shape) -> Count:
        last = (self.widths[-1] if self.widths else shape.branch) + shape.head_width
        parts = []
        for task in shape.tasks:
            parts += [mlp_part(f"deep.{task.name}", shape.branch, self.widths, self.activation)] if self.widths else []
            parts.append(linear_part(f"head.{task.name}", last, 1, self.head_bias))
        return Count(tuple(parts))

    def draw(self, shape: Shape) -> Drawing:
        return networks(shape, self.count(shape), self.widths, "MLP", self.activation)

    def build(self, shape: Shape) -> MlpTowerLayer:
        return MlpTowerLayer(self, shape)


def networks(shape: Shape, count: Count, widths: tuple[int, ...], title: str, detail: str,
             skips: tuple[tuple[int, int], ...] = ()) -> Drawing:
    """A node per task with bars of `widths` and of its logit, and the ways past some of them; `title` names the one of a single
    task."""
    blocks, edges, alone = [], [], len(shape.tasks) == 1
    for task in shape.tasks:
        at = f"{shape.at}.{task.name}"
        parameters = sum(count.within(f"{part}.{task.name}").parameters for part in ("deep", "head"))
        blocks.append(Block(at, "towers", "tower", title if alone else f"Tower {task.name}", detail,
                            (*widths, 1), parameters, task=task.name, skips=skips, holds=held(shape, task)))
        edges.append(Edge(shape.origin[f"branch.{task.name}"], at, shape.branch))
        edges += [Edge(shape.origin[name], at, width) for name, width in shape.head.items() if name in shape.origin]
    return Drawing(tuple(blocks), tuple(edges))


def held(shape: Shape, task: Task) -> tuple[str, ...]:
    """The paths of what a task's tower holds."""
    return tuple(f"{shape.at}.{each}.{task.name}" for each in ("deep", "head", "bias", "product"))


class MlpTowerLayer(TowerLayer):
    """Branches (row, width) per task → logits (row,) per task."""

    def __init__(self, spec: MlpTower, shape: Shape):
        super().__init__()
        last = (spec.widths[-1] if spec.widths else shape.branch) + shape.head_width
        self.head_names = tuple(shape.head)
        self.deep = ByTask({t.name: Mlp(shape.branch, spec.widths, spec.activation, spec.dropout) for t in shape.tasks})
        self.head = ByTask({t.name: nn.Linear(last, 1, bias=spec.head_bias) for t in shape.tasks})

    def forward(self, branches: Branches, signal: Signal, trace: Trace) -> dict[str, Tensor]:
        bypass = [signal.head[name] for name in self.head_names]
        logits = {}
        for task in self.deep:
            hidden = self.hidden(task, branches.vectors[task], trace)
            logit = self.head[task](torch.cat([*bypass, hidden], dim=1)).squeeze(1)
            if task in signal.logits:
                trace.keep(f"deep.{task}", "logit", ("row",), logit)
                trace.keep(f"wide.{task}", "logit", ("row",), signal.logits[task])
                logit = logit + signal.logits[task]
            logits[task] = logit
        return logits

    def hidden(self, task: str, x: Tensor, trace: Trace) -> Tensor:
        """The task's vector after its deep network: what the last linear map reads."""
        return self.deep[task](x)

    @torch.no_grad()
    def begin(self, task: str, logit: float) -> bool:
        """Set the bias of a task; False where the last map has none."""
        if self.head[task].bias is None:
            return False
        self.head[task].bias.fill_(logit)
        return True
