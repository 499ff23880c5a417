"""What the tests of task masks share: a small layer, masks drawn at random, steps of one task. No test stands here."""
from __future__ import annotations

import torch
from torch import Tensor

from rankzoo.components.sharing.task_masks import TaskMasks, TaskMasksLayer
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape
from rankzoo.trace import Trace
from tests.support import OFF, randomised

TASKS = ("a", "b", "c")
D = 5
SPEC = TaskMasks(widths=(6, 4), kept=0.3, alpha=0.2)


def shape(joined: int = D) -> Shape:
    tasks = tuple(Task(name) for name in TASKS)
    return Shape(Schema((), tasks), tasks, joined=joined, origin={"joined": "concatenation"}, at="sharing")


def layer_of(spec: TaskMasks = SPEC, seed: int = 0) -> TaskMasksLayer:
    return randomised(spec.build(shape()), seed)


def masked(layer: TaskMasksLayer, seed: int = 3, share: float = 0.5) -> TaskMasksLayer:
    """The layer with masks drawn at random."""
    rng = torch.Generator().manual_seed(seed)
    for mask in layer.mask:
        mask.copy_(torch.rand(mask.shape, generator=rng) < share)
    return layer


def rows(n: int = 7, seed: int = 0) -> Tensor:
    return torch.randn(n, D, generator=torch.Generator().manual_seed(seed))


def out(layer: torch.nn.Module, x: Tensor, trace: Trace = OFF) -> dict[str, Tensor]:
    return dict(layer(x, trace).vectors)


def step(layer: TaskMasksLayer, task: str, x: Tensor, lr: float = 0.1, optimizer: torch.optim.Optimizer | None = None) -> None:
    """One step of one task towards smaller outputs."""
    optimizer = optimizer or torch.optim.SGD(layer.parameters(), lr)
    optimizer.zero_grad()
    out(layer, x)[task].square().sum().backward()
    with layer.moving(task):
        optimizer.step()


def exact(layer: TaskMasksLayer, x: Tensor, task: str, at: int, place: tuple[int, int]) -> float:
    """c_t[j] = |L(M without j) − L(M)|, from two passes."""
    mask = list(layer.mask)[at][TASKS.index(task)]
    loss = lambda: float(out(layer, x)[task].square().sum())  # noqa: E731
    with torch.no_grad():
        whole, was = loss(), bool(mask[place])
        mask[place] = False
        without = loss()
        mask[place] = was
    return abs(without - whole)
