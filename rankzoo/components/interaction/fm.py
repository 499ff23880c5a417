"""Factorisation machine, second order (Rendle, ICDM 2010): every pair of fields adds the dot product of its two vectors.

Σ_{i<j} ⟨v_i, v_j⟩ = ½ Σ_f [(Σ_i v_{i,f})² − Σ_i v_{i,f}²]

(lemma 3.1): what runs over all pairs on the left takes one pass over the m fields and k factors on the right. v_i is the
field's embedding, a number's value × its vector. The term owns no parameter and goes straight to the logit; a linear part
beside it brings the first order and the bias. The sums run over fields, never over the numbers within a field.
"""
from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import nn

from rankzoo.components.interaction.pairs import one_width, pair_map
from rankzoo.components.slot import Slot
from rankzoo.errors import ZooError
from rankzoo.facts import Source
from rankzoo.schema import Block, Count, Drawing, Part, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace

MEANS = ("spread of the dots", "How far the dot product of two fields spreads beyond what either says alone; it goes straight to "
         "the prediction, beside what a deep network may add.")


class FM(Slot):
    """Second-order crosses of all fields, added to the logit of every task."""

    kind: Literal["fm"] = "fm"

    short: ClassVar = "FM"
    keeps: ClassVar = ("cross",)
    title: ClassVar = "Factorisation machine"
    sentence: ClassVar = "Adds the dot product of every pair of fields, so that pairs never seen have an estimate too."
    formula: ClassVar = r"\tfrac12\sum_f\big[(\sum_i v_{i,f})^2 - \sum_i v_{i,f}^2\big]"
    source: ClassVar = Source("Rendle", 2010, "Factorization machines", "ICDM 2010", "10.1109/ICDM.2010.127")

    def after(self, shape: Shape) -> Shape:
        one_width(shape)
        if len(shape.fields) < 2:
            raise ZooError("A factorisation machine crosses fields, but there is only one.",
                           "Choose data with at least two fields, or empty the interaction slot.", at=shape.at)
        return shape.but(logits=True, origin={**shape.origin, f"logit.{shape.at}": shape.at})

    def count(self, shape: Shape) -> Count:
        m, k = len(shape.fields), one_width(shape)
        return Count((Part("", 0, 0, (1,), elementwise=3 * m * k + k),))  # two sums and a square per number, then k halves

    def draw(self, shape: Shape) -> Drawing:
        m = len(shape.fields)
        block = Block(shape.at, "interaction", "cross", "FM", f"{m * (m - 1) // 2} pairs", (m, m))
        return Drawing((block,), shape.edges(shape.fields, shape.at))

    def build(self, shape: Shape) -> FMLayer:
        return FMLayer(shape)


class FMLayer(nn.Module):
    """Fields (row, k) → the sum over all pairs (row,), on top of the logits that are there.

    Keeps `second_order` (row,), kind logit, and `pair` (field, other), kind cross: the sd of ⟨v_a, v_b⟩ with both fields drawn
    independently, beyond what either says alone.
    """

    def __init__(self, shape: Shape):
        super().__init__()
        self.tasks, self.names = tuple(t.name for t in shape.tasks), tuple(shape.fields)

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        v = torch.stack([signal.fields[name] for name in self.names], dim=1)  # (row, field, k)
        pairs = 0.5 * (v.sum(dim=1).square() - v.square().sum(dim=1)).sum(dim=1)  # (row,)
        trace.keep("second_order", "logit", ("row",), pairs)
        labels = {"field": self.names, "other": self.names, "means": MEANS}
        trace.keep("pair", "cross", ("field", "other"), lambda: pair_map(v), labels)
        return signal.but(logits={task: pairs + signal.logits.get(task, 0) for task in self.tasks})
