"""No sharing network: every tower reads the concatenated vector itself."""
from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor, nn

from rankzoo.components.slot import Slot
from rankzoo.shape import Shape
from rankzoo.signals import Branches
from rankzoo.trace import Trace


class Direct(Slot):
    """The slot counts as unused: x goes to every task as it is."""

    kind: Literal["direct"] = "direct"

    short: ClassVar = ""
    title: ClassVar = "Direct"
    sentence: ClassVar = "No shared network: each task's tower reads the joined vector itself."
    formula: ClassVar = r"f^k(x) = x"

    def after(self, shape: Shape) -> Shape:
        into = {f"branch.{task.name}": shape.origin["joined"] for task in shape.tasks} if shape.joined else {}
        return shape.but(branch=shape.joined, origin={**shape.origin, **into})

    def build(self, shape: Shape) -> DirectLayer:
        return DirectLayer(tuple(task.name for task in shape.tasks))


class DirectLayer(nn.Module):
    """(row, width) → the same tensor for every task."""

    def __init__(self, tasks: tuple[str, ...]):
        super().__init__()
        self.tasks = tasks

    def forward(self, x: Tensor, trace: Trace) -> Branches:
        return Branches({task: x for task in self.tasks})
