"""Classes: a softmax over many, items of a catalogue or values of a feature, and a plain logit for every other task.

tied      s_j = s (W h)·x_j   x_j the encoding of item j that past items are read with: no number is owned by an item, so that
                              one never seen in training is scored as well (as in Shalaby et al., RecSys 2022, by its claims)
untied    s = W h + b         a vector and a bias per class, as heads for a category have them

h is the task's vector after its hidden layers; without the map (`mapped`) W is the identity, and h must be as wide as x_j: two
items are then compared as they are. The scale s is 1 but for encodings of length 1, whose products are too small to
tell classes apart. Class 0, the unknown one, stays out of the loss and of every ranking.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.by_task import ByTask
from rankzoo.components.mlp import Mlp, linear_part, mlp_part
from rankzoo.components.notation import named, network
from rankzoo.components.slot import Width
from rankzoo.components.towers.base import TowerLayer
from rankzoo.components.towers.mlp import MlpTower, networks
from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.schema import Task
from rankzoo.shape import Count, Drawing, Edge, Part, Shape
from rankzoo.signals import Branches, Signal
from rankzoo.trace import Trace


class Classes(MlpTower):
    """`tied` scores items with their own encoding; tasks whose classes are no items have a matrix of their own either way."""

    kind: Literal["classes"] = "classes"
    widths: Annotated[tuple[Width, ...], Field(max_length=8, title="Hidden layers of each tower")] = ()
    tied: Annotated[bool, Field(title="Score by item encodings")] = True
    mapped: Annotated[bool, Field(title="Map before the product")] = True
    scale: Annotated[float, Field(gt=0, le=100, title="Scale of the items' scores")] = 1.0

    main: ClassVar = ("widths", "tied")
    short: ClassVar = "classes"
    title: ClassVar = "Softmax over classes"
    sentence: ClassVar = "One score per item of the catalogue or per category: the next one is chosen among all."
    source: ClassVar = Source("Shalaby et al.", 2022, "M2TRec: metadata-aware multi-task transformer for large-scale and "
                              "cold-start free session-based recommendations", "RecSys 2022", "10.48550/arXiv.2209.11824")

    def equation(self) -> str:
        hidden = r",\quad " + network("h", named(self.activation), len(self.widths)) if self.widths else ""
        if not self.tied:
            return rf"s=W h{'+b' if self.head_bias else ''}{hidden}"
        scale = r"\gamma\," if self.scale != 1 else ""
        return rf"s_j = {scale}{'(W h)' if self.mapped else 'h'}^\top x_j{hidden}"

    def written(self, task: Task) -> str:
        return self.equation() if task.kind == "class" else super().equation()

    @property
    def searches(self) -> bool:
        return self.tied

    def ties(self, shape: Shape, task: Task) -> bool:
        """Whether a task's classes are scored with the items' encoding."""
        return self.tied and task.kind == "class" and shape.schema.named(task.of)

    def after(self, shape: Shape) -> Shape:
        plain = tuple(task for task in shape.tasks if task.kind != "class")
        if len(plain) < len(shape.tasks) and shape.logits:
            raise ZooError("A part adds one number to the logit, which is the same for all classes and so changes nothing.",
                           "Empty the Interaction column.", at=shape.at, cure=("interaction", []),
                           comes=axes(1), needs=axes(max(shape.schema.classes(task) for task in shape.tasks)))
        for task in shape.tasks:
            shape.schema.classes(task)
            if self.ties(shape, task) and not shape.catalogue:
                raise ZooError("The representation hands no items on.",
                               "Choose embeddings as representation, or set towers.tied to false.", at=f"{shape.at}.tied",
                               cure=(f"{shape.at}.tied", False), comes=f"{task.of}: {shape.schema.classes(task)} × 0",
                               needs=f"{task.of}: {shape.schema.classes(task)} × d")
            if self.ties(shape, task) and not self.mapped and self.last(shape) != shape.catalogue:
                wide, item = self.last(shape), shape.catalogue
                raise ZooError("Without a map a product needs two vectors of one width, but the network hands on {wide} numbers "
                               "and an item has {item}.", "Set towers.mapped to true, or change the widths before it.",
                               at=f"{shape.at}.mapped", cure=(f"{shape.at}.mapped", True), wide=wide, item=item,
                               comes=f"h: {axes(wide)}", needs=f"h: {axes(item)}")
        super().after(shape.but(tasks=plain))
        origin = {**shape.origin, **{f"tower.{t.name}": f"{shape.at}.{t.name}" for t in shape.tasks}}
        return shape.but(scale=self.scale, origin=origin)

    def count(self, shape: Shape) -> Count:
        last, parts = self.last(shape), []
        for task in shape.tasks:
            classes = shape.schema.classes(task)
            parts += [mlp_part(f"deep.{task.name}", shape.branch, self.widths, self.activation)] if self.widths else []
            if self.ties(shape, task):
                parts += [linear_part(f"head.{task.name}", last, shape.catalogue, bias=False)] if self.mapped else []
                parts += [Part(f"product.{task.name}", 0, 2 * shape.catalogue * classes, (classes,),
                               products=f"2 × {shape.catalogue:,} × {classes:,}")]
            else:
                parts.append(linear_part(f"head.{task.name}", last, classes, self.head_bias))
        return Count(tuple(parts))

    def last(self, shape: Shape) -> int:
        """Width of what the last map reads."""
        return (self.widths[-1] if self.widths else shape.branch) + shape.head_width

    def draw(self, shape: Shape) -> Drawing:
        drawn = networks(shape, self.count(shape), self.widths, "classes", self.activation)
        blocks = tuple(replace(block, units=(*self.widths, shape.schema.classes(task)))
                       for block, task in zip(drawn.blocks, shape.tasks, strict=True))
        items = tuple(Edge(shape.origin[shape.schema.catalogue.name], f"{shape.at}.{task.name}", shape.catalogue)
                      for task in shape.tasks if self.ties(shape, task))
        return Drawing(blocks, (*drawn.edges, *items))

    def build(self, shape: Shape) -> ClassesLayer:
        return ClassesLayer(self, shape)


class ClassesLayer(TowerLayer):
    """Branches (row, width) per task → logits (row, class), or (row,) of a task without classes."""

    def __init__(self, spec: Classes, shape: Shape):
        super().__init__()
        last = spec.last(shape)
        self.head_names, self.scale = tuple(shape.head), spec.scale
        self.tied = frozenset(t.name for t in shape.tasks if spec.ties(shape, t))
        self.single = frozenset(t.name for t in shape.tasks if t.kind != "class")
        self.deep = ByTask({t.name: Mlp(shape.branch, spec.widths, spec.activation, spec.dropout) for t in shape.tasks})
        alike = self.tied if not spec.mapped else frozenset()  # tasks whose items are compared as they are
        self.head = ByTask({t.name: nn.Identity() if t.name in alike
                            else nn.Linear(last, shape.catalogue, bias=False) if t.name in self.tied
                            else nn.Linear(last, shape.schema.classes(t), bias=spec.head_bias) for t in shape.tasks})

    def forward(self, branches: Branches, signal: Signal, trace: Trace) -> dict[str, Tensor]:
        bypass, logits = [signal.head[name] for name in self.head_names], {}
        for task in self.deep:
            h = torch.cat([*bypass, self.deep[task](branches.vectors[task])], dim=1)
            s = self.head[task](h)
            if task in self.tied:
                trace.keep(f"query.{task}", "vector", ("row", "width"), s)
                s = self.scale * s @ signal.catalogue.T  # (row, item)
            logits[task] = s.squeeze(1) + signal.logits.get(task, 0) if task in self.single else s
        return logits

    @torch.no_grad()
    def begin(self, task: str, logit: float) -> bool:
        """Set the bias of a task without classes; False where the last map has none."""
        if task not in self.single or self.head[task].bias is None:
            return False
        self.head[task].bias.fill_(logit)
        return True
