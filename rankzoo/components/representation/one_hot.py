"""One-hot representation: a feature value is a position in a long vector of zeros, and owns no numbers of its own.

x_i ∈ {0, 1}^{V_i} with a single 1. Nothing is stored or multiplied: a linear part that follows looks its weight up by
the id, which is what a product with a one-hot vector is. The representation of logistic regression (McMahan et al.,
KDD 2013, for its use at scale).
"""
from __future__ import annotations

from typing import ClassVar, Literal

from torch import nn

from rankzoo.components.representation.raw import aside, feature_rows, origins
from rankzoo.components.slot import Slot
from rankzoo.facts import Source
from rankzoo.shape import Drawing, Shape
from rankzoo.signals import Batch, Signal
from rankzoo.trace import Trace


class OneHot(Slot):
    """Raw ids and numbers, without tables. Only a linear part can read them."""

    kind: Literal["one_hot"] = "one_hot"

    short: ClassVar = "one-hot"
    title: ClassVar = "One-hot"
    sentence: ClassVar = "A value is just its place in a list; nothing is shared between values."
    formula: ClassVar = r"x_i \in \{0,1\}^{V_i},\; \sum_v x_{i,v} = 1"
    source: ClassVar = Source("McMahan et al.", 2013, "Ad click prediction: a view from the trenches", "KDD 2013",
                              "10.1145/2487575.2488200")

    def after(self, shape: Shape) -> Shape:
        return shape.but(fields={}, sequences={}, origin=origins(shape))

    def draw(self, shape: Shape) -> Drawing:
        return Drawing(tuple(feature_rows(shape.schema, shape.at, {}, "one-hot")))

    def build(self, shape: Shape) -> OneHotLayer:
        return OneHotLayer()


class OneHotLayer(nn.Module):
    """Hands the raw inputs on; owns nothing."""

    def forward(self, batch: Batch, trace: Trace) -> Signal:
        return Signal(aside=aside(batch))
