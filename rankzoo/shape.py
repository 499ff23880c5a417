"""What a slot says of itself before any tensor exists: sizes, arithmetic, drawing.

`Shape` carries sizes through the seven slots as `Signal` carries tensors; `Count` and `Block` are a slot's arithmetic and its
part of the diagram. Over 250 lines: what one slot hands the next, and what it says of itself, is read in one place.
"""
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal

from rankzoo.errors import Change, nearest
from rankzoo.schema import Schema, Task

PRODUCT = re.compile(r"[\d,]+(?: × [\d,]+)+")


@dataclass(frozen=True)
class SequenceShape:
    """Size of one history between slots: `length` positions, the width of each field in a token, in order, and whether each
    position stands for one past item still."""

    length: int
    widths: Mapping[str, int]
    items: bool = True

    @property
    def width(self) -> int:
        """Width of a whole token."""
        return sum(self.widths.values())


@dataclass(frozen=True)
class Shape:
    """Sizes between two slots, before any tensor exists.

    `fields` and `sequences` are what step 1 hands on; `joins` (vectors that the concatenation takes), `head` (vectors
    that bypass the deep network and meet it in its last linear map) and `logits` (whether a slot adds to the logit
    directly) come from crosses; `joined` is the width after step 4, `branch` the width per task after step 5; `catalogue` is
    the width of an item's vector, 0 where there is none, and `parts` that of each attribute in it, in order, where they stand
    side by side.
    `scale` is by what towers multiply products with items' vectors.
    `apart` are the groups of tasks that read what is joined in networks of their own, `own` the joins that one of these groups
    alone reads, with its number, `segments` what stands side by side in the joined vector, with its width.
    `origin` names the diagram node that each of these leaves (keys: names of features, histories, crosses and the catalogue;
    `joined`; `branch.<task>`; `logit.<address>`). `at` is the address of the slot that is being asked, so that its errors can
    name it.
    """

    schema: Schema
    tasks: tuple[Task, ...]
    fields: Mapping[str, int] = field(default_factory=dict)
    sequences: Mapping[str, SequenceShape] = field(default_factory=dict)
    joins: Mapping[str, int] = field(default_factory=dict)
    head: Mapping[str, int] = field(default_factory=dict)
    logits: bool = False
    joined: int = 0
    branch: int = 0
    scale: float = 1.0
    catalogue: int = 0
    parts: Mapping[str, int] = field(default_factory=dict)
    apart: tuple[tuple[str, ...], ...] = ()
    own: Mapping[str, int] = field(default_factory=dict)
    segments: Mapping[str, int] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)
    at: str = ""

    @property
    def width(self) -> int:
        """Width of all fields side by side: D of the papers."""
        return sum(self.fields.values())

    @property
    def head_width(self) -> int:
        """Width of what bypasses the deep network."""
        return sum(self.head.values())

    def but(self, **changes: object) -> Shape:
        """This shape with some sizes replaced."""
        return replace(self, **changes)

    def stretches(self, group: int) -> tuple[tuple[int, int], ...]:
        """Where what a group of tasks reads stands in the joined vector, (start, stop) each: all but what is another's own."""
        found: list[tuple[int, int]] = []
        start = 0
        for name, width in self.segments.items():
            if self.own.get(name, group) == group:
                first = found.pop()[0] if found and found[-1][1] == start else start
                found.append((first, start + width))
            start += width
        return tuple(found) if self.own else ((0, self.joined),)

    def meant(self, at: str, name: str) -> Change | None:
        """The cure of a name that is no task of the model: that of a task that is nearly called so. One of the data's tasks is
        spelt as it was meant."""
        own = [task.name for task in self.tasks]
        return nearest(at, name, own) if name not in [task.name for task in self.schema.tasks] else None

    def edges(self, names: Iterable[str], to: str) -> tuple[Edge, ...]:
        """What flows from the nodes that these fields, histories, joins or heads leave into one node, one edge per node."""
        widths = {**self.fields, **self.joins, **self.head}  # a history that was read is a field of its name
        flowing: dict[str, Edge] = {}
        for name in names:
            node, past = self.origin[name], self.sequences.get(name) if name not in widths else None
            if past:
                flowing[node] = Edge(node, to, past.width, times=past.length)
            else:
                before = flowing[node].width if node in flowing else 0
                flowing[node] = Edge(node, to, before + widths.get(name, 1))
        return tuple(flowing.values())


@dataclass(frozen=True)
class Part:
    """A module's arithmetic: parameters, FLOPs per example (2 per multiply-add of a matrix product), element-wise
    operations, output shape per example, and the working of the parameter count as a person would write it. `rows` are those of a
    table of which a step learns the rows alone that it read. `once` are FLOPs
    that a pass has whatever the number of its examples: those of encoding the catalogue; `width` the working of the output's
    width, where several vectors stand side by side; `products` that of the FLOPs, where they are more than two for each product
    of the parameters' working.

    `inside` are the shapes of what stands within it on the way to its output, such as an MLP's hidden layers. `items` is for how
    many items of the catalogue it works instead of for an example (0: for an example): what leaves it is an item's then. Where a
    step encodes only the items that its examples name, `named` is how many one can name. `still`: it does not learn. `past`: it
    reads past items alone, whoever asks them in its component.
    """

    path: str
    parameters: int
    flops: int = 0
    output: tuple[int, ...] = ()
    working: str = ""
    table: bool = False
    rows: int = 0
    elementwise: int = 0
    once: int = 0
    width: str = ""
    products: str = ""
    inside: tuple[tuple[int, ...], ...] = ()
    items: int = 0
    named: int = 0
    still: bool = False
    past: bool = False

    @property
    def per_item(self) -> bool:
        """Whether what leaves it is an item's of the catalogue, not an example's."""
        return self.items > 0

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """What it hands on for one example or item, its output last: what training keeps for the way back, if it learns."""
        return () if self.still else (*self.inside, *([self.output] if self.output else []))

    def times(self, batch_size: int) -> int:
        """How often a step on a batch uses it: for every example, for every item, or at most for the items that examples name and
        the unknown one."""
        named = 1 + batch_size * self.named if self.named else self.items
        return min(self.items, named) if self.items else batch_size

    def kept(self, batch_size: int) -> int:
        """Numbers that it hands on in a step on a batch."""
        return self.times(batch_size) * sum(map(prod, self.shapes))

    @property
    def flops_working(self) -> str:
        """The arithmetic of the FLOPs (for an example, or once a pass), empty where there are none: as the part tells it, or two
        for each product of its parameters' working, as often as the part is used for an example."""
        products = PRODUCT.findall(self.working)
        each = sum(prod(int(number.replace(",", "")) for number in product.split(" × ")) for product in products)
        if self.products or not self.flops or not each:
            return self.products
        times, inside = self.flops // (2 * each), " + ".join(products)
        return f"2 × {f'({inside})' if len(products) > 1 else inside}" + (f" × {times:,}" if times > 1 else "")

    def for_items(self, items: int) -> Part:
        """The same, as it works for each of so many items of the catalogue once a pass, and no more for an example."""
        told = f"{self.flops_working} × {items:,}" if self.flops else ""
        return replace(self, flops=0, once=self.flops * items, products=told, items=items)


def side_by_side(widths: Sequence[int]) -> str:
    """How wide several vectors are together, as a person would add them up: «8 × 16 + 49», numbers that stand alone last; empty
    where there are not two."""
    alone, counted = widths.count(1), Counter(width for width in widths if width > 1)
    terms = [f"{n:,} × {width:,}" if n > 1 else f"{width:,}" for width, n in counted.items()]
    return " + ".join([*terms, *([f"{alone:,}"] if alone else [])]) if len(widths) > 1 else ""


@dataclass(frozen=True)
class Count:
    """What a slot holds and does per example, as the papers' formulas have it, by part."""

    parts: tuple[Part, ...] = ()

    def __add__(self, other: Count) -> Count:
        return Count(self.parts + other.parts)

    def under(self, prefix: str) -> Count:
        """The same parts with `prefix` before their paths: how a slot's count becomes the blueprint's."""
        return Count(tuple(replace(p, path=f"{prefix}.{p.path}" if p.path else prefix) for p in self.parts))

    def within(self, prefix: str) -> Count:
        """The parts at or below an address."""
        return Count(tuple(p for p in self.parts if p.path == prefix or p.path.startswith(prefix + ".")))

    @property
    def parameters(self) -> int:
        """All parameters, shared tables once."""
        return sum(p.parameters for p in self.parts)

    @property
    def embedding(self) -> int:
        """Parameters in tables, of which an example reads single rows: embeddings, and weights of one number for an id or a
        cross."""
        return sum(p.parameters for p in self.parts if p.table)

    @property
    def dense(self) -> int:
        """Parameters outside tables."""
        return self.parameters - self.embedding

    @property
    def flops(self) -> int:
        """Floating point operations of the matrix products for one example in eval mode."""
        return sum(p.flops for p in self.parts)

    @property
    def once(self) -> int:
        """Floating point operations of the matrix products that a pass has once: those of encoding the catalogue."""
        return sum(p.once for p in self.parts)

    @property
    def elementwise(self) -> int:
        """Element-wise operations, for the models whose work is nothing else (LR, FM)."""
        return sum(p.elementwise for p in self.parts)

    @property
    def activations(self) -> int:
        """Numbers that the layers hand on for one example: what training must keep of it for the backward pass."""
        return sum(p.kept(1) for p in self.parts if not p.items)

    def kept(self, batch_size: int) -> int:
        """The same for a batch, with those of the items that a step on it encodes."""
        return sum(p.kept(batch_size) for p in self.parts)


BlockForm = Literal["feature", "numbers", "forest", "item", "left", "history", "bias", "candidate", "scorer", "sum", "product",
                    "cross", "linear", "concat", "layer", "expert", "gate", "tower", "bias_tower", "adversary", "head", "broken"]


@dataclass(frozen=True)
class Block:
    """One node of the diagram, as a slot draws itself: what it is, not where it stands.

    `address` is also the submodule, the row of the count table and the prefix of its trace; `flows` are the edges that
    leave it, which the blueprint fills in from the drawings of the slots behind. `units` are layer widths
    (an MLP's bars) or (rows, width) of a table; `skips` pairs of layers of which the first is added to what the second is made
    of; `again` how many numbers of x₀, what its network began with, it reads once more; `task` the task it belongs to, `place`
    where that stands among the data's, which the blueprint fills in too; `group` sorts features (user, item, context); `past` is
    the history to each of whose items it gives a weight. `holds` are the paths of what is its own in the count beside what stands
    below its address; of two nodes it is that with the longer path.
    """

    address: str
    slot: str
    form: BlockForm
    title: str
    detail: str = ""
    units: tuple[int, ...] = ()
    parameters: int = 0
    flows: tuple[Flow, ...] = ()
    task: str = ""
    group: str = ""
    words: tuple[str, ...] = ()
    skips: tuple[tuple[int, int], ...] = ()
    again: int = 0
    past: str = ""
    place: int = 0
    holds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flow:
    """An edge seen from its source: to which block, how many numbers flow for a row, and how it is drawn (`side`: a dashed path
    of a side tower). Of past items or words `times` vectors flow, each of that width."""

    to: str
    width: int
    side: bool = False
    times: int = 1

    @property
    def numbers(self) -> int:
        """All numbers of a row."""
        return self.width * self.times


@dataclass(frozen=True)
class Edge:
    """An edge of the diagram with both ends, as the slot at its end reports it."""

    source: str
    to: str
    width: int
    side: bool = False
    times: int = 1


@dataclass(frozen=True)
class Drawing:
    """The nodes that a slot adds to the diagram, and the edges that lead into them (or between them)."""

    blocks: tuple[Block, ...] = ()
    edges: tuple[Edge, ...] = ()
