"""Two towers before the join: the user's fields and the ad's are crossed apart, each by its own layers (Snap Engineering, 2022).

x_0 = the fields of one side, x_{l+1} = x_0 ⊙ (W_l x_l + b_l) + x_l (Wang et al., WWW 2021), u = MLP(x_L); the item's side the
same with weights of its own. Fields of the context pass on as they are, and so does what was read off a history: it may know
the candidate. The user's vector knows no item, so that a request computes it once, whatever the number of its candidates, and
an item's vector can be kept. No dot product joins the two: the network behind reads both.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.interaction.cross_v2 import CrossV2, FullCross, LowRankCross
from rankzoo.components.mlp import Mlp, mlp_part
from rankzoo.components.slot import Slot, Width
from rankzoo.errors import Said, ZooError, axes
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Edge, Part, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace

SIDES = ("user", "item")


class Sided(Slot):
    """A tower for the user and one for the item: `layers` cross layers (`rank` 0: a full matrix), then an MLP of `widths`."""

    kind: Literal["sided"] = "sided"
    layers: Annotated[int, Field(ge=0, le=16, title="Cross layers of each tower")] = 2
    rank: Annotated[int, Field(ge=0, le=4096, title="Rank (0: full matrix)")] = 0
    widths: Annotated[tuple[Width, ...], Field(max_length=8, title="Layers behind the crosses of each tower")] = (32,)

    main: ClassVar = ("layers", "widths")
    short: ClassVar = "2 towers"
    title: ClassVar = "User and item towers"
    sentence: ClassVar = "Crosses the user's fields and the item's apart; only the join behind knows both."
    source: ClassVar = Source("Wang et al.", 2021, "DCN V2: improved deep & cross network", "WWW 2021", "10.1145/3442381.3450078")

    def equation(self) -> str:
        crossed = CrossV2(rank=self.rank).equation() + r",\quad " if self.layers else ""
        last = "x_L" if self.layers else "x_0"
        return crossed + (rf"u = \mathrm{{MLP}}({last})" if self.widths else f"u = {last}")

    def members(self, shape: Shape) -> dict[str, tuple[str, ...]]:
        """The fields of each side that has any; raises where neither has."""
        side = {feature.name: feature.side for feature in shape.schema.inputs}
        members = {each: tuple(name for name in shape.fields if side.get(name) == each) for each in SIDES}
        found = {each: names for each, names in members.items() if names}
        if not found:
            raise ZooError("No field that comes here is known to be a user's or an item's, so nothing can make a tower.",
                           "Choose data whose fields have sides, or set {at}.kind to cross_v2.", at=shape.at,
                           cure=(f"{shape.at}.kind", "cross_v2"), comes=f"user, item: {axes(0)}",
                           needs=f"user | item: {axes('d')}")
        for each in found:
            if self.tower(each) in shape.fields:
                raise ZooError("The {side} tower's vector is called '{name}', and there is such a field already.",
                               "Rename the column.", at=shape.at, side=Said(each), name=self.tower(each),
                               comes=f"{self.tower(each)}: {axes(shape.fields[self.tower(each)])}",
                               needs=f"{self.tower(each)}: {axes(0)}")
        return found

    def tower(self, side: str) -> str:
        """The name of the field that a tower makes."""
        return f"{side}_tower"

    def width(self, names: tuple[str, ...], shape: Shape) -> int:
        """How many numbers a side has."""
        return sum(shape.fields[name] for name in names)

    def after(self, shape: Shape) -> Shape:
        members = self.members(shape)
        taken = {name for names in members.values() for name in names}
        made = {self.tower(side): self.widths[-1] if self.widths else self.width(names, shape) for side, names in members.items()}
        fields = made | {name: width for name, width in shape.fields.items() if name not in taken}
        origin = dict(shape.origin)
        for side in members:
            last = f"{side}.deep" if self.widths else f"{side}.cross.{self.layers - 1}" if self.layers else f"{side}.input"
            origin[self.tower(side)] = f"{shape.at}.{last}"
        return shape.but(fields=fields, origin=origin)

    def cross_part(self, path: str, d: int) -> Part:
        """Count of one cross layer over d numbers."""
        return replace(CrossV2(rank=self.rank).layer_part(0, d), path=path)

    def count(self, shape: Shape) -> Count:
        parts = []
        for side, names in self.members(shape).items():
            d = self.width(names, shape)
            parts += [self.cross_part(f"{side}.cross.{i}", d) for i in range(self.layers)]
            parts += [mlp_part(f"{side}.deep", d, self.widths)] if self.widths else []
        return Count(tuple(parts))

    def draw(self, shape: Shape) -> Drawing:
        blocks, edges, count = [], [], self.count(shape)
        for side, names in self.members(shape).items():
            at, d = f"{shape.at}.{side}", self.width(names, shape)
            form, units = (f"rank {self.rank}", (d, self.rank)) if self.rank else ("full", (d,))
            chain = [Block(f"{at}.cross.{i}", "interaction", "cross", f"{side} ⊙ {i + 1}", form, units,
                           self.cross_part("", d).parameters, group=side, again=d if i else 0)
                     for i in range(self.layers)]
            if self.widths:
                chain.append(Block(f"{at}.deep", "interaction", "layer", f"{side} tower", "relu", self.widths,
                                   count.within(f"{side}.deep").parameters, group=side))
            chain = chain or [Block(f"{at}.input", "interaction", "concat", f"{side} tower", "no layer", (d,), group=side)]
            edges += [*shape.edges(names, chain[0].address),
                      *(Edge(one.address, other.address, d) for one, other in zip(chain, chain[1:], strict=False))]
            blocks += chain
        return Drawing(tuple(blocks), tuple(edges))

    def build(self, shape: Shape) -> SidedLayer:
        return SidedLayer(self, shape)


class SidedLayer(nn.Module):
    """Fields → `user_tower` and `item_tower`, (row, width) each, and the fields of neither side."""

    def __init__(self, spec: Sided, shape: Shape):
        super().__init__()
        self.members, self.fields = spec.members(shape), tuple(spec.after(shape).fields)
        self.named = {side: spec.tower(side) for side in self.members}
        for side, names in self.members.items():
            self.add_module(side, Tower(spec.width(names, shape), spec.layers, spec.rank, spec.widths))

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        made = {self.named[side]: self.get_submodule(side)(torch.cat(signal.joined(names), dim=1), trace)
                for side, names in self.members.items()}
        rows = max(len(vector) for vector in (*made.values(), *(signal.fields[name] for name in self.kept)))
        made = {name: vector.expand(rows, -1) for name, vector in made.items()}  # a request's user stands in one row
        return signal.but(fields={name: made[name] if name in made else signal.fields[name] for name in self.fields})

    @property
    def kept(self) -> tuple[str, ...]:
        """The fields that pass on as they are."""
        return tuple(name for name in self.fields if name not in self.named.values())

    def once(self, signal: Signal) -> Signal:
        """The signal of one request, whose rows have one user: the user's fields in a single row, so that their tower is
        computed once."""
        one = {name: signal.fields[name][:1] for name in self.members.get("user", ())}
        return signal.but(fields={**signal.fields, **one})


class Tower(nn.Module):
    """The numbers of one side, (row, D), crossed and made narrower: (row, width)."""

    def __init__(self, d: int, layers: int, rank: int, widths: tuple[int, ...]):
        super().__init__()
        self.cross = nn.ModuleList(LowRankCross(d, rank, 1) if rank else FullCross(d) for _ in range(layers))
        self.deep = Mlp(d, widths)

    def forward(self, x0: Tensor, trace: Trace) -> Tensor:
        x = x0
        for layer in self.cross:
            x = layer(x0, x, trace)
        return self.deep(x)
