"""Factorisation machine, second order (Rendle, ICDM 2010): every pair of fields adds the dot product of its two vectors.

Σ_{i<j} ⟨v_i, v_j⟩ = ½ Σ_f [(Σ_i v_{i,f})² − Σ_i v_{i,f}²]

(lemma 3.1): what runs over all pairs on the left takes one pass over the m fields and k factors on the right. v_i is the
field's embedding, a number's value × its vector. The term owns no parameter and goes straight to the logit; a linear part
beside it brings the first order and the bias. The sums run over fields, never over the numbers within a field.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import nn

from rankzoo.components.interaction.pairs import one_width, pair_map
from rankzoo.components.slot import Slot, once
from rankzoo.errors import ZooError, axes, closest, listed, nearest
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Drawing, Part, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace

MEANS = ("spread of the dots", "How far the dot product of two fields spreads beyond what either says alone; it goes straight to "
         "the prediction, beside what a deep network may add.")


class FM(Slot):
    """Second-order crosses of all fields (or of those named in `fields`), added to the logit of every task."""

    kind: Literal["fm"] = "fm"
    fields: Annotated[tuple[str, ...] | None, Field(max_length=2000, title="Crossed fields (empty: all)")] = None

    short: ClassVar = "FM"
    keeps: ClassVar = ("cross",)
    title: ClassVar = "Factorisation machine"
    sentence: ClassVar = "Adds the dot product of every pair of fields, so that pairs never seen have an estimate too."
    formula: ClassVar = r"\tfrac12\sum_f\big[(\sum_i v_{i,f})^2 - \sum_i v_{i,f}^2\big]"
    source: ClassVar = Source("Rendle", 2010, "Factorization machines", "ICDM 2010", "10.1109/ICDM.2010.127")

    def crossed(self, shape: Shape) -> Shape:
        """The shape of the crossed fields alone; raises where one is not there, or there twice."""
        once(self.fields or (), f"{shape.at}.fields")
        for i, name in enumerate(self.fields or ()):
            if name not in shape.fields:
                raise ZooError("There is no field '{name}' to cross.", closest(name, list(shape.fields)) or
                               "Cross all fields, or choose among: {names}.", at=f"{shape.at}.fields.{i}", name=name,
                               names=listed(shape.fields), cure=nearest(f"{shape.at}.fields.{i}", name, shape.fields),
                               needs=f"{name}: {axes('d')}")
        return shape if self.fields is None else shape.but(fields={name: shape.fields[name] for name in self.fields})

    def after(self, shape: Shape) -> Shape:
        one_width(self.crossed(shape))
        if len(self.crossed(shape).fields) < 2:
            raise ZooError("A factorisation machine crosses fields, but there is only one.",
                           "Choose data with at least two fields, or empty the Interaction column.", at=shape.at,
                           comes=axes(1, "d"), needs=axes("m", "d") + ", m ≥ 2")
        return shape.but(logits=True, origin={**shape.origin, f"logit.{shape.at}": shape.at})

    def count(self, shape: Shape) -> Count:
        m, k = len(self.crossed(shape).fields), one_width(self.crossed(shape))
        return Count((Part("", 0, 0, (1,), elementwise=3 * m * k + k),))  # two sums and a square per number, then k halves

    def draw(self, shape: Shape) -> Drawing:
        fields = self.crossed(shape).fields
        m = len(fields)
        block = Block(shape.at, "interaction", "cross", "FM", f"{m * (m - 1) // 2} pairs", (m, m))
        return Drawing((block,), shape.edges(fields, shape.at))

    def build(self, shape: Shape) -> FMLayer:
        return FMLayer(self.crossed(shape))

    def fitted(self, schema: Schema) -> tuple[FM, tuple[str, ...]]:
        known = {f.name for f in schema.inputs} | {h.name for h in schema.histories} | {"candidate"}
        gone = tuple(name for name in self.fields or () if name not in known)
        kept = tuple(name for name in self.fields or () if name in known)
        return self.model_copy(update={"fields": kept if len(kept) > 1 else None}) if gone else self, gone


class FMLayer(nn.Module):
    """Fields (row, k) → the sum over all pairs (row,), on top of the logits that are there.

    Keeps `second_order` (row,), kind logit, and `pair` (field, other), kind cross: the sd of ⟨v_a, v_b⟩ with both fields drawn
    independently, beyond what either says alone.
    """

    def __init__(self, shape: Shape):
        super().__init__()
        self.tasks, self.names = tuple(t.name for t in shape.tasks), tuple(shape.fields)

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        v = signal.stacked(self.names)  # (row, field, k)
        pairs = 0.5 * (v.sum(dim=1).square() - v.square().sum(dim=1)).sum(dim=1)  # (row,)
        trace.keep("second_order", "logit", ("row",), pairs)
        labels = {"field": self.names, "other": self.names, "means": MEANS}
        trace.keep("pair", "cross", ("field", "other"), lambda: pair_map(v), labels)
        return signal.but(logits={task: pairs + signal.logits.get(task, 0) for task in self.tasks})
