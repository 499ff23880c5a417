"""Attributes: an item is what is known of it, and not its id (Shalaby et al., RecSys 2022, M2TRec).

x_i = [E_1(a_1); …; E_F(a_F)]: each attribute has a table that all items share; of a list (the words of a title) the mean. An
item without its id among them owns no number, so that one never seen in training has a vector too, and memory does not grow
with the catalogue; two items that are alike in all of them are one. What only new items have is an unknown value, whose vector
is trained by hiding attributes now and then: else it would be noise that every new item carries.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from rankzoo.components.representation.embeddings import Embeddings, EmbeddingsLayer
from rankzoo.components.slot import once
from rankzoo.errors import ZooError, closest, listed, nearest
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Shape
from rankzoo.signals import Batch


class Attributes(Embeddings):
    """Embeddings whose items are made of `items`, without their id by default (`ids` adds it); `unknown` is the share of
    attributes that are hidden in training."""

    kind: Literal["attributes"] = "attributes"
    items: Annotated[tuple[str, ...], Field(max_length=64, title="An item is made of (empty: all but its id)")] = ()
    ids: Annotated[bool, Field(title="The item's id too")] = False
    unknown: Annotated[float, Field(ge=0, lt=1, title="Attributes hidden in training")] = 0.05

    main: ClassVar = ("dim", "items")
    short: ClassVar = "attributes"
    title: ClassVar = "Attributes of items"
    sentence: ClassVar = "An item is what is known of it, not its id: a new one has a vector at once."
    source: ClassVar = Source("Shalaby et al.", 2022, "M2TRec: metadata-aware multi-task transformer for large-scale and "
                              "cold-start free session-based recommendations", "RecSys 2022", "10.48550/arXiv.2209.11824")

    def described(self) -> str:
        return "An item is its id and what is known of it." if self.ids else self.sentence

    def equation(self) -> str:
        return rf"x_i = [{'E_0(i); ' if self.ids else ''}E_1(a_{{i,1}}); \dots; E_F(a_{{i,F}})]"

    def after(self, shape: Shape) -> Shape:
        if shape.schema.catalogue is None:
            raise ZooError("These data have no catalogue of items with attributes.",
                           "Choose data with one, or set representation.kind to embeddings.", at=shape.at,
                           cure=("representation.kind", "embeddings"), comes="N × 0", needs="N × n, n ≥ 1")
        once(self.items, f"{shape.at}.items")
        known = shape.schema.catalogue.attributes
        for i, name in enumerate(self.items):
            if name not in known:
                raise ZooError("An item has no attribute '{name}'.", closest(name, known) or "It has: {names}.",
                               at=f"{shape.at}.items.{i}", name=name, names=listed(known),
                               cure=nearest(f"{shape.at}.items.{i}", name, known), comes=f"{name}: N × 0", needs=f"{name}: N × 1")
        return super().after(shape)

    def attributes(self, schema: Schema) -> tuple[str, ...]:
        names = super().attributes(schema)
        return tuple(n for n in names if n in self.items or (self.ids if schema.named(n) else not self.items))

    def build(self, shape: Shape) -> AttributesLayer:
        return AttributesLayer(self, shape.schema)

    def fitted(self, schema: Schema) -> tuple[Attributes, tuple[str, ...]]:
        spec, gone = super().fitted(schema)
        known = schema.catalogue.attributes if schema.catalogue else ()
        lost = tuple(name for name in self.items if name not in known)
        return spec.model_copy(update={"items": tuple(n for n in self.items if n in known)}), gone + lost


class AttributesLayer(EmbeddingsLayer):
    """Embeddings whose items' attributes are hidden now and then in training."""

    def __init__(self, spec: Attributes, schema: Schema):
        super().__init__(spec, schema)
        self.unknown = spec.unknown

    def items(self, catalogue: Batch) -> Tensor:
        if not (self.training and self.unknown):
            return super().items(catalogue)
        kept = torch.rand(catalogue.ids.shape) >= self.unknown
        words = {name: ids * (torch.rand(ids.shape) >= self.unknown) for name, ids in catalogue.histories.items()}
        return super().items(replace(catalogue, ids=catalogue.ids * kept, histories=words))
