"""Groups: a network for each group of tasks, over one input (Ackerman and Kataria, 2021, figure's caption).

h_g = MLP_g(v), y_k = h_k(h_g(k)): hidden layers are shared inside a group and never across; no gate, no expert. Who belongs
together is set by hand, where a mixture of experts learns it. A `bottom` under all groups is for teaching: the source has none.
A representation may have tables of its own for each group (`share_table` of the leaves of trees): then v is v_g.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import Mlp, mlp_part
from rankzoo.components.slot import Slot, Width, needs_input, once
from rankzoo.errors import ZooError, axes, closest, listed
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Drawing, Edge, Shape
from rankzoo.signals import Branches
from rankzoo.trace import Trace

Names = Annotated[tuple[str, ...], Field(min_length=1, max_length=8)]


class Groups(Slot):
    """Tasks by group; those that no group names form one more. Every group has an MLP of `widths` for itself."""

    kind: Literal["groups"] = "groups"
    groups: Annotated[tuple[Names, ...], Field(max_length=8, title="Groups of tasks")] = ()
    widths: Annotated[tuple[Width, ...], Field(min_length=1, max_length=8, title="Layers of each group")] = (128, 64)
    bottom: Annotated[tuple[Width, ...], Field(max_length=8, title="Shared layers under the groups")] = ()
    dropout: Annotated[float, Field(ge=0, lt=1, title="Dropout")] = 0.0

    main: ClassVar = ("groups", "widths")
    short: ClassVar = "groups"
    title: ClassVar = "Groups of tasks"
    sentence: ClassVar = "Tasks of a group share a network; groups share nothing but the input."
    source: ClassVar = Source("Ackerman and Kataria", 2021, "Homepage feed multi-task learning using TensorFlow",
                              "LinkedIn Engineering, 3 June 2021")

    def described(self) -> str:
        return self.sentence if not self.bottom else "Tasks of a group share a network, over layers that all groups share."

    def equation(self) -> str:
        read, below = ("h", r",\quad h=\mathrm{MLP}(v)") if self.bottom else ("v", "")
        return rf"h_g=\mathrm{{MLP}}_g({read}),\quad y_k=h_k(h_{{g(k)}}){below}"

    def word(self) -> str:
        return f"{len(self.groups)} groups" if len(self.groups) > 1 else self.short

    def members(self, shape: Shape) -> tuple[tuple[str, ...], ...]:
        """The tasks of every group, the rest last; raises where a group names a task that is not there, or that another has."""
        tasks = [task.name for task in shape.tasks]
        once((name for group in self.groups for name in group), f"{shape.at}.groups")
        for i, group in enumerate(self.groups):
            for j, name in enumerate(group):
                if name not in tasks:
                    near = shape.meant(f"{shape.at}.groups.{i}.{j}", name)
                    raise ZooError("The model has no task '{name}' to put into a group.", closest(name, tasks) if near else
                                   "It has: {names}.", at=f"{shape.at}.groups.{i}.{j}", name=name, names=listed(tasks), cure=near,
                                   comes=f"{name}: {axes(0)}", needs=f"{name}: {axes(shape.joined or 'd')}")
        return self.divided(tuple(tasks))

    def divided(self, tasks: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """The groups, and one more of the tasks that none of them names."""
        rest = tuple(task for task in tasks if not any(task in group for group in self.groups))
        return (*self.groups, rest) if rest else self.groups

    def apart(self, tasks: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        return (tasks,) if self.bottom else self.divided(tasks)

    def inner(self, shape: Shape, group: int) -> int:
        """Width that a group reads."""
        return self.bottom[-1] if self.bottom else sum(stop - start for start, stop in shape.stretches(group))

    def after(self, shape: Shape) -> Shape:
        needs_input(shape)
        into = {f"branch.{task}": f"{shape.at}.group.{g}" for g, group in enumerate(self.members(shape)) for task in group}
        return shape.but(branch=self.widths[-1], origin={**shape.origin, **into})

    def count(self, shape: Shape) -> Count:
        parts = [mlp_part("bottom", shape.joined, self.bottom)] if self.bottom else []
        parts += [mlp_part(f"group.{g}", self.inner(shape, g), self.widths) for g in range(len(self.members(shape)))]
        return Count(tuple(parts))

    def draw(self, shape: Shape) -> Drawing:
        at, below, count = shape.at, shape.origin.get("joined"), self.count(shape)
        blocks, edges = [], []
        if self.bottom:
            blocks.append(Block(f"{at}.bottom", "sharing", "layer", "shared", "under all groups", self.bottom,
                                count.within("bottom").parameters))
            edges += [Edge(below, f"{at}.bottom", shape.joined)] if below else []
            below = f"{at}.bottom"
        for g, group in enumerate(self.members(shape)):
            blocks.append(Block(f"{at}.group.{g}", "sharing", "expert", f"Group {g + 1}", ", ".join(group), self.widths,
                                count.within(f"group.{g}").parameters, words=group))
            edges += [Edge(below, f"{at}.group.{g}", self.inner(shape, g))] if below else []
        return Drawing(tuple(blocks), tuple(edges))

    def build(self, shape: Shape) -> GroupsLayer:
        return GroupsLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[Groups, tuple[str, ...]]:
        known = {task.name for task in schema.tasks}
        kept = tuple(tuple(name for name in group if name in known) for group in self.groups)
        gone = tuple(name for group in self.groups for name in group if name not in known)
        return self.model_copy(update={"groups": tuple(group for group in kept if group)}), gone


class GroupsLayer(nn.Module):
    """(row, width) → (row, last width), one tensor for each group, which its tasks share; keeps `group.<number>`.

    stretches: where in the joined vector stands what each group reads, (start, stop) each; empty where all read the whole.
    """

    def __init__(self, spec: Groups, shape: Shape):
        super().__init__()
        self.members = spec.members(shape)
        self.bottom = Mlp(shape.joined, spec.bottom, dropout=spec.dropout)
        self.group = nn.ModuleList(Mlp(spec.inner(shape, g), spec.widths, dropout=spec.dropout) for g in range(len(self.members)))
        self.stretches = tuple(shape.stretches(g) for g in range(len(self.members))) if shape.own else ()

    def forward(self, x: Tensor, trace: Trace) -> Branches:
        x, vectors = self.bottom(x), {}
        for g, (network, tasks) in enumerate(zip(self.group, self.members, strict=True)):
            read = network(self.part(x, g) if self.stretches else x)
            trace.keep(f"group.{g}", "vector", ("row", "width"), read)
            vectors |= dict.fromkeys(tasks, read)
        return Branches(vectors)

    def part(self, x: Tensor, group: int) -> Tensor:
        """What a group reads of the joined vector: (row, width) → (row, width of its own)."""
        return torch.cat([x[:, start:stop] for start, stop in self.stretches[group]], dim=1)
