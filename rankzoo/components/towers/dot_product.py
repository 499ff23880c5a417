"""Dot product: a user's vector times an item's, and nothing deeper (as in NRMS and two-tower models).

s_k = γ·⟨u, c⟩ + b_k (+ logits of linear parts): all tasks share the product, each has a bias of its own (which a softmax over a
request cannot learn: it adds the same to all rows). Because neither vector knows of the other, a server may keep both, and a
nearest-neighbour search finds the best items.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.by_task import ByTask
from rankzoo.components.slot import Slot, one_logit
from rankzoo.components.towers.base import TowerLayer
from rankzoo.components.towers.mlp import held
from rankzoo.errors import ZooError, axes, closest, listed, nearest
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Drawing, Part, Shape
from rankzoo.signals import Branches, Signal
from rankzoo.trace import Trace

CANDIDATE = "candidate"


class DotProduct(Slot):
    """Reads two fields as they are; what the concatenation joined is not read."""

    kind: Literal["dot_product"] = "dot_product"
    user: Annotated[str, Field(title="User's vector (empty: the history's)")] = ""
    item: Annotated[str, Field(title="Item's vector")] = CANDIDATE
    scale: Annotated[bool, Field(title="Learned scale")] = False
    bias: Annotated[bool, Field(title="A bias for each task")] = True

    main: ClassVar = ("scale",)
    short: ClassVar = "dot"
    title: ClassVar = "Dot product"
    sentence: ClassVar = "How well the user's vector and the item's point the same way: both can be computed beforehand."
    source: ClassVar = Source("Wu et al.", 2019, "Neural news recommendation with multi-head self-attention", "EMNLP 2019",
                              "10.18653/v1/D19-1671")

    def equation(self) -> str:
        return (r"s = \gamma\,\langle u, c\rangle" if self.scale else r"s = \langle u, c\rangle") + (" + b" if self.bias else "")

    def pair(self, shape: Shape) -> tuple[str, str]:
        """The names of the user's and the item's field; raises where one is missing or their widths differ."""
        user = self.user or next((h.name for h in shape.schema.histories if h.name in shape.fields), "")
        if not user:
            raise ZooError("There is no user's vector for the dot product: no history was pooled.",
                           "Choose a component for the Attention column, or name a field.", at=f"{shape.at}.user",
                           comes=f"u: {axes(0)}", needs=f"u: {axes('d')}")
        for setting, name in (("user", user), ("item", self.item)):
            if name in shape.fields:
                continue
            fix = closest(name, list(shape.fields)) or "Choose among: {names}."
            if name == CANDIDATE:
                fix = "Let additive attention hand on the candidate's vector too, or name a field."
            raise ZooError("There is no field '{name}' for the dot product.", fix, at=f"{shape.at}.{setting}", name=name,
                           names=listed(shape.fields), cure=nearest(f"{shape.at}.{setting}", name, shape.fields),
                           comes=f"{name}: {axes(0)}", needs=f"{name}: {axes('d')}")
        widths = shape.fields[user], shape.fields[self.item]
        if user == self.item:
            raise ZooError("The dot product would be one of '{user}' with itself: nothing of the item is read.",
                           "Name another field, or choose MLP in the Deep column.", at=f"{shape.at}.item", user=user,
                           comes=f"{user}: {axes(widths[0])}", needs=f"≠ {user}: {axes(widths[0])}")
        if widths[0] != widths[1]:
            raise ZooError("A dot product needs two vectors of one width, but '{user}' has {wide} numbers and '{item}' {other}.",
                           "Set the token width of the Attention column, or choose other fields.", at=f"{shape.at}.item",
                           user=user, wide=widths[0], item=self.item, other=widths[1], comes=f"{self.item}: {axes(widths[1])}",
                           needs=f"{self.item}: {axes(widths[0])}")
        return user, self.item

    def after(self, shape: Shape) -> Shape:
        one_logit(shape, item=True)
        self.pair(shape)
        if shape.head:
            raise ZooError("A dot product has no linear map for the crosses of {names} to enter.",
                           "Empty the Interaction column, or choose MLP in the Deep column.", at=shape.at,
                           names=listed(shape.head), cure=("interaction", []), comes=axes(shape.head_width), needs=axes(0))
        if any(shape.origin.get(f"branch.{t.name}", "") != shape.origin.get("joined", "") for t in shape.tasks):
            raise ZooError("A dot product does not read the shared network.",
                           "Choose Direct as sharing, or MLP in the Deep column.", at=shape.at,
                           cure=("sharing.kind", "direct"), comes=axes(len(shape.tasks), shape.branch), needs=axes(shape.joined))
        return shape.but(origin={**shape.origin, **{f"tower.{t.name}": f"{shape.at}.{t.name}" for t in shape.tasks}})

    def count(self, shape: Shape) -> Count:
        width = shape.fields[self.pair(shape)[0]]
        scale = (Part("scale", 1, 0, (1,), "1"),) if self.scale else ()
        return Count((Part("product", 0, 2 * width, (1,), products=f"2 × {width:,}"), *scale,
                      *(Part(f"bias.{t.name}", 1, 0, (1,), "1") for t in shape.tasks if self.bias)))

    def draw(self, shape: Shape) -> Drawing:
        blocks, edges, pair = [], [], self.pair(shape)
        for i, task in enumerate(shape.tasks):
            at = f"{shape.at}.{task.name}"
            shared = int(self.scale and i == 0)  # one product and one scale for all tasks are counted once
            once = () if i else (f"{shape.at}.product", f"{shape.at}.scale")
            blocks.append(Block(at, "towers", "tower", "⟨u, c⟩" if len(shape.tasks) == 1 else f"⟨u, c⟩ {task.name}",
                                "dot product", (1,), self.bias + shared, task=task.name, holds=(*held(shape, task), *once)))
            edges += shape.edges(pair, at)
        return Drawing(tuple(blocks), tuple(edges))

    def build(self, shape: Shape) -> DotProductLayer:
        return DotProductLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[DotProduct, tuple[str, ...]]:
        known = {"", CANDIDATE, *(f.name for f in schema.features), *(h.name for h in schema.histories)}
        changes = {setting: default for setting, default in (("user", ""), ("item", CANDIDATE))
                   if getattr(self, setting) not in known}
        return self.model_copy(update=changes), tuple(getattr(self, setting) for setting in changes)


class DotProductLayer(TowerLayer):
    """Fields (row, width) of user and item → logits (row,) per task."""

    def __init__(self, spec: DotProduct, shape: Shape):
        super().__init__()
        self.user, self.item = spec.pair(shape)
        self.scale = nn.Parameter(torch.ones(())) if spec.scale else None
        self.bias = ByTask({t.name: Bias() if spec.bias else nn.Identity() for t in shape.tasks})

    def forward(self, branches: Branches, signal: Signal, trace: Trace) -> dict[str, Tensor]:
        u, c = signal.fields[self.user], signal.fields[self.item]
        product = torch.bmm(u.unsqueeze(1), c.unsqueeze(2)).reshape(-1)  # (row,)
        product = product if self.scale is None else self.scale * product
        trace.keep("product", "logit", ("row",), product)
        return {task: bias(product) + signal.logits.get(task, 0) for task, bias in self.bias.items()}

    @torch.no_grad()
    def begin(self, task: str, logit: float) -> bool:
        """Set the bias of a task; False where it has none."""
        if not isinstance(self.bias[task], Bias):
            return False
        self.bias[task].bias.fill_(logit)
        return True


class Bias(nn.Module):
    """One number that is added."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias
