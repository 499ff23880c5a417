"""Two towers: a user's vector and an item's, which know nothing of each other, and their inner product (Li et al., KDD 2021).

u = what was joined (through the user tower's layers), v_j = e_j + tanh(W [what is known of item j] + b), s_j = ⟨u, v_j⟩

e_j is the item's own vector (`own`; a map in front where it is not as wide as u), of a list of words the mean is known. All tasks
share the one score: an index of items holds one vector each, and what is best is found by a search for near neighbours. So
all v_j are made once a pass, and a batch is scored by one matrix product.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import Activation, Mlp, linear_part, mlp_part
from rankzoo.components.notation import named, network
from rankzoo.components.slot import Slot, Width, once
from rankzoo.components.towers.base import TowerLayer
from rankzoo.errors import ZooError, axes, closest, listed, nearest
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Drawing, Edge, Part, Shape
from rankzoo.signals import Branches, Signal
from rankzoo.trace import Trace


@dataclass(frozen=True)
class Columns:
    """Which numbers of an item's vector the item tower reads: its own vector's (start, width; width 0: none), and the others'."""

    own: tuple[int, int]
    known: tuple[int, ...]


class TwoTowers(Slot):
    """`widths` are the hidden layers of the user tower; `known` names the attributes that the item tower reads (empty: all but
    the id)."""

    kind: Literal["two_towers"] = "two_towers"
    widths: Annotated[tuple[Width, ...], Field(max_length=8, title="Hidden layers of the user tower")] = ()
    activation: Annotated[Activation, Field(title="Activation")] = "relu"
    known: Annotated[tuple[str, ...], Field(max_length=64, title="The item tower reads (empty: all but the id)")] = ()
    own: Annotated[bool, Field(title="Add the item's own vector")] = True

    main: ClassVar = ("widths", "known", "own")
    searches: ClassVar = True
    short: ClassVar = "towers"
    title: ClassVar = "Two towers"
    sentence: ClassVar = "A vector of the user and one of each item, made apart; their inner product is the score."
    source: ClassVar = Source("Li et al.", 2021, "Embedding-based product retrieval in Taobao search", "KDD 2021",
                              "10.48550/arXiv.2106.09297")

    def equation(self) -> str:
        own = "e_j+" if self.own else ""
        user = r",\quad " + network("u", named(self.activation), len(self.widths)) if self.widths else ""
        return rf"s_j=\langle u, v_j\rangle,\quad v_j = {own}\tanh(W\bar x_j+b){user}"

    def after(self, shape: Shape) -> Shape:
        for task in shape.tasks:
            if task.kind != "class" or not shape.schema.named(task.of):
                raise ZooError("Two towers score the items of a catalogue, and the task '{task}' chooses none.",
                               "Keep the tasks that choose an item, or choose another kind in the Deep column.", at=shape.at,
                               task=task.name, comes=f"{task.name}: {axes(shape.schema.classes(task))}",
                               needs=f"{task.name}: {axes(shape.schema.catalogue.rows if shape.schema.catalogue else 'N')}")
            if shape.origin.get(f"branch.{task.name}", "") != shape.origin.get("joined", ""):
                raise ZooError("All tasks share the one score, so that no task can have a network of its own before it.",
                               "Choose Direct as sharing, or Softmax over classes in the Deep column.", at=shape.at,
                               cure=("sharing.kind", "direct"), comes=axes(len(shape.tasks), shape.branch),
                               needs=axes(shape.joined))
        if not shape.joined or not shape.catalogue:
            raise ZooError("Two towers need a vector of the user and the items' vectors, and one of them is missing.",
                           "Join fields, and choose embeddings as representation.", at=shape.at,
                           comes=f"{axes(shape.joined)}, N × {shape.catalogue}", needs=f"{axes('d')}, N × d")
        if shape.logits or shape.head:
            raise ZooError("Crosses would have to know the item, and the user's vector does not.",
                           "Empty the Interaction column.", at=shape.at, cure=("interaction", []),
                           comes=axes(shape.head_width or 1), needs=axes(0))
        self.columns(shape)
        return shape.but(origin={**shape.origin, **{f"tower.{t.name}": f"{shape.at}.product" for t in shape.tasks}})

    def columns(self, shape: Shape) -> Columns:
        """What is read of an item's vector; raises where an attribute is not in it, or nothing is left to read."""
        once(self.known, f"{shape.at}.known")
        starts, at = {}, 0
        for name, width in shape.parts.items():
            starts[name], at = (at, width), at + width
        for i, name in enumerate(self.known):
            if name not in starts:
                raise ZooError("An item's vector holds no attribute '{name}'.", closest(name, list(starts)) or
                               "It holds: {names}.", at=f"{shape.at}.known.{i}", name=name, names=listed(starts),
                               cure=nearest(f"{shape.at}.known.{i}", name, starts), comes=f"{name}: N × 0",
                               needs=f"{name}: N × d")
        id = shape.schema.catalogue.name
        read = self.known or tuple(name for name in starts if name != id)
        known = tuple(column for name in read for column in range(starts[name][0], sum(starts[name])))
        own = starts.get(id, (0, 0)) if self.own else (0, 0)
        if not starts:  # one vector in which all is mixed
            known = tuple(range(shape.catalogue))
        if not known and not own[1]:
            raise ZooError("The item tower has nothing to read.", "Name attributes, or add the item's own vector.",
                           at=f"{shape.at}.known", cure=(f"{shape.at}.own", True), comes="N × 0", needs="N × d")
        return Columns(own, known)

    def width(self, shape: Shape) -> int:
        """Numbers of u and of every v."""
        return self.widths[-1] if self.widths else shape.branch

    def count(self, shape: Shape) -> Count:
        columns, d, items = self.columns(shape), self.width(shape), shape.catalogue and shape.schema.catalogue.rows
        parts = [mlp_part("user", shape.branch, self.widths, self.activation)] if self.widths else []
        maps = [linear_part("item", len(columns.known), d)] if columns.known else []
        maps += [linear_part("own", columns.own[1], d, bias=False)] if columns.own[1] not in (0, d) else []
        parts += [part.for_items(items) for part in maps]
        return Count((*parts, Part("product", 0, 2 * d * items, (items,), products=f"2 × {d:,} × {items:,}")))

    def draw(self, shape: Shape) -> Drawing:
        at, d, count = shape.at, self.width(shape), self.count(shape)
        own = {path: count.within(path).parameters for path in ("user", "item", "own")}
        user = Block(f"{at}.user", "towers", "tower", "User tower", self.activation if self.widths else "as joined",
                     (*self.widths[:-1], d), own["user"])
        item = Block(f"{at}.item", "towers", "tower", "Item tower", "id + tanh" if self.own else "tanh", (d,),
                     own["item"] + own["own"], holds=(f"{at}.own",))
        product = Block(f"{at}.product", "towers", "tower", "⟨u, v⟩", "inner product", (shape.schema.catalogue.rows,))
        catalogue = shape.schema.catalogue.name
        return Drawing((user, item, product), (
            Edge(shape.origin["joined"], user.address, shape.joined),
            Edge(shape.origin[catalogue], item.address, shape.catalogue), Edge(user.address, product.address, d),
            Edge(item.address, product.address, d)))

    def build(self, shape: Shape) -> TwoTowersLayer:
        return TwoTowersLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[TwoTowers, tuple[str, ...]]:
        known = schema.catalogue.attributes if schema.catalogue else ()
        gone = tuple(name for name in self.known if name not in known)
        return self.model_copy(update={"known": tuple(n for n in self.known if n in known)}), gone


class TwoTowersLayer(TowerLayer):
    """Joined (row, width) and catalogue (item, width) → logits (row, item), the same for every task."""

    def __init__(self, spec: TwoTowers, shape: Shape):
        super().__init__()
        columns, d = spec.columns(shape), spec.width(shape)
        self.tasks, self.start, self.many = tuple(t.name for t in shape.tasks), *columns.own
        self.register_buffer("known", torch.tensor(columns.known, dtype=torch.long), persistent=False)
        self.user = Mlp(shape.branch, spec.widths, spec.activation)
        self.item = nn.Linear(len(columns.known), d) if columns.known else None
        self.own = nn.Linear(self.many, d, bias=False) if self.many not in (0, d) else None

    def forward(self, branches: Branches, signal: Signal, trace: Trace) -> dict[str, Tensor]:
        u, v = self.user(branches.vectors[self.tasks[0]]), self.items(signal.catalogue)
        trace.keep("user", "vector", ("row", "width"), u)
        trace.keep("item", "item", ("item", "width"), v)
        return dict.fromkeys(self.tasks, u @ v.T)

    def items(self, x: Tensor) -> Tensor:
        """The vectors of items, which may be kept in an index: (item, width) → (item, d)."""
        v = torch.tanh(self.item(x.index_select(1, self.known))) if self.item is not None else 0
        if not self.many:
            return v
        own = x[:, self.start:self.start + self.many]
        return v + (own if self.own is None else self.own(own))

    def begin(self, task: str, logit: float) -> bool:
        """Nothing to set: scores have no level."""
        return False
