"""Towers with a shallow side tower for selection bias (Zhao et al., RecSys 2019, section 4.4).

p_k = sigmoid(y_k + b) for the tasks named in `on`, b = Σ_f w_f[x_f] + w[x_a × x_b]: scalars per bias feature and per
pair of them. In training the bias features are missing (row 0) in a share of the rows, so that the state used in
serving is trained; when serving they are missing, or the side tower is dropped.
"""
from __future__ import annotations

from itertools import combinations
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.notation import word
from rankzoo.components.slot import Width, once
from rankzoo.components.towers.mlp import MlpTower, MlpTowerLayer
from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.schema import Schema, Task
from rankzoo.shape import Block, Count, Drawing, Edge, Part, Shape
from rankzoo.signals import Branches, Signal
from rankzoo.trace import Trace


class Biased(MlpTower):
    """An MLP per task as ever, and a side tower that reads `by` and adds to the logits of `on`."""

    kind: Literal["biased"] = "biased"
    widths: Annotated[tuple[Width, ...], Field(max_length=8, title="Hidden layers of each tower")] = (16,)
    by: Annotated[tuple[str, ...], Field(min_length=1, max_length=4, title="Side tower reads")] = ("position", "device")
    on: Annotated[tuple[str, ...], Field(min_length=1, max_length=8, title="Side tower adds to")] = ("click",)
    drop_position: Annotated[float, Field(ge=0, le=1, title="Position dropout")] = 0.1
    serve: Annotated[Literal["missing", "drop_tower"], Field(title="Bias when serving")] = "missing"
    rate: Annotated[float, Field(gt=0, le=100, title="Learning rate of the side tower, ×")] = 5.0

    main: ClassVar = ("widths", "drop_position")
    short: ClassVar = "MLP"
    keeps: ClassVar = ("bias",)
    title: ClassVar = "Towers with a bias tower"
    sentence: ClassVar = "A shallow side tower soaks up what the position does, so that the main network need not."
    source: ClassVar = Source("Zhao et al.", 2019, "Recommending what video to watch next", "RecSys 2019",
                              "10.1145/3298689.3346997")

    def described(self) -> str:
        return self.sentence if self.serve == "missing" else (
            "A shallow side tower soaks up what the position does while the model learns; in serving it is left out.")

    def equation(self) -> str:
        return rf"p_k=\sigma(y_k + b({','.join(map(word, self.by))}))"

    def written(self, task: Task) -> str:
        return self.equation() if task.name in self.on else r"p_k=\sigma(y_k)"

    def after(self, shape: Shape) -> Shape:
        once(self.by, f"{shape.at}.by")
        once(self.on, f"{shape.at}.on")
        for i, name in enumerate(self.by):
            feature = shape.schema.feature(name, f"{shape.at}.by.{i}")
            if feature.kind != "categorical":
                raise ZooError("The side tower reads values, but '{name}' is a number.", "Choose a categorical feature.",
                               at=f"{shape.at}.by.{i}", name=name, comes=f"{name}: {axes(1)} ∈ ℝ",
                               needs=f"{name}: {axes(1)} ∈ {{0, 1, …}}")
        if not any(shape.schema.feature(name).bias for name in self.by):
            raise ZooError("None of the side tower's inputs is a bias feature of the data.",
                           "Choose one that is known in logs only, such as the position, or MLP in the Deep column.",
                           at=f"{shape.at}.by", comes=axes(0), needs=axes("n") + ", n ≥ 1",
                           cure=(f"{shape.at}.by", [f.name for f in shape.schema.features if f.bias]))
        tasks = [t.name for t in shape.tasks]
        for i, name in enumerate(self.on):
            if name not in tasks:
                raise ZooError("The side tower adds to '{name}', which is no task of the model.",
                               "Leave it out, or choose among: {tasks}.", at=f"{shape.at}.on.{i}", name=name,
                               tasks=", ".join(tasks), cure=shape.meant(f"{shape.at}.on.{i}", name),
                               comes=f"{name}: {axes(0)}", needs=f"{name}: {axes(1)}")
        return super().after(shape)

    def tables(self, schema: Schema) -> dict[str, int]:
        """Rows of every table of scalars: one per feature, one per pair of features."""
        sizes = {name: schema.feature(name).vocabulary for name in self.by}
        return sizes | {f"{a} × {b}": sizes[a] * sizes[b] for a, b in combinations(self.by, 2)}

    def count(self, shape: Shape) -> Count:
        rows = self.tables(shape.schema)
        side = Part("bias", sum(rows.values()), 0, (1,), " + ".join(f"{n:,}" for n in rows.values()), elementwise=len(rows))
        return super().count(shape) + Count((side,))

    def draw(self, shape: Shape) -> Drawing:
        main, at = super().draw(shape), f"{shape.at}.bias"
        known = [name for name in self.by if shape.schema.feature(name).bias]
        inputs = Block(shape.origin[known[0]], "representation", "bias", ", ".join(self.by), "known in logs only",
                       tuple(self.tables(shape.schema).values()), group="bias", words=self.by)
        served = "left out when serving" if self.serve == "drop_tower" else "“missing” when serving"
        tower = Block(at, "towers", "bias_tower", "Bias tower", served, (1,),
                      self.count(shape).within("bias").parameters)
        heads = tuple(Edge(at, f"losses.{task}", 1, side=True) for task in self.on)
        return Drawing((*main.blocks, inputs, tower), (*main.edges, Edge(inputs.address, at, 1, side=True), *heads))

    def build(self, shape: Shape) -> BiasedLayer:
        return BiasedLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[Biased, tuple[str, ...]]:
        names, tasks = {f.name for f in schema.features}, {t.name for t in schema.tasks}
        by, on = tuple(n for n in self.by if n in names), tuple(n for n in self.on if n in tasks)
        if not by or not any(schema.feature(n).bias for n in by):
            raise ZooError("These data have no position or other bias feature for the side tower.",
                           "Choose MLP in the Deep column.", at="towers.by", cure=("towers.kind", "mlp"))
        if not on:
            raise ZooError("No task is left that the side tower could add to.", "Choose MLP in the Deep column, or keep one "
                           "of: {on}.", at="towers.on", cure=("towers.kind", "mlp"), on=", ".join(self.on))
        return self.model_copy(update={"by": by, "on": on}), tuple(n for n in (*self.by, *self.on) if n not in by + on)


class SideTower(nn.Module):
    """Scalars by feature and by pair, zero at the start; raw ids (row,) → b (row,).

    The optimiser's learning rate is multiplied for them: a scalar moves one step a time and would stop short otherwise.
    """

    def __init__(self, spec: Biased, schema: Schema):
        super().__init__()
        self.by, self.rate = spec.by, spec.rate
        self.sizes = {name: schema.feature(name).vocabulary for name in spec.by}
        self.scalars = nn.ParameterList(nn.Parameter(torch.zeros(rows)) for rows in spec.tables(schema).values())

    def forward(self, ids: dict[str, Tensor]) -> Tensor:
        looked_up = [ids[name].long() for name in self.by]
        looked_up += [ids[a].long() * self.sizes[b] + ids[b].long() for a, b in combinations(self.by, 2)]
        return sum(table[rows] for table, rows in zip(self.scalars, looked_up, strict=True))

    def table(self) -> Tensor:
        """b for every value of the first two features: (value, other value); one column where there is one feature."""
        a, b = self.by[0], self.by[1] if len(self.by) > 1 else None
        first = torch.arange(self.sizes[a]).repeat_interleave(self.sizes[b] if b else 1)
        second = torch.arange(self.sizes[b]).repeat(self.sizes[a]) if b else first
        ids = {name: torch.zeros_like(first) for name in self.by} | ({a: first, b: second} if b else {a: first})
        return self.forward(ids).reshape(self.sizes[a], -1)


class BiasedLayer(MlpTowerLayer):
    """Branches → logits; keeps `bias.table` (slot, by), kind bias, and `bias.row` (row,)."""

    def __init__(self, spec: Biased, shape: Shape):
        super().__init__(spec, shape)
        self.on, self.drop, self.serve = spec.on, spec.drop_position, spec.serve
        self.logged = tuple(name for name in spec.by if shape.schema.feature(name).bias)
        self.bias = SideTower(spec, shape.schema)

    def forward(self, branches: Branches, signal: Signal, trace: Trace) -> dict[str, Tensor]:
        logits = super().forward(branches, signal, trace)
        trace.keep("bias.table", "bias", ("slot", "by"), self.bias.table)
        if self.serve == "drop_tower" and not self.training:
            return logits
        b = self.bias({name: signal.aside[name] for name in self.bias.by} | self.masked(signal))
        trace.keep("bias.row", "bias", ("row",), b)
        return {task: logit + b if task in self.on else logit for task, logit in logits.items()}

    def masked(self, signal: Signal) -> dict[str, Tensor]:
        """The bias features with row 0 (missing) in a share of the rows in training, in all of them when serving."""
        ids = {name: signal.aside[name] for name in self.logged}
        if not self.training:
            return {name: torch.zeros_like(values) for name, values in ids.items()}
        rows = next(iter(ids.values())).shape[0]
        keep = torch.rand(rows) >= self.drop
        return {name: values * keep for name, values in ids.items()}
