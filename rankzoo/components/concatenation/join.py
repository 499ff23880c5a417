"""Concatenation: the embeddings side by side, the one vector that the deep network reads.

x = [e_1; …; e_m; crosses], optionally with element-wise products of chosen fields, as in DIN's published code
[u; c; u ⊙ c].
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.slot import Slot, once
from rankzoo.errors import ZooError, axes, closest, listed, nearest
from rankzoo.shape import Block, Count, Drawing, Edge, Part, Shape, side_by_side
from rankzoo.signals import Signal
from rankzoo.trace import Trace


class Join(Slot):
    """Which fields are joined (None: all of them), and which pairs of fields are multiplied element by element."""

    kind: Literal["join"] = "join"
    fields: Annotated[tuple[str, ...] | None, Field(max_length=2000, title="Fields (empty: all, –: none)")] = None
    products: Annotated[tuple[tuple[str, str], ...], Field(max_length=64, title="Products of fields")] = ()

    short: ClassVar = "join"
    title: ClassVar = "Concatenation"
    sentence: ClassVar = "All vectors side by side: one long vector for the network behind."
    formula: ClassVar = r"x = [e_1; e_2; \dots; e_m]"

    def described(self) -> str:
        return self.sentence if self.fields != () or self.products else (
            "No field is joined here: what needs one reads it where it is made.")

    def equation(self) -> str:
        return self.formula if self.fields != () or self.products else ""

    def names(self, shape: Shape) -> tuple[str, ...]:
        """The fields that are joined, in order; raises where one is not there, or there twice."""
        once(self.fields or (), f"{shape.at}.fields")
        for i, name in enumerate(self.fields or ()):
            if name not in shape.fields:
                raise ZooError("There is no field '{name}' to join.", closest(name, list(shape.fields)) or
                               "Join all fields, or choose among: {names}.", at=f"{shape.at}.fields.{i}", name=name,
                               names=listed(shape.fields), cure=nearest(f"{shape.at}.fields.{i}", name, shape.fields),
                               comes=f"{name}: {axes(0)}", needs=f"{name}: {axes('d')}")
        return tuple(shape.fields) if self.fields is None else self.fields

    def sizes(self, shape: Shape) -> dict[str, int]:
        """Width of every segment of the joined vector, in order."""
        sizes = {name: shape.fields[name] for name in self.names(shape)}
        once((f"{a} ⊙ {b}" for a, b in self.products), f"{shape.at}.products")
        for i, (a, b) in enumerate(self.products):
            widths = [shape.fields.get(name) for name in (a, b)]
            if None in widths or widths[0] != widths[1]:
                missing = next((name for name in (a, b) if name not in shape.fields), None)
                raise ZooError("The product {a} ⊙ {b} needs two fields of one width, but they have {widths}.",
                               "Leave the product out, or give both the same width.", at=f"{shape.at}.products.{i}",
                               a=a, b=b, name=missing,
                               widths=" and ".join("no such field" if w is None else str(w) for w in widths),
                               comes=", ".join(f"{name}: {axes(w or 0)}" for name, w in zip((a, b), widths, strict=True)),
                               needs=f"{a}, {b}: {axes(max(filter(None, widths), default='d'))}")
            sizes[f"{a} ⊙ {b}"] = widths[0]
        return sizes | dict(shape.joins)

    def after(self, shape: Shape) -> Shape:
        read(shape)
        sizes = self.sizes(shape)
        joined = sum(sizes.values())
        return shape.but(joined=joined, branch=joined, segments=sizes,
                         origin={**shape.origin, "joined": shape.at} if joined else shape.origin)

    def count(self, shape: Shape) -> Count:
        widths = list(self.sizes(shape).values())
        return Count((Part("", 0, 0, (sum(widths),), width=side_by_side(widths)),))

    def draw(self, shape: Shape) -> Drawing:
        sizes = self.sizes(shape)
        if not sizes:
            return Drawing()
        block = Block(shape.at, "concatenation", "concat", "concat", f"x · {sum(sizes.values())}", (sum(sizes.values()),),
                      words=tuple(sizes))
        joined = shape.edges([*self.names(shape), *shape.joins], shape.at)
        multiplied = [Block(f"{shape.at}.product.{i}", "concatenation", "product", "⊙", f"{a} ⊙ {b}", (shape.fields[a],),
                            words=(a, b)) for i, (a, b) in enumerate(self.products)]
        inside = [edge for each in multiplied for edge in (*shape.edges(each.words, each.address),
                                                           Edge(each.address, shape.at, each.units[0]))]
        return Drawing((*multiplied, block), (*joined, *inside))

    def build(self, shape: Shape) -> JoinLayer:
        return JoinLayer(self, shape)


def read(shape: Shape) -> None:
    """Raises where a component rewrote a history that none behind it reads: all its weights would be idle."""
    for name in shape.sequences:
        node = shape.origin[name]
        if node.startswith("sequence.") and name not in shape.fields:
            raise ZooError("Nothing reads the history '{name}' after it was rewritten.",
                           "Put a component behind it that makes one vector of it, such as additive_attention.",
                           at=".".join(node.split(".")[:2]), name=name, comes=f"{name}: {axes('L', shape.sequences[name].width)}",
                           needs=f"{name}: {axes('d')}")


class JoinLayer(nn.Module):
    """Signal → (row, joined width)."""

    def __init__(self, spec: Join, shape: Shape):
        super().__init__()
        self.names, self.products, self.joins = spec.names(shape), spec.products, tuple(shape.joins)

    def forward(self, signal: Signal, trace: Trace) -> Tensor:
        if not (self.names or self.products or self.joins):
            return torch.zeros(len(next(iter(signal.aside.values()))), 0)
        parts = signal.joined(self.names)
        parts += [signal.fields[a] * signal.fields[b] for a, b in self.products]
        parts += [signal.joins[name] for name in self.joins]
        x = torch.cat(parts, dim=1)
        trace.keep("joined", "vector", ("row", "width"), x)
        return x
